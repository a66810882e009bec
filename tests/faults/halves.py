#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Policy and configuration half written at every byte, two writers, owners, a symlink racer.

rbacd is told to reload after each. A half is refused and the policy before stays, by its
hash. Cut between two lines, what is left can be a policy of its own; not when the version is
the last line, and not when tests in it tell. Nobody without a grant gets in at any time.

usage: halves.py [VARIANT] [long]
"""
import collections
import os
import signal
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
sys.path.insert(0, HERE)
import frames as f  # noqa: E402
import world  # noqa: E402

FOLDER = "/etc/rbacd/policy.d"
FILE = FOLDER + "/policy.yaml"
CONFIG = "/etc/rbacd/rbacd.yaml"
RULES = """vm_sets:
  here: {every: true}
roles:
  viewer:
    privileges: [ssh, console]
  operator:
    includes: [viewer]
    privileges: [sudo]
grants:
  - id: %s
    to: [vmadmins, developers]
    roles: [operator]
    vms: [here]
    when: {mfa: none}
denies:
  - id: no-%s
    to: [developers]
    privileges: ["*"]
    vms: [here]
"""
TESTS = """tests:
  - {user_in: [vmadmins], do: sudo, at: 2026-11-20T10:00Z, want: allow, by: %s}
  - {user_in: [vmadmins, developers], do: ssh, at: 2026-11-20T10:00Z, want: deny}
"""
EVIL = """vmsec_policy: 1
roles:
  all: {privileges: ["*"]}
vm_sets:
  here: {every: true}
grants:
  - {id: evil, to: [user:dave], roles: [all], vms: [here], when: {mfa: none}}
