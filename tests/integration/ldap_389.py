#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""389 Directory Server, the heart of FreeIPA, for real: followed live, by nsUniqueId.

usage: ldap_389.py [VARIANT]; needs Debian's 389-ds-base
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
import slapd  # noqa: E402
import world  # noqa: E402
from following import Follower  # noqa: E402

URI = "ldapi://%2frun%2fslapd-t.socket"
INF = """[general]
config_version = 2
full_machine_name = localhost
strict_host_checking = False
selinux = False
[slapd]
instance_name = t
root_password = %s
port = 3890
self_sign_cert = False
user = dirsrv
group = dirsrv
[backend-userroot]
suffix = %s
sample_entries = no
create_suffix_entry = True
""" % (slapd.ADMIN_PW, slapd.BASE)
# dscreate knows only systemd; here it starts the server itself.
SYSTEMCTL = """#!/bin/sh
pid=/run/dirsrv/slapd-t.pid log=/var/log/dirsrv/slapd-t/errors
said() { # the dead stay zombies of the test, so only the log tells
	for i in $(seq 100); do
		grep -q "$1" $log && return 0
		sleep 0.1
	done
	return 1
}
case $1 in
is-active) [ -s $pid ] && grep -q 'LDAPI requests' $log && ! grep -q 'slapd stopped' $log ;;
stop) kill "$(cat $pid)" && said 'slapd stopped' ;;
start)
	: >$log && chown dirsrv $log
	ns-slapd -D /etc/dirsrv/slapd-t -i $pid >/dev/null 2>&1
	said 'LDAPI requests'
	;;
esac
"""


class Ds(slapd.Slapd):
    """One instance, made anew by Debian's own tool."""

    def __init__(self, w):  # no configuration of slapd
        self.w, self.base, self.admin = w, slapd.BASE, "cn=Directory Manager"

    local = URI

    def make(self):
        for path, text in (("/etc/passwd", "dirsrv:x:950:950::/:/usr/sbin/nologin\n"),
                           ("/etc/group", "dirsrv:x:950:\n")):
            with open(path, "a") as f:
                f.write(text)
        for path in ("/var/lib/dirsrv", "/run/dirsrv", "/var/log/dirsrv",
                     "/run/lock/dirsrv/slapd-t"):
            os.makedirs(path)
        world.run("chown", "-R", "950:950", "/var/lib/dirsrv", "/run/dirsrv", "/var/log/dirsrv",
                  "/run/lock/dirsrv", "/etc/dirsrv")
        world.write(world.LOCAL_SBIN + "/systemctl", SYSTEMCTL, 0o755)
        world.write("/root/ds.inf", INF, 0o600)
        world.run("dscreate", "from-file", "/root/ds.inf", timeout=120)
        for plugin in ("Retro Changelog Plugin", "Content Synchronization"):
            self.modify("dn: cn=%s,cn=plugins,cn=config\nchangetype: modify\n"
                        "replace: nsslapd-pluginEnabled\nnsslapd-pluginEnabled: on\n" % plugin)
        world.run("systemctl", "stop", "dirsrv@t")
        world.run("systemctl", "start", "dirsrv@t")
        self.modify("dn: %s\nchangetype: modify\nadd: aci\naci: (targetattr=\"*\")(version 3.0; acl "
                    "\"rbacd\"; allow (read, search, compare) userdn=\"ldap:///%s\";)\n" % (
                        slapd.BASE, slapd.READER))

    def fill(self, *entries):
        text = slapd.tree(*entries)
        self.tool("ldapadd", text=text[text.index("dn: " + slapd.READER):])

    def stop(self, *_):
        world.run("systemctl", "stop", "dirsrv@t")


def main():
    world.enter()
    r = world.Report("389-ds")
    if not os.path.exists("/usr/sbin/dscreate"):
        print("389-ds: SKIP, no dscreate: apt-get install 389-ds-base")
        return
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    w.install()
    ds = Ds(w)
    ds.make()
    ds.fill(slapd.person("fry", 5001), slapd.person("leela", 5002), slapd.person("amy", 5003),
            slapd.group("crew", ["fry"]),
            slapd.group("outer", ["cn=inner,ou=groups," + slapd.BASE]),
            slapd.group("inner", ["amy"]))
    w.policy("vmsec_policy: 1\nvm_sets: {here: {label: {env: [demo]}}}\n"
             "roles: {viewer: {privileges: [ssh]}}\ngrants:\n"
             "  - {id: a, to: [crew, outer], roles: [viewer], vms: [here]}\n")
    slapd.certificates()
    slapd.configure(w, [URI], "ipa")
    w.start()
    t = Follower(w, r)
    t.expect("a member of a group: in", "fry", True)
    t.expect("nested: in", "amy", True)
    t.never("no member: refused", "leela", seconds=0.1)
    status = t.status()
    r.check("followed by LDAP sync, ids are nsUniqueId", "refreshAndPersist" in status and
            re.search(r"nsUniqueId:[0-9a-f]{8}-[0-9a-f]{8}-", status), status)
    ds.member("crew", "uid=fry,ou=people," + slapd.BASE, False)
    taken = t.expect("ldapmodify takes fry out: the next decision denies", "fry", False)
    print("        after %.0f ms" % ((taken or 0) * 1000))
    ds.member("crew", "uid=fry,ou=people," + slapd.BASE, True)
    t.expect("and back", "fry", True)
    ds.modify("dn: uid=fry,ou=people,%s\nchangetype: modify\nadd: nsAccountLock\n"
              "nsAccountLock: true\n" % slapd.BASE)
    t.expect("a locked account: refused", "fry", False)
    ds.tool("ldapdelete", "uid=amy,ou=people," + slapd.BASE)
    t.expect("a deleted entry: refused", "amy", False)
    for name in ("rbacd-dir", "rbacd"):
        r.check("%s ends with 0" % name, w.stop(name, seconds=20) == 0)
    ds.stop()
    r.end()


main()
