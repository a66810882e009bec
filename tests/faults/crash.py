#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""rbacd is killed, or a call of its fails, at every step of an accepted login.

strace injects the fault into the n-th call of one kind, for every n until a login no longer
reaches it. After each: every ALLOW that the client saw is in the log under its id, the log
verifies, a code that was recorded as accepted is not accepted again, and one that was not
recorded still is.

usage: crash.py [VARIANT] [long]
"""
import os
import signal
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
KILLED = ("pwrite64", "fdatasync", "fsync", "write", "sendto", "sendmsg", "ftruncate",
          "rename", "unlink", "recvfrom", "accept4", "close")
BROKEN = (("EIO", ("pwrite64", "fdatasync", "fsync", "ftruncate")),
          ("ENOSPC", ("pwrite64", "fdatasync", "ftruncate")))
STARTING = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
UNREACHABLE = 4  # exit status of rbacctl
MOST = 60  # calls of one kind in one login; more would mean that the count is wrong


class Crash:
    def __init__(self, variant, long):
        self.long = long
        self.r = world.Report("crash")
        self.w = benchworld.BenchWorld(variant, people=64).make()
        self.slowest, self.seen = 0.0, {}
        self.login, _ = self.w.some("fresh", 1)[0]
        self.people = benchworld.DISK + "/fresh"

    # ---- one try

    def probe(self, *argv, seconds=30):
        text = world.run(self.w.build + "/tests/faults/probe", *argv, timeout=seconds).stdout
        return [line.split() for line in text.splitlines()]

    def log_in(self):
        return self.probe("login", SOCKET, self.people, self.login, str(int(self.w.now())))

    def next_step(self):
        """Into a step of its own, with room to use its code twice."""
        now = int(self.w.now())
        self.w.set_clock(self.w.offset + (now // 30 + 1) * 30 + 2 - now)

    def allowed(self, after):
        return [x for x in self.w.records(after) if x.get("dec") == "allow"]

    def ended(self, told):
        """Did rbacd leave? Where a client lost its connection it may still be leaving."""
        p = self.w.children["rbacd"]
        end = time.monotonic() + (3 if any(x[1] == "lost" for x in told) else 0.1)
        while p.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        return p.poll() is not None

    def restart(self):
        """Back to answering; the time that takes is what people wait."""
        for name in ("rbacd", "rbacd-dir"):
            p = self.w.children.pop(name, None)
            if p and p.poll() is None:
                p.kill()
            if p:
                p.wait(10)
        begun = time.monotonic()
        self.w.start()
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def check(self, what, told, after, died):
        """The promises, after rbacd is back."""
        rows = self.allowed(after)
        ids = {x["id"] for x in rows}
        saw = [x[2] for x in told if x[1] == "allow"]
        good = self.r.check if self.long else self.quiet
        good("%s: each ALLOW seen is in the log" % what, set(saw) <= ids, (told, rows))
        v = self.w.rbacctl("audit", "verify", check=False)
        good("%s: the log verifies" % what, v.returncode == 0, v.stdout + v.stderr)
        recorded = any(x["ev"] == "auth" for x in rows)
        again = self.log_in()
        taken = bool(again) and again[0][:2] == ["auth", "allow"]
        good("%s: the code is %s" % (what, "spent" if recorded else "still good"),
             taken != recorded, (told, again, rows))
        self.seen.setdefault(died, 0)
        self.seen[died] += 1

    def quiet(self, what, ok, detail):
        """Short runs print failures only."""
        if ok:
            self.r.passed += 1
        else:
            self.r.check(what, ok, detail)

    def one(self, call, what, n):
        """Returns False when the login no longer reaches the n-th call."""
        self.next_step()
        after = len(self.w.records())
        tracer = tracing.inject(self.w, self.w.children["rbacd"].pid, call, what, n)
        told = self.log_in()
        died = self.ended(told)
        tracing.release(tracer)
        hit = tracing.was_hit(self.w)
        if died:
            self.restart()
        self.check("%s %s at %d" % (call, what, n), told, after, died)
        return hit

    def sweep(self, what, calls):
        for call in calls:
            n = 1
            while n <= MOST and self.one(call, what, n):
                n += 1
            self.r.check("%s: %s at %d places of a login" % (what, call, n - 1), n <= MOST)

    # ---- while it recovers

    def start_killed(self, call, n):
        """Start after a kill, killed again at the @n-th call. False: it came up unhurt."""
        w = self.w
        for name in ("rbacd", "rbacd-dir"):
            p = w.children.pop(name)
            p.kill()
            p.wait(10)
        # -D: rbacd is our child, not strace's, so that its end is waited for.
        argv = ["strace", "-D"] + tracing.fault(call, "signal=KILL", n)[1:] + [
                world.LOCAL_SBIN + "/rbacd", "--config", "/etc/rbacd/rbacd.yaml"]
        p = subprocess.Popen(argv, env=dict(os.environ, **w.shimmed()),
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
        w.wait(lambda: p.poll() is not None or w.rbacctl("status", check=False).returncode
               != UNREACHABLE, 20, "the start under strace")
        hurt = p.poll() is not None
        if not hurt:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait(10)
        w.start()
        return hurt

    def recovery(self):
        """Killed in the middle of recovering from a kill: nothing that was told is lost."""
        for call in STARTING:
            n = 1
            while n <= MOST:
                self.next_step()
                after = len(self.w.records())
                told = self.log_in()
                if not self.start_killed(call, n):
                    break
                self.check("start killed in %s at %d" % (call, n), told, after, True)
                n += 1
            self.r.check("recovery killed: %s at %d places" % (call, n - 1), n <= MOST)

    # ---- many at once

    def read_on(self):
        """Somebody reads the log all the time, in the middle of each start too."""
        while self.reading:
            try:
                self.w.records(0)
            except sqlite3.OperationalError:
                pass  # a start may keep a reader away; never the other way round

    def crowd(self, trials):
        """Killed at any moment under load: nothing that anybody saw may be missing."""
        saw_all = 0
        self.reading = True
        for _ in range(2):
            threading.Thread(target=self.read_on, daemon=True).start()
        for trial in range(trials):
            self.next_step()
            after = len(self.w.records())
            p = subprocess.Popen([self.w.build + "/tests/faults/probe", "crowd", SOCKET,
                                  self.people, "16", str(int(self.w.now()))],
                                 stdout=subprocess.PIPE, text=True)
            time.sleep(0.02 + 0.013 * trial)
            self.w.children["rbacd"].kill()
            self.w.children["rbacd"].wait(10)
            told = [x.split() for x in p.communicate(timeout=60)[0].splitlines()]
            self.restart()
            ids = {x["id"] for x in self.allowed(after)}
            saw = [x[2] for x in told if x[1] == "allow"]
            saw_all += len(saw)
            self.quiet("crowd %d: each ALLOW seen is in the log" % trial, set(saw) <= ids,
                       sorted(set(saw) - ids)[:5])
        self.reading = False
        v = self.w.rbacctl("audit", "verify", check=False)
        self.r.check("killed %d times under load, %d ALLOWs seen, all in the log"
                     % (trials, saw_all), v.returncode == 0 and saw_all > 0, v.stdout)

    def run(self):
        self.w.start()
        self.r.check("an undisturbed login is allowed",
                     [x[1] for x in self.log_in()] == ["allow", "allow"])
        self.sweep("signal=KILL", KILLED)
        for error, calls in BROKEN:
            self.sweep("error=" + error, calls)
        self.recovery()
        self.crowd(60 if self.long else 10)
        self.r.check("none of it looked like a database that was set back",
                     not [x for x in self.w.records() if x["ev"] == "state.set_back"])
        print("slowest restart: %.2f s; rbacd ended in %d cases, went on in %d"
              % (self.slowest, self.seen.get(True, 0), self.seen.get(False, 0)))
        self.r.check("restarts took at most 5 s", self.slowest < 5, self.slowest)
        self.r.end()


def main():
    world.enter()
    words = sys.argv[1:]
    variant = words[0] if words and words[0] != "long" else "release"
    Crash(variant, "long" in words).run()


main()
