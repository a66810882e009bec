#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""All reports from a seeded log and a real operator's access: content pinned, totals
counted again by other code, hostile text, missing data, a changed log.

usage: check_reports.py [VARIANT] [--update]
"""
import collections
import concurrent.futures
import csv
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reportworld import (DATA, HERE, LEAVER, PASSWORD, REPORTS, TREE, Check, column,  # noqa: E402
                         figures, load, tables)

PINNED = os.path.join(HERE, "golden.txt")


# ---------------------------------------------------------------- content


def pinned(c, update):
    """The same content as when it was last looked at. pack() makes all twice."""
    found = {}
    for report in REPORTS:
        raw = c.run(report, "--json").stdout
        c.check("%s: ends well" % report, c.run(report).returncode in (0, 1))
        doc = json.loads(raw)
        body = raw[raw.index(b' "body": ') + len(b' "body": '):-len(b"\n}\n")]
        c.check("%s: the sha256 is that of the body" % report,
                hashlib.sha256(body).hexdigest() == doc["provenance"]["body_sha256"])
        found[report] = doc["provenance"]["body_sha256"]
    del found["passwords"]  # it holds the policy's hash, which is pinned elsewhere
    if update:
        with open(PINNED, "w", encoding="utf-8") as out:
            out.writelines("%s %s\n" % (found[r], r) for r in sorted(found))
    with open(PINNED, encoding="utf-8") as f:
        want = dict(reversed(line.split()) for line in f)
    for report in want:
        c.check("%s: as pinned; if meant, run with --update" % report,
                found.get(report) == want[report], found.get(report))


def schema(c):
    try:
        import jsonschema
    except ImportError:
        print("reports: SKIP the schema, python3-jsonschema is missing")
        return
    with open(os.path.join(TREE, "docs/report.schema.json"), encoding="utf-8") as f:
        schema_doc = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema_doc)
    validator = jsonschema.Draft202012Validator(schema_doc)
    for report in REPORTS:
        wrong = [e.message for e in validator.iter_errors(c.json(report))]
        c.check("%s: valid by the published schema" % report, not wrong, wrong[:2])
    doc = c.json("mfa")
    del doc["provenance"]["policy_sha256"]
    c.check("the schema misses what is missing", list(validator.iter_errors(doc)))


def totals(c):
    """Every sum and row count of every table, added up from its rows."""
    for report in REPORTS:
        doc = c.json(report)
        rows = 0
        for name, t in tables(doc).items():
            rows += len(t["rows"])
            got = dict(t["totals"])
            c.check("%s %s: rows" % (report, name), got.pop("rows") == len(t["rows"]))
            for key, value in got.items():
                want = sum(v for v in column(t, key) if v is not None)
                c.check("%s %s: sum of %s" % (report, name, key), value == want, (value, want))
        c.check("%s: rows of all tables" % report, doc["provenance"]["rows"] == rows)


# ---------------------------------------------------------------- counted again


def activity(c):
    """The log's own lines, counted by other code."""
    n = collections.Counter()
    reasons, sources, people = collections.Counter(), collections.Counter(), {}
    for r in c.lines():
        if r["ev"] not in ("auth", "account"):
            continue
        allow = r.get("dec") == "allow"
        if "uid" in r:
            person = people.setdefault(r["uid"], collections.Counter())
            person["allow" if allow else "deny"] += not allow or r["ev"] == "account"
        if allow and r["ev"] == "auth":
            continue
        n["allow" if allow else "deny"] += r.get("count", 1)
        n["unknown"] += "unknown_user" in r
        n["replay"] += r.get("reason") == "otp_replay"
        sources[r.get("src")] += 1
        if not allow:
            reasons[r["reason"]] += 1
    doc = c.json("activity")
    f, t = figures(doc), tables(doc)
    for name, key in (("allowed", "allow"), ("refused", "deny"), ("unknown", "unknown"),
                      ("replays", "replay")):
        c.check("activity: " + name, f[name] == n[key], (f[name], n[key]))
    c.check("activity: days and hours hold every login",
            t["days"]["totals"]["allowed"] == n["allow"] and
            sum(v for k, v in t["hours"]["totals"].items() if k != "rows") == n["allow"])
    c.check("activity: reasons", dict(zip(column(t["reasons"], "reason"),
                                          column(t["reasons"], "refused"))) == reasons)
    c.check("activity: sources", t["sources"]["totals"]["allowed"] +
            t["sources"]["totals"]["refused"] == sum(sources.values()))
    c.check("activity: people", t["activity-people"]["totals"]["allowed"] ==
            sum(p["allow"] for p in people.values()))
    used = sum(1 for r in c.lines() if r["ev"] == "account" and r.get("dec") == "allow")
    doc = c.json("access")
    c.check("access: every use is on one line",
            tables(doc)["access"]["totals"]["times_used"] == used, used)


