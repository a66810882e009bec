#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""What a host process and a machine can do to a login: 1,344 prepared processes, a system
log that nobody reads, a disk that cannot be written, boots without this and that.

usage: host_abuse.py [VARIANT [long]]
"""
import os
import re
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
MISSING = ("disk", "lo", "key", "rbacd-dir", "clock", "syslog")
EVERY = [[x for i, x in enumerate(MISSING) if n >> i & 1] for n in range(1 << len(MISSING))]
SAMPLE = [["disk"], ["lo", "key"], ["rbacd-dir", "clock", "syslog"], list(MISSING)]
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

    # ---- row 30

    def boots(self, which):
        """A boot with nothing: each set of MISSING in turn, from the same state."""
        w = self.w
        self.down()
        world.run("rm", "-rf", "/root/state")
        world.run("cp", "-a", "/var/lib/.", "/root/state")
        slowest = max([self.boot(lacks) for lacks in which])
        self.r.check("E2 %d boots: root was in each time, after %.1f s at most" % (
            len(which), slowest), slowest < 10)
        w.start()
        self.r.check("all there again: in", self.account("alice")[0])

    def down(self):
        for name in ("rbacd", "rbacd-dir"):
            if name in self.w.children:
                self.w.stop(name)

    def boot(self, lacks):
        """Return: the seconds that root's login on the console took."""
        w, what = self.w, "a boot without " + (" and ".join(lacks) or "a fault")
        self.take("disk" in lacks, "mount", "-o", "remount,ro", "/var/lib")
        self.take("lo" in lacks, "ip", "link", "set", "lo", "down")
        self.take("key" in lacks, "mv", "/etc/rbacd/master.key", "/root/master.key")
        self.take("syslog" in lacks, "mv", "/dev/log", "/dev/log.gone")
        w.set_clock(-int(time.time()) + 60 if "clock" in lacks else 0)
        w.set_sync("clock" not in lacks)
        self.served(what, lacks)
        ok, took = self.account("alice")
        serves = not {"disk", "key"} & set(lacks)
        self.r.check("%s: alice is %s" % (what, "in" if ok else "out"),
                     took < 5.5 and ok == (serves and "rbacd-dir" not in lacks), (ok, took))
        begun = time.monotonic()
        a = w.console("root", [world.ROOT_PASSWORD])
        took = time.monotonic() - begun
        self.r.check("E2 %s: root on the console" % what, a.ok, a)
        self.put_back(lacks)
        return took

    def take(self, does, *argv):
        """What an ended process leaves open may hold the disk for a moment."""
        if does:
            self.w.wait(lambda: world.run(*argv, check=False).returncode == 0, 5, " ".join(argv))

    def served(self, what, lacks):
        """rbacd serves and tells what it misses, or it says why it does not start."""
        w = self.w
        if {"disk", "key"} & set(lacks):
            p = subprocess.run([world.LOCAL_SBIN + "/rbacd"], capture_output=True, text=True,
                               timeout=20)
            named = "/var/lib/rbacd" if "key" not in lacks else "/etc/rbacd/master.key"
            self.r.check(what + ": rbacd says why it does not start",
                         p.returncode == 1 and named in p.stderr, p.stderr)
            return
        env = {"LD_PRELOAD": w.build_tests + "/clockshim.so", "VMSEC_CLOCK_FILE": world.CLOCK}
        for name in ("rbacd", "rbacd-dir"):
            if name not in lacks:
                w.spawn(name, [world.LOCAL_SBIN + "/" + name], env if name == "rbacd" else None)
        status = lambda: w.rbacctl("status", check=False)
        w.wait(lambda: status().returncode == (1 if {"rbacd-dir", "clock"} & set(lacks) else 0),
               15, what + ": rbacd does not serve")
        told = status().stdout
        self.r.check(what + ": rbacd serves, and says what it misses",
                     ("rbacd-dir" in lacks) == bool(re.search("problem: .*rbacd-dir", told)) and
                     ("clock" in lacks) == bool(re.search("(note|problem): .*clock", told)), told)

    def put_back(self, lacks):
        self.down()
        self.take("disk" in lacks, "mount", "-o", "remount,rw", "/var/lib")
        self.take("lo" in lacks, "ip", "link", "set", "lo", "up")
        self.take("key" in lacks, "mv", "/root/master.key", "/etc/rbacd/master.key")
        self.take("syslog" in lacks, "mv", "/dev/log.gone", "/dev/log")
        self.w.set_clock(0)
        self.w.set_sync(None)
        world.run("sh", "-c", "rm -rf /var/lib/rbacd /var/lib/rbacd-anchor && "
                  "cp -a /root/state/. /var/lib")


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
    h.boots(EVERY if "long" in sys.argv else SAMPLE)
    v = w.rbacctl("audit", "verify", check=False)
    r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
    r.end()


main()
