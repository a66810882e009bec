#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""rbacd is killed, or a call of its fails, at every step of an enrolment at a login.

strace hits the n-th call of one kind between BEGIN and RESULT, for every n until an enrolment
no longer reaches it. After each: the factor, its ten recovery codes and the record are all
there or all missing; they are there if the recovery codes were shown; the code that made a
factor is not accepted again, the next one is; the log verifies. The same, in the long run, for
rbacctl enrol: what waits for its code opens nothing, and can be confirmed; and for rbacctl factor
remove and resync: done with a record, or not at all, and what was said holds.

usage: enrol_kill.py [VARIANT] [long]
"""
import os
import re
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import benchworld  # noqa: E402
import pamwire  # noqa: E402
import tracing  # noqa: E402
import world  # noqa: E402

WHO = "newcomer"
POLICY = benchworld.POLICY + """enrolment:
  - {to: [fresh], at_first_login: true, until: 2037-01-01}
"""
# call, what happens to it, every how many of them in a short run
FAULTS = (("pwrite64", "signal=KILL", 3), ("fdatasync", "signal=KILL", 1),
          ("sendto", "signal=KILL", 2), ("recvfrom", "signal=KILL", 0),
          ("pwrite64", "error=EIO", 0), ("fdatasync", "error=EIO", 1),
          ("pwrite64", "error=ENOSPC", 4))
MOST = 80


class Enrol:
    def __init__(self, variant, long):
        self.long = long
        self.r = world.Report("enrol-crash")
        self.w = benchworld.BenchWorld(variant, people=8).make()
        self.w.policy(POLICY)
        world.write("/etc/rbacd/people.yaml", self.w.read("/etc/rbacd/people.yaml") +
                    "  - {login: %s, id: 'bench:%s', uid: 99999, groups: [fresh]}\n" % (WHO, WHO))
        self.outcomes = {}

    def quiet(self, what, ok, detail=""):
        """Failures only: the sweeps say how many there were."""
        if ok:
            self.r.passed += 1
        else:
            self.r.check(what, ok, detail)

    def stored(self):
        db = sqlite3.connect("file:%s?mode=ro" % self.w.database(), uri=True, timeout=5)
        try:
            return tuple(db.execute("SELECT count(*) FROM %s WHERE person = 'bench:%s'" %
                                    (t, WHO)).fetchone()[0] for t in ("factor", "code"))
        finally:
            db.close()

    def next_step(self):
        now = int(self.w.now())
        self.w.set_clock(self.w.offset + (now // 30 + 1) * 30 + 2 - now)

    def enrol(self):
        """(key, code, what was seen: "nothing" "key" "codes" "in")"""
        key = code = ""
        seen = "nothing"
        try:
            c = pamwire.Login(WHO)
            text = c.question() or ""
            m = re.search(r"secret=([A-Z2-7]{32})", text)
            if not m:
                return key, code, seen
            key, seen = m.group(1), "key"
            code = pamwire.totp(key, self.w.now())
            text = c.answer(pamwire.CODE, code) or ""
            if len(re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", text)) != 10:
                return key, code, seen
            seen = "codes"
            if c.answer(pamwire.EMPTY) is None and c.result == pamwire.ALLOW:
                seen = "in"
        except pamwire.Gone:
            pass
        return key, code, seen

    def accepted(self, code):
        c = pamwire.Login(WHO)
        c.question()
        return c.answer(pamwire.CODE, code) is None and c.result == pamwire.ALLOW

    def restart(self):
        for name in ("rbacd", "rbacd-dir"):
            p = self.w.children.pop(name)
            if p.poll() is None:
                p.kill()
            p.wait(10)
        self.w.start()

    def judge(self, what, after, key, code, seen):
        whole = self.stored()
        rows = self.w.records(after)
        made = [x for x in rows if x["ev"] == "enrol"]
        self.outcomes[(seen, whole)] = self.outcomes.get((seen, whole), 0) + 1
        self.quiet("%s: a whole factor with its record, or nothing" % what,
                   (whole, len(made)) in (((0, 0), 0), ((1, 10), 1)), (seen, whole, made))
        self.quiet("%s: what was shown is stored" % what, seen not in ("codes", "in") or
                   whole == (1, 10), (seen, whole))
        if seen == "in":
            self.quiet("%s: the login has its record" % what,
                       [x for x in rows if x["ev"] == "auth" and x.get("dec") == "allow"], rows)
        if whole == (1, 10):
            self.quiet("%s: the code is used up" % what, not self.accepted(code))
            self.next_step()
            self.quiet("%s: the next one opens" % what,
                       self.accepted(pamwire.totp(key, self.w.now())))
        v = self.w.rbacctl("audit", "verify", check=False)
        self.quiet("%s: the log verifies" % what, v.returncode == 0, v.stdout + v.stderr)
        self.w.rbacctl("reset", WHO, "--why", "test", check=False)
        self.quiet("%s: and nothing is left after a reset" % what, self.stored() == (0, 0))

    def one(self, call, fault, n):
        """False: the enrolment no longer reaches the n-th call."""
        self.next_step()
        after = len(self.w.records())
        tracer = tracing.inject(self.w, self.w.children["rbacd"].pid, call, fault, n)
        key, code, seen = self.enrol()
        tracing.release(tracer)
        hit = tracing.was_hit(self.w)
        self.restart()
        self.judge("%s %s at %d" % (call, fault, n), after, key, code, seen)
        return hit

    # ---- by an administrator

    def state(self):
        """None, or the status of the one factor: 1 waits for its code, 2 is active."""
        db = sqlite3.connect("file:%s?mode=ro" % self.w.database(), uri=True, timeout=5)
        try:
            rows = db.execute("SELECT status FROM factor WHERE person = 'bench:%s'"
                              % WHO).fetchall()
        finally:
            db.close()
        return rows[0][0] if len(rows) == 1 else None if not rows else "many"

    def confirm(self, key):
        return self.w.rbacctl("enrol", WHO, "--confirm", check=False,
                              input=pamwire.totp(key, self.w.now()) + "\n").returncode == 0

    def by_admin(self, call, fault, n):
        self.next_step()
        tracer = tracing.inject(self.w, self.w.children["rbacd"].pid, call, fault, n)
        shown = self.w.rbacctl("--json", "enrol", WHO, check=False).stdout
        m = re.search(r"secret=([A-Z2-7]{32})", shown)
        done = bool(m) and self.confirm(m.group(1))
        tracing.release(tracer)
        hit = tracing.was_hit(self.w)
        self.restart()
        what, state = "rbacctl enrol, %s %s at %d" % (call, fault, n), self.state()
        self.quiet("%s: a whole factor, or nothing" % what, (state, self.stored()[1]) in
                   ((None, 0), (1, 10), (2, 10)), (state, self.stored()))
        self.quiet("%s: what was said holds" % what, state == 2 if done else
                   state is not None or not m, (state, done, bool(m)))
        if m and state is not None:
            code = pamwire.totp(m.group(1), self.w.now())
            self.quiet("%s: its code opens nothing yet, or no more" % what,
                       not self.accepted(code), state)
            self.next_step()
            if state == 1:
                self.quiet("%s: it can be confirmed" % what, self.confirm(m.group(1)))
                self.next_step()
            self.quiet("%s: then it opens" % what,
                       self.accepted(pamwire.totp(m.group(1), self.w.now())))
        v = self.w.rbacctl("audit", "verify", check=False)
        self.quiet("%s: the log verifies" % what, v.returncode == 0, v.stdout + v.stderr)
        self.w.rbacctl("reset", WHO, "--why", "test", check=False)
        return hit

    # ---- a factor that is there

    def make(self, *name):
        """The key of a new factor that is active."""
        shown = self.w.rbacctl("--json", "enrol", WHO, *name).stdout
        key = re.search(r"secret=([A-Z2-7]{32})", shown).group(1)
        self.w.rbacctl("enrol", WHO, "--confirm", input=pamwire.totp(key, self.w.now()) + "\n")
        return key

    def faulty(self, call, fault, n, *argv, **more):
        """(the n-th call was reached, rbacctl said that it is done, new records)"""
        after = len(self.w.records())
        tracer = tracing.inject(self.w, self.w.children["rbacd"].pid, call, fault, n)
        r = self.w.rbacctl(*argv, check=False, **more)
        tracing.release(tracer)
        hit = tracing.was_hit(self.w)
        self.restart()
        return hit, r.returncode == 0, self.w.records(after)

    def ask_store(self, what):
        db = sqlite3.connect("file:%s?mode=ro" % self.w.database(), uri=True, timeout=5)
        try:
            return [x[0] for x in db.execute("SELECT %s FROM factor WHERE person = 'bench:%s'"
                                             " ORDER BY name" % (what, WHO))]
        finally:
            db.close()

    def settle(self, what, event, done, said, rows):
        made = [x for x in rows if x["ev"] == event and x.get("outcome") == "success"]
        self.quiet("%s: done with its record, or neither" % what, len(made) == done, (done, rows))
        self.quiet("%s: what was said holds" % what, done or not said)
        v = self.w.rbacctl("audit", "verify", check=False)
        self.quiet("%s: the log verifies" % what, v.returncode == 0, v.stdout + v.stderr)
        self.w.rbacctl("reset", WHO, "--why", "test")
        self.outcomes[(event, done)] = self.outcomes.get((event, done), 0) + 1

    def removed(self, call, fault, n):
        self.next_step()
        key = [self.make(), self.make("--name", "zz")][1]
        self.next_step()
        hit, said, rows = self.faulty(call, fault, n, "factor", "remove", WHO, "zz", "--why", "test")
        what = "factor remove, %s %s at %d" % (call, fault, n)
        done = self.ask_store("name") == ["totp"]
        self.quiet("%s: it opens, or is gone" % what,
                   self.accepted(pamwire.totp(key, self.w.now())) != done, done)
        self.settle(what, "admin.remove_factor", done, said, rows)
        return hit

    def resynced(self, call, fault, n):
        """By the codes of a phone that is ten minutes fast."""
        self.next_step()
        key = self.make()
        self.next_step()
        pair = [pamwire.totp(key, self.w.now() + 600 + s) for s in (0, 30)]
        hit, said, rows = self.faulty(call, fault, n, "factor", "resync", WHO, "totp", "--why", "test",
                                      input="\n".join(pair) + "\n")
        what = "factor resync, %s %s at %d" % (call, fault, n)
        done = self.ask_store("drift") != [0]
        self.quiet("%s: the pair opens nothing" % what, not any(self.accepted(c) for c in pair))
        self.next_step()
        self.quiet("%s: that phone is right now, or still wrong" % what, self.accepted(
            pamwire.totp(key, self.w.now() + 630)) == done, done)
        self.settle(what, "admin.resync", done, said, rows)
        return hit

    def sweep(self, name, one):
        for call, fault, _ in FAULTS:
            n = 1
            while n <= MOST and one(call, fault, n):
                n += 1
            self.r.check("%s, %s %s: up to the %d." % (name, fault, call, n), n <= MOST)

    def run(self):
        self.w.start()
        after = len(self.w.records())
        self.next_step()
        key, code, seen = self.enrol()
        self.r.check("an undisturbed enrolment is in", seen == "in", seen)
        self.judge("undisturbed", after, key, code, seen)
        for call, fault, every in FAULTS:
            every = 1 if self.long else every
            if every == 0:
                continue
            n = 1
            while n <= MOST and self.one(call, fault, n):
                n += every
            self.r.check("%s %s: up to the %d. of an enrolment" % (fault, call, n), n <= MOST)
        for (seen, whole), n in sorted(self.outcomes.items()):
            print("saw %s, stored %d factors and %d codes: %d times" % (seen, *whole, n))
        self.outcomes = {}
        for name, one in (("rbacctl enrol", self.by_admin), ("factor remove", self.removed),
                          ("factor resync", self.resynced)) if self.long else ():
            self.sweep(name, one)
        for (event, done), n in sorted(self.outcomes.items()):
            print("%s: %s %d times" % (event, "done" if done else "not done", n))
        self.r.end()


def main():
    world.enter()
    words = sys.argv[1:]
    variant = words[0] if words and words[0] != "long" else "release"
    Enrol(variant, "long" in words).run()


main()