def wikimedia_pairs():
    """(person, host, privilege) by the data itself, without policy or compiler."""
    d = load("wikimedia", "tests/data/wikimedia.py").Data(DATA)
    named = {p for g in d.groups for p in d.privileges(g) if p.startswith("su:")}

    def opened(privs):
        more = named - {"su:root"} if "su" in privs else set()
        return privs | more

    on_host = {}
    for host in d.hosts:
        ssh, no_ssh = d.groups_of(host)
        on_host[host] = [(g, opened(d.privileges(g) | {"ssh"})) for g in ssh] + \
                        [(g, opened(d.privileges(g))) for g in no_ssh]
    of_person = {}
    for g in d.groups:
        for login in d.members(g):
            of_person.setdefault(login, set()).add(g)
    pairs = people = 0
    for login, user in d.users.items():
        groups = of_person.get(login, set())
        expired = user["expiry_date"] and user["expiry_date"] <= "2026-11-21"
        if user["ensure"] == "absent" or "absent" in groups or expired:
            continue
        n = sum(len(set().union(*(p for g, p in rules if g in groups)))
                for rules in on_host.values())
        pairs += n
        people += n > 0
    return pairs, people


def access(c):
    pairs, people = wikimedia_pairs()
    f = figures(c.json("access"))
    c.check("access: pairs, by the data itself", f["pairs"] == pairs, (f["pairs"], pairs))
    c.check("access: people, by the data itself", f["people"] == people,
            (f["people"], people))
    rows = csv.reader(c.run("access", "--csv").stdout.decode().splitlines())
    at = next(rows).index("times_used")
    counts = [int(row[at]) for row in rows]
    c.check("access: a CSV row for each", len(counts) == pairs, len(counts))
    c.check("access: with the same uses", sum(counts) == tables(
        c.json("access"))["access"]["totals"]["times_used"], sum(counts))
    one = c.json("access", "--user", LEAVER)
    rows = list(csv.reader(c.run("access", "--csv", "--user", LEAVER).stdout.decode()
                           .splitlines()))
    c.check("access: of one person", figures(one)["pairs"] == len(rows) - 1 > 0)
    vm = rows[1][2]
    rows = list(csv.reader(c.run("access", "--csv", "--vm", vm).stdout.decode().splitlines()))
    c.check("access: of one VM", {r[2] for r in rows[1:]} == {vm} and
            figures(c.json("access", "--vm", vm))["pairs"] == len(rows) - 1)
    c.check("access: an unknown VM is no empty report",
            c.run("access", "--vm", "nowhere").returncode == 64)
    c.check("access: an unknown person is no empty report",
            c.run("access", "--user", "nobody-here").returncode == 64)


def changes(c):
    doc = c.json("changes")
    t = tables(doc)["changes"]
    c.check("changes: who appeared", (
        "account", LEAVER, "appeared") in set(zip(column(t, "kind"), column(t, "who"),
                                                  column(t, "what"))))
    c.check("changes: nobody else changed", set(column(t, "who")) == {LEAVER})
    c.check("changes: all access gained is his", set(column(
        tables(doc)["changed-access"], "user")) == {LEAVER})
    same = c.run("changes", "--json", "--before", c.path("state/now.vmsec"), now=None)
    c.check("changes: without --as-of, people of today", same.returncode in (0, 1), same)


