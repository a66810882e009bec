#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The guides about people, keys, passwords and the log: every command that they show.

usage: guides_people.py [VARIANT]
"""
import glob
import hashlib
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import guide  # noqa: E402
import pexpect  # noqa: E402
import world  # noqa: E402
from guide import Says  # noqa: E402

PW = {name: person[2] for name, person in world.PEOPLE.items()}
POLICY = world.POLICY.replace("roles: [viewer], vms: [here]}", "roles: [viewer], vms: [here], "
                              "review: {every: 90d, overdue: suspend}, owner: \"group:vmadmins\"}")
KEY, URI = r"[A-Z2-7]{4}(?: [A-Z2-7]{4}){7}", r"otpauth://totp/\S+"
RECOVERY = r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}"
COMMON, LEAKED, RARE = "password123", "violet-Kettle-71-harbour", "amber-Ladder-29-meadow"
NEW = "copper-Window-53-orchard"
HOME = "/root/guide"
INCLUDE = "@include common-password\n"
DEBIAN = ("password [success=1 default=ignore] pam_unix.so obscure yescrypt\n"
          "password requisite pam_deny.so\npassword required pam_permit.so\n")
STATE = "/var/lib/rbacd"


class People:
    def __init__(self, w, r):
        self.w, self.r = w, r
        units = {name: self.unit(name) for name in ("rbacd", "rbacd-dir")}
        self.act = guide.Systemctl(units).act

    def guide(self, name, steps, **put):
        guide.Guide(name, self.w, self.r, put=put, act=self.act).run(steps)

    def unit(self, name):
        def do(verb):
            if verb in ("stop", "restart"):
                self.stop()
            if verb in ("start", "restart") and "rbacd" not in self.w.children:
                self.w.start()
        return do

    def stop(self):
        for name in ("rbacd", "rbacd-dir"):
            if name in self.w.children:
                self.w.stop(name)

    def code(self, text=None):
        return self.w.code("alice")

    def phone(self, text):
        self.w.seeds["alice"] = re.search(r"secret=([A-Z2-7]+)", text).group(1)

    def scan(self, text):
        self.phone(text)
        return self.code()

    def enters(self, user="alice", code=None):
        return self.w.ssh(user, "sshd", [code or (lambda: self.w.code(user))]).ok

    # ---- the key

    def keys(self):
        w, key = self.w, "/etc/rbacd/master.key"
        before = []

        def begin():
            w.start()
            for login in ("alice", "bob", "dave"):
                w.enrol(login)
            before.append(w.read(key))
        self.guide("keys", {
            "(umask 377; openssl rand -hex 32 >/etc/rbacd/master.key)": Says(
                before=lambda: os.unlink(key),
                after=lambda text: os.stat(key).st_mode & 0o777 == 0o400 and len(w.read(key)) == 65),
            "rbacctl key status": Says(r"^ +\S+ +[0-9a-f]{8}", before=begin),
            'rbacctl key rotate --why "yearly"': Says(
                after=lambda text: w.read(key + ".old") == before[0] and
                w.read(key) != before[0] and self.enters() and
                w.last("key.rotate", "admin.key", "key.done") != {}),
            "rbacctl key rotate": Says(before=lambda: os.unlink(key + ".old"),
                                       after=lambda text: self.enters())})

    # ---- second factors

    def enrolment(self):
        w = self.w
        shown = guide.snippets("enrolment", "yaml")[0]
        sk = HOME + "/id_ed25519_sk"
        world.run("ssh-keygen", "-q", "-t", "ed25519-sk", "-N", "", "-w",
                  w.build_tests + "/softkey.so", "-f", sk)

        def answered(text):
            """Nothing counts before a right code."""
            self.phone(text)
            return "000000"

        def document(text):
            with open(HOME + "/key.json", encoding="utf-8") as f:
                doc = json.load(f)
            self.phone(doc["enrolment"]["uri"])
            return len(doc["recovery"]) == 10
        w.rbacctl("reset", "alice", "--why", "to begin anew")
        self.guide("enrolment", {
            "sudo rbacctl enrol alice": Says(
                "[█▀▄ ]{30}", URI, KEY, r"(?s)(?:%s\s+){10}Code" % RECOVERY, code=1,
                answers=[answered, "", ""], after=lambda text: not self.enters()),
            "sudo rbacctl enrol alice --confirm": Says("alice is enrolled", answers=[self.code],
                                                       after=lambda text: self.enters()),
            "rbacctl reset alice": Says(before=self.tools, after=lambda text: not self.enters()),
            "rbacctl enrol alice --security-key id_ed25519_sk.pub": Says(
                after=lambda text: "security-key" in w.rbacctl("factor", "list", "alice").stdout),
            "rbacctl enrol alice --json > key.json": Says(
                before=lambda: w.rbacctl("reset", "alice"), after=document),
            "echo CODE | rbacctl enrol alice --confirm": Says("alice is enrolled"),
            "rbacctl audit show --user alice": Says(
                "skipped", put={"alice": "bob"}, before=lambda: self.put_off(shown)),
            "rbacctl my-status": Says(r"login +alice", r"enrolled +yes", at=lambda: w.shell("alice", answers=[self.code])),
            "rbacctl users": Says(r"^alice +unix:2001:alice +yes "),
        }, CODE=self.code)
        w.policy(POLICY, reload=True)

    def tools(self):
        """The other ways to show a key, as the list has them."""
        for option, want in (("--ascii", r"(?:##|  ){15}"), ("--text", KEY)):
            child = pexpect.spawn("rbacctl", ["enrol", "carol", option], encoding="utf-8",
                                  timeout=10, dimensions=(100, 200))
            child.expect("Code that")
            self.r.check("enrolment: " + option, re.search(want, child.before), child.before)
            child.close(force=True)

    def put_off(self, shown):
        """Bob, of the optional group, presses Enter at the first login."""
        w = self.w
        w.policy(POLICY + re.sub(r"until: \d+", "until: 2099", shown), reload=True)
        w.rbacctl("reset", "bob")
        a = w.ssh("bob", "sshd", [PW["bob"], ""], key=False)
        self.r.check("enrolment: put off, in", a.ok and "A second factor for" in a.text, a)

    def lost_phone(self):
        w = self.w

        def tablet():
            uri = w.rbacctl("enrol", "alice", "--name", "tablet", "--json").stdout
            seed, w.seeds["alice"] = w.seeds["alice"], re.search(r"secret=([A-Z2-7]+)",
                                                                 uri).group(1)
            w.rbacctl("enrol", "alice", "--name", "tablet", "--confirm", input=self.code())
            w.seeds["alice"] = seed
            for _ in range(6):
                w.ssh("alice", "sshd", ["000000"])

        self.guide("lost-phone", {
            'sudo rbacctl bypass alice --uses 1 --for 1h --why "phone lost, ticket 4711"': Says(
                r"code +\S{8,}", r"uses +1$", "expires", after=self.bypass),
            'sudo rbacctl disable alice --why "phone stolen"': Says(
                after=lambda text: not self.enters() and
                "phone stolen" in str(w.last("admin.disable"))),
            'sudo rbacctl reset alice --why "new phone"': Says(),
            "sudo rbacctl enrol alice": Says("alice is enrolled", answers=[self.scan],
                                             after=lambda text: self.enters()),
            "rbacctl users": Says("unix:2001:alice"),
            "sudo rbacctl factor list alice": Says(r"^\s*(?:alice +)?totp .*active", "tablet", "until|locked|fails",
                                                   before=tablet),
            "sudo rbacctl factor remove alice tablet": Says(
                after=lambda text: "tablet" not in w.rbacctl("factor", "list", "alice").stdout),
            "sudo rbacctl factor resync alice totp": Says(answers=[self.code, self.code]),
            'sudo rbacctl factor unlock alice --why "called"': Says(
                after=lambda text: self.enters()),
            "sudo rbacctl proofs revoke alice": Says("The next request .* asks for one")})

    def bypass(self, text):
        """Once, and both are alerts."""
        code = re.search(r"code +(\S+)", text).group(1)
        n = len(self.w.records())
        made = self.w.last("admin.bypass")
        got = self.enters(code=code), self.enters(code=code)
        used = [x for x in self.w.records()[n:] if x.get("sev") == "alert"]
        return got == (True, False) and made.get("sev") == "alert" and used != []

    # ---- getting in

    def rescue(self):
        w = self.w
        lines = guide.snippets("rescue", "")[0]
        lost = guide.missing(lines, w.read(world.TREE + "/pam_vmsec/dist/login"))
        self.r.check("rescue: its lines are those that are shipped", not lost, lost)

        def console():
            n = len(w.read(world.LOGFILE))
            a = w.console("root", [world.ROOT_PASSWORD])
            self.r.check("rescue: root on the console, in", a.ok, a)
            self.r.check("rescue: a line at level alert", re.search(
                r"<(?:\d+)>.*pam_vmsec.*rescue", w.read(world.LOGFILE)[n:]),
                w.read(world.LOGFILE)[n:])
            w.wait(lambda: w.last("session.open").get("op") == "rescue", 5, "its record")
            self.r.check("rescue: its record is an alert",
                         w.last("session.open")["sev"] == "alert", w.last("session.open"))

        def alone(text):
            self.stop()
            root, bob = w.console("root", [world.ROOT_PASSWORD]), w.console("bob", [PW["bob"]])
            w.start()
            return root.ok and not bob.ok and bob.seconds < 6.5
        self.guide("rescue", {
            "passwd root": Says("updated", answers=[world.ROOT_PASSWORD] * 2),
            "rbacctl audit tail": Says("session.open .*root .*rescue", before=console,
                                       after=alone)})

    def sshd(self):
        w = self.w

        def refused():
            self.r.check("sshd: dave is refused", not self.enters("dave"), w.last())
        self.guide("sshd", {
            "rbacctl explain --id ID": Says("dave", "no_grant", "The same now", code=(0, 1),
                                            before=refused),
            "rbacctl audit show --user alice": Says("account .*alice")},
            ID=lambda: w.last("account")["id"])
        self.second_stack()

    def second_stack(self):
        """sshd under another name: refused until its name is known in both places."""
        w = self.w
        os.symlink("/usr/sbin/sshd", "/usr/sbin/sshd2")
        w.pam("sshd2", w.read("/etc/pam.d/sshd"))
        world.write("/etc/ssh/sshd2_config", w.read("/etc/ssh/sshd_config").replace("2201", "2205"))
        w.SSHD["sshd2"] = (2205, "")
        w.spawn("sshd2", ["/usr/sbin/sshd2", "-D", "-f", "/etc/ssh/sshd2_config"],
                ready=lambda: w.listens(2205))
        login = lambda: w.ssh("alice", "sshd2", [self.code]).ok
        self.r.check("sshd: a service that the policy does not know is refused",
                     not login(), w.last())
        world.write("/etc/rbacd/rbacd.yaml", world.CONFIG.replace("[sshd]", "[sshd, sshd2]"))
        w.policy(POLICY + "services: {sshd2: ssh}\n", reload=True)
        self.r.check("sshd: named in rbacd.yaml and in the policy: in", login() and
                     w.last("account")["svc"] == "sshd2", w.last())
        said = w.rbacctl("doctor", check=False).stdout
        self.r.check("sshd: and doctor is content with its lines",
                     not re.search(r"(?:critical|error|warning) .*sshd2", said), said)
        world.write("/etc/rbacd/rbacd.yaml", world.CONFIG)
        w.policy(POLICY, reload=True)
        w.stop("sshd2")
        os.unlink("/etc/pam.d/sshd2")

    def troubleshooting(self):
        w, path = self.w, "/etc/rbacd/policy.d/policy.yaml"
        serial = "vmsec_policy: 1\nserial: %d"

        def numbered(n):
            w.policy(POLICY.replace("vmsec_policy: 1", serial % n))
            w.rbacctl("reload", check=False)
            if n == 2:
                w.policy(POLICY.replace("vmsec_policy: 1", serial % 1))
                a = w.rbacctl("reload", check=False)
                self.r.check("troubleshooting: a smaller serial is refused", a.returncode == 1 and
                             "must be larger" in a.stdout + a.stderr, a)

        def set_back():
            w.set_clock(w.offset - 7200)
            self.enters()
            w.wait(lambda: w.last("clock.back"), 10, "the clock's record")

        def damaged():
            self.stop()
            with open(w.database(), "r+b") as f:
                f.write(b"no database at all" * 100)
            for rest in ("-wal", "-shm"):
                if os.path.exists(w.database() + rest):
                    os.unlink(w.database() + rest)
        w.rbacctl("backup", "/root/backup.db")
        self.guide("troubleshooting", {
            "sudo rbacctl status": Says(r"^note: .*clock"),
            "rbacctl explain --id ID": Says("no_grant", "The same now", code=(0, 1)),
            "rbacctl audit show --user NAME --since 1h": Says("dave .*no_grant"),
            "rbacctl explain NAME VM PRIVILEGE --from ADDR --with-code": Says(
                "^DENY", "no_grant", code=1),
            "rbacctl locks": Says(r"bob .*T\d\d:\d\d:\d\dZ .*seen", before=lambda: w.rbacctl(
                "lock", "bob", "--for", "1h", "--why", "seen")),
            "rbacctl unlock WHAT --why TEXT": Says(
                after=lambda text: "bob" not in w.rbacctl("locks").stdout),
            "rbacctl status": Says("^note:"),
            "rbacctl clock accept --why TEXT": Says(before=set_back, after=self.clock_again),
            "rbacctl policy reviewed GRANT --why TEXT": Says(
                "devs is reviewed", after=lambda text: [w.last("admin.lock").get(x) for x in (
                    "op", "object")] == ["review", "devs"]),
            "rbacctl reload --rollback": Says("active", before=lambda: (numbered(1), numbered(2))),
            "rbacctl users": Says("^.*alice"),
            "rbacctl reset NAME": Says(),
            "rbacctl policy check": Says(
                r"policy\.yaml:\d+:\d+", code=1,
                before=lambda: w.policy(POLICY + "nonsense: true\n"),
                after=lambda text: w.policy(POLICY)),
            "rbacctl restore BACKUP": Says(
                "restored", before=damaged,
                after=lambda text: len(glob.glob(STATE + "/rbacd.db*")) > 1),
            "rbacctl audit key --renew": Says("makes a new one", after=lambda text: w.start()),
        }, ID=lambda: w.last("account")["id"], NAME="dave", VM=world.HOST, PRIVILEGE="ssh",
            ADDR="127.0.0.1", WHAT="bob", TEXT="'a test'", GRANT="devs", BACKUP="/root/backup.db")
        self.r.check("troubleshooting: restored, alice is in", self.enters(), w.last())

    def clock_again(self, text):
        """With the time of before a code counts again."""
        self.w.spent = {}
        good = self.enters()
        self.w.set_clock(self.w.offset + 7200)
        return good

    # ---- passwords

    def blocklist(self):
        sha = lambda text: hashlib.sha1(text.encode()).hexdigest().upper()
        world.write(HOME + "/pwnedpasswords.txt", "%s:10\n%s:3\n" % (sha(LEAKED), sha(RARE)))

        def rare(text):
            a = self.w.rbacctl("blocklist", "check", input=RARE + "\n", check=False)
            return a.returncode == 0
        self.w.policy(POLICY + guide.snippets("blocklist", "yaml")[0], reload=True)
        self.guide("blocklist", {
            "rbacctl blocklist info": Says("no usable blocklist", code=1),
            "/usr/share/vmsec/common-passwords | rbacctl blocklist build": Says(
                r"^113399 entries"),
            "awk -F: '$2 >= 10' pwnedpasswords.txt >leaked": Says(),
            "/usr/share/vmsec/common-passwords >common": Says(),
            "rbacctl blocklist build common leaked": Says(r"^113400 entries .* 1 hashes"),
            "rbacctl password check --user alice": Says("list", never=LEAKED, code=1,
                                                        answers=[LEAKED]),
            "rbacctl blocklist check": Says("in the list", never=COMMON, code=1, answers=[COMMON],
                                            after=rare)})

    def passwords(self):
        w = self.w
        blocks = [x for _, lines in guide.blocks(guide.read("passwords")) for x in lines]
        indented = "\n".join(x.strip() for x in blocks if x.startswith("       "))
        policy = re.search(r"^password: \{.*", indented, re.M).group(0)
        shown = "\n".join(re.findall(r"^password [^:].*", indented, re.M))
        w.policy(POLICY + policy + "\n", reload=True)
        world.write(HOME + "/logins.txt", "bob\n")
        for name, text in (("common-password", DEBIAN), ("passwd", INCLUDE), ("chpasswd", INCLUDE)):
            w.pam(name, text)

        def as_shown(text):
            lost = guide.missing(shown, w.read("/etc/pam.d/passwd"))
            self.r.check("passwords: the lines are those that it shows", not lost,
                         (lost, w.read("/etc/pam.d/passwd")))

        def again(text):
            back = w.read("/etc/pam.d/passwd") == "#%PAM-1.0\n" + INCLUDE
            w.rbacctl("pam", "enable", "--yes", "--no-login", "--within", "10m", "passwd")
            os.unlink("/etc/rbacd/pam/.pending")
            return back

        def forced(text):
            """In by password and code, a new one at once, and on."""
            a = w.ssh("alice", "sshd", [NEW, self.code, NEW, NEW[::-1], NEW[::-1]], key=False)
            return a.ok and self.enters()
        self.guide("passwords", {
            "rbacctl policy lint": Says("pci-dss-4", code=(0, 1, 2)),
            "rbacctl blocklist info": Says("113400 entries|113400"),
            "rbacctl blocklist build common leaked": Says("113400"),
            "rbacctl pam preview passwd": Says(r"^\+password\t?.*pam_vmsec.so confirm"),
            "rbacctl pam enable --user alice passwd chpasswd": Says(
                "At least 12 characters", answers=["y", PW["alice"]], after=as_shown),
            "rbacctl pam confirm": Says("Confirmed"),
            "rbacctl pam enable --profile rules sshd login": Says(
                answers=["y"], after=lambda text: os.unlink("/etc/rbacd/pam/.pending")),
            "rbacctl pam disable passwd": Says(answers=["y"], after=again),
            "rbacctl doctor": Says(never="pam-password.*", code=(0, 1, 5)),
            "passwd": Says(at=lambda: w.shell("alice", answers=[self.code]),
                           answers=[PW["alice"], NEW, NEW]),
            "rbacctl password check": Says("12 characters", code=1, answers=["short"]),
            'rbacctl password expire alice --why "seen in a breach"': Says(after=forced),
            'rbacctl password expire --list logins.txt --why "breach of 2026-11"': Says("1"),
            "rbacctl password status": Says("^bob .*"),
            "rbacctl lock NAME --for 1d --why TEXT": Says(
                after=lambda text: not self.enters() and
                w.rbacctl("unlock", "alice", "--why", "found").returncode == 0),
            "passwd alice": Says("updated", answers=[NEW + "-2"] * 2),
            "rbacctl status": Says("preset +pci-dss-4"),
        }, NAME="alice", TEXT="'a test'")

    # ---- the log

    def evidence(self):
        w, key, asked = self.w, [], {}
        os.symlink(world.TREE + "/tests", "tests")
        os.makedirs("/var/lib/node_exporter/textfile")

        def copies():
            last = w.records()[-1]["seq"]

            def signed():
                e = json.loads(w.rbacctl("--json", "status", check=False).stdout)["evidence"]
                return e["segment_seq"] >= e["signed_seq"] >= last
            w.step(61)
            w.wait(signed, 10, "a checkpoint")
            for path in glob.glob(STATE + "/audit/audit-*.jsonl") + [STATE + "/audit/checkpoint"]:
                shutil.copy(path, ".")

        def alert():
            rows = json.loads(w.rbacctl("alerts", "list", "--json", check=False).stdout)["alerts"]
            return str(rows[0]["seq"])

        def shipped(text):
            with open("shipped", encoding="utf-8") as f:
                return json.loads(f.readline())["metadata"]["product"]["vendor_name"] != ""
        verifier = ("tests/lib/verify_audit.py --vkey \"KEY\" --checkpoint checkpoint "
                    "audit-*.jsonl")
        self.guide("evidence", {
            "rbacctl audit key": [Says(r"^\S+\+[0-9a-f]{8}\+\S+$",
                                       after=lambda text: key.append(text.strip())),
                                  Says(after=lambda text: text.strip() not in key)],
            "rbacctl audit verify": Says(r"^OK: \d+ records", before=copies),
            'rbacctl audit verify --vkey "KEY"': Says(r"^OK: \d+ records"),
            verifier: Says(r"head [0-9a-f]{64}"),
            "rbacctl audit proof SEQ >proof": Says(put={"SEQ": "3"}),
            'rbacctl audit check-proof --vkey "KEY" proof': Says(r"\b3\b"),
            "rbacctl status": Says(r"signed_seq +\d+", code=(0, 1)),
            "rbacctl audit key --renew": Says(),
            'rbacctl audit hold on --why "case 7"': Says(
                after=lambda text: w.last("log.hold").get("object") == "on"),
            "rbacctl audit search --user alice --outcome failure --since 30d": Says("alice"),
            "rbacctl audit export --follow --format ocsf | your-shipper": Says(
                put={"your-shipper": "head -n 1 >shipped"}, after=shipped),
            "rbacctl alerts list": Says("seq", code=1),
            'rbacctl alerts ack SEQ --why "pen test"': Says(put={"SEQ": alert}, after=lambda text:
                                                            "pen test" in str(w.last("alert.ack"))),
            "rbacctl metrics --textfile /var/lib/node_exporter/textfile/vmsec.prom": Says(
                after=lambda text: all(x in w.read("/var/lib/node_exporter/textfile/vmsec.prom")
                                       for x in metrics)),
        }, KEY=lambda: key[0])


metrics = re.findall(r"vmsec_\w+", "vmsec_audit_signing vmsec_alerts_open")


def main():
    world.enter()
    r = world.Report("guides_people")
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    w.cover.over("/usr")
    w.install()
    os.makedirs("/usr/share/vmsec")
    shutil.copy(world.TREE + "/rbacd/dist/common-passwords", "/usr/share/vmsec")
    w.policy(POLICY)
    w.sshd("sshd")
    os.symlink(world.LOCAL_SBIN + "/rbacctl", "/usr/bin/rbacctl")  # for everybody
    os.mkdir(HOME)
    os.chdir(HOME)
    p = People(w, r)
    guide.run_parts(r, p.keys, p.enrolment, p.lost_phone, p.rescue, p.sshd, p.troubleshooting,
                    p.blocklist, p.passwords, p.evidence)
    r.end()


main()
