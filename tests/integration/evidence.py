#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Evidence end to end: verify, a second verifier, proofs, exports, alerts, metrics, and a
log consumer that stands still. usage: evidence.py [VARIANT]
"""
import contextlib
import glob
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../faults"))
import frames  # noqa: E402

JOURNAL = "/run/systemd/journal/socket"
HOOK = "/etc/rbacd/alert-hook"
HOOK_OUT = "/var/lib/rbacd/hook.out"
SECOND = ["/usr/bin/python3", "-I", world.TREE + "/tests/lib/verify_audit.py"]

# Required attributes of OCSF 1.8, by class; those of every class first.
BASE = ("activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata")
REQUIRED = {3002: ["user"], 3003: ["user"], 3001: ["user"], 3004: ["entity"],
            6002: ["app"], 2004: ["finding_info"]}
ONE_OF = {3002: ("service", "dst_endpoint"), 3003: ("privileges", "groups", "iam_roles")}
TYPES = {300201, 300202, 300206, 300301, 300105, 300110, 300111, 300199, 300403, 600203, 600204,
         600299, 200401}


class Journal:
    """A journal socket: read by a thread, or by nobody at all."""

    def __init__(self):
        os.makedirs(os.path.dirname(JOURNAL), exist_ok=True)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(JOURNAL)
        os.chmod(JOURNAL, 0o666)
        self.sock.settimeout(0.1)
        self.reading, self.lines = True, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                if self.reading:
                    self.lines.append(self.sock.recv(65536))
                else:
                    time.sleep(0.05)
            except TimeoutError:
                pass

    def fill(self):
        """Nobody reads, and the kernel's queue is full."""
        self.reading = False
        time.sleep(0.3)
        out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        out.setblocking(False)
        n = 0
        try:
            while n < 100000:
                out.sendto(b"MESSAGE=full\n", JOURNAL)
                n += 1
        except BlockingIOError:
            pass
        return n


