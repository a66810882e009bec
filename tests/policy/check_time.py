#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Hours and dates beside Python's own calendar: thousands of instants, most of them at
a change of clocks, as tests of one policy, which must load; then the same with one wish
turned round, which must not.

usage: check_time.py RBACCTL [SEED]
"""
import datetime as dt
import os
import random
import subprocess
import sys
import tempfile
import zoneinfo

# Half an hour of summer time, a negative one, midnight that does not exist, a day that
# was left out, offsets of 45 minutes, both hemispheres.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca",
         "Africa/Cairo", "America/Santiago", "Asia/Kathmandu", "Pacific/Chatham", "Pacific/Apia",
         "Europe/Dublin", "America/Sao_Paulo", "Asia/Tehran", "America/Nuuk", "Antarctica/Troll")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UTC = dt.timezone.utc
HOUR = 3600
N_WINDOWS, N_DATES, N_INSTANTS = 60, 40, 90


def instant(s):
    return dt.datetime.fromtimestamp(s, UTC)


def changes(zone):
    """The instants at which the zone's offset changes, from 2011 to 2040, to the second."""
    z, found = zoneinfo.ZoneInfo(zone), []
    step = 12 * HOUR
    for s in range(1293840000, 2208988800, step):
        lo, hi = s, s + step
        if instant(lo).astimezone(z).utcoffset() == instant(hi).astimezone(z).utcoffset():
            continue
        while hi - lo > 1:
            mid = (lo + hi) // 2
            if instant(mid).astimezone(z).utcoffset() == instant(lo).astimezone(z).utcoffset():
                lo = mid
            else:
                hi = mid
        found.append(hi)
    return found


class Window:
    def __init__(self, rng, name):
        self.name, self.zone = name, rng.choice(ZONES)
        self.days = rng.sample(range(7), rng.randint(1, 7))
        edges = [0, 60, 90, 120, 150, 180, 1380, 1439] + [rng.randrange(1440) for _ in range(8)]
        self.begin, self.end = rng.sample(sorted(set(edges)), 2)
        if self.end == 0:
            self.end = 1440

    def holds(self, s):
        wall = instant(s).astimezone(zoneinfo.ZoneInfo(self.zone))
        minute, day = wall.hour * 60 + wall.minute, wall.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        return (day in self.days and minute >= self.begin) or \
            ((day - 1) % 7 in self.days and minute < self.end)

    def text(self):
        return 'when: {time: {tz: %s, days: [%s], between: "%02d:%02d-%02d:%02d"}}' % (
            self.zone, ", ".join(DAYS[d] for d in self.days), *divmod(self.begin, 60),
            *divmod(self.end, 60))

    def instants(self, rng, at):
        near = (-86400, -HOUR, -60, -1, 0, 1, 59, 60, HOUR, 86400)
        for _ in range(N_INSTANTS):
            if at and rng.random() < 0.7:
                yield rng.choice(at) + rng.choice(near) + rng.choice((0, rng.randint(-9000, 9000)))
            else:
                yield rng.randint(1300000000, 2200000000)


class Dates(Window):
    """valid: from and until are days of the policy's zone; the second is outside."""

    def __init__(self, rng, name, zone, at):
        self.name, self.zone = name, zone
        z = zoneinfo.ZoneInfo(zone)
        first = instant(rng.choice(at or [1795000000])).astimezone(z).date()
        self.first, self.last = first, first + dt.timedelta(days=rng.randint(1, 3))
        self.noon = int(dt.datetime.combine(first, dt.time(12), z).timestamp())

    def holds(self, s):
        return self.first <= instant(s).astimezone(zoneinfo.ZoneInfo(self.zone)).date() < self.last

    def text(self):
        return "valid: {from: %s, until: %s}" % (self.first, self.last)

    def instants(self, rng, at):
        for _ in range(N_INSTANTS // 3):
            yield self.noon + rng.randint(-20, 100) * HOUR + rng.choice((-1, 0, 1))


def policy(zone, windows, rng, at):
    out = ["vmsec_policy: 1", "defaults: {mfa: none, tz: %s}" % zone,
           "inventory: {h: {}}", "vm_sets: {s: {every: true}}", "roles: {r: {privileges: [ssh]}}",
           "grants:"]
    out += ["  - {id: %s, to: [g-%s], roles: [r], vms: [s], %s}" % (w.name, w.name, w.text())
            for w in windows]
    out.append("tests:")
    for w in windows:
        for s in w.instants(rng, at[w.zone]):
            out.append("  - {user_in: [g-%s], vm: h, do: ssh, at: %s, want: %s}" % (
                w.name, instant(s).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "allow" if w.holds(s) else "deny"))
    return out


def check(rbacctl, path, lines):
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    return subprocess.run([rbacctl, "policy", "check", path], capture_output=True, text=True,
                          timeout=60)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20261121
    rng = random.Random(seed)
    at = {z: changes(z) for z in ZONES}
    windows = [Window(rng, "w%d" % i) for i in range(N_WINDOWS)]
    runs = [policy("UTC", windows, rng, at)]
    for zone in ZONES:
        if at[zone] or zone == "UTC":
            dates = [Dates(rng, "d%d" % i, zone, at[zone]) for i in range(N_DATES // 4)]
            runs.append(policy(zone, dates, rng, at))
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "time.yaml")
        for lines in runs:
            r = check(sys.argv[1], path, lines)
            ok = r.returncode == 0
            passed, failed = passed + ok, failed + (not ok)
            if not ok:
                print("FAILED seed %d: %s" % (seed, r.stderr[:600]))
        last = runs[0][-1]
        turned = last.replace("allow", "deny") if "allow" in last else last.replace("deny", "allow")
        r = check(sys.argv[1], path, runs[0][:-1] + [turned])
        ok = r.returncode == 1 and r.stderr.count("test failed") == 1
        passed, failed = passed + ok, failed + (not ok)
    print("time: %d instants" % sum("want:" in x for lines in runs for x in lines))
    print("time: %d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
