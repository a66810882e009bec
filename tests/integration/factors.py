#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Several factors a person, through real logins: phones, a token that counts, a FIDO key,
recovery codes; set right, removed, unlocked, revoked; and who is told.

usage: factors.py [VARIANT]
"""
import json
import os
import re
import shutil
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import pexpect  # noqa: E402
import world  # noqa: E402

NOTIFY = "/etc/rbacd/notify"
TOLD = "/var/lib/rbacd/told"
POLICY = world.POLICY.replace(
    "grants:", "defaults:\n  mfa: {accept: [totp, recovery, security-key], "
    "max_age: {ssh: 0, sudo: 15m}}\ngrants:")


class Factors:
    def __init__(self, w, r):
        self.w, self.r = w, r

    def totp(self, uri, ahead=0):
        """The code of any otpauth URI, @ahead seconds from now."""
        get = lambda key, default: (re.search(key + "=([^&]+)", uri) or [0, default])[1]
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.w.now() + ahead))
        return world.run("oathtool", "--totp=" + get("algorithm", "SHA1").lower(), "--base32",
                         "-d", get("digits", "6"), "-s", get("period", "30") + "s", "-N", when,
                         get("secret", "")).stdout.strip()

    @staticmethod
    def hotp(uri, counter):
        seed = re.search("secret=([A-Z2-7]+)", uri).group(1)
        return world.run("oathtool", "--hotp", "--base32", "-c", str(counter), seed).stdout.strip()

    def enrol(self, user, *options):
        out = json.loads(self.w.rbacctl("--json", "enrol", user, *options).stdout)
        return out["enrolment"]["uri"], [x["code"] for x in out.get("recovery", [])]

    def confirm(self, user, code):
        return self.w.rbacctl("enrol", user, "--confirm", input=code + "\n", check=False)

    def ssh(self, user, *answers, **kw):
        return self.w.ssh(user, "sshd", answers, **kw)

    def greeting(self, user, *answers):
        """What a person reads at a login without a command; "" when refused."""
        argv = self.w.ssh_argv(user, "sshd", tty=True)
        child = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", timeout=20)
        ok, text = self.w.converse(child, answers, r"\$ ", 20)
        child.close(force=True)
        return text if ok else ""

    def factors(self, user):
        out = json.loads(self.w.rbacctl("--json", "factor", "list", user).stdout)
        return {f["name"]: f for f in out["factors"]}, out["state"]

    # ---- phones

    def phones(self):
        w, r = self.w, self.r
        first, recovery = self.enrol("alice")
        self.confirm("alice", self.totp(first))
        again = w.rbacctl("enrol", "alice", "--json", check=False)
        r.check("a second one only by name", again.returncode == 1 and "--name" in again.stdout, again)
        second, more = self.enrol("alice", "--name", "tablet", "--algorithm", "sha512",
                                  "--digits", "8", "--period", "60")
        r.check("the recovery codes of the first stay the only ones", len(recovery) == 10 and not more)
        w.step(60)
        bad = self.ssh("alice", self.totp(second))
        r.check("before its code it opens nothing", not bad.ok, bad)
        self.confirm("alice", self.totp(second))
        w.step(60)
        a, b = self.greeting("alice", self.totp(first)), self.ssh("alice", self.totp(second))
        r.check("SHA-1 of 6 digits and SHA-512 of 8, each opens", a and b.ok, (a, b))
        r.check("told of the wrong code in between", "1 wrong code since your last login" in a, a)
        used = [w.records()[-i] for i in range(1, 12) if w.records()[-i]["ev"] == "auth"]
        r.check("the record names the factor", used[0].get("cred") == "tablet" and
                used[1].get("cred") == "totp", used[:2])
        again = self.ssh("alice", self.totp(second))
        r.check("one code, one login, also of the second", not again.ok and
                w.last("auth").get("reason") == "otp_replay", w.last("auth"))
        have, state = self.factors("alice")
        r.check("factor list: both, and half the guesses a year", set(have) == {"totp", "tablet"} and
                have["tablet"]["digits"] == 8 and state["year_cap"] == 150, (have, state))
        w.stop("rbacd")
        w.stop("rbacd-dir")
        w.start()
        again = self.ssh("alice", self.totp(second))
        r.check("nor after a restart", not again.ok and
                w.last("auth").get("reason") == "otp_replay", w.last("auth"))
        w.rbacctl("factor", "remove", "alice", "tablet", "--why", "lost")
        w.step(60)
        gone, stays = self.ssh("alice", self.totp(second)), self.ssh("alice", self.totp(first))
        r.check("removed: its codes open nothing, the others do", not gone.ok and stays.ok, (gone, stays))
        used = self.greeting("alice", recovery[0])
        r.check("a recovery code opens once", "9 left" in used and
                not self.ssh("alice", recovery[0]).ok, used)
        self.first = first

    # ---- set right

    def budget(self):
        w, r = self.w, self.r
        w.step(60)
        for _ in range(5):
            self.ssh("alice", "000000")
        shut = self.ssh("alice", self.totp(self.first))
        _, state = self.factors("alice")
        r.check("after five not even the right code", not shut.ok and state["locked"], state)
        w.rbacctl("factor", "unlock", "alice", "--why", "called")
        a = self.ssh("alice", self.totp(self.first))
        r.check("unlocked by an administrator: it is", a.ok, a)
        off = 2400
        w.step(60)
        bad = self.ssh("alice", self.totp(self.first, off))
        pair = "%s\n%s\n" % (self.totp(self.first, off), self.totp(self.first, off + 30))
        one = w.rbacctl("factor", "resync", "alice", "totp", input=pair[:7] * 2, check=False)
        two = w.rbacctl("factor", "resync", "alice", "totp", input=pair, check=False)
        w.step(60)
        good = self.ssh("alice", self.totp(self.first, off))
        r.check("a phone 40 minutes off: refused, set right by two codes, not by one", not bad.ok and
                one.returncode == 1 and two.returncode == 0 and good.ok, (bad, one, two, good))

    # ---- a token that counts

    def token(self):
        w, r = self.w, self.r
        uri, _ = self.enrol("bob", "--name", "token", "--kind", "hotp")
        r.check("a token's URI", uri.startswith("otpauth://hotp/") and "counter=0" in uri, uri)
        c = self.confirm("bob", self.hotp(uri, 0))
        got = [self.ssh("bob", self.hotp(uri, n)).ok for n in (1, 1, 5, 3, 12)]
        r.check("counters: next, again, four ahead, behind, too far", c.returncode == 0 and
                got == [True, False, True, False, False], (c, got))
        pair = "%s\n%s\n" % (self.hotp(uri, 500), self.hotp(uri, 501))
        s = w.rbacctl("factor", "resync", "bob", "token", input=pair, check=False)
        r.check("500 ahead: two codes set it right", s.returncode == 0 and
                self.ssh("bob", self.hotp(uri, 502)).ok, s)

    # ---- a FIDO key

    def softkey(self, name):
        path = "/root/keys/" + name
        provider = self.w.build_tests + "/softkey.so"
        world.run("ssh-keygen", "-q", "-t", "ed25519-sk", "-N", "", "-C", "c", "-w", provider, "-f", path)
        return path + ".pub", ("SecurityKeyProvider=" + provider,)

    def key(self):
        w, r = self.w, self.r
        mine, provider = self.softkey("carol-sk")
        other, _ = self.softkey("other-sk")
        with open("/home/carol/.ssh/authorized_keys", "a") as f:
            f.write(w.read(mine) + w.read(other))
        login = lambda server, key: w.ssh("carol", server, [], key=key, options=provider)
        before = login("sshd", "carol-sk")
        bad = w.rbacctl("enrol", "carol", "--security-key", "/root/keys/carol.pub", check=False)
        r.check("only the public half of a FIDO key", bad.returncode == 1, bad)
        w.rbacctl("enrol", "carol", "--security-key", mine, "--name", "yubi")
        a = login("sshd", "carol-sk")
        auth = w.last("auth")
        r.check("not enrolled: a code is asked; enrolled: nothing is", not before.ok and
                "asked more" in before.text and a.ok and auth.get("mfa_method") == "security-key" and
                auth.get("cred") == "yubi", (before, a, auth))
        b = login("sshd", "other-sk")
        r.check("another FIDO key in authorized_keys: the name proves nothing", not b.ok and
                "asked more" in b.text, b)
        c = login("sshd-keyonly", "carol-sk")
        r.check("a login by key alone never counts", not c.ok, c)
        w.policy(POLICY.replace(", security-key", ""), reload=True)
        d = login("sshd", "carol-sk")
        w.policy(POLICY, reload=True)
        r.check("where the policy takes none: a code is asked", not d.ok and "asked more" in d.text, d)
        w.rbacctl("lock", "factor:security-key", "--for", "10m", "--why", "test")
        e = login("sshd", "carol-sk")
        w.rbacctl("unlock", "factor:security-key", "--why", "test")
        r.check("nor while keys are locked", not e.ok, e)
        w.rbacctl("disable", "carol", "--why", "test")
        f = login("sshd", "carol-sk")
        r.check("nor when the person is disabled", not f.ok, f)

    # ---- proofs

    def proofs(self):
        w, r = self.w, self.r
        w.step(60)
        s = w.shell("alice", answers=[lambda: self.totp(self.first, 2400)])
        first = s.run("sudo -k id -un", [world.PEOPLE["alice"][2]])
        lst = json.loads(w.rbacctl("--json", "proofs", "list", "alice").stdout)["proofs"]
        r.check("sudo by the login's proof, which proofs list shows", first.ok and len(lst) == 1 and
                lst[0]["vm"] == world.HOST and lst[0]["from"] == "127.0.0.1" and
                lst[0]["method"] == "totp", (first, lst))
        w.rbacctl("proofs", "revoke", "alice", "--why", "test")
        second = s.run("sudo -n id -un")
        r.check("revoked: asked again, whatever sudo's timestamp says", not second.ok and
                "Nothing" in w.rbacctl("proofs", "list", "alice").stdout, second)
        s.close()

    def fresh(self):
        """One code for eight hours from one place; sudo wants a younger one, whatever its
        own timestamp (15 minutes) says."""
        w, r = self.w, self.r
        w.policy(POLICY.replace("roles: [operator], vms: [here]}", "roles: [operator], vms: [here], when: "
                                "{mfa: {accept: [totp], max_age: 8h, fresh: {sudo: 5m}}}}"), reload=True)
        w.step(60)
        code = lambda: self.totp(self.first, 2400)
        s = w.shell("alice", answers=[code])
        a = s.run("sudo id -un", [world.PEOPLE["alice"][2]])
        w.step(360)
        b, again = s.run("sudo -n id -un"), self.ssh("alice")
        other = self.ssh("alice", options=("BindAddress=127.0.0.3",))
        r.check("max_age: no code again from there, a code from elsewhere", again.ok and not other.ok and
                "asked more" in other.text, (again, other))
        c = s.run("sudo id -un", [code])
        r.check("fresh: sudo asks after 5 minutes with its own timestamp still good", a.ok and not b.ok and
                c.ok and "code" in c.text, (a, b, c))
        s.close()
        w.policy(POLICY, reload=True)

    def doctor(self):
        w, r = self.w, self.r
        found = lambda: {f["id"] for f in json.loads(
            w.rbacctl("--json", "doctor", check=False).stdout)["findings"]}
        base = "HostKey /etc/ssh/world_host_key\n"
        world.write("/etc/ssh/sshd_config", base)
        without = found()
        world.write("/etc/ssh/sshd_config", base + "PubkeyAuthOptions verify-required\n")
        having = found()
        r.check("doctor wants verify-required where the policy takes security keys",
                "sshd-verify" in without and "sshd-verify" not in having, (without, having))

    # ---- who is told

    def notices(self):
        w, r = self.w, self.r
        w.stop("rbacd")
        w.stop("rbacd-dir")
        db = sqlite3.connect(w.database())
        with db:
            db.execute("UPDATE person SET fails = 99 WHERE login = 'bob'")
        db.close()
        w.start()
        self.ssh("bob", "000000")
        last = w.last("auth")
        w.rbacctl("reset", "bob", "--why", "test")
        lines = lambda: [json.loads(x) for x in w.read(TOLD).splitlines()]
        w.wait(lambda: "admin.reset" in [x["ev"] for x in lines()], 10, "the notices")
        told = lines()
        want = {("admin.enrol_confirm", "alice"), ("admin.enrol_confirm", "bob"),
                ("admin.enrol_key", "carol"), ("admin.remove_factor", "alice"),
                ("admin.disable", "carol"), ("auth", "alice"), ("auth", "bob"), ("admin.reset", "bob")}
        r.check("the notice hook heard of each and of nothing else",
                {(x["ev"], x["user"]) for x in told} == want, told)
        r.check("the hundredth wrong code is one of them", last.get("op") == "factor_disabled" and
                last["seq"] in [x["seq"] for x in told], last)
        r.check("and one recovery code", [x["cred"] for x in told if x["ev"] == "auth" and
                                          x["user"] == "alice"] == ["recovery"], told)
        r.check("no secret among them", not re.search("secret=|[A-Z2-7]{16}", w.read(TOLD)))


def main():
    world.enter()
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    r = world.Report("factors")
    if not shutil.which("oathtool"):
        print("factors: SKIP, oathtool is missing")
        sys.exit(77)
    w = world.World(variant).make()
    w.install()
    w.policy(POLICY)
    world.write(NOTIFY, "#!/bin/sh\ncat >>%s\n" % TOLD, 0o755)
    world.write("/etc/rbacd/rbacd.yaml", world.CONFIG + "notify: %s\n" % NOTIFY)
    for name in ("sshd", "sshd-keyonly"):
        w.sshd(name)
    os.unlink("/home/alice/.hushlogin")  # sshd keeps what we say from who wants to hear nothing
    w.start()
    f = Factors(w, r)
    for part in ("phones", "budget", "token", "key", "proofs", "fresh", "doctor", "notices"):
        try:
            getattr(f, part)()
        except Exception as x:  # one broken part must not hide the others
            r.check("part %s ran to its end" % part, False, "%s: %r" % (type(x).__name__, x))
    v = w.rbacctl("audit", "verify", check=False)
    r.check("audit verify", v.returncode == 0, v)
    r.end()


main()
