#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Passwords on a real host: passwd(1), chpasswd(8), forced changes in sshd, login and sudo.

usage: passwords.py [VARIANT] [--keep-going]
"""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import pexpect  # noqa: E402

import world  # noqa: E402

STACK = """password requisite pam_vmsec.so
password [success=1 default=ignore] pam_unix.so use_authtok yescrypt
password requisite pam_deny.so
password required pam_vmsec.so confirm
"""
BROKEN = STACK.replace("pam_unix.so use_authtok yescrypt", "pam_exec.so quiet /bin/false")
RULES = "password: {preset: %s}\n"
COMMON = ["password123", "correcthorsebatterystaple1", "Summer2024Summer"]
# What people type; none of it may be found anywhere afterwards.
NEW = {"alice": "violet-Kettle-71-harbour", "bob": "amber-Ladder-29-meadow",
       "carol": "copper-Window-53-orchard", "dave": "silver-Basket-84-canyon",
       "erin": "marble-Bridge-17-lantern"}
SECOND = {k: v[::-1] for k, v in NEW.items()}
PROMPT = r"(?:[Pp]assword|code)[^\r\n]*: ?$"


class Passwords:
    def __init__(self, variant):
        self.r = world.Report("passwords")
        self.w = w = world.World(variant).make()
        w.install()
        w.policy(world.POLICY + RULES % "pci-dss-4")
        world.write("/root/common.txt", "\n".join(COMMON) + "\n")
        w.pam("common-password", STACK)
        for service in ("passwd", "chpasswd"):
            w.pam(service, "@include common-password\n")
        w.pam("sudo", w.read("/etc/pam.d/sudo") + "@include common-password\n")
        w.start()
        w.rbacctl("blocklist", "build", "/root/common.txt")
        w.sshd("sshd")
        for who in world.PEOPLE:
            w.enrol(who)
        self.typed = set(NEW.values()) | set(SECOND.values())
        self.now = {who: entry[2] for who, entry in world.PEOPLE.items()}
        self.mark()

    # ---- tools

    def mark(self):
        self.seen = len(self.w.records())

    def news(self, *events):
        """Records since the last look, of these kinds."""
        return [x for x in self.w.records()[self.seen:] if x["ev"] in events]

    def talk(self, argv, answers, seconds=30):
        """A program on a terminal of its own. Return: exit status, all that it said."""
        child = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", codec_errors="replace",
                              timeout=seconds)
        text = ""
        for answer in list(answers) + [None]:
            i = child.expect([PROMPT, pexpect.EOF, pexpect.TIMEOUT])
            text += child.before + (child.after if i == 0 else "")
            if i != 0 or answer is None:
                break
            child.waitnoecho(0.5)
            child.sendline(answer)
        child.close(force=True)
        return child.exitstatus, text

    def passwd(self, who, *answers, options=()):
        uid = str(world.PEOPLE[who][0])
        return self.talk(["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups",
                          "passwd", *options], answers)

    def change(self, who, new):
        status, text = self.passwd(who, self.now[who], new, new)
        if status == 0:
            self.now[who] = new
        return status == 0, text

    def login(self, who, *more):
        """ssh with password and code, and whatever is asked behind them."""
        return self.w.ssh(who, "sshd", [self.now[who], lambda: self.w.code(who)] + list(more),
                          key=False)

    def check(self, what, good, detail=""):
        return self.r.check(what, good, detail)

    # ---- passwd(1)

    def by_passwd(self):
        w, new = self.w, NEW["alice"]
        status, text = self.passwd("alice", self.now["alice"], "short", "short",
                                   COMMON[1], COMMON[1], new, new)
        self.check("passwd: third try is good", status == 0, text)
        self.now["alice"] = new
        self.check("passwd: says what is asked before it asks",
                   re.search(r"12.*\r\n[^\n]*New password: ", text, re.S), text)
        self.check("passwd: each refusal with its reason",
                   re.search("12 characters", text) and re.search("common|list", text), text)
        got = [(x["ev"], x["outcome"], x.get("reason")) for x in
               self.news("password.new", "password.changed")]
        self.check("passwd: records hold reasons alone",
                   got == [("password.new", "failure", "pw_too_short"),
                           ("password.new", "failure", "pw_blocklisted"),
                           ("password.new", "success", None),
                           ("password.changed", "success", None)], got)
        self.check("passwd: the new password lets in", self.login("alice").ok)
        self.mark()
        ok, text = self.passwd("alice", new, "a1b2c3d4e5f6", "a1b2c3d4e5f7", "", "x", "x")
        self.check("passwd: three tries at most", ok != 0 and text.count("New password: ") == 3,
                   text)
        self.check("passwd: not the same twice, nothing, too short",
                   [x.get("reason") for x in self.news("password.new")] ==
                   ["pw_mismatch", "pw_empty", "pw_too_short"], self.news("password.new"))

    def history(self):
        w, first = self.w, self.now["alice"]
        self.mark()
        self.check("history: a second one is good", self.change("alice", SECOND["alice"])[0])
        ok, text = self.passwd("alice", self.now["alice"], first, first, "x", "x", "x", "x")
        self.check("history: a former one is refused", "pw_reused" in
                   [x.get("reason") for x in self.news("password.new")], text)
        self.check("history: the record says no more than that",
                   first not in str(self.news("password.new", "password.changed")))

    def unconfirmed(self):
        """The module behind ours fails: nothing has changed, so nothing is remembered."""
        w, new = self.w, SECOND["erin"]
        w.pam("common-password", BROKEN)
        self.mark()
        ok, text = self.change("erin", new)
        self.check("unconfirmed: passwd fails", not ok, text)
        self.check("unconfirmed: found good, not changed",
                   [x["ev"] for x in self.news("password.new", "password.changed")] ==
                   ["password.new"])
        w.pam("common-password", STACK)
        self.check("unconfirmed: the same one is good later", self.change("erin", new)[0])

    # ---- a change by somebody else, and what it forces

    def by_chpasswd(self):
        w = self.w
        self.mark()
        r = world.run("chpasswd", input="bob:short\n", check=False)
        self.check("chpasswd: a weak one is refused", r.returncode != 0, r.stderr)
        r = world.run("chpasswd", input="bob:%s\n" % NEW["bob"], check=False)
        self.check("chpasswd: a good one is taken", r.returncode == 0, r.stdout + r.stderr)
        self.now["bob"] = NEW["bob"]
        self.check("chpasswd: both are recorded", [x["outcome"] for x in
                   self.news("password.new", "password.changed")][-2:] == ["success"] * 2)

    def forced_ssh(self):
        w, old, new = self.w, self.now["bob"], SECOND["bob"]
        self.mark()
        a = self.w.ssh("bob", "sshd", [lambda: self.w.code("bob")])
        self.check("forced: a login by key goes on", a.ok, a)
        a = self.login("bob")
        self.check("forced: sshd lets nobody past the change", not a.ok, a)
        a = self.login("bob", old, "weak", "weak", new, new)
        self.now["bob"] = new if a.ok else old
        self.check("forced: sshd has it changed, and lets in", a.ok, a)
        self.check("forced: says why", "somebody else" in a.text, a)
        forced = [x for x in self.news("account") if x.get("reason") == "pw_reset"]
        self.check("forced: recorded with the reason", len(forced) == 2 and
                   forced[0]["outcome"] == "success", self.news("account"))
        a = self.login("bob")
        self.check("forced: once", a.ok, a)

    def demanded(self):
        w, new = self.w, NEW["carol"]
        self.mark()
        r = w.rbacctl("password", "expire", "carol", check=False)
        self.check("expire: wants a reason", r.returncode != 0 and "--why" in r.stderr, r)
        w.rbacctl("password", "expire", "carol", "--why", "seen in a breach")
        shown = w.rbacctl("password", "status", "carol").stdout
        self.check("expire: status shows it with the reason",
                   "pw_demanded" in shown and "seen in a breach" in shown, shown)
        a = self.w.console("carol", [self.now["carol"], lambda: w.code("carol"),
                                     self.now["carol"], new, new])
        self.now["carol"] = new if a.ok else self.now["carol"]
        self.check("expire: login(1) has it changed, and lets in", a.ok, a)
        admin = self.news("admin.password")
        self.check("expire: recorded with who and why", len(admin) == 1 and
                   admin[0].get("reason_text") == "seen in a breach" and
                   admin[0].get("actor") == "uid:0", admin)
        shown = w.rbacctl("password", "status", "carol").stdout
        self.check("expire: over after the change", "pw_demanded" not in shown, shown)
        world.write("/root/breach", "# of a breach\ndave\nnobody-of-ours\n\nerin\n")
        r = w.rbacctl("password", "expire", "--list", "/root/breach", "--why", "breach 9",
                      check=False)
        self.check("expire --list: marks who is ours, names who is not", r.returncode == 1 and
                   r.stdout.startswith("2 must") and "line 3" in r.stderr, r.stdout + r.stderr)
        shown = w.rbacctl("password", "status").stdout
        self.check("expire --list: both are marked", shown.count("breach 9") == 2, shown)

    def sudo(self):
        """pam_unix says that it has expired. sudo -p replaces every prompt, ours too."""
        s = self.w.shell("alice", answers=[lambda: self.w.code("alice")])
        for options, shown in (("", "Retype new password: "), ("-p 'your password: ' ", "your password: ")):
            old, new = self.now["alice"], "teal-Mirror-66-granite" + options[1:2]
            self.typed.add(new)
            world.run("chage", "-d", "0", "alice")
            a = s.run("sudo -k; sudo %strue" % options, [old, old, new, new])
            self.check("sudo %s: the expired password is changed on the way" % options, a.ok and
                       shown in a.text and "At least 12 characters" in a.text, a)
            self.now["alice"] = new if a.ok else old
        s.close()

    # ---- ages

    def ages(self):
        w = self.w
        w.policy(world.POLICY + "password: {preset: pci-dss-4, max_age_with_mfa: 90d}\n", reload=True)
        w.step(80 * 86400)
        a = self.w.console("bob", [self.now["bob"], lambda: w.code("bob")])
        self.check("age: warned 14 days before", a.ok and "expires in 10 days" in a.text, a)
        w.step(11 * 86400)
        old, new = self.now["bob"], "ivory-Anchor-35-thicket"
        self.typed.add(new)
        a = self.login("bob", old, new, new)
        self.now["bob"] = new if a.ok else old
        self.check("age: 90 days, then it must be changed",
                   a.ok and "has expired" in a.text, a)
        w.policy(world.POLICY + RULES % "cis", reload=True)
        last = "olive-Turret_48+Sparrow"
        self.typed.add(last)
        self.mark()
        ok, text = self.change("bob", last)
        self.check("age: cis wants a day between two changes", not ok and
                   [x.get("reason") for x in self.news("password.new")] == ["pw_too_soon"], text)
        self.mark()
        status, text = self.passwd("bob", self.now["bob"], last, last, options=["-k"])
        self.check("age: nor does passwd -k go round that", status != 0 and
                   [x.get("reason") for x in self.news("password.new")] == ["pw_too_soon"], text)
        w.step(86400)
        ok, text = self.change("bob", last)
        self.check("age: a day later it may", ok, text)
        w.policy(world.POLICY, reload=True)
        ok, text = self.passwd("bob", self.now["bob"], "x"), ""
        self.check("rules: without a section nothing is changed", ok[0] != 0, ok)
        w.policy(world.POLICY + RULES % "pci-dss-4", reload=True)
        ok, text = self.passwd("bob", self.now["bob"], new, new, "x", "x", "x", "x")
        self.check("rules: history outlives rules that were away", "pw_reused" in
                   [x.get("reason") for x in self.news("password.new")], text)

    def told(self):
        """status names the preset; the report counts what the records say."""
        w = self.w
        status = json.loads(w.rbacctl("--json", "status", check=False).stdout)["passwords"]
        self.check("status: the preset, and how many checks there were",
                   status["preset"] == "pci-dss-4" and status["checked"] > 10 and
                   status["failed"] == 0, status)
        all_of = w.records()
        made = sum(x["ev"] == "password.changed" for x in all_of)
        bad = sum(x["ev"] == "password.new" and x["outcome"] == "failure" for x in all_of)
        asked = sum(x["ev"] == "account" and str(x.get("reason")).startswith("pw_")
                    for x in all_of)
        since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
        until = time.strftime("%Y-%m-%d", time.gmtime(w.now() + 86400))
        r = w.rbacctl("--json", "report", "passwords", "--since", since, "--until", until,
                      check=False)
        figures = {x["name"]: x["value"] for x in json.loads(r.stdout)["body"]["figures"]}
        self.check("report: refused, changed and demanded as in the log",
                   (figures.get("refused"), figures.get("changed"), figures.get("demanded")) ==
                   (bad, made, asked), (figures, bad, made, asked))

    # ---- when things fail

    def outage(self):
        w = self.w
        w.stop("rbacd")
        start = time.monotonic()
        status, text = self.passwd("alice", self.now["alice"], "x", "x")
        self.check("outage: nothing is changed without rbacd", status != 0 and
                   "cannot be changed at the moment" in text and time.monotonic() - start < 6,
                   text)
        w.stop("rbacd-dir")
        w.start()
        self.check("outage: and goes on after it", self.login("alice").ok)

    def canary(self):
        """What was typed is in no file, no database, no log, no memory of ours."""
        w, found = self.w, []
        wanted = [x.encode() for x in self.typed]
        for folder in ("/var/log", "/var/lib/rbacd", "/run", "/tmp", "/etc/rbacd"):
            for at, _, names in os.walk(folder):
                for name in names:
                    path = os.path.join(at, name)
                    if os.path.isfile(path):
                        with open(path, "rb") as f:
                            data = f.read()
                        found += [path for x in wanted if x in data]
        # A sanitizer maps terabytes.
        for name in () if w.variant == "asan" else ("rbacd", "rbacd-dir"):
            found += [name for x in wanted if x in self.memory(w.children[name].pid)]
        probe = b"copper-Window-53-or" + b"chard"
        self.check("canary: the search would find one", probe in self.memory(os.getpid()))
        self.check("canary: no password anywhere", not found, found)

    @staticmethod
    def memory(pid):
        data = b""
        with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
            for line in maps:
                m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if m and "[vvar]" not in line:
                    a, b = (int(x, 16) for x in m.groups())
                    try:
                        mem.seek(a)
                        data += mem.read(b - a)
                    except (OSError, ValueError):
                        pass
        return data

    def children(self):
        """No check is left behind."""
        pid = self.w.children["rbacd"].pid
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            kids = f.read().split()
        names = [self.w.read("/proc/%s/comm" % k).strip() for k in kids]
        self.check("worker: no child outlives its answer", len(names) <= 2, names)

    def run(self):
        for part in (self.by_passwd, self.history, self.unconfirmed, self.by_chpasswd,
                     self.forced_ssh, self.demanded, self.sudo, self.ages, self.told, self.outage,
                     self.children, self.canary):
            part()
        verify = self.w.rbacctl("audit", "verify", check=False)
        self.check("the log verifies", verify.returncode == 0, verify.stdout + verify.stderr)
        self.r.end()


if __name__ == "__main__":
    world.enter()
    Passwords(sys.argv[1] if len(sys.argv) > 1 else "release").run()
