# SPDX-License-Identifier: Apache-2.0
"""SSSD with the slapd of peer_ldap.py: account checks of its cache and of its directory.

`make bench-peers` unpacks SSSD into a root of its own under build/peers; its daemons run in
there, its pam_sss.so is loaded by the same program as ours and meets them at their socket.
"""
import os
import shutil

import peer_ldap
import world

ROOT = world.TREE + "/build/peers/root"
MODULE = ROOT + "/lib/x86_64-linux-gnu/security/pam_sss.so"
PIPE = "/var/lib/sss/pipes/pam"
OWN = ("/etc/sssd", "/var/lib/sss", "/var/log/sssd", "/run")
DAEMONS = ("sssd", "sssd_be", "sssd_nss", "sssd_pam")
CONF = """[sssd]
services = nss, pam
domains = bench
[nss]
[pam]
[domain/bench]
id_provider = ldap
auth_provider = none
access_provider = simple
simple_allow_groups = vmadmins, ops, held
ldap_uri = ldap://127.0.0.1:389
ldap_schema = rfc2307
ldap_search_base = %s
ldap_id_use_start_tls = false
cache_credentials = false
enumerate = false
""" % peer_ldap.BASE


def missing():
    """What is not there, or None."""
    for path in (ROOT + "/usr/sbin/sssd", MODULE, "/usr/sbin/slapd"):
        if not os.path.exists(path):
            return path
    return None


def start(w):
    """After peer_ldap.start_directory()."""
    for path in OWN:
        os.makedirs(ROOT + path, exist_ok=True)
        w.cover.mount("tmpfs", ROOT + path, "tmpfs", "mode=0755")
    w.cover.bind("/dev", ROOT + "/dev")
    w.cover.bind("/proc", ROOT + "/proc")
    for path in ("db", "mc", "pubconf", "pipes", "pipes/private", "gpo_cache", "deskprofile"):
        os.makedirs(ROOT + "/var/lib/sss/" + path, exist_ok=True)
    world.write(ROOT + "/etc/sssd/sssd.conf", CONF, 0o600)
    os.makedirs("/var/lib/sss")
    w.cover.bind(ROOT + "/var/lib/sss", "/var/lib/sss")
    shutil.copy(MODULE, world.Cover.pam_folder())
    w.spawn("sssd", ["/usr/sbin/chroot", ROOT, "/usr/sbin/sssd", "-i", "--logger=stderr"],
            ready=lambda: os.path.exists(PIPE), seconds=30)
    w.stack("sssd", "pam_permit.so", "pam_sss.so")


def rss_kib():
    """Of all its processes; what they share is counted in each."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = world.World.read("/proc/%s/status" % pid)
        except OSError:
            continue
        field = dict(x.split(":", 1) for x in text.splitlines())
        if field["Name"].strip() in DAEMONS:
            total += int(field.get("VmRSS", "0").split()[0])
    return total
