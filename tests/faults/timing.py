#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The time of a refusal at the module tells nobody who exists and who is enrolled.

The short run prints the figures; only the long one judges them, since a t of few samples
proves nothing and a busy machine must not fail a build.

usage: timing.py [VARIANT] [long]
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import benchworld  # noqa: E402
import world  # noqa: E402

LIMIT = 4.5
KEY = ("sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAABAgMEBQYHCAkKCwwN"
       "Dg8QERITFBUWFxgZGhscHR4fAAAABHNzaDo=\n")


def enrol(w, user, *options):
    uri = w.rbacctl("--json", "enrol", user, *options).stdout
    seed = re.search("secret=([A-Z2-7]+)", uri).group(1)
    code = world.run("oathtool", "--hotp" if "hotp" in options else "--totp=sha512", "--base32",
                     seed).stdout
    w.rbacctl("enrol", user, "--confirm", input=code)


def kinds(w):
    """One person of each kind of factor; the first has the usual phone."""
    wrong, token, many, key, off = [p[0] for p in w.some("fresh", 5)]
    for user in (token, key):
        w.rbacctl("reset", user)
    enrol(w, token, "--kind", "hotp")
    for i in range(7):
        enrol(w, many, "--name", "f%d" % i, "--algorithm", "sha512")
    world.write("/root/sk.pub", KEY)
    w.rbacctl("enrol", key, "--security-key", "/root/sk.pub")
    w.rbacctl("disable", off)
    return {"wrong": wrong, "token": token, "eight": many, "key": key, "disabled": off}


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
    classes = {"unknown": "nosuchuser", "unenrolled": "unenrolled", **kinds(w)}
    text = world.run(w.build + "/tests/faults/timing", benchworld.CONF,
                     "10000" if long else "100", "16",
                     *["%s=%s" % c for c in classes.items()], timeout=3000).stdout
    print(text, end="")
    for line in text.splitlines():
        word = line.split()
        if word[0] == "welch":
            t = max(abs(float(word[3])), abs(float(word[4])))
            r.check("%s and %s: |t| = %.2f%s" % (word[1], word[2], t, "" if long else
                                               " (not judged)"), not long or t < LIMIT, line)
    near = dict(x.split()[1:] for x in world.run(
        w.build + "/tests/faults/compare", "500000" if long else "5000").stdout.splitlines())
    print("compare %s" % near)
    for what in ("otp_check", "memcmp"):
        r.check("%s, five right digits of six or none: |t| = %s%s" % (
            what, near[what], "" if long else " (not judged)"),
                not long or abs(float(near[what])) < LIMIT, near)
    r.check("a comparison that stops early is seen: |t| = %s" % near["control"],
            abs(float(near["control"])) > LIMIT, near)
    refused = {x.get("reason") for x in w.records() if x.get("ev") == "auth"}
    r.check("all were really refused, for their own reasons: %s" % sorted(refused),
            len(refused) >= 4, refused)
    r.check("nothing was allowed", not [x for x in w.records() if x.get("dec") == "allow"])
    r.end()


main()
