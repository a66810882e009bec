# SPDX-License-Identifier: Apache-2.0
"""A policy that is tried, on real hosts: it decides, it returns, it is kept: a part of hosts.py."""
import os
import subprocess

import world

FILE, NEW = "/etc/rbacd/policy.yaml", "/etc/rbacd/tried.yaml"
PEOPLE = "/etc/rbacd/try-people.yaml"
ADMINS = "to: [vmadmins]"


class Try:
    """Parts of the matrix; hosts.Matrix gives the world and the checks."""

    def tried(self, text, *argv, user="zara"):
        world.write(NEW, text)
        return self.w.rbacctl("policy", "try", NEW, "--people", PEOPLE, "--user", user,
                              *argv, check=False)

    @staticmethod
    def as_login(uid):
        """The same without --user, by somebody whom the kernel remembers."""
        return subprocess.run(
            ["sh", "-c", "echo %d >/proc/self/loginuid && exec rbacctl policy try %s --people %s"
             % (uid, NEW, PEOPLE)], capture_output=True, text=True)

    def running(self):
        return [x for x in self.w.rbacctl("status", check=False).stdout.split() if len(x) == 64][0]

    def numbered(self, text=world.POLICY):
        self.try_serial += 1
        return text.replace("vmsec_policy: 1", "vmsec_policy: 1\nserial: %d" % self.try_serial)

    def op(self):
        return self.w.last("policy.load").get("op")

    def policy_try(self):
        w = self.w
        self.try_serial = getattr(self, "serial", 0) + 1000
        world.write(PEOPLE,
                    "vmsec_people: 1\npeople:\n"
                    "  - {login: zara, id: 'u:1', uid: 7001, groups: [vmadmins]}\n"
                    "  - {login: yuri, id: 'u:2', uid: 7002, groups: [developers]}\n")
        world.write(FILE, self.numbered())
        world.write("/etc/rbacd/rbacd.yaml", world.CONFIG.replace("policy.d", "policy.yaml"))
        w.rbacctl("reload")
        old = self.running()
        rec = w.last("policy.load")
        self.r.check("reload: where nobody can be listed the record says that it was not counted",
                     len(rec["before_sha"]) == 64 and rec["after_sha"] == old and
                     rec["reason_text"] == "not counted: the directory lists nobody", rec)
        w.rbacctl("reload")
        rec = w.last("policy.load")
        self.r.check("reload: the same policy changes nothing", rec["before_sha"] == old ==
                     rec["after_sha"] and rec["reason_text"].startswith("lost 0, gained 0"), rec)
        self.tools()
        self.try_refused(old)
        self.try_returns(old)
        self.try_restart(old)
        self.try_confirm(old)

    def tools(self):
        """What the tools say beside a running rbacd, whose source lists nobody."""
        w = self.w
        self.allowed("tools: a login to judge again", self.login())
        world.write(NEW, self.numbered(world.POLICY.replace(ADMINS, "to: [developers]")))

        def says(what, code, text, *argv):
            r = w.rbacctl(*argv, check=False)
            self.r.check("tools: " + what, r.returncode == code and text in r.stdout + r.stderr, r)
        host = world.HOST
        says("explain: allowed, with the rule", 0, "admins", "explain", "alice", host, "ssh",
             "--from", "127.0.0.1", "--with-code")
        says("explain: refused, with what is missing", 1, "mfa_required", "explain", "alice", host,
             "ssh", "--from", "127.0.0.1")
        says("explain --id of a login", 0, "admins", "explain", "--id", w.last("account")["id"])
        for argv in (("who-can", host), ("what-can", "alice"), ("policy", "lint"),
                     ("policy", "diff", FILE, NEW)):
            says("%s: not all people are known, so exit 2" % " ".join(argv[:2]), 2, "incomplete",
                 *argv)
        people = ("--people", PEOPLE)
        says("who-can --people: everybody", 0, "zara", "who-can", host, *people)
        says("what-can --people", 0, host, "what-can", "zara", *people)
        says("diff --people: who loses", 1, "zara", "policy", "diff", FILE, NEW, *people)
        says("replay: whom it does not know it does not judge", 2, "could not be judged", "policy",
             "replay", NEW, "--since", "1d", "--csv")
        says("lint --people: a group without members", 1, "contractors", "policy", "lint", *people)
        says("graph of what runs", 0, "vmadmins", "policy", "graph")
        says("test of what runs", 0, "tests of", "policy", "test")
        says("pin: this source has no ids", 1, "no ids", "policy", "pin")

    def try_refused(self, old):
        other = self.numbered(world.POLICY.replace(ADMINS, "to: [developers]"))
        r = self.tried(other)
        self.r.check("try: refused when it locks the caller out",
                     r.returncode == 1 and "would lose" in r.stderr and self.running() == old, r)
        r = self.as_login(7001)
        self.r.check("try: the caller is who logged in", r.returncode == 1 and
                     "you (zara) would lose" in r.stderr and self.running() == old, r)
        r = self.tried(other, user="yuri")
        self.r.check("try: another caller may, somebody else still administers",
                     r.returncode == 0 and self.op() == "try", r)
        self.w.rbacctl("reload")
        r = self.tried(self.numbered(world.POLICY.replace(ADMINS, "to: [nobodies]")), user="yuri")
        self.r.check("try: refused when nobody would administer", r.returncode == 1 and
                     "nobody would have sudo" in r.stderr and self.running() == old, r)
        world.write(NEW, self.numbered())
        r = self.w.rbacctl("policy", "try", NEW, "--user", "zara", check=False)
        self.r.check("try: refused when the people are not known", r.returncode == 1 and
                     "not all people" in r.stderr and self.running() == old, r)
        r = self.w.rbacctl("policy", "confirm", check=False)
        self.r.check("confirm: nothing is tried", r.returncode == 1, r)
        r = self.tried(world.POLICY + "nonsense: true\n", "--force")
        self.r.check("try: a broken policy is refused, force or not", r.returncode == 1 and
                     self.running() == old, r)

    def try_returns(self, old):
        w = self.w
        r = self.tried(self.numbered(world.POLICY.replace(ADMINS, "to: [developers]")),
                       "--confirm-within", "8s", "--force")
        rec = w.last("policy.load")
        self.r.check("try: --force, recorded with both hashes and the counts",
                     r.returncode == 0 and rec.get("op") == "try" and
                     rec.get("before_sha") == old and rec.get("after_sha") == self.running() and
                     "lost" in rec.get("reason_text", "") and
                     "forced" in rec.get("reason_text", ""), (r, rec))
        self.refused("try: the new policy decides", self.login(), "no_grant", "account")
        w.wait(lambda: self.op() == "return", 15, "the return")
        rec = w.last("policy.load")
        self.r.check("try: returns by itself, recorded", self.running() == old and
                     rec.get("after_sha") == old and rec.get("actor") == "rbacd", rec)
        w.step(15)
        self.allowed("try: the old policy decides again", self.login())

    def try_restart(self, old):
        w = self.w
        r = self.tried(self.numbered(world.POLICY + "# why\n"), "--confirm-within", "1h")
        self.r.check("try: nothing lost needs no force", r.returncode == 0, r)
        r = self.tried(self.numbered(), "--confirm-within", "1h")
        self.r.check("try: one at a time", r.returncode == 1, r)
        w.stop("rbacd")
        w.stop("rbacd-dir")
        w.start()
        self.r.check("try: a restart ends it, the configured policy is active",
                     self.running() == old, w.rbacctl("status", check=False).stdout)

    def try_confirm(self, old):
        w = self.w
        new = self.numbered()
        self.tried(new, "--confirm-within", "1h")
        tried = self.running()
        world.write(NEW, self.numbered(world.POLICY.replace(ADMINS, "to: [developers]")))
        r = w.rbacctl("policy", "confirm", check=False)
        self.r.check("confirm: a file changed in between is not put in place",
                     r.returncode == 1 and "no longer" in r.stderr and
                     not os.path.exists(FILE + ".new"), r)
        world.write(NEW, new)
        r = w.rbacctl("policy", "confirm", check=False)
        rec = w.last("policy.load")
        self.r.check("confirm: in place, the old one kept, recorded",
                     r.returncode == 0 and w.read(FILE) == new and
                     os.path.exists(FILE + ".old") and rec.get("op") == "confirm" and
                     rec.get("before_sha") == old and rec.get("after_sha") == tried, (r, rec))
        w.stop("rbacd")
        w.stop("rbacd-dir")
        w.start()
        self.r.check("confirm: a restart keeps it", self.running() == tried, tried)
        w.step(15)
        self.allowed("confirm: people get in", self.login())
        world.write("/etc/rbacd/policy.d/policy.yaml", self.numbered())
        world.write("/etc/rbacd/rbacd.yaml", world.CONFIG)
        w.rbacctl("reload")
