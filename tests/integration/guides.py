#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The guides about policies, fleets, upgrades and reports: every command that they show, in its order.

usage: guides.py [VARIANT]
"""
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import guide  # noqa: E402
import pam_stock  # noqa: E402
import world  # noqa: E402
from guide import Says  # noqa: E402

STOCK = {x: pam_stock.STOCK[x] for x in ("sshd", "login", "sudo", "su")}
PEOPLE = """vmsec_people: 1
people:
  - {login: mia, id: "hr:1", uid: 7001, groups: [vmadmins]}
  - {login: dora, id: "hr:2", uid: 7002, groups: [lookers]}
  - {login: alice, id: "hr:3", uid: 2001, groups: [operations]}
"""
FOLDER, FILE = "/etc/rbacd/policy.d/policy.yaml", "/etc/rbacd/policy.yaml"
CONFIG = world.CONFIG.replace("source: nss", "source: file")
OLD = """vmsec_policy: 1
serial: 1
vm_sets:
  here: {every: true}
roles:
  viewer: {privileges: [ssh]}
  operator: {includes: [viewer], privileges: [sudo, "su:root"]}
grants:
  - {id: admins, to: [vmadmins], roles: [operator], vms: [here], when: {mfa: none}}
  - {id: look, to: [lookers], roles: [viewer], vms: [here], when: {mfa: none}}
"""
NEW = OLD.replace("serial: 1", "serial: 2").replace("to: [lookers]", "to: [nobodies]") + """tests:
  - {user_in: [vmadmins], do: sudo, at: "2026-11-20T10:00Z", want: allow, by: admins}
  - {user_in: [], do: ssh, at: "2026-11-20T10:00Z", want: deny, reason: no_grant}
