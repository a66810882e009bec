#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""rbacd runs out of memory at every allocation of every kind of request.

The n-th allocation fails, once or from there on, for every n until a request no longer
reaches it. rbacd must never crash, every ALLOW that a client saw is in the log under its id,
and an honest login works afterwards. What rbacctl says in good order is the same as ever:
no text has a hole where memory was short for a moment. Then without a library in between: the
kernel gives no more address space (RLIMIT_AS), at several sizes.

usage: memory.py [VARIANT] [long] [KIND...]
"""
import os
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
sys.path.insert(0, HERE)
import frames as f  # noqa: E402
import pam_stock  # noqa: E402
import world  # noqa: E402

PLAN = "/run/test-memory"
MOST = 20000
KINDS = ("login", "wrong", "root", "session", "admin", "reload")
OTHERS = ("limits", "tools")
TOOLS = (("pam", "preview", "sshd"), ("pam", "preview", "--profile", "rules", "sshd"),
         ("policy", "print"))


class LeanWorld(world.World):
    def spawn(self, name, argv, env=None, ready=None, seconds=10):
        if name == "rbacd":
            env = dict(env or {}, VMSEC_FAIL_FILE=PLAN)
            env["LD_PRELOAD"] = env.get("LD_PRELOAD", "") + ":" + self.build_tests + \
                "/failshim.so"
        return super().spawn(name, argv, env, ready, seconds)


class Memory:
    def __init__(self, variant, long, kinds):
        self.long, self.kinds = long, kinds
        self.r = world.Report("memory")
        self.w = LeanWorld(variant).make()
        self.w.install()
        self.plan(0)
        self.w.start()
        self.w.enrol("alice")
        self.ended, self.tries = 0, 0

    @staticmethod
    def plan(at, persistent=False):
        """Arm the shim, or with 0 disarm it. Returns how many allocations failed before."""
        if not os.path.exists(PLAN):
            with open(PLAN, "wb") as out:
                out.write(b"\0" * 24)
        with open(PLAN, "r+b", buffering=0) as plan:
            failed = struct.unpack("=qqq", plan.read(24))[2]
            plan.seek(0)
            plan.write(struct.pack("=qqq", at, persistent, 0))
        return failed

    # ---- requests; each returns the ids of the ALLOWs it saw

    @staticmethod
    def exchange(path, *parts):
        """Send, read to the end; returns the last frame's fields, or {}."""
        last = {}
        try:
            c = f.Client(path, 3)
            for part in parts:
                c.send(part)
                got = c.recv()
                while got and got[0] in (f.ROW, f.INFO):
                    got = c.recv()
                if got is None:
                    break
                last = got[1]
                if got[0] != f.PROMPT:
                    break
            c.close()
        except OSError:
            pass
        return last

    def saw(self, fields):
        return [fields[51].decode()] if fields.get(50) == f.u32(f.ALLOW) and 51 in fields else []

    def login(self):
        nonce, b = f.begin("alice", source="192.0.2.5", info=f.KEY)
        auth = self.exchange(f.PAM, b, f.answer(nonce, self.code))
        _, b = f.begin("alice", op=f.ACCOUNT, source="192.0.2.5", info=f.KEY,
                       handle=auth.get(52))
        return self.saw(auth) + self.saw(self.exchange(f.PAM, b))

    def wrong(self):
        nonce, b = f.begin("bob", source="192.0.2.6", info=f.KEY)
        return self.saw(self.exchange(f.PAM, b, f.answer(nonce, "123456")))

    def root(self):
        _, b = f.begin("root", op=f.ACCOUNT, service="su", ruser="root")
        return self.saw(self.exchange(f.PAM, b))

    def session(self):
        for op in (f.OPEN, f.CLOSE):
            _, b = f.begin("alice", op=op, source="192.0.2.5", session=9, loginuid=2001)
            self.exchange(f.PAM, b)
        return []

    def admin(self):
        for verb, args in (("status", {}), ("users", {}), ("enrol-begin", {"user": "bob"}),
                           ("explain", {"user": "alice", "vm": world.HOST, "privilege": "ssh"}),
                           ("reset", {"user": "bob"})):
            self.exchange(f.ADMIN, f.call(verb, **args))
        return []

    def reload(self):
        self.exchange(f.ADMIN, f.call("reload"))
        return []

    # ---- rbacctl

    def tool(self, argv, at):
        """Its answer when allocation @at fails; None when none did."""
        self.plan(at)
        a = subprocess.run(["rbacctl", *argv], capture_output=True, timeout=60, env=dict(
            os.environ, VMSEC_FAIL_FILE=PLAN, LD_PRELOAD=self.w.build_tests + "/failshim.so"))
        return (a.returncode, a.stdout) if self.plan(0) > 0 or at == 0 else None

    def tools(self):
        # Their rbacd must not meet the same plan.
        for name in ("rbacd", "rbacd-dir"):
            self.w.stop(name)
        for name, text in pam_stock.STOCK.items():
            self.w.pam(name, text)
        for argv in TOOLS:
            right, n, tried, wrong = self.tool(argv, 0), 1, 0, []
            while (got := self.tool(argv, n)):
                tried += 1
                if got[0] == right[0] and got[1] != right[1]:
                    wrong.append(n)
                n += 1 if self.long or n < 20 else 1 + n // 12
            self.r.check("rbacctl %s: whole or an error, %d places" % (" ".join(argv), tried),
                         tried > 20 and not wrong, (right, wrong[:20]))
        self.w.start()

    # ---- the sweep

    def back(self, what):
        """rbacd may have left in good order; a signal is a crash."""
        p = self.w.children["rbacd"]
        end = time.monotonic() + 0.05
        while p.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        if p.poll() is None:
            return True
        good = p.returncode > 0
        if not good:
            self.r.check(what + ": rbacd does not crash", False,
                         self.w.read("/var/log/rbacd.log")[-1500:])
        self.ended += 1
        self.w.children.pop("rbacd")
        self.w.children.pop("rbacd-dir").kill()
        self.w.start()
        return good

    def one(self, name, n, persistent):
        """False when the request no longer reaches the n-th allocation."""
        if name == "login":
            self.code = self.w.code("alice")
        after = len(self.w.records())
        self.plan(n, persistent)
        ids = getattr(self, name)()
        failed = self.plan(0)
        self.tries += 1
        what = "%s, allocation %d%s" % (name, n, " and all after it" if persistent else "")
        good = self.back(what)
        known = {x["id"] for x in self.w.records(after) if x.get("dec") == "allow"}
        if not set(ids) <= known:
            self.r.check(what + ": each ALLOW seen is in the log", False, (ids, known))
        return failed > 0 and good

    def limits(self):
        """All kinds of requests under a limit of the kernel's, from none more on."""
        tried, ended = self.tries, self.ended
        for room in (0, 4, 16, 64, 256, 1024, 4096) if self.long else (0, 16, 256):
            for name in KINDS:
                self.limit(room * 1024)
                self.one(name, 0, False)
                if "rbacd" in self.w.children:
                    self.limit(None)
        refused = self.w.read("/var/log/rbacd.log").count("a turn was given up (-12)")
        self.r.check("address space ended under %d requests: %d turns given up; rbacd left %d "
                     "times" % (self.tries - tried, refused, self.ended - ended), refused > 0)

    def limit(self, room):
        """As much as it has and @room bytes; None: no limit."""
        pid = self.w.children["rbacd"].pid
        size = int(self.w.read("/proc/%d/statm" % pid).split()[0]) * os.sysconf("SC_PAGESIZE")
        uid = str(world.SERVICE_USERS["rbacd"])  # another's limits are not even root's everywhere
        world.run("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "prlimit", "--pid",
                  str(pid), "--as=%s:" % ("unlimited" if room is None else size + room))

    def sweep(self, name):
        for persistent in (False, True):
            n, places, ended = 1, 0, self.ended
            while n <= MOST and self.one(name, n, persistent):
                places += 1
                n += 1 if self.long or n < 60 else 1 + n // 12
            self.r.check("%s: memory ended at %d places%s; rbacd left %d times" % (
                name, places, ", and stayed away" if persistent else "",
                self.ended - ended), places > 3, places)

    def run(self):
        self.code = self.w.code("alice")
        self.r.check("an undisturbed login is allowed", len(self.login()) == 2)
        for name in self.kinds or KINDS + OTHERS:
            begun = time.monotonic()
            getattr(self, name)() if name in OTHERS else self.sweep(name)
            print("        %s: %.0f s" % (name, time.monotonic() - begun), flush=True)
        self.w.wait(self.w.answers, 10, "rbacd does not answer")
        self.code = self.w.code("alice")
        self.r.check("afterwards an honest login is allowed", len(self.login()) == 2)
        v = self.w.rbacctl("audit", "verify", check=False)
        self.r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
        print("        %d requests" % self.tries)
        self.r.end()


def main():
    world.enter()
    kinds = [x for x in sys.argv[1:] if x in KINDS + OTHERS]
    words = [x for x in sys.argv[1:] if x != "long" and x not in kinds]
    Memory(words[0] if words else "release", "long" in sys.argv[1:], kinds).run()


main()
