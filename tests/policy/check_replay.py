#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""policy replay on a seeded log: who loses and who gains is counted again from the log.

usage: check_replay.py BUILD (build/release); needs its tests/report/world.
"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
SINCE = "2026-10-01"
POLICY_REASONS = {"denied", "no_grant", "grant_expired", "src_not_allowed", "outside_hours",
                  "review_overdue", "separation", "vm_unknown", "service_unknown", "no_policy"}


class Replay:
    def __init__(self, build, folder):
        self.build, self.folder = os.path.abspath(build), folder
        self.passed = self.failed = 0
        subprocess.run([sys.executable, "-I", os.path.join(TREE, "tests/report/large.py"), folder,
                        "60", "40", "10"], check=True)
        p = self.path("people.yaml")
        subprocess.run([os.path.join(self.build, "tests/report/world"), self.path("policy.yaml"),
                        p, p, folder, "40", "30"], check=True)
        self.write("config.yaml", "rbacd: 1\nvm: {name: h}\npolicy: %s\nstate: %s\nkey: %s\n"
                   "directory: {source: file, people: %s}\n" % (
                       self.path("policy.yaml"), folder, self.path("master.key"), p))
        with open(self.path("policy.yaml"), encoding="utf-8") as f:
            self.policy = f.read()
        log = json.loads(self.ctl("audit", "show", "--json").stdout)
        self.log = [r for r in log if r["ev"] == "account" and r["ts"] >= SINCE and
                    (r["dec"] == "allow" or r["reason"] in POLICY_REASONS)]

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def ctl(self, *argv):
        return subprocess.run([os.path.join(self.build, "rbacctl"), *argv, "--config",
                               self.path("config.yaml")], capture_output=True, text=True,
                              timeout=60)

    def check(self, what, good, detail=""):
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        if not good:
            print("FAILED %s: %s" % (what, str(detail)[:400]))

    def replay(self, text, *more):
        r = self.ctl("policy", "replay", self.write("new.yaml", text), "--since", SINCE, "--json",
                     *more)
        d = json.loads(r.stdout) if r.stdout else {"changes": [], "totals": {}}
        return r, d, {k: {c["id"] for c in d.get("changes", []) if c["change"] == k}
                      for k in ("loses", "gains")}

    def run(self):
        allowed = {r["id"] for r in self.log if r["dec"] == "allow"}
        refused = {r["id"] for r in self.log if r["dec"] == "deny"}
        self.check("the log has both", len(allowed) > 500 and len(refused) > 5,
                   (len(allowed), len(refused)))
        r, d, got = self.replay(self.policy)
        self.check("the same policy takes nothing away", not got["loses"], got["loses"])
        self.check("what the log refused for hours that this policy does not have is gained",
                   got["gains"] == refused and r.returncode == 1, got["gains"] ^ refused)
        self.check("all were judged", d["totals"]["judged"] == len(self.log) and
                   d["totals"]["not_judged"] == 0, d["totals"])
        who = max({r["user"] for r in self.log}, key=lambda u: sum(
            r["user"] == u for r in self.log))
        shut = self.policy + (
            "denies:\n  - {id: shut, to: [%s], privileges: [\"*\"], vms: [%s]}\n")
        vms = sorted({r["vm"] for r in self.log if r["user"] == who})
        groups = self.groups_of(who)
        hit = {r["id"] for r in self.log if set(self.groups_of(r["user"])) & set(groups)
               and r["vm"] in vms}
        r, d, got = self.replay(shut % (
            ", ".join(groups), ", ".join('"vm:%s"' % v for v in vms)))
        self.check("a deny takes away exactly what it names", got["loses"] == hit & allowed
                   and r.returncode == 1 and len(got["loses"]) > 10, got["loses"] ^ (hit & allowed))
        self.check("and gives nothing it names", got["gains"] == refused - hit, got["gains"])
        self.check("each loss names the deny", {(c["by"], c["reason"]) for c in d["changes"]
                                                if c["change"] == "loses"} == {("shut", "denied")})
        self.monitored(allowed)
        r, _, _ = self.replay(self.policy + "nonsense: 1\n")
        self.check("a refused policy is not a difference", r.returncode == 2, r.stderr)
        one = self.write("few.yaml", "vmsec_people: 1\npeople: []\n")
        r, d, _ = self.replay(self.policy, "--people", one)
        self.check("unknown people: not judged, exit status 2", r.returncode == 2 and
                   d["totals"]["not_judged"] == len(self.log), r.stderr)

    def rewrite(self, seq, change):
        """One line of the log: what a host that only watches would have written."""
        db = sqlite3.connect(self.path("rbacd.db"))
        (line,) = db.execute("SELECT line FROM audit WHERE seq = ?", (seq,)).fetchone()
        db.execute("UPDATE audit SET line = ? WHERE seq = ?", (change(line), seq))
        db.commit()
        db.close()
        return line

    def monitored(self, allowed):
        """would_deny is a login that was let in: on a VM that is only watched."""
        watch = self.policy + "mode: {default: monitor}\n"
        deny = self.policy + "denies:\n  - {id: shut, to: [%s], privileges: [\"*\"], vms: [%s]}\n"
        r = next(r for r in self.log if r["id"] in allowed)
        deny %= (", ".join(self.groups_of(r["user"])), '"vm:%s"' % r["vm"])
        old = self.rewrite(r["seq"], lambda x: x.replace(
            b'"dec":"allow"', b'"dec":"would_deny","reason":"no_grant"'))
        _, _, got = self.replay(watch)
        self.check("would_deny: a VM still watched takes and gives nothing",
                   r["id"] not in got["loses"] | got["gains"])
        _, _, got = self.replay(deny)
        self.check("would_deny: a deny takes it away", r["id"] in got["loses"])
        self.rewrite(r["seq"], lambda _: old.replace(
            b'"dec":"allow"', b'"dec":"allow","mfa_method":"root"'))
        _, _, got = self.replay(deny)
        self.check("root's own sudo is not taken away", r["id"] not in got["loses"])
        self.rewrite(r["seq"], lambda _: old)

    def groups_of(self, login):
        with open(self.path("people.yaml"), encoding="utf-8") as f:
            line = next(x for x in f if "login: %s," % login in x)
        return [g.strip(" \"'") for g in line.split("groups: [")[1].split("]")[0].split(",")]


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        r = Replay(sys.argv[1], folder)
        r.run()
    print("replay: %d passed, %d failed" % (r.passed, r.failed))
    return r.failed != 0


if __name__ == "__main__":
    sys.exit(main())