def review(c):
    doc = c.json("review")
    t = tables(doc)["review"]
    ids = column(t, "item")
    c.check("review: every item has an id of its own", len(set(ids)) == len(ids))
    c.check("review: decisions are for the reader to make",
            all(set(column(t, k)) == {None} for k in ("decision", "reviewer", "date",
                                                      "remark")))
    early = json.loads(c.run("review", "--json", "--as-of", c.path("state/before.vmsec"),
                             now=None).stdout)
    old = set(column(tables(early)["review"], "item"))
    gone = {i for i in old - set(ids) if i.startswith("M-")}
    c.check("review: a membership keeps its id", not gone and old < set(ids), gone)


SEP_ROLES = {"dba": [], "pay": [], "audit": [], "lead": ["dba"], "boss": ["lead", "audit"]}
SEP_NEVER = {"s-pay": ["dba", "pay"], "s-three": ["dba", "audit", "pay"]}
SEP_WHEN = ("", ", valid: {until: 2026-11-20}", ", valid: {from: 2099-01-01}",
            ", valid: {from: 2020-01-01, until: 2099-01-01}")


def separation_world(c, rnd):
    """Groups, roles that include others, grants on sets that overlap, some not valid now."""
    grants = []
    for i in range(24):
        grants.append({"id": "g%02d" % i, "to": "t%d" % rnd.randrange(8) if i % 6 else "user:p%02d" % i,
                       "role": rnd.choice(sorted(SEP_ROLES)), "when": rnd.choice(SEP_WHEN),
                       "vms": rnd.sample(range(10), rnd.randrange(1, 4))})
    people = {"p%02d" % i: sorted("t%d" % g for g in rnd.sample(range(8), 2)) for i in range(30)}
    with open(c.path("sep-policy.yaml"), "w", encoding="utf-8") as out:
        out.write("vmsec_policy: 1\ninventory: {%s}\nroles:\n" % ", ".join(
            "v%d: {}" % i for i in range(10)))
        for role, more in sorted(SEP_ROLES.items()):
            out.write("  %s: {privileges: [ssh], includes: [%s]}\n" % (role, ", ".join(more)))
        # p06 is pinned to somebody else: who is called so now gets nothing by it.
        out.write("users: {%s}\n" % ", ".join('p%02d: {id: "l:%d"}' % (i, i if i != 6 else 600)
                                              for i in range(0, 24, 6)))
        out.write("grants:\n")
        for g in grants:
            out.write('  - {id: %s, to: ["%s"], roles: [%s], vms: [%s]%s}\n' % (
                g["id"], g["to"], g["role"], ", ".join('"vm:v%d"' % v for v in g["vms"]), g["when"]))
        out.write("separation:\n")
        for sep, roles in SEP_NEVER.items():
            out.write("  - {id: %s, never_both: [%s]}\n" % (
                sep, ", ".join('"role:%s"' % r for r in roles)))
    with open(c.path("sep-people.yaml"), "w", encoding="utf-8") as out:
        out.write("vmsec_people: 1\npeople:\n")
        for i, (login, groups) in enumerate(people.items()):
            out.write('  - {login: %s, id: "l:%d", uid: %d, groups: [%s]}\n' % (
                login, i, 70000 + i, ", ".join(groups)))
    return grants, people


