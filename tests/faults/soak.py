#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Very many transactions in one process: descriptors and memory stay where they are.

usage: soak.py [VARIANT] [long]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import benchworld  # noqa: E402
import world  # noqa: E402

SLACK_KIB = 1024


def main():
    world.enter()
    words = sys.argv[1:]
    long = "long" in words
    variant = words[0] if words and words[0] != "long" else "release"
    count = "100000" if long else "10000"
    r = world.Report("soak")
    w = benchworld.BenchWorld(variant, people=64).make()
    w.own_stacks()
    w.start()
    text = world.run(w.build + "/tests/faults/soak", benchworld.CONF, world.CLOCK,
                     benchworld.DISK + "/fresh", count, str(w.children["rbacd"].pid),
                     env=dict(os.environ, **w.shimmed()), timeout=1200).stdout
    print(text, end="")
    for line in text.splitlines():
        _, where, fds0, fds1, kib0, kib1 = line.split()
        r.check("%s transactions, %s: descriptors %s -> %s" % (count, where, fds0, fds1),
                fds0 == fds1, line)
        r.check("%s transactions, %s: %s -> %s KiB resident" % (count, where, kib0, kib1),
                int(kib1) - int(kib0) <= SLACK_KIB, line)
    v = w.rbacctl("audit", "verify", check=False)
    r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
    r.end()


main()
