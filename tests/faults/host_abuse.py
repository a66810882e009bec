#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""What a host process and a machine can do to a login: 1,344 prepared processes, a system
log that nobody reads, a disk that cannot be written, a boot with nothing.

usage: host_abuse.py [VARIANT]
"""
import os
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

POLICY = """vmsec_policy: 1
roles:
  viewer: {privileges: [ssh, console]}
grants:
  - {id: admins, to: [vmadmins], roles: [viewer], vms: [here], when: {mfa: none}}
vm_sets:
  here: {every: true}
"""
STACK = "auth requisite pam_vmsec.so\naccount requisite pam_vmsec.so\n"


class Host:
    def __init__(self, w, r):
        self.w, self.r = w, r

    def account(self, user):
        """(granted, seconds)"""
        begun = time.monotonic()
        a = world.run(self.w.build_tests + "/phases", "sshd", user, "account", check=False)
        return a.returncode == 0, time.monotonic() - begun

    def prepared(self):
        """Row 25."""
        a = world.run(self.w.build + "/tests/faults/host_abuse", "sshd", "alice", "dave",
                      check=False, timeout=300)
        words = a.stdout.split()[-8:]
        tries, entered = (int(words[i]) for i in (1, 3))
        self.r.check("%d prepared processes: none died, none leaked, nobody got in without a "
                     "grant" % tries, a.returncode == 0, a.stdout[-800:])
        self.r.check("of those with a grant %d got in" % entered, tries // 4 < entered,
                     a.stdout[-200:])
        said = {x.get("dec") for x in self.w.records() if x["ev"] == "account" and
                x.get("user") == "dave"}
        self.r.check("and dave was never allowed", said == {"deny"}, said)

    def deaf_log(self):
        """Row 29: /dev/log is full and nobody reads it."""
        _, before = self.account("alice")
        os.unlink("/dev/log")
        deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        deaf.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        full.setblocking(False)
        full.connect("/dev/log")
        try:
            while True:
                full.send(b"x" * 1000)
        except BlockingIOError:
            pass
        took = [self.account("alice") for _ in range(100)]
        worst = max(t for _, t in took)
        self.r.check("syslog is dead: 100 logins in, none delayed by 100 ms (%.0f ms, before %.0f)"
                     % (1000 * worst, 1000 * before),
                     all(ok for ok, _ in took) and worst < before + 0.1, took[:3])
        deaf.close()
        full.close()
        os.unlink("/dev/log")
        took = [self.account("alice") for _ in range(20)]
        self.r.check("no syslog at all: in", all(ok for ok, _ in took), took)
        self.w.syslog = world.Syslog()
        self.w.syslog.start()

    def full(self):
        """Row 9: no room, then no inodes, on a file system of their own."""
        def used(what):
            return int(world.run("df", "--output=" + what, "/var/lib").stdout.split()[1])

        for what, option in (("used", "size=%dk"), ("iused", "nr_inodes=%d")):
            before = len([x for x in self.w.records() if x.get("dec") == "allow"])
            world.run("mount", "-o", "remount," + option % (used(what) + 1), "/var/lib")
            got = [self.account("alice")[0] for _ in range(30)]
            world.run("mount", "-o", "remount,size=50%,nr_inodes=100000", "/var/lib")
            after = len([x for x in self.w.records() if x.get("dec") == "allow"])
            self.r.check("%s full: of 30 logins %d in, each with its record" % (what, sum(got)),
                         after - before == sum(got) and (what != "used" or sum(got) < 30),
                         (got, before, after))
            self.w.wait(lambda: self.account("alice")[0], 10, "in again")
            self.r.check("room again: in", True)

    def read_only(self):
        """Row 30: the disk cannot be written, and there is no network but lo."""
        w = self.w
        w.stop("rbacd")
        world.run("mount", "-o", "remount,ro", "/var/lib")
        p = subprocess.run([world.LOCAL_SBIN + "/rbacd"], capture_output=True, text=True,
                           timeout=20)
        self.r.check("a disk that cannot be written: rbacd says so and does not start",
                     p.returncode == 1 and "/var/lib/rbacd" in p.stderr, p.stderr)
        ok, took = self.account("alice")
        self.r.check("nobody gets in meanwhile (%.1f s)" % took, not ok and took < 5.5)
        begun = time.monotonic()
        a = w.console("root", [world.ROOT_PASSWORD])
        self.r.check("E2 root on the console does, in %.1f s" % (time.monotonic() - begun),
                     a.ok and time.monotonic() - begun < 10, a)
        world.run("mount", "-o", "remount,rw", "/var/lib")
        w.stop("rbacd-dir")
        w.start()
        self.r.check("writable again: in", self.account("alice")[0])


def main():
    world.enter()
    r = world.Report("host abuse")
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    w.install()
    w.policy(POLICY)
    w.pam("sshd", STACK)
    w.start()
    h = Host(w, r)
    h.prepared()
    h.deaf_log()
    h.full()
    h.read_only()
    v = w.rbacctl("audit", "verify", check=False)
    r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
    r.end()


main()
