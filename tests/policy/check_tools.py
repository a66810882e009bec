#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The tools that make a policy safe to change: who-can and what-can.

On a small policy by hand, then on a real operator's (skipped without its data), where
every answer is counted again from the source data. usage: check_tools.py RBACCTL
"""
import csv
import io
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import check_wikimedia  # noqa: E402

POLICY = """vmsec_policy: 1
inventory:
  web[1-9]: {labels: {tier: web}}
  db[1-4]: {labels: {tier: db}}
vm_sets:
  web: {label: {tier: [web]}}
  db: {label: {tier: [db]}}
roles:
  viewer: {privileges: [ssh]}
  admin: {includes: [viewer], privileges: [sudo, "su:pg"]}
grants:
  - {id: g-web, to: [admins], roles: [admin], vms: [web]}
  - {id: g-db, to: [dbas], roles: [viewer], vms: [db], when: {from: ["10.0.0.0/8", local]}}
  - {id: g-old, to: [dbas], roles: [admin], vms: [db], valid: {until: "2001-01-01"}}
denies:
  - {id: d-out, to: [out], privileges: ["*"], vms: [web]}
"""
PEOPLE = """vmsec_people: 1
people:
  - {login: alice, id: a, uid: 2001, groups: [admins]}
  - {login: bob, id: b, uid: 2002, groups: [dbas]}
  - {login: carol, id: c, uid: 2003, groups: [admins, dbas, out]}
  - {login: dave, id: d, uid: 2004, groups: [admins], disabled: true}
"""


class Tools(check_wikimedia.Checker):
    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def rows(self, *argv):
        r = self.ctl(*argv, "--csv")
        return r, list(csv.DictReader(io.StringIO(r.stdout)))

    # ---- a small policy

    def small(self):
        old, people = self.write("old.yaml", POLICY), self.write("people.yaml", PEOPLE)
        self.access(old, people)

    def access(self, policy, people):
        where = ("--policy", policy, "--people", people)
        r, rows = self.rows("who-can", "web3", *where)
        self.expect("who-can: all openings of a VM", r.returncode == 0 and
                    [(x["user"], x["privilege"], x["grant"], x["through"], x["role"])
                     for x in rows] == [("alice", p, "g-web", "admins", "admin")
                                        for p in ("ssh", "su:pg", "sudo")], r.stdout)
        r, rows = self.rows("who-can", "db2", "ssh", *where)
        self.expect("who-can: one privilege", [x["user"] for x in rows] == ["bob", "carol"],
                    r.stdout)
        r, rows = self.rows("who-can", "db2", "sudo", *where)
        self.expect("who-can: a grant that has ended opens nothing", rows == [], r.stdout)
        r, rows = self.rows("what-can", "carol", *where)
        self.expect("what-can: the deny holds", {x["vm"] for x in rows} ==
                    {"db1", "db2", "db3", "db4"}, r.stdout)
        r, rows = self.rows("what-can", "dave", *where)
        self.expect("what-can: a disabled account reaches nothing", rows == [], r.stdout)
        for argv, said in ((("who-can", "nosuch"), "no VM"),
                           (("who-can", "db2", "fly"), "no privilege"),
                           (("what-can", "no-such"), "nobody called")):
            r = self.ctl(*argv, *where)
            self.expect(" ".join(argv), r.returncode == 1 and said in r.stderr, r.stderr)

    # ---- a real operator

    def wikimedia(self):
        w = check_wikimedia.wikimedia
        data = w.Data(check_wikimedia.DATA)
        answers = check_wikimedia.Answers(data)
        w.write(data, self.folder)
        policy, people = (os.path.join(self.folder, x) for x in ("policy.yaml", "people.yaml"))
        asked = 0
        for host in answers.hosts[::300]:
            r, rows = self.rows("who-can", host, "ssh", "--policy", policy, "--people", people)
            want = {u for u in answers.people if answers.may(u, host, "ssh")}
            self.expect("who-can " + host, {x["user"] for x in rows} == want, r.stderr)
            asked += len(want)
        login = max(answers.people, key=lambda u: sum(
            answers.may(u, h, "ssh") for h in answers.hosts[::50]))
        r, rows = self.rows("what-can", login, "--policy", policy, "--people", people)
        held = {(x["vm"], x["privilege"]) for x in rows}
        self.expect("what-can " + login, {v for v, p in held if p == "ssh"} ==
                    {h for h in answers.hosts if answers.may(login, h, "ssh")}, r.stderr)
        print("tools: %d ssh answers counted again; %s reaches %d" % (asked, login, len(held)))


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        t = Tools(sys.argv[1], folder)
        t.small()
        if os.path.isdir(check_wikimedia.DATA):
            t.wikimedia()
        else:
            print("tools: the real operator is left out, there is no " + check_wikimedia.DATA)
    print("tools: %d passed, %d failed" % (t.passed, t.failed))
    return t.failed != 0


if __name__ == "__main__":
    sys.exit(main())
