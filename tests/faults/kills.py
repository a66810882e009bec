#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""kill -9 by the thousand, at any moment, under logins with codes.

Sixteen clients log in with a code and then ask on; rbacd (one time in eight rbacd-dir with
it) is killed at a random moment and started again on the same sockets. Every client writes
down what it saw. Then as many crowds are killed themselves. Afterwards the histories are held
against the log by histories.py, and no slot of a client that is gone stays taken.

usage: kills.py [VARIANT] [KILLS | long]
"""
import collections
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import histories  # noqa: E402
from restart import Supervised, benchworld, world  # noqa: E402

SOCKET = "/run/rbacd/pam/pam.sock"
BATCH = 250  # kills between two looks at the log
CLIENTS = 16


class Kills:
    def __init__(self, w, r, seed):
        self.w, self.r, self.chance = w, r, random.Random(seed)
        self.n = collections.Counter()
        self.slowest = 0.0
        self.people = benchworld.DISK + "/fresh"

    def next_step(self):
        now = int(self.w.now())
        self.w.set_clock(self.w.offset + (now // 30 + 1) * 30 + 2 - now)

    def crowd(self):
        return subprocess.Popen([self.w.build + "/tests/faults/probe", "crowd", SOCKET,
                                 self.people, str(CLIENTS), str(int(self.w.now()))],
                                stdout=subprocess.PIPE, text=True, start_new_session=True)

    def one(self):
        """What one crowd saw."""
        self.next_step()
        p = self.crowd()
        time.sleep(self.chance.random() * 0.12)
        with_dir = self.chance.random() < 0.125
        if with_dir:
            group = self.w.children["rbacd-dir"].pid
            self.w.stop("rbacd-dir", signal.SIGKILL)
            reap(group)
            self.n["rbacd-dir"] += 1
        self.w.stop("rbacd", signal.SIGKILL)
        self.n["rbacd"] += 1
        begun = time.monotonic()
        self.w.launch()
        if with_dir:
            self.w.spawn("rbacd-dir", ["rbacd-dir"])
        told = histories.read(p.communicate(timeout=60)[0])
        reap(p.pid)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.n.update(x.verdict for x in told)
        return told

    def clients(self):
        """The other end goes: LoginGraceTime, a broken line. Returns nothing: nobody is left
        who saw anything."""
        self.next_step()
        p = self.crowd()
        time.sleep(self.chance.random() * 0.06)
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate(timeout=60)
        reap(p.pid)
        self.idle()  # else the clock moves between a decision and the time of its record
        self.n["clients"] += CLIENTS

    def idle(self):
        self.w.wait(lambda: self.pending() == 0, 10, "a slot is stuck")

    def pending(self):
        rows = json.loads(self.w.rbacctl("status", "--json", check=False).stdout)
        return rows["connections"]["pam"]

    def batch(self, n, seq):
        saw = [x for _ in range(n) for x in self.one()]
        self.w.wait(self.w.answers, 15, "not ready")
        for _ in range(n):
            self.clients()
        self.idle()
        self.r.passed += 1
        mine = [x for x in os.listdir("/proc") if x.isdigit()]
        self.quiet("nothing is left behind", len(mine) < 50, len(mine))
        raw = histories.lines(self.w.database(), seq)
        histories.check(self.r, "%d kills" % n, saw, raw)
        v = self.w.rbacctl("audit", "verify", check=False, timeout=300)
        self.quiet("A2 the log verifies", v.returncode == 0, v.stdout + v.stderr)
        self.n["records"] += len(raw)
        return seq + len(raw)

    def quiet(self, what, ok, detail):
        if ok:
            self.r.passed += 1
        else:
            self.r.check(what, ok, detail)


def reap(group):
    """Orphans come to us, who do not end: each waits to be collected."""
    try:
        while True:
            os.waitpid(-group, 0)
    except ChildProcessError:
        pass


def main():
    world.enter()
    words = sys.argv[1:]
    numbers = [int(x) for x in words if x.isdigit()]
    kills = numbers[0] if numbers else 10000 if "long" in words else 15
    variant = next((x for x in words if not x.isdigit() and x != "long"), "release")
    seed = int.from_bytes(os.urandom(4), "big")
    r = world.Report("kills")
    w = Supervised(variant, people=128).make()
    w.start()
    k = Kills(w, r, seed)
    seq = w.records()[-1]["seq"]
    while k.n["rbacd"] < kills:
        seq = k.batch(min(BATCH, kills - k.n["rbacd"]), seq)
        if kills > BATCH:
            print("        ", dict(k.n), flush=True)
    print("        seed %d, %s, slowest crowd %.2f s after a kill" % (seed, dict(k.n), k.slowest))
    r.check("%d kills of rbacd, %d of rbacd-dir: %d ALLOWs seen" % (
        k.n["rbacd"], k.n["rbacd-dir"], k.n["allow"]), k.n["allow"] > kills, k.n)
    r.end()


if __name__ == "__main__":
    main()
