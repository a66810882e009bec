#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Single use and budgets under parallel logins, through libpam and the built module.

usage: race.py [VARIANT [long]]   long: 62,500 trials of 16 parallel logins with one code
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

N_PEOPLE = 64
CONFDIR = "/etc/race.d"
SEEDS = "/root/seeds"
POLICY = world.POLICY + "  - {id: race, to: [racers], roles: [viewer], vms: [here]}\n"


def make(variant):
    w = world.World(variant).make()
    names = ["racer%02d" % i for i in range(N_PEOPLE)]
    with open("/etc/passwd", "a") as f:
        for i, name in enumerate(names):
            f.write("%s:x:%d:%d::/:/bin/sh\n" % (name, 4000 + i, 4000 + i))
    for name in names:
        w.member("racers", name, True)
    w.install()
    w.policy(POLICY)
    w.start()
    world.write(CONFDIR + "/sshd", "auth requisite pam_vmsec.so\naccount requisite pam_vmsec.so\n")
    for name in names:
        w.enrol(name)
    world.write(SEEDS, "".join("%s %s\n" % (n, w.seeds[n]) for n in names), 0o600)
    w.step(120)
    return w, names


def race(w, mode, trials, parallel, people, seconds):
    """Returns (exit status, accepted, output)."""
    r = subprocess.run([w.build_tests + "/race", CONFDIR, world.CLOCK, SEEDS, mode, str(trials),
                        str(parallel), str(people)], capture_output=True, text=True,
                       timeout=seconds)
    with open(world.CLOCK, "rb") as f:
        w.offset = int.from_bytes(f.read(8), sys.byteorder, signed=True)
    m = re.search(r"accepted (\d+) bad (\d+) seconds", r.stdout)
    print("        " + r.stdout.strip().replace("\n", "\n        "), flush=True)
    return r.returncode, int(m.group(1)) if m else -1, r.stdout + r.stderr


def main():
    world.enter()
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    long = len(sys.argv) > 2 and sys.argv[2] == "long"
    r = world.Report("race")
    w, names = make(variant)

    if long:
        rc, n, out = race(w, "same", 62500, 16, 32, 7200)
        r.check("O1 62,500 trials x 16 parallel, one code: exactly one each",
                rc == 0 and n >= 62500, out)
        r.end()
    rc, n, out = race(w, "same", 300, 64, 1, 300)
    r.check("O1 300 trials x 64 parallel, one code: exactly one each", rc == 0 and n == 300, out)
    accepted = [x for x in w.records() if x["ev"] == "auth" and x.get("dec") == "allow"]
    r.check("A1 each of them has exactly one record", len(accepted) == 300, len(accepted))
    rc, n, out = race(w, "same", 1, 1, 1, 30)
    r.check("O1 the losers have not locked the factor", rc == 0 and n == 1, out)
    rc, n, out = race(w, "people", 20, N_PEOPLE, N_PEOPLE, 120)
    r.check("64 different people at once, 20 times: none refused",
            rc == 0 and n == 20 * N_PEOPLE, out)
    # 5 free failures: the right code wins when it is among the first six, 6 of 64 trials;
    # without a budget it would win in all of them.
    rc, n, out = race(w, "guess", N_PEOPLE, 64, N_PEOPLE, 120)
    r.check("O3 O4 63 wrong and 1 right at once, 64 times: the budget holds (%d accepted)" % n,
            rc == 0 and 0 <= n <= 20, out)
    # The budget is spent now: one answer a delay is looked at.
    rc, n, out = race(w, "guess", N_PEOPLE, 64, N_PEOPLE, 120)
    r.check("O3 O4 the same with the budget at its limit (%d accepted)" % n,
            rc == 0 and 0 <= n <= 9, out)
    v = w.rbacctl("audit", "verify", check=False)
    r.check("A2 audit verify after the races", v.returncode == 0, v)
    r.end()


main()
