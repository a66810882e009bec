#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The master key is rotated, and rbacd or rbacctl killed at every step of it.

strace kills the n-th call of one kind, for every n until a rotation no longer reaches it.
After each: rbacd starts with the old key or the new one, everybody's seed opens, a login
works, the log verifies, and running the command again ends the rotation. Then the database
is moved away from its key, with what a thief would change in it.

usage: rotate.py [VARIANT] [long]
"""
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import benchworld  # noqa: E402
import tracing  # noqa: E402
import world  # noqa: E402

SOCKET = "/run/rbacd/pam/pam.sock"
KEY = "/etc/rbacd/master.key"
DAEMON = ("pwrite64", "fdatasync", "sendto", "recvfrom")
TOOL = ("write", "fsync", "rename", "unlink", "openat", "sendto", "recvfrom", "close")
MOST = 400
PEOPLE = 32


class Rotate:
    def __init__(self, variant, long):
        self.long = long
        self.r = world.Report("rotate")
        self.w = benchworld.BenchWorld(variant, people=PEOPLE).make()
        self.login, _ = self.w.some("fresh", 1)[0]
        self.people = benchworld.DISK + "/fresh"
        self.killed = 0

    def quiet(self, what, ok, detail=""):
        """Failures only: the sweeps say how many there were."""
        if ok:
            self.r.passed += 1
        else:
            self.r.check(what, ok, detail)

    def log_in(self):
        """With a code of a step of its own."""
        now = int(self.w.now())
        self.w.set_clock(self.w.offset + (now // 30 + 1) * 30 + 2 - now)
        text = world.run(self.w.build + "/tests/faults/probe", "login", SOCKET, self.people,
                         self.login, str(int(self.w.now()))).stdout
        return [line.split()[1] for line in text.splitlines()]

    def rotate(self, *prefix):
        return world.run(*prefix, world.LOCAL_SBIN + "/rbacctl", "key", "rotate",
                         "--why", "test", check=False)

    def status(self):
        r = self.w.rbacctl("--json", "key", "status", check=False)
        find = lambda name: (re.search(r'"%s": "?([0-9a-f]+)' % name, r.stdout) or
                             (None, None))[1]
        return r.returncode, {k: find(k) for k in ("key", "file", "next", "old", "factors",
                                                   "unreadable")}

    def restart(self):
        for name in ("rbacd", "rbacd-dir"):
            p = self.w.children.pop(name)
            p.kill()
            p.wait(10)
        self.w.start()

    def whole(self, what):
        """The promises; then the rotation is ended, and they hold again."""
        for when in ("", ", ended"):
            rc, s = self.status()
            self.quiet(what + when + ": every seed opens", s["factors"] == str(PEOPLE) and
                       s["unreadable"] == "0", s)
            self.quiet(what + when + ": the key in use is in a file", s["key"] and s["key"]
                       in (s["file"], s["next"]), s)
            if when:
                self.quiet(what + when + ": nothing is left to do", rc == 0, s)
            elif s["next"] or rc != 0:
                r = self.rotate()
                self.quiet(what + ": it can be ended", r.returncode == 0, r)
            got = self.log_in()
            self.quiet(what + when + ": a login works", got == ["allow", "allow"], got)
        v = self.w.rbacctl("audit", "verify", check=False)
        self.quiet(what + ": the log verifies", v.returncode == 0, v.stdout + v.stderr)
        if os.path.exists(KEY + ".old"):
            os.unlink(KEY + ".old")

    def undisturbed(self):
        before = self.status()[1]["key"]
        old = self.w.read(KEY).strip()
        began = time.monotonic()
        r = self.rotate()
        took = time.monotonic() - began
        rc, s = self.status()
        self.r.check("K7 a rotation: another key counts, the old one is kept (%.2f s)" % took,
                     r.returncode == 0 and rc == 0 and s["key"] != before and
                     s["old"] == before and s["file"] == s["key"], (r, s))
        r = self.rotate()
        self.r.check("no second one while FILE.old is there", r.returncode == 1 and
                     ".old" in r.stderr, r)
        self.r.check("it is recorded", self.w.last("admin.key").get("object") ==
                     "%s to %s" % (before, s["key"]), self.w.last("admin.key"))
        self.restart()
        self.whole("after a restart")
        new = self.w.read(KEY).strip()
        for path in [world.LOGFILE, "/var/log/rbacd.log"] + [
                "/var/lib/rbacd/" + n for n in os.listdir("/var/lib/rbacd")]:
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    text = f.read()
                found = [k for k in (old, new) if k.encode() in text or
                         bytes.fromhex(k) in text]
                self.quiet("no key in " + path, not found)

    def online(self, seconds):
        """Nobody is refused while the key changes again and again."""
        rows, n = [], 0
        t = threading.Thread(target=lambda: rows.extend(self.w.load(
            "account", 16, 1000 * seconds, SOCKET, benchworld.DISK + "/held")))
        t.start()
        while t.is_alive():
            n += self.rotate().returncode == 0
            os.unlink(KEY + ".old")
        t.join()
        r = rows[0]
        self.r.check("K7 %d rotations, %d decisions meanwhile, %d refused, %d failed" % (
            n, r["answered"], r["refused"], r["failed"]), n > 2 and r["answered"] > 100 and
            r["refused"] + r["failed"] == 0)

    def daemon(self, call, n):
        """rbacd killed. False: it was not reached."""
        tracer = tracing.inject(self.w, self.w.children["rbacd"].pid, call, "signal=KILL", n)
        r = self.rotate()
        tracing.release(tracer)
        hit = tracing.was_hit(self.w)
        self.quiet("%s at %d was hit, or it went well" % (call, n), hit or
                   r.returncode == 0, (r, self.w.read(tracing.OUTPUT)))
        self.restart()
        self.whole("rbacd killed in %s at %d" % (call, n))
        return hit

    def tool(self, call, n):
        """rbacctl killed, and rbacd right after it."""
        self.rotate(*tracing.fault(call, "signal=KILL", n))
        hit = tracing.was_hit(self.w)
        self.restart()
        self.whole("rbacctl killed in %s at %d" % (call, n))
        return hit

    def sweep(self, who, one, calls):
        for call in calls:
            n = 1
            while n <= MOST and one(call, n):
                n += 1
                self.killed += 1
            self.r.check("%s killed in %s at %d places" % (who, call, n - 1), n <= MOST)

    # ---- a database without its key

    def refused(self, what, words):
        """rbacd does not start, and says so."""
        p = subprocess.run([world.LOCAL_SBIN + "/rbacd", "--config", "/etc/rbacd/rbacd.yaml"],
                           capture_output=True, text=True, timeout=30,
                           env=dict(os.environ, **self.w.shimmed()))
        self.r.check(what, p.returncode == 1 and all(x in p.stderr for x in words), p)

    def stop(self):
        for name in ("rbacd", "rbacd-dir"):
            self.w.stop(name)

    def sql(self, *statements):
        db = sqlite3.connect(self.w.database())
        for s in statements:
            db.execute(s)
        db.commit()
        db.close()
        uid = world.SERVICE_USERS["rbacd"]
        for name in os.listdir("/var/lib/rbacd"):
            os.chown("/var/lib/rbacd/" + name, uid, uid)

    def moved(self):
        ours = self.status()[1]["key"]
        self.stop()
        os.rename(KEY, KEY + ".kept")
        self.refused("K1 no key: rbacd does not start", ["master key"])
        world.write(KEY, os.urandom(32).hex() + "\n", 0o400)
        self.refused("K1 another machine's key: refused, and the wanted one is named",
                     ["sealed under master key " + ours])
        self.sql("DELETE FROM meta WHERE name IN ('key-id', 'lookup-key')")
        self.refused("K1 without the key's id: the log's head is not ours", ["altered"])
        self.sql(*["DELETE FROM " + t for t in ("head", "audit", "checkpoint", "meta")])
        for name in os.listdir("/var/lib/rbacd"):
            if not name.startswith("rbacd.db"):
                world.run("rm", "-r", "/var/lib/rbacd/" + name)
        self.w.start()
        got = self.log_in()
        self.r.check("K1 without log and id: it starts, and no seed opens",
                     got == ["refused"] and self.w.last("auth").get("reason") == "internal",
                     (got, self.w.last("auth")))

    def run(self):
        self.w.start()
        self.r.check("a login before", self.log_in() == ["allow", "allow"])
        self.undisturbed()
        self.online(10 if self.long else 1)
        self.sweep("rbacd", self.daemon, DAEMON)
        self.sweep("rbacctl", self.tool, TOOL if self.long else TOOL[:3])
        print("killed %d times" % self.killed)
        self.moved()
        self.r.end()


def main():
    world.enter()
    words = sys.argv[1:]
    variant = words[0] if words and words[0] != "long" else "release"
    Rotate(variant, "long" in words).run()


main()
