#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""rbacctl pam: switched on over Debian's own files, tried, confirmed, taken back, killed.

usage: pam_switch.py [VARIANT]
"""
import json
import os
import re
import sqlite3
import subprocess
import sys
import time

import pexpect

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402
from pam_stock import STOCK  # noqa: E402

PW = {name: person[2] for name, person in world.PEOPLE.items()}
STOCK = dict(STOCK, passwd="# shadow's\n\n@include common-password\n",
             chpasswd="@include common-password\n")
ALL = list(STOCK)
COMMON_PASSWORD = "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\n" \
                  "# here's the fallback\npassword\trequisite\tpam_deny.so\n" \
                  "password\trequired\tpam_permit.so\n"
NEW = "violet-Kettle-71-harbour"


class Switch:
    def __init__(self, w, r):
        self.w, self.r = w, r

    def files(self):
        """pam.d as it is: name -> text."""
        return {n: self.w.read("/etc/pam.d/" + n) for n in sorted(os.listdir("/etc/pam.d"))}

    def pam(self, *argv):
        return self.w.rbacctl("pam", *argv, check=False)

    def stock(self):
        self.w.pam("common-password", COMMON_PASSWORD)
        for name, text in STOCK.items():
            self.w.pam(name, text)
        self.before = self.files()

    def back(self, what):
        now = self.files()
        self.r.check(what, now == self.before,
                     {n: t for n, t in now.items() if self.before.get(n) != t})

    def findings(self):
        out = self.w.rbacctl("--json", "doctor", check=False).stdout
        import json
        return [(f["id"], f["where"]) for f in json.loads(out)["findings"]
                if f["id"].startswith("pam-") and f["severity"] != "note"]

    def enable(self, *argv):
        return self.pam("enable", "--yes", "--no-login", *argv)

    # ---- the file

    def preview(self):
        for name, *profile in [(x,) for x in ALL] + [("sshd", "--profile", "rules")]:
            a = self.pam("preview", name, *profile)
            copy = "/tmp/preview"
            world.write(copy, self.w.read("/etc/pam.d/" + name))
            p = subprocess.run(["patch", "-s", copy], input=a.stdout, text=True,
                               capture_output=True)
            self.r.check("preview of %s is a diff that patch takes" % " ".join([name] + profile),
                         a.returncode == 0 and p.returncode == 0
                         and "pam_vmsec.so" in self.w.read(copy), a.stdout + a.stderr + p.stderr)
        self.back("preview changes nothing")

    def refusals(self):
        self.r.check("a service that does not exist", self.enable("nothing").returncode == 64)
        self.w.pam("sudo", "auth sufficient pam_permit.so\n@include common-auth\n"
                   "@include common-account\n")
        a = self.enable("sudo")
        self.r.check("a line before ours that lets all pass: refused, nothing written",
                     a.returncode == 1 and "vmsec" not in self.w.read("/etc/pam.d/sudo"),
                     a.stdout + a.stderr)
        os.rename("/etc/pam.d/sudo", "/etc/elsewhere")
        os.symlink("/etc/elsewhere", "/etc/pam.d/sudo")
        a = self.enable("sudo")
        self.r.check("a symbolic link: refused", a.returncode == 1 and "symbolic" in a.stderr, a)
        os.unlink("/etc/pam.d/sudo")
        self.stock()
        os.chmod("/etc/pam.d/sudo", 0o666)
        self.r.check("a file that others may write: refused", self.enable("sudo").returncode == 1)
        os.chmod("/etc/pam.d/sudo", 0o644)

    def confirm(self):
        w = self.w
        a = self.enable("--within", "10m", "sshd", "sudo", "su", "login")
        self.r.check("enable of four services", a.returncode == 0, a.stdout + a.stderr)
        self.r.check("doctor finds nothing wrong with them", self.findings() == [], self.findings())
        a = self.enable("cockpit")
        self.r.check("another change has to wait", a.returncode == 1 and "waits" in a.stderr, a)
        a = self.pam("confirm")
        self.r.check("the login that made the change cannot confirm it",
                     a.returncode == 1 and "same" not in a.stdout and "log in again" in a.stderr, a)
        s = w.shell("alice", "sshd", [lambda: w.code("alice")])
        self.r.check("somebody logs in anew, key and code", s and s.ok, s and s.text)
        if s and s.ok:
            a = s.run("sudo /usr/local/sbin/rbacctl pam confirm", [PW["alice"]])
            self.r.check("sudo with the login's code confirms", "Confirmed" in a.text, a)
            s.close()
        a = self.pam("confirm")
        self.r.check("nothing is left to confirm", a.returncode == 1, a)

    def surroundings(self):
        """What doctor sees around the stacks: Match blocks, the log, the sandbox."""
        w, r = self.w, self.r
        main = "/etc/ssh/sshd_config"
        world.write(main, "HostKey /etc/ssh/world_host_key\nInclude /etc/ssh/extra.conf\n" + w.read(
            world.TREE + "/pam_vmsec/dist/sshd_config.conf"))
        world.write("/etc/ssh/extra.conf", "Match User backup\n AuthenticationMethods publickey\n"
                    "Match Address 10.0.0.0/8\n PermitEmptyPasswords yes\n")
        found = self.all_findings()
        r.check("doctor: a Match block for automation is a note", any(
            f["id"] == "sshd-methods" and f["severity"] == "note" and
            "extra.conf:1 Match User backup" in f["where"] for f in found), found)
        r.check("doctor: a Match block that lets in without a password is critical", any(
            f["id"] == "sshd-empty" and f["severity"] == "critical" and
            "Match Address 10.0.0.0/8" in f["where"] for f in found), found)
        r.check("doctor: nothing else is wrong there", not any(
            f["id"] in ("audit-chain", "sandbox-off", "sshd-match", "sshd-config")
            for f in found), found)
        config = w.read("/etc/rbacd/rbacd.yaml")
        world.write("/etc/rbacd/rbacd.yaml", config.replace("sandbox: kill", "sandbox: off"))
        r.check("doctor: the sandbox is off", any(f["id"] == "sandbox-off" for f in
                                                  self.all_findings()))
        world.write("/etc/rbacd/rbacd.yaml", config)
        db = sqlite3.connect("/var/lib/rbacd/rbacd.db")
        whole = db.execute("select seq, line from audit order by seq desc limit 1").fetchone()
        db.execute("update audit set line = cast(replace(line, 'sev', 'vse') as blob) where seq = ?", whole[:1])
        db.commit()
        r.check("doctor: a changed record", any(f["id"] == "audit-chain" and
                                                f["severity"] == "error"
                                                for f in self.all_findings()))
        db.execute("update audit set line = ? where seq = ?", (whole[1], whole[0]))
        db.commit()
        db.close()

    def all_findings(self):
        a = self.w.rbacctl("doctor", "--json", check=False)
        return json.loads(a.stdout)["findings"]

    def people(self):
        """Each profile with somebody who is let in and somebody who proves who he is and is not."""
        w, r = self.w, self.r
        a = w.ssh("bob", "sshd", [PW["bob"], lambda: w.code("bob")], key=False)
        r.check("sshd either: password and code, in", a.ok, a)
        for how, key, answers in (("key", True, []), ("password", False, [PW["dave"]])):
            a = w.ssh("dave", "sshd", answers + [lambda: w.code("dave")], key=key)
            r.check("sshd either, %s and code, no grant: refused" % how, not a.ok and
                    w.last("account").get("reason") == "no_grant", a)
        a = w.ssh("bob", "sshd", [PW["bob"], "000000"], key=False)
        r.check("sshd either, wrong code: refused", not a.ok, a)
        a = w.console("bob", [PW["bob"], lambda: w.code("bob")])
        r.check("login: password and code, in", a.ok, a)
        a = w.console("dave", [PW["dave"], lambda: w.code("dave")])
        r.check("login, no grant: refused", not a.ok, a)
        a = w.console("root", [world.ROOT_PASSWORD])
        r.check("login, root on the console: the rescue line", a.ok, a)
        s = w.shell("bob", "sshd", [lambda: w.code("bob")])
        a = s.run("sudo -k id -un", [PW["bob"], lambda: w.code("bob")])
        r.check("sudo, proven and without a grant: refused", "root" not in a.text, a)
        a = s.run("su -c 'id -un' alice", [PW["alice"], lambda: w.code("bob")])
        r.check("su, proven and without a grant: refused", "alice" not in a.text.split(), a)
        s.close()
        s = w.shell("alice", "sshd", [lambda: w.code("alice")])
        a = s.run("sudo -k id -un", [PW["alice"], lambda: w.code("alice")])
        r.check("sudo, granted: root", a.ok and "root" in a.text, a)
        s.close()

    def other_profiles(self):
        w, r = self.w, self.r
        for profile, key, password in (("key", True, False), ("password", True, True)):
            self.pam("disable", "--yes", "sshd")
            a = self.enable("--within", "10m", "--profile", profile, "sshd")
            r.check("sshd %s: enabled, and doctor content" % profile,
                    a.returncode == 0 and not [f for f in self.findings() if "sshd" in f[1]],
                    (a, self.findings()))
            a = w.ssh("bob", "sshd", ([PW["bob"]] if password else []) +
                      [lambda: w.code("bob")], key=True)
            r.check("sshd %s: key%s and code, in" % (profile, ", password" * password), a.ok,
                    (a, w.last("account"), w.read(world.LOGFILE)[-1500:]))
            a = w.ssh("bob", "sshd", [PW["bob"], lambda: w.code("bob")], key=False)
            r.check("sshd %s: without a key %s" % (profile, "in" if password else "refused"),
                    a.ok == password, a)
            a = w.ssh("dave", "sshd", ([PW["dave"]] if password else []) +
                      [lambda: w.code("dave")], key=True)
            r.check("sshd %s: no grant, refused" % profile, not a.ok, a)
            self.pam("revert")

    def tried(self, service, user, answers):
        """The phases of a program that is not here, by pamtester; granted or not."""
        item = "rhost=10.9.9.9" if service == "cockpit" else "tty=:0"
        child = pexpect.spawn("pamtester", ["-I", item, service, user, "authenticate",
                                            "acct_mgmt"], encoding="utf-8", timeout=20)
        done, text = self.w.converse(child, answers, "account management done", 20)
        child.close(force=True)
        return done, text

    def not_here(self):
        """cockpit and gdm: somebody granted, somebody proven and not granted, a wrong code."""
        w, r = self.w, self.r
        w.policy(world.POLICY.replace("[ssh, console]", "[ssh, console, web, desktop]"), True)
        a = self.enable("--within", "10m", "cockpit", "gdm-password")
        r.check("cockpit and gdm-password: enabled", a.returncode == 0, a.stdout + a.stderr)
        for service in ("cockpit", "gdm-password"):
            ok, text = self.tried(service, "bob", [PW["bob"], lambda: w.code("bob")])
            r.check("%s: password and code, in" % service, ok, (text, w.last("account")))
            ok, text = self.tried(service, "dave", [PW["dave"], lambda: w.code("dave")])
            r.check("%s, proven and without a grant: refused" % service, not ok and
                    w.last("account").get("reason") == "no_grant" and
                    w.last("account")["svc"] == service, (text, w.last("account")))
            ok, text = self.tried(service, "bob", [PW["bob"], "000000"])
            r.check("%s, wrong code: refused" % service, not ok and
                    "Authentication failure" in text, text)
        self.pam("revert")
        w.policy(world.POLICY, True)

    # ---- new passwords

    def passwd(self, *answers):
        """bob changes his own; each prompt gets one answer."""
        uid = str(world.PEOPLE["bob"][0])
        child = pexpect.spawn("setpriv", ["--reuid", uid, "--regid", uid, "--clear-groups",
                                          "passwd"], encoding="utf-8", timeout=20)
        done, text = self.w.converse(child, list(answers), "updated successfully", 20)
        child.close(force=True)
        return done, text

    def refused_rules(self):
        w, r = self.w, self.r
        for what, stack in (
                ("what another module may set", "password optional pam_unix.so\n"),
                ("a failed change is confirmed", "password required pam_unix.so\n"),
                ("a substack asks for its own", "password substack common-password\n"),
                ("an include brings more", "@include sshd\n")):
            w.pam("passwd", stack)
            before = self.files()
            a = self.enable("passwd")
            r.check("no place for rules: " + what, a.returncode == 1 and
                    "hear of every change" in a.stderr and self.files() == before, a)
        self.stock()

    def rules(self):
        w, r = self.w, self.r
        self.refused_rules()
        a = self.pam("enable", "--yes", "--user", "bob", "passwd")
        r.check("rules that the policy lacks: tried, and taken back", a.returncode == 1 and
                "taken back" in a.stderr, a)
        self.back("nothing is left of it")
        w.policy(world.POLICY + "password: {preset: pci-dss-4}\n", True)
        world.write("/root/common.txt", "password123\n")
        w.rbacctl("blocklist", "build", "/root/common.txt")
        a = self.pam("enable", "--yes", "--within", "10m", "--user", "bob", "passwd", "chpasswd")
        r.check("rules: passwd and chpasswd, tried without a terminal", a.returncode == 0 and
                "At least 12 characters" in a.stdout and "nothing was set" in a.stdout and
                "pam confirm" in a.stdout, a)
        os.unlink("/etc/rbacd/pam/.pending")
        a = self.enable("--within", "10m", "--profile", "rules", "sshd", "login")
        os.unlink("/etc/rbacd/pam/.pending")
        b = self.enable("--within", "10m", "sshd")
        r.check("rules and a login's lines in one file", a.returncode == b.returncode == 0, (a, b))
        r.check("rules: doctor finds nothing wrong", self.findings() == [], self.findings())
        for again in (("passwd",), ("--profile", "rules", "sshd"), ("sshd",)):
            a = self.enable(*again)
            r.check("%s a second time: refused" % again[-1], a.returncode == 1 and
                    "already" in a.stderr, a)
        ok, text = self.passwd(PW["bob"], "password123", "password123", NEW, NEW)
        seen = [x for x in w.records() if x["ev"] == "password.changed"]
        r.check("passwd: a common one is refused, a good one set and recorded", ok and
                len(seen) == 1 and seen[0]["user"] == "bob", (text, seen))
        a = subprocess.run(["chpasswd"], input="bob:short\n", text=True, capture_output=True)
        r.check("chpasswd: judged too", a.returncode != 0 and
                w.last("password.new").get("reason") == "pw_too_short", a)
        w.pam("common-password", COMMON_PASSWORD.replace("obscure ", ""))
        r.check("doctor: common-password has changed since", sorted(set(self.findings())) == [
            ("pam-password-stale", "/etc/pam.d/%s:%d" % (n, k)) for n, k in self.judges()],
            (self.findings(), self.judges()))
        a = self.pam("disable", "--yes", "passwd", "chpasswd", "sshd", "login")
        r.check("rules: disabled", a.returncode == 0, a)
        w.pam("common-password", COMMON_PASSWORD)
        os.unlink("/etc/rbacd/pam/.pending")
        self.back("and each file is as it was")
        a = self.pam("disable", "--yes", "passwd", "nobodys")
        r.check("disable of what has no lines, or no file: nothing to do", a.returncode == 0 and
                "passwd has no lines of ours" in a.stdout, a)
        PW["bob"] = NEW
        w.policy(world.POLICY, True)

    def judges(self):
        """Where our line for new passwords stands: [(service, line)]."""
        found = []
        for n in ("chpasswd", "login", "passwd", "sshd"):
            lines = self.w.read("/etc/pam.d/" + n).splitlines()
            found.append((n, 1 + next(i for i, x in enumerate(lines)
                                      if x.startswith("password\trequisite\tpam_vmsec"))))
        return found

    # ---- the way back

    def comes_back(self):
        self.stock()
        self.enable("--within", "2s", *ALL[:4])
        changed = self.files() != self.before
        end = time.monotonic() + 15
        while self.files() != self.before and time.monotonic() < end:
            time.sleep(0.1)
        self.r.check("unconfirmed: it was there, and is gone by itself", changed)
        self.back("and every file is as it was, byte for byte")
        self.enable("--within", "10m", *ALL[:4])
        a = self.pam("revert", "--boot")
        self.r.check("revert --boot leaves a change of this start alone",
                     a.returncode == 0 and self.files() != self.before, a)
        pending = self.w.read("/etc/rbacd/pam/.pending")
        world.write("/etc/rbacd/pam/.pending", re.sub(r" [0-9a-f-]{36}\n", " %s\n" % ("0" * 36), pending))
        self.pam("revert", "--boot")
        self.back("and takes back one of an earlier start")
        self.enable("--within", "10m", *ALL[:4])
        self.pam("revert")
        self.back("revert: at once")
        for name in ALL:
            a = self.enable("--within", "10m", name)
            b = self.pam("disable", "--yes", name)
            self.r.check("disable of %s" % name, a.returncode == 0 and b.returncode == 0, (a, b))
            os.unlink("/etc/rbacd/pam/.pending")
        self.back("disable: byte for byte")

    def killed(self):
        """kill -9 at every rename, write, flush and unlink of it: old or new, and the way back."""
        n = torn = lost = 0
        good = dict(self.before)
        self.enable("--within", "10m", "sshd", "sudo")
        after = self.files()
        self.pam("revert")
        for call in ("openat", "write", "fsync", "rename", "fork,clone,clone3,vfork"):
            for k in range(1, 200):
                a = subprocess.run(
                    ["strace", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                     "inject=%s:signal=SIGKILL:when=%d" % (call, k), "rbacctl", "pam",
                     "enable", "--yes", "--no-login", "--within", "3s", "sshd", "sudo"],
                    capture_output=True, timeout=30)
                n += 1
                now = {k: t for k, t in self.files().items() if not k.startswith(".")}
                torn += any(t not in (good[name], after[name]) for name, t in now.items())
                self.pam("revert")
                now = {k: t for k, t in self.files().items() if not k.startswith(".")}
                lost += now != good
                if a.returncode == 0:
                    break
        self.r.check("killed at %d points: never half a file" % n, n > 40 and torn == 0, torn)
        self.r.check("and the way back is always there", lost == 0, lost)
        for name in os.listdir("/etc/pam.d"):
            if name.startswith("."):
                os.unlink("/etc/pam.d/" + name)

    def test_login(self):
        import pexpect
        w, r = self.w, self.r
        for what, code, stays in (("right", lambda: w.code("alice"), True),
                                  ("wrong", lambda: "000000", False)):
            child = pexpect.spawn("/usr/local/sbin/rbacctl", ["pam", "enable", "--yes", "--user", "alice",
                                  "--within", "10m", "sudo"], encoding="utf-8", timeout=30)
            child.expect("assword: ")
            child.waitnoecho(2)
            child.sendline(PW["alice"])
            child.expect("code")
            child.waitnoecho(2)
            child.sendline(code())
            child.expect(pexpect.EOF)
            text = child.before
            child.close()
            r.check("test login with the %s code: %s" % (what, "active" if stays else "taken back"),
                    ("It is active" in text) == stays and ("vmsec" in w.read("/etc/pam.d/sudo")) == stays,
                    text)
            self.pam("revert")
        self.back("as it was")


def main():
    world.enter()
    r = world.Report("pam switch")
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    w.install()
    s = Switch(w, r)
    s.stock()
    w.start()
    w.sshd("sshd")
    for user in ("alice", "bob", "dave"):
        w.enrol(user)
    s.preview()
    s.refusals()
    s.confirm()
    s.surroundings()
    s.people()
    s.other_profiles()
    s.not_here()
    s.rules()
    s.comes_back()
    s.test_login()
    s.killed()
    r.end()


main()
