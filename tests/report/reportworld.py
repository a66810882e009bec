# SPDX-License-Identifier: Apache-2.0
"""What the tests of the reports stand on: a seeded log, a real operator's people and
policy, and rbacctl asked once for each question."""
import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.join(HERE, "../..")
DATA = os.path.join(os.environ.get("VMSEC_DATA", os.path.join(TREE, "../shared/data")),
                    "wikimedia")
REPORTS = ("access review changes unused privileged mfa activity passwords separation "
           "integrity control-map").split()
LEAVER = "u0407"  # joins between the two snapshots
DAYS, DECISIONS = 40, 200
PASSWORD = "password: {preset: %s}\n"
TINY = """vmsec_policy: 1
inventory: {web1: {}, web2: {}, db1: {}, db2: {}, db3: {}}
roles:
  user: {privileges: [ssh]}
  dba: {includes: [user], privileges: ["su:postgres"]}
  admin: {includes: [user], privileges: [sudo]}
users: {p3: {id: "l:3"}}
grants:
  - {id: g-web, to: [web], roles: [user], vms: ["vm:web1", "vm:web2"]}
  - {id: g-db, to: [dba], roles: [dba], vms: ["vm:db1", "vm:db2"]}
  - {id: g-ops, to: [ops, "user:p3"], roles: [admin], vms: ["vm:web1", "vm:db1", "vm:db3"]}
"""


class Check:
    def __init__(self, variant):
        self.folder = tempfile.mkdtemp(prefix="vmsec-reports-")
        self.bin = os.path.join(TREE, "build", variant)
        self.passed = self.failed = 0
        self.runs = {}  # what was asked before and what came

    def check(self, what, good, detail=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED: %s: %s" % (what, str(detail)[:400]))
        return good

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make_small(self):
        """A world whose pages a browser measures in seconds."""
        os.mkdir(self.path("small"), 0o700)
        subprocess.run([sys.executable, "-I", os.path.join(HERE, "large.py"),
                        self.path("small"), "60", "40", "10"], check=True)
        people = self.path("small/people.yaml")
        subprocess.run([os.path.join(self.bin, "tests/report/world"),
                        self.path("small/policy.yaml"), people, people, self.path("small"),
                        str(DAYS), "30"], check=True)
        self.config("file", "small.yaml", "small")

    def make_tiny(self, policy=TINY, days=2):
        """Six people, few days; both snapshots are kept where rbacctl looks for them."""
        self.write("policy.yaml", policy)
        self.people("people.yaml")
        state, kept = self.path("state"), self.path("state/snapshots")
        os.mkdir(state, 0o700)
        subprocess.run([os.path.join(self.bin, "tests/report/world"), self.path("policy.yaml"),
                        self.path("people.yaml"), self.path("people.yaml"), state, str(days),
                        "30"],
                       check=True)
        os.mkdir(kept, 0o700)
        for name, day in (("before", "19"), ("now", "21")):
            shutil.copy(os.path.join(state, name + ".vmsec"),
                        os.path.join(kept, "2026-11-%sT000000Z.vmsec" % day))
        self.write("config.yaml", "rbacd: 1\nvm: {name: vm7}\npolicy: %s\nstate: %s\nrun: %s\n"
                   "key: %s/master.key\ndirectory: {source: file, people: %s}\n" % (
                       self.path("policy.yaml"), state, self.path("run"), state, self.path("people.yaml")))

    def people(self, name, renamed=()):
        """p0 to p5; who is in @renamed is called so now, and is the same person."""
        logins = {i: "p%d" % i for i in range(6)}
        logins.update(renamed)
        self.write(name, "vmsec_people: 1\npeople:\n" + "".join(
            '  - {login: %s, id: "l:%d", uid: %d, groups: [%s]}\n' % (
                logins[i], i, 100000 + i, ("web, web-too, idle", "dba", "ops")[i % 3]) for i in logins))

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)

    def make(self):
        tool = os.path.join(TREE, "tests/data/wikimedia.py")
        for name, more in (("now", []), ("before", [LEAVER])):
            os.mkdir(self.path(name))
            subprocess.run([sys.executable, "-I", tool, DATA, self.path(name)] + more,
                           check=True, stdout=subprocess.DEVNULL)
        with open(self.path("now/policy.yaml"), "a", encoding="utf-8") as f:
            f.write(PASSWORD % "pci-dss-4, min_length: 14, history: 5")
        os.mkdir(self.path("state"), 0o700)
        subprocess.run([os.path.join(self.bin, "tests/report/world"),
                        self.path("now/policy.yaml"), self.path("before/people.yaml"),
                        self.path("now/people.yaml"), self.path("state"), str(DAYS),
                        str(DECISIONS)], check=True)
        self.config("file", "config.yaml")
        self.config("nss", "partial.yaml")

    def config(self, source, name, state="state"):
        people = ", people: %s" % self.path("now/people.yaml") if source == "file" else ""
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write("rbacd: 1\nvm: {name: vm7}\npolicy: %s\nstate: %s\nrun: %s\nkey: %s\n"
                      "directory: {source: %s%s}\n" % (
                          self.path("now/policy.yaml"), self.path(state), self.path("run"),
                          self.path(state, "master.key"), source, people))

    def run(self, report, *more, config="config.yaml", now="now.vmsec", state="state",
            again=False):
        argv = [os.path.join(self.bin, "rbacctl"), "report", report, "--config",
                self.path(config)] + list(more)
        if now:
            argv += ["--as-of", self.path(state, now), "--before",
                     self.path(state, "before.vmsec")]
        if again or tuple(argv) not in self.runs:
            self.runs[tuple(argv)] = subprocess.run(argv, capture_output=True, check=False)
        return self.runs[tuple(argv)]

    def json(self, report, *more, **kw):
        return json.loads(self.run(report, "--json", *more, **kw).stdout)

    def lines(self):
        db = sqlite3.connect("file:%s?mode=ro" % self.path("state/rbacd.db"), uri=True)
        return [json.loads(row[0]) for row in db.execute(
            "SELECT CAST(line AS TEXT) FROM audit ORDER BY seq")]

    def end(self):
        shutil.rmtree(self.folder)
        print("reports: %d passed, %d failed" % (self.passed, self.failed))
        sys.exit(self.failed != 0)


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, os.path.join(TREE, path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tables(doc):
    return {t["name"]: t for s in doc["body"]["sections"] for t in s["tables"]}


def column(table, name):
    at = [c["name"] for c in table["columns"]].index(name)
    return [row[at] for row in table["rows"]]


def figures(doc):
    return {f["name"]: f["value"] for f in doc["body"]["figures"]}
