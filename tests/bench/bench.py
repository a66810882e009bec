#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Ours beside the floors and the peers, as ratios of one run. Reports; never judges.

usage: bench.py [VARIANT] [quick] [pam] [pinned] [load] [verify] [size]
       [people] [policy]
"""
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import benchworld  # noqa: E402
import peer_ldap  # noqa: E402
import peer_sssd  # noqa: E402
import world  # noqa: E402

PARTS = ("pam", "pinned", "load", "verify", "size", "people", "policy")
PERMISSION_DENIED = 6  # PAM_PERM_DENIED
AUTH_FAILED = 7        # PAM_AUTH_ERR


def machine():
    model = next((x.split(":")[1].strip() for x in open("/proc/cpuinfo")
                  if x.startswith("model name")), platform.machine())
    where = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "-T", benchworld.DISK],
                           capture_output=True, text=True).stdout.split("\n")[0]
    return "%d x %s, Linux %s, state on %s" % (os.cpu_count(), model,
                                               platform.release(), where)


def us(rounds, q=0):
    return statistics.median(r[q] for r in rounds)


def ratio(ours, *parts):
    """Median over the rounds of ours / (sum of the parts of the same round)."""
    return statistics.median(o[0] / sum(p[i][0] for p in parts)
                             for i, o in enumerate(ours))


class Table:
    def row(self, name, value, unit, note=""):
        print("  %-52s %10.*f %-4s %s" % (name, 0 if value >= 10000 else 1, value, unit, note),
              flush=True)

    def head(self, text):
        print("\n" + text, flush=True)

    def goal(self, name, value, limit, at_most=True):
        met = value <= limit if at_most else value >= limit
        print("  goal %-47s %10.2f %s %g: %s" % (name, value, "<=" if at_most else ">=", limit,
                                                "met" if met else "MISSED"), flush=True)


def account(name, count, service, people="few-held"):
    return "pam,%s,%d,%s,%s,c,none,%s/%s,0,0" % (name, count, benchworld.CONF, service,
                                               benchworld.DISK, people)


def subjects(n, ping, commit, peers):
    d = benchworld.DISK

    def pam(name, count, service, phases, answer, people, want=0):
        return "pam,%s,%d,%s,%s,%s,%s,%s/%s,0,%d" % (
            name, count, benchworld.CONF, service, phases, answer, d, people, want)
    rows = [pam("permit", 2 * n, "permit", "ac", "none", "few"),
            "ask,round-trip,%d,%s" % (2 * n, ping),
            "ask,commit,%d,%s" % (2 * n, commit),
            "append,append,%d,%s/append" % (2 * n, d),
            "overwrite,overwrite,%d,%s/overwrite" % (2 * n, d),
            pam("account", 2 * n, "sshd", "c", "none", "few-held"),
            pam("login", n, "sshd", "ac", "code", "few"),
            pam("denied", n, "sshd", "c", "none", "few-none", PERMISSION_DENIED),
            pam("oath-10", n, "oath10", "ac", "code", "few")]
    if "google" in peers:
        rows.append(pam("google", n, "google", "ac", "code", "few"))
    if "nslcd" in peers:
        rows.append(account("nslcd", n, "nslcd"))
    if "sssd" in peers:
        rows.append(account("sssd", n, "sssd"))
    return rows


def big_file(n):
    """By itself: rewriting 5 MB would leave the disk busy for whoever comes next."""
    return ["pam,%s,%d,%s,%s,ac,code,%s/few,0,0" % (name, count, benchworld.CONF, service,
                                                  benchworld.DISK)
            for name, count, service in (("oath-100000", max(4, n // 20), "oath100000"),
                                         ("login-beside", n, "sshd"))]


def pam_table(t, m):
    for name, text in (("permit", "pam_permit, pam_start to pam_end"),
                       ("round-trip", "connect, request, reply"),
                       ("commit", "the same, a record flushed before the reply"),
                       ("append", "fdatasync of an appended record"),
                       ("overwrite", "fdatasync of an overwritten record"),
                       ("account", "OURS account decision, durable"),
                       ("denied", "OURS account decision, denied, durable"),
                       ("login", "OURS login: auth with a code, then account"),
                       ("oath-10", "pam_oath, 10 users"),
                       ("oath-100000", "pam_oath, 100,000 users"),
                       ("google", "pam_google_authenticator, DISALLOW_REUSE"),
                       ("nslcd", "nslcd account, slapd on loopback"),
                       ("sssd", "SSSD account, in its cache"),
                       ("sssd-first", "SSSD account, asked for the first time")):
        if name in m:
            t.row(text, us(m[name]), "us", "p90 %.0f p99 %.0f" % (us(m[name], 1),
                                                               us(m[name], 2)))
    floor = [m["permit"], m["round-trip"], m["append"]]
    t.goal("1: account / (permit + round trip + append)", ratio(m["account"], *floor), 1.15)
    t.row("account / (permit + durable floor daemon)",
          ratio(m["account"], m["permit"], m["commit"]), "x")
    t.row("login / (permit + 2 x durable floor daemon)",
          ratio(m["login"], m["permit"], m["commit"], m["commit"]), "x")
    if "nslcd" in m:
        t.goal("1: account / nslcd", ratio(m["account"], m["nslcd"]), 0.5)
    if "sssd" in m:
        t.goal("1: SSSD in its cache / account", 1 / ratio(m["account"], m["sssd"]), 9, False)
    t.goal("2: login / (permit + 2 round trips + 2 appends)",
           ratio(m["login"], *floor, *floor[1:]), 1.15)
    t.goal("2: login / pam_oath of 10 users", ratio(m["login"], m["oath-10"]), 1)
    t.goal("2: login / pam_oath of 100,000 users", ratio(m["login-beside"], m["oath-100000"]), 0.02)
    t.goal("3: denied / account", ratio(m["denied"], m["account"]), 1.05)


class Bench:
    def __init__(self, variant, parts, quick):
        self.parts, self.quick = parts, quick
        self.w = benchworld.BenchWorld(variant).make()
        self.t = Table()
        self.peers = []

    def setup(self):
        w = self.w
        w.own_stacks()
        w.oath("oath10", 10)
        w.oath("oath100000", 100000)
        for source, name in (("fresh", "few"), ("held", "few-held"), ("none", "few-none")):
            with open("%s/%s" % (benchworld.DISK, name), "w") as f:
                for line in w.some(source, 10):
                    f.write(" ".join(line) + "\n")
        w.start()
        self.start_peers()
        self.ping = w.floor("ping")
        self.commit = w.floor("commit", benchworld.DISK + "/commit")
        # The held people prove a code once; then their account phase stands on it.
        w.drive(1, "pam,prepare,10,%s,sshd,ac,code,%s/few-held,0,0"
                % (benchworld.CONF, benchworld.DISK))

    def start_peers(self):
        if os.path.exists(world.Cover.pam_folder() + "/pam_google_authenticator.so"):
            self.w.google("google")
            self.peers.append("google")
        if not os.path.exists("/usr/sbin/slapd"):
            print("nslcd and SSSD are left out: no slapd")
            return
        peer_ldap.start_directory(self.w, ["p%06d" % i for i in range(self.w.n_people)])
        for name, peer in (("nslcd", peer_ldap), ("sssd", peer_sssd)):
            missing = peer.missing()
            if missing:
                print("%s is left out: no %s (make bench-peers)" % (name, missing))
                continue
            peer.start(self.w)
            self.peers.append(name)

    def pam(self, cpu=None):
        rounds, n = (3, 40) if self.quick else (7, 200)
        self.w.pin(cpu)
        m = self.w.drive(rounds, *subjects(n, self.ping, self.commit, self.peers), cpu=cpu)
        m.update(self.w.drive(rounds, *big_file(n), cpu=cpu))
        if "sssd" in self.peers and cpu is None:  # everybody once, and never again
            m.update(self.w.drive(rounds, account("sssd-first", n // 4, "sssd", "held")))
        self.t.head("PAM transactions, medians of %d rounds%s" % (
            rounds, "" if cpu is None else ", everything on one core"))
        pam_table(self.t, m)
        self.w.pin(None)

    def pinned(self):
        self.pam(cpu=0)

    def load(self):
        self.t.head("Durable decisions a second, a connection and a person each")
        ms = "1000" if self.quick else "3000"
        for clients in (1, 16, 64, 256):
            pairs = []
            for _ in range(1 if self.quick else 3):
                floor = self.w.load("floor", clients, ms, self.commit)[0]
                ours = self.w.load("account", clients, ms, "/run/rbacd/pam/pam.sock",
                                   benchworld.DISK + "/held")[0]
                pairs.append((ours["per_s"] / floor["per_s"], ours, floor))
            r, ours, floor = sorted(pairs, key=lambda p: p[0])[len(pairs) // 2]
            self.t.row("OURS, %d clients" % clients, ours["per_s"], "/s",
                       "p50 %.0f p99 %.0f us, refused %d, failed %d; floor daemon %.0f /s"
                       % (ours["p50"], ours["p99"], ours["refused"], ours["failed"],
                          floor["per_s"]))
            if clients == 64:
                self.t.goal("4: of the floor daemon at 64 clients", r, 0.75, False)
                self.beside_peers(ours["per_s"])
        self.swap()
        rows = self.w.load("login", 64, 3 if self.quick else 20, "/run/rbacd/pam/pam.sock",
                           benchworld.DISK + "/fresh")
        self.t.goal("4b: honest logins refused, 64 at once",
                    sum(r["refused"] + r["failed"] for r in rows), 0)

    def beside_peers(self, ours):
        """The peers have no durable record; 16 processes are their best."""
        n = 50 if self.quick else 300
        for name, service, least in (("OURS", "sshd", 0), ("nslcd", "nslcd", 15),
                                     ("SSSD", "sssd", 20)):
            if least and service not in self.peers:
                continue
            per_s = statistics.median(self.w.processes(16, n, account("x", n, service))
                                      for _ in range(1 if self.quick else 3))
            self.t.row("%s account, 16 processes through libpam" % name, per_s, "/s")
            if least:
                self.t.goal("4: 64 clients / %s" % name, ours / per_s, least, False)

    def verify(self):
        """Of all that the parts before have written."""
        begun = time.monotonic()
        text = self.w.rbacctl("audit", "verify").stdout
        took = time.monotonic() - begun
        n = len(self.w.records())
        self.t.head("The audit log")
        self.t.goal("12: records verified a second (%d)" % n, n / took, 500000, False)
        print("  " + text.strip().split("\n")[0])

    def swap(self):
        ms, held = "1500" if self.quick else "5000", benchworld.DISK + "/held"
        pairs = []
        for _ in range(1 if self.quick else 3):
            quiet = self.w.load("account", 64, ms, "/run/rbacd/pam/pam.sock", held)[0]
            swapper = benchworld.Swapper(self.w, 1)
            swapper.start()
            loud = self.w.load("account", 64, ms, "/run/rbacd/pam/pam.sock", held)[0]
            swapper.end()
            pairs.append(loud["p99"] / quiet["p99"])
        self.t.goal("5: p99 at 64 clients, swapped each second / quiet",
                    statistics.median(pairs), 1.5)

    def size(self):
        w = self.w
        self.t.head("Sizes and start")
        kib = os.path.getsize(w.build + "/pam_vmsec.so") / 1024
        r = subprocess.run(["strip", "-o", "/run/stripped.so", w.build + "/pam_vmsec.so"])
        if r.returncode == 0:
            kib = os.path.getsize("/run/stripped.so") / 1024
        self.t.goal("11: pam_vmsec.so, KiB, stripped", kib, 40)
        self.t.row("rbacd, resident, %d people, after the load" % w.n_people,
                   w.rss_kib("rbacd") / 1024, "MiB")
        self.t.row("rbacd-dir, resident", w.rss_kib("rbacd-dir") / 1024, "MiB")
        for name in ("rbacd-dir", "rbacd"):
            w.stop(name)
        begun = time.monotonic()
        w.start()
        self.t.row("start of both to the first answer of rbacctl status",
                   1000 * (time.monotonic() - begun), "ms")
        self.t.goal("8: rbacd, MiB, %d people, idle" % w.n_people, w.rss_kib("rbacd") / 1024, 8)

    def first_login(self, people):
        """Seconds from starting both to the first accepted login."""
        w = self.w
        begun = time.monotonic()
        w.spawn("rbacd", [world.LOCAL_SBIN + "/rbacd", "--config", "/etc/rbacd/rbacd.yaml"],
                w.shimmed())
        w.spawn("rbacd-dir", [world.LOCAL_SBIN + "/rbacd-dir", "--config",
                              "/etc/rbacd/rbacd.yaml"])
        login = w.some("fresh", 1)[0][0]
        while time.monotonic() < begun + 30:
            told = world.run(w.build + "/tests/faults/probe", "login",
                             "/run/rbacd/pam/pam.sock", people, login, str(int(w.now())),
                             check=False).stdout
            if told.count(" allow ") == 2:
                return time.monotonic() - begun
        raise TimeoutError("no login within 30 s of the start")

    def people(self):
        w, n = self.w, 10000 if self.quick else 100000
        self.t.head("%d people, all of them enrolled" % n)
        few = "pam,login,%d,%s,sshd,ac,code,%s/%%s,0,0" % (60 if self.quick else 300,
                                                         benchworld.CONF, benchworld.DISK)
        before = w.drive(3, few % "few")["login"]
        for name in ("rbacd-dir", "rbacd"):
            w.stop(name)
        for found in os.scandir("/var/lib/rbacd"):
            (shutil.rmtree if found.is_dir() else os.unlink)(found.path)
        w.n_people = n
        w.people()
        w.set_clock(0)
        took = self.first_login(benchworld.DISK + "/fresh")
        self.t.goal("10: start to the first login (polled each 50 ms), ms",
                    1000 * took, 200)
        after = w.drive(3, few % "fresh")["login"]
        self.t.goal("2: login, %d people / %d" % (n, 1000), us(after) / us(before), 1.2)
        self.t.goal("8: rbacd, MiB", w.rss_kib("rbacd") / 1024, 32)
        self.t.goal("8: rbacd-dir, MiB", w.rss_kib("rbacd-dir") / 1024, 64)
        self.t.goal("8: rbacd-dir, MiB, at its most", w.rss_kib("rbacd-dir", "VmHWM") / 1024, 64)

    def policy(self):
        tool = self.w.tool("bench_policy")
        self.t.head("One policy decision in memory")
        if not os.path.exists(tool):
            print("  bench_policy is not built: skipped")
            return
        rounds = "10" if self.quick else "50"
        print(world.run(tool, rounds, benchworld.DISK, timeout=600, check=False).stdout, end="",
              flush=True)
        self.engines()

    def engines(self):
        """Casbin and Cedar, which run in node; make bench-peers fetches them."""
        modules = world.TREE + "/build/peers/node_modules"
        if not shutil.which("node") or not os.path.isdir(modules):
            print("  casbin, cedar: skipped, not installed (make bench-peers)")
            return
        for size in ("small", "large"):
            r = world.run("node", world.TREE + "/tests/bench/peer_engines.js",
                          modules, "%s/%s.json" % (benchworld.DISK, size), timeout=300,
                          check=False)
            print(r.stdout or "  casbin, cedar: " + r.stderr.strip()[-200:] + "\n", end="",
                  flush=True)

    def run(self):
        self.setup()
        print("vmsec benchmark: " + machine())
        for part in self.parts:
            getattr(self, part)()


def main():
    world.enter()
    words = sys.argv[1:]
    variant = words.pop(0) if words and words[0] not in PARTS + ("quick",) else "release"
    unknown = [x for x in words if x not in PARTS + ("quick",)]
    if unknown:
        world.fail("unknown part '%s'; known: %s" % (unknown[0], " ".join(PARTS)))
    parts = [x for x in words if x in PARTS] or PARTS
    Bench(variant, parts, "quick" in words).run()


main()