def separation(c):
    """Conflicts that exist, found again by trying every person, VM, and pair of grants."""
    def gives(role, wanted):
        return role == wanted or any(gives(r, wanted) for r in SEP_ROLES[role])

    grants, people = separation_world(c, random.Random(8))
    with open(c.path("config.yaml"), encoding="utf-8") as f:
        text = f.read().replace("now/policy.yaml", "sep-policy.yaml").replace(
            "now/people.yaml", "sep-people.yaml")
    with open(c.path("sep.yaml"), "w", encoding="utf-8") as f:
        f.write(text)
    valid = [g for g in grants if g["when"] in (SEP_WHEN[0], SEP_WHEN[3]) and
             g["to"] != "user:p06"]
    want = set()
    for login, groups in people.items():
        mine = [g for g in valid if g["to"] in groups or g["to"] == "user:" + login]
        for sep, roles in SEP_NEVER.items():
            for a, b in itertools.combinations(roles, 2):
                for x, y in itertools.product(mine, mine):
                    both = set(x["vms"]) & set(y["vms"])
                    if both and gives(x["role"], a) and gives(y["role"], b):
                        want.add((sep, login, frozenset({(a, x["id"]), (b, y["id"])}), len(both)))
    a = c.run("separation", "--json", config="sep.yaml", now=None)
    doc = json.loads(a.stdout)
    got = lambda doc: [(r[0], r[1], frozenset({(r[2], r[3].split()[-1]), (r[4], r[5].split()[-1])}),
                        r[6]) for r in tables(doc)["separation"]["rows"]]
    c.check("separation: every conflict once and no other, with both paths", set(got(doc)) == want
            and len(got(doc)) == len(want) > 20, set(got(doc)) ^ want)
    held = {(r[1], r[k].split(", grant ")[0]) for r in tables(doc)["separation"]["rows"] for k in (3, 5)}
    c.check("separation: held through a group of theirs, or by name", all(
        p == "user:" + who or p.replace("group:", "") in people[who] for who, p in held), held)
    c.check("separation: says which file people come from", doc["provenance"]["directory_from"]
            == "file " + c.path("sep-people.yaml"), doc["provenance"])
    c.check("separation: conflicts are a finding", a.returncode == 1 and figures(doc)["conflicts"]
            == len(want), a.stderr[-300:])
    who = sorted(want)[0][1]
    one = json.loads(c.run("separation", "--json", "--user", who, config="sep.yaml", now=None).stdout)
    c.check("separation: of one person", set(got(one)) == {r for r in want if r[1] == who})


def passwords(c):
    """The preset at both ends, each number beside it; what became weaker is a finding."""
    with open(c.path("now/policy.yaml"), encoding="utf-8") as f:
        policy = f.read().replace(PASSWORD % "pci-dss-4, min_length: 14, history: 5", "%s")
    with open(c.path("config.yaml"), encoding="utf-8") as f:
        config = f.read().replace("now/policy.yaml", "pw-policy.yaml")
    with open(c.path("pw.yaml"), "w", encoding="utf-8") as f:
        f.write(config)

    def ask(section):
        with open(c.path("pw-policy.yaml"), "w", encoding="utf-8") as f:
            f.write(policy % (section and PASSWORD % section))
        a = c.run("passwords", "--json", "--before", c.path("state/before.vmsec"), config="pw.yaml",
                  now=None, again=True)
        doc = json.loads(a.stdout)
        rows = {row[0]: row[1:] for row in tables(doc)["password-deviations"]["rows"]}
        presets = column(tables(doc)["password-presets"], "preset")
        return a.returncode, presets, rows, {f["code"] for f in doc["body"]["findings"]}

    rc, presets, rows, found = ask("pci-dss-4, min_length: 16, max_age: 60d, history: 5")
    c.check("passwords: the preset at both ends", presets == ["pci-dss-4"] * 2 and rc == 0, presets)
    stricter = {k: row for k, row in rows.items() if row[2] != "none"}
    c.check("passwords: deviations, with what the preset says", stricter == {
        "min_length": ["12", "16", "stricter", "14"], "history": ["4", "5", "stricter", "5"],
        "max_age": ["90 days", "60 days", "stricter", "90 days"]}, stricter)
    c.check("passwords: all numbers are listed", len(rows) == 11 and
            rows["classes"] == ["2", "2", "none", "2"], rows)
    rc, _, rows, found = ask("pci-dss-4, min_length: 13, history: 5")
    c.check("passwords: weaker than at the start is a finding", rc == 1 and
            found == {"password-weaker"}, found)
    rc, presets, rows, found = ask("nist-800-63b-4")
    c.check("passwords: another preset is one too", rc == 1 and "password-preset" in found and
            presets[1] == "nist-800-63b-4" and rows["classes"][:2] == ["forbidden"] * 2, rows)
    rc, presets, rows, found = ask("")
    c.check("passwords: and none any more", rc == 1 and found == {"password-preset"} and
            presets[1] == "none" and not rows, (found, presets))


# ---------------------------------------------------------------- what may go wrong


