# SPDX-License-Identifier: Apache-2.0
"""Guides as tests: the commands that a guide shows, read from its text, run in their order.

A command is a line of a ```sh block, what follows "$ " in a ```console block (the lines below
it are its output), a ```sh block that begins with #! (a file), and a span of text between
backquotes that begins with a program of ours and has an argument.
"""
import os
import re

import pexpect

import world

TREE = world.TREE if os.environ.get(world.MARK) == "inside" else os.path.realpath(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
PROGRAMS = ("rbacctl", "rbacd", "sudo", "make", "systemctl", "apt-get", "dnf", "passwd")
QUESTION = re.compile(r"(?:[Pp]assword|[Cc]ode)[^\r\n]*: ?$|The next one: $|\[y/N\] $")
SPAN = re.compile(r"(?<!`)`((?:%s) [^`]+)`" % "|".join(PROGRAMS))

# What cannot be run in a test, and why. An entry that no guide has is an error.
DIRSRV = "389 Directory Server's own; make ldap-389 has one"
NOT_RUN = {
    "getting-started": {
        "apt-get install -y git make": "packages come from an archive",
    },
    "ldap": {
        'dsconf INSTANCE plugin set --enabled on "Content Synchronization"': DIRSRV,
        'dsconf INSTANCE plugin set --enabled on "Retro Changelog Plugin"': DIRSRV,
    },
    "keys": {
        "openssl rand -hex 32 | systemd-creds encrypt --with-key=tpm2 --name=master.key - "
        "/etc/rbacd/master.key.cred": "needs a TPM; credential.py does it with one",
        "systemctl edit rbacd": "opens an editor; credential.py does what is typed there",
    },
    "passwords": {"make passwords-peers": "needs SSSD, nslcd and a mirror"},
    "rescue": {"make demo": "makes a world of its own", "make check": "runs this test"},
    "troubleshooting": {"systemctl status rbacd": "no systemd runs here"},
    "migration": {
        "ldapsearch -x -LLL -o ldif-wrap=no -D cn=admin,dc=example -W -b dc=example "
        "'(|(objectClass=oathUser)(objectClass=oathToken)(objectClass=oathParams))' >tokens.ldif":
            "needs a directory with OATH-LDAP's schema",
    },
    "upgrade": {
        "apt-get install ./vmsec_*.deb": "make deb-test upgrades a package",
        "apt-get install ./vmsec_OLD.deb": "make deb-test upgrades a package",
        "dnf install ./vmsec-*.rpm": "no Fedora here",
    },
    "README": {
        "make demo": "makes a world of its own",
        "make check": "runs this test",
        "make deps": "packages come from an archive",
        "make deb": "a package is built and installed by make deb-test",
        "make rpm": "a package is built by make rpm-test",
    },
}


def names():
    """All guides; the README is one."""
    return ["README"] + sorted(x[:-3] for x in os.listdir(TREE + "/docs/guide"))


def path(name):
    return TREE + ("/README.md" if name == "README" else "/docs/guide/%s.md" % name)


def read(name):
    with open(path(name), encoding="utf-8") as f:
        return f.read()


def blocks(text):
    """(language, its lines, the text before it) of each fenced block; ("", ...) for the rest."""
    before, language, inside, edge = [], None, [], ""
    for line in text.split("\n"):
        m = re.match(r"( *)```(\w*)$", line)
        if m and language is None:
            yield None, before
            before, language, inside, edge = [], m.group(2), [], m.group(1)
        elif m:
            yield language, inside
            language = None
        elif language is None:
            before.append(line)
        else:
            inside.append(line[len(edge):])
    yield None, before


def block_commands(language, lines):
    """[(command, what is shown below it)]"""
    if language == "sh" and lines[0].startswith("#!"):
        return [("\n".join(lines) + "\n", [])]
    if language == "sh":
        text = re.sub(r"\\\n\s*", "", "\n".join(lines))
        found = [re.sub(r"\s{2,}# .*$", "", x).strip() for x in text.split("\n")]
        return [(x, []) for x in found if x and not x.startswith("#")]
    found = []
    for line in lines if language == "console" else []:
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line.strip())
    return found


def commands(name):
    """[(command, its output as shown)] in their order. A span that is also shown elsewhere,
    as a line or before, stands for that one."""
    parts = list(blocks(read(name)))
    shown = [part for language, lines in parts if language
             for c, _ in block_commands(language, lines)
             for part in [c] + re.split(r" (?:&&|\|\|?) ", c)]
    found = []
    for language, lines in parts:
        if language:
            found += block_commands(language, lines)
            continue
        for span in SPAN.findall("\n".join(lines)):
            span = " ".join(span.split())
            if span not in shown:
                shown.append(span)
                found.append((span, []))
    return found


def snippets(name, language):
    return ["\n".join(lines) + "\n" for what, lines in blocks(read(name)) if what == language]


def missing(shown, text):
    """Lines of an excerpt that are not in @text, in their order; … stands for anything."""
    at, lost = 0, []
    for line in shown.splitlines():
        want = r"\s+".join(re.escape(x) for x in line.split()).replace("…", ".*")
        m = re.compile(r"^\s*%s\s*$" % want, re.M).search(text, at) if line.strip(" …") else None
        if m:
            at = m.end()
        elif line.strip(" …") and not line.startswith("#"):
            lost.append(line)
    return lost


