#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Somebody floods rbacd's sockets: the console and other people's logins still get through.

usage: flood.py [VARIANT] [long] [apart] [KIND-SOCKET...]

With kinds (half-pam, asked-pam ...) only those floods. The p99 of honest logins is printed
beside that of the same logins while the same flood beats another daemon's socket: what the
flood takes from everybody's processor is not rbacd's. With apart all but the flood runs at
real-time priority: what is left then is the queue in front of rbacd.
"""
import os
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import benchworld  # noqa: E402
import world  # noqa: E402

PAM = "/run/rbacd/pam/pam.sock"
USER = "/run/rbacd/user.sock"
MEMORY_MIB = {"asan": 1024}  # its shadow and quarantine; 128 for what is shipped
SOCKETS = {"pam": PAM, "user": USER}
FLOODS = [k + "-" + s for s in ("user", "pam") for k in ("idle", "half", "churn")] + [
    "paced-pam", "asked-pam", "su-pam"]
SAMPLE = ["half-user", "half-pam", "asked-pam", "su-pam"]
PACED = "50"  # each 10 ms: no host forks 5,000 su or sshd a second
WHAT = {"paced": "connections each 10 ms", "asked": "ssh logins of 16 sources, stopped at the prompt",
        "su": "stopped su, an invoker each"}
POLICY = benchworld.POLICY + """  - {id: root, to: [local:root], roles: [enter], vms: [all], when: {mfa: none}}
"""


class Flood:
    def __init__(self, variant, long, only, apart):
        self.long, self.only = long, only
        self.yielding = ["chrt", "-o", "0"] if apart else []
        if apart:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        self.limit_mib = MEMORY_MIB.get(variant, 128)
        self.count = "10000" if long else "5000"
        self.seconds = 5 if long else 3
        self.r = world.Report("flood")
        self.w = benchworld.BenchWorld(variant, people=256).make()
        self.w.policy(POLICY)
        self.w.own_stacks()
        self.tool = self.w.build + "/tests/faults/flood"
        self.probe = self.w.build + "/tests/faults/probe"

    def spawn(self, *argv):
        return subprocess.Popen(self.yielding + [self.tool] + list(argv), stdout=subprocess.PIPE, text=True)

    @staticmethod
    def told(p):
        line = p.communicate(timeout=120)[0].splitlines()[-1]
        return dict(zip(("opened", "refused", "allowed", "other"), map(int, line.split()[2:])))

    def good(self):
        """p50 and p99 of honest logins in microseconds; raises when one is refused."""
        m = self.w.drive(1, "pam,login,%d,%s,sshd,ac,code,%s/fresh,0,0"
                         % (600 if self.long else 200, benchworld.CONF, benchworld.DISK))
        return m["login"][0][0], m["login"][0][2]

    def console(self):
        text = world.run(self.probe, "account", PAM, "login", "root", "tty1").stdout
        return text.split()[1] == "allow", text

    def alive(self, what):
        ok, text = self.console()
        self.r.check(what + ": root's console gets through", ok, text)
        self.r.check(what + ": rbacctl status answers",
                     self.w.rbacctl("status", check=False).returncode == 0)
        mib = self.w.rss_kib("rbacd") / 1024
        self.r.check(what + ": rbacd stays below %d MiB (%.1f)" % (self.limit_mib, mib),
                     mib < self.limit_mib, mib)

    def counts(self, kind):
        return PACED if kind == "paced" else self.count

    def loud(self, kind, socket, then=lambda: None):
        """Honest logins while a flood beats @socket, and what the flood got."""
        p = self.spawn(kind, socket, self.counts(kind), str(self.seconds))
        time.sleep(0.5)
        try:
            m = self.good()
            then()
        finally:
            told = self.told(p)
        return m, told

    def under(self, kind, place):
        name = "%s %s on %s.sock" % (self.counts(kind), WHAT.get(kind, kind), place)
        quiet, others, ours = [], [], []
        for i in range(3 if self.long else 1):
            quiet.append(self.good())
            if self.long:
                others.append(self.loud(kind, self.floor)[0])
            try:
                m, t = self.loud(kind, SOCKETS[place], lambda: i or self.alive(name))
            except RuntimeError as e:
                self.r.check(name + ": honest logins are allowed", False, e)
                return
            ours.append(m)
            self.r.check(name + ": honest logins are allowed, nothing to the flood (%s)" % t,
                         t["allowed"] == 0, t)
        self.compare("quiet", ours, quiet)
        if others:
            self.compare("the flood elsewhere", ours, others)

    @staticmethod
    def compare(what, ours, base):
        mid = [statistics.median(x[q] for x in rows) for rows in (base, ours) for q in (0, 1)]
        ratio = statistics.median(o[1] / b[1] for o, b in zip(ours, base))
        print("        p50 %.0f -> %.0f us, p99 %.0f -> %.0f us: x %.1f of %s"
              % (mid[0], mid[2], mid[1], mid[3], ratio, what))

    def stale(self):
        """What waited longer than its deadline is dropped, not decided."""
        after = len(self.w.records())
        rbacd = self.w.children["rbacd"]
        rbacd.send_signal(signal.SIGSTOP)
        p = self.spawn("stale", PAM, benchworld.DISK + "/held", "4096", "6")
        p.stdout.readline()
        time.sleep(1.5)
        rbacd.send_signal(signal.SIGCONT)
        t = self.told(p)
        allowed = [x for x in self.w.records(after) if x.get("dec") == "allow"]
        self.r.check("stopped with 4,096 waiting: nothing stale is allowed (%s)" % t,
                     t["allowed"] == 0 and t["opened"] > 1000 and not allowed, allowed[:3])
        self.alive("after the stop")

    def guesses(self):
        """Strangers' failures fill neither the log nor the memory."""
        before = len(self.w.records())
        t = self.told(self.spawn("guess", PAM, "20", str(self.seconds)))
        grown = len(self.w.records()) - before
        # Twenty sources, two or three reasons, at most two minutes touched, and a rest.
        self.r.check("%d guesses of 20 sources made %d records"
                     % (t["refused"], grown), t["allowed"] == 0 and grown <= 20 * 3 * 2 + 20
                     and t["refused"] > 100, t)
        t = self.told(self.spawn("guess", PAM, "100000", str(self.seconds)))
        grown = len(self.w.records()) - before
        self.r.check("%d guesses of as many sources: %d records, bounded by the table"
                     % (t["refused"], grown), t["allowed"] == 0 and grown <= 4096, t)

    def knocks(self):
        """Behind a first factor the person's budget bounds the records."""
        before = len(self.w.records())
        t = self.told(self.spawn("proven", PAM, "20", str(self.seconds)))
        new = self.w.records(before)
        tried = [x for x in new if x.get("reason") == "bad_otp"]
        # Five free tries each; then one record and a count a minute of each source.
        self.r.check("%d wrong codes of 20 people behind a first factor made %d records, "
                     "%d of them tries" % (t["refused"], len(new), len(tried)),
                     t["allowed"] == 0 and len(tried) == 20 * 5
                     and len(new) <= 20 * (5 + 3) and t["refused"] > 400, t)

    def descriptors(self):
        """64 descriptors are all there are: rbacd refuses politely and recovers."""
        w = self.w
        for name in ("rbacd-dir", "rbacd"):
            w.stop(name)
        limited = world.LOCAL_SBIN + "/rbacd-64"
        world.write(limited, "#!/bin/sh\nulimit -n 64\nexec %s/rbacd \"$@\"\n"
                    % world.LOCAL_SBIN, 0o755)
        w.spawn("rbacd", [limited, "--config", "/etc/rbacd/rbacd.yaml"], w.shimmed())
        w.spawn("rbacd-dir", [world.LOCAL_SBIN + "/rbacd-dir", "--config",
                              "/etc/rbacd/rbacd.yaml"])
        w.wait(w.answers, 15, "rbacd does not answer")
        p = self.spawn("half", PAM, "500", "4")
        time.sleep(1)
        self.r.check("64 descriptors and 500 half frames: rbacd is there",
                     w.children["rbacd"].poll() is None)
        self.told(p)
        self.alive("after descriptors ran out")
        try:
            self.good()
            self.r.check("after descriptors ran out: honest logins are allowed", True)
        except RuntimeError as e:
            self.r.check("after descriptors ran out: honest logins are allowed", False, e)

    def run(self):
        w = self.w
        w.start()
        w.drive(1, "pam,prepare,32,%s,sshd,ac,code,%s/held,0,0"
                % (benchworld.CONF, benchworld.DISK))
        self.floor = w.floor("commit", benchworld.DISK + "/commit")
        self.alive("at rest")
        for x in self.only or (FLOODS if self.long else SAMPLE):
            self.under(*x.split("-"))
        if not self.only:
            self.stale()
            self.knocks()
            self.guesses()
            self.descriptors()
        v = w.rbacctl("audit", "verify", check=False)
        self.r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
        self.r.end()


def main():
    world.enter()
    words = sys.argv[1:]
    only = [x for x in words if x in FLOODS]
    rest = [x for x in words if x not in FLOODS + ["long", "apart"]]
    Flood(rest[0] if rest else "release", "long" in words, only, "apart" in words).run()


main()
