#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Single use and budgets under parallel logins, through libpam and the built module.

usage: race.py [VARIANT [long]]
long: 62,500 trials of 16 parallel logins with one code, half of them across two factors of
one person, and the same asked of other modules, whose figures are printed.
"""
import base64
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

N_PEOPLE = 64
N_TWO = 16  # of them have a second factor
CONFDIR = "/etc/race.d"
SEEDS = "/root/seeds"
BOTH = "/root/seeds-both"
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
    for name in names[:N_TWO]:  # a phone and a tablet
        second(w, name)
    world.write(SEEDS, "".join("%s %s\n" % (n, w.seeds[n]) for n in names), 0o600)
    world.write(BOTH, "".join("%s %s\n" % (n, w.seeds[s]) for n in names[:N_TWO]
                              for s in (n, n + "/tablet")), 0o600)
    w.step(120)
    return w, names


def second(w, name):
    tablet = name + "/tablet"
    out = w.rbacctl("--json", "enrol", name, "--name", "tablet").stdout
    w.seeds[tablet] = re.search(r"[?&]secret=([A-Z2-7]+)", out).group(1)
    w.rbacctl("enrol", name, "--confirm", input=w.code(tablet) + "\n")


def race(w, mode, trials, parallel, people, seconds, seeds=SEEDS, confdir=CONFDIR, env=None):
    """Returns (exit status, accepted, output)."""
    r = subprocess.run([w.build_tests + "/race", confdir, world.CLOCK, seeds, mode, str(trials),
                        str(parallel), str(people)], capture_output=True, text=True,
                       timeout=seconds, env=dict(os.environ, **(env or {})))
    with open(world.CLOCK, "rb") as f:
        w.offset = int.from_bytes(f.read(8), sys.byteorder, signed=True)
    m = re.search(r"accepted (\d+) bad (\d+) seconds", r.stdout)
    print("        " + r.stdout.strip().replace("\n", "\n        "), flush=True)
    return r.returncode, int(m.group(1)) if m else -1, r.stdout + r.stderr


def others(w, trials):
    """What other modules of Debian answer to the same: each code is good for one login."""
    env = {"LD_PRELOAD": w.build_tests + "/clockshim.so", "VMSEC_CLOCK_FILE": world.CLOCK}
    os.makedirs("/root/google", exist_ok=True)
    with open(SEEDS) as f:
        people = [line.split() for line in f][:4]
    for login, seed in people:
        world.write("/root/google/" + login, '%s\n" WINDOW_SIZE 3\n" DISALLOW_REUSE\n" TOTP_AUTH\n'
                    % seed, 0o400)
    world.write("/root/oath", "".join("HOTP/T30 %s - %s\n" % (login, base64.b32decode(seed).hex())
                                      for login, seed in people), 0o600)
    for name, line in (
            ("google_authenticator", "pam_google_authenticator.so secret=/root/google/${USER} user=root "
             "allowed_perm=0400 no_strict_owner"),
            ("oath", "pam_oath.so usersfile=/root/oath window=5 digits=6")):
        if not os.path.exists("%s/pam_%s.so" % (world.Cover.pam_folder(), name)):
            print("race: SKIP pam_%s.so is not installed" % name)
            continue
        folder = "/etc/race-%s.d" % name
        os.makedirs(folder, exist_ok=True)
        world.write(folder + "/sshd", "auth required %s\naccount required pam_permit.so\n" % line)
        _, n, out = race(w, "count", trials, 16, 4, 600, confdir=folder, env=env)
        most = re.search(r"most (\d+)", out)
        print("peer    pam_%s: %d codes, %d logins, at most %s with one code" %
              (name, trials, n, most.group(1) if most else "?"), flush=True)


def restart(w):
    w.stop("rbacd")
    w.stop("rbacd-dir")
    w.start()


def main():
    world.enter()
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    long = len(sys.argv) > 2 and sys.argv[2] == "long"
    r = world.Report("race")
    w, names = make(variant)

    if long:
        rc, n, out = race(w, "same", 31250, 16, 32, 7200)
        r.check("O1 31,250 trials x 16 parallel, one code: exactly one each",
                rc == 0 and n >= 31250, out)
        rc, n, out = race(w, "same", 31250, 16, 2 * N_TWO, 7200, BOTH)
        r.check("O1 31,250 more across both factors of a person", rc == 0 and n >= 31250, out)
        for i in range(10):
            restart(w)
            rc, n, out = race(w, "again", 1, 16, 2 * N_TWO, 60, BOTH)
            r.check("O1 the codes of both factors after restart %d: none" % (i + 1),
                    rc == 0 and n == 0, out)
            rc, n, out = race(w, "same", 64, 16, 2 * N_TWO, 60, BOTH)
            r.check("O1 and new ones: exactly one each", rc == 0 and n == 64, out)
        others(w, 2000)
        r.end()
    rc, n, out = race(w, "same", 300, 64, 1, 300)
    r.check("O1 300 trials x 64 parallel, one code: exactly one each", rc == 0 and n == 300, out)
    accepted = [x for x in w.records() if x["ev"] == "auth" and x.get("dec") == "allow"]
    r.check("A1 each of them has exactly one record", len(accepted) == 300, len(accepted))
    rc, n, out = race(w, "same", 64, 16, 2 * N_TWO, 60, BOTH)
    r.check("O1 64 codes x 16 parallel across both factors of a person: one each",
            rc == 0 and n == 64, out)
    restart(w)
    rc, n, out = race(w, "again", 1, 16, 2 * N_TWO, 60, BOTH)
    r.check("O1 after a restart the same codes: none", rc == 0 and n == 0, out)
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
