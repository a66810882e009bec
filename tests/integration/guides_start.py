#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Getting started, and the README: from a host without vmsec to logins, and back again.

usage: guides_start.py [VARIANT]
"""
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import guide  # noqa: E402
import world  # noqa: E402
from guide import Says  # noqa: E402
from pam_stock import STOCK  # noqa: E402

PW = {name: person[2] for name, person in world.PEOPLE.items()}
SSHD_CONFIG = ("Port 2201\nListenAddress 127.0.0.1\nHostKey /etc/ssh/world_host_key\nPidFile none\n"
               "Include /etc/ssh/sshd_config.d/*.conf\nKbdInteractiveAuthentication no\nUsePAM yes\n"
               "PrintMotd no\nPrintLastLog no\n")
# What doctor may not find about PAM and sshd.
WRONG = r"^(?:critical|error|warning) +(?:pam|sshd)-.*"


class Start:
    def __init__(self, w, r):
        self.w, self.r = w, r

    # ---- a host as Debian makes it

    def bare(self, dpkg):
        """No account, group, file or line of ours; the packages that were there."""
        w = self.w
        os.mkdir("/var/lib/dpkg")
        world.run("mount", "-n", "--no-canonicalize", "--bind", "/proc/%d/fd/%d" % (
            os.getpid(), dpkg), "/var/lib/dpkg")
        world.run("mount", "-o", "remount,bind,ro", "/var/lib/dpkg")
        w.cover.over("/usr")
        world.LOCAL_SBIN = "/usr/sbin"
        for name, ours in (("passwd", "rbacd"), ("shadow", "rbacd"), ("group", "rbacd|vmadmins")):
            text = re.sub(r"(?m)^(?:%s).*\n" % ours, "", w.read("/etc/" + name))
            world.write("/etc/" + name, text, 0o640 if name == "shadow" else 0o644)
        world.write("/etc/gshadow", re.sub(r"(?m)^([^:]+):.*:(.*)$", r"\1:*::\2",
                                           w.read("/etc/group")), 0o640)
        for name, text in STOCK.items():
            w.pam(name, text)
        for name in ("cron", "systemd-user"):
            os.unlink("/etc/pam.d/" + name)
        world.run("sh", "-c", "rm -rf /etc/rbacd/* /etc/ssh/sshd_config.d/*")
        world.write("/etc/ssh/sshd_config", SSHD_CONFIG)
        self.sshd()
        self.systemctl = guide.Systemctl({
            "ssh": lambda verb: self.sshd(),
            "rbacd": self.daemon("rbacd"), "rbacd-dir": self.daemon("rbacd-dir")})
        os.chdir(world.TREE)

    def sshd(self):
        """With the settings of now; a reload would answer from the old ones for a moment."""
        w = self.w
        if "sshd" in w.children:
            w.stop("sshd")
        w.spawn("sshd", ["/usr/sbin/sshd", "-D"], ready=lambda: w.listens(2201))

    def daemon(self, name):
        def do(verb):
            if verb == "stop":
                self.w.stop(name)
            elif verb != "disable" and name == "rbacd-dir":
                self.w.start()
        return do

    # ---- getting started

    def by_hand(self, command):
        """A daemon as the guide starts it; only its clock is ours."""
        name = command.split()[0]
        self.w.stop(name)
        world.run("setsid", "sh", "-c", command, env=dict(
            os.environ, LD_PRELOAD=self.w.build_tests + "/clockshim.so",
            VMSEC_CLOCK_FILE=world.CLOCK), stdin=subprocess.DEVNULL)
        return 0, ""

    def answers(self):
        return self.w.rbacctl("status", check=False).returncode == 0

    def with_units(self, text):
        """Back to the daemons that the test can stop."""
        for name in ("rbacd-dir", "rbacd"):
            for pid in world.run("pgrep", "-x", "-P", str(os.getpid()), name).stdout.split():
                os.kill(int(pid), signal.SIGTERM)
                os.waitpid(int(pid), 0)
        self.w.start()

    def phone(self, text):
        self.w.seeds["alice"] = re.search(r"secret=([A-Z2-7]+)", text).group(1)
        return self.w.code("alice")

    def code(self, text=None):
        return self.w.code("alice")

    def login(self, key=True):
        w = self.w
        return lambda: w.shell("alice", answers=([] if key else [PW["alice"]]) + [self.code],
                               key=key)

    def accounts(self, text):
        """Both ways to make them are shown: the second begins without the first's."""
        made = [os.stat("/var/lib/" + x).st_mode & 0o777 for x in ("rbacd", "rbacd-anchor")]
        for name in ("rbacd-dir", "rbacd"):
            world.run("userdel", name)
        world.run("rm", "-rf", "/var/lib/rbacd", "/var/lib/rbacd-anchor")
        return made == [0o700, 0o700]

    def proof(self):
        """Step 7 of the guide."""
        w, check = self.w, self.r.check
        a = w.ssh("alice", "sshd", [self.code])
        check("getting-started: key and code, in", a.ok, a)
        a = w.ssh("alice", "sshd", [lambda: w.code("alice", fresh=False)])
        check("getting-started: the same code again, refused", not a.ok, a)
        a = w.ssh("alice", "sshd", [])
        check("getting-started: no code, refused", not a.ok, a)
        a = w.console("root", [world.ROOT_PASSWORD])
        check("getting-started: root on the console, in", a.ok, a)

    def started(self):
        w = self.w
        config, policy = guide.snippets("getting-started", "yaml")
        guide.Guide("getting-started", w, self.r, act=self.systemctl.act).run({
            "systemd-sysusers && systemd-tmpfiles --create": Says(
                r"'rbacd'", r"'rbacd-dir'", after=self.accounts,
                instead=lambda c: self.sh(c + " /usr/lib/tmpfiles.d/rbacd.conf")),
            "/usr/share/vmsec/common-passwords | rbacctl blocklist build": Says(r"^1\d{5} entries"),
            "rbacd --check": Says(
                r"name: 'db01\.example'", "holds no .*yaml", code=1,
                before=lambda: world.write("/etc/rbacd/rbacd.yaml", config)),
            "groupadd vmadmins && usermod -aG vmadmins alice": Says(
                after=lambda text: world.write("/etc/rbacd/policy.d/main.yaml", policy)),
            "rbacctl policy check": Says("policy.d is valid"),
            "rbacd >>/var/log/rbacd.log 2>&1 &": Says(instead=self.by_hand),
            "rbacd-dir >>/var/log/rbacd-dir.log 2>&1 &": Says(instead=self.by_hand),
            "rbacctl status": Says(r"loaded +yes", "^note: Nobody is enrolled", never="^problem:",
                                   before=lambda: w.wait(self.answers, 10, "no answer"),
                                   after=self.with_units),
            "rbacctl enrol alice": Says(r"[█▀▄]{10}", r"[A-Z2-7]{4}(?: [A-Z2-7]{4}){7}",
                                        r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}", "alice",
                                        answers=[self.phone]),
            "rbacctl explain alice db01.example ssh --with-code": Says("^ALLOW", "admins"),
            "rbacctl reload": Says(),
            "rbacctl pam preview sudo": Says(r"^\+auth\trequisite\tpam_vmsec.so",
                                             r"^\+account\trequisite\tpam_vmsec.so"),
            "rbacctl pam enable sudo --user alice": Says(
                r"Test login of alice", r"60 s", answers=["y", PW["alice"], self.code]),
            "sudo rbacctl pam confirm": Says(
                "Confirmed", at=lambda: w.shell("alice", answers=[PW["alice"]], key=False),
                answers=[PW["alice"], self.code]),
            "rbacctl pam enable sshd login su": Says(answers=["y"], after=self.confirm),
            "rbacctl doctor": Says(never=WRONG, code=(0, 1)),
            "passwd root": Says("updated", answers=[world.ROOT_PASSWORD] * 2),
            "rbacctl audit tail": Says(r" account +success +alice +ssh .* admins ", r"otp_replay", "rescue",
                                       before=self.proof),
            "rbacctl audit verify": Says(r"^OK: \d+ records"),
            "rbacctl backup /root/rbacd-$(date +%F).db": Says(after=lambda text: any(
                re.fullmatch(r"rbacd-\d{4}-\d\d-\d\d\.db", x) for x in os.listdir("/root"))),
            "rbacctl pam disable sshd login sudo su": Says(answers=["y"], after=lambda text: all(
                w.read("/etc/pam.d/" + x) == "#%PAM-1.0\n" + STOCK[x]
                for x in ("sshd", "login", "sudo", "su"))),
            "make uninstall": Says(after=lambda text: not os.path.exists("/usr/sbin/rbacd") and
                                   os.path.exists("/etc/rbacd/master.key")),
        })

    @staticmethod
    def sh(command):
        a = world.run("sh", "-c", command, check=False)
        return a.returncode, a.stdout + a.stderr

    def confirm(self, text):
        s = self.login()()
        a = s.run("sudo rbacctl pam confirm", [PW["alice"]])
        s.close()
        return "Confirmed" in a.text

    # ---- the README

    def excerpts(self):
        dist = {x: self.w.read("%s/pam_vmsec/dist/%s" % (world.TREE, x))
                for x in ("sshd", "login", "sshd_config.conf")}
        plain = guide.snippets("README", "")
        for shown, name in ((plain[0], "sshd"), (plain[1], "sshd_config.conf"),
                            (plain[3], "login")):
            lost = guide.missing(shown, dist[name])
            self.r.check("README: its %s is the one that is shipped" % name, not lost, lost)

    def automation(self, text):
        """The Match block and the grant, for dave: his key alone, from the network named."""
        w = self.w
        main, grant = guide.snippets("README", "yaml")
        block = guide.snippets("README", "")[2]
        near = lambda text: text.replace("192.0.2.0/24", "127.0.0.0/8")
        world.run("sh", "-c", "groupadd deployers && usermod -aG deployers dave")
        world.write("/etc/rbacd/policy.d/main.yaml",
                    main + near(grant).replace("grants:\n", ""))
        world.write("/etc/ssh/sshd_config.d/vmsec.conf",
                    w.read("/usr/share/doc/vmsec/pam.d/sshd_config.conf") +
                    near(block).replace("User deploy", "User dave"))
        w.rbacctl("reload")
        self.sshd()
        w.step(15)  # what is known of a person is at most 10 s old
        a = w.ssh("dave", "sshd", options=["BatchMode=yes"])
        self.r.check("README: automation by key alone, in", a.ok, (a, w.last()))
        world.write("/etc/rbacd/policy.d/main.yaml", main + grant.replace("grants:\n", ""))
        w.rbacctl("reload")
        a = w.ssh("dave", "sshd", options=["BatchMode=yes"])
        self.r.check("README: from elsewhere, refused", not a.ok and
                     w.last("account")["reason"] != "", (a, w.last()))

    def readme(self):
        w, main = self.w, guide.snippets("README", "yaml")[0]
        self.excerpts()
        guide.Guide("README", w, self.r, put={"USER": "alice", "TEXT": "'a test'"}).run({
            "make uninstall": Says(after=lambda text: not os.path.exists("/usr/sbin/rbacd") and
                                   self.sh("make install")[0] == 0),
            "rbacctl policy check": Says(
                "policy.d is valid", after=lambda text: w.start(),
                before=lambda: world.write("/etc/rbacd/policy.d/main.yaml", main)),
            "rbacctl explain dave db01.example ssh": Says("^DENY", "no_grant", code=1),
            "rbacctl pam enable sshd": Says(r"^\+account\trequisite\tpam_vmsec.so", answers=["y"],
                                            before=self.settings, after=self.confirm),
            "rbacctl doctor": Says(never=WRONG, code=(0, 1), after=self.automation),
            "rbacctl status": Says("^note:|^problem:", code=(0, 1)),
            # The clock of the tests goes ahead wherever a new code is needed.
            "rbacctl clock accept": Says("nothing to accept|time is accepted"),
            "rbacctl bypass USER --uses 1 --for 1h --why TEXT": Says(
                r"code +\S{8,}", r"T\d\d:\d\d:\d\dZ", after=self.bypass),
            "rbacctl --help": Says("^commands:", "  enrol "),
        })
        w.rbacctl("pam", "disable", "--yes", "sshd")

    def settings(self):
        world.write("/etc/ssh/sshd_config.d/vmsec.conf",
                    self.w.read("/usr/share/doc/vmsec/pam.d/sshd_config.conf"))
        self.sshd()

    def bypass(self, text):
        """One code that counts once."""
        code = re.search(r"code +(\S+)", text).group(1)
        first, second = (self.w.ssh("alice", "sshd", [code]) for _ in range(2))
        return first.ok and not second.ok


def main():
    world.enter()
    dpkg = os.open("/var/lib/dpkg", os.O_PATH)
    r = world.Report("guides_start")
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    s = Start(w, r)
    s.bare(dpkg)
    guide.run_parts(r, s.started, s.readme)
    r.end()


main()