def narrowed_counts(c):
    """activity of one person, of one VM: every number is theirs alone."""
    lines = [r for r in c.lines() if r["ev"] in ("auth", "account")]
    often = collections.Counter(r["user"] for r in lines if r.get("dec") == "deny" and "user" in r)
    where = collections.Counter(r["vm"] for r in lines if r.get("dec") == "deny")
    for key, value in (("user", often.most_common(1)[0][0]), ("vm", where.most_common(1)[0][0])):
        mine = [r for r in lines if r.get(key) == value]
        allow = [r for r in mine if r["ev"] == "account" and r["dec"] == "allow"]
        deny = sum(r.get("count", 1) for r in mine if r["dec"] != "allow")
        doc = c.json("activity", "--" + key, value)
        f, t = figures(doc), tables(doc)
        what = "activity --%s: " % key
        c.check(what + "allowed, refused", (f["allowed"], f["refused"]) == (len(allow), deny) and
                deny > 0, (f, len(allow), deny))
        c.check(what + "the header says so", any(value in x for x in doc["provenance"]["filters"]) and
                b"Only: " in c.run("activity", "--" + key, value).stdout[:150], doc["provenance"]["filters"])
        for name in ("days", "sources", "activity-vms", "services"):
            got = t[name]["totals"]
            c.check(what + name, (got["allowed"], got["refused"]) == (len(allow), deny), got)
        c.check(what + "hours", sum(v for k, v in t["hours"]["totals"].items() if k != "rows")
                == len(allow))
        c.check(what + "reasons", t["reasons"]["totals"]["refused"] == deny)
        c.check(what + "people", set(column(t["activity-people"], "user")) ==
                {r["user"] for r in mine if "user" in r})
        c.check(what + "VMs", set(column(t["activity-vms"], "name")) == {r["vm"] for r in mine})


def narrowed_people(c):
    """To a VM or a role: mfa and changes are about the people who come in that way."""
    has = {LEAVER: {}, "": {}}
    for row in csv.DictReader(c.run("access", "--csv").stdout.decode().splitlines()):
        for kind in ("vm", "role"):
            has[""].setdefault((kind, row[kind]), set()).add(row["user"])
    joined = {k for k, people in has[""].items() if LEAVER in people}
    for kind in ("vm", "role"):
        mine = min(k for k in joined if k[0] == kind)
        other = min(k for k in has[""] if k[0] == kind and k not in joined)
        for key in (mine, other):
            what = "--%s %s: " % key
            doc = c.json("mfa", "--" + kind, key[1])
            c.check("mfa %speople with that access" % what, set(column(
                tables(doc)["mfa"], "user")) == has[""][key], key)
            t = tables(c.json("changes", "--" + kind, key[1]))
            want = {LEAVER} if key == mine else set()
            c.check("changes %swho" % what, set(column(t["changes"], "who")) == want and
                    set(column(t["changed-access"], "user")) == want, t["changes"]["rows"][:2])
            about = {u for u in column(t["change-records"], "user") if u}
            c.check("changes %srecords" % what, about <= has[""][key], about)
        doc = tables(c.json("unused", "--" + kind, mine[1]))
        c.check("unused --%s: no word on orphans" % kind, "orphans" not in doc)
    vm = min(k[1] for k in joined if k[0] == "vm")
    used = sum(int(r["times_used"]) for r in csv.DictReader(
        c.run("access", "--csv", "--vm", vm).stdout.decode().splitlines()))
    # Ways that open the same share a use, so that the table may count one twice.
    most = collections.Counter(r["vm"] for r in c.lines() if r["ev"] == "account" and
                               r.get("dec") == "allow")
    c.check("access --vm: uses there alone", used == most[vm], (used, most[vm]))
    c.check("access --vm: also in the table", tables(c.json("access", "--vm", vm))["access"][
        "totals"]["times_used"] >= used and max(column(tables(c.json(
            "access", "--vm", vm))["access"], "times_used") + [0]) <= used)