"""
NOBODY = 65534


VERSION = "vmsec_policy: 1\n"


def policy(name):
    """With its tests first and its version last, which marks the end."""
    return TESTS % name + RULES % (name, name) + VERSION


class Halves:
    def __init__(self, variant, long):
        self.long = long
        self.r = world.Report("halves")
        self.w = w = world.World(variant).make()
        w.install()
        w.policy(policy("old"))
        w.start()
        self.good = {self.active()}

    # ---- asking

    @staticmethod
    def admin(verb):
        """(exit status, message, rows)"""
        c = f.Client(f.ADMIN)
        got, rows = c.send(f.call(verb)).recv(), []
        while got and got[0] == f.ROW:
            rows.append(got[1])
            got = c.recv()
        c.close()
        if not got:
            return None, "closed", rows
        return struct.unpack(">I", got[1][80])[0], got[1].get(81, b"").decode(), rows

    def active(self):
        """Hash of the policy that decides, as its record says."""
        return next(x["after_sha"] for x in reversed(self.w.records()) if x.get("after_sha"))

    def enters(self, user):
        _, b = f.begin(user, op=f.ACCOUNT, source="192.0.2.5", info=f.KEY)
        c = f.Client(f.PAM)
        got = c.send(b).result()[0]
        c.close()
        return got == "allow"

    def reload(self):
        return self.admin("reload")[0] == 0

    def same_people(self, what):
        got = [self.enters(x) for x in ("alice", "bob", "dave")]
        self.r.check(what + ": alice in, bob and dave refused", got == [True, False, False], got)

    # ---- half written

    def cut_policy(self):
        """The new policy, half written, over the old one, at every byte."""
        new, n = policy("new").encode(), collections.Counter()
        before = self.active()
        for cut in range(len(new)):
            with open(FILE, "wb") as out:  # in place, as a careless program would
                out.write(new[:cut])
            if self.reload():
                n["taken"] += 1
                self.r.check("cut at %d: not taken" % cut, False, new[:cut][-60:])
            if cut % (16 if self.long else 64) == 0 and \
                    (self.enters("bob") or self.enters("dave")):
                self.r.check("cut at %d: nobody gains" % cut, False)
        self.r.check("a policy half written at %d bytes: %d taken" % (len(new), n["taken"]),
                     n["taken"] == 0 and self.active() == before, n)
        self.same_people("with half a policy on disk")
        with open(FILE, "wb") as out:
            out.write(new)
        self.r.check("written whole: taken", self.reload() and self.active() != before)

    def taken(self, path, text):
        """Where the beginning of @text is taken: (between lines, inside one)."""
        text, found = text.encode(), ([], [])
        for cut in range(len(text)):
            world.write(path, text[:cut].decode())
            if self.reload():
                found[text[:cut][-1:] != b"\n"].append(text[:cut][-40:])
        return found

    def cut_plain(self):
        """Without tests of its own: what remains can be a policy, but never inside a line;
        with the version as its last line it never is."""
        rules = RULES % ("bare", "bare")
        between, inside = self.taken(FILE, VERSION + rules)
        self.r.check("without tests: taken at %d of %d bytes, %d inside a line" % (
            len(between) + len(inside), len(VERSION + rules), len(inside)),
            between and not inside, inside)
        taken = self.taken(FILE, rules + VERSION)
        self.r.check("without tests, the version last: taken nowhere", taken == ([], []), taken)
        world.write(FILE, policy("old"))
        self.r.check("and the old one again", self.reload() and self.active() in self.good)

    def cut_config(self):
        whole, before = self.w.read(CONFIG), self.active()
        between, inside = self.taken(CONFIG, whole)
        self.r.check("rbacd.yaml half written: taken at %d of %d bytes, %d inside a line" % (
            len(between) + len(inside), len(whole), len(inside)), not inside, inside)
        first, rest = whole.split("\n", 1)
        taken = self.taken(CONFIG, rest + first + "\n")
        self.r.check("rbacd.yaml with its version last: taken nowhere", taken == ([], []), taken)
        world.write(CONFIG, whole)
        self.r.check("and whole again", self.reload() and self.active() == before)
        self.same_people("after the configuration")

    # ---- who wrote it

    def refused(self, what, prepare, undo):
        before = self.active()
        prepare()
        self.r.check(what + ": refused, the policy before stays",
                     not self.reload() and self.active() == before)
        undo()
        self.r.check(what + ", mended: taken", self.reload())

    def owners(self):
        mode = lambda path, m: lambda: os.chmod(path, m)
        owner = lambda path, uid, gid: lambda: os.chown(path, uid, gid)
        for what, prepare, undo in (
                ("a file of somebody else's", owner(FILE, 2004, 2004), owner(FILE, 0, 0)),
                ("a file that its group may write", mode(FILE, 0o664), mode(FILE, 0o644)),
                ("a file that all may write", mode(FILE, 0o646), mode(FILE, 0o644)),
                ("a folder of somebody else's", owner(FOLDER, 2004, 2004), owner(FOLDER, 0, 0)),
                ("a folder that its group may write", mode(FOLDER, 0o775), mode(FOLDER, 0o755)),
                ("a folder that all may write", mode(FOLDER, 0o1777), mode(FOLDER, 0o755)),
                ("a file that rbacd may not read", mode(FILE, 0o600), mode(FILE, 0o644)),
                ("a pipe", lambda: (os.unlink(FILE), os.mkfifo(FILE, 0o644)),
                 lambda: (os.unlink(FILE), world.write(FILE, policy("old")))),
                ("a symbolic link", lambda: (os.rename(FILE, "/etc/rbacd/kept"),
                                             os.symlink("/etc/rbacd/kept", FILE)),
                 lambda: os.rename("/etc/rbacd/kept", FILE))):
            self.refused(what, prepare, undo)

    # ---- against a running writer

    def beside(self, work, seconds, good):
        """Reload while @work runs in a child. Counts (taken, refused); what was ever active
        has to be in @good."""
        seq = self.w.records()[-1]["seq"]
        pid = os.fork()
        if pid == 0:
            try:
                while True:
                    work()
            finally:
                os._exit(1)
        n, end = collections.Counter(), time.monotonic() + seconds
        while time.monotonic() < end:
            n[self.reload()] += 1
            if sum(n.values()) % 50 == 0 and (self.enters("dave") or self.enters("bob")):
                n["gained"] += 1
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        ever = {x["after_sha"] for x in self.w.records(seq) if x["ev"] == "policy.load" and
                x["outcome"] == "success"}
        return n, ever - good

    def writers(self):
        """Two programs write the same file: by rename, and in place, piece by piece."""
        texts = [policy(name) for name in ("one", "two")]
        good = set(self.good)  # the old one stands there until the writer comes to it
        for text in texts:
            world.write(FILE, text)
            self.reload()
            good.add(self.active())

        def by_rename():
            for text in texts:
                world.write(FILE, text)

        def in_place():
            for text in texts:
                with open(FILE, "r+b", buffering=0) as out:
                    out.truncate(0)
                    for i in range(0, len(text), 64):
                        out.write(text[i:i + 64].encode())

        seconds = 20 if self.long else 1.5
        for what, work, halves in (("renaming", by_rename, False),
                                   ("writing in place", in_place, True)):
            n, bad = self.beside(work, seconds, good)
            self.r.check("two policies, %s, during %d reloads: %d refused, never another "
                         "policy active" % (what, n[True] + n[False], n[False]),
                         not bad and not n["gained"] and n[True] > 0 and
                         (n[False] > 0) == halves, (n, bad))
            world.write(FILE, policy("old"))
            self.reload()

    def racer(self):
        """A file that swaps with a link to, and with a file of, somebody without a grant."""
        evil = "/tmp/evil.yaml"
        world.write(evil, EVIL, 0o644, (2004, 2004))

        def swap():
            os.symlink(evil, FILE + ".x")
            os.rename(FILE + ".x", FILE)
            world.write(FILE, EVIL, 0o644, (2004, 2004))
            world.write(FILE, policy("old"))

        n, bad = self.beside(swap, 20 if self.long else 1.5, self.good)
        self.r.check("a link and a foreign file swapped in during %d reloads: %d refused, "
                     "never active" % (n[True] + n[False], n[False]),
                     not bad and not n["gained"] and n[False] > 0, (n, bad))
        world.write(FILE, policy("old"))
        self.reload()

    def run(self):
        self.same_people("at first")
        for part in (self.cut_policy, self.cut_plain, self.cut_config, self.owners,
                     self.writers, self.racer):
            begun = time.monotonic()
            part()
            print("        %s: %.1f s" % (part.__name__, time.monotonic() - begun), flush=True)
        self.same_people("at last")
        v = self.w.rbacctl("audit", "verify", check=False)
        self.r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
        self.r.end()


def main():
    world.enter()
    words = [x for x in sys.argv[1:] if x != "long"]
    Halves(words[0] if words else "release", "long" in sys.argv[1:]).run()


main()
