#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""A real operator's access as a policy: thousands of questions about real people and
hosts, answered from the source data, must come out the same.

usage: check_wikimedia.py RBACCTL. The data is in $VMSEC_DATA/wikimedia.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.path.join(os.environ.get("VMSEC_DATA", ROOT + "/../shared/data"), "wikimedia")
sys.path.insert(0, os.path.join(ROOT, "tests/data"))
import wikimedia  # noqa: E402

N_QUESTIONS = 8000


class Answers:
    """Who may do what, from the source data alone; knows nothing of policies."""

    def __init__(self, data):
        self.d = data
        self.groups = {}
        for g in data.groups:
            for login in data.members(g):
                self.groups.setdefault(login, set()).add(g)
        self.hosts = sorted(data.hosts)
        self.people = sorted(data.users)
        self.privileges = sorted({p for g in data.groups for p in self.of(g)} | {"ssh"})

    def of(self, group):
        """What the group's sudo lines give; plain su is asked for as somebody's account."""
        return {"su:somebody" if p == "su" else p for p in self.d.privileges(group)}

    def may(self, login, host, privilege):
        mine = self.groups.get(login, set())
        if "absent" in mine:
            return False
        ssh, no_ssh = self.d.groups_of(host)
        if privilege == "ssh":
            return bool(mine & ssh)
        enough = {privilege}
        if privilege.startswith("su:") and privilege != "su:root":
            enough.add("su:somebody")  # any account but root
        return any(self.of(g) & enough for g in mine & (ssh | no_ssh))

    def question(self, rng):
        """Half of them about a host that one of the person's groups may use."""
        login = rng.choice(self.people)
        host, privilege = rng.choice(self.hosts), rng.choice(self.privileges)
        if rng.random() < 0.5:
            for _ in range(60):
                host = rng.choice(self.hosts)
                mine = self.groups.get(login, set()) & set().union(*self.d.groups_of(host))
                if mine:
                    group = rng.choice(sorted(mine))
                    privilege = rng.choice(sorted(self.of(group) | {"ssh"}))
                    break
        return login, host, privilege


def known_groups(policy):
    return {g.strip(' "') for line in policy.splitlines() if line.startswith("  - {id:")
            for g in line.split("to: [")[1].split("]")[0].split(",")}


class Checker:
    def __init__(self, rbacctl, folder):
        self.rbacctl, self.folder = rbacctl, folder
        self.passed = self.failed = 0

    def expect(self, what, ok, said=""):
        self.passed, self.failed = self.passed + ok, self.failed + (not ok)
        if not ok:
            print("FAILED %s: %s" % (what, said[:400]))

    def ctl(self, *argv):
        return subprocess.run([self.rbacctl, *argv], capture_output=True, text=True, timeout=60)

    def check(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return self.ctl("policy", "check", path)

    def questions(self, policy, answers):
        rng, known = random.Random(20261121), known_groups(policy)
        lines, allowed = [], 0
        for _ in range(N_QUESTIONS):
            login, host, privilege = answers.question(rng)
            yes = answers.may(login, host, privilege)
            allowed += yes
            lines.append('  - {user_in: [%s], vm: %s, do: "%s", mfa: totp, '
                         "at: 2024-11-01T10:00Z, want: %s}" % (
                             ", ".join(sorted(answers.groups.get(login, set()) & known)), host,
                             privilege, "allow" if yes else "deny"))
        r = self.check("asked.yaml", policy + "tests:\n" + "\n".join(lines) + "\n")
        self.expect("%d questions" % N_QUESTIONS, r.returncode == 0, r.stderr)
        print("wikimedia: %d questions, %d of them allowed" % (N_QUESTIONS, allowed))
        lines[0] = lines[0].replace("want: allow", "want: x").replace(
            "want: deny", "want: allow").replace("want: x", "want: deny")
        r = self.check("turned.yaml", policy + "tests:\n" + "\n".join(lines) + "\n")
        self.expect("a question turned round", r.stderr.count("test failed") == 1, r.stderr)


    def diffs(self, data):
        """One person less: what he had is lost, and nobody else changes."""
        old, new = self.folder, os.path.join(self.folder, "new")
        os.mkdir(new)
        answers = Answers(data)
        for login, at_least in (("u0007", 90000), ("u0001", 1)):
            wikimedia.write(data, new, login)
            r = self.ctl("policy", "diff", old + "/policy.yaml", new + "/policy.yaml", "--people",
                         old + "/people.yaml", "--new-people", new + "/people.yaml", "--json")
            told = json.loads(r.stdout)
            gone = {(c["vm"], c["privilege"]) for c in told["changes"]}
            self.expect("diff without " + login, r.returncode == 1 and told["total"]["people"] == 1
                        and told["total"]["gained"] == 0
                        and {c["user"] for c in told["changes"]} == {login}, r.stderr)
            want = {(h, p) for h in answers.hosts for p in answers.privileges + ["console"]
                    if p != "su:somebody" and answers.may(login, h, p)}
            plain = {c for c in gone if c[1] != "su"}
            self.expect("what %s had" % login, plain == want and len(gone) >= at_least,
                        str(sorted(plain ^ want)[:5]))
            print("wikimedia: without %s %d rows are lost" % (login, len(gone)))
        r = self.ctl("policy", "diff", old + "/policy.yaml", old + "/policy.yaml", "--people",
                     old + "/people.yaml")
        self.expect("no difference", r.returncode == 0 and "nobody" in r.stdout, r.stdout + r.stderr)


    def lint(self, data):
        """How many VMs and people each grant hits, counted from the source data."""
        r = self.ctl("policy", "lint", self.folder + "/policy.yaml", "--people",
                     self.folder + "/people.yaml")
        rows = [x.split() for x in r.stdout.splitlines()]
        told = {x[1]: (int(x[2]), int(x[3])) for x in rows if x and x[0] == "grant"}
        here = {u for u, x in data.users.items() if x["ensure"] == "present"}
        want = {}
        for host in data.hosts:
            for g in data.groups_of(host)[0]:
                want[g] = (want.get(g, (0, 0))[0] + 1, len(data.members(g) & here))
        wrong = {g: (told.get(g), n) for g, n in want.items() if told.get(g) != n}
        self.expect("policy lint", r.returncode == 1 and not wrong, str(wrong) + r.stderr)
        print("wikimedia: lint: %d grants, %s" % (len(told), r.stdout.splitlines()[-1]))


def main():
    if not os.path.isdir(DATA):
        print("wikimedia: SKIP, there is no %s" % DATA)
        return 77
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        data = wikimedia.Data(DATA)
        wikimedia.write(data, folder)
        c = Checker(sys.argv[1], folder)
        with open(os.path.join(folder, "policy.yaml"), encoding="utf-8") as f:
            policy = f.read()
        r = c.ctl("policy", "check", os.path.join(folder, "policy.yaml"))
        c.expect("policy check", "96 groups, 3126 VMs" in r.stdout, r.stdout + r.stderr)
        c.questions(policy, Answers(data))
        c.diffs(data)
        c.lint(data)
    print("wikimedia: %d passed, %d failed" % (c.passed, c.failed))
    return c.failed != 0


if __name__ == "__main__":
    sys.exit(main())