def narrowed(c):
    """A filter acts or is refused; it is never ignored."""
    for report, words in (("passwords", "user vm role"), ("integrity", "user vm role"),
                          ("activity", "role"), ("separation", "vm role")):
        for word in words.split():
            a = c.run(report, "--" + word, "x")
            c.check("%s: --%s is refused" % (report, word), a.returncode == 64 and
                    not a.stdout and b"--" + word.encode() in a.stderr, a)
    for report, words in (("activity", "user vm"), ("access", "user vm role"), ("mfa", "vm role"),
                          ("changes", "user vm role"), ("review", "role"), ("unused", "role")):
        for word in words.split():
            for form in ("--json", "--csv"):
                a = c.run(report, form, "--" + word, "nowhere-here")
                c.check("%s %s: an unknown %s is no empty report" % (report, form, word),
                        a.returncode == 64 and (json.loads(a.stdout).keys() == {"result"} if
                                                form == "--json" else not a.stdout), a)
    rows = tables(c.json("changes"))["change-records"]
    about = collections.Counter(u for u in column(rows, "user") if u)
    who = min(about)
    left = tables(c.json("changes", "--user", who))["change-records"]
    want = [row for row, u in zip(rows["rows"], column(rows, "user")) if u in (None, "", who)]
    c.check("changes: --user leaves what is about the person, and the policy's",
            len(about) > 1 and left["rows"] == want, (who, len(left["rows"]), len(want)))
    narrowed_counts(c)
    narrowed_people(c)


def missing(c):
    """No directory: every report says so first and ends with 2."""
    for report in REPORTS:
        for form in ([], ["--html"], ["--json"]):
            a = c.run(report, *form, config="partial.yaml", now=None)
            text = a.stdout.decode()
            first = text if form else "\n".join(text.splitlines()[:12])
            c.check("%s %s: incomplete data is status 2" % (report, form), a.returncode == 2,
                    a.returncode)
            c.check("%s %s: and the word" % (report, form), "incomplete" in first and
                    "no findings" not in first.replace("answered without findings", ""), first)
    a = c.run("access", "--csv", config="partial.yaml", now=None)
    c.check("access --csv: incomplete is told beside the rows",
            a.returncode == 2 and b"incomplete" in a.stderr, a.stderr)


def damaged(c):
    shutil.copytree(c.path("state"), c.path("forged"))
    c.config("file", "forged.yaml", "forged")
    db = sqlite3.connect(c.path("forged/rbacd.db"))
    db.execute("UPDATE audit SET line = CAST(REPLACE(CAST(line AS TEXT), 'bad_otp', 'bad_otq')"
               " AS BLOB) WHERE seq = (SELECT MIN(seq) FROM audit WHERE CAST(line AS TEXT)"
               " LIKE '%bad_otp%')")
    db.commit()
    db.close()
    for report in REPORTS:
        a = c.run(report, config="forged.yaml", state="forged")
        c.check("%s: a changed record is status 3" % report, a.returncode == 3 and
                b"damaged" in a.stdout[:700], a.stdout[:200])
    with open(c.path("state/now.vmsec"), "rb") as f:
        good = f.read()
    for what, bad in (("a person enabled", good.replace(b"u0407", b"u0408", 1)),
                      ("cut", good[:-5]), ("longer", good + b"x"),
                      ("a label added", good.replace(b"labels 0", b"labels 9", 1))):
        with open(c.path("state/forged.vmsec"), "wb") as f:
            f.write(bad)
        a = c.run("access", now="forged.vmsec", again=True)
        c.check("a snapshot that was changed is refused (%s)" % what,
                a.returncode == 3 and not a.stdout, a)
    os.unlink(c.path("state/forged.vmsec"))


def hostile(c):
    """Reasons that somebody gave in the hope of running something."""
    rows = list(csv.reader(c.run("changes", "--csv", "--table", "change-records").stdout
                           .decode().splitlines()))
    why = {r[-1] for r in rows[1:]}
    c.check("the log's hostile reasons are in the report", len(why) >= 6, why)
    c.check("none would run in a spreadsheet", not [w for w in why if w[:1] in "=+-@\t\r" and w],
            why)
    page = c.run("changes", "--html").stdout.decode()
    c.check("none is markup", "<script" not in page and "<img" not in page and
            "&lt;script&gt;" in page)
    for report in REPORTS:
        text = c.run(report).stdout.decode()
        wide = [line for line in text.splitlines() if len(line) > 100]
        c.check("%s: at most 100 columns" % report, not wide, wide[:1])
        c.check("%s: nothing that moves text" % report,
                not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text))


