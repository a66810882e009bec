#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Policy and people are swapped while 64 clients ask: every record is of one generation.

Two policies allow the same people by rules of different names. A decision made half with
one and half with the other would show a rule beside the other policy's hash.

usage: swap.py [VARIANT] [long]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import benchworld  # noqa: E402
import world  # noqa: E402

SOCKET = "/run/rbacd/pam/pam.sock"


def main():
    world.enter()
    words = sys.argv[1:]
    seconds = 60 if "long" in words else 5
    variant = words[0] if words and words[0] != "long" else "release"
    r = world.Report("swap")
    w = benchworld.BenchWorld(variant, people=256).make()
    w.start()
    held = benchworld.DISK + "/held"
    quiet = w.load("account", 64, 1000 * seconds, SOCKET, held)[0]
    after = len(w.records())
    swapper = benchworld.Swapper(w, 1)
    swapper.start()
    loud = w.load("account", 64, 1000 * seconds, SOCKET, held)[0]
    swapper.end()
    r.check("%d reloads, none refused" % swapper.n, swapper.n >= 3 and not swapper.failed,
            swapper.failed)
    r.check("64 clients: %d allowed, %d refused, %d failed"
            % (loud["answered"], loud["refused"], loud["failed"]),
            loud["answered"] > 1000 and loud["refused"] + loud["failed"] == 0)
    print("        p99 %.0f -> %.0f us (x %.2f)"
          % (quiet["p99"], loud["p99"], loud["p99"] / quiet["p99"]))
    rows = [x for x in w.records(after) if x["ev"] == "account"]
    pairs = {(x["policy_sha"], x["rule"]) for x in rows}
    r.check("%d records of %d policies, each rule beside its own policy: %s"
            % (len(rows), len({p[0] for p in pairs}), sorted(p[1] for p in pairs)),
            len(pairs) == 2 and len({p[0] for p in pairs}) == 2, pairs)
    v = w.rbacctl("audit", "verify", check=False)
    r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
    r.end()


main()
