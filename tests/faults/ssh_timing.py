#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Over a real sshd: does the time of a refusal tell who exists, or who is enrolled?

Keyboard-interactive with our line alone, so that nothing before it takes time. Three names
of one length: nobody's, somebody's without a factor, somebody's with one and a wrong code.
Measured from the code that is sent to the refusal, in turns of random order; every eight
turns come from another address, so that no budget is spent. The medians must lie within 10 ms.

usage: ssh_timing.py [VARIANT] [SAMPLES]
"""
import os
import random
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import pexpect  # noqa: E402
import world  # noqa: E402

CLASSES = {"unknown": "zorro", "unenrolled": "carol", "wrong": "alice"}
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

    def run(self, samples):
        taken = {k: [] for k in CLASSES}
        after = len(self.w.records())
        for i in range(samples):
            turn = list(CLASSES)
            random.shuffle(turn)
            for k in turn:
                taken[k].append(self.refusal_ms(CLASSES[k], "127.0.%d.%d" %
                                                (1 + i // 8 // 200, 2 + i // 8 % 200)))
        medians = {k: statistics.median(v) for k, v in taken.items()}
        for k, v in sorted(taken.items()):
            v.sort()
            print("%-10s n %d, median %.1f ms, middle half %.1f to %.1f ms"
                  % (k, len(v), medians[k], v[len(v) // 4], v[len(v) * 3 // 4]))
        apart = max(medians.values()) - min(medians.values())
        self.r.check("P9 the medians lie %.1f ms apart, at most %d" % (apart, APART_MS),
                     apart <= APART_MS)
        reasons = {x.get("reason") for x in self.w.records(after) if x["ev"] == "auth"}
        # sshd replaces what was typed for a name that it does not know
        self.r.check("each class was refused for its own reason", reasons ==
                     {"bad_otp", "not_enrolled", "blind_conversation"}, reasons)


def main():
    world.enter()
    words = sys.argv[1:]
    r = world.Report("ssh-timing")
    w = world.World(words[0] if words else "release").make()
    w.install()
    w.pam("sshd", "auth requisite pam_vmsec.so\naccount requisite pam_vmsec.so\n"
          "session required pam_permit.so\n")
    w.sshd("sshd")
    w.start()
    w.enrol("alice")
    Timing(w, r).run(int(words[1]) if len(words) > 1 else 200)
    r.end()


main()
