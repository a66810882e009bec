#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""How soon a change in the directory is a decision, and what many people cost.

usage: bench_ldap.py [VARIANT [PEOPLE [CHANGES]]]; without numbers 10 and 100,000 people
"""
import os
import random
import re
import socket
import statistics
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("../lib", "../faults"):
    sys.path.insert(0, os.path.join(HERE, folder))
import frames  # noqa: E402
import ldapserver as ls  # noqa: E402
import slapd  # noqa: E402
import world  # noqa: E402

DEPTH, CHAINS = 8, 250  # 2,000 groups: each chain's top is named by the policy
CHANGES = 1000
QUESTIONS = 20000


class Client:
    """Writes one attribute over ldapi and waits for the answer."""

    def __init__(self, server):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(server.folder + "/ldapi")
        self.n = 0
        self.ask(ls.tlv(0x60, ls.integer(3), ls.text(slapd.ADMIN.encode()),
                        ls.text(slapd.ADMIN_PW.encode(), 0x80)))

    def ask(self, op):
        self.n += 1
        self.s.sendall(ls.message(self.n, op))
        answer = self.s.recv(4096)
        if b"\x0a\x01\x00" not in answer:
            raise RuntimeError("the server refused: %r" % answer)

    def member(self, group, who, keep):
        value = ls.tlv(0x30, ls.text(b"member"), ls.tlv(0x31, ls.text(ls.dn_of(who.encode()))))
        change = ls.tlv(0x30, ls.integer(0 if keep else 1, 10), value)
        self.ask(ls.tlv(0x66, ls.text(ls.group_dn(group.encode())), ls.tlv(0x30, change)))


class Decisions:
    """One connection after the other to rbacd; only what it says counts."""

    @staticmethod
    def may(user):
        c = frames.Client(frames.ADMIN)
        c.send(frames.call("explain", user=user, vm=world.HOST, privilege="ssh", method="any"))
        got = c.recv()
        while got[0] != frames.END:
            got = c.recv()
        c.close()
        return struct.unpack(">I", got[1][80])[0] == 0

    def until(self, user, want, seconds=30):
        begun = time.monotonic()
        while self.may(user) != want:
            if time.monotonic() - begun > seconds:
                raise TimeoutError("%s: not %s within %d s" % (user, want, seconds))
        return time.monotonic() - begun

    def times(self, users, n):
        out = []
        for i in range(n):
            begun = time.perf_counter()
            self.may(users[i % len(users)])
            out.append(time.perf_counter() - begun)
        return out


def quantiles(times):
    q = statistics.quantiles(times, n=100)
    return q[49] * 1000, q[98] * 1000, max(times) * 1000


class Bench:
    def __init__(self, w, n):
        self.w, self.n = w, n
        self.chains = CHAINS if n > 1000 else 1
        self.depth = DEPTH if n > 1000 else 1
        self.users = ["u%06d" % i for i in range(n)]
        self.members = {}

    def directory(self):
        """Everybody is in one group; groups of a chain are nested to the depth."""
        names = ["c%03d-%d" % (c, d) for c in range(self.chains) for d in range(self.depth)]
        step = -(-self.n // len(names))
        entries = [slapd.person(u, 100000 + i) for i, u in enumerate(self.users)]
        for i, name in enumerate(names):
            self.members[name] = self.users[i * step:(i + 1) * step]
            below = ["cn=%s,ou=groups,%s" % (names[i + 1], slapd.BASE)] \
                if (i + 1) % self.depth else []
            entries.append(slapd.group(name, self.members[name] + below + ["cn=nobody"]))
        return slapd.tree(*entries)

    def policy(self):
        lines = ["vmsec_policy: 1", "vm_sets: {here: {label: {env: [demo]}}}",
                 "roles: {viewer: {privileges: [ssh]}}", "grants:"]
        lines += ["  - {id: g%d, to: [c%03d-0], roles: [viewer], vms: [here]}" % (c, c)
                  for c in range(self.chains)]
        return "\n".join(lines) + "\n"

    def rss(self, pid):
        return int(re.search(r"VmRSS:\s+(\d+)", self.w.read("/proc/%d/status" % pid)).group(1))

    def children(self, pid):
        out = []
        for p in os.listdir("/proc"):
            if p.isdigit() and re.search(r"PPid:\s+%d\n" % pid,
                                         self.w.read("/proc/%s/status" % p)):
                out.append(int(p))
        return out

    def status(self):
        out = self.w.rbacctl("directory", "status", check=False).stdout
        return dict(re.findall(r"^\s*(\w+)\s{2,}(\S.*)$", out, re.M))

    def load(self):
        w = self.w
        self.server = slapd.Slapd(w)
        self.server.load(self.directory())
        self.server.start()
        w.policy(self.policy())
        slapd.configure(w, [self.server.uri])
        begun = time.monotonic()
        w.start()
        self.d = Decisions()
        self.d.until(self.users[-1], True, 300)
        loaded = time.monotonic() - begun
        s = self.status()
        size, pid = int(s.get("snapshot_bytes", 0)), w.children["rbacd"].pid
        follower = sum(self.rss(p) for p in self.children(w.children["rbacd-dir"].pid))
        print("%d people, %d groups: loaded in %.1f s; snapshot %d bytes, %.0f a person; rbacd "
              "%.1f MiB, rbacd-dir %.1f MiB, its follower %.1f MiB" % (
                  self.n, len(self.members), loaded, size, size / self.n, self.rss(pid) / 1024,
                  self.rss(w.children["rbacd-dir"].pid) / 1024, follower / 1024), flush=True)

    def revocation(self, changes):
        client, rng, times, lags = Client(self.server), random.Random(7), [], []
        names = list(self.members)
        for i in range(changes):
            group = rng.choice(names)
            user = rng.choice(self.members[group])
            client.member(group, user, False)
            times.append(self.d.until(user, False))
            client.member(group, user, True)
            self.d.until(user, True)
            if i % 50 == 0:
                lags.append(int(self.status().get("lag_ms", -1)))
        print("%d people: from the write's answer to the first refusal, %d changes: p50 %.1f ms, "
              "p99 %.1f ms, slowest %.1f ms; change to snapshot %d ms (median)" % (
                  self.n, changes, *quantiles(times), statistics.median(lags)), flush=True)
        print("%d people: rbacd afterwards %.1f MiB" % (
            self.n, self.rss(self.w.children["rbacd"].pid) / 1024), flush=True)

    def swaps(self, each=50):
        """Decisions with and without @each changes a second beside them, in turns."""
        go, quiet, busy = [False, True], [], []
        client, group = Client(self.server), list(self.members)[-1]
        user = self.members[group][0]

        def change():
            keep = False
            while go[1]:
                if go[0]:
                    client.member(group, user, keep)
                    keep = not keep
                time.sleep(1 / each)
        t = threading.Thread(target=change)
        t.start()
        for turn in range(10):
            go[0] = turn % 2 == 1
            (busy if go[0] else quiet).extend(self.d.times(self.users, QUESTIONS // 10))
        go[1] = False
        t.join()
        a, b = quantiles(quiet), quantiles(busy)
        print("%d people, %d changes a second: a decision's p50 %.2f and p99 %.2f times the quiet "
              "one (%.2f ms, %.2f ms)" % (self.n, each, b[0] / a[0], b[1] / a[1], a[0], a[1]),
              flush=True)

    def starts(self, n=5):
        """The directory is gone: from the start of both to an ALLOW, by what was kept."""
        w, times = self.w, []
        self.server.stop()
        for _ in range(n):
            for name in ("rbacd-dir", "rbacd"):
                w.stop(name, seconds=20)
            begun = time.monotonic()
            for name in ("rbacd", "rbacd-dir"):
                w.spawn(name, [world.LOCAL_SBIN + "/" + name, "--config",
                               "/etc/rbacd/rbacd.yaml"])
            while not self.answers(self.users[-1]) and time.monotonic() < begun + 30:
                time.sleep(0.002)
            times.append(time.monotonic() - begun)
        print("%d people: from the start of both, without a directory, to the first ALLOW: "
              "median %.0f ms, slowest %.0f ms (goal 200)" % (
                  self.n, 1000 * statistics.median(times), 1000 * max(times)), flush=True)

    def answers(self, user):
        try:
            return self.d.may(user)
        except OSError:
            return False

    def end(self):
        for name in ("rbacd-dir", "rbacd"):
            self.w.stop(name, seconds=20)
        world.run("rm", "-rf", "/var/lib/rbacd", self.server.folder)


def main():
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    sizes = [int(sys.argv[2])] if len(sys.argv) > 2 else [10, 100000]
    changes = int(sys.argv[3]) if len(sys.argv) > 3 else CHANGES
    world.enter()
    w = world.World(variant, shim=False).make()
    w.install()
    slapd.certificates()
    for n in sizes:
        b = Bench(w, n)
        b.load()
        b.revocation(changes)
        b.swaps()
        b.starts()
        b.end()


main()
