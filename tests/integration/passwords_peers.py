#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Changing passwords that a directory keeps: pam_ldap with nslcd, pam_sss with SSSD.

usage: passwords_peers.py [VARIANT]; needs what `make bench-peers` unpacks, slapd and nslcd.
"""
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "bench"))
sys.path.insert(0, HERE)
import passwords  # noqa: E402
import peer_ldap  # noqa: E402
import peer_sssd  # noqa: E402
import world  # noqa: E402

BASE = "dc=example,dc=com"
OLD = "Old-Canary-Pw-77"
NEW = {"nslcd": "walnut-Signal-48-estuary", "sssd": "pewter-Garden-92-compass"}
SLAPD = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
loglevel 0
TLSCertificateFile /etc/ldap-cert.pem
TLSCertificateKeyFile /etc/ldap-key.pem
database mdb
suffix %s
directory /var/lib/ldap-test
access to attrs=userPassword by self write by anonymous auth by * none
access to * by * read
""" % BASE
PERSON = """dn: uid=%(user)s,%(base)s
objectClass: account
objectClass: posixAccount
uid: %(user)s
cn: %(user)s
uidNumber: %(uid)d
gidNumber: %(uid)d
homeDirectory: /home/%(user)s
userPassword: %(old)s

"""
STACK = """password requisite pam_vmsec.so
password [success=1 default=ignore] %s
password requisite pam_deny.so
password required pam_vmsec.so confirm
"""
SSSD = """[sssd]
services = nss, pam
domains = test
[nss]
[pam]
[domain/test]
id_provider = ldap
auth_provider = ldap
chpass_provider = ldap
ldap_uri = ldaps://127.0.0.1:636
ldap_tls_cacert = /etc/ldap-cert.pem
ldap_search_base = %s
ldap_schema = rfc2307
cache_credentials = false
""" % BASE


class Peers:
    def __init__(self, variant):
        self.r = world.Report("passwords-peers")
        self.w = w = world.World(variant).make()
        w.install()
        w.policy(world.POLICY + passwords.RULES % "pci-dss-4")
        world.write("/root/common.txt", "password\n")
        self.people()
        self.directory()
        w.start()
        w.rbacctl("blocklist", "build", "/root/common.txt")

    def people(self):
        """Known to the system, and with a password in the directory alone."""
        with open("/etc/passwd", "a") as f:
            for n, name in enumerate(NEW):
                f.write("p-%s:x:%d:%d::/home/%s:/bin/bash\n" % (name, 5001 + n, 5001 + n, name))

    def directory(self):
        world.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/etc/ldap-key.pem", "-out",
                  "/etc/ldap-cert.pem", "-subj", "/CN=127.0.0.1", "-addext",
                  "subjectAltName=IP:127.0.0.1", "-days", "30")
        os.makedirs("/var/lib/ldap-test")
        world.write("/etc/slapd-test.conf", SLAPD)
        world.write("/etc/test.ldif", "dn: %s\nobjectClass: dcObject\nobjectClass: organization\n"
                    "dc: example\no: example\n\n" % BASE + "".join(
                        PERSON % {"user": "p-" + name, "uid": 5001 + n, "base": BASE, "old": OLD}
                        for n, name in enumerate(NEW)))
        world.run("slapadd", "-q", "-f", "/etc/slapd-test.conf", "-l", "/etc/test.ldif")
        self.w.spawn("slapd", ["/usr/sbin/slapd", "-d", "0", "-f", "/etc/slapd-test.conf", "-h",
                               "ldap://127.0.0.1:389 ldaps://127.0.0.1:636"],
                     ready=lambda: self.w.listens(389))

    def binds(self, user, password):
        return world.run("ldapwhoami", "-H", "ldap://127.0.0.1", "-x", "-D",
                         "uid=%s,%s" % (user, BASE), "-w", password, check=False).returncode == 0

    def passwd(self, user, *answers):
        uid = "%d" % (5001 + list(NEW).index(user[2:]))
        return passwords.Passwords.talk(self, ["setpriv", "--reuid", uid, "--regid", uid,
                                              "--clear-groups", "passwd"], answers)

    def change(self, name):
        """One weak try, one good one; then the directory knows the new one alone."""
        w, user, new = self.w, "p-" + name, NEW[name]
        before = len(w.records())
        status, text = self.passwd(user, OLD, "short", "short", new, new)
        events = [(x["ev"], x["outcome"]) for x in w.records()[before:]
                  if x["ev"].startswith("password.")]
        self.r.check("%s: refused, found good, changed, confirmed" % name, status == 0 and
                     events == [("password.new", "failure"), ("password.new", "success"),
                                ("password.changed", "success")], (status, text, events))
        self.r.check("%s: the directory has the new one" % name,
                     self.binds(user, new) and not self.binds(user, OLD))
        before = len(w.records())
        status, text = self.passwd(user, "wrong-current-one", "x-New-Password-63-x",
                                   "x-New-Password-63-x")
        self.r.check("%s: not with a wrong current one, and then nothing is confirmed" % name,
                     status != 0 and self.binds(user, new) and
                     not [x for x in w.records()[before:] if x["ev"] == "password.changed"], text)
        status, text = self.passwd(user, new, new, new, "a", "a", "b", "b")
        self.r.check("%s: the one in force is refused" % name, status != 0 and
                     re.search("used|current|same", text), text)

    def nslcd(self):
        if peer_ldap.missing():
            print("pam_ldap: SKIP, %s is not there (make bench-peers)" % peer_ldap.missing())
            return
        peer_ldap.BASE = BASE
        shutil.copy(peer_ldap.MODULE, world.Cover.pam_folder())
        for path, line in (("/etc/passwd", "nslcd:x:903:903::/:/usr/sbin/nologin\n"),
                           ("/etc/group", "nslcd:x:903:\n")):
            with open(path, "a") as f:
                f.write(line)
        os.makedirs("/run/nslcd")
        os.chown("/run/nslcd", 903, 903)
        world.write("/etc/nslcd.conf", "uid nslcd\ngid nslcd\nuri ldap://127.0.0.1/\nbase %s\n"
                    % BASE, 0o600)
        self.w.spawn("nslcd", ["/usr/sbin/nslcd", "-n"],
                     ready=lambda: os.path.exists("/run/nslcd/socket"))
        self.w.pam("passwd", STACK % "pam_ldap.so minimum_uid=1000 use_authtok")
        self.change("nslcd")

    def sssd(self):
        if peer_sssd.missing():
            print("pam_sss: SKIP, %s is not there (make bench-peers)" % peer_sssd.missing())
            return
        root = peer_sssd.ROOT
        peer_sssd.CONF = SSSD
        shutil.copy("/etc/ldap-cert.pem", root + "/etc/ldap-cert.pem")
        self.w.stack = lambda *a: None
        peer_sssd.start(self.w)
        world.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\n")
        self.w.pam("passwd", STACK % "pam_sss.so use_authtok")
        self.change("sssd")

    def run(self):
        self.nslcd()
        self.sssd()
        self.r.end()


if __name__ == "__main__":
    world.enter()
    Peers(sys.argv[1] if len(sys.argv) > 1 else "release").run()
