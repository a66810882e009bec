#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The tools that make a policy safe to change: who-can, what-can, policy lint.

On a small policy by hand, then on a real operator's (skipped without its data), where
every answer is counted again from the source data. usage: check_tools.py RBACCTL
"""
import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from xml.etree import ElementTree

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
  - {login: eve, id: e, uid: 2005}
"""
# Each rule of lint is broken once.
LINT = """vmsec_policy: 1
password: {preset: pci-dss-4}
inventory:
  web[1-9]: {labels: {tier: web}}
  db[1-4]: {labels: {tier: db}}
vm_sets:
  web: {label: {tier: [web]}}
  db: {label: {tier: [db]}}
  none: {label: {tier: [moon]}}
  spare: {label: {tier: [db]}}
  all: {every: true}
roles:
  viewer: {privileges: [ssh]}
  admin: {includes: [viewer], privileges: [sudo]}
  idle: {privileges: [console]}
  payer: {privileges: [web]}
  auditor: {privileges: [desktop]}
groups:
  spares: {}
users:
  ghost: {id: "hr:0"}
grants:
  - {id: g-web, to: [admins], roles: [admin], vms: [web], owner: o}
  - {id: g-web2, to: [admins], roles: [admin], vms: [web], owner: o}
  - {id: g-part, to: [admins], roles: [admin], vms: ["vm:web3"], owner: o, when: {from: [local]}}
  - {id: g-nobody, to: [ghosts], roles: [viewer], vms: [web], owner: o}
  - {id: g-novm, to: [dbas], roles: [viewer], vms: [none], owner: o}
  - {id: g-ended, to: [dbas], roles: [admin], vms: [web], owner: o, valid: {until: "2001-01-01"}}
  - {id: g-plain, to: [dbas], roles: [viewer], vms: ["vm:db1"], owner: o, when: {mfa: none}}
  - {id: g-loose, to: [dbas], roles: [viewer], vms: ["vm:db2"]}
  - {id: g-broad, to: [dbas], roles: [payer], vms: [all], owner: o}
  - {id: g-shut, to: [out], roles: [admin], vms: [db], owner: o}
  - {id: g-audit, to: [out], roles: [auditor], vms: ["vm:web1"], owner: o}
  - {id: g-ghost, to: [dbas, user:ghost], roles: [viewer], vms: ["vm:db3"], owner: o}
  - {id: g-until, to: [dbas], roles: [viewer], vms: ["vm:web8"], valid: {until: "2199-01-01"}}
  - {id: g-net, to: [dbas], roles: [viewer], vms: ["vm:db4"], owner: o, when: {from: ["10.0.0.0/8", "10.1.0.0/16"]}}
  - {id: g-net2, to: [dbas], roles: [viewer], vms: ["vm:db4"], owner: o, when: {from: ["10.7.0.0/16"]}}
  - {id: g-world, to: [dbas], roles: [viewer], vms: ["vm:web9"], owner: o, when: {from: ["::/0", "10.0.0.0/8"]}}
  - {id: g-shade, to: [out], roles: [viewer], vms: ["vm:web2"], owner: o, when: {from: ["10.9.0.0/16", local]}}
denies:
  - {id: d-shut, to: [out], privileges: [ssh, sudo], vms: [db]}
  - {id: d-net, to: [dbas], privileges: [ssh], vms: ["vm:db4"], when: {from: ["10.1.2.0/24"]}}
  - {id: d-shade, to: [out], privileges: [ssh], vms: ["vm:web2"], when: {from: ["10.0.0.0/8", local]}}
separation:
  - {id: s-1, never_both: [role:payer, role:auditor]}
"""
CLEAN = """vmsec_policy: 1
inventory:
  web[1-9]: {labels: {tier: web}}
  db1: {labels: {tier: db}}
vm_sets:
  web: {label: {tier: [web]}}
roles:
  viewer: {privileges: [ssh]}
grants:
  - {id: g-web, to: [admins], roles: [viewer], vms: [web], owner: o}
  - {id: g-db, to: [dbas], roles: [viewer], vms: ["vm:db1"], owner: o}
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

    # ---- lint

    def lint(self):
        people = self.write("people.yaml", PEOPLE)
        path = self.write("lint.yaml", LINT)
        r = self.ctl("policy", "lint", path, "--people", people, "--json")
        d = json.loads(r.stdout)
        found = sorted((f["code"], f["id"]) for f in d["findings"])
        self.expect("lint: what is found", found == sorted([
            ("dead", "g-nobody"), ("dead", "g-novm"), ("expired", "g-ended"),
            ("no-mfa", "g-plain"), ("no-owner", "g-loose"), ("broad", "g-broad"),
            ("duplicate", "g-web2"), ("subsumed", "g-part"), ("shadowed", "g-shut"),
            ("unused", "spare"), ("unused", "idle"), ("separation", "s-1"),
            # networks
            ("broad-from", "g-world"), ("nested-from", "g-net"), ("subsumed", "g-net2"),
            ("overlap", "g-net"), ("shadowed", "g-shade"),
            # names and people
            ("unused", "spares"), ("unknown", "g-ghost"), ("empty", "g-nobody"),
            ("left", "g-part"), ("no-access", ""), ("no-owner", "g-until"),
            ("passwords", "pci-dss-4")]), repr(found))
        told = {f["code"]: f["text"] for f in d["findings"]}
        self.expect("lint: people by name", told["left"].endswith("disabled or expired: dave") and
                    told["no-access"].endswith("1 of the people: eve"), repr(told))
        self.expect("lint: who is exempt from a code is named, with owner and end",
                    told["no-mfa"].endswith("with an owner and an end"), told["no-mfa"])
        one = self.write("exempt.yaml", "vmsec_policy: 1\ninventory: {h: {}}\n"
                         "vm_sets: {all: {every: true}}\nroles: {r: {privileges: [ssh]}}\n"
                         "users: {robot: {id: 7}}\ngrants:\n  - {id: g, to: ['user:robot'], "
                         "roles: [r], vms: [all], when: {mfa: none}, owner: ops, "
                         "valid: {until: 2037-01-01}}\n")
        proper = self.ctl("policy", "lint", one, "--json").stdout
        self.expect("lint: a proper exemption is only told", [
            f["text"] for f in json.loads(proper)["findings"] if f["code"] == "no-mfa"]
            == ["grant 'g' asks for no second factor"], proper)
        counts = {c["id"]: (c["kind"], c["vms"], c.get("people")) for c in d["counts"]}
        self.expect("lint: how much everything hits",
                    counts["g-web"] == ("grant", 9, 2) and counts["d-shut"] == ("deny", 4, 1)
                    and counts["db"] == ("set", 4, None) and counts["g-nobody"][2] == 0,
                    repr(counts))
        rules = told["passwords"]
        self.expect("lint: the rules for passwords, as no grant without MFA leaves them",
                    rules == "passwords follow pci-dss-4, with some rule that asks for no MFA: "
                    "12 characters or more, 2 of 4 kinds, none of the last 4, blocklist, "
                    "names in any part, expire after 90 days", rules)
        self.expect("lint: warnings are exit status 1", r.returncode == 1, r.stderr)
        lines = LINT.splitlines()
        self.expect("lint: every finding stands where its entry does",
                    all(f["id"] in lines[f["line"] - 1] for f in d["findings"] if f["file"]),
                    r.stdout)
        people = self.write("people.yaml", "".join(PEOPLE.splitlines(True)[:-2]))
        r = self.ctl("policy", "lint", self.write("clean.yaml", CLEAN), "--people", people)
        self.expect("lint: nothing to say is exit status 0",
                    r.returncode == 0 and "0 warnings, 0 notes" in r.stdout, r.stdout)
        r = self.ctl("policy", "lint", path)
        self.expect("lint without people: exit status 2, and nobody is called dead",
                    r.returncode == 2 and not re.search("names nobody|no members|nobody knows|"
                                                        "no grant names", r.stdout)
                    and "incomplete" in r.stderr, r.stdout + r.stderr)

    # ---- graph, test

    def graph(self):
        ugly = POLICY.replace("to: [admins]", "to: [admins, 'a&b\\c']")
        path = self.write("ugly.yaml", ugly)
        r = self.ctl("policy", "graph", path)
        self.expect("graph: every edge of a grant", r.returncode == 0 and all(
            x in r.stdout for x in ('"p:admins" -> "r:admin"', '"r:admin" -> "s:web"',
                                    '"p:dbas" -> "r:viewer"')), r.stdout + r.stderr)
        self.expect("graph: a name ends no string of DOT", 'a&b\\\\c' in r.stdout, r.stdout)
        r = self.ctl("policy", "graph", path, "--svg")
        titles = [e.text for e in ElementTree.fromstring(r.stdout).iter() if
                  e.tag.endswith("title")]
        self.expect("graph: SVG is well-formed and complete", 'a&b\\c' in titles and
                    titles.count("g-web") == 3, titles)
        tests = ("tests:\n  - {user_in: [admins], vm: web1, do: ssh, mfa: totp, "
                 "at: 2026-11-20T10:00Z, want: %s, by: g-web}\n")
        r = self.ctl("policy", "test", self.write("t.yaml", POLICY + tests % "allow"))
        self.expect("test: passed", r.returncode == 0 and "1 tests of" in r.stdout, r.stdout)
        r = self.ctl("policy", "test", self.write("t.yaml", POLICY + tests % "deny"))
        self.expect("test: failed", r.returncode == 1 and "test failed" in r.stderr, r.stderr)

    # ---- a terminal

    def on_terminal(self, *argv):
        """(standard output, what a terminal at standard error got, exit status).

        On a machine that is made slow: it stands still for a while, again and again.
        """
        ours, theirs = pty.openpty()
        with subprocess.Popen([self.rbacctl, *argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=theirs) as child:
            os.close(theirs)
            seen = b""
            reader = threading.Thread(target=lambda: out.append(child.stdout.read()))
            out = []
            reader.start()
            slow = threading.Thread(target=self.slow_down, args=(child,))
            slow.start()
            while True:
                try:
                    chunk = os.read(ours, 4096)
                except OSError:  # its end
                    break
                seen += chunk
            reader.join()
            slow.join()
        os.close(ours)
        return out[0].decode(), seen.decode(), child.returncode

    @staticmethod
    def slow_down(child):
        for _ in range(4):
            if child.poll() is None:
                child.send_signal(signal.SIGSTOP)
                time.sleep(0.15)
                child.send_signal(signal.SIGCONT)
                time.sleep(0.015)

    def bars(self):
        """Long work shows how far it is: on a terminal, and nowhere else."""
        n = 12000
        people = self.write("many.yaml", "vmsec_people: 1\npeople:\n" + "".join(
            "  - {login: u%d, id: i%d, uid: %d, groups: [g%d, g%d, g%d]}\n" % (
                i, i, 70000 + i, i % 150, i % 151, i % 157) for i in range(n)))

        def policy(name, privilege):
            return self.write(name, "vmsec_policy: 1\ninventory:\n  v[1-400]: {}\n" +
                              "vm_sets: {all: {every: true}}\nroles:\n  a: {privileges: [%s]}\n"
                              "  b: {privileges: [web]}\ngrants:\n" % privilege + "".join(
                "  - {id: r%d, to: [g%d], roles: [%s], vms: [all, \"vm:v%d\"], owner: o}\n" % (
                    i, i, "ab"[i % 2], i + 1) for i in range(160)) +
                "separation: [{id: s, never_both: [role:a, role:b]}]\n")
        old, new = policy("long-old.yaml", "ssh"), policy("long-new.yaml", "ssh, sudo")
        for what, argv in (("lint", ("policy", "lint", old)), ("diff", ("policy", "diff", old, new))):
            argv += ("--people", people)
            out, seen, code = self.on_terminal(*argv)
            bars = re.findall(r"\r%s \[(#*)(\.*)\] +(\d+) %%" % what, seen)
            done = [int(x[2]) for x in bars]
            self.expect("%s: a bar on a terminal that only grows (%d times)" % (what, len(bars)),
                        bool(bars) and done == sorted(done) and all(len(x[0] + x[1]) == 30 for x in bars),
                        repr(seen[:300]))
            self.expect("%s: and is gone at the end" % what, seen.endswith("\r\033[K"),
                        repr(seen[-80:]))
            plain = self.ctl(*argv)
            self.expect("%s: no bar where nobody looks; the answer is the same" % what,
                        plain.stderr == "" and (plain.stdout, plain.returncode) == (out, code) and
                        "\r" not in out, plain.stderr[:200])
            self.expect("%s --json: no bar" % what, self.on_terminal(*argv, "--json")[1] == "")

    # ---- a real operator

    def left(self, data, d):
        """That operator's own rule: who is absent is in no group but "absent"."""
        def gone(u):
            u = data.users[u]
            return u["ensure"] == "absent" or (u["expiry_date"] or "9") <= time.strftime("%F")
        granted = {c["id"].replace("-no-ssh", "") for c in d["counts"] if c["kind"] == "grant"}
        want = {g: n for g in granted
                for n in [sum(gone(u) for u in data.members(g) if u in data.users)] if n}
        told = {m.group(1): int(m.group(2)) for f in d["findings"] if f["code"] == "left"
                for m in [re.match("'(.*?)', to whom .* still holds ([0-9]+) who", f["text"])]}
        self.expect("lint of it: who has left and is still in a group", told == want,
                    "%r, not %r" % (told, want))
        in_granted = {u for g in granted for u in data.members(g)}
        want = sum(not gone(u) and u not in in_granted for u in data.users)
        told = [f["text"] for f in d["findings"] if f["code"] == "no-access"]
        self.expect("lint of it: people to whom nothing opens", "names %d of" % want in told[0],
                    "%r, not %d" % (told, want))
        print("tools: %d people without any grant; still in groups: %r" % (want, told and {
            f["text"].split("'")[1] for f in d["findings"] if f["code"] == "left"}))

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
        r = self.ctl("policy", "lint", policy, "--people", people, "--json")
        d = json.loads(r.stdout)
        members = {c["id"]: c["people"] for c in d["counts"] if c["kind"] == "deny"}
        self.expect("lint of it: how many the deny of those who left hits",
                    members["absent"] == sum("absent" in answers.groups.get(u, ()) and
                                             data.users[u]["ensure"] != "absent"
                                             for u in answers.people), repr(members))
        self.left(data, d)
        print("tools: %d ssh answers counted again; %s reaches %d" % (asked, login, len(held)))


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        t = Tools(sys.argv[1], folder)
        t.small()
        t.lint()
        t.graph()
        t.bars()
        if os.path.isdir(check_wikimedia.DATA):
            t.wikimedia()
        else:
            print("tools: the real operator is left out, there is no " + check_wikimedia.DATA)
    print("tools: %d passed, %d failed" % (t.passed, t.failed))
    return t.failed != 0


if __name__ == "__main__":
    sys.exit(main())
