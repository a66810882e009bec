#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Clients that break every rule of the protocol, against a sanitized rbacd.

First what an attacker would try on purpose, then random frames at all sockets for a bounded
time. rbacd must neither end nor allow, and an honest login must work right after.

usage: abuse.py [VARIANT] [long]
"""
import os
import random
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
sys.path.insert(0, HERE)
import frames as f  # noqa: E402
import world  # noqa: E402

NOBODY = 65534
ADMIN_CALLS = {
    "status": {}, "reload": {}, "users": {}, "enrol-begin": {"user": "bob"},
    "enrol-confirm": {"user": "bob", "code": "123456"}, "disable": {"user": "alice"},
    "reset": {"user": "alice"}, "record": {"id": "1-AAAA"},
    "bypass": {"user": "alice", "uses": "1", "for": "3600", "why": "x"},
    "explain": {"user": "alice", "vm": world.HOST, "privilege": "ssh"}}


def as_user(uid, work, *args):
    """Run @work as @uid in a child; returns what it returned as text."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        text = "?"
        try:
            os.close(r)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            text = str(work(*args))
        except BaseException as e:
            text = repr(e)
        finally:
            os.write(w, text.encode()[:4000])
            os._exit(0)
    os.close(w)
    text = b""
    while True:
        part = os.read(r, 4096)
        if not part:
            break
        text += part
    os.close(r)
    os.waitpid(pid, 0)
    return text.decode()


