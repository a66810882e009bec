# SPDX-License-Identifier: Apache-2.0
"""nslcd with a slapd on loopback: its best case, a directory without any distance.

pam_ldap.so is taken out of its Debian package by `make bench-peers`, never installed, since
installing it would change the host's own PAM stacks.
"""
import os
import shutil

import benchworld
import world

MODULE = world.TREE + "/build/peers/lib/x86_64-linux-gnu/security/pam_ldap.so"
BASE = "dc=bench,dc=example"
SLAPD = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
loglevel 0
threads 4
database mdb
suffix %s
directory /var/lib/ldap-bench
maxsize 1073741824
index objectClass,uid,cn,memberUid eq
access to * by * read
""" % BASE
NSLCD = """uid nslcd
gid nslcd
uri ldap://127.0.0.1:389/
base %s
threads 5
%%s
""" % BASE
# As an administrator would write it: the person must be in one of three groups.
SEARCH = ("pam_authz_search (&(objectClass=posixGroup)(memberUid=$username)"
          "(|(cn=vmadmins)(cn=ops)(cn=held)))")


def missing():
    """What is not there, or None."""
    for path in (MODULE, "/usr/sbin/nslcd", "/usr/sbin/slapd"):
        if not os.path.exists(path):
            return path
    return None


def ldif(people):
    out = ["dn: %s\nobjectClass: dcObject\nobjectClass: organization\ndc: bench\no: bench\n" % BASE]
    for ou in ("people", "groups"):
        out.append("dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n" % (ou, BASE, ou))
    for i, login in enumerate(people):
        out.append("dn: uid=%s,ou=people,%s\nobjectClass: account\nobjectClass: posixAccount\n"
                   "uid: %s\ncn: %s\nuidNumber: %d\ngidNumber: 10000\nhomeDirectory: /home/%s\n"
                   % (login, BASE, login, login, 10000 + i, login))
    for n, name in enumerate(("vmadmins", "ops", "held")):
        members = "".join("memberUid: %s\n" % p for p in people[n::3])
        out.append("dn: cn=%s,ou=groups,%s\nobjectClass: posixGroup\ncn: %s\ngidNumber: %d\n%s"
                   % (name, BASE, name, 20000 + n, members))
    return "\n".join(out)


def start_directory(w, people):
    """slapd, for SSSD too."""
    os.makedirs("/var/lib/ldap-bench")
    world.write("/etc/slapd-bench.conf", SLAPD)
    world.write("/etc/bench.ldif", ldif(people))
    world.run("slapadd", "-q", "-f", "/etc/slapd-bench.conf", "-l", "/etc/bench.ldif")
    w.spawn("slapd", ["/usr/sbin/slapd", "-d", "0", "-f", "/etc/slapd-bench.conf", "-h",
                      "ldap://127.0.0.1:389"], ready=lambda: w.listens(389))


def start(w):
    shutil.copy(MODULE, world.Cover.pam_folder())
    with open("/etc/passwd", "a") as f:
        f.write("nslcd:x:903:903::/:/usr/sbin/nologin\n")
    with open("/etc/group", "a") as f:
        f.write("nslcd:x:903:\n")
    os.makedirs("/run/nslcd")
    os.chown("/run/nslcd", 903, 903)
    world.write("/etc/nslcd.conf", NSLCD % SEARCH, 0o600)
    w.spawn("nslcd", ["/usr/sbin/nslcd", "-n"],
            ready=lambda: os.path.exists("/run/nslcd/socket"))
    w.stack("nslcd", "pam_permit.so", "pam_ldap.so minimum_uid=1000")
