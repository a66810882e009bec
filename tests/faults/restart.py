#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Sockets bound by somebody else, rbacd never root, and restarts under load.

A supervisor of the LISTEN_FDS protocol holds the sockets, as systemd would, and starts
rbacd as its own account without a capability. Clients are real PAM transactions with the
real module; each has to be allowed, whatever happens to rbacd.

usage: restart.py [VARIANT] [long]
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench"))
import benchworld  # noqa: E402
import world  # noqa: E402

RUN = "/run/rbacd"
KEYS = "/run/rbacd-key"
PLACES = (("pam", RUN + "/pam/pam.sock", 0o600, 0), ("admin", RUN + "/admin.sock", 0o600, 0),
          ("user", RUN + "/user.sock", 0o666, 0),
          ("dir", RUN + "/dir/dir.sock", 0o600, world.SERVICE_USERS["rbacd-dir"]))


# Nobody has to type anything: what is tried here is the way to rbacd and back.
POLICY = benchworld.POLICY.replace("mfa: {accept: [totp], max_age: 365d}", "mfa: none")


class Supervised(benchworld.BenchWorld):
    """What the units do: folders, sockets, a copy of the key, User=, no capability."""

    def bind(self):
        uid = world.SERVICE_USERS["rbacd"]
        for path, mode in ((RUN, 0o755), (RUN + "/pam", 0o700), (RUN + "/dir", 0o711)):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, mode)
        os.makedirs("/var/lib/rbacd-anchor", mode=0o700, exist_ok=True)
        os.chown("/var/lib/rbacd-anchor", uid, uid)
        os.makedirs(KEYS, mode=0o700)
        shutil.copy("/etc/rbacd/master.key", KEYS)
        for path in (KEYS, KEYS + "/master.key"):
            os.chown(path, uid, uid)
        os.chmod(KEYS + "/master.key", 0o400)
        self.held = {}
        for name, path, mode, owner in PLACES:
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.bind(path)
            os.chmod(path, mode)
            os.chown(path, owner, 0)
            s.listen(4096)
            self.held[name] = s

    def argv(self, user="rbacd"):
        uid = str(world.SERVICE_USERS[user])
        return ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--bounding-set",
                "-all", "--inh-caps", "-all", "--no-new-privs", "rbacd", "--key",
                KEYS + "/master.key"]

    def launch(self, names=("pam", "admin", "user", "dir"), sockets=None, pid="$$",
               user="rbacd"):
        """One process with @sockets under @names at 3, 4 …; its log is rbacd.log."""
        fds = [self.held[n].fileno() for n in sockets or names]
        high = [os.dup2(fd, 100 + i) for i, fd in enumerate(fds)]
        script = "".join("exec %d<&%d %d<&-; " % (3 + i, fd, fd) for i, fd in enumerate(high))
        script += "LISTEN_PID=%s LISTEN_FDS=%d LISTEN_FDNAMES=%s exec %s" % (
            pid, len(fds), ":".join(names), " ".join(self.argv(user)))
        out = open("/var/log/rbacd.log", "ab")
        p = subprocess.Popen(["bash", "-c", script], pass_fds=high, stdin=subprocess.DEVNULL,
                             stdout=out, stderr=out, start_new_session=True,
                             env=dict(os.environ, **self.shimmed()))
        out.close()
        for fd in high:
            os.close(fd)
        self.children["rbacd"] = p
        return p

    def start(self):
        self.bind()
        self.launch()
        self.spawn("rbacd-dir", ["rbacd-dir"])
        self.wait(self.answers, 15, "not ready")


def subject(n):
    return "pam,x,%d,%s,sshd,c,none,%s/held,0,0" % (n, benchworld.CONF, benchworld.DISK)


def status(w, name):
    lines = w.read("/proc/%d/status" % w.children["rbacd"].pid).splitlines()
    return next(x.split(":")[1].split() for x in lines if x.startswith(name + ":"))