class Abuse:
    def __init__(self, variant, long):
        self.long, self.variant = long, variant
        self.r = world.Report("abuse")
        self.w = world.World(variant).make()
        self.w.install()
        self.w.start()
        for name in ("alice", "erin"):
            self.w.enrol(name)
        f.ask("alice")  # known to rbacd from here on
        self.n = 0

    # ---- helpers

    def source(self):
        """An address that nothing was counted for."""
        self.n += 1
        return "10.%d.%d.%d" % (self.n >> 16 & 255, self.n >> 8 & 255, self.n & 255)

    def warm(self, user="alice"):
        """The person's entry is fresh: the next BEGIN is answered in its own turn."""
        f.ask(user, source=self.source())

    def alive(self):
        p = self.w.children["rbacd"]
        return p.poll() is None

    def sanitized(self):
        log = self.w.read("/var/log/rbacd.log")
        at = log.find("ERROR: AddressSanitizer")
        at = at if at >= 0 else log.find("runtime error:")
        return log[at:at + 2000] if at >= 0 else ""

    def stands(self, what):
        self.r.check(what + ": rbacd goes on", self.alive(), self.sanitized())

    # ---- on purpose

    def order(self):
        """Frames out of order, twice, or before they were asked for."""
        for what, kw in (("unproven", {}), ("after a key", {"info": f.KEY})):
            code = self.w.code("alice")
            self.warm()  # after the clock moved: the prompt is made in the BEGIN's own turn
            c = f.Client(f.PAM)
            nonce, b = f.begin("alice", source=self.source(), **kw)
            got = c.send(b, f.answer(nonce, code)).result()
            if got[0] == "prompt":
                got = c.result()
            c.close()
            self.r.check("ANSWER before its PROMPT, %s: not allowed" % what,
                         got[0] == "closed", got)
            got = f.ask("alice", code, source=self.source(), **kw)
            self.r.check("the code was not spent by it", got[0] == "allow", got)
        self.late_answers()
        self.stands("frames out of order")

    def late_answers(self):
        self.warm()
        wrong = (("two BEGINs", lambda n, c: f.begin("alice")[1]),
                 ("an ANSWER of another turn", lambda n, c: f.answer(n, c, turn=2)),
                 ("an ANSWER of turn 0", lambda n, c: f.answer(n, c, turn=0)),
                 ("an ANSWER with another nonce",
                  lambda n, c: f.answer(os.urandom(16), c)),
                 ("an ANSWER whose time is over",
                  lambda n, c: f.answer(n, c, seconds=-1)),
                 ("a CALL", lambda n, c: f.call("status")))
        code = self.w.code("alice")
        for what, make in wrong:
            c = f.Client(f.PAM)
            nonce, b = f.begin("alice", source=self.source(), info=f.KEY)
            got = c.send(b).result()
            got = c.send(make(nonce, code)).result() if got[0] == "prompt" else got
            c.close()
            self.r.check(what + ": the connection ends", got[0] == "closed", got)
        got = f.Client(f.PAM).send(f.answer(os.urandom(16), code)).result()
        self.r.check("an ANSWER without BEGIN: the connection ends", got[0] == "closed", got)
        n = len(self.w.records())
        c = f.Client(f.PAM)
        nonce, b = f.begin("alice", source=self.source(), info=f.KEY)
        c.send(b).result()
        got = [c.send(f.answer(nonce, code), f.answer(nonce, code)).result(), c.result()]
        c.close()
        self.r.check("an ANSWER twice: one RESULT",
                     [x[0] for x in got] == ["allow", "closed"], got)
        self.w.wait(lambda: len(self.w.records()) > n, 5, "no record")
        self.r.check("and one record", len(self.w.records()) == n + 1)
        got = f.Client(f.PAM).send(f.begin("alice", seconds=-1)[1]).result()
        self.r.check("a BEGIN whose time is over: closed", got[0] == "closed", got)

    def handles(self):
        got = f.ask("alice", self.w.code("alice"), source=self.source(), info=f.KEY)
        who = {"source": "192.0.2.9", "op": f.ACCOUNT, "handle": got[1]}
        self.r.check("a handle comes with an accepted code", got[1], got)
        other = f.ask("erin", **who)
        self.r.check("redeemed under another name: refused", other[0] == "forbidden", other)
        mine = f.ask("alice", **who)
        self.r.check("and it is gone then", mine[0] == "forbidden", mine)

    def held(self, n, **kw):
        """@n BEGINs that wait at once, each from a source of its own unless told."""
        all_, told = [], []
        for i in range(n):
            c = f.Client(f.PAM)
            args = dict({"source": self.source()}, **kw)
            c.send(f.begin(args.pop("user", "alice"), **args)[1])
            all_.append(c)
        for c in all_:
            told.append(c.result()[0])
        for c in all_:
            c.close()
        return told

    def caps(self):
        for user in ("alice", "root"):
            told = self.held(48, user=user, source="203.0.113.7")
            self.r.check("48 logins of %s from one address: 32 may wait" % user,
                         told.count("prompt") == 32, told)
            self.w.wait(lambda: f.ask(user, source="203.0.113.7")[0] == "prompt", 5, "caps")
        told = []
        for i in range(48):
            told.append("2001:db8:7::%x" % i)
        waiting = [f.Client(f.PAM) for _ in told]
        for c, source in zip(waiting, told):
            c.send(f.begin("alice", source=source)[1])
        got = [c.result()[0] for c in waiting]
        for c in waiting:
            c.close()
        self.r.check("48 addresses of one /64: they are one source",
                     got.count("prompt") == 32, got)
        told = self.held(24, loginuid=2004)
        self.r.check("an sshd that somebody started by hand: its logins are not one invoker",
                     told.count("prompt") == 24, told)
        told = self.held(24, service="sudo", ruser="alice", loginuid=2001)
        self.r.check("24 sudo of one person: 16 may wait", told.count("prompt") == 16, told)
        time.sleep(5)
        self.held(40, source="203.0.113.7")
        n = self.w.read("/var/log/rbacd.log").count("over_cap")
        self.r.check("the log says so, once", n == 1, n)
        self.stands("caps")

    def other_people(self):
        """A person's own stopped processes are in nobody else's way."""
        waiting = [f.Client(f.PAM) for _ in range(20)]
        for c in waiting:
            c.send(f.begin("bob", service="sudo", ruser="bob", loginuid=2002)[1])
        got = f.ask("alice", service="sudo", ruser="alice", loginuid=2001)
        self.r.check("20 stopped sudo of bob: alice's is answered", got[0] == "prompt", got)
        got = f.ask("root", op=f.ACCOUNT, service="su", ruser="root")
        self.r.check("and root's su", got[0] == "allow", got)
        for c in waiting:
            c.close()

    def rights(self):
        """Root was given up for good."""
        text = self.w.read("/proc/%d/status" % self.w.children["rbacd"].pid)
        uid = str(world.SERVICE_USERS["rbacd"])
        for name, want in (("Uid", [uid] * 4), ("Gid", [uid] * 4), ("Groups", []),
                           ("CapPrm", ["0" * 16]), ("CapEff", ["0" * 16]),
                           ("CapInh", ["0" * 16]), ("NoNewPrivs", ["1"])):
            got = re.search(r"(?m)^%s:(.*)$" % name, text).group(1).split()
            self.r.check("H2 rbacd runs with %s %s" % (name, " ".join(want) or "none"),
                         got == want, got)

    def second_rbacd(self):
        """Started twice by mistake: the second refuses, the first goes on being heard."""
        argv = [world.LOCAL_SBIN + "/rbacd", "--config", "/etc/rbacd/rbacd.yaml"]
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=20)
        self.r.check("a second rbacd refuses to start and says why", p.returncode == 1 and
                     "in use" in p.stderr, (p.returncode, p.stderr[-300:]))
        got = f.ask("root", op=f.ACCOUNT, service="su", ruser="root")
        self.r.check("and the first still answers", got[0] == "allow", got)

    def strangers(self):
        """user.sock gives nothing of admin.sock; pam.sock and dir.sock are closed."""
        def verb(name, args):
            c = f.Client(f.USER).send(f.call(name, **args))
            got = c.recv()
            while got and got[0] == f.ROW:
                got = c.recv()
            return got and got[0] == f.END and struct.unpack(">I", got[1][80])[0]
        for name, args in ADMIN_CALLS.items():
            got = as_user(NOBODY, verb, name, args)
            self.r.check("%s on user.sock: unknown there" % name, got == "64", got)
        got = as_user(NOBODY, lambda: f.ask("alice", path=f.USER))
        self.r.check("BEGIN on user.sock: closed", "closed" in got, got)
        for path in (f.PAM, f.ADMIN, f.DIR):
            got = as_user(NOBODY, lambda: f.Client(path))
            self.r.check("%s: no way in" % path, "PermissionError" in got, got)
        def nonsense():
            for _ in range(200):
                f.Client(f.USER).send(b"\0\0\0\4\7\0\0\0").recv()
        as_user(NOBODY, nonsense)
        n = self.w.read("/var/log/rbacd.log").count("bad frame from uid %d" % NOBODY)
        self.r.check("200 bad frames on user.sock: the log does not grow", n == 0, n)
        got = as_user(2001, verb, "my-status", {"user": "alice"})
        self.r.check("one's own status", got == "0", got)
        got = as_user(2001, verb, "my-status", {"user": "bob"})
        self.r.check("nobody else's", got == "1", got)

    def slow_reader(self):
        def drip():
            c, start = f.Client(f.USER), time.monotonic()
            data = f.call("my-status", user="alice")
            for i in range(len(data) - 1):
                try:
                    c.s.sendall(data[i:i + 1])
                    c.s.settimeout(0.5)
                    if not c.s.recv(1):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
                if time.monotonic() - start > 12:
                    break
            return "%.1f" % (time.monotonic() - start)
        took = as_user(NOBODY, drip)
        self.r.check("a frame byte by byte: cut off after 5 s", 4 < float(took) < 8, took)

    def lookups(self):
        text = self.w.rbacctl("--json", "status", check=False).stdout
        return int(re.search(r'"lookups": *(\d+)', text).group(1))

    def directory_hangs(self):
        """With rbacd-dir asleep, somebody asks for thousands of names."""
        def flood():
            end, n = time.monotonic() + 1.6, 0
            while time.monotonic() < end:
                try:
                    c = f.Client(f.USER, 1)
                    c.send(f.call("my-status", user="u%d-%d" % (os.getpid(), n)))
                    c.close()
                    n += 1
                except OSError:
                    pass
            return n
        self.warm()
        self.w.children["rbacd-dir"].send_signal(signal.SIGSTOP)
        try:
            time.sleep(10.2)  # entries are fresh for 10 s
            told, before = [], self.lookups()
            many = [threading.Thread(target=lambda: told.append(as_user(NOBODY, flood)))
                    for _ in range(3)]
            for t in many:
                t.start()
            time.sleep(1.2)
            got = f.ask("alice", source=self.source())
            for t in many:
                t.join()
            self.r.check("a flood of names on user.sock (%s): a login is still asked"
                         % "+".join(told), got[0] == "prompt", got)
            asked = self.lookups() - before
        finally:
            self.w.children["rbacd-dir"].send_signal(signal.SIGCONT)
        self.r.check("and rbacd-dir was not asked for them (%d)" % asked, asked < 100, asked)
        self.w.wait(self.w.answers, 10, "rbacd-dir is not back")

    def clock_back(self):
        """A remembered proof does not come to life again when the clock is set back."""
        me = {"service": "sudo", "ruser": "alice", "loginuid": 2001, "session": 77}
        got = f.ask("alice", op=f.OPEN, source="192.0.2.44", session=77, loginuid=2001)
        self.r.check("the audit session is known", got[0] == "noted", got)
        got = f.ask("alice", self.w.code("alice"), op=f.ACCOUNT, **me)
        self.r.check("sudo with a code: allowed", got[0] == "allow", got)
        got = f.ask("alice", op=f.ACCOUNT, **me)
        self.r.check("and right after without", got[0] == "allow", got)
        before = self.w.offset
        self.w.step(2 * 3600)
        got = f.ask("alice", op=f.ACCOUNT, **me)
        self.r.check("two hours later a code is asked", got[0] == "prompt", got)
        time.sleep(1.2)
        self.w.set_clock(before + 60)
        got = f.ask("alice", op=f.ACCOUNT, **me)
        self.r.check("clock set back to the first minute: still asked", got[0] == "prompt", got)
        got = f.ask("alice", self.w.code("alice"), op=f.ACCOUNT, **me)
        self.r.check("and no code is accepted", got[0] != "allow", got)
        self.w.set_clock(before + 2 * 3600)
        self.w.rbacctl("clock", "accept", "--why", "test")

    def disabled(self):
        """Neither a handle nor a remembered proof outlives the factor behind it."""
        me = {"source": "192.0.2.60", "session": 78, "loginuid": 2005}
        f.ask("erin", op=f.OPEN, **me)
        sudo = {"op": f.ACCOUNT, "service": "sudo", "ruser": "erin", "session": 78,
                "loginuid": 2005}
        got = f.ask("erin", self.w.code("erin"), **sudo)
        self.r.check("erin's sudo with a code: allowed", got[0] == "allow", got)
        auth = f.ask("erin", self.w.code("erin"), info=f.KEY, **me)
        self.w.rbacctl("disable", "erin")
        got = f.ask("erin", op=f.ACCOUNT, handle=auth[1], **me)
        self.r.check("disabled between auth and account: refused",
                     (auth[0], got[0]) == ("allow", "forbidden"), (auth, got))
        got = f.ask("erin", **sudo)
        self.r.check("her remembered proof is gone", got[0] == "prompt", got)
        self.w.rbacctl("reset", "erin")
        self.w.enrol("erin")

    def names_in_logs(self):
        """What is typed at a user prompt may be a password."""
        secret = "hunter2-typed-at-the-wrong-prompt"
        f.ask(secret, "123456", source=self.source())
        f.ask(secret, "123456", source=self.source(), info=f.KEY)
        time.sleep(0.3)
        found = [p for p in ("/var/log/rbacd.log", "/var/log/rbacd-dir.log", world.LOGFILE)
                 if secret in self.w.read(p)]
        found += [x["id"] for x in self.w.records() if secret in str(x)]
        self.r.check("an unknown name is in no log", not found, found)

    def revoked(self):
        """A policy that changed while a prompt was open decides, not the one before."""
        c = f.Client(f.PAM)
        nonce, b = f.begin("erin", op=f.ACCOUNT, service="sudo", ruser="erin", loginuid=2005)
        got = c.send(b).result()
        self.r.check("erin's sudo asks for a code", got[0] == "prompt", got)
        self.w.policy(world.POLICY.replace("to: [vmadmins], roles: [operator]",
                                           "to: [vmadmins], roles: [viewer]"), reload=True)
        got = c.send(f.answer(nonce, self.w.code("erin"))).result()
        c.close()
        self.r.check("the role went away meanwhile: refused", got[0] != "allow", got)
        self.w.policy(world.POLICY, reload=True)

    # ---- at random

    def mutate(self, rnd, data):
        data = bytearray(data)
        for _ in range(rnd.choice((0, 0, 1, 1, 2, 5))):
            kind = rnd.randrange(5)
            at = rnd.randrange(len(data)) if data else 0
            if kind == 0 and data:
                data[at] ^= 1 << rnd.randrange(8)
            elif kind == 1:
                del data[at:at + rnd.choice((1, 2, 4, 16))]
            elif kind == 2:
                data[at:at] = bytes(rnd.randrange(256) for _ in range(rnd.choice((1, 4, 30))))
            elif kind == 3 and len(data) > 4:
                data[0:4] = f.u32(rnd.choice((0, 1, 3, 4, 5, len(data), 4092, 4096, 65532, 1 << 31)))
            elif kind == 4 and data:
                data[at] = rnd.choice((0, 255, 127, 128))
        return bytes(data)

    def some_begin(self, rnd, nonce):
        odd = ("alice", "erin", "bob", "root", "nobody", "x", "a" * 255, "-schallenge", "a/b",
               "alice ", "\u00e9", "%n%s", "u%d" % rnd.randrange(50))
        return f.begin(rnd.choice(odd), op=rnd.choice((1, 1, 1, 2, 2, 3, 4, 5, 0, 6)),
                       service=rnd.choice(("sshd", "sshd", "sudo", "su", "login", "cron", "zz")),
                       nonce=nonce, flags=rnd.choice((0, 4, 8, 12, 13, 16, 32)),
                       source=rnd.choice((None, self.source(), "::1", "fe80::1%eth0", "zz")),
                       info=rnd.choice(("", f.KEY, "x" * 2048)), ruser=rnd.choice(("", "alice", "root")),
                       tty=rnd.choice(("", "tty1", "/dev/pts/0")),
                       loginuid=rnd.choice((f.UNSET, 0, 2001)), session=rnd.choice((f.UNSET, 77, 5)),
                       handle=rnd.choice((None, os.urandom(16))),
                       seconds=rnd.choice((30, 30, 30, 0.01, -1)))[1]

    def some_frame(self, rnd, nonce):
        pick = rnd.randrange(10)
        if pick < 5:
            return self.some_begin(rnd, nonce)
        if pick < 8:
            return f.answer(nonce, rnd.choice(("123456", "12345678", "", "A" * 16, "9" * 64)),
                            turn=rnd.choice((1, 1, 1, 0, 2, 1 << 31)), kind=rnd.randrange(7))
        if pick < 9:
            return f.call(rnd.choice(list(ADMIN_CALLS) + ["my-status", "x", "", "-" * 300]),
                          user=rnd.choice(("alice", "", "x" * 1024)), n=str(rnd.random()))
        return f.frame(rnd.randrange(256), f.field(rnd.randrange(110), os.urandom(rnd.randrange(40))),
                       version=rnd.choice((1, 1, 0, 2)), zero=rnd.choice((0, 0, 1)))

    def session_of(self, rnd):
        """One connection and what is done to it. Returns True when it was allowed."""
        path = rnd.choice((f.PAM, f.PAM, f.PAM, f.PAM, f.USER, f.ADMIN, f.DIR))
        nonce, allowed = os.urandom(16), False
        try:
            c = f.Client(path, 2)
        except OSError:
            return False
        try:
            for _ in range(rnd.choice((1, 1, 2, 3, 6))):
                data = b"".join(self.some_frame(rnd, nonce) for _ in range(rnd.choice((1, 1, 2))))
                data = self.mutate(rnd, data) if path != f.ADMIN else self.mutate(
                    rnd, f.call(rnd.choice(("status", "users", "explain", "record", "zz")),
                                user="alice", vm="v", privilege="ssh"))
                at = rnd.randrange(len(data) + 1) if rnd.random() < 0.2 else len(data)
                c.s.sendall(data[:at])
                if rnd.random() < 0.3:
                    time.sleep(rnd.choice((0, 0.001, 0.03, 0.06)))
                if at < len(data):
                    c.s.sendall(data[at:])
                if rnd.random() < 0.4:
                    c.s.settimeout(rnd.choice((0.001, 0.06, 0.12)))
                    got = c.recv()
                    if got is None:
                        break
                    code = got[1].get(50) if got[0] == f.RESULT else None
                    allowed = allowed or code == f.u32(f.ALLOW)
            if rnd.random() < 0.2:
                c.s.shutdown(rnd.choice((socket.SHUT_RD, socket.SHUT_WR)))
        except (OSError, TimeoutError, struct.error):
            pass
        c.close()
        return allowed

    def at_random(self):
        seconds = 300 if self.long else 20
        seed = int(os.environ.get("VMSEC_SEED", "0")) or random.randrange(1 << 32)
        print("        seed %d, %d s" % (seed, seconds), flush=True)
        end, n, bad = time.monotonic() + seconds, [0, 0], []

        def one(i):
            rnd = random.Random(seed + i)
            while time.monotonic() < end and self.alive():
                state = rnd.getstate()
                if self.session_of(rnd):
                    bad.append((i, n[i]))
                n[i] += 1
                del state
        many = [threading.Thread(target=one, args=(i,)) for i in range(2)]
        for t in many:
            t.start()
        for t in many:
            t.join()
        self.stands("%d random connections" % sum(n))
        # Root's own su and batch of local accounts are allowed without a code, rightly.
        rows = [x for x in self.w.records() if x.get("dec") == "allow" and x["ev"] == "auth"
                and x.get("mfa_method") not in ("totp", "not_required", "remembered")]
        self.r.check("nobody got in by it", not rows, rows[:3])

    def second_verifier(self):
        """A5: a program that shares nothing with rbacd says the same of the log."""
        db = sqlite3.connect("file:%s?mode=ro" % self.w.database(), uri=True, timeout=5)
        lines = [bytes(x) for (x,) in db.execute("SELECT line FROM audit ORDER BY seq")]
        db.close()
        tool = ["/usr/bin/python3", "-I", world.TREE + "/tests/lib/verify_audit.py"]

        def verdict(some):
            return subprocess.run(tool, input=b"\n".join(some) + b"\n", timeout=60,
                                  capture_output=True).returncode
        self.r.check("A5 the second verifier: whole (%d records)" % len(lines),
                     verdict(lines) == 0)
        at = len(lines) // 2
        cut = lines[:at] + lines[at + 1:]
        bent = lines[:at] + [lines[at].replace(b'"v":1', b'"v":2', 1)] + lines[at + 1:]
        self.r.check("A5 one record missing, one changed: it says so",
                     (verdict(cut), verdict(bent)) == (1, 1))

    def run(self):
        for part in (self.order, self.handles, self.caps, self.other_people, self.rights,
                     self.second_rbacd, self.strangers, self.slow_reader, self.clock_back,
                     self.disabled, self.names_in_logs, self.revoked, self.directory_hangs,
                     self.at_random):
            try:
                part()
            except Exception as e:  # one part must not hide the others
                self.r.check(part.__name__, False, repr(e) + self.sanitized())
                if not self.alive():
                    self.w.children.pop("rbacd")
                    self.w.children.pop("rbacd-dir").kill()
                    self.w.start()
        self.w.step(3600)  # no budget of the noise is left
        self.w.wait(self.w.answers, 10, "rbacd does not answer")
        got = f.ask("alice", self.w.code("alice"), source=self.source(), info=f.KEY)
        self.r.check("an honest login right after: allowed", got[0] == "allow", got)
        v = self.w.rbacctl("audit", "verify", check=False)
        self.r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
        self.second_verifier()
        self.w.stop("rbacd")
        text = self.sanitized()
        self.r.check("the sanitizers found nothing", not text, text)
        self.r.end()


def main():
    world.enter()
    words = [x for x in sys.argv[1:] if x != "long"]
    Abuse(words[0] if words else "asan", "long" in sys.argv[1:]).run()


main()
