#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: real logins, decided by vmsec, as a transcript that can be read."""
import os
import re
import signal
import sys
import time

import pexpect

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import slapd  # noqa: E402
import world  # noqa: E402

PW = {name: person[2] for name, person in world.PEOPLE.items()}
LOOK_UP = "/var/log/auth.log"


class Demo:
    def __init__(self, w):
        self.w, self.n, self.wrong, self.mark = w, 0, [], 0
        self.started = time.monotonic()
        w.show_typed = True

    def head(self, title):
        self.n += 1
        print("\n\033[1m%2d. %s\033[0m" % (self.n, title) if sys.stdout.isatty()
              else "\n%2d. %s" % (self.n, title), flush=True)
        self.mark = len(self.w.read(LOOK_UP))

    def typed(self, text):
        print("    $ " + text, flush=True)

    def came(self, text):
        if not sys.stdout.isatty():
            text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
        for line in text.replace("\r", "").splitlines():
            if line.strip():
                print("      " + line, flush=True)

    def log(self):
        """The decision lines that rbacd wrote since the step began."""
        time.sleep(0.05)
        for line in self.w.read(LOOK_UP)[self.mark:].splitlines():
            if "rbacd" in line and re.search(r"\b(auth|account|rescue)\b", line):
                print("    log: " + re.sub(r"^<\d+>(1 )?", "", line)[:230], flush=True)
        self.mark = len(self.w.read(LOOK_UP))

    def expect(self, good, what):
        print("    => " + what if good else "    => NOT AS IT SHOULD BE: " + what, flush=True)
        if not good:
            self.wrong.append(what)

    def ssh(self, title, user, server, answers, want, what, key=True):
        self.head(title)
        port = self.w.SSHD[server][0]
        self.typed("ssh %s-p %d %s@127.0.0.1 id" % ("-i key-of-%s " % user if key else "", port,
                                                   user))
        a = self.w.ssh(user, server, answers, key=key, command="echo IN-$(id -un); id")
        self.came(a.text)
        self.log()
        self.expect(a.ok == want, what + " (%.1f s)" % a.seconds)
        return a

    def ctl(self, *argv):
        self.typed("rbacctl " + " ".join(argv))
        r = self.w.rbacctl(*argv, check=False)
        self.came(r.stdout + r.stderr)
        return r

    # ---- the steps

    def enrol(self):
        self.head("Enrolment: the administrator binds alice's phone")
        self.typed("rbacctl enrol alice")
        env = dict(os.environ, TERM="xterm-256color")
        if not sys.stdout.isatty():
            env["NO_COLOR"] = "1"
        child = pexpect.spawn("rbacctl", ["enrol", "alice"], encoding="utf-8", timeout=20,
                              dimensions=(60, 120), env=env)
        child.expect(r"otpauth://totp/\S+\r\n")
        text = child.before + child.after
        self.w.seeds["alice"] = re.search(r"secret=([A-Z2-7]+)", child.after).group(1)
        child.expect(r"Code that[^\r\n]*: ?$")
        code = self.w.code("alice")
        self.came(text + child.before + child.after + code)
        child.sendline(code)
        child.expect(pexpect.EOF)
        child.close()
        self.came("\n".join(child.before.splitlines()[1:]))
        self.expect(child.exitstatus == 0, "alice can use her phone")
        for login in ("bob", "carol", "dave"):
            self.w.enrol(login)
        print("    (bob, carol and dave are enrolled the same way, not shown)")

    def logins(self):
        w = self.w
        self.ssh("Key and code", "alice", "sshd", [lambda: w.code("alice")], True, "alice is in")
        self.ssh("The same code again", "alice", "sshd",
                 [lambda: w.code("alice", fresh=False)], False, "refused: a code is good once")
        self.ssh("Password and code", "bob", "sshd", [PW["bob"], lambda: w.code("bob")], True,
                 "bob is in", key=False)
        self.ssh("A person without a role", "dave", "sshd", [lambda: w.code("dave")], False,
                 "refused: right key, right code, no grant")
        self.ctl("explain", "dave", world.HOST, "ssh")
        self.ssh("Key only (a second sshd: AuthenticationMethods publickey)", "carol",
                 "sshd-keyonly", [], False, "refused: MFA is required")
        print("    (the person is not told why by sshd; the log and explain --id tell)")
        self.ctl("explain", "--id", w.last("account")["id"])

    def sudo_step(self, title, s, command, answers, want, what):
        self.head(title)
        self.typed(command)
        a = s.run(command, answers)
        self.came(a.text)
        self.log()
        self.expect(a.ok == want, what)

    def sudo(self):
        w = self.w
        alice = w.shell("alice", answers=[lambda: w.code("alice")])
        bob = w.shell("bob", answers=[lambda: w.code("bob")])
        carol = w.shell("carol", answers=[lambda: w.code("carol")])
        self.sudo_step("sudo with the role operator", alice, "sudo id -un", [PW["alice"]], True,
                       "allowed; the code of this login is still fresh")
        self.sudo_step("sudo without such a role, though sudoers says ALL", bob, "sudo id -un",
                       [PW["bob"], lambda: w.code("bob")], False, "refused: no grant")
        w.step(20 * 60)
        self.sudo_step("20 minutes later: sudo's timestamp is fresh, the code is too old",
                       alice, "sudo id -un", [lambda: w.code("alice")], True,
                       "allowed after a fresh code")
        carol.run("sudo id -un", [lambda: w.code("carol")])
        w.member("contractors", "carol", False)
        w.step(15)
        self.sudo_step("carol has just used sudo; now her group is taken away", carol,
                       "sudo id -un", [], False, "refused, although sudo itself asks nothing")
        w.member("contractors", "carol", True)
        for s in (alice, bob, carol):
            s.close()

    def self_enrolment(self):
        """Erin has no factor: the login itself shows a key and asks for its code."""
        w = self.w
        self.head("Erin has no phone bound: her first login does it")
        w.policy(world.POLICY + "enrolment:\n  - {to: [vmadmins], at_first_login: true, "
                 "until: 2099-01-01}\n", reload=True)
        self.typed("ssh -p 2201 erin@127.0.0.1 id")
        argv = w.ssh_argv("erin", "sshd", key=False, command="echo IN-$(id -un); id")
        child = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", codec_errors="replace",
                              timeout=20, dimensions=(24, 80), env=dict(os.environ))
        child.expect(r"[Pp]assword[^\r\n]*: ?$")
        child.sendline(PW["erin"])
        child.expect(r"Code that the app shows[^\r\n]*: ?$")
        key = "".join(re.findall(r"(?<![A-Z2-7])[A-Z2-7]{4}(?![A-Z2-7])", child.before)[:8])
        w.seeds["erin"] = key
        stored = "erin" in w.rbacctl("users").stdout
        shown = child.before + child.after
        if len(key) == 32:
            code = w.code("erin")
            child.sendline(code)
            child.expect(r"press Enter[^\r\n]*: ?$")
            shown += code + child.before + child.after
            child.sendline("")
        good = child.expect(["IN-erin", pexpect.EOF, pexpect.TIMEOUT]) == 0
        self.came(shown + child.before)
        child.close(force=True)
        self.log()
        self.expect(good and not stored, "erin is in; nothing was stored before the right code")
        w.policy(world.POLICY, reload=True)

    def password(self):
        """passwd(1): a password that everybody uses is refused, with the reason."""
        w, new = self.w, "violet-Kettle-71-harbour"
        self.head("Erin changes her password: one from the list of leaked ones is refused")
        w.policy(world.POLICY + "password: {preset: pci-dss-4}\n", reload=True)
        w.pam("passwd", "password requisite pam_vmsec.so\n"
              "password [success=1 default=ignore] pam_unix.so use_authtok yescrypt\n"
              "password requisite pam_deny.so\npassword required pam_vmsec.so confirm\n")
        w.rbacctl("blocklist", "build", input="correcthorsebatterystaple1\n")
        s = w.shell("erin", answers=[lambda: w.code("erin")])
        self.typed("passwd")
        bad = "correcthorsebatterystaple1"
        a = s.run("passwd", [PW["erin"], bad, bad, new, new])
        s.close()
        self.came(a.text)
        self.expect(a.ok and "pw_blocklisted" in str(w.records()[-8:]),
                    "the second one is good; the log has the reason, and no password")
        w.policy(world.POLICY, reload=True)

    def expired(self):
        world.run("chage", "-d", "0", "dave")
        self.ssh("An expired password, no role", "dave", "sshd",
                 [PW["dave"], lambda: self.w.code("dave")], False,
                 "refused before any password change", key=False)

    def stopped(self):
        w = self.w
        self.head("rbacd stops answering (kill -STOP)")
        rbacd = w.children["rbacd"]
        rbacd.send_signal(signal.SIGSTOP)
        self.typed("ssh -p 2202 alice@127.0.0.1 id     # key only: the account phase alone")
        a = w.ssh("alice", "sshd-keyonly")
        self.came(a.text)
        self.expect(not a.ok and a.seconds < 7, "refused after %.1f s, the deadline is 5 s"
                    % a.seconds)
        self.typed("login root                         # on the console, /dev/tty1")
        a = w.console("root", [world.ROOT_PASSWORD])
        self.came(a.text)
        for line in w.read(LOOK_UP)[self.mark:].splitlines():
            if "pam_vmsec" in line:
                print("    log: " + re.sub(r"^<\d+>", "", line)[:230])
        self.expect(a.ok, "root is in by the rescue line, which needs no rbacd")
        rbacd.send_signal(signal.SIGCONT)
        w.wait(w.answers, 10, "rbacd does not go on")

    def verify(self, what, sql, want):
        w = self.w
        self.head(what)
        if sql:
            self.typed('sqlite3 %s "%s"' % (w.database(), sql))
            world.run("sqlite3", w.database(), sql)
        r = self.ctl("audit", "verify")
        self.expect(r.returncode == want, "whole" if want == 0 else "the change is found")

    def audit(self):
        w = self.w
        self.verify("The audit log", None, 0)
        for name in ("rbacd", "rbacd-dir"):
            w.stop(name)
        world.run("cp", "-a", "/var/lib/rbacd", "/var/lib/whole")
        seq = w.records()[-4]["seq"]
        for what, sql in (
                ("One byte changed",
                 "UPDATE audit SET line = CAST(replace(CAST(line AS TEXT), '\"ev\"', '\"eV\"')"
                 " AS BLOB) WHERE seq = %d" % seq),
                ("The tail cut", "DELETE FROM audit WHERE seq > %d" % seq)):
            self.verify(what, sql, 3)
            world.run("rm", "-rf", "/var/lib/rbacd")
            world.run("cp", "-a", "/var/lib/whole", "/var/lib/rbacd")
        w.start()

    def directory(self):
        """Planet Express: people and groups of an LDAP server, followed live."""
        w, data = self.w, "/mnt/data/ldif/planetexpress"
        if not os.path.isdir(data):
            print("\n    (SKIP the LDAP steps: no test data, see VMSEC_DATA)")
            return
        planet = PlanetExpress(w, data)
        self.head("An LDAP directory: the groups of Planet Express decide from now on")
        for name in ("rbacd-dir", "rbacd"):
            w.stop(name)
        planet.configure()
        w.shim_both = w.shim
        w.start()
        w.wait(lambda: "following" in w.rbacctl("directory", "status", check=False).stdout, 15,
               "the directory is not followed")
        w.enrol("fry")
        self.ctl("directory", "status")
        self.expect(self.ctl("explain", "fry", world.HOST, "ssh", "--with-code").returncode == 0,
                    "fry may log in: ship_crew has the role operator")
        fry = w.shell("fry", answers=[lambda: w.code("fry")])
        self.sudo_step("fry is logged in elsewhere, and sudo is his", fry, "sudo id -un", [], True,
                       "allowed; the code of this login is still fresh")
        self.head("The professor takes fry out of ship_crew")
        self.typed("ldapmodify    # delete: member")
        planet.dismiss("Philip J. Fry")
        self.sudo_step("fry, still logged in, uses sudo again", fry, "sudo id -un", [], False,
                       "refused at once: nothing was cached, nobody was asked")
        fry.close()
        self.ssh("fry logs in again, right key and code", "fry", "sshd", [lambda: w.code("fry")],
                 False, "refused: no grant any more")
        for name in ("rbacd-dir", "rbacd", "slapd"):
            w.stop(name)
        w.shim_both = False
        world.write("/etc/rbacd/rbacd.yaml", world.CONFIG)
        w.policy(world.POLICY)
        w.start()

    def end(self):
        print("\n%d steps, %d not as they should be, %.0f s" % (
            self.n, len(self.wrong), time.monotonic() - self.started), flush=True)
        for what in self.wrong:
            print("    " + what)

    def keep(self):
        """Begin anew with the true clock, so that a real phone fits."""
        w = self.w
        outer = os.environ.get("VMSEC_OUTER", "")
        for name in ("rbacd", "rbacd-dir"):
            w.stop(name)
        world.run("rm", "-rf", "/var/lib/rbacd")
        world.run("chage", "-d", "2025-01-01", "dave")
        w.shim = False
        w.set_clock(0)
        w.start()
        for login in ("alice", "bob", "carol", "dave"):
            w.enrol(login)
        print("\nIt keeps running. From another terminal, as root:\n"
              "    nsenter -a -t $(pgrep -P %s) bash     # a shell inside\n"
              "and there:\n"
              "    rbacctl status; rbacctl audit tail; rbacctl explain dave %s ssh\n"
              "    ssh -p 2201 -i /root/keys/alice alice@127.0.0.1\n"
              "    oathtool --totp -b %s    # alice's code; or: rbacctl reset alice; rbacctl enrol alice\n"
              "The clock is the true one now, state and seeds are new.\n"
              "Passwords: %s.\nCtrl-C ends it all." % (
                  outer, world.HOST, w.seeds["alice"],
                  ", ".join("%s %s" % x for x in sorted(PW.items()))), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


class PlanetExpress:
    """slapd with the people of Planet Express; fry has a home on this host."""

    BASE = "dc=planetexpress,dc=com"
    ADMIN, READER = "cn=admin," + BASE, "cn=rbacd," + BASE
    UIDS = {"Philip J. Fry": 5001, "Turanga Leela": 5002, "Bender Bending Rodriguez": 5003}

    def __init__(self, w, data):
        self.w = w
        slapd.certificates()
        self.server = slapd.Slapd(w, base=self.BASE, admin=self.ADMIN, reader=self.READER)
        ldif = [w.read("%s/%s" % (data, name)) for name in sorted(os.listdir(data))
                if not name.startswith("00")]
        self.server.load(slapd.tree(*ldif, base=self.BASE, reader=self.READER))
        self.server.start()
        for name, uid in self.UIDS.items():
            self.server.modify("dn: cn=%s,ou=people,%s\nchangetype: modify\nadd: objectClass\n"
                               "objectClass: posixAccount\n-\nadd: uidNumber\nuidNumber: %d\n-\n"
                               "add: gidNumber\ngidNumber: 5000\n-\nadd: homeDirectory\n"
                               "homeDirectory: /home/x\n" % (name, self.BASE, uid))
        self.home("fry", 5001)

    @staticmethod
    def home(login, uid):
        """For sshd and sudo the name comes from NSS, not from /etc/passwd: extrausers."""
        folder = "/var/lib/extrausers"
        world.write(folder + "/passwd", "%s:x:%d:%d::/home/%s:/bin/bash\n" % (
            login, uid, uid, login))
        world.write(folder + "/shadow", "%s:*:20000:0:99999:7:::\n" % login, 0o640, (0, 42))
        world.write("/etc/nsswitch.conf", "passwd: files extrausers\ngroup: files\n"
                    "shadow: files extrausers\nhosts: files\n")
        os.makedirs("/home/%s/.ssh" % login, mode=0o700)
        world.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/keys/" + login)
        world.run("cp", "/root/keys/%s.pub" % login, "/home/%s/.ssh/authorized_keys" % login)
        world.write("/home/%s/.hushlogin" % login, "")
        world.run("chown", "-R", "%d:%d" % (uid, uid), "/home/" + login)
        with open("/etc/sudoers", "a") as f:
            f.write("%s ALL=(ALL:ALL) NOPASSWD: ALL\n" % login)

    def configure(self):
        slapd.configure(self.w, [self.server.uri], "custom", base=self.BASE, reader=self.READER,
                        folders=("people", "people"),
                        groups=", filter: '(objectClass=Group)'")
        self.w.policy("vmsec_policy: 1\nvm_sets:\n  here: {label: {env: [demo]}}\nroles:\n"
                      "  operator: {privileges: [ssh, sudo]}\ngrants:\n"
                      "  - {id: crew, to: [ship_crew], roles: [operator], vms: [here]}\n")

    def dismiss(self, name):
        self.server.modify("dn: cn=ship_crew,ou=people,%s\nchangetype: modify\ndelete: member\n"
                           "member: cn=%s,ou=people,%s\n" % (self.BASE, name, self.BASE))


def main():
    world.enter()
    print("vmsec demonstration. A private mount, PID and network namespace; real OpenSSH, sudo\n"
          "and login on loopback. To be quick, rbacd's clock alone is moved by a test library\n"
          "(LD_PRELOAD) where a person would wait for the next code; nothing else is faked.")
    w = world.World().make()
    w.install()
    w.start()
    for name in ("sshd", "sshd-keyonly"):
        w.sshd(name)
    d = Demo(w)
    for part in (d.enrol, d.logins, d.sudo, d.self_enrolment,
                 d.password, d.expired, d.stopped, d.audit, d.directory):
        part()
    d.end()
    if "keep" in sys.argv[1:]:
        d.keep()
    sys.exit(1 if d.wrong else 0)


main()
