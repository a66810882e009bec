#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Samba as an Active Directory domain controller, for real: polled by uSNChanged.

usage: ldap_samba.py [VARIANT]; needs Debian's samba-ad-dc, samba-ad-provision and
samba-dsdb-modules
"""
import os
import re
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
import slapd  # noqa: E402
import world  # noqa: E402
from following import Follower  # noqa: E402

READER = "CN=rbacd,CN=Users,DC=example,DC=com"
LAG = 6  # seconds; polled each second


def tool(*argv):
    return world.run("samba-tool", *argv, timeout=120)


def provision(w):
    world.run("mount", "-t", "tmpfs", "tmpfs", "/var/cache")  # the world leaves it the host's
    for path in ("/var/lib/samba/private", "/var/lib/samba/sysvol", "/run/samba",
                 "/var/cache/samba", "/var/log/samba"):
        os.makedirs(path)
    with open("/etc/group", "a") as f:
        f.write("users:x:100:\nadm:x:4:\n")
    world.write("/etc/hosts", "127.0.0.1 localhost\n127.0.0.1 dc1.example.com dc1\n")
    if os.path.exists("/etc/samba/smb.conf"):
        os.unlink("/etc/samba/smb.conf")
    tool("domain", "provision", "--realm=EXAMPLE.COM", "--domain=EXAMPLE", "--server-role=dc",
         "--dns-backend=SAMBA_INTERNAL", "--adminpass=" + slapd.ADMIN_PW, "--host-name=dc1",
         "--host-ip=127.0.0.1", "--use-rfc2307", "--option=interfaces=lo",
         "--option=bind interfaces only=yes",
         *("--option=tls %sfile=%s/%s" % (kind, slapd.KEYS, name) for kind, name in (
             ("key", "server.key"), ("cert", "server.pem"), ("ca", "ca.pem"))))
    tool("user", "create", "rbacd", slapd.READER_PW)
    for login in ("Fry", "leela", "amy"):
        tool("user", "create", login, "Some-Canary-Pw-3")
    for group, member in (("crew", "Fry"), ("inner", "amy"), ("outer", "inner")):
        tool("group", "add", group)
        tool("group", "addmembers", group, member)
    w.spawn("samba", ["samba", "-F", "-M", "single", "--debug-stdout"],
            ready=lambda: w.listens(636), seconds=40)


def configure(w):
    path = "/etc/rbacd/rbacd.yaml"
    slapd.configure(w, ["ldaps://127.0.0.1"], "ad", extra="  poll: 1s\n  reconcile: 10s\n",
                    reader=READER)
    world.write(path, re.sub("ou=(people|groups),dc=", "CN=Users,DC=", w.read(path)))


def main():
    world.enter()
    r = world.Report("samba")
    for path in ("/usr/sbin/samba", "/usr/share/samba/setup/ad-schema"):
        if not os.path.exists(path):
            print("samba: SKIP, no %s: apt-get install samba-ad-dc samba-ad-provision "
                  "samba-dsdb-modules" % path)
            return
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    w.install()
    slapd.certificates()
    provision(w)
    configure(w)
    w.policy("vmsec_policy: 1\nvm_sets: {here: {label: {env: [demo]}}}\n"
             "roles: {viewer: {privileges: [ssh]}, operator: {privileges: [sudo]}}\ngrants:\n"
             "  - {id: a, to: [crew, outer], roles: [operator], vms: [here]}\n"
             "  - {id: b, to: [domain users], roles: [viewer], vms: [here]}\n")
    w.start()
    t = Follower(w, r)
    t.expect("a member of a group: in", "Fry", True, 10, "sudo")
    t.expect("nested: in", "amy", True, privilege="sudo")
    t.expect("the primary group: in", "leela", True)
    t.never("no member: refused", "leela", "sudo", 0.1)
    t.never("the login in another spelling: refused", "fry", seconds=0.1)
    status = t.status()
    r.check("ids are objectGUID", re.search(r"objectGUID:[0-9a-f]{8}-", status), status)
    tool("group", "removemembers", "crew", "Fry")
    t.expect("taken out: refused", "Fry", False, LAG, "sudo")
    tool("group", "addmembers", "crew", "Fry")
    t.expect("and back", "Fry", True, LAG, "sudo")
    tool("user", "disable", "Fry")
    t.expect("disabled: refused", "Fry", False, LAG)
    tool("user", "setexpiry", "leela", "--days=-1")
    t.expect("expired: refused", "leela", False, LAG)
    tool("user", "delete", "amy")
    t.expect("deleted: refused", "amy", False, 20, "sudo")
    for name in ("rbacd-dir", "rbacd"):
        r.check("%s ends with 0" % name, w.stop(name, seconds=20) == 0)
    w.stop("samba", signal.SIGTERM, 20)
    r.end()


main()