class Says:
    """What a command is to do.

    @patterns: each is found in what it prints; @never is not. @code: its exit status, or
    several. @answers: typed at its questions, in turn. @put: {placeholder: text or function}.
    @before, @after: called around it, @after with all that it printed; False is a failure.
    @at: makes the session in which it is typed; else root types it. @instead: runs it.
    """

    def __init__(self, *patterns, never=r"(?!)", code=0, answers=(), put=None, before=None,
                 after=None, at=None, instead=None):
        self.patterns, self.never, self.answers = patterns, never, list(answers)
        self.code = code if isinstance(code, tuple) else (code,)
        self.put, self.before, self.after, self.at = put or {}, before, after, at
        self.instead = instead


class Guide:
    """One guide in one world."""

    def __init__(self, name, w, r, put=None, act=None):
        """@put: as in Says, for every command. @act: called after each one."""
        self.name, self.w, self.r, self.put, self.act = name, w, r, put or {}, act

    def run(self, steps):
        """Every command of the guide; @steps: {command: Says, or a list of them in turn}."""
        left = {k: list(v) if isinstance(v, list) else [v] for k, v in steps.items()}
        skipped = NOT_RUN.get(self.name, {})
        for command, shown in commands(self.name):
            if command in skipped:
                continue
            turn = left.get(command)
            says = turn.pop(0) if turn else steps.get(command, Says())
            if isinstance(says, list):
                says = says[-1]
            self.one(command, says, shown)
        stale = [k for k, v in left.items() if v]
        self.r.check("%s: it has every command that is expected of it" % self.name, not stale,
                     stale)

    def one(self, command, says, shown):
        what = "%s: %s" % (self.name, command.split("\n")[0] if command[0] != "#" else "its script")
        try:
            if says.before and says.before() is False:
                self.r.check(what + ": before", False)
            code, text = self.type(self.fill(command, says), says)
            wrong = [p for p in says.patterns if not re.search(p, text, re.M)]
            wrong += re.findall(says.never, text, re.M)
            at = 0
            for line in shown:
                found = text.find(line, at)
                wrong += [line] if found < 0 else []
                at = max(at, found)
            self.r.check(what, code in says.code and not wrong,
                         "status %s; not said: %s; said: %s" % (code, wrong, text[-1500:]))
            if self.act:
                self.act()
            if says.after:
                good = says.after(text)
                if good is not None:
                    self.r.check(what + ": then", good, text[-1500:])
        except Exception as e:  # one broken command must not hide the others
            self.r.check(what, False, "%s: %s" % (type(e).__name__, e))

    def fill(self, command, says):
        for name, value in dict(self.put, **says.put).items():
            if re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(name), command):
                text = value() if callable(value) else value
                command = re.sub(r"(?<![\w-])%s(?![\w-])" % re.escape(name), lambda m: text,
                                 command)
        return command

    def type(self, command, says):
        """Return: exit status, all that was printed."""
        if says.instead:
            return says.instead(command)
        if says.at:
            session = says.at()
            a = session.run(command, says.answers)
            session.close()
            return 0 if a.ok else 1, a.text
        child = pexpect.spawn("/bin/sh", ["-c", command], encoding="utf-8", timeout=30,
                              codec_errors="replace", dimensions=(60, 200),
                              env=dict(os.environ, TERM="xterm"))
        child.delaybeforesend = None
        child.delayafterclose = child.ptyproc.delayafterclose = 0.01
        text, answers = "", list(says.answers)
        while child.expect([QUESTION, pexpect.EOF]) == 0:
            text += child.before + child.after
            if not answers:
                child.close(force=True)
                return "waiting for an answer", text
            answer = answers.pop(0)
            child.waitnoecho(0.1)
            child.sendline(answer(text) if callable(answer) else answer)
        child.close()
        text = re.sub(r"\x1b\[[0-9;]*m", "", text + child.before)
        return child.exitstatus, text.replace("\r\n", "\n")


def run_parts(r, *parts):
    """One broken guide must not hide the others."""
    for part in parts:
        try:
            part()
        except Exception as e:
            r.check("part %s ran to its end" % part.__name__, False,
                    "%s: %s" % (type(e).__name__, e))


class Systemctl:
    """systemctl, where no systemd runs: what it is asked for is done by the test, afterwards.

    @units: {name: function(verb)}. Anything else that it is asked for is an error.
    """
    ASKED, PROGRAM = "/run/systemctl.asked", "/usr/local/bin/systemctl"
    BOTH = ("rbacd", "rbacd-dir")

    def __init__(self, units):
        self.units = units
        world.write(self.PROGRAM, "#!/bin/sh\necho \"$@\" >>%s\n" % self.ASKED, 0o755)

    def act(self):
        if not os.path.exists(self.ASKED):
            return
        with open(self.ASKED, encoding="utf-8") as f:
            asked = f.read().splitlines()
        os.unlink(self.ASKED)
        for verb, *units in (line.replace("--now ", "").split() for line in asked):
            for unit in self.BOTH if units == ["rbacd.target"] else units:
                self.units[unit](verb)
