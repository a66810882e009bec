#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The host matrix: real sshd, sudo, su, login and account-only callers against the build.

Each check is named with the requirements that it covers. usage: hosts.py [VARIANT]
"""
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import policy_try  # noqa: E402
import rules  # noqa: E402

LIMIT_S = 6.5  # 5 s for rbacd, and what the host itself takes
PW = {name: person[2] for name, person in world.PEOPLE.items()}


class Matrix(rules.Rules, policy_try.Try):
    def __init__(self, w, r):
        self.w, self.r = w, r

    def refused(self, what, a, reason=None, event=None):
        """Refused, and the record says why."""
        good, detail = not a.ok, repr(a)
        if good and reason:
            last = self.w.last(*([event] if event else []))
            good = last.get("reason") == reason and last.get("dec") == "deny"
            detail = "reason %r wanted, last record %r" % (reason, last)
        self.r.check(what, good, detail)

    def allowed(self, what, a, **fields):
        """In, and the record says so; @fields are compared with it."""
        good, detail = a.ok, repr(a)
        if good:
            last = self.w.last("account")
            good = last.get("dec") == "allow" and \
                all(last.get(k) == v for k, v in fields.items())
            detail = "%r wanted, last record %r" % (fields, last)
        if not a.ok:
            detail += " log: " + self.w.read(world.LOGFILE)[-600:]
        self.r.check(what, good, detail)

    # ---- sshd

    def sshd(self):
        w = self.w
        self.refused("P1 P2 sshd, key only: refused, a code is missing",
                     w.ssh("alice", "sshd-keyonly"), "mfa_required", "account")
        self.allowed("P1 sshd, key and code: in",
                     w.ssh("alice", "sshd", [lambda: w.code("alice")]), user="alice",
                     svc="sshd", priv="ssh")
        self.refused("O1 sshd, the same code again: refused as a replay",
                     w.ssh("alice", "sshd", [lambda: w.code("alice", fresh=False)]),
                     "otp_replay", "auth")
        self.allowed("P1 sshd, password and code: in",
                     w.ssh("bob", "sshd", [PW["bob"], lambda: w.code("bob")], key=False),
                     user="bob")
        self.refused("O1 sshd, a wrong code: refused",
                     w.ssh("bob", "sshd", ["000000"]), "bad_otp", "auth")
        self.refused("sshd, a wrong password: refused, no code asked",
                     w.ssh("bob", "sshd", ["wrong"], key=False))
        self.refused("R1 sshd, right key and code, no role: refused",
                     w.ssh("dave", "sshd", [lambda: w.code("dave")]), "no_grant", "account")
        self.refused("sshd, key only, no role: refused", w.ssh("dave", "sshd-keyonly"),
                     "no_grant", "account")
        self.refused("P9 sshd, unknown user: refused",
                     w.ssh("nobodyhere", "sshd", ["Canary-Pw-9", "123456"], key=False))
        self.refused("P9 sshd, root where PermitRootLogin is no: refused",
                     w.ssh("root", "sshd", [world.ROOT_PASSWORD, "123456"], key=False))
        self.refused("sshd, root's key where root may log in: our line refuses",
                     w.ssh("root", "sshd-root", ["123456"]))
        self.blind()

    def blind(self):
        w = self.w
        n = len(w.records())
        a = w.ssh("bob", "sshd-blind", [PW["bob"]], key=False)
        self.refused("P22 sshd, password method answers the code prompt blindly: refused", a,
                     "blind_conversation")
        fails = [x for x in w.records()[n:] if x.get("reason") == "bad_otp"]
        self.r.check("P22 a blind answer is no wrong code", not fails, fails)
        a = w.ssh("bob", "sshd", [lambda: w.code("bob")])
        self.allowed("P22 bob still gets in afterwards", a)

    def canaries(self):
        """No password or code that was typed is in any log or state."""
        secrets = [PW[n] for n in PW] + ["Canary-Pw-9", world.ROOT_PASSWORD]
        secrets += list(self.w.seeds.values())
        for folder in ("/var/log", "/var/lib/rbacd"):
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as f:
                    text = f.read()
                found = [s for s in secrets if s.encode() in text]
                self.r.check("A9 P22 no secret in " + path, not found, found)
        lines = repr(self.w.records())
        self.r.check("A9 the unknown user's name is not in the audit log",
                     "nobodyhere" not in lines)

    def ends(self):
        """Both daemons end well when they are told to; a sanitizer would have spoken."""
        for name in ("rbacd", "rbacd-dir"):
            code = self.w.stop(name, seconds=20)
            self.r.check("%s ends with 0" % name, code == 0, code)
            log = self.w.read("/var/log/%s.log" % name)
            found = re.search(r".*(?:Sanitizer|runtime error|Assertion).*", log)
            self.r.check("no report in the log of " + name, not found, found)

    def expired(self):
        w = self.w
        for login in ("dave", "bob"):
            world.run("chage", "-d", "0", login)
        self.refused("sshd, expired password without a role: refused before any change",
                     w.ssh("dave", "sshd", [PW["dave"], lambda: w.code("dave")], key=False),
                     "no_grant", "account")
        self.refused("sshd, key and code, expired password without a role: refused",
                     w.ssh("dave", "sshd", [lambda: w.code("dave")]), "no_grant", "account")
        a = w.ssh("bob", "sshd", [lambda: w.code("bob")])
        self.r.check("sshd, expired password with a role: the host asks for a new one",
                     not a.ok and re.search(r"(?i)expired|(new|current) password", a.text), a)
        for login in ("dave", "bob"):
            world.run("chage", "-d", "2025-01-01", login)

    # ---- sudo and su

    def sudo(self):
        w = self.w
        s = w.shell("alice", answers=[lambda: w.code("alice")])
        if not self.r.check("a shell for alice", s, w.read(world.LOGFILE)[-600:]):
            return
        self.allowed("sudo, role and a proof of this login: root",
                     s.run("sudo id -un", [PW["alice"]]), priv="sudo", mfa_method="remembered")
        src = w.last("account").get("src")
        self.r.check("sudo inherits the address of its login", src and "127.0.0.1" in src, src)
        self.allowed("sudo -u other", s.run("sudo -u bob id -un"), priv="sudo")
        self.allowed("sudo -i", s.run("sudo -i id -un"), priv="sudo")
        self.allowed("sudo -n with a fresh timestamp and proof", s.run("sudo -n id -un"))
        w.step(20 * 60)
        self.refused("P1 sudo -n, timestamp fresh but the code too old: refused",
                     s.run("sudo -n id -un"))
        self.refused("P1 sudo, timestamp fresh, code too old, a wrong code: refused",
                     s.run("sudo id -un", ["000000"]), "bad_otp")
        self.allowed("P1 sudo, timestamp fresh, code too old: a fresh code is asked for",
                     s.run("sudo id -un", [lambda: w.code("alice")]), priv="sudo")
        self.allowed("sudo without a timestamp: the password, then the remembered proof",
                     s.run("sudo -k id -un", [PW["alice"]]))
        self.su(s)
        s.close()
        self.sudo_without_role()
        self.role_removed()

    def su(self, s):
        w = self.w
        self.allowed("su to root by a role that names it",
                     s.run("su -c 'id -un' root", [world.ROOT_PASSWORD]), priv="su",
                     target="root", user="alice")
        self.allowed("su to another person", s.run("su -c 'id -un' bob", [PW["bob"]]),
                     target="bob", user="alice")
        self.allowed("su -l to another person", s.run("su -l -c 'id -un' bob", [PW["bob"]]),
                     target="bob")
        w.step(20 * 60)
        self.allowed("su, code too old: a fresh code of the invoker is asked for",
                     s.run("su -c 'id -un' root",
                           [world.ROOT_PASSWORD, lambda: w.code("alice")]), user="alice")

    def sudo_without_role(self):
        w = self.w
        s = w.shell("bob", answers=[lambda: w.code("bob")])
        if not self.r.check("a shell for bob", s):
            return
        self.refused("R1 sudo without a role: refused though sudoers allows it",
                     s.run("sudo id -un", [PW["bob"], lambda: w.code("bob")]), "no_grant",
                     "account")
        self.refused("R1 su to root without a role: refused",
                     s.run("su -c 'id -un' root",
                           [world.ROOT_PASSWORD, lambda: w.code("bob")]), "no_grant",
                     "account")
        s.close()

    def role_removed(self):
        w = self.w
        s = w.shell("erin", answers=[lambda: w.code("erin")])
        t = w.shell("carol", answers=[lambda: w.code("carol")])
        if not self.r.check("shells for erin and carol", s and t):
            return
        self.allowed("sudo makes a timestamp", s.run("sudo id -un", [PW["erin"]]))
        self.allowed("sudo NOPASSWD", t.run("sudo id -un"))
        w.member("vmadmins", "erin", False)
        w.member("contractors", "carol", False)
        w.step(15)  # what is known of a person is at most 10 s old
        self.refused("P1 R9 sudo, timestamp fresh, role removed: refused",
                     s.run("sudo id -un"), "no_grant", "account")
        self.refused("P1 R9 sudo NOPASSWD, role removed: refused", t.run("sudo id -un"),
                     "no_grant", "account")
        w.member("vmadmins", "erin", True)
        w.member("contractors", "carol", True)
        w.step(15)
        self.allowed("sudo, role given back", s.run("sudo id -un"))
        s.close()
        t.close()

    def by_root(self):
        r = world.run("su", "-c", "id -un", "bob", check=False)
        self.r.check("su by root: bob, recorded", "bob" in r.stdout and
                     self.w.last("account").get("priv") == "su", (r, self.w.last()))
        r = world.run("sudo", "-u", "bob", "id", "-un", check=False)
        self.r.check("sudo by root: bob, recorded", "bob" in r.stdout and
                     self.w.last("account").get("priv") == "sudo", (r, self.w.last()))
        r = subprocess.run("exec su -c 'id -un' bob >/tmp/closed.out 0<&- 2>&-", shell=True,
                           timeout=20)
        self.r.check("P18 su with closed standard descriptors works",
                     self.w.read("/tmp/closed.out").strip() == "bob", r)

    # ---- consoles

    def console(self):
        w = self.w
        self.allowed("login on tty1, password and code: in",
                     w.console("alice", [PW["alice"], lambda: w.code("alice")]),
                     priv="console", src="local", user="alice")
        self.refused("login on tty1 without a role: refused",
                     w.console("dave", [PW["dave"], lambda: w.code("dave")]), "no_grant",
                     "account")
        n = len(w.records())
        a = w.console("root", [world.ROOT_PASSWORD])
        self.r.check("E2 root on tty1 with the local password: in by the rescue line", a.ok, a)
        rescue = [x for x in w.records()[n:] if x.get("op") == "rescue"]
        self.r.check("E2 the rescue login raises an alert", rescue and
                     rescue[0].get("sev") == "alert", rescue or w.records()[n:])
        self.refused("root on a pts: the rescue line does not apply",
                     w.console("root", [world.ROOT_PASSWORD, "123456"], tty="pts"))
        self.refused("root on tty1, wrong password: refused", w.console("root", ["wrong"]))

    # ---- callers without auth

    def phases(self, service, user, *more):
        r = world.run(self.w.build_tests + "/phases", service, user, *more, check=False)
        return [line.split()[:3] for line in r.stdout.splitlines()]

    def batch(self):
        w = self.w
        for service in ("cron", "systemd-user"):
            got = self.phases(service, "alice", "account", "open", "close")
            self.r.check("P24 %s, account and session only, a known person: allowed" % service,
                         [x[1] for x in got] == ["0", "0", "0"], got)
            self.r.check("it is recorded as batch", w.last("account").get("priv") == "batch",
                         w.last("account"))
            got = self.phases(service, "nobodyhere", "account")
            self.r.check("P24 %s, an unknown person: refused" % service, got[0][1] != "0", got)
        got = self.phases("ours", "alice", "account")
        self.r.check("P24 a service that no policy knows: refused", got[0][1] != "0" and
                     w.last("account").get("reason") == "service_unknown",
                     (got, w.last("account")))
        got = self.phases("sshd", "alice", "account")
        self.r.check("P2 account alone on sshd without an address: refused",
                     got[0][1] != "0", got)
        got = self.phases("sshd", "alice", "auth")
        self.r.check("P5 auth without a conversation: refused", got[0][1] != "0", got)

    # ---- outages

    def never_started(self):
        """The module alone: no socket, no rbacd, not even its folder."""
        w = self.w
        for name, a in (("sshd, key only", w.ssh("alice", "sshd-keyonly")),
                        ("sshd, key and code", w.ssh("alice", "sshd", ["123456"])),
                        ("sshd, password", w.ssh("bob", "sshd", [PW["bob"]], key=False)),
                        ("login on tty1", w.console("alice", [PW["alice"]]))):
            self.r.check("E1 E3 no rbacd at all: %s refused" % name, not a.ok, a)
        for phase in ("auth", "account"):
            got = self.phases("ours", "alice", phase)
            self.r.check("E1 no rbacd at all: %s says AUTHINFO_UNAVAIL at once" % phase,
                         got and got[0][1] == "9" and float(got[0][2]) < 5.3, got)
        r = world.run("su", "-c", "id -un", "bob", check=False)
        self.r.check("E1 no rbacd at all: su by root refused too", r.returncode != 0, r)
        a = w.console("root", [world.ROOT_PASSWORD])
        self.r.check("E2 no rbacd at all: root on tty1 gets in", a.ok, a)

    def outage(self):
        w = self.w
        s = w.shell("alice", answers=[lambda: w.code("alice")])
        self.allowed("before the outage: sudo", s.run("sudo id -un", [PW["alice"]]))
        rbacd = w.children["rbacd"]
        rbacd.send_signal(signal.SIGSTOP)
        self.down("rbacd hangs", s)
        rbacd.send_signal(signal.SIGCONT)
        w.wait(w.answers, 10, "rbacd does not go on")
        self.allowed("after the hang: in",
                     w.ssh("alice", "sshd", [lambda: w.code("alice")]))
        self.r.check("I10 nothing that was asked during the hang was allowed late",
                     self.w.last("account").get("priv") == "ssh", self.w.last("account"))
        w.stop("rbacd", signal.SIGKILL)
        self.down("rbacd is dead", s)
        w.stop("rbacd-dir")
        w.start()
        self.refused("O1 a used code stays used over a crash",
                     w.ssh("alice", "sshd", [lambda: w.code("alice", fresh=False)]),
                     "otp_replay", "auth")
        self.allowed("after the crash: in", w.ssh("alice", "sshd", [lambda: w.code("alice")]))
        s.close()

    def down(self, what, s):
        """Every way in is refused within its bound; root's console is not."""
        w = self.w
        tries = (("sshd, key and code", lambda: w.ssh("alice", "sshd", ["123456"])),
                 ("sshd, key only", lambda: w.ssh("alice", "sshd-keyonly")),
                 ("sudo with a fresh timestamp", lambda: s.run("sudo id -un")),
                 ("su", lambda: s.run("su -c 'id -un' bob", [PW["bob"]])),
                 ("login on tty1", lambda: w.console("alice", [PW["alice"]])))
        for name, attempt in tries:
            a = attempt()
            # su and login add a delay of their own for a failed password line
            self.r.check("P21 %s: %s refused in time" % (what, name),
                         not a.ok and a.seconds < LIMIT_S + 4, a)
        for phase in ("auth", "account"):
            got = self.phases("ours", "alice", phase)
            self.r.check("P21 %s: %s is back in time with AUTHINFO_UNAVAIL" % (what, phase),
                         got and got[0][1] == "9" and float(got[0][2]) < 5.3, got)
        a = w.console("root", [world.ROOT_PASSWORD])
        self.r.check("E2 %s: root on tty1 gets in" % what, a.ok and a.seconds < 10, a)
        self.r.check("P3 %s: a session phase does not fail" % what,
                     self.phases("cron", "alice", "open")[0][1] == "0")

    def directory_down(self):
        w = self.w
        w.stop("rbacd-dir", signal.SIGKILL)
        self.allowed("D2 rbacd-dir is dead: a known person still gets in",
                     w.ssh("alice", "sshd", [lambda: w.code("alice")]))
        self.refused("D2 rbacd-dir is dead: an unknown one does not",
                     w.ssh("nobodyhere", "sshd", ["x", "123456"], key=False))
        w.spawn("rbacd-dir", [world.LOCAL_SBIN + "/rbacd-dir", "--config",
                              "/etc/rbacd/rbacd.yaml"])

    def disk_full(self):
        """The state's disk fills up: no record, so no login; afterwards nothing is lost."""
        w = self.w
        state = os.path.dirname(w.database())
        self.restart_on(state, "size=24m")
        self.account_works("before the disk is full")
        with open(state + "/filler", "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 65536)
            except OSError:
                pass
        n = len([x for x in w.records() if x.get("dec") == "allow"])
        allowed = refused = 0
        while not refused and allowed < 30000:  # what the log file still holds
            if self.phases("cron", "alice", "account")[0][1] == "0":
                allowed += 1
            else:
                refused += 1
        self.r.check("A7 the disk is full: refused (after %d that still fitted)" % allowed,
                     refused, allowed)
        m = len([x for x in w.records() if x.get("dec") == "allow"])
        self.r.check("A1 A7 every allowed login has its record", m - n == allowed,
                     (m - n, allowed))
        a = w.console("root", [world.ROOT_PASSWORD])
        self.r.check("E2 A7 the disk is full: root on tty1 gets in", a.ok, a)
        r = w.rbacctl("status", check=False)
        self.r.check("A7 status says so", re.search(r"(?i)full|space|disk", r.stdout + r.stderr),
                     r)
        os.unlink(state + "/filler")
        w.wait(lambda: self.phases("cron", "alice", "account")[0][1] == "0", 10,
               "rbacd does not go on after there is space again")
        self.allowed("A7 space again: in", w.ssh("alice", "sshd", [lambda: w.code("alice")]))
        r = w.rbacctl("audit", "verify", check=False)
        self.r.check("A7 the log is whole afterwards", r.returncode == 0, r)
        self.restart_on(state, None)

    def restart_on(self, state, options):
        """Move the state to a small disk, or back."""
        w = self.w
        for name in ("rbacd", "rbacd-dir"):
            w.stop(name)
        world.run("rm", "-rf", "/var/lib/kept")
        world.run("cp", "-a", state, "/var/lib/kept")
        if options:
            world.run("mount", "-t", "tmpfs", "-o", options + ",mode=0700,uid=901,gid=901",
                      "tmpfs", state)
        else:
            world.run("umount", state)
            world.run("rm", "-rf", state)
            os.mkdir(state, 0o700)
            os.chown(state, 901, 901)
        world.run("cp", "-a", "/var/lib/kept/.", state)
        w.start()

    def account_works(self, what):
        got = self.phases("cron", "alice", "account")
        self.r.check("%s: allowed" % what, got[0][1] == "0", got)

    def corrupt(self):
        """A database that is none: a clear refusal, nothing overwritten."""
        w = self.w
        db = w.database()
        for name in ("rbacd", "rbacd-dir"):
            w.stop(name)
        world.run("cp", "-a", os.path.dirname(db), "/var/lib/sound")
        for rest in ("-wal", "-shm"):
            if os.path.exists(db + rest):
                os.unlink(db + rest)
        with open(db, "r+b") as f:
            f.write(b"no database at all" * 100)
        with open(db, "rb") as f:
            before = f.read()
        r = world.run(world.LOCAL_SBIN + "/rbacd", check=False)
        with open(db, "rb") as f:
            after = f.read()
        self.r.check("E3 a corrupt database: rbacd does not start and names the file",
                     r.returncode != 0 and db in r.stdout + r.stderr, r)
        self.r.check("E3 it is left as it was", before == after)
        world.run("rm", "-rf", os.path.dirname(db))
        world.run("cp", "-a", "/var/lib/sound", os.path.dirname(db))
        w.start()
        self.account_works("the sound copy back")

    # ---- policy

    def policy(self):
        w = self.w
        w.policy(world.POLICY + "nonsense: true\n")
        r = w.rbacctl("reload", check=False)
        self.r.check("R3 a broken policy is refused with its line",
                     r.returncode != 0 and re.search(r"policy\.yaml:\d+:\d+", r.stdout + r.stderr),
                     r)
        self.allowed("R3 the running policy stays",
                     w.ssh("alice", "sshd", [lambda: w.code("alice")]))
        w.policy(world.POLICY.replace("to: [vmadmins]", "to: [developers]"))
        w.rbacctl("reload")
        w.step(15)
        self.refused("R9 a new policy counts from the next login on",
                     w.ssh("alice", "sshd", [lambda: w.code("alice")]), "no_grant", "account")
        w.policy(world.POLICY)
        w.children["rbacd"].send_signal(signal.SIGHUP)
        w.step(15)
        self.allowed("SIGHUP reloads too",
                     w.ssh("alice", "sshd", [lambda: w.code("alice")]))

    def config(self):
        """A new configuration, all or nothing."""
        w = self.w

        def reload(text):
            world.write("/etc/rbacd/rbacd.yaml", text)
            return w.rbacctl("reload", check=False)

        r = reload(world.CONFIG + "labells: {a: b}\n")
        self.r.check("a broken configuration is refused with its line",
                     r.returncode != 0 and re.search(r"rbacd\.yaml:\d+:\d+", r.stdout + r.stderr),
                     r)
        r = w.rbacctl("status", check=False)
        self.r.check("status asks the running rbacd although the file is broken",
                     r.returncode in (0, 1) and "uptime" in r.stdout and "warning" in r.stderr, r)
        r = w.rbacctl("--config", "/etc/rbacd/../rbacd/rbacd.yaml", "status", check=False)
        self.r.check("a broken file that was named is an error",
                     r.returncode == 1 and r.stdout == "", r)
        self.allowed("the running configuration stays",
                     w.ssh("alice", "sshd", [lambda: w.code("alice")]))
        r = reload(world.CONFIG.replace("/var/lib/rbacd", "/var/lib/elsewhere"))
        self.r.check("what was opened at the start needs a restart, and it says so",
                     r.returncode != 0 and "restart" in r.stdout + r.stderr, r)
        r = reload(world.CONFIG.replace("[sshd]", "[other]"))
        self.r.check("a list of services is taken over", r.returncode == 0, r)
        a = w.ssh("alice", "sshd", [lambda: w.code("alice")])
        self.r.check("sshd is not in it: its address is not believed",
                     w.last("account", "auth").get("src") == "unknown", a)
        r = reload(world.CONFIG)
        self.allowed("the old configuration again",
                     w.ssh("alice", "sshd", [lambda: w.code("alice")]), src="127.0.0.1")

    # ---- audit

    def audit(self):
        w = self.w
        r = w.rbacctl("audit", "verify", check=False)
        self.r.check("A2 audit verify: the log is whole", r.returncode == 0, r)
        names = ("rbacd", "rbacd-dir")
        for name in names:
            w.stop(name)
        db = w.database()
        seq = w.records()[-5]["seq"]
        world.run("cp", "-a", os.path.dirname(db), "/var/lib/whole")

        def tamper(what, sql, named=None):
            world.run("sqlite3", db, sql)
            r = w.rbacctl("audit", "verify", check=False)
            good = r.returncode == 3 and (not named or str(named) in r.stdout + r.stderr)
            self.r.check("A2 A3 audit verify after %s: broken%s" % (
                what, ", names record %d" % named if named else ""), good, r)
            world.run("rm", "-rf", os.path.dirname(db))
            world.run("cp", "-a", "/var/lib/whole", os.path.dirname(db))

        tamper("one byte changed", "UPDATE audit SET line = CAST(replace(CAST(line AS TEXT), "
               "'\"ev\"', '\"eV\"') AS BLOB) WHERE seq = %d" % seq, seq)
        tamper("a decision turned", "UPDATE audit SET line = CAST(replace(CAST(line AS TEXT), "
               "'allow', 'aloow') AS BLOB) WHERE seq = (SELECT max(seq) FROM audit WHERE "
               "instr(CAST(line AS TEXT), 'allow') > 0)")
        tamper("a record removed", "DELETE FROM audit WHERE seq = %d" % seq, seq)
        tamper("the tail cut", "DELETE FROM audit WHERE seq > %d" % seq, seq + 1)
        w.start()
        r = w.rbacctl("audit", "verify", check=False)
        self.r.check("A2 the untouched copy is whole and goes on", r.returncode == 0, r)


def main():
    world.enter()
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    only = sys.argv[2:]
    r = world.Report("hosts")
    w = world.World(variant).make()
    w.install()
    for name in w.SSHD:
        w.sshd(name)
    w.pam("ours", "auth requisite pam_vmsec.so\naccount requisite pam_vmsec.so\n")
    m = Matrix(w, r)
    m.never_started()
    w.start()
    for login in world.PEOPLE:
        w.enrol(login)
    for part in ("sshd", "sudo", "by_root", "console", "batch", "expired", "policy", "config", "rules", "policy_try", "outage",
                 "directory_down", "disk_full", "corrupt", "canaries", "audit", "ends"):
        if only and part not in only:
            continue
        try:
            getattr(m, part)()
        except Exception as e:  # one broken part must not hide the others
            r.check("part %s ran to its end" % part, False, "%s: %r" % (type(e).__name__, e))
    r.end()


main()