"""
# The web shop of the examples, where operations lose sudo on web servers and may release once.
SHOP = (
    ("vm_sets:\n", "vm_sets:\n  app: {label: {env: prod, tier: app}}\n"),
    ("roles:\n", "roles:\n  watcher: {privileges: [ssh, console]}\n"
                 "  releaser: {privileges: [\"su:deploy\"]}\n"),
    ("    roles: [operator]\n    vms: [all-but-db]\n",
     "    roles: [watcher]\n    vms: [all-but-db]\n"),
    ("denies:\n", "  - {id: a, to: [operations], roles: [operator], vms: [app]}\n"
                  "  - {id: b, to: [operations], roles: [operator], vms: [\"vm:web01.stg.example\"]}\n"
                  "  - {id: c, to: [operations], roles: [operator, releaser], "
                  "vms: [\"vm:app01.stg.example\"]}\ndenies:\n"))


class Guides:
    def __init__(self, w, r):
        self.w, self.r = w, r

    def again(self):
        for name in ("rbacd", "rbacd-dir"):
            if name in self.w.children:
                self.w.stop(name)
        self.w.start()

    def account(self, user):
        return world.run(self.w.build_tests + "/phases", "sshd", user, "account",
                         check=False).returncode == 0

    # ---- policies

    def writing(self):
        shop = self.w.read(world.TREE + "/policy/examples/web-shop.yaml").split("\ntests:")[0] + "\n"
        world.write(FOLDER, shop)
        for old, new in SHOP:
            assert old in shop, old
            shop = shop.replace(old, new, 1)
        world.write("/root/new.yaml", shop.replace("grants:", "grant:"))

        def corrected():
            world.write("/root/new.yaml", shop)
        guide.Guide("writing-policies", self.w, self.r).run({
            "rbacctl policy check /root/new.yaml": Says(
                r"new\.yaml:\d+:\d+: .*'grant'.*grants", code=1),
            "rbacctl policy diff /etc/rbacd/policy.d /root/new.yaml --people "
            "/etc/rbacd/people.yaml": Says(code=1, before=corrected)})

    def change(self):
        w = self.w
        world.write("/etc/rbacd/rbacd.yaml", CONFIG.replace("/policy.d", "/policy.yaml"))
        world.write(FILE, OLD)
        world.write("/etc/rbacd/new.yaml", NEW)
        w.pam("sshd", "account requisite pam_vmsec.so\n")
        self.again()
        self.r.check("policy-change: mia and dora are in", self.account("mia") and
                     self.account("dora"), w.last())
        w.wait(lambda: w.last("account").get("user") == "dora", 5, "the record")
        guide.Guide("policy-change", w, self.r, put={
            "OLD": FILE, "NEW": "/etc/rbacd/new.yaml", "PEOPLE": "/etc/rbacd/people.yaml",
            "VM": world.HOST, "USER": "mia"}).run({
                "rbacctl policy check NEW": Says("is valid: serial 2"),
                "rbacctl policy test NEW": Says(r"2 tests"),
                "rbacctl policy lint NEW --people PEOPLE": Says("nobodies", code=1),
                "rbacctl policy diff OLD NEW --people PEOPLE": Says(
                    "^dora", r"- ssh +on 1 VM", "lost 1, gained 0", code=1),
                "rbacctl who-can VM --policy NEW --people PEOPLE": Says("mia", never="dora"),
                "rbacctl what-can USER --policy NEW --people PEOPLE": Says(world.HOST, "sudo"),
                "rbacctl policy replay NEW --since 30d --people PEOPLE": Says(
                    "dora", w.last("account")["id"], never="^.*mia.*loses", code=1),
                "rbacctl policy graph NEW --svg": Says("^<svg ", "vmadmins"),
                "rbacctl policy try NEW --confirm-within 5m --people PEOPLE": Says(
                    "confirm", instead=self.as_mia, after=lambda text: w.last("policy.load")["op"] == "try"),
                "rbacctl policy confirm": Says(
                    before=self.second_terminal, after=lambda text: w.read(FILE) == NEW and
                    w.read(FILE + ".old") == OLD),
                "rbacctl reload": Says(after=lambda text: w.last("policy.load")["outcome"] ==
                                       "success"),
                "rbacctl policy pin": Says("no ids", code=1)})

    @staticmethod
    def as_mia(command):
        """In a session that the kernel knows as hers."""
        a = world.run("sh", "-c", "echo 7001 >/proc/self/loginuid && " + command, check=False)
        return a.returncode, a.stdout + a.stderr

    def second_terminal(self):
        self.w.step(15)
        self.r.check("policy-change: tried, mia is in and dora is not",
                     self.account("mia") and not self.account("dora"), self.w.last())

    # ---- a fleet

    def rollout(self):
        w = self.w
        config, policy = guide.snippets("rollout", "yaml")
        self.r.check("rollout: the policy of the guide is one", "mode: {default: monitor}" in policy)
        world.write("/etc/rbacd/rbacd.yaml", CONFIG)
        world.write("/etc/rbacd/guide.yaml", config)
        here = policy.replace("prod: {label: {env: [prod]}}", "prod: {every: true}")
        world.write(FOLDER, here)
        for name, serial, mode in (("next", 2, "enforce"), ("before", 1, "monitor")):
            world.write("/root/%s/policy.yaml" % name, here.replace(
                "serial: 1", "serial: %d" % serial).replace("default: monitor", "default: " + mode))
        world.run("rm", "-rf", "/var/lib/rbacd", "/var/lib/rbacd-anchor", FILE, FILE + ".old")
        self.again()
        a = world.run("rbacd", "--check", "--config", "/etc/rbacd/guide.yaml", check=False)
        self.r.check("rollout: the configuration of the guide", a.returncode == 0 and
                     "db01.prod.example" in a.stdout, a)
        move = " && mv /etc/rbacd/policy.d/.new " + FOLDER

        def monitored(want):
            return lambda text=None: ("default: monitor" in
                                      w.rbacctl("policy", "print").stdout) == want
        guide.Guide("rollout", w, self.r).run({
            "rbacctl policy check /etc/rbacd/policy.d": Says("is valid: serial 1"),
            "rbacctl policy test /etc/rbacd/policy.d": Says("2 tests"),
            "rbacctl policy lint /etc/rbacd/policy.d || test $? -eq 1": Says("admins"),
            "rbacctl reload": [Says(after=monitored(True)), Says(after=self.enforced)],
            "rbacctl status": Says(r"loaded +yes", never="^problem:"),
            "rbacctl doctor || test $? -le 5": Says("subjects looked at"),
            "rbacctl pam preview sudo": Says(r"^\+account\trequisite\tpam_vmsec.so"),
            "rbacctl pam enable --yes --no-login --within 10m sudo": Says(
                "10m|600 s|10 min", after=self.enabled_again),
            "rbacctl pam confirm": Says("Confirmed"),  # a terminal is a new login where no audit is
            "rbacctl audit search --since 7d --decision would_deny --csv || test $? -eq 1": Says(
                "dora.*no_grant", before=self.would_be_refused),
            "rbacctl report mfa --table mfa --csv || test $? -eq 1": Says("mia.*none"),
            "rbacctl report access --csv": Says("mia.*sudo", "admins"),
            "rbacctl policy diff /etc/rbacd/policy.d /root/next || test $? -eq 1": Says(
                "nobody gains or loses", "^mode.default: monitor -> enforce$", before=monitored(True)),
            "rbacctl policy replay /root/next --since 7d || test $? -le 2": Says(r"\d"),
            "rbacctl policy check /root/next": Says("is valid: serial 2"),
            "cp /root/next/policy.yaml /etc/rbacd/policy.d/.new" + move: Says(
                after=monitored(False)),
            "rbacctl metrics": Says("^# TYPE vmsec_decisions_total", "^vmsec_alerts_open"),
            "rbacctl audit verify --tail 24h": Says(r"^OK: \d+ records"),
            "rbacctl status --json": Says('"policy"'),
            "rbacctl backup /root/rbacd-fleet.db": Says(
                after=lambda text: os.path.getsize("/root/rbacd-fleet.db") > 4096),
            "cp /root/before/policy.yaml /etc/rbacd/policy.d/.new" + move: Says(
                after=self.needs_a_word),
            "rbacctl reload --rollback": Says(after=lambda text: w.last("policy.load")[
                "outcome"] == "success"),
            "rbacctl pam disable --yes sudo": Says(
                after=lambda text: w.read("/etc/pam.d/sudo") == "#%PAM-1.0\n" + STOCK["sudo"])})

    def would_be_refused(self):
        self.r.check("rollout: monitored, dora is in", self.account("dora"), self.w.last())

    def enforced(self, text):
        a = self.w.rbacctl("policy", "print").stdout
        return "default: monitor" not in a and "serial: 2\n" in a and "serial           2" in text

    def enabled_again(self, text):
        """May be run again without harm, as the guide says of every step."""
        w = self.w
        there = "pam_vmsec" in w.read("/etc/pam.d/sudo")
        w.rbacctl("pam", "revert")
        a = w.rbacctl("pam", "enable", "--yes", "--no-login", "--within", "10m", "sudo", check=False)
        return there and a.returncode == 0 and "pam_vmsec" in w.read("/etc/pam.d/sudo")

    def needs_a_word(self, text):
        a = self.w.rbacctl("reload", check=False)
        return a.returncode == 1 and "must be larger" in a.stdout + a.stderr

    # ---- another version

    def upgrade(self):
        w = self.w
        self.enable("sudo")
        checked = lambda text: self.again()  # here the package comes, and a restart with it
        ctl = guide.Systemctl({"rbacd": self.unit("rbacd"), "rbacd-dir": self.unit("rbacd-dir")})
        guide.Guide("upgrade", w, self.r, act=ctl.act).run({
            "rbacctl backup /root/before-upgrade.db": Says(
                after=lambda text: os.path.getsize("/root/before-upgrade.db") > 4096),
            "rbacctl audit verify": Says(r"^OK: \d+ records"),
            "rbacd --check >/dev/null": Says(after=checked),
            "make && make install": Says(after=lambda text: os.path.exists("/usr/sbin/rbacd")),
            "make uninstall": Says(before=self.by_hand, after=lambda text: not os.path.exists(
                "/usr/sbin/rbacd")),
            "rbacctl version": Says(r"\d+\.\d+\.\d+"),
            "rbacctl status": Says(r"loaded +yes", never="^problem:"),
            "rbacctl doctor || test $? -le 5": Says("subjects looked at"),
            "rbacctl audit tail -n 5": Says("policy.load", "daemon.start"),
            "rbacctl restore /root/before-upgrade.db": Says(
                "restored", after=lambda text: "rbacd" not in w.children),
            "systemctl restart rbacd": Says(after=lambda text: w.answers()),
            "rbacctl pam disable --yes sudo": Says(
                after=lambda text: "pam_vmsec" not in w.read("/etc/pam.d/sudo")),
            "rbacd --check": Says("^rbacd: 1", "source: 'file'"),
            "rbacctl doctor || test $? -le 6": Says("subjects looked at"),
            "rbacctl pam disable --yes sshd login sudo su": Says(
                before=lambda: self.enable("sshd", "login", "sudo", "su"),
                after=lambda text: all(w.read("/etc/pam.d/" + x) == "#%PAM-1.0\n" + t
                                       for x, t in STOCK.items()))})

    def enable(self, *services):
        """As a new login would have confirmed it."""
        shutil.copy(self.w.build + "/pam_vmsec.so", world.Cover.pam_folder())
        for name in services:
            self.w.pam(name, STOCK[name])
        self.w.rbacctl("pam", "enable", "--yes", "--no-login", "--within", "10m", *services)
        os.unlink("/etc/rbacd/pam/.pending")

    @staticmethod
    def by_hand():
        """Lines that no rbacctl wrote go by hand."""
        world.run("sh", "-c", "sed -i /pam_vmsec/d /etc/pam.d/*")

    def unit(self, name):
        def do(verb):
            if verb in ("stop", "restart") and name in self.w.children:
                self.w.stop(name)
            if verb in ("start", "restart"):
                self.again()
        return do

    # ---- reports

    def reports(self):
        """A snapshot of before the month began, and all that is made from it today."""
        w, kept, home = self.w, "/var/lib/rbacd/snapshots", "/root/reports"
        world.run("rm", "-rf", "/var/lib/rbacd", "/var/lib/rbacd-anchor")
        os.makedirs(home)
        os.chdir(home)
        world.write(FOLDER, OLD)
        for name in ("rbacd", "rbacd-dir"):
            w.stop(name)
        w.set_clock(-40 * 86400)
        self.again()
        w.pam("sshd", "account requisite pam_vmsec.so\n")
        self.r.check("reports: a login to report", self.account("mia"), w.last())
        w.step(2)  # a report ends with the second before
        # rbacctl goes by the moved clock, too
        os.environ.update(LD_PRELOAD=w.build_tests + "/clockshim.so", VMSEC_CLOCK_FILE=world.CLOCK)
        ctl = guide.Systemctl({"rbacd-snapshot.timer": lambda verb: None})
        then = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 35 * 86400))
        guide.Guide("reports", w, self.r, act=ctl.act, put={"2026-10-01": then}).run({
            "rbacctl report access": Says("mia", "dora", world.HOST, "admins", code=(0, 1)),
            "rbacctl report mfa --html -o mfa.html": Says(code=(0, 1), after=lambda text: (
                "<table" in w.read("mfa.html") and "<script" not in w.read("mfa.html"))),
            "rbacctl report access --csv -o access.csv": Says(after=lambda text: re.search(
                r'"mia".*"sudo"', w.read("access.csv"))),
            "rbacctl report activity --since 30d --json": Says(
                r'"provenance"', r'"mia"', code=(0, 1)),
            "rbacctl report snapshot": Says(
                r"^[0-9a-f]{64} ", after=lambda text: [
                    os.stat(kept + "/" + x).st_mode & 0o777 for x in os.listdir(kept)] == [0o600] and
                w.last("report.snapshot")["after_sha"] in text),
            "rbacctl report access --as-of 2026-10-01": Says(
                "mia", "dora", before=self.today, code=(0, 1)),
            "rbacctl report changes --since 2026-10-01": Says("dora", before=self.changed,
                                                              code=(0, 1)),
            guide.commands("reports")[-3][0]: Says(instead=self.mail_pack),
            "rbacctl report pack FOLDER": Says(
                r"\+", put={"FOLDER": home + "/pack"}, code=(0, 1, 2),
                after=lambda text: os.chdir(home + "/pack")),
            "sha256sum -c manifest.sha256": Says("index.html: OK", "policy.yaml: OK",
                                                 never=".*FAILED.*")})

    def today(self):
        """40 days on, with a log that was signed when rbacd ended."""
        for name in ("rbacd", "rbacd-dir"):
            self.w.stop(name)
        self.w.set_clock(0)
        self.again()

    def changed(self):
        world.write(FOLDER, OLD.replace("serial: 1", "serial: 2").replace("to: [lookers]", "to: [nobodies]"))
        self.w.rbacctl("reload")

    def mail_pack(self, script):
        """Run twice, with a mail(1) that keeps what it is given."""
        world.write("/usr/local/sbin/mail-pack", script, 0o755)
        world.write("/usr/local/bin/mail", '#!/bin/sh\ncp "$4" "$SENT" && cat >"$SENT.txt"\n',
                    0o755)
        said, sent = "", []
        for n in "12":
            a = world.run("mail-pack", check=False, env=dict(os.environ, SENT="/root/sent" + n))
            said += a.stdout + a.stderr
            with open("/root/sent" + n, "rb") as f:
                sent.append(f.read())
        names = world.run("tar", "-tJf", "/root/sent1").stdout
        good = sent[0] == sent[1] and "/index.html\n" in names and "/manifest.sha256\n" in names
        return 0 if good and "access" in self.w.read("/root/sent1.txt") else 1, said + names


def main():
    world.enter()
    r = world.Report("guides")
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    w.cover.over("/usr")
    w.install()
    w.pam("sudo", STOCK["sudo"])
    world.run("sed", "-i", "/^alice:/d", "/etc/passwd")  # she is of the people file
    world.write("/etc/rbacd/rbacd.yaml", CONFIG)
    world.write("/etc/rbacd/people.yaml", PEOPLE)
    os.chdir(world.TREE)
    g = Guides(w, r)
    guide.run_parts(r, g.writing, g.change, g.rollout, g.upgrade, g.reports)
    r.end()


main()
