#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The clock, an old database, and people who come from other programs, with real logins.

usage: keys.py [VARIANT]
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402


class Keys:
    def __init__(self, variant):
        self.r = world.Report("keys")
        self.w = world.World(variant).make()
        self.w.install()
        self.w.sshd("sshd")

    # ---- logins

    def login(self, user="alice", code=None):
        return self.w.ssh(user, "sshd", [code or (lambda: self.w.code(user))])

    def enters(self, what, user="alice", code=None):
        a = self.login(user, code)
        self.r.check(what, a.ok, (a, self.w.last()))

    def refused(self, what, reason, user="alice", code=None):
        a = self.login(user, code)
        got = self.w.last("auth").get("reason")
        self.r.check(what, not a.ok and got == reason, (a, got))

    def seen(self, event):
        return [x for x in self.w.records() if x["ev"] == event]

    def clock_state(self):
        r = self.w.rbacctl("status", check=False)
        return r.returncode, "clock accept" in r.stdout

    # ---- the clock

    def awaits(self, event, n):
        self.w.wait(lambda: len(self.seen(event)) == n, 5, "no record " + event)

    def set_back(self):
        w = self.w
        w.set_sync(False)
        w.wait(lambda: "not say that the clock is sync" in w.read("/var/log/rbacd.log"), 5,
               "rbacd does not warn")
        self.enters("O7 an unsynchronised clock alone: in")
        self.r.check("and its record says so", w.last("auth").get("clock") == "unsynced",
                     w.last("auth"))
        code, at = w.code("bob"), w.offset
        self.enters("bob, too", "bob", code)
        w.step(-60)
        self.enters("set back by a minute: in with a new code")
        w.step(-3600)
        self.awaits("clock.back", 1)
        self.refused("O7 set back by an hour: a right code is refused", "clock_unsynced")
        self.r.check("status says what to do", self.clock_state() == (1, True))
        fails = [x for x in w.records() if x.get("reason") == "bad_otp"]
        self.r.check("and no code was counted as wrong", not fails, fails)
        w.stop("rbacd")
        w.stop("rbacd-dir")
        self.start_unwell()
        self.refused("O7 after a restart it is refused still", "clock_unsynced")
        self.again(code, at)

    def start_unwell(self):
        """status says that something is wrong, so start() would wait for ever."""
        w = self.w
        answers, w.answers = w.answers, lambda: w.rbacctl("status", check=False).returncode != 4
        w.start()
        w.answers = answers

    def again(self, code, at):
        w = self.w
        r = w.rbacctl("clock", "accept", "--why", "checked against the wall")
        rec = self.seen("clock.accept")
        self.r.check("O7 clock accept is recorded, as an alert", len(rec) == 1 and
                     rec[0]["sev"] == "alert" and rec[0]["actor"] == "uid:0", (r.stdout, rec))
        r = w.rbacctl("clock", "accept")
        self.r.check("a second one has nothing to do", "nothing to accept" in r.stdout, r)
        w.set_clock(at)  # where it was: the old code fits again
        self.refused("O7 put right: the used code stays used", "otp_replay", "bob", code)
        self.enters("O7 put right: a new code is in")
        w.step(-7200)
        self.awaits("clock.back", 2)
        self.refused("set back once more: refused", "clock_unsynced")
        w.set_sync(True)
        self.awaits("clock.synchronised", 1)
        w.spent = {}
        w.step(7200)
        self.enters("O7 synchronised: in without anybody's help")
        self.r.check("and the record is silent", "clock" not in w.last("auth"), w.last("auth"))

    def required(self):
        w = self.w
        path = "/etc/rbacd/rbacd.yaml"
        world.write(path, w.read(path) + "clock: {require_sync: true}\n")
        w.rbacctl("reload")
        self.enters("require_sync, synchronised: in")
        w.set_sync(False)
        self.refused("require_sync, not synchronised: refused", "clock_unsynced")
        r = w.rbacctl("clock", "accept", check=False)
        self.r.check("which nobody can accept away", r.returncode == 1, r)
        w.set_sync(True)
        self.enters("synchronised again: in at once")
        world.write(path, w.read(path).replace("true", "false"))
        w.rbacctl("reload")

    def run(self):
        w = self.w
        w.set_sync(True)
        w.start()
        for user in ("alice", "bob"):
            w.enrol(user)
        self.enters("a login")
        self.set_back()
        self.required()
        self.r.end()


def main():
    world.enter()
    Keys(sys.argv[1] if len(sys.argv) > 1 else "release").run()


main()
