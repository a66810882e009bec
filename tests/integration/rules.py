# SPDX-License-Identifier: Apache-2.0
"""What the policy language bounds and what stands beside it, on real hosts: a part of hosts.py."""
import calendar
import os
import signal
import subprocess
import time

import world

HERE = "vmsec_policy: 1\nserial: %d\nvm_sets: {here: {label: {env: [demo]}}}\n" \
       "roles: {viewer: {privileges: [ssh, console]}, operator: {includes: [viewer], " \
       "privileges: [sudo]}, auditor: {privileges: [web]}}\n"
GRANT = "grants:\n  - {id: admins, to: [vmadmins], roles: [operator], vms: [here]%s}\n"


def seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


class Rules:
    """Parts of the matrix; hosts.Matrix gives the world and the checks."""

    serial = 100

    def rules_policy(self, more="", grant="", serial=None):
        self.serial = serial or self.serial + 1
        text = HERE % self.serial + (more if "grants:" in more else GRANT % grant + more)
        self.w.policy(text)
        return self.w.rbacctl("reload", check=False)

    def login(self, user="alice"):
        return self.w.ssh(user, "sshd", [lambda: self.w.code(user)])

    def rules(self):
        self.locks()
        self.hours()
        self.reviews()
        self.separated()
        self.told_end()
        self.limited()
        self.at_once()
        self.watched()
        self.glass()
        self.serials()
        world.write("/etc/rbacd/policy.d/policy.yaml", world.POLICY.replace(
            "vmsec_policy: 1", "vmsec_policy: 1\nserial: %d" % (self.serial + 1)))
        self.w.rbacctl("reload")

    def locks(self):
        w = self.w
        for what in ("alice", "group:vmadmins", "role:operator", "vm:" + world.HOST):
            w.rbacctl("lock", what, "--for", "2h", "--why", "incident 7")
            self.refused("lock %s: refused at once" % what, self.login(), "locked", "account")
            shown = w.rbacctl("locks").stdout + w.rbacctl("status", check=False).stdout
            self.r.check("lock %s: listed and in status" % what,
                         shown.count("incident 7") == 2, shown)
            w.rbacctl("unlock", what, "--why", "over")
            self.allowed("unlock %s: in again" % what, self.login())
        w.rbacctl("lock", "alice", "--for", "1m", "--why", "short")
        w.step(61)
        time.sleep(1.1)  # a tick of rbacd's
        self.allowed("a lock ends by itself", self.login())
        last = [x for x in w.records() if x.get("ev") == "admin.lock"][-1]
        self.r.check("locks are recorded with who and why", last.get("op") == "lock" and
                     last.get("object") == "user:alice" and last.get("reason_text") == "short" and
                     last.get("actor") == "uid:0", last)

    def hours(self):
        at = time.gmtime(self.w.now())
        now = ", when: {time: {tz: UTC, between: \"%02d:00-%02d:00\"}}"
        self.rules_policy(grant=now % (at.tm_hour, (at.tm_hour + 2) % 24 or 24))
        self.allowed("time: within the hours", self.login())
        self.rules_policy(grant=now % ((at.tm_hour + 3) % 24, (at.tm_hour + 4) % 24 or 24))
        self.refused("time: outside the hours", self.login(), "outside_hours", "account")

    def reviews(self):
        w = self.w
        self.rules_policy(grant=", review: {every: 1d, overdue: suspend}")
        self.allowed("review: its first activation is the baseline", self.login())
        w.step(86400)
        self.refused("review: overdue suspends", self.login(), "review_overdue", "account")
        w.rbacctl("policy", "reviewed", "admins", "--why", "still needed")
        self.allowed("review: reviewed, in again", self.login())

    def separated(self):
        more = "  - {id: second, to: [vmadmins], roles: [auditor], vms: [here]}\n" \
               "separation:\n  - {id: two-keys, never_both: [role:operator, role:auditor]}\n"
        self.rules_policy(more)
        self.refused("separation: both roles held, neither works", self.login(), "separation",
                     "account")

    def told_end(self):
        """A grant that ends is in the record of what it allows."""
        self.rules_policy(grant=", valid: {until: '2199-03-01'}")
        self.allowed("valid: before its end", self.login())
        rec = [x for x in self.w.records() if x.get("ev") == "account"][-1]
        self.r.check("valid: the record says when it ends",
                     rec.get("expires", "").startswith("2199-03-01T00:00:00"), rec)

    def limited(self):
        w = self.w  # erin: alice has consoles open by now
        self.rules_policy("limits:\n  - {to: [vmadmins], max_sessions: 1, max_session_time: 1h}\n")
        s = w.shell("erin", answers=[lambda: w.code("erin")])
        if not self.r.check("limits: the first session", s, w.last()):
            return
        rec = [x for x in w.records() if x.get("ev") == "account"][-1]
        self.r.check("limits: the record says when it ends", "expires" in rec and
                     seconds(rec["expires"]) - seconds(rec["ts"]) == 3600, rec)
        self.refused("limits: the second is refused", self.login("erin"), "session_limit", "account")
        self.allowed("limits: sudo within the time",
                     s.run("sudo -k id -un", [world.PEOPLE["erin"][2]]), priv="sudo")
        w.step(3600)
        self.refused("limits: no more sudo after it",
                     s.run("sudo -k id -un", [world.PEOPLE["erin"][2],
                                              lambda: w.code("erin")]), "session_limit")
        s.close()
        w.wait(lambda: w.last("session.close"), 10, "the end of the session")
        self.allowed("limits: closed, so there is room", self.login("erin"))
        w.wait(lambda: not self.monitors(), 10, "the end of all sshds of people")
        s = w.shell("erin", answers=[lambda: w.code("erin")])
        self.r.check("limits: in again", s, w.last())
        for pid in self.monitors():
            os.kill(pid, signal.SIGKILL)
        s.close()
        self.allowed("limits: a login that was killed and never closed does not count",
                     self.login("erin"))

    def at_once(self):
        """Logins that are all decided before any has opened its session."""
        w = self.w
        self.rules_policy("limits:\n  - {to: [vmadmins], max_sessions: 3}\n",
                          grant=", when: {mfa: none}")
        argv = [w.build_tests + "/phases", "sshd", "erin", "account"]
        started = [subprocess.Popen(argv, stdout=subprocess.DEVNULL) for _ in range(12)]
        ok = sum(p.wait() == 0 for p in started)
        self.r.check("limits: of 12 logins at once 3 are allowed", ok == 3 and
                     w.last("account").get("reason") == "session_limit", (ok, w.last("account")))
        w.step(121)
        got = [self.phases("sshd", "erin", "account", "open", "close") for _ in range(4)]
        self.r.check("limits: who never got in gives the place up, so does who left",
                     all(x[1] == "0" for g in got for x in g), got)

    @staticmethod
    def monitors():
        """The processes that keep ssh logins of erin open as root."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    if f.read().startswith(b"sshd: erin [priv]"):
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def watched(self):
        w = self.w
        self.rules_policy("mode: {default: monitor}\n")
        fails = self.fails("alice")
        a = w.ssh("alice", "sshd", ["000000"])
        last = w.last("account")
        self.r.check("monitor: a wrong code, in, and the record says would_deny",
                     a.ok and last.get("dec") == "would_deny" and
                     last.get("reason") in ("mfa_required", "mfa_stale"), (a, last))
        a = w.ssh("alice", "sshd", [""])
        last = w.last("account")
        self.r.check("monitor: an empty answer, in, and the record says would_deny",
                     a.ok and last.get("dec") == "would_deny", (a, last))
        self.refused("P5 monitor: what cannot be a code is refused", w.ssh("alice", "sshd", ["what is this?"]),
                     "blind_conversation", "auth")
        w.rbacctl("proofs", "revoke", "alice", "--why", "x")
        s = w.shell("alice", answers=[""])
        if self.r.check("monitor: a session", s, w.last()):
            a = s.run("sudo -k id -un", [world.PEOPLE["alice"][2], ""])
            last = w.last("account")
            self.r.check("monitor: sudo with an empty answer, and the record says would_deny",
                         a.ok and "root" in a.text and "One-time code" in a.text and
                         (last.get("dec"), last.get("priv")) == ("would_deny", "sudo"), (a, last))
            s.close()
        self.r.check("monitor: not counted", self.fails("alice") == fails, fails)
        a = w.ssh("dave", "sshd", [lambda: w.code("dave")])
        last = w.last("account")
        self.r.check("monitor: no role, in, and the record says would_deny",
                     a.ok and last.get("dec") == "would_deny" and
                     last.get("reason") == "no_grant", (a, last))
        self.refused("monitor: an unknown user is refused",
                     w.ssh("nobodyhere", "sshd", ["x", "123456"], key=False))
        w.rbacctl("lock", "alice", "--for", "1h", "--why", "x")
        self.refused("monitor: a lock still locks", self.login(), "locked", "account")
        w.rbacctl("unlock", "alice", "--why", "x")

    def fails(self, user):
        return self.w.rbacctl("users", "--json").stdout.count('"locked":true'), \
            len([x for x in self.w.records() if x.get("user") == user and x.get("fails", 0) > 0])

    def glass(self):
        w = self.w
        self.rules_policy("break_glass:\n  - {id: rescue, to: [local:bob], vms: [here], "
                          "privileges: [console], alert: page, mfa: none}\n")
        a = w.console("bob", [world.PEOPLE["bob"][2]])
        last = w.last("account")
        self.r.check("break_glass: at the console without a grant, and an alert",
                     a.ok and last.get("rule") == "rescue" and last.get("sev") == "alert" and
                     last.get("op") == "break_glass", (a, last))
        w.wait(lambda: '"break_glass"' in w.rbacctl("alerts", "list", "--json",
                                                    check=False).stdout, 10, "an alert")
        self.r.check("break_glass: its use is in the list of alerts", True)
        self.refused("break_glass: not over ssh", self.login("bob"), "no_grant", "account")
        got = self.phases("login", "bob", "account")
        last = w.last("account")
        self.r.check("break_glass: without a console nothing", got[0][1] != "0" and
                     last.get("dec") == "deny", (got, last))

    def serials(self):
        w = self.w
        serial = self.serial
        self.rules_policy()
        self.rules_policy(grant=", why: newer")
        r = self.rules_policy(serial=serial + 1)
        self.r.check("serial: a smaller one is refused and says how to return",
                     r.returncode == 1 and "--rollback" in r.stdout + r.stderr, r)
        r = w.rbacctl("reload", "--rollback", check=False)
        last = w.last("policy.load")
        self.r.check("serial: a policy that was active may come back, recorded",
                     r.returncode == 0 and last.get("op") == "rollback", (r, last))
        w.policy(HERE % 5 + GRANT % ", why: forged")
        r = w.rbacctl("reload", "--rollback", check=False)
        self.r.check("serial: one that never was may not", r.returncode == 1, r)
        w.stop("rbacd")
        w.stop("rbacd-dir")
        try:
            w.start()
        except RuntimeError:
            pass  # it runs, and says that it has no policy
        r = w.rbacctl("status", check=False)
        self.r.check("serial: nor across a restart", "must be larger" in r.stdout, r.stdout[:600])
        self.refused("serial: and nobody gets in by it", self.login(), None)
        self.serial += 20
