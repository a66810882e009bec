#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Reports at their edges: a person renamed, lists longer than a line, a log that cannot be
checked, days that do not exist, half a snapshot; and rbacctl's answers where it fails.

usage: check_edges.py [VARIANT]
"""
import json
import os
import sqlite3
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reportworld import REPORTS, TINY, TREE, Check, column, tables  # noqa: E402

MANY = 60  # VMs of one grant, each with a long name
NAMES = ["machine-with-a-long-name-%03d.example" % i for i in range(MANY)]
WIDE = TINY.replace("to: [web]", "to: [web, web-too]").replace("users: {", "groups: {idle: {}}\nusers: {").replace("db3: {}}", "db3: {}, %s}" % ", ".join(n + ": {}" for n in NAMES)) + \
    "  - {id: g-wide, to: [ops], roles: [user], vms: [%s]}\n" % ", ".join(
        '"vm:%s"' % n for n in NAMES)


class Edges(Check):
    def ctl(self, *words, out=subprocess.PIPE, env=None):
        return subprocess.run([os.path.join(self.bin, "rbacctl"), *words, "--config",
                               self.path("config.yaml")], stdout=out, stderr=subprocess.PIPE,
                              check=False, timeout=60, env=env)

    def report(self, name, *more):
        a = self.ctl("report", name, "--as-of", "2026-11-21", "--since", "2026-11-19", *more)
        return json.loads(a.stdout) if "--json" in more else a


def renamed(c):
    """The same person under another name: once in each list, and no orphan."""
    c.people("people.yaml", {1: "zoe"})
    report = lambda *words: json.loads(c.ctl("report", *words, "--json", "--since", "2026-11-19",
                                             "--until", "2026-11-21").stdout)
    rows = tables(report("mfa"))["mfa"]
    who = column(rows, "user")
    c.check("mfa: who was renamed is one line, under the new name",
            "zoe" in who and "p1" not in who and len(set(who)) == len(who) == 6, who)
    orphans = tables(report("unused"))["orphans"]
    c.check("unused: who was renamed is no orphan",
            "second factor" not in column(orphans, "kind"), orphans["rows"])
    one = tables(report("mfa", "--user", "zoe"))["mfa"]["rows"]
    c.check("mfa --user: by the new name", len(one) == 1, one)
    c.people("people.yaml")


def whole_lists(c):
    """What a reviewer decides about is named in full in every format."""
    for form in ((), ("--json",), ("--csv",), ("--html",)):
        a = c.ctl("report", "review", "--as-of", "2026-11-21", "--since", "2026-11-19", *form)
        text = a.stdout.decode()
        if not form:
            text = "".join(line.strip() for line in text.splitlines())
        missing = [n for n in NAMES if n not in text]
        c.check("review %s: every VM of a grant" % " ".join(form), not missing, missing[:2])


def silent(c):
    """The log ends hours before the report is made: that is no quiet night."""
    a = c.ctl("report", "integrity", "--json", "--since", "2026-11-19", "--until", "2026-11-21T12:00")
    doc = json.loads(a.stdout)
    gaps = tables(doc)["gaps"]
    c.check("integrity: silence up to the end", a.returncode == 1 and "log-silent" in {
        f["code"] for f in doc["body"]["findings"]} and column(gaps, "to")[-1:] ==
        ["2026-11-21T12:00:00Z"] and column(gaps, "minutes")[-1] >= 715, (a.returncode, gaps["rows"]))
    a = c.ctl("report", "integrity", "--json", "--since", "2026-11-21T01:00", "--until",
              "2026-11-21T12:00")
    gaps = tables(json.loads(a.stdout))["gaps"]
    c.check("integrity: a period without a record is one silence", a.returncode == 1 and
            column(gaps, "minutes") == [660], (a.returncode, gaps["rows"]))


def later(c):
    """Uses after the snapshot's moment: idle for no days, not for fewer than none."""
    for name in ("access", "unused"):
        for form in ("--json", "--csv"):
            a = c.ctl("report", name, form, "--as-of", "2026-11-19T12:00", "--since", "2026-11-18",
                      "--until", "2026-11-21")
            c.check("%s %s: no negative days" % (name, form), a.returncode in (0, 1) and not [
                n for n in a.stdout.decode().replace("[", ",").replace("]", ",").split(",")
                if n.strip().startswith("-")], a.stdout[-300:])


