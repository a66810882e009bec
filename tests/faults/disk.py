#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""A slow and a broken disk under rbacd, with real sshd logins on top.

Flushes that take seconds, writes that find no space, a flush that fails once and for good:
who has given up has lost no code, nobody is let in without a record, status says what is
wrong, and rbacd goes on as soon as the disk does. usage: disk.py [VARIANT]
"""
import errno
import os
import re
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

CONTROL = "/run/disk-control"


class Disk:
    """The shim's control file."""

    def set(self, delay_ms=0, n_sync=0, n_write=0, error=0):
        with open(CONTROL, "r+b", buffering=0) as f:
            f.write(struct.pack("=4i", delay_ms, n_sync, n_write, error))


class Case:
    def __init__(self, w, r):
        self.w, self.r, self.disk = w, r, Disk()

    def allowed(self):
        return [x for x in self.w.records() if x.get("dec") == "allow"]

    def account(self):
        """One account decision through libpam, as cron asks."""
        r = world.run(self.w.build_tests + "/phases", "cron", "alice", "account", check=False)
        return r.stdout.split()[1] == "0" if len(r.stdout.split()) > 1 else False

    def account_later(self):
        return subprocess.Popen([self.w.build_tests + "/phases", "cron", "alice", "account"],
                                stdout=subprocess.PIPE, text=True)

    def ssh(self, code):
        return self.w.ssh("alice", "sshd", [code])

    def slow(self):
        """1.2 s a flush: slow, and still in time."""
        self.disk.set(delay_ms=1200)
        a = self.ssh(lambda: self.w.code("alice"))
        self.disk.set()
        self.r.check("a flush takes 1.2 s: the login waits, and is let in", a.ok, a)
        status = self.w.rbacctl("--json", "status", check=False).stdout
        slow = re.search(r'"slow_commits": *(\d+)', status)
        self.r.check("slow commits are counted", slow and int(slow.group(1)) >= 2, status)

    def stalled(self):
        """8 s a flush: everybody gives up at 5 s, and has lost nothing."""
        w = self.w
        code = w.code("alice")
        child = w.spawn_ssh("alice")
        child.expect("One-time code.*: ")
        self.disk.set(delay_ms=8000)
        first = self.account_later()  # its commit holds the loop
        time.sleep(0.5)
        self.disk.set()  # only that one flush
        before = len(self.allowed())
        child.sendline(code)
        begun = time.monotonic()
        i = child.expect(["One-time code.*: ", "Permission denied", "IN-alice"], timeout=20)
        took = time.monotonic() - begun
        child.close()
        self.r.check("a stalled flush: a login with a right code is refused in time",
                     i != 2 and took < 7, (i, took))
        out = first.communicate(timeout=20)[0]
        self.r.check("so is the one whose record is stuck", "account 0" not in out, out)
        w.wait(self.account, 10, "rbacd does not go on after the stall")
        a = self.ssh(lambda: code)
        self.r.check("its code was not used up: the same code lets in now", a.ok, a)
        late = re.search(r'"too_late": *(\d+)', w.rbacctl("--json", "status", check=False).stdout)
        self.r.check("what came too late is counted", late and int(late.group(1)) >= 1, late)
        self.r.check("nothing was allowed for those that had gone",
                     len([x for x in self.allowed()[before:] if x.get("ev") == "auth"]) == 1,
                     self.allowed()[before:])

    def no_space(self):
        w = self.w
        before = len(self.allowed())
        self.disk.set(n_write=-1, error=errno.ENOSPC)
        got = [self.account() for _ in range(5)]
        status = w.rbacctl("status", check=False)
        a = self.ssh(lambda: w.code("alice"))
        self.disk.set()
        self.r.check("no space: everybody is refused", not any(got) and not a.ok, (got, a))
        self.r.check("no space: rbacd stays", w.children["rbacd"].poll() is None)
        self.r.check("no space: status says so and exits 1",
                     status.returncode == 1 and "space" in status.stdout + status.stderr, status)
        self.r.check("no space: nothing was recorded as allowed", len(self.allowed()) == before)
        self.r.check("space again: in", self.account())
        status = w.rbacctl("status", check=False)
        self.r.check("space again: status is content", status.returncode == 0, status)

    def restart(self):
        self.w.stop("rbacd")
        self.w.stop("rbacd-dir")
        begun = time.monotonic()
        self.w.start()
        return time.monotonic() - begun

    def broken_once(self, what, **fault):
        """EIO: rbacd leaves without an answer; whoever restarts it finds everything whole."""
        w = self.w
        code = w.code("alice")
        before = len(self.allowed())
        self.disk.set(**fault)
        a = self.ssh(lambda: code)
        self.disk.set()
        self.r.check("%s: refused" % what, not a.ok, a)
        w.wait(lambda: w.children["rbacd"].poll() is not None, 10, "rbacd stays")
        self.r.check("%s: rbacd leaves, with an error" % what,
                     w.children["rbacd"].poll() not in (0, None), w.children["rbacd"].poll())
        took = self.restart()
        self.r.check("%s: back at once (%.1f s with rbacd-dir)" % (what, took), took < 5)
        r = w.rbacctl("audit", "verify", check=False)
        self.r.check("%s: the log is whole" % what, r.returncode == 0, r)
        n = len(self.allowed()) - before
        a = self.ssh(lambda: code)
        self.r.check("%s: the code is good once at most (%d recorded, then %s)"
                     % (what, n, "in" if a.ok else "refused"), n + a.ok <= 3 and not (n and a.ok),
                     (n, a))
        w.step()

    def broken_for_good(self):
        w = self.w
        w.stop("rbacd")
        w.stop("rbacd-dir")
        self.disk.set(n_sync=-1, n_write=-1, error=errno.EIO)
        env = dict(os.environ, LD_PRELOAD=w.build_tests + "/diskshim.so", VMSEC_DISK_FILE=CONTROL)
        r = subprocess.run([world.LOCAL_SBIN + "/rbacd"], env=env, capture_output=True, text=True,
                           timeout=20)
        self.disk.set()
        self.r.check("EIO for good: rbacd does not start and says what is wrong",
                     r.returncode == 1 and ("rbacd.db" in r.stderr or "database" in r.stderr),
                     r)
        w.start()
        self.r.check("the disk is back: in", self.account())


