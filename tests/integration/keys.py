#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The clock, an old database, and people who come from other programs, with real logins.

usage: keys.py [VARIANT]
"""
import json
import os
import re
import signal
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

    def back_in_time(self):
        self.w.step(-3600)
        spent = self.w.spent["alice"]
        code = self.w.code("alice", fresh=False)
        self.w.spent["alice"] = spent  # those that were used stay used
        return code

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
        self.refused("O7 set back by an hour while the code is asked: refused at once", "clock_unsynced",
                     code=self.back_in_time)
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

    # ---- an old database

    STATE, KEPT = "/var/lib/rbacd", "/var/lib/yesterday"

    def stop(self, how=signal.SIGTERM):
        for name in ("rbacd", "rbacd-dir"):
            self.w.stop(name, how)

    def put_back(self, change, start=None):
        """@change the state of a stopped rbacd; the alert that its start raises."""
        self.stop()
        change()
        n = len(self.seen("state.set_back")) if os.path.exists(self.STATE) else 0
        (start or self.w.start)()
        return self.seen("state.set_back")[n:]

    def copy(self, source, target):
        world.run("rm", "-rf", target)
        world.run("cp", "-a", source, target)

    def recovery_code(self, user):
        """Of a new enrolment: they are shown once."""
        self.w.rbacctl("reset", user, check=False)
        out = self.w.rbacctl("--json", "enrol", user).stdout
        self.w.seeds[user] = re.search(r"[?&]secret=([A-Z2-7]+)", out).group(1)
        self.w.rbacctl("enrol", user, "--confirm", input=self.w.code(user) + "\n")
        return re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", out)

    def yesterday(self):
        w = self.w
        codes = self.recovery_code("bob")
        for i in range(3):
            self.login("alice", "00000%d" % i)
        fails = int(self.user("alice")["fails"])
        self.r.check("three wrong codes are counted", fails == 3, fails)
        got = self.put_back(lambda: self.copy(self.STATE, self.KEPT))
        self.r.check("K2 a restart alone raises nothing", not got, got)
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            self.stop(how)
            w.start()
        self.r.check("K2 nor does a kill", not self.seen("state.set_back"))
        code, at = w.code("alice"), w.offset
        self.enters("a login after the copy", "alice", code)
        self.enters("and one with a recovery code", "bob", codes[0])
        got = self.put_back(lambda: self.copy(self.KEPT, self.STATE))
        self.r.check("K2 yesterday's database is noticed", len(got) == 1 and
                     got[0]["sev"] == "alert" and "older" in got[0]["reason_text"], got)
        w.wait(lambda: "it was set back" in w.rbacctl("alerts", "list", check=False).stdout, 5,
               "no alert")
        w.set_clock(at)
        self.refused("K2 the code that was used since stays used", "otp_replay", "alice", code)
        self.refused("K2 so does the recovery code", "bad_otp", "bob", codes[0])
        self.r.check("K2 budgets are not reset",
                     int(self.user("alice")["fails"]) == fails, self.user("alice"))
        w.step(600)
        w.spent = {}
        self.enters("K2 with the next code: in")
        self.enters("bob, too", "bob")
        got = self.put_back(lambda: None)
        self.r.check("K2 it is told once", not got, got)
        self.others()
        self.restored()

    def restored(self):
        """A restore is no set-back: what it knows to be unused stays good."""
        w = self.w
        codes = self.recovery_code("bob")
        w.rbacctl("backup", "/var/lib/backup.db")
        self.enters("after the backup: a recovery code", "bob", codes[1])
        got = self.put_back(lambda: w.rbacctl("restore", "/var/lib/backup.db"),
                            self.start_unwell)  # the log wants a new key after that
        self.r.check("K2 a restore is recorded, and no alert", not got and
                     self.seen("state.anchored")[-1]["sev"] == "warning", got)
        self.refused("K2 the code that was used stays used", "bad_otp", "bob", codes[1])
        self.enters("K2 an unused one is good", "bob", codes[2])

    def user(self, login):
        rows = json.loads(self.w.rbacctl("--json", "users").stdout)["users"]
        return next(x for x in rows if x["login"] == login)

    def others(self):
        got = self.put_back(lambda: os.unlink("/var/lib/rbacd-anchor/anchor"))
        self.r.check("K2 an anchor that is gone is noticed", len(got) == 1, got)
        got = self.put_back(lambda: world.write("/var/lib/rbacd-anchor/anchor", "x" * 112, 0o600,
                                                (901, 901)))
        self.r.check("K2 so is one that is not ours", len(got) == 1, got)
        got = self.put_back(lambda: world.run("rm", "-rf", self.STATE))
        self.r.check("K2 and an empty database in place of ours", len(got) == 1, got)

    def run(self):
        w = self.w
        w.set_sync(True)
        w.start()
        for user in ("alice", "bob"):
            w.enrol(user)
        self.enters("a login")
        self.set_back()
        self.required()
        self.yesterday()
        self.r.end()


def main():
    world.enter()
    Keys(sys.argv[1] if len(sys.argv) > 1 else "release").run()


main()