def confined(w, r):
    """H2: from the first instruction on."""
    uid = str(world.SERVICE_USERS["rbacd"])
    r.check("H2 all ids are rbacd's", status(w, "Uid") == [uid] * 4 and
            status(w, "Gid") == [uid] * 4 and status(w, "Groups") == [], status(w, "Uid"))
    r.check("H2 no capability", all(int(status(w, n)[0], 16) == 0 for n in
                                    ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")))
    r.check("H3 the list of system calls is in force", status(w, "Seccomp") == ["2"] and
            status(w, "NoNewPrivs") == ["1"])


def refused(w, r):
    """What is not exactly the four sockets is not taken."""
    names = ("pam", "admin", "user", "dir")
    cases = (("two names changed places", dict(names=("user", "admin", "pam", "dir"),
                                               sockets=names)),
             ("a name twice", dict(names=("pam", "admin", "user", "user"), sockets=names)),
             ("an unknown name", dict(names=("pam", "admin", "user", "x"), sockets=names)),
             ("three sockets", dict(names=names[:3])),
             ("meant for another process", dict(pid="1")),
             ("another account", dict(user="rbacd-dir")))
    for what, how in cases:
        w.stop("rbacd")
        p = w.launch(**how)
        try:
            code = p.wait(10)
        except subprocess.TimeoutExpired:
            p.kill()
            code = 0
        r.check("not taken: " + what, code == 1, w.read("/var/log/rbacd.log")[-300:])
        w.launch()
        w.wait(w.answers, 15, "not ready again")


class Restarts(threading.Thread):
    def __init__(self, w, every_s, how):
        super().__init__()
        self.w, self.every_s, self.how = w, every_s, how
        self.n, self.over = 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(self.every_s):
            self.w.stop("rbacd", self.how)
            self.w.launch()
            self.n += 1

    def end(self):
        self.over.set()
        self.join()


def processes(w, n, count):
    """@n processes of @count logins each. Returns (processes that were refused, seconds)."""
    argv = [w.tool("bench_pam"), "1", world.CLOCK, subject(count)]
    begun = time.monotonic()
    running = [subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                env=dict(os.environ, **w.shimmed())) for _ in range(n)]
    said = [p.communicate(timeout=900)[1].decode() for p in running]
    bad = [s for p, s in zip(running, said) if p.returncode != 0]
    return bad, time.monotonic() - begun


def under_load(w, r, what, how, every_s, seconds):
    n = 8
    _, one = processes(w, n, 50)
    count = int(50 * seconds / one)
    before = len(w.records())
    restarts = Restarts(w, every_s, how)
    bad, took, rounds = [], 0, 0
    while rounds < 20 and (rounds == 0 or restarts.n < 2):
        more, t = processes(w, n, count)
        bad, took, rounds = bad + more, took + t, rounds + 1
    restarts.end()
    count *= rounds
    w.wait(w.answers, 15, "not ready again")
    r.check("D5 %s every %g s, %d times, under %.0f logins a second: %d logins, %d refused"
            % (what, every_s, restarts.n, n * count / took, n * count, len(bad)),
            restarts.n >= 2 and not bad, bad[:3])
    rows = [x for x in w.records(before) if x["ev"] == "account"]
    r.check("A1 a record for each of them", len(rows) >= n * count, (len(rows), n * count))


def waiting(w, r):
    """Nobody runs: a login waits in the socket, and is let in when rbacd is back."""
    w.stop("rbacd")
    argv = [w.tool("bench_pam"), "1", world.CLOCK, subject(1)]
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         env=dict(os.environ, **w.shimmed()))
    try:
        p.wait(1)
    except subprocess.TimeoutExpired:
        pass
    waits = p.poll() is None
    w.launch()
    r.check("D5 a login waits while rbacd is away, and is let in after", waits and
            p.wait(10) == 0, p.poll())
    w.wait(w.answers, 15, "not ready again")


def main():
    world.enter()
    words = sys.argv[1:]
    seconds = 60 if "long" in words else 2
    variant = words[0] if words and words[0] != "long" else "release"
    r = world.Report("restart")
    w = Supervised(variant, people=256).make()
    w.own_stacks()
    w.policy(POLICY)
    w.start()
    confined(w, r)
    refused(w, r)
    waiting(w, r)
    under_load(w, r, "restarted", signal.SIGTERM, 0.6 if seconds < 60 else 2.0, seconds)
    under_load(w, r, "killed", signal.SIGKILL, 0.6 if seconds < 60 else 2.0, seconds)
    v = w.rbacctl("audit", "verify", check=False)
    r.check("the log verifies", v.returncode == 0, v.stdout + v.stderr)
    r.end()


if __name__ == "__main__":
    main()