def main():
    world.enter()
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    r = world.Report("disk")
    w.install()
    w.sshd("sshd")
    with open(CONTROL, "wb") as f:
        f.write(bytes(16))
    os.chmod(CONTROL, 0o666)
    plain = w.spawn

    def spawn(name, argv, env=None, **kw):
        if name == "rbacd":
            env = dict(env or {}, VMSEC_DISK_FILE=CONTROL)
            env["LD_PRELOAD"] = ":".join(filter(None, [env.get("LD_PRELOAD"),
                                                       w.build_tests + "/diskshim.so"]))
        return plain(name, argv, env, **kw)

    w.spawn = spawn
    import pexpect

    def spawn_ssh(user):
        argv = w.ssh_argv(user, "sshd", command="echo IN-$(id -un)")
        return pexpect.spawn(argv[0], argv[1:], encoding="utf-8", timeout=20)

    w.spawn_ssh = spawn_ssh
    w.start()
    w.enrol("alice")
    c = Case(w, r)
    for part in (c.slow, c.stalled, c.no_space,
                 lambda: c.broken_once("EIO of a flush", n_sync=1),
                 lambda: c.broken_once("EIO of a write", n_write=1, error=errno.EIO),
                 c.broken_for_good):
        w.step(60)
        try:
            part()
        except Exception as e:  # one broken part must not hide the others
            r.check("every part runs to its end", False, "%s: %r" % (type(e).__name__, e))
            c.disk.set()
            if w.children["rbacd"].poll() is not None:
                c.restart()
    r.check("A2 the log is whole", w.rbacctl("audit", "verify", check=False).returncode == 0)
    r.end()


main()
