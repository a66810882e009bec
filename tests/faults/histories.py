#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""What clients saw, held against the log afterwards: an offline checker without any code of
rbacd's. Fault tests call judge(); run alone it proves itself: it plants each violation in a
good history and has to find that one and no other.

  A1  each ALLOW that was seen is one record, under its id, of that person and phase
  O1  no factor's code of one step is accepted twice
  B1  behind a first factor: five wrong codes of a person, then a delay that doubles
  I5  no answer came after the deadline of its request
  A2  the log has no gap, and each record names the hash of the one before
"""
import collections
import datetime
import hashlib
import json
import sqlite3

FREE, FIRST_DELAY_S, LONGEST_S = 5, 30, 3600  # of the delays, from the guide, not the code
BUDGET_MS, SLACK_MS = 5000, 250
PROMISES = ("A1", "O1", "B1", "I5", "A2")

Seen = collections.namedtuple("Seen", "phase verdict word login sent_ms received_ms")


def read(text):
    """The lines of tests/faults/probe."""
    rows = (x.split() for x in text.splitlines())
    return [Seen(*x[:4], int(x[4]), int(x[5])) for x in rows if len(x) == 6]


def lines(database, after=0):
    """The raw records behind @after, oldest first."""
    db = sqlite3.connect("file:%s?mode=ro" % database, uri=True, timeout=5)
    try:
        rows = db.execute("SELECT line FROM audit WHERE seq > ? ORDER BY seq", (after,))
        return [x if isinstance(x, bytes) else x.encode() for (x,) in rows]
    finally:
        db.close()


def seconds(record):
    ts = datetime.datetime.strptime(record["ts"], "%Y-%m-%dT%H:%M:%S.%fZ")
    return ts.replace(tzinfo=datetime.timezone.utc).timestamp()


def accepted(records):
    return [x for x in records if x["ev"] == "auth" and x.get("dec") == "allow"]


def once(seen, records):
    known = collections.defaultdict(list)
    for x in records:
        if x.get("dec") == "allow":
            known[x["id"]].append((x.get("user"), x["ev"]))
    for x in seen:
        if x.verdict == "allow" and known[x.word] != [(x.login, x.phase)]:
            yield "%s was seen by %s, recorded: %r" % (x.word, x.login, known[x.word])
    for i, who in known.items():
        if len(who) > 1:
            yield "%s stands %d times" % (i, len(who))


def single_use(records):
    used = collections.Counter(
        (x["user"], x.get("cred"), int(seconds(x)) // 30 + x["t_delta"])
        for x in accepted(records) if "t_delta" in x)
    return ["%s %s step %d: %d times" % (*k, n) for k, n in used.items() if n > 1]


def budgets(records):
    tries = collections.defaultdict(list)
    for x in records:
        if x["ev"] == "auth" and x.get("dec") == "allow":
            tries[x["user"]] = []
        elif x.get("reason") == "bad_otp" and "user" in x:
            last, now = tries[x["user"]], seconds(x)
            over = len(last) - FREE
            # Whole seconds are compared, so up to one is missing.
            if over >= 0 and now - last[-1] <= min(FIRST_DELAY_S << over, LONGEST_S) - 1:
                yield "%s: wrong code %d at %s" % (x["user"], len(last) + 1, x["ts"])
            last.append(now)


def chain(raw, records):
    before = None
    for line, x in zip(raw, records):
        if before and (x["seq"] != before[0] + 1 or x["prev"] != before[1]):
            yield "record %d does not follow %d" % (x["seq"], before[0])
        before = x["seq"], hashlib.sha256(line).hexdigest()


def judge(seen, raw):
    """{promise: [what broke it]}; @seen: of read(), @raw: of lines()."""
    records = [json.loads(x) for x in raw]
    late = ["%s %s after %d ms" % (x.login, x.phase, x.received_ms - x.sent_ms) for x in seen
            if x.verdict == "allow" and x.received_ms - x.sent_ms > BUDGET_MS + SLACK_MS]
    return {"A1": list(once(seen, records)), "O1": single_use(records),
            "B1": list(budgets(records)), "I5": late, "A2": list(chain(raw, records))}


def check(report, what, seen, raw):
    """One line of a test's report."""
    bad = {k: v[:3] for k, v in judge(seen, raw).items() if v}
    return report.check("%s: %d answers, %d records, no violation of %s" % (
        what, len(seen), len(raw), " ".join(PROMISES)), not bad, bad)


# ---------------------------------------------------------------- its own proof


def example():
    """A history of one login and six wrong codes, the last after its delay."""
    def at(second):
        return "2026-11-20T10:%02d:%02d.000000Z" % divmod(second, 60)

    rows = [dict(ev="auth", dec="allow", id="1-AAAA", user="a", cred="x", t_delta=0, ts=at(0)),
            dict(ev="account", dec="allow", id="2-AAAA", user="a", ts=at(1)),
            dict(ev="auth", dec="allow", id="3-AAAA", user="a", cred="x", t_delta=-1, ts=at(60)),
            dict(ev="auth", dec="allow", id="4-AAAA", user="b", cred="x", t_delta=0, ts=at(61))]
    rows += [dict(ev="auth", dec="deny", id="%d-AAAA" % i, user="a", reason="bad_otp",
                  ts=at(70 + (i > 9) * 30)) for i in range(5, 11)]
    seen = [Seen("auth", "allow", "1-AAAA", "a", 0, 40), Seen("account", "allow", "2-AAAA", "a",
            40, 60), Seen("auth", "lost", "104", "a", 70, 9000)]
    return seen, rows


def written(rows):
    raw, prev = [], "0" * 64
    for i, x in enumerate(rows):
        raw.append(json.dumps(dict(x, seq=i + 1, prev=prev)).encode())
        prev = hashlib.sha256(raw[-1]).hexdigest()
    return raw


def planted():
    """(promise, history, lines) with that one broken."""
    yield (None,) + (lambda s, r: (s, written(r)))(*example())
    for promise, spoil in (
            ("A1", lambda s, r: r.pop(1)),
            ("A1", lambda s, r: r.append(dict(r[1]))),
            ("A1", lambda s, r: r[0].update(user="b")),
            ("A1", lambda s, r: r[1].update(dec="deny")),
            ("O1", lambda s, r: r[2].update(t_delta=-2)),
            ("O1", lambda s, r: r[2].update(ts=r[0]["ts"], t_delta=0)),
            ("B1", lambda s, r: r[9].update(ts="2026-11-20T10:01:35.000000Z")),
            ("I5", lambda s, r: s.append(Seen("account", "allow", "2-AAAA", "a", 0, 5300)))):
        seen, rows = example()
        spoil(seen, rows)
        yield promise, seen, written(rows)
    seen, rows = example()
    raw = written(rows)
    yield "A2", seen, raw[:6] + raw[7:]
    yield "A2", seen, raw[:6] + [raw[6].replace(b"deny", b"DENY")] + raw[7:]


def main():
    passed = failed = 0
    for promise, seen, raw in planted():
        found = [k for k, v in judge(seen, raw).items() if v]
        if found == ([promise] if promise else []):
            passed += 1
        else:
            failed += 1
            print("FAILED  planted %s, found %s" % (promise, found))
    print("histories: %d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    raise SystemExit(main())
