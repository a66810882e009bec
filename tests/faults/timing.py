#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The time of a refusal at the module tells nobody who exists and who is enrolled.

The short run prints the figures; only the long one judges them, since a t of few samples
proves nothing and a busy machine must not fail a build.

usage: timing.py [VARIANT] [long]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import benchworld  # noqa: E402
import world  # noqa: E402

LIMIT = 4.5


def main():
    world.enter()
    words = sys.argv[1:]
    long = "long" in words
    variant = words[0] if words and words[0] != "long" else "release"
    r = world.Report("timing")
    w = benchworld.BenchWorld(variant, people=64).make()
    with open("/etc/rbacd/people.yaml", "a") as f:
        f.write("  - {login: unenrolled, id: 'bench:unenrolled', uid: 90000, "
                "groups: [fresh]}\n")
    w.own_stacks()
    w.start()
    wrong = w.some("fresh", 1)[0][0]
    text = world.run(w.build + "/tests/faults/timing", benchworld.CONF,
                     "10000" if long else "200", "16" if long else "8", "unknown=nosuchuser",
                     "unenrolled=unenrolled", "wrong=" + wrong, timeout=3000).stdout
    print(text, end="")
    for line in text.splitlines():
        word = line.split()
        if word[0] == "welch":
            t = max(abs(float(word[3])), abs(float(word[4])))
            r.check("%s and %s: |t| = %.2f%s" % (word[1], word[2], t, "" if long else
                                               " (not judged)"), not long or t < LIMIT, line)
    refused = {x.get("reason") for x in w.records() if x.get("ev") == "auth"}
    r.check("all three were really refused, for their own reasons: %s" % sorted(refused),
            len(refused) >= 3, refused)
    r.check("nothing was allowed", not [x for x in w.records() if x.get("dec") == "allow"])
    r.end()


main()
