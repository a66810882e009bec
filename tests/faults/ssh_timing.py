#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Over a real sshd: does the time of a refusal tell who exists, or who is enrolled?

Keyboard-interactive with our line alone, so that nothing before it takes time. Three names
of one length, and three classes: nobody's, somebody's without a factor, somebody's with one and a
wrong code. sshd adds a delay of its own that depends on the name, up to tens of milliseconds;
so each name is of each class for a third of the time, and is compared with itself.
Measured from the code that is sent to the refusal, in turns of random order; every eight
turns come from another address, so that no budget is spent.

usage: ssh_timing.py [VARIANT] [SAMPLES of each class]
"""
import os
import random
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import pexpect  # noqa: E402
import world  # noqa: E402

NAMES = ("alice", "carol", "erika")
CLASSES = ("unknown", "unenrolled", "wrong")
APART_MS = 10


class Timing:
    def __init__(self, w, r):
        self.w, self.r = w, r

    def refusal_ms(self, user, source):
        argv = self.w.ssh_argv(user, "sshd", False, "true", options=["BindAddress=" + source])
        c = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", timeout=20)
        c.delaybeforesend = None
        c.delayafterclose = c.ptyproc.delayafterclose = 0.01
        c.expect(r"One-time code[^\r\n]*: ?$")
        begun = time.monotonic()
        c.sendline("000000")
        c.expect("denied")
        taken = (time.monotonic() - begun) * 1000
        c.close(force=True)
        return taken

    def arrange(self, classes):
        """Accounts and factors so that each name is of its class."""
        w = self.w
        for name in NAMES:
            w.rbacctl("reset", name, "--why", "test", check=False)
        for path in ("/etc/passwd", "/etc/shadow"):
            known = [x for x in self.accounts[path] if classes.get(x.split(":")[0]) != "unknown"]
            world.write(path, "\n".join(known) + "\n", os.stat(path).st_mode & 0o777)
        w.step(60)
        for name in NAMES:
            if classes[name] == "wrong":
                w.enrol(name)

    def run(self, samples):
        self.accounts = {p: self.w.read(p).splitlines() for p in ("/etc/passwd", "/etc/shadow")}
        taken = {(n, k): [] for n in NAMES for k in CLASSES}
        after, turn = len(self.w.records()), 0
        for phase in range(3):
            classes = {n: CLASSES[(i + phase) % 3] for i, n in enumerate(NAMES)}
            self.arrange(classes)
            for _ in range((samples + 2) // 3):
                source = "127.0.%d.%d" % (1 + turn // 8 // 200, 2 + turn // 8 % 200)
                for name in random.sample(NAMES, 3):
                    taken[name, classes[name]].append(self.refusal_ms(name, source))
                turn += 1
        middle = {x: statistics.median(v) for x, v in taken.items()}
        for k in CLASSES:
            print("%-10s %s" % (k, ", ".join("%s n %d median %.1f ms" % (
                n, len(taken[n, k]), middle[n, k]) for n in NAMES)))
        for n in NAMES:
            own = [middle[n, k] for k in CLASSES]
            self.r.check("P9 O10 %s: medians of the three classes lie %.1f ms apart, at most %d"
                         % (n, max(own) - min(own), APART_MS), max(own) - min(own) <= APART_MS)
        reasons = {x.get("reason") for x in self.w.records(after) if x["ev"] == "auth"}
        # sshd replaces what was typed for a name that it does not know
        self.r.check("each class was refused for its own reason", reasons ==
                     {"bad_otp", "not_enrolled", "blind_conversation"}, reasons)


def main():
    world.PEOPLE["erika"] = (2006, [], "erika-Pw-6")
    world.enter()
    words = sys.argv[1:]
    r = world.Report("ssh-timing")
    w = world.World(words[0] if words else "release").make()
    w.install()
    w.pam("sshd", "auth requisite pam_vmsec.so\naccount requisite pam_vmsec.so\n"
          "session required pam_permit.so\n")
    w.sshd("sshd")
    w.start()
    Timing(w, r).run(int(words[1]) if len(words) > 1 else 200)
    r.end()


main()