def tampered(c):
    """A factor that was disabled in the database: a record of another kind explains nothing."""
    who = [r["uid"] for r in c.lines() if r["ev"] == "admin.reset"][-1]
    words = ("report", "changes", "--json", "--before", c.path("state/snapshots/2026-11-19T000000Z.vmsec"),
             "--since", "2026-11-17", "--until", "2026-11-21")

    def disable(yes):
        db = sqlite3.connect(c.path("state/rbacd.db"))
        db.execute("UPDATE person SET disabled = ? WHERE id = ?", (yes, who))
        db.commit()
        db.close()

    disable(1)
    doc = json.loads(c.ctl(*words).stdout)
    rows = [r for r in tables(doc)["changes"]["rows"] if r[0] == "second factor" and r[2] == "disabled"]
    c.check("changes: disabled without its record", [r[3] for r in rows] == ["nothing"] and
            "change-unexplained" in {f["code"] for f in doc["body"]["findings"]}, rows)
    disable(0)


def between(c):
    """A reset between the earlier snapshot and the period's start: recorded is explained."""
    reset = [r for r in c.lines() if r["ev"] == "admin.reset"][-1]
    db = sqlite3.connect(c.path("state/rbacd.db"))
    for table, column_name in (("factor", "person"), ("person", "id")):
        db.execute("DELETE FROM %s WHERE %s = ?" % (table, column_name), (reset["uid"],))
    db.commit()
    db.close()
    doc = json.loads(c.ctl("report", "changes", "--json", "--since", "2026-11-20T20:00", "--until",
                           "2026-11-21").stdout)
    rows = [r for r in tables(doc)["changes"]["rows"] if r[0] == "second factor"]
    c.check("changes: what was recorded before the period begins is explained",
            [r[2:5] for r in rows] == [["forgotten", "record", reset["seq"]]], rows)
    listed = column(tables(doc)["change-records"], "seq")
    c.check("changes: only the period's records are listed", reset["seq"] not in listed, listed)


def beside(c):
    """Two memberships that open the same: neither is told to open nothing."""
    doc = tables(c.report("review", "--json"))["review"]
    what = {(r[2], r[3]) for r in doc["rows"] if r[1] == "membership"}
    c.check("review: a second way to the same", ("p0", "member of web") in what and
            ("p0", "member of web-too, whose grants decide nothing today") in what or
            ("p0", "member of web, whose grants decide nothing today") in what, what)
    c.check("review: a group that no grant names", ("p0", "member of idle, which opens nothing") in what,
            what)


def unchecked(c):
    """Without its key the log proves nothing: that is missing data, in every report."""
    os.rename(c.path("state/master.key"), c.path("state/away"))
    for name in REPORTS:
        a = c.report(name)
        c.check("%s: a log that was not checked is status 2" % name, a.returncode == 2 and
                b"log was not checked" in a.stdout, (a.returncode, a.stderr[-200:]))
    os.rename(c.path("state/away"), c.path("state/master.key"))


def times(c):
    for given in ("2026-02-31", "2026-06-31T10:00", "2025-02-29", "2026-11-21T10:00:60",
                  "1000000000d"):
        for option in ("--as-of", "--since", "--until"):
            a = c.ctl("report", "access", option, given)
            c.check("%s %s is refused" % (option, given), a.returncode == 64 and
                    option.encode() in a.stderr, (a.returncode, a.stderr))


def failures(c):
    """With --json standard output is one value, whatever went wrong."""
    for words, status in ((("users",), 1), (("status",), 1), (("report", "access", "--user", "x"), 64),
                          (("report", "mfa", "--as-of", "2026-02-31"), 64), (("report", "nothing"), 64),
                          (("explain", "x", "y", "z"), 1), (("lock", "x"), 64),
                          (("audit", "verify", "--json", "--json"), 64)):
        a = c.ctl("--json", *words)
        try:
            result = json.loads(a.stdout)["result"]
        except (ValueError, KeyError):
            result = {}
        c.check("--json %s: status and sentence" % " ".join(words), a.returncode == status ==
                result.get("exit") and result.get("message"), (a.returncode, a.stdout, a.stderr[-200:]))


