#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""People come over with their phones: files written by the other programs themselves.

google-authenticator and pam_oath of Debian make and use their files in a real sshd; then
the guide's own commands import them, and the same phones log in with vmsec.

usage: migrate.py [VARIANT]
"""
import base64
import json
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import guide  # noqa: E402
import world  # noqa: E402
from guide import Says  # noqa: E402
from pam_stock import STOCK  # noqa: E402

OATH = "/etc/users.oath"
OLD_STACK = "auth requisite %s\naccount required pam_permit.so\nsession required pam_permit.so\n"
EXPORT = 'rbacctl export --otpauth alice --as alice --why "back to the old module"'
LDIF = """version: 1

dn: cn=params,dc=example
objectClass: oathTOTPParams
oathOTPLength: 6
oathHMACAlgorithm: 1.2.840.113549.2.9
oathTOTPTimeStepPeriod: 30

dn: cn=t1,dc=example
objectClass: oathTOTPToken
oathSecret:: %s
oathTOTPParams: cn=params, dc=example

dn: uid=bob,dc=example
objectClass: oathTOTPUser
uid: bob
oathTOTPToken: cn=t1,dc=example

dn: uid=ghost,dc=example
uid: ghost
oathTOTPToken: cn=t1,dc=example
"""


class Migrate:
    def __init__(self, variant):
        self.r = world.Report("migrate")
        self.w = world.World(variant).make()
        self.w.install()
        self.w.sshd("sshd")
        self.secret = {}
        os.chdir("/root")

    # ---- phones

    @staticmethod
    def totp(secret, at, *more):
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
        return world.run("oathtool", "--totp", "--base32", "-N", when, *more,
                         secret).stdout.strip()

    @staticmethod
    def hotp(secret, counter):
        return world.run("oathtool", "--hotp", "--base32", "-c", str(counter),
                         secret).stdout.strip()

    def login(self, user, code):
        return self.w.ssh(user, "sshd", [code])

    def enters(self, what, user, code, method="totp"):
        a = self.login(user, code)
        x = self.w.last("auth")
        self.r.check(what, a.ok and x.get("mfa_method") == method, (a, x))

    def refused(self, what, user, code, reason):
        a = self.login(user, code)
        x = self.w.last("auth")
        self.r.check(what, not a.ok and x.get("reason") == reason, (a, x))

    # ---- the old programs, with the machine's own clock

    def google(self, user, *options):
        """Its own program makes the file; returns its secret and scratch codes."""
        uid = str(world.PEOPLE[user][0])
        world.run("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "env",
                  "HOME=/home/" + user, "google-authenticator", "-q", "-f", "-w", "3", "-R",
                  "30", "-r", "3", "-e", "4", *options)
        lines = self.w.read("/home/%s/.google_authenticator" % user).splitlines()
        return lines[0], [x for x in lines if re.fullmatch(r"\d{8}", x)]

    def old_programs(self):
        self.secret["alice"], self.scratch = self.google("alice", "-t", "-d")
        self.secret["erin"], _ = self.google("erin", "-c")
        self.w.pam("sshd", OLD_STACK % "pam_google_authenticator.so")
        self.used = self.totp(self.secret["alice"], time.time())
        a = self.login("alice", self.used)
        self.r.check("the phone is in by pam_google_authenticator", a.ok, a)
        a = self.login("alice", self.scratch[0])
        self.r.check("one of its scratch codes, too", a.ok, a)
        a = self.login("erin", self.hotp(self.secret["erin"], 1))
        self.r.check("and the one that counts", a.ok, a)
        seed = os.urandom(20)
        self.secret["carol"] = base64.b32encode(seed).decode()
        world.write(OATH, "# people\nHOTP carol - %s\nHOTP/T30 dave 4711 %s\n" %
                    (seed.hex(), os.urandom(20).hex()), 0o600)
        self.w.pam("sshd", OLD_STACK % "pam_oath.so usersfile=%s window=5" % OATH)
        a = self.login("carol", self.hotp(self.secret["carol"], 0))
        self.r.check("a counter is in by pam_oath, which writes it down", a.ok and
                     "HOTP\tcarol" in self.w.read(OATH), (a, self.w.read(OATH)))

    # ---- the guide

    def other_files(self):
        seed = os.urandom(20)
        self.secret["bob"] = base64.b32encode(seed).decode()
        world.write("/root/tokens.ldif", LDIF % base64.b64encode(seed).decode(), 0o600)
        self.secret["alice-2"] = base64.b32encode(os.urandom(20)).decode()
        world.write("/root/phones.txt", "otpauth://totp/Old:alice?secret=%s&digits=8\n"
                    % self.secret["alice-2"], 0o600)

    def guide(self):
        """The guide's commands, as it shows them; {command: what it printed}."""
        said = {}

        def keep(command, *patterns, code=0):
            return {command: Says(*patterns, code=code,
                                  after=lambda text: said.update({command: text}))}
        steps = {
            "rbacctl enrol USER": Says("dave is enrolled", put={"USER": "dave"},
                                       answers=[self.code]),
            "rbacctl pam enable sshd": Says(
                r"^\+account\trequisite\tpam_vmsec.so", "goes back|60 s", answers=["y"],
                before=lambda: self.w.pam("sshd", STOCK["sshd"]), after=self.revert),
            "rbacctl explain USER VM ssh --with-code": Says(
                "^ALLOW", put={"USER": "alice", "VM": world.HOST}),
            EXPORT: Says(instead=lambda line: (0, "run in export()")),
        }
        for name, what, code in (("google-authenticator", "/home/*/.google_authenticator", 0),
                                 ("pam-oath", OATH, 1), ("oath-ldap", "tokens.ldif", 1),
                                 ("otpauth", "phones.txt", 0)):
            steps.update(keep("rbacctl import %s --dry-run %s" % (name, what),
                              "would be imported", code=code))
            steps.update(keep("rbacctl import %s %s" % (name, what), code=code))
        guide.Guide("migration", self.w, self.r).run(steps)
        return said

    def code(self, text):
        self.secret["dave"] = re.search(r"secret=([A-Z2-7]+)", text).group(1)
        return self.totp(self.secret["dave"], self.w.now())

    def revert(self, text):
        a = self.w.rbacctl("pam", "revert", check=False)
        self.w.stacks()
        return "Taken back" in a.stdout

    def imported(self):
        before = self.w.rbacctl("users").stdout
        said = self.guide()
        dry = [x for x in said if "--dry-run" in x]
        self.r.check("nobody was enrolled before", "alice" not in before, before)
        google, oath, ldif, uris = (said[x] for x in said if x not in dry)
        self.r.check("both of google-authenticator's files", "2 imported, 0 left out" in google, google)
        self.r.check("pam_oath's counter; the line with a PIN is left out, and said",
                     "1 imported, 1 left out" in oath and
                     "a PIN, which would be lost" in oath, oath)
        self.r.check("the LDIF's token; nobody whom the directory does not know",
                     "1 imported, 1 left out" in ldif and "nobody called" in ldif, ldif)
        self.r.check("the address, as a second factor", "totp-2" in uris, uris)
        rows = [x for x in self.w.records() if x["ev"] == "admin.import"]
        self.r.check("five records, none of a dry run", len(rows) == 5, rows)
        again = world.run("sh", "-c", [x for x in said if "google" in x][1], check=False)
        self.r.check("once more: nothing is taken twice", again.returncode == 1 and
                     "0 imported, 2 left out" in again.stdout, again)
        secrets = list(self.secret.values()) + self.scratch
        for path in ("/var/lib/rbacd/rbacd.db", "/var/lib/rbacd/rbacd.db-wal",
                     "/var/log/rbacd.log", world.LOGFILE):
            with open(path, "rb") as f:
                text = f.read()
            found = [s for s in secrets if s.encode() in text or len(s) == 32 and
                     base64.b32decode(s) in text]
            self.r.check("no secret in " + path, not found, found)

    def phones(self):
        w, s = self.w, self.secret
        w.stacks()
        self.refused("the code that the old module took is none here", "alice", self.used,
                     "otp_replay")
        w.step(90)
        self.enters("google-authenticator's phone is in", "alice", self.totp(s["alice"], w.now()))
        self.enters("its unused scratch code is in, once", "alice", self.scratch[1], "recovery")
        self.refused("and not twice", "alice", self.scratch[1], "bad_otp")
        self.enters("its counter goes on at the next", "erin", self.hotp(s["erin"], 2))
        self.refused("what it counted before is used", "erin", self.hotp(s["erin"], 1),
                     "bad_otp")
        self.enters("pam_oath's counter goes on", "carol", self.hotp(s["carol"], 1))
        self.refused("and the code that it took last is used", "carol",
                     self.hotp(s["carol"], 0), "bad_otp")
        self.enters("the LDIF's token is in, with SHA-256", "bob",
                    world.run("oathtool", "--totp=sha256", "--base32", "-N", time.strftime(
                        "%Y-%m-%d %H:%M:%S UTC", time.gmtime(w.now())), s["bob"]).stdout.strip())
        self.enters("the second phone of eight digits is in", "alice",
                    self.totp(s["alice-2"], w.now(), "-d", "8"))

    # ---- hostile files

    def hostile(self):
        w = self.w
        seed = base64.b32encode(os.urandom(20)).decode()
        files = {"/home/alice/.google_authenticator": (seed + "\n", 2002, 0o600),
                 "/home/carol/.google_authenticator": (seed + "\n", 2003, 0o666)}
        for path, (text, uid, mode) in files.items():
            world.write(path, text, mode, (uid, uid))
        os.symlink("/root/phones.txt", "/home/bob/.google_authenticator")
        os.mkfifo("/home/dave/.google_authenticator")
        r = w.rbacctl("--json", "import", "google-authenticator",
                      *["/home/%s/.google_authenticator" % u
                        for u in ("alice", "carol", "bob", "dave", "nobodyhere")], check=False)
        said = [x["result"] for x in json.loads(r.stdout)["import"]]
        want = ("belongs to uid 2002", "may write it", "symbolic link", "regular", "No such")
        self.r.check("another's file, one that all may write, a link, a pipe, none",
                     r.returncode == 1 and len(said) == len(want) and
                     all(a in b for a, b in zip(want, said)), (said, want))
        os.chown("/root/phones.txt", 2002, 2002)
        r = w.rbacctl("import", "otpauth", "/root/phones.txt", check=False)
        self.r.check("a list that a person can write", r.returncode == 1 and
                     "belongs neither" in r.stderr, r)

    # ---- out again

    def export(self):
        w = self.w
        line = EXPORT
        r = world.run("sh", "-c", line, input="000000\n", check=False)
        self.r.check("export: not with a wrong code", r.returncode == 1 and not r.stdout, r)
        w.step(60)
        code = self.totp(self.secret["alice"], w.now())
        r = world.run("sh", "-c", line, input=code + "\n", check=False)
        uris = r.stdout.splitlines()
        self.r.check("export: alice's two factors, with a fresh code", r.returncode == 0 and
                     sorted(re.search("secret=([A-Z2-7]+)", u).group(1) for u in uris) ==
                     sorted([self.secret["alice"], self.secret["alice-2"]]), r)
        r = world.run("sh", "-c", line, input=code + "\n", check=False)
        self.r.check("export: the code is used up", r.returncode == 1 and not r.stdout, r)
        w.step(60)
        r = w.rbacctl("export", "--otpauth", "--as", "bob", check=False,
                      input=world.run("oathtool", "--totp=sha256", "--base32", "-N", time.strftime(
                          "%Y-%m-%d %H:%M:%S UTC", time.gmtime(w.now())),
                          self.secret["bob"]).stdout)
        self.r.check("export: not for somebody without sudo", r.returncode == 1 and
                     not r.stdout and "become root" in r.stderr, r)
        rows = [x for x in w.records() if x["ev"] == "admin.export"]
        self.r.check("export: each try is an alert in the log", len(rows) == 4 and
                     {x["sev"] for x in rows} == {"alert"} and
                     [x["outcome"] for x in rows].count("success") == 1, rows)

    def run(self):
        self.old_programs()
        self.other_files()
        self.w.stacks()
        self.w.start()
        self.imported()
        self.phones()
        self.hostile()
        self.export()
        self.r.end()


def main():
    if not shutil.which("google-authenticator"):
        print("migrate: SKIP, google-authenticator is missing: apt-get install "
              "libpam-google-authenticator libpam-oath")
        sys.exit(77)
    world.enter()
    Migrate(sys.argv[1] if len(sys.argv) > 1 else "release").run()


main()