def pack(c):
    begin = time.monotonic()
    a = c.run("pack", c.path("pack"))
    seconds = time.monotonic() - begin
    c.check("pack: made", a.returncode in (0, 1), a)
    c.run("pack", c.path("pack2"))
    names = sorted(os.listdir(c.path("pack")))
    c.check("pack: the same files", names == sorted(os.listdir(c.path("pack2"))))
    for name in names:
        with open(c.path("pack", name), "rb") as f, open(c.path("pack2", name), "rb") as g:
            c.check("pack: %s is the same again" % name, f.read() == g.read())
    sums = subprocess.run(["sha256sum", "-c", "--quiet", "manifest.sha256"],
                          cwd=c.path("pack"), capture_output=True, check=False)
    c.check("pack: sha256sum -c agrees", sums.returncode == 0, sums)
    listed = {line.split()[1] for line in open(c.path("pack/manifest.sha256"),
                                               encoding="utf-8")}
    c.check("pack: everything is listed",
            listed == set(names) - {"manifest.sha256", "manifest.note"})
    c.check("pack: a folder that exists is left alone",
            c.run("pack", c.path("pack"), again=True).returncode == 1)
    for name in [n for n in names if n.endswith(".csv")]:
        with open(c.path("pack", name), encoding="utf-8", newline="") as f:
            rows = list(csv.reader(f, strict=True))
        bad = [r for r in rows if len(r) != len(rows[0])]
        c.check("pack: %s is a table" % name, not bad, bad[:1])
    size = sum(os.path.getsize(c.path("pack", n)) for n in names if n.endswith(".html"))
    c.check("pack: pages of at most 5 MB", size <= 5_000_000, size)
    print("pack: %.1f s, pages %.1f MB" % (seconds, size / 1e6))


def signed(c):
    """The manifest's note, checked by the verifier that shares no code with the product."""
    verify = load("verify_audit", "tests/lib/verify_audit.py")
    with open(c.path("sign.key"), "w", encoding="ascii") as f:
        f.write("7e" * 32 + "\n")
    os.chmod(c.path("sign.key"), 0o400)
    with open(c.path("small.yaml"), "a", encoding="utf-8") as f:
        f.write("audit: {key: %s}\n" % c.path("sign.key"))
    a = c.run("pack", c.path("signed"), config="small.yaml", state="small")
    vkey = a.stdout.decode().split()[-1]
    with open(c.path("signed/manifest.note"), encoding="utf-8") as f:
        note = f.read()
    with open(c.path("signed/manifest.sha256"), "rb") as f:
        manifest = f.read()
    size, root = verify.open_note(note, vkey)
    c.check("signed: the manifest and its files", root == hashlib.sha256(manifest).digest() and
            size == manifest.count(b"\n"), (size, root))
    try:
        verify.open_note(note.replace("\n%d\n" % size, "\n%d\n" % (size + 1)), vkey)
        c.check("signed: a changed note is refused", False)
    except Exception:  # whatever it calls a bad signature
        c.check("signed: a changed note is refused", True)


def begin_pages(c):
    """The pages in a real browser, in a process of its own, beside the other tests."""
    c.make_small()
    a = c.run("pack", c.path("pages"), config="small.yaml", state="small")
    c.check("pages: made", a.returncode in (0, 1), a)
    return subprocess.Popen([os.path.join(HERE, "check_html.py"), c.path("pages")])


def ahead(c):
    """What most tests ask for, two at a time: run() keeps the answers."""
    asked = [dict(report=r, form=f, config=x) for r in REPORTS for f, x in (
        ((), "config.yaml"), (("--json",), "config.yaml"), ((), "partial.yaml"),
        (("--html",), "partial.yaml"), (("--json",), "partial.yaml"))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda a: c.run(a["report"], *a["form"], config=a["config"], **(
            {} if a["config"] == "config.yaml" else {"now": None})), asked))


def main():
    words = sys.argv[1:]
    variant = next((w for w in words if not w.startswith("-")), "release")
    if not os.path.isdir(DATA):
        print("reports: SKIP, no data in " + DATA)
        sys.exit(77)
    c = Check(variant)
    c.make()
    browser = begin_pages(c)
    ahead(c)
    pinned(c, "--update" in words)
    for test in (schema, totals, activity, access, changes, review, separation, passwords, narrowed,
                 missing, damaged, hostile, pack, signed):
        test(c)
    rc = browser.wait()  # 77: there is none
    c.check("pages: as they should look", rc in (0, 77), rc)
    c.end()


if __name__ == "__main__":
    main()