def forms(c):
    """Commands that end with a sentence have it in JSON; what has a form of its own says so."""
    a = c.ctl("--json", "report", "pack", c.path("pack"), "--as-of", "2026-11-21", "--since", "2026-11-19")
    doc = json.loads(a.stdout)
    c.check("report pack --json", doc == {"folder": c.path("pack"), "vkey": None,
                                          "exit": a.returncode}, doc)
    for words in (("metrics",), ("completion", "bash"), ("pam", "preview", "sshd"), ("audit", "export"),
                  ("audit", "proof", "1"), ("directory", "test")):
        a = c.ctl("--json", *words)
        c.check("--json %s is refused" % words[0], a.returncode == 64 and
                "no form in JSON" in json.loads(a.stdout)["result"]["message"], (a.returncode, a.stdout))


def hostile(c):
    """Names that a stranger chose, on a terminal."""
    os.makedirs(c.path("tree/etc/pam.d"))
    with open(c.path("tree/etc/pam.d", "s\033[31mshd"), "w", encoding="utf-8") as out:
        out.write("auth required pam_vmsec.so\n")
    for words in (("doctor", "--root", c.path("tree")), ("no\033[2J\u202esuch",), ("report", "\x9b31m")):
        a = c.ctl(*words)
        text = (a.stdout + a.stderr).decode(errors="replace")
        c.check("%s: nothing reaches the terminal raw" % words[0].encode(), "\033" not in text and
                "\u202e" not in text and "\x9b" not in text, text[:200])


def cut(c):
    """A list that memory was too short for is still JSON, and no success."""
    shim = os.path.join(TREE, "build/tests/failshim.so")

    def show(at):
        with open(c.path("plan"), "wb") as plan:
            plan.write(struct.pack("=qqq", at, 0, 0))
        a = c.ctl("audit", "show", "--json", env=dict(os.environ, LD_PRELOAD=shim,
                                                      VMSEC_FAIL_FILE=c.path("plan")))
        with open(c.path("plan"), "rb") as plan:
            return a, struct.unpack("=qqq", plan.read())

    whole, (left, _, _) = show(1 << 40)
    n, short = (1 << 40) - left, 0
    for at in range(n - n // 2, n, max(1, n // 160)):
        a, (_, _, failed) = show(at)
        try:
            records = json.loads(a.stdout)
        except ValueError:
            records = None
        short += a.stdout != whole.stdout
        c.check("audit show --json, allocation %d: JSON, whole or no success" % at, failed and
                records is not None and (a.returncode != 0 or a.stdout == whole.stdout),
                (a.returncode, a.stdout[-80:], a.stderr[-200:]))
    c.check("audit show --json: some were cut short", short > 0)


def half(c):
    """A snapshot that could not be written leaves nothing that a later report would take."""
    before = os.listdir(c.path("state/snapshots"))
    with open(c.path("disk"), "wb") as plan:
        plan.write(struct.pack("=iiii", 0, -1, 0, 0))  # no flush succeeds
    a = c.ctl("report", "snapshot", env=dict(os.environ, VMSEC_DISK_FILE=c.path("disk"), LD_PRELOAD=(
        os.path.join(TREE, "build/tests/diskshim.so"))))
    after = os.listdir(c.path("state/snapshots"))
    c.check("snapshot: one that is not on the disk is not kept", a.returncode == 1 and after == before and
            b"could not be kept: Input" in a.stderr,
            (a.returncode, a.stderr, after))
    with open("/dev/full", "w", encoding="utf-8") as full:
        a = c.ctl("report", "access", out=full)
    c.check("a full disk is no success", a.returncode != 0 and b"could not be written" in a.stderr, a)


def main():
    c = Edges(next(iter(sys.argv[1:]), "release"))
    c.make_tiny(WIDE, days=6)
    for test in (renamed, whole_lists, tampered, beside, silent, later, unchecked, times, failures, forms, hostile, cut, half, between):
        test(c)
    c.end()


if __name__ == "__main__":
    main()
