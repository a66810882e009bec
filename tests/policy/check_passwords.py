#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""rbacctl password check and blocklist build, check, info, at a terminal and without one.

usage: check_passwords.py RBACCTL
"""
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile

import pexpect

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMON = os.path.join(TREE, "rbacd/dist/common-passwords")
PRESETS = ("nist-800-63b-4", "pci-dss-4", "cis", "strictest-of(pci-dss-4, cis)")
POLICY = """vmsec_policy: 1
vm_sets: {all: {every: true}}
roles: {r: {privileges: [ssh]}}
grants:
  - {id: g, to: [a], roles: [r], vms: [all], when: {mfa: none}}
%s
"""
# What each preset says: identifiers of the audit log, "none" for a password that fits.
ASKED = (
    ("gT7#kW2!pQ9&mZx", ("none",) * 4),
    ("iloveyou", ("pw_too_short",) * 4),
    ("1q2w3e4r5t6y7u8i9o", ("none", "none", "pw_class", "pw_class")),
    ("alice-liddell!", ("pw_too_short",) + ("pw_personal",) * 3),
    ("web01.prod.example", ("pw_personal",) * 4),
    ("rocket science is fun", ("none",) + ("pw_personal",) * 3),
    ("Rocket Science!", ("none",) + ("pw_personal",) * 3),
    ("ROCKET.ROCKET", ("pw_too_short", "pw_personal", "pw_too_short", "pw_too_short")),
    ("gT7#kW2!\x02Q9&mZx", ("pw_bad_text",) * 4),
    ("five boxing wizards", ("none",) + ("pw_class",) * 3),
    ("trustno1-trustno1", ("none", "none", "pw_class", "pw_class")),
    ("Extraordinary1!", ("none", "none", "pw_dictionary", "pw_dictionary")),
    ("known-Xq7-by-hash", ("pw_blocklisted", "pw_blocklisted", "none", "pw_blocklisted")),
)


class Passwords:
    def __init__(self, rbacctl, folder):
        self.rbacctl, self.folder = os.path.abspath(rbacctl), folder
        self.passed = self.failed = 0
        self.list = os.path.join(folder, "state/blocklist")
        os.mkdir(os.path.join(folder, "state"))
        self.config = self.write("rbacd.yaml", "rbacd: 1\nvm: {name: web01.prod.example}\n"
                                 "policy: %s/policy.yaml\nstate: %s/state\n" % (folder, folder))
        self.say("policy", "")

    def expect(self, what, ok, more=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED  %s: %s" % (what, str(more)[:300]))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def say(self, name, section):
        self.write(name + ".yaml", POLICY % section)

    def ctl(self, *argv, typed=b""):
        return subprocess.run([self.rbacctl, *argv, "--config", self.config], input=typed,
                              capture_output=True, timeout=60, check=False)

    def builds(self, what, typed, *lists):
        r = self.ctl("blocklist", "build", *lists, typed=typed)
        self.expect(what, r.returncode == 0, r.stderr)

    # ---- the list

    def blocklist(self):
        r = self.ctl("blocklist", "info")
        self.expect("no list: it says how to make one", r.returncode == 1 and
                    b"rbacctl blocklist build" in r.stderr, r.stderr)
        common = subprocess.run([COMMON], capture_output=True, check=True).stdout
        words = [w for w in common.split(b"\n") if w]
        self.builds("the list of common passwords", common)
        d = json.loads(self.ctl("blocklist", "info", "--json").stdout)
        self.expect("it holds each word once", d["entries"] == len(
            {w for w in words} | {w.lower() for w in words}) and d["words"] == len(words), d)
        self.expect("in less than 2.5 bytes an entry", d["bytes"] < 2.5 * d["entries"], d)
        r = self.ctl("blocklist", "check", "--json", typed=common)
        self.expect("and each is found", json.loads(r.stdout) == {
            "listed": len(words), "of": len(words)}, r.stdout)
        strangers = b"".join(b"%s\n" % hashlib.sha256(b"%d" % i).hexdigest().encode()
                             for i in range(100000))
        r = self.ctl("blocklist", "check", "--json", typed=strangers)
        self.expect("of 100,000 strangers hardly any", json.loads(r.stdout)["listed"] < 20,
                    r.stdout)
        known = hashlib.sha1(b"known-Xq7-by-hash").hexdigest()
        self.builds("words and hashes from files", b"", self.write("words", "iloveyou\n"),
                    self.write("hashes", known.upper() + ":7\n"))
        r = self.ctl("blocklist", "check", typed=b"ILoveYou\nknown-Xq7-by-hash\nKnown\n")
        self.expect("lines are told by number, not by text", r.returncode == 1 and r.stdout ==
                    b"line 1 is in the list\nline 2 is in the list\n2 of 3 are in the list.\n",
                    r.stdout)
        r = self.ctl("blocklist", "build", "--file", self.folder + "/other", typed=b"".join(
            hashlib.new(h, b"x").hexdigest().encode() + b":1\n" for h in ("md5", "sha256", "sha1")))
        self.expect("a list of other hashes is warned of", r.returncode == 0 and
                    b"2 lines look like hashes, but not SHA-1" in r.stderr, r.stderr)
        self.kept()

    def kept(self):
        """Nothing that goes wrong takes the list away."""
        with open(self.list, "rb") as f:
            before = f.read()
        for what, argv in (("a list that is not there", ["/nonexistent"]),
                           ("a folder", [self.folder]), ("an empty list", ["/dev/null"])):
            r = self.ctl("blocklist", "build", *argv)
            self.expect(what + " is refused", r.returncode == 1 and r.stderr, r.stderr)
        p = subprocess.Popen([self.rbacctl, "blocklist", "build", "--config", self.config],
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        p.stdin.write(b"a\n" * 100000)
        p.stdin.flush()
        p.send_signal(signal.SIGKILL)
        p.communicate()
        with open(self.list, "rb") as f:
            self.expect("killed while building: the old list stays", f.read() == before)
        with open(self.list, "r+b") as f:
            f.seek(-1, os.SEEK_END)
            f.write(bytes([before[-1] ^ 1]))
        r = self.ctl("blocklist", "info")
        self.expect("damage is found", r.returncode == 1 and b"damaged" in r.stderr, r.stderr)
        with open(self.list, "wb") as f:
            f.write(before)

    # ---- a candidate

    def check(self, candidate, *argv):
        r = self.ctl("password", "check", "--json", "--user", "alice", "--name",
                     "Alice Liddell", *argv, typed=candidate.encode() + b"\n")
        d = json.loads(r.stdout)
        self.expect("exit status and answer agree", d["fits"] == (r.returncode == 0), d)
        self.expect("the password is not repeated", candidate.encode() not in r.stdout + r.stderr)
        return d["reason"]

    def candidates(self):
        for i, preset in enumerate(PRESETS):
            self.say("policy", 'password: {preset: "%s", words: [Rocket]}' % preset)
            for candidate, want in ASKED:
                got = self.check(candidate)
                self.expect("%s: %r" % (preset, candidate), got == want[i], got)
        self.say("other", "password: {preset: nist-800-63b-4, min_length: 16}")
        r = self.check("gT7#kW2!pQ9&mZx", "--policy", self.folder + "/other.yaml")
        self.expect("another policy", r == "pw_too_short", r)
        self.say("policy", "")
        r = self.ctl("password", "check", typed=b"x\n")
        self.expect("a policy without rules says so", r.returncode == 1 and
                    b"asks nothing" in r.stderr, r.stderr)

    def real_name(self):
        """The name of /etc/passwd counts: here one of our own, in a mount namespace."""
        self.say("policy", "password: {preset: pci-dss-4}")
        accounts = self.write("passwd", "carla:x:2001:2001:Carla Quispe,room 7:/:/bin/sh\n")
        for argv, rc in (([], 1), (["--name", "Somebody Else"], 0)):
            r = subprocess.run(
                ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/passwd && exec "$@"',
                 accounts, self.rbacctl, "password", "check", "--user", "carla", *argv,
                 "--config", self.config], input=b"9-llamas-of-Quispe\n",
                capture_output=True, timeout=60, check=False)
            self.expect("the real name of /etc/passwd %s" % argv, r.returncode == rc and
                        (b"holds a name" in r.stdout) == (rc == 1), r.stdout + r.stderr)

    def without_list(self):
        os.rename(self.list, self.list + ".away")
        for preset in PRESETS:
            self.say("policy", 'password: {preset: "%s"}' % preset)
            r = self.ctl("password", "check", typed=b"gT7#kW2!pQ9&mZx\n")
            self.expect(preset + ": a demanded list that is missing refuses",
                        r.returncode == (0 if preset == "cis" else 1) and
                        (preset == "cis" or b"could not be checked" in r.stderr), r.stderr)
        os.rename(self.list + ".away", self.list)

    def doctor(self):
        self.say("policy", "password: {preset: pci-dss-4}")
        found = lambda: [f["what"] for f in json.loads(self.ctl("doctor", "--json").stdout)[
            "findings"] if f["id"] in ("blocklist", "dictionary")]
        self.expect("doctor: a whole list is no finding", found() == [], found())
        os.chmod(self.list, 0o666)
        self.expect("doctor: a list that others can write is one",
                    found() == ["must not be writable by group or others"], found())
        os.chmod(self.list, 0o644)
        with open(self.list, "r+b") as f:
            f.seek(-1, os.SEEK_END)
            last = f.read(1)
            f.seek(-1, os.SEEK_END)
            f.write(bytes([last[0] ^ 1]))
        self.expect("doctor: so is a damaged one", found() == [
            "is damaged: its checksum is wrong"], found())
        os.unlink(self.list)
        self.expect("doctor: and none at all", len(found()) == 1 and
                    "does not exist" in found()[0], found())
        self.say("policy", "password: {preset: cis}")
        self.expect("doctor: where none is demanded, none is missed", found() == [], found())

    def terminal(self):
        self.say("policy", "password: {preset: nist-800-63b-4}")
        for argv, typed, said in (
                (["password", "check"], "short-Xq7", "it needs 15 characters or more."),
                (["blocklist", "check"], "ILoveYou", "It is in the list.")):
            t = pexpect.spawn(self.rbacctl, argv + ["--config", self.config], timeout=10,
                              encoding="utf-8")
            t.expect("not shown")
            seen = t.before
            t.sendline(typed)
            t.expect(pexpect.EOF)
            seen += t.before
            t.close()
            self.expect("at a terminal: %s" % argv, said in seen and typed not in seen and
                        t.exitstatus == 1, seen)
        self.expect("what is asked stands before the prompt", self.guidance())

    def guidance(self):
        t = pexpect.spawn(self.rbacctl, ["password", "check", "--config", self.config],
                          timeout=10, encoding="utf-8")
        t.expect("not shown")
        seen = t.before
        t.sendeof()
        t.expect(pexpect.EOF)
        t.close()
        return "At least 15 characters of any kind" in seen and t.exitstatus == 1


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as folder:
        p = Passwords(sys.argv[1], folder)
        p.blocklist()
        p.candidates()
        if os.geteuid() == 0:
            p.real_name()
        else:
            print("passwords: the real name is left out, a mount needs root")
        p.without_list()
        p.terminal()
        p.doctor()
    print("passwords: %d passed, %d failed" % (p.passed, p.failed))
    return p.failed != 0


if __name__ == "__main__":
    sys.exit(main())
