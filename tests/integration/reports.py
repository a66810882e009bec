#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Snapshots and reports beside a running rbacd: recorded, found again, refused when changed.

usage: reports.py [VARIANT]
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

KEPT = "/var/lib/rbacd/snapshots"


def kept():
    return sorted(os.listdir(KEPT))


def snapshots(w, r):
    a = w.rbacctl("report", "snapshot", check=False)
    r.check("a snapshot is kept", a.returncode == 0 and len(kept()) == 1, a)
    sha, name = a.stdout.split()
    last = w.last("report.snapshot")
    r.check("its hash is in the log", last.get("after_sha") == sha and
            last.get("object") == name and last.get("actor") == "uid:0", last)
    mode = os.stat(os.path.join(KEPT, name)).st_mode & 0o777
    r.check("only root reads it", mode == 0o600 and os.stat(KEPT).st_mode & 0o777 == 0o700,
            oct(mode))
    with open(os.path.join(KEPT, name), "rb") as f:
        text = f.read()
    r.check("no secret is in it", not [s for s in w.seeds.values() if s.encode() in text])
    return name


def reports(w, r, name):
    """Source nss lists nobody, so people are incomplete: said, and status 2."""
    a = w.rbacctl("report", "mfa", "--json", check=False)
    doc = json.loads(a.stdout)
    rows = [row for s in doc["body"]["sections"] for t in s["tables"] if t["name"] == "mfa"
            for row in t["rows"]]
    r.check("mfa: alice's factor is there", [x for x in rows if x[0] == "alice" and
                                             x[2] == "active"], rows)
    r.check("mfa: incomplete people are status 2", a.returncode == 2 and
            not doc["result"]["complete"], a.returncode)
    r.check("the log was checked", doc["provenance"]["verify"] == "whole", doc["provenance"])
    path = os.path.join(KEPT, name)
    again = [w.rbacctl("report", "access", "--as-of", path, check=False).stdout
             for _ in range(2)]
    r.check("a kept snapshot makes the same report", again[0] and again[0] == again[1])
    early = w.rbacctl("report", "access", "--as-of", "2020-01-01", check=False)
    r.check("no snapshot of then is no report", early.returncode == 1 and not early.stdout,
            early)
    with open(path, "r+b") as f:
        text = f.read().replace(b'"fails":0', b'"fails":9', 1)
        f.seek(0)
        f.write(text)
    forged = w.rbacctl("report", "access", "--as-of", path, check=False)
    r.check("a changed snapshot is status 3", forged.returncode == 3 and not forged.stdout,
            forged)


def given(w, r):
    """Access that was given on another VM since then is not "earlier" there."""
    people = "/run/people.yaml"
    with open(people, "w", encoding="utf-8") as out:
        out.write('vmsec_people: 1\npeople:\n  - {login: zoe, id: "l:9", uid: 70009, groups: [developers]}\n')
    second = int(time.time())
    w.wait(lambda: int(time.time()) > second, 3, "the name of another second")
    name = w.rbacctl("report", "snapshot", "--people", people).stdout.split()[1]

    def ask(*words):
        a = w.rbacctl("report", "access", "--json", "--people", people, "--before",
                      os.path.join(KEPT, name), *words, check=False)
        t = next(t for s in json.loads(a.stdout)["body"]["sections"] for t in s["tables"]
                 if t["name"] == "access")
        at = [c["name"] for c in t["columns"]].index("since")
        return {row[at] for row in t["rows"]}

    r.check("what was there is told so", ask() == {"earlier"}, ask())
    w.policy(world.POLICY + "inventory: {%s}\n" % ", ".join(
        vm + ": {labels: {env: demo}}" for vm in (world.HOST, "extra1")), reload=True)
    r.check("on another VM it is not", ask() == {"earlier, on other VMs"}, ask())
    r.check("nor for that VM alone", ask("--vm", "extra1") == {"in the period"}, ask("--vm", "extra1"))
    r.check("for the old one it is", ask("--vm", world.HOST) == {"earlier"}, ask("--vm", world.HOST))
    w.policy(world.POLICY, reload=True)
    os.unlink(os.path.join(KEPT, name))


def unrecorded(w, r):
    w.stop("rbacd")
    second = int(time.time())
    w.wait(lambda: int(time.time()) > second, 3, "the name of another second")
    a = w.rbacctl("report", "snapshot", check=False)
    r.check("without rbacd no snapshot is kept", a.returncode == 4 and len(kept()) == 1,
            (a, kept()))


def main():
    world.enter()
    r = world.Report("reports")
    w = world.World(*sys.argv[1:2]).make()
    w.install()
    w.start()
    w.enrol("alice")
    name = snapshots(w, r)
    given(w, r)
    reports(w, r, name)
    unrecorded(w, r)
    r.end()


if __name__ == "__main__":
    main()
