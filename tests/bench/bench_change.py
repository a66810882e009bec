#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Logins while 100 people change their passwords, beside the same logins alone.

usage: bench_change.py [VARIANT]
"""
import json
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import benchworld  # noqa: E402
import world  # noqa: E402

RULES = "password: {preset: pci-dss-4, history: 24}\n"
SOCKET = "/run/rbacd/pam/pam.sock"
CHANGERS, ROUNDS, MS = 100, 7, 3000


class Change:
    def __init__(self, variant):
        self.w = w = benchworld.BenchWorld(variant, people=600).make()
        w.policy(benchworld.POLICY + RULES)
        w.start()
        world.write("/root/words", "password\n")
        w.rbacctl("blocklist", "build", "/root/words")
        for kind, n in (("held", 16), ("fresh", CHANGERS)):
            with open("%s/some-%s" % (benchworld.DISK, kind), "w") as out:
                out.writelines(" ".join(x) + "\n" for x in w.some(kind, n))

    def logins(self):
        return self.w.load("account", 4, MS, SOCKET, benchworld.DISK + "/some-held")[0]

    def changers(self):
        return subprocess.Popen([self.w.tool("bench_load"), "change", str(CHANGERS),
                                 str(MS + 2500), SOCKET, world.CLOCK,
                                 benchworld.DISK + "/some-fresh"],
                                stdout=subprocess.PIPE, text=True)

    def checked(self):
        status = self.w.rbacctl("--json", "status", check=False).stdout
        return json.loads(status)["passwords"]["checked"]

    def run(self):
        alone, beside, changes = [], [], []
        for _ in range(ROUNDS):
            alone.append(self.logins())
            before, p = self.checked(), self.changers()
            self.w.wait(lambda: self.checked() > before, 10, "no password was checked")
            beside.append(self.logins())
            words = p.communicate(timeout=60)[0].split()
            changes.append(dict(zip(("per_s", "p50", "p99", "answered", "refused", "failed"),
                                    map(float, words[3:]))))
        print("changes: %.0f a second, %.0f ms median, %d good, %d refused, %d failed" % (
            statistics.median(c["per_s"] for c in changes),
            statistics.median(c["p50"] for c in changes) / 1000,
            sum(c["answered"] for c in changes), sum(c["refused"] for c in changes),
            sum(c["failed"] for c in changes)))
        for key in ("p50", "p99"):
            a, b = [[x[key] for x in rows] for rows in (alone, beside)]
            print("logins %s: alone %.0f us, beside %d changes %.0f us, ratio %.2f" % (
                key, statistics.median(a), CHANGERS, statistics.median(b),
                statistics.median(y / x for x, y in zip(a, b))))
        print("logins refused or failed: %d" % sum(x["refused"] + x["failed"]
                                                  for x in alone + beside))


if __name__ == "__main__":
    world.enter()
    Change(sys.argv[1] if len(sys.argv) > 1 else "release").run()
