#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""A first factor made inside the login: real sshd, PuTTY's plink and login(1).

The screen is decoded by zbarimg, oathtool is the phone. usage: enrol.py [VARIANT [long | PART...]]
"""
import base64
import os
import re
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import pamwire  # noqa: E402
import pexpect  # noqa: E402
import world  # noqa: E402

PW = {name: person[2] for name, person in world.PEOPLE.items()}
QUESTION = r"Code that the app shows \([^)]*\): ?$"
CODES = r"press Enter: ?$"
RECOVERY = re.compile(r"\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b")
POLICY = world.POLICY + """enrolment:
  - {to: [vmadmins], at_first_login: true, until: 2037-01-01}
  - {to: [developers], at_first_login: true, until: 2037-01-01, optional: true}
  - {to: [contractors], at_first_login: true, until: 2020-01-01}
"""


def scan(text):
    """What a camera reads from the half blocks of a dark terminal; '' when nothing."""
    rows = [line for line in text.splitlines() if re.match(r"^[\u2580\u2584\u2588 ]{20}", line)]
    if not rows:
        return "", (0, 0)
    width = max(len(re.match(r"[\u2580\u2584\u2588 ]*[\u2580\u2584\u2588]", r).group(0)) for r in rows)
    light = []
    for row in rows:
        cells = row[:width].ljust(width)
        light.append([c in "\u2588\u2580" for c in cells])
        light.append([c in "\u2588\u2584" for c in cells])
    scale, edge = 4, 2
    pixels = []
    dark = [1] * (width + 2 * edge)
    for line in [dark] * edge + [[1] * edge + [0 if c else 1 for c in r] + [1] * edge
                                 for r in light] + [dark] * edge:
        pixels += ["".join(str(p) * scale for p in line)] * scale
    path = "/tmp/screen.pbm"
    world.write(path, "P1\n%d %d\n%s\n" % (len(pixels[0]), len(pixels), "\n".join(pixels)))
    r = subprocess.run(["zbarimg", "-q", "--raw", path], capture_output=True, text=True,
                       timeout=20)
    os.unlink(path)
    return r.stdout.strip(), (max(len(line) for line in text.splitlines()), len(rows))


def key_of(uri):
    return re.search(r"[?&]secret=([A-Z2-7]+)", uri).group(1)


class Enrol:
    def __init__(self, w, r):
        self.w, self.r, self.shown = w, r, {}  # what must be found nowhere: name -> text

    # ---- ways to a terminal

    def spawn(self, argv, locale="C.UTF-8"):
        child = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", codec_errors="replace",
                              timeout=20, dimensions=(24, 80),
                              env=dict(os.environ, LC_ALL=locale))
        child.delaybeforesend = None  # a client shows its question when echo is off
        child.delayafterclose = child.ptyproc.delayafterclose = 0.01
        child.delayafterterminate = child.ptyproc.delayafterterminate = 0.01
        return child

    def ssh(self, user, server="sshd", key=False, locale="C.UTF-8"):
        return self.spawn(self.w.ssh_argv(user, server, key, "echo IN-$(id -un)"), locale)

    def plink(self, user):
        """PuTTY's client without a terminal: plain keyboard-interactive."""
        key = world.run("ssh-keygen", "-lf", "/etc/ssh/world_host_key.pub").stdout.split()[1]
        return self.spawn(["plink", "-ssh", "-P", "2201", "-l", user, "-hostkey", key, "-T",
                           "-no-antispoof", "-noagent", "127.0.0.1", "echo IN-$(id -un)"])

    def expect(self, child, *patterns, seconds=20):
        """Index of the pattern that came and all text up to its end."""
        i = child.expect(list(patterns) + [pexpect.EOF, pexpect.TIMEOUT], timeout=seconds)
        text = (child.before or "") + (child.after if isinstance(child.after, str) else "")
        return i, re.sub(r"(?m)^\| ", "", text)  # how plink marks what a server says

    def answer(self, child, text):
        child.sendline(text)

    def begin(self, user, child=None, password=None):
        """Past the first factor; whatever is asked then."""
        c = child or self.ssh(user)
        self.expect(c, r"[Pp]assword[^\r\n]*: ?$")
        self.answer(c, password or PW[user])
        i, text = self.expect(c, QUESTION, r"One-time code[^\r\n]*: ?$", "IN-" + user)
        return c, ("key", "code", "in", "end", "nothing")[i], text

    # ---- state

    def sql(self, query):
        db = sqlite3.connect("file:%s?mode=ro" % self.w.database(), uri=True, timeout=5)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def stored(self):
        """Factors and recovery codes, of everybody."""
        tables = [x[0] for x in self.sql("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return tuple(self.sql("SELECT count(*) FROM " + t)[0][0]
                     for t in ("factor", "code" if "code" in tables else "recovery"))

    def reset(self, *users):
        for user in users:
            self.w.rbacctl("reset", user, "--why", "test", check=False)

    def last(self, *events):
        return self.w.last(*events)

    def code(self, key, shift=0):
        if int(self.w.now()) % 30 > 24:
            self.w.step(8)
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(int(self.w.now()) + shift))
        code = world.run("oathtool", "--totp", "--base32", "-N", when, key).stdout.strip()
        return code

    # ---- what the screen shows

    def picture(self, what, text, user):
        uri, (columns, rows) = scan(text)
        good = uri.startswith("otpauth://totp/vmsec:%s?secret=" % user)
        self.r.check("O11 %s: zbar reads the address from the screen" % what, good, (uri, text))
        self.r.check("%s: it fits 80 x 24 (%d columns, %d rows)" % (what, columns, rows + 2),
                     columns <= 80 and rows + 2 <= 24, (columns, rows))
        key = key_of(uri) if good else ""
        self.r.check("%s: the key beside it is the picture's, 160 bits" % what,
                     key == in_groups(text) and len(key) == 32, (key, in_groups(text)))
        self.shown["key of " + what] = key
        return key

    def words(self, what, text):
        m = re.search(r"otpauth://totp/\S+", text)
        key = key_of(m.group(0)) if m else ""
        self.r.check("%s: address and key in words" % what, key and key == in_groups(text), text)
        self.shown["key of " + what] = key
        return key

    def through(self, what, child, user, key):
        """From the question to a shell."""
        code = self.code(key)
        self.answer(child, code)
        i, text = self.expect(child, CODES)
        codes = RECOVERY.findall(text)
        self.r.check("%s: ten recovery codes, shown after the right code" % what,
                     i == 0 and len(set(codes)) == 10, text)
        child.sendline("")
        i, text = self.expect(child, "IN-" + user)
        last = self.last("account")
        self.r.check("%s: in, with a code" % what, i == 0 and last.get("user") == user and
                     last.get("dec") == "allow" and last.get("mfa_method") == "totp",
                     (text, last))
        self.shown["recovery code of " + what] = codes[0] if codes else ""
        child.close(force=True)
        return code, codes

    # ---- parts

    def ssh_client(self):
        w = self.w
        after = len(w.records())
        c, asked, text = self.begin("alice")
        key = self.picture("ssh", text, "alice")
        self.r.check("nothing is stored while the key is shown", self.stored() == (0, 0),
                     self.stored())
        code, codes = self.through("ssh", c, "alice", key)
        rows = w.records(after)
        made = [x for x in rows if x["ev"] == "enrol"]
        auth = [x for x in rows if x["ev"] == "auth"]
        self.r.check("the enrolment is one record, of this login", len(made) == 1 and
                     made[0].get("op") == "self_enrol" and made[0]["corr"] == auth[-1]["corr"],
                     rows)
        self.r.check("factor and ten codes are stored", self.stored() == (1, 10), self.stored())
        a = w.ssh("alice", "sshd", [PW["alice"], code], key=False)
        self.r.check("O1 the code that made the factor is used up", not a.ok and
                     self.last("auth").get("reason") == "otp_replay", (a, self.last("auth")))
        w.seeds["alice"] = key
        w.step(60)
        a = w.ssh("alice", "sshd", [PW["alice"], lambda: w.code("alice")], key=False)
        self.r.check("the next code opens: no key is offered any more", a.ok, a)
        a = w.ssh("alice", "sshd", [PW["alice"], codes[3]], key=False)
        self.r.check("O12 a recovery code opens", a.ok, a)
        a = w.ssh("alice", "sshd", [PW["alice"], codes[3]], key=False)
        self.r.check("O12 once", not a.ok, a)

    def key_login(self):
        """After a key, in a terminal without UTF-8: garbage, then words."""
        c = self.ssh("erin", key=True, locale="C")
        i, text = self.expect(c, QUESTION)
        self.r.check("after a key the offer comes at once", i == 0, text)
        self.answer(c, "text")
        i, text = self.expect(c, QUESTION)
        key = self.words("a client without UTF-8", text)
        self.through("a client without UTF-8", c, "erin", key)
        self.reset("erin")

    def dumb(self):
        c, asked, text = self.begin("erin", self.plink("erin"))
        self.through("plink", c, "erin", self.picture("plink", text, "erin"))
        self.reset("erin")
        w = self.w
        stack = w.read("/etc/pam.d/sshd")
        world.write("/etc/pam.d/sshd", stack.replace("first_factor=stack",
                                                     "first_factor=stack enrol=text"))
        c, asked, text = self.begin("erin")
        self.r.check("enrol=text: no picture", asked == "key" and "\u2588" not in text, text)
        self.through("enrol=text", c, "erin", self.words("enrol=text", text))
        world.write("/etc/pam.d/sshd", stack)
        self.reset("erin")

    def console(self):
        w = self.w
        shot = {}

        def code():
            return self.code(shot["key"])

        def look(text):
            if "key" not in shot and re.search(QUESTION, text):
                shot["key"] = self.picture("login on tty1", text.replace("\r\n", "\n"), "erin")

        s = w.console_shell("erin", [PW["erin"], code, ""], seen=look)
        self.r.check("login on tty1: in, enrolled", s.ok and self.last("enrol").get("priv") ==
                     "console", (s.text, self.last("enrol")))
        s.close()
        self.reset("erin")

    def interrupted(self):
        """At each question: nothing is left, or a whole factor."""
        before = self.stored()
        c, asked, text = self.begin("erin")
        c.close(force=True)
        self.r.check("hung up at the picture: nothing is stored", asked == "key" and
                     self.stored() == before, self.stored())
        c, asked, text = self.begin("erin")
        for wrong in ("000000", "", "hello"):
            self.answer(c, wrong)
            i, text = self.expect(c, QUESTION, r"One-time code[^\r\n]*: ?$")
        self.r.check("three answers that are no code: refused, nothing is stored",
                     i == 2 and self.stored() == before and
                     self.last("auth").get("reason") == "not_enrolled", (i, text, self.last("auth")))
        c.close(force=True)
        old, asked, text = self.begin("erin")
        old_key = in_groups(text)
        new, asked, text = self.begin("erin")
        new_key = in_groups(text)
        self.r.check("each login has a key of its own", old_key != new_key and len(new_key) == 32)
        self.answer(old, self.code(old_key))
        i, text = self.expect(old, CODES, QUESTION)
        self.r.check("the older of two is over: its right code makes nothing", i > 1 and
                     self.stored() == before, (i, text))
        old.close(force=True)
        self.answer(new, self.code(new_key))
        i, text = self.expect(new, CODES)
        after = len(self.w.records())
        new.close(force=True)
        allowed = [x for x in self.w.records(after) if x.get("dec") == "allow"]
        self.r.check("hung up at the recovery codes: a whole factor, no login", i == 0 and
                     self.stored() == (before[0] + 1, before[1] + 10) and not allowed,
                     (self.stored(), allowed))
        self.w.seeds["erin"] = new_key
        self.w.step(60)
        a = self.w.ssh("erin", "sshd", [PW["erin"], lambda: self.w.code("erin")], key=False)
        self.r.check("and its codes open", a.ok, a)
        self.reset("erin")

    def overtaken(self):
        """What happens elsewhere while a page is read."""
        c, asked, text = self.begin("erin")
        self.answer(c, self.code(in_groups(text)))
        i, text = self.expect(c, CODES)
        self.reset("erin")
        c.sendline("")
        i, text = self.expect(c, "IN-erin")
        self.r.check("reset while the recovery codes are read: not in", i != 0 and
                     self.last("auth").get("dec") == "deny", (text, self.last("auth")))
        c.close(force=True)
        c, asked, text = self.begin("erin")
        key = in_groups(text)
        self.w.enrol("erin")
        before = self.stored()
        self.answer(c, self.code(key))
        i, text = self.expect(c, CODES, "IN-erin")
        self.r.check("an administrator was faster: the key on the screen is nothing",
                     i > 1 and self.stored() == before, (i, text))
        c.close(force=True)
        self.reset("erin")
        c, asked, text = self.begin("erin")
        before = self.stored()
        self.w.policy(POLICY + "limits: []\ndenies: []\nserial: 7\n", reload=True)
        self.answer(c, self.code(in_groups(text)))
        i, text = self.expect(c, CODES, "IN-erin")
        self.r.check("the policy changed meanwhile: refused, nothing is stored", i > 1 and
                     self.stored() == before and self.last("auth").get("dec") == "deny",
                     (i, text, self.last("auth")))
        c.close(force=True)

    def put_off(self):
        w = self.w
        after = len(w.records())
        c, asked, text = self.begin("bob")
        self.r.check("optional: the page says until when", "2037-01-01" in text, text)
        self.answer(c, "")
        i, text = self.expect(c, "IN-bob")
        rows = [(x["ev"], x.get("mfa_method")) for x in w.records(after)
                if x.get("dec") == "allow"]
        self.r.check("E4 optional: Enter lets in, and both phases record it", i == 0 and
                     rows == [("auth", "skipped"), ("account", "skipped")], (text, rows))
        said = w.rbacctl("audit", "show", "--user", "bob").stdout
        self.r.check("E4 audit show says it", said.count("skipped") == 2, said)
        c, asked, text = self.begin("bob")
        self.answer(c, "000000")
        self.expect(c, QUESTION)
        self.answer(c, "")
        i, text = self.expect(c, "IN-bob")
        self.r.check("optional: also after a wrong code", i == 0, text)
        c, asked, text = self.begin("bob", password="wrong")
        self.r.check("optional: not without the first factor", asked == "end", (asked, text))
        a = w.ssh("bob", "sshd-keyonly")
        self.r.check("optional: not where auth did not run", not a.ok and
                     self.last("account").get("reason") == "mfa_required", a)
        a = w.ssh("bob", "sshd-blind", [PW["bob"]], key=False)
        self.r.check("P22 optional: a password that answers by itself is no Enter", not a.ok, a)
        self.r.check("P22 and makes no factor", not self.sql(
            "SELECT 1 FROM factor WHERE person LIKE '%bob%'"))
        w.policy(POLICY.replace("2037-01-01, optional", "2020-01-01, optional") + "serial: 8\n", reload=True)
        c, asked, text = self.begin("bob")
        self.r.check("E4 the offer has ended: the usual question", asked == "code", text)
        self.answer(c, "")
        i, text = self.expect(c, "IN-bob")
        self.r.check("E4 and nothing is skipped any more", i != 0 and
                     self.last("auth").get("dec") == "deny", text)
        w.policy(POLICY + "serial: 9\n", reload=True)

    def others(self):
        """Who gets the question that everybody gets."""
        w = self.w
        for user, why in (("carol", "the offer has ended"), ("dave", "no role")):
            c, asked, text = self.begin(user)
            self.r.check("%s: the usual question" % why, asked == "code", text)
            c.close(force=True)
        stack = w.read("/etc/pam.d/sshd")
        w.pam("sshd", "auth requisite pam_vmsec.so\naccount requisite pam_vmsec.so\n"
              "session required pam_permit.so\n")
        c = self.ssh("erin")
        i, text = self.expect(c, QUESTION, r"One-time code[^\r\n]*: ?$")
        self.r.check("O11 no first factor: the usual question", i == 1, text)
        self.answer(c, "")
        i, text = self.expect(c, "IN-erin")
        self.r.check("O11 and Enter is no way in", i != 0, text)
        world.write("/etc/pam.d/sshd", stack)

    def combined(self):
        """Password and code in one answer, with pam_unix behind it."""
        w = self.w
        self.reset("alice")
        w.enrol("alice")
        stack = w.read("/etc/pam.d/sshd")
        w.pam("sshd", "auth requisite pam_vmsec.so combined=split digits=6\n"
              "auth requisite pam_unix.so use_first_pass nodelay\n"
              "auth requisite pam_vmsec.so combined=verify first_factor=stack\n"
              "account requisite pam_vmsec.so\nsession required pam_permit.so\n")
        trace = subprocess.Popen(
            ["strace", "-f", "-qq", "-s", "65536", "-o", "/run/strace", "-p",
             str(w.children["rbacd"].pid), "-e", "trace=%network,read,write,pwrite64"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        w.wait(lambda: trace.poll() is not None or "TracerPid:\t0\n" not in
               w.read("/proc/%d/status" % w.children["rbacd"].pid), 5, "strace")

        def log_in(text, server="sshd-blind", user="alice"):
            after = len(w.records())
            a = w.ssh(user, server, [text], key=False)
            return a, [x.get("reason", "ok") for x in w.records(after) if x["ev"] == "auth"]

        for server in ("sshd-blind", "sshd"):  # the password method; keyboard-interactive
            code = w.code("alice")
            wrong = "%06d" % ((int(code) + 1) % 1000000)
            if server == "sshd-blind":
                a, said = log_in("Wrong-Pw-1" + code, server)
                self.r.check("combined, %s: wrong password, right code: refused, the code is not "
                             "looked at" % server, not a.ok and said == [], (a, said))
                a, said = log_in(PW["alice"] + wrong, server)
                self.r.check("combined, %s: right password, wrong code: refused" % server,
                             not a.ok and said == ["bad_otp"], (a, said))
                a, said = log_in(PW["alice"], server)
                self.r.check("combined, %s: the password alone: refused" % server,
                             not a.ok and said and said != ["ok"], (a, said))
                a, said = log_in(code, server)
                self.r.check("combined, %s: the code alone: refused" % server,
                             not a.ok and said == [], (a, said))
            a, said = log_in(PW["alice"] + code, server)
            self.r.check("combined, %s: both: in, with a code" % server, a.ok and
                         said == ["ok"] and self.last("account").get("mfa_method") == "totp",
                         (a, said, w.read(world.LOGFILE)[-500:]))
            a, said = log_in(PW["alice"] + code, server)
            self.r.check("O1 combined, %s: the same again: a replay" % server,
                         not a.ok and said == ["otp_replay"], (a, said))
            self.shown["code of " + server] = PW["alice"] + code
        a, said = log_in(PW["erin"] + "123456", user="erin")
        self.r.check("combined: nobody is offered a factor where one question is all", not a.ok and
                     said == ["not_enrolled"], (a, said))
        w.policy(POLICY + "mode: {default: monitor}\nserial: 20\n", reload=True)
        a, said = log_in(PW["alice"] + w.code("alice"))
        self.r.check("combined, watched: the code is looked at", a.ok and said == ["ok"] and
                     self.last("auth").get("mfa_method") == "totp", (a, self.last("auth")))
        w.rbacctl("proofs", "revoke", "alice")
        a, said = log_in(PW["alice"])
        self.r.check("combined, watched: the password alone: in", a.ok and
                     self.last("account").get("dec") == "would_deny", (a, said))
        w.policy(POLICY + "serial: 21\n", reload=True)
        w.pam("sshd", "auth requisite pam_vmsec.so combined=split digits=6\n"
              "auth requisite pam_unix.so use_first_pass nodelay\n"
              "account requisite pam_vmsec.so\nsession required pam_permit.so\n")
        a, said = log_in(PW["alice"] + w.code("alice"))
        self.r.check("P6 combined: split and never verified: refused", not a.ok and said == [],
                     (a, said))
        trace.terminate()
        trace.wait(10)
        text = w.read("/run/strace")
        found = [x for x in ("Wrong-Pw-1", PW["alice"], PW["erin"]) if x in text]
        self.r.check("P22 combined: no password came to rbacd, a code did", not found and
                     code in text, (found, len(text)))
        self.shown["password of alice"] = PW["alice"]
        world.write("/etc/pam.d/sshd", stack)
        self.reset("alice")

    def administrator(self):
        """rbacctl enrol: a picture where the terminal draws one; active after a code."""
        for what, env, options, drawn in (
                ("rbacctl enrol", {"TERM": "xterm", "NO_COLOR": "1"}, (), True),
                ("rbacctl enrol, no UTF-8", {"TERM": "xterm", "LC_ALL": "C"}, (), False),
                ("rbacctl enrol, TERM=dumb", {"TERM": "dumb"}, (), False),
                ("rbacctl enrol --text", {"TERM": "xterm"}, ("--text",), False)):
            self.reset("dave")
            c = pexpect.spawn("rbacctl", ["enrol", "dave"] + list(options), encoding="utf-8",
                              codec_errors="replace", timeout=20, dimensions=(40, 100),
                              env=dict(os.environ, **env))
            i, text = self.expect(c, r"shows now: ?$")
            key = self.words(what, text)
            self.r.check("%s: %s picture" % (what, "a" if drawn else "no"),
                         (scan(text)[0] == re.search(r"otpauth://\S+", text).group(0))
                         if drawn else not re.search("[\u2580\u2584\u2588\x1b]", text), text)
            a = self.w.ssh("dave", "sshd", [PW["dave"], self.code(key)], key=False)
            self.r.check("%s: before its code it opens nothing" % what, not a.ok and
                         self.last("auth").get("reason") == "not_enrolled", a)
            self.answer(c, self.code(key))
            i, text = self.expect(c, "dave is enrolled")
            self.r.check("%s: a code makes it active" % what, i == 0, text)
            c.close(force=True)
        for env, colours in (({"TERM": "xterm", "NO_COLOR": ""}, True), ({"TERM": "dumb"}, False),
                             ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
            text, _ = pexpect.run("rbacctl status", withexitstatus=True,
                                  env=dict(os.environ, **env))
            self.r.check("rbacctl status, %r: %s" % (env, "colours" if colours else "none"),
                         (b"\x1b[" in text) == colours and b"policy" in text, text[:300])

    def dormant(self):
        w = self.w
        c, asked, text = self.begin("erin")
        self.through("before the long absence", c, "erin", in_groups(text))
        self.reset("erin")
        w.step(44 * 86400)
        c, asked, text = self.begin("erin")
        self.r.check("44 days away: still offered", asked == "key", (asked, text))
        c.close(force=True)
        w.step(2 * 86400)
        c, asked, text = self.begin("erin")
        self.r.check("O11 46 days away: the usual question", asked == "code", (asked, text))
        self.answer(c, "000000")
        self.expect(c, "IN-erin")
        self.r.check("O11 and the record says why", self.last("auth").get("reason") ==
                     "acct_dormant", self.last("auth"))

    def wire(self):
        """In the module's place: every answer that is none, and every way to ask too much."""
        self.reset("erin")
        before = self.stored()

        def key(login):
            return (re.search(r"secret=([A-Z2-7]{32})", login.question() or "") or [None] * 2)[1]

        for what, more in (("first factor not proven", {"flags": pamwire.CAN_PROMPT}),
                           ("nobody to ask", {"flags": pamwire.PROVEN}),
                           ("sudo", {"service": "sudo"}), ("cron", {"service": "cron"}),
                           ("account alone", {"op": pamwire.ACCOUNT})):
            c = pamwire.Login("erin", **more)
            self.r.check("O11 %s: no key is shown" % what, key(c) is None)
            c.close()
        for what, kind, text in (("a recovery code", pamwire.RECOVERY, "AAAAAAAAAAAAAAAA"),
                                 ("a password", pamwire.BLIND, ""),
                                 ("nothing", pamwire.EMPTY, ""),
                                 ("eight digits", pamwire.CODE, "00000000")):
            c = pamwire.Login("erin")
            asked = key(c) and [c.answer(kind, text) for _ in range(3)]
            self.r.check("%s three times: asked three times, refused" % what, asked and
                         asked[0] and asked[1] and asked[2] is None and
                         c.result == pamwire.AUTH_FAILED, asked)
        c = pamwire.Login("erin")
        right = pamwire.totp(key(c), self.w.now())
        c.turn += 1
        self.r.check("the right code for another turn: cut off", self.cut(c, right))
        c = pamwire.Login("erin")
        right, c.nonce = pamwire.totp(key(c), self.w.now()), b"x" * 16
        self.r.check("the right code of another transaction: cut off", self.cut(c, right))
        c = pamwire.Login("erin")
        key(c)
        self.r.check("the conversation fails: so does the login", c.answer(pamwire.FAILED) is
                     None and c.result == pamwire.CONV_FAILED)
        self.r.check("P5 none of this stored anything", self.stored() == before, self.stored())
        many = [pamwire.Login("erin", source="198.51.%d.%d" % (i // 200, 1 + i % 200))
                for i in range(100)]
        keys = [key(c) for c in many]
        self.r.check("a hundred at once: one person does not use up the room", len(set(keys)) ==
                     100 and None not in keys, keys.count(None))
        said = [c.answer(pamwire.CODE, pamwire.totp(k, self.w.now())) for c, k in zip(many, keys)]
        self.r.check("and only the newest key became a factor", self.stored() ==
                     (before[0] + 1, before[1] + 10) and said[:99] == [None] * 99 and said[99],
                     (self.stored(), len([x for x in said if x])))
        for c in many:
            c.close()
        self.reset("erin")

    @staticmethod
    def cut(login, code):
        try:
            login.answer(pamwire.CODE, code)
        except pamwire.Gone:
            return True
        return False

    def clock(self):
        """Set back, it holds for no time-based code: neither is one made."""
        w = self.w
        c, asked, text = self.begin("erin")
        before = self.stored()
        w.step(-3600)
        self.answer(c, self.code(in_groups(text)))
        i, text = self.expect(c, CODES, "IN-erin")
        self.r.check("the clock is set back while the key is shown: nothing is stored", i > 1
                     and self.stored() == before, text)
        c, asked, text = self.begin("erin")
        self.r.check("the clock is in doubt: the usual question", asked == "code", text)
        c.close(force=True)
        w.step(3600)
        r = w.rbacctl("clock", "accept", "--why", "test", check=False)
        c, asked, text = self.begin("erin")
        self.r.check("accepted again: offered again", asked == "key", (asked, text, r))
        c.close(force=True)

    def canaries(self):
        """No key, code or password is in logs, state or rbacd's memory."""
        w = self.w
        places = {}
        for folder, _, names in list(os.walk("/var/log")) + list(os.walk("/var/lib")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as f:
                    places[os.path.join(folder, name)] = f.read()
        if w.variant != "asan":  # which keeps everything that was freed
            places["rbacd's memory"] = memory(w.children["rbacd"].pid)
            self.r.check("what rbacd does keep is found there", b"db01.demo.example" in
                         places["rbacd's memory"])
        owner = os.stat("/proc/%d/maps" % w.children["rbacd"].pid).st_uid
        self.r.check("A9 rbacd leaves no core: it is not dumpable", owner == 0 and
                     "Uid:\t901\t" in w.read("/proc/%d/status" % w.children["rbacd"].pid), owner)
        for what, text in list(self.shown.items()) + [("password", PW["erin"]),
                                                      ("password of bob", PW["bob"])]:
            forms = [text.encode(), text.replace("-", "").encode()]
            if what.startswith("key"):
                raw = base64.b32decode(text)
                forms = [text[i:i + 12].encode() for i in range(21)] + \
                    [raw[i:i + 8] for i in range(13)]  # no piece of it either
            found = [p for p, data in places.items() if any(f in data for f in forms)]
            self.r.check("A9 %s: in no log, state or memory" % what, text and not found, found)


def in_groups(text):
    """The key as people would type it."""
    return "".join(re.findall(r"(?:[A-Z2-7]{4} ){3,7}[A-Z2-7]{4}", text)).replace(" ", "")


def memory(pid):
    out = b""
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            span, mode = line.split()[:2]
            start, end = (int(x, 16) for x in span.split("-"))
            if "w" not in mode or end - start > 1 << 30:  # a sanitizer's own books
                continue
            mem.seek(start)
            try:
                out += mem.read(end - start)
            except OSError:
                pass
    return out


def main():
    world.enter()
    words = sys.argv[1:]
    variant = words[0] if words else "release"
    r = world.Report("enrol")
    w = world.World(variant).make()
    w.install()
    w.policy(POLICY)
    for name in ("sshd", "sshd-keyonly", "sshd-blind"):
        w.sshd(name)
    w.start()
    e = Enrol(w, r)
    stack = w.read("/etc/pam.d/sshd")  # two seconds a refusal would prove nothing
    world.write("/etc/pam.d/sshd", stack.replace("pam_unix.so", "pam_unix.so nodelay"))
    short = ("ssh_client", "key_login", "console", "interrupted", "overtaken", "put_off",
             "others", "wire", "combined", "canaries", "dormant")
    more = ("dumb", "administrator", "clock")
    parts = short[:-2] + more + short[-2:] if words[1:] == ["long"] else words[1:] or short
    for part in parts:
        try:
            getattr(e, part)()
        except Exception as x:  # one broken part must not hide the others
            r.check("part %s ran to its end" % part, False, "%s: %r" % (type(x).__name__, x))
    r.end()


main()