class Evidence:
    def __init__(self, w, r, journal):
        self.w, self.r, self.journal = w, r, journal

    def login(self):
        a = self.w.ssh("alice", "sshd", [lambda: self.w.code("alice")])
        self.r.check("a login to write about", a.ok, a)
        return a

    def signed(self):
        """Wait until a checkpoint covers all and the segments have it."""
        def done():
            e = json.loads(self.w.rbacctl("--json", "status", check=False).stdout)["evidence"]
            seq = json.loads(self.w.rbacctl("--json", "status", check=False).stdout)["storage"]
            return e["unsigned"] == 0 and e["segment_seq"] == seq["audit_seq"]
        self.w.step(61)
        self.w.wait(done, 15, "a checkpoint")

    def verify(self):
        w, r = self.w, self.r
        self.login()
        self.signed()
        v = w.rbacctl("audit", "verify", "--signatures", check=False)
        r.check("verify: whole, and signed to the last record", v.returncode == 0, v)
        vkey = w.rbacctl("audit", "key").stdout.strip()
        v2 = subprocess.run(SECOND + ["--vkey", vkey, "--checkpoint", "/var/lib/rbacd/audit/checkpoint"] +
                            sorted(glob.glob("/var/lib/rbacd/audit/audit-*.jsonl")),
                            capture_output=True, text=True)
        r.check("the second verifier reads the segments and agrees", v2.returncode == 0, v2)
        root = re.search(r"root ([0-9a-f]{64})", v.stdout)
        r.check("both name the same head and root",
                bool(root) and root.group(1) in v2.stdout and
                re.search(r"head ([0-9a-f]{64})", v.stdout).group(1) in v2.stdout, v.stdout + v2.stdout)
        r.check("checkpoints go out to the journal too",
                any(b"checkpoint " in x for x in self.journal.lines), len(self.journal.lines))
        self.proofs(vkey)

    def proofs(self, vkey):
        w, r = self.w, self.r
        bad = []
        for rec in w.records()[::7]:
            p = w.rbacctl("audit", "proof", str(rec["seq"]), check=False)
            world.write("/tmp/proof", p.stdout)
            c = w.rbacctl("audit", "check-proof", "--vkey", vkey, "/tmp/proof", check=False)
            c2 = subprocess.run(SECOND + ["--vkey", vkey, "--proof", "/tmp/proof"],
                                capture_output=True, text=True)
            if p.returncode or c.returncode or c2.returncode:
                bad.append((rec["seq"], p.stderr, c.stderr, c2.stderr))
        r.check("every seventh record: a proof, and both checkers accept it", not bad, bad[:2])
        world.write("/tmp/proof", p.stdout.replace('"outcome":"', '"outcome":"x', 1))
        c = w.rbacctl("audit", "check-proof", "--vkey", vkey, "/tmp/proof", check=False)
        c2 = subprocess.run(SECOND + ["--vkey", vkey, "--proof", "/tmp/proof"], capture_output=True)
        r.check("a changed record: both refuse the proof", c.returncode == 3 and c2.returncode == 1,
                (c, c2))

    # ---- exports

    def exports(self):
        w, r = self.w, self.r
        lines = w.rbacctl("audit", "export").stdout.splitlines()
        r.check("export: the stored lines", [json.loads(x)["seq"] for x in lines] ==
                [x["seq"] for x in w.records()][:len(lines)] and len(lines) > 10, len(lines))
        bad, seen = [], {}
        for line, rec in zip(w.rbacctl("audit", "export", "--format", "ocsf").stdout.splitlines(),
                             w.records()):
            e = json.loads(line)
            seen.setdefault((rec["ev"], rec.get("outcome")), e["type_uid"])
            cls = e["class_uid"]
            if any(k not in e for k in BASE) or any(k not in e for k in REQUIRED[cls]) or \
                    e["type_uid"] not in TYPES or e["type_uid"] != cls * 100 + e["activity_id"] or \
                    e["metadata"]["version"] != "1.8.0" or "vendor_name" not in e["metadata"]["product"] or \
                    (cls in ONE_OF and not any(k in e for k in ONE_OF[cls])):
                bad.append(line)
        r.check("OCSF: every event has what its class requires", not bad, bad[:2])
        want = {("auth", "success"): 300206, ("auth", "failure"): 300201, ("account", "success"): 300301,
                ("account", "failure"): 300201, ("session.open", "success"): 300201,
                ("daemon.start", "success"): 600203, ("policy.load", "success"): 300403}
        wrong = {k: (seen.get(k), v) for k, v in want.items() if k in seen and seen[k] != v}
        r.check("OCSF: stages are Preauth, sessions and failures Logon", not wrong and len(seen) > 5,
                (wrong, seen))
        s = w.rbacctl("audit", "search", "--user", "alice", "--outcome", "success", "--json")
        found = json.loads(s.stdout)["records"]
        r.check("search by person and outcome", found and all(x["user"] == "alice" for x in found), s)
        self.follow()
        self.whole()

    def whole(self):
        """A file of an export is the old one or the whole new one, whatever happens."""
        w, r = self.w, self.r
        os.mkdir("/tmp/full")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", "/tmp/full"], check=True)
        for what, path, before in (
                ("killed in the middle", "/tmp/export", ["prlimit", "--fsize=1024", "--core=0"]),
                ("on a full disk", "/tmp/full/export", [])):
            world.write(path, "old\n")
            p = subprocess.run(before + ["rbacctl", "audit", "export", "--output", path],
                               capture_output=True, text=True)
            with open(path, encoding="utf-8") as f:
                r.check("export %s: the old file is untouched, and the status tells" % what,
                        f.read() == "old\n" and p.returncode not in (0, 3), p)
            r.check("export %s: nothing is left beside it" % what,
                    not glob.glob(path + "?*"), glob.glob(path + "?*"))
        n = len(w.rbacctl("audit", "export").stdout)
        r.check("and each would have been longer than there was room for", n > 4096, n)
        last = str(w.records()[-1]["seq"])
        p = w.rbacctl("audit", "export", "--output", "/tmp/export")
        with open("/tmp/export", encoding="utf-8") as f:
            lines = f.read().splitlines()
        r.check("export to a file: whole", not p.stdout and
                [json.loads(x)["seq"] for x in lines][:int(last)] ==
                list(range(1, int(last) + 1)), lines[-1:])
        r.check("export over a file leaves that file alone", not glob.glob("/tmp/export?*"),
                glob.glob("/tmp/export?*"))
        os.mkfifo("/tmp/fifo")
        p = w.rbacctl("audit", "export", "--output", "/tmp/fifo", check=False)
        r.check("what is no file is not replaced by one", p.returncode == 1 and
                stat.S_ISFIFO(os.stat("/tmp/fifo").st_mode), p)
        p = w.rbacctl("audit", "export", "--follow", "--output", "/tmp/export", check=False)
        r.check("--follow into a file is refused", p.returncode != 0 and "--follow" in p.stderr, p)

    # ---- a record that has left the database

    def aged(self):
        w, r = self.w, self.r
        rec = next(x for x in w.records() if x["ev"] == "account" and x.get("user") == "alice")
        w.step(8 * 86400)
        self.login_any()
        w.wait(lambda: "yes" in w.rbacctl("audit", "segments", check=False).stdout, 10,
               "the segment of last week to be closed")
        self.crept()
        w.step(200 * 86400)
        self.login_any()
        w.wait(lambda: w.last("alert")["ts"][:10] == w.records()[-1]["ts"][:10], 10, "the alert")
        r.check("by a clock that jumped nothing is dropped", w.last("alert")["op"] == "clock_off" and
                w.records()[0]["seq"] <= rec["seq"], w.last("alert"))
        for x in json.loads(w.rbacctl("--json", "alerts", "list", check=False).stdout)["alerts"]:
            w.rbacctl("alerts", "ack", str(x["seq"]), "--why", "the clock is right")
        w.step(120)  # retention looks once a minute
        w.wait(lambda: w.records()[0]["seq"] > rec["seq"], 20, "old records to leave the database")
        a = w.rbacctl("explain", "--id", rec["id"], check=False)
        r.check("explain --id finds what is only in a segment", "alice" in a.stdout and
                "The same now" in a.stdout, a)
        a = w.rbacctl("--json", "explain", "--id", rec["id"], check=False)
        r.check("and as JSON", json.loads(a.stdout or "{}").get("record", {}).get("record") == rec, a)
        wrong = rec["id"][:-1] + ("2" if rec["id"][-1] != "2" else "3")
        a = w.rbacctl("explain", "--id", wrong, check=False)
        r.check("an id with wrong check characters is refused", a.returncode != 0 and
                "alice" not in a.stdout, a)
        w.stop("rbacd")
        w.stop("rbacd-dir")
        w.step(31 * 86400)
        w.start()
        w.wait(lambda: "away for 31 days" in w.last("alert").get("reason_text", ""), 10,
               "an alert that rbacd was away for a month, or the clock is ahead")

    def crept(self):
        """Steps below the limit, each in a second of its own."""
        w, told = self.w, []
        for seconds in (2 * 86400, 6, 6):
            w.step(seconds)
            time.sleep(1.2)  # a tick of rbacd's
            told.append(sum(x["ev"] == "alert" and x["op"] == "clock_off" for x in w.records()))
        self.r.check("a clock that is moved in small steps is told, too", told[2] > told[1], told)

    # ---- a policy that opens more

    def widened(self):
        """Told: more people, or what cannot be counted. Not told: a few people more."""
        w, r = self.w, self.r
        more = '  - {id: more%d, to: [%s], roles: [viewer], vms: [here]}\n'
        told = lambda: [x["reason_text"] for x in w.records() if x.get("op") == "policy_widened"]
        policy = world.POLICY + more % (1, "oncall")
        w.policy(policy, reload=True)
        w.wait(told, 10, "an alert")
        r.check("source nss lists nobody: told that a group gains", len(told()) == 1 and
                "1 groups" in told()[0] and "not known" in told()[0], told())
        w.stop("rbacd")
        w.stop("rbacd-dir")
        people = ["{login: w%02d, id: \"w:%d\", uid: %d, groups: [%s]}" % (
            i, i, 60000 + i, "few" if i < 3 else "many") for i in range(20)]
        world.write("/etc/rbacd/people.yaml", "vmsec_people: 1\npeople: [%s]\n" % ", ".join(people))
        config = w.read("/etc/rbacd/rbacd.yaml")
        world.write("/etc/rbacd/rbacd.yaml", config.replace(
            "source: nss", "source: file, people: /etc/rbacd/people.yaml"))
        policy += more % (2, "few")
        w.policy(policy)
        w.start()
        w.wait(lambda: len(told()) > 1, 10, "an alert")
        r.check("exchanged while rbacd was down: told", "not compared" in told()[1], told())
        policy += more % (3, "few")
        w.policy(policy.replace("more3, to: [few], roles: [viewer]",
                                "more3, to: [few], roles: [operator]"), reload=True)
        w.policy(policy + more % (4, "many"), reload=True)
        w.wait(lambda: len(told()) > 2, 20, "an alert")
        r.check("17 people more are told, 3 are not", len(told()) == 3 and
                "17 people" in told()[2] and "on 1 VMs" in told()[2], told())

    def login_any(self):
        self.w.ssh("alice", "sshd", ["000000"])  # a record in the new time

    def follow(self):
        w, r = self.w, self.r
        last = w.records()[-1]["seq"]
        p = subprocess.Popen(["rbacctl", "audit", "export", "--follow", "--from", str(last)],
                             stdout=subprocess.PIPE, text=True)
        got = []
        t = threading.Thread(target=lambda: [got.append(json.loads(x)) for x in p.stdout], daemon=True)
        t.start()
        self.login()
        try:
            w.wait(lambda: any(x["ev"] == "account" and x["seq"] > last for x in got), 10, "a line")
        except TimeoutError:
            pass
        p.terminate()
        p.wait()
        r.check("export --follow writes the login as it happens",
                any(x["ev"] == "account" and x["seq"] > last for x in got), got[-2:])

    # ---- a consumer that stands still

    @staticmethod
    def recorded_in(n):
        """Seconds of n records each, sorted, without the client's share of a login."""
        took = []
        for _ in range(n):
            began = time.monotonic()
            got = frames.ask("alice", op=frames.CLOSE)
            took.append(time.monotonic() - began)
            assert got[0] == "noted", got
        return sorted(took)

    def slow(self):
        w, r = self.w, self.r
        quick = self.recorded_in(60)
        before = json.loads(w.rbacctl("--json", "status").stdout)["evidence"]["not_forwarded"]
        n = self.journal.fill()
        slow = self.recorded_in(60)
        after = json.loads(w.rbacctl("--json", "status").stdout)["evidence"]["not_forwarded"]
        late = [b - a for a, b in zip(quick, slow)]  # as sorted: the median, and nine in ten
        r.check("a journal that nobody reads delays nothing by 100 ms (%d ms, 90 %%: %d ms; %d lines dropped)" % (
            late[30] * 1000, late[54] * 1000, after - before),
            late[54] < 0.1 and after - before >= 60 and n > 0, (quick, slow, n))
        r.check("nor does it keep anybody out", self.login().ok)
        self.journal.reading = True

    # ---- alerts

    def alerts(self):
        w, r = self.w, self.r
        for _ in range(5):
            w.ssh("bob", "sshd", ["000000"])
        w.wait(lambda: w.last("alert"), 10, "an alert")
        a = w.last("alert")
        r.check("five failures on one account: an alert, as a record",
                a.get("op") == "account_failures" and a.get("user") == "bob", a)
        lst = w.rbacctl("alerts", "list", "--json", check=False)
        open_ = [x for x in json.loads(lst.stdout)["alerts"] if x["alert"] == "account_failures"]
        r.check("alerts list shows it, with exit 1", lst.returncode == 1 and len(open_) == 1, lst)
        w.wait(lambda: os.path.exists(HOOK_OUT) and w.read(HOOK_OUT).endswith("\n"), 10, "the hook")
        told = [json.loads(x) for x in w.read(HOOK_OUT).splitlines()]
        r.check("the hook got the record on its input", a["seq"] in [x["seq"] for x in told], told)
        for x in json.loads(lst.stdout)["alerts"]:
            w.rbacctl("alerts", "ack", str(x["seq"]), "--why", "seen")
        lst = w.rbacctl("alerts", "list", check=False)
        r.check("acknowledged: none is open, and the log says who",
                lst.returncode == 0 and w.last("alert.ack").get("actor") == "uid:0", lst)
        w.rbacctl("audit", "hold", "on", "--why", "case 7")
        r.check("a legal hold is a record", w.last("log.hold").get("object") == "on", w.last("log.hold"))
        w.rbacctl("audit", "hold", "off")

    # ---- metrics

    def metrics(self):
        w, r = self.w, self.r
        m = w.rbacctl("metrics").stdout
        names = set(re.findall(r"^([a-z_]+)(?:\{[^}]*\})? ", m, re.M))
        typed = dict(re.findall(r"^# TYPE (\S+) (\S+)$", m, re.M))
        families = {re.sub("_(bucket|sum|count)$", "", x) if x.startswith("vmsec_decision_seconds") else x
                    for x in names}
        r.check("every metric has a type and a help line", families == set(typed) ==
                set(re.findall(r"^# HELP (\S+) ", m, re.M)), families ^ set(typed))
        r.check("counters end in _total, nothing else does",
                all((t == "counter") == n.endswith("_total") for n, t in typed.items()), typed)
        total = sum(int(x) for x in re.findall(r"^vmsec_decisions_total\{.*\} (\d+)$", m, re.M))
        hist = int(re.search(r'_bucket\{le="\+Inf"\} (\d+)', m).group(1))
        logged = sum(1 for x in w.records() if x["ev"] in ("auth", "account"))
        r.check("decisions counted are those of the log", total == hist >= logged > 0,
                (total, hist, logged))
        with contextlib.suppress(FileExistsError):
            os.mkfifo("/tmp/vmsec.prom.new")  # by who owns the folder: not waited for
        w.rbacctl("metrics", "--textfile", "/tmp/vmsec.prom")
        r.check("the text file is whole and readable", "vmsec_factors" in w.read("/tmp/vmsec.prom") and
                os.stat("/tmp/vmsec.prom").st_mode & 0o777 == 0o644)
        if shutil.which("promtool"):
            p = subprocess.run(["promtool", "check", "metrics"], input=m, capture_output=True, text=True)
            r.check("promtool finds nothing", p.returncode == 0 and not p.stderr, p)
        else:
            print("evidence: SKIP promtool is not installed")

    # ---- the key

    def renew(self):
        w, r = self.w, self.r
        old = w.rbacctl("audit", "key").stdout
        k = w.rbacctl("audit", "key", "--renew", check=False)
        r.check("a key is not renewed under a running rbacd", k.returncode == 1, k)
        w.stop("rbacd")
        w.stop("rbacd-dir")
        w.rbacctl("audit", "key", "--renew")
        w.start()
        self.signed()
        v = w.rbacctl("audit", "verify", "--signatures", check=False)
        r.check("a new key, named in the log: the whole log verifies", v.returncode == 0 and
                w.rbacctl("audit", "key").stdout != old and w.last("log.key"), v)
        v = w.rbacctl("audit", "verify", "--vkey", old.strip(), check=False)
        r.check("with the old key it does not", v.returncode == 3, v)


def main():
    world.enter()
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    r = world.Report("evidence")
    w = world.World(variant).make()
    journal = Journal()
    w.install()
    world.write(HOOK, "#!/bin/sh\ncat >>%s\n" % HOOK_OUT, 0o755)
    world.write("/etc/rbacd/rbacd.yaml", world.CONFIG + "audit: {alerts: {hook: %s}}\n" % HOOK)
    w.sshd("sshd")
    w.start()
    for login in ("alice", "bob"):
        w.enrol(login)
    e = Evidence(w, r, journal)
    for part in ("verify", "alerts", "exports", "slow", "metrics", "renew", "aged", "widened"):
        try:
            getattr(e, part)()
        except Exception as x:  # one broken part must not hide the others
            r.check("part %s ran to its end" % part, False, "%s: %r" % (type(x).__name__, x))
    r.end()


main()
