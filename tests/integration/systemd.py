#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""On a machine that systemd has booted: installed, switched on by its guide, restarted,
killed, rebooted, upgraded and removed, while people log in.

usage: systemd.py             this tree, on a copy of this host's files that nobody else sees
       systemd.py ROOT DEB    the package, on the Debian in ROOT (tests/lib/fresh-debian)
Needs root, systemd and a cgroup v2 of its own; exit 77 without.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pexpect
import pexpect.fdpexpect

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
import slapd  # noqa: E402
import world  # noqa: E402

CLEAN = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
         "HOME=/root", "LANG=C.UTF-8", "TERM=dumb"]
CONFIG = "rbacd: 1\nvm: {name: db01.example}\n"
POLICY = """vmsec_policy: 1
vm_sets:
  here: {every: true}
roles:
  viewer:   {privileges: [ssh, console]}
  operator: {includes: [viewer], privileges: [sudo, su, "su:root"]}
grants:
  - {id: admins, to: [vmadmins], roles: [operator], vms: [here]}
  - {id: robots, to: [robots], roles: [viewer], vms: [here], when: {mfa: none, from: ["127.0.0.0/8"]}}
"""
# What must hold inside the running services, whatever the unit files say.
BOXED = {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0" * 16, "CapBnd": "0" * 16}


class Machine(world.World):
    """A booted machine; what World does inside its own namespaces is done inside that."""

    SSHD = {"sshd": (22,)}

    def __init__(self, root, upper):  # pylint: disable=super-init-not-called
        self.root, self.upper = root, upper
        self.seeds, self.counters, self.show_typed = {}, {}, False

    def boot(self):
        self.master, slave = os.openpty()
        self.outer = subprocess.Popen([os.path.join(HERE, "../lib/booted"), self.root,
                                       self.upper, os.ttyname(slave)])
        self.wait(lambda: self.outer.poll() is not None or self.init(), 20, "the first process")
        if self.outer.poll() is not None:
            sys.exit(self.outer.returncode)
        os.close(slave)
        self.wait(lambda: self.sh("systemctl is-system-running").stdout.strip() in
                  ("running", "degraded"), 60, "boot")

    def init(self):
        """systemd, as the host numbers it; only once it has become systemd."""
        pid = self.outer.pid
        try:
            for _ in range(2):
                children = self.read("/proc/%d/task/%d/children" % (pid, pid)).split()
                if not children:
                    return None
                pid = int(children[0])
            return pid if self.read("/proc/%d/comm" % pid) == "systemd\n" else None
        except OSError:  # a child of the script, gone again
            return None

    def down(self):
        """Orderly; the machine is gone when this returns."""
        os.kill(self.init(), signal.SIGRTMIN + 4)  # to systemd: power off
        self.wait(self.is_off, 100, "power off")
        os.close(self.master)

    def is_off(self):
        """Who was started in it from outside has its parent here: it stays until it is reaped."""
        for pid in self.read("/proc/self/task/%d/children" % os.getpid()).split():
            if int(pid) != self.outer.pid:
                os.waitpid(int(pid), os.WNOHANG)
        return self.outer.poll() is not None

    def enter(self, *argv):
        return ["nsenter", "-t", str(self.init()), "-a", "-r", "-w"] + CLEAN + list(argv)

    def sh(self, command, **kw):
        return world.run(*self.enter("sh", "-c", command), check=False, **kw)

    def rbacctl(self, *argv, check=True, **kw):
        return world.run(*self.enter("rbacctl", *argv), check=check, **kw)

    def ssh_argv(self, user, server="sshd", key=True, command=None, tty=False, options=()):
        return self.enter(*super().ssh_argv(user, server, key, command, tty, options))

    def enrol(self, user):
        """By the counter: a second login need not wait for the next half minute."""
        out = self.rbacctl("--json", "enrol", user, "--kind", "hotp").stdout
        self.seeds[user] = re.search(r"[?&]secret=([A-Z2-7]+)", out).group(1)
        self.counters[user] = 0
        self.rbacctl("enrol", user, "--confirm", input=self.code(user) + "\n")

    def code(self, user, fresh=True):
        n = self.counters[user]
        self.counters[user] += fresh
        return world.run("oathtool", "--hotp", "--base32", "-c", str(n),
                         self.seeds[user]).stdout.strip()

    def unit(self, name, key):
        return self.sh("systemctl show -P %s %s" % (key, name)).stdout.strip()


class Package:
    """The Debian package; what it needs is fetched first, so that it goes in without a net."""

    def __init__(self, m, deb):
        os.makedirs(m.upper + "/files/opt")
        shutil.copy(deb, m.upper + "/files/opt/vmsec.deb")
        a = world.run("unshare", "-m", "--propagation", "private", "sh", "-ec", """
            mkdir -p "$2/work" "$2/merged"
            mount -t overlay -o "lowerdir=$1,upperdir=$2/files,workdir=$2/work" overlay "$2/merged"
            cd "$2/merged"
            mount -t proc proc proc
            cp -L /etc/resolv.conf etc
            printf '#!/bin/sh\\nexit 101\\n' >usr/sbin/policy-rc.d
            chmod 755 usr/sbin/policy-rc.d
            DEBIAN_FRONTEND=noninteractive chroot . sh -ec '
                apt-get update -q
                apt-get install -y -q --no-install-recommends /opt/vmsec.deb
                apt-get purge -y -q vmsec
                rm usr/sbin/policy-rc.d' """, "sh", m.root, m.upper, timeout=300, check=False)
        if a.returncode != 0:
            print("systemd: SKIP, no Debian mirror\n" + a.stderr[-500:])
            sys.exit(77)

    @staticmethod
    def install(m):
        return m.sh("dpkg -i /opt/vmsec.deb")

    @staticmethod
    def remove(m):
        return m.sh("dpkg -r vmsec")


class Tree:
    """What `make install` puts there, then the steps of the guide."""

    def __init__(self, m):
        files = m.upper + "/files"
        world.run("make", "-s", "-C", world.TREE, "install", "DESTDIR=" + files, timeout=300)
        # A host may start anything; here it is sshd and what is tested.
        os.makedirs(files + "/etc/systemd")
        world.write(files + "/etc/fstab", "")
        world.write(files + "/etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n"
                    "UsePAM yes\nKbdInteractiveAuthentication no\n")
        units = files + "/etc/systemd/system"
        os.makedirs(units + "/multi-user.target.wants")
        os.setxattr(units, "trusted.overlay.opaque", b"y")
        os.symlink("/lib/systemd/system/ssh.service",
                   units + "/multi-user.target.wants/ssh.service")

    @staticmethod
    def install(m):
        return m.sh("""systemd-sysusers && systemd-tmpfiles --create &&
            /usr/share/vmsec/common-passwords | rbacctl blocklist build &&
            (umask 377; od -An -v -tx1 -N32 /dev/urandom | tr -d ' \\n' >/etc/rbacd/master.key) &&
            chgrp -R rbacd /etc/rbacd/policy.d && chmod 0750 /etc/rbacd/policy.d""")

    @staticmethod
    def remove(m):
        return m.sh("rbacctl pam disable --yes sshd login sudo su && "
                    "systemctl disable rbacd rbacd-dir && systemctl stop rbacd.target")


def accounts(m):
    """Two administrators and a program, each with a key; root has a password."""
    m.sh("groupadd vmadmins; groupadd robots; mkdir -p -m 700 /root/keys")
    m.sh("echo '%vmadmins ALL=(ALL) ALL' >/etc/sudoers.d/admins; echo 127.0.0.1 vm >>/etc/hosts")
    m.sh("echo root:root-Pw-0 | chpasswd")
    # OpenSSH 9.8 on makes an address wait that was refused often, as this one is.
    m.sh("mkdir -p /run/sshd; sshd -T | grep -q ^persourcepenalties && "
         "echo PerSourcePenalties no >/etc/ssh/sshd_config.d/test.conf; systemctl reload ssh")
    for user, group in (("alice", "vmadmins"), ("erin", "vmadmins"), ("robot", "robots"),
                        ("dave", "users")):
        m.sh("useradd -m -s /bin/bash -G %s %s; echo %s:%s-Pw-1 | chpasswd" % ((group,) + (user,) * 3))
        m.sh("install -d -m 700 -o {0} -g {0} /home/{0}/.ssh; ssh-keygen -q -t ed25519 -N '' "
             "-f /root/keys/{0}; install -m 600 -o {0} -g {0} /root/keys/{0}.pub "
             "/home/{0}/.ssh/authorized_keys".format(user))


def install(m, r):
    before = m.sh("cat /etc/pam.d/*").stdout
    a = m.product.install(m)
    r.check("it installs on the running machine", a.returncode == 0, a.stdout + a.stderr)
    words = re.search(r"(\d+) entries", m.rbacctl("blocklist", "info", check=False).stdout)
    words = int(words.group(1)) if words else 0
    r.check("the list of common passwords is made: %d entries" % words, words > 100000)
    r.check("no PAM file has changed", m.sh("cat /etc/pam.d/*").stdout == before)
    r.check("nobody is kept out by it", m.ssh("dave", "sshd").ok)
    said = m.sh("cd /lib/systemd/system && systemd-analyze verify --man=no rbacd.target rbacd.service "
                "rbacd-dir.service rbacd-*.socket rbacd-snapshot.timer 2>&1 | grep rbacd").stdout
    r.check("systemd has no fault to tell of any unit", said == "", said)


def switch_on(m, r):
    """As docs/guide/getting-started.md does it, with systemd."""
    put(m, "/etc/rbacd/rbacd.yaml", CONFIG)
    put(m, "/etc/rbacd/policy.d/main.yaml", POLICY)
    a = m.rbacctl("policy", "check", check=False)
    r.check("the policy of the guide", a.returncode == 0, a.stderr)
    a = m.sh("systemctl daemon-reload && systemctl enable --now rbacd rbacd-dir")
    r.check("systemctl enable --now rbacd rbacd-dir", a.returncode == 0, a.stderr)
    a = m.rbacctl("status", check=False)
    m.wait(lambda: m.rbacctl("status", check=False).returncode == 0, 10, a.stdout + a.stderr)
    r.check("rbacctl status finds nothing wrong", True)
    for user in ("alice", "erin"):
        m.enrol(user)
    a = m.rbacctl("explain", "alice", "db01.example", "ssh", "--with-code", check=False)
    r.check("explain says ALLOW", "ALLOW" in a.stdout, a.stdout + a.stderr)


def put(m, path, text):
    """A file as the guide has it: root writes, rbacd reads."""
    m.sh("cat >%s.new && chgrp rbacd %s.new && chmod 0640 %s.new && mv %s.new %s" % ((path,) * 5),
         input=text)


def boxed(m, r):
    for name in ("rbacd", "rbacd-dir"):
        status = m.sh("cat /proc/$(systemctl show -P MainPID %s)/status" % name).stdout
        got = dict(re.findall(r"^(\w+):\t(\S+)", status, re.M))
        r.check("%s: no privilege, no capability, its calls filtered" % name,
                all(got.get(k) == v for k, v in BOXED.items()), got)
        uid = m.sh("id -u " + name).stdout.strip()
        r.check("%s runs as the user %s" % (name, name), got.get("Uid") == uid, got.get("Uid"))
    r.check("rbacd has a network of its own without an address", m.sh(
        "nsenter -n -t $(systemctl show -P MainPID rbacd) ip -o -4 addr show scope global").stdout == "")
    for name, limit in (("rbacd", 0.5), ("rbacd-dir", 1.6)):
        a = m.sh("systemd-analyze security --no-pager %s | tail -n 1" % name).stdout
        value = re.search(r": ([0-9.]+)", a)
        r.check("systemd-analyze security %s: %s" % (name, value and value.group(1)),
                bool(value) and float(value.group(1)) <= limit, a)


def pam(m, r):
    """A change goes back by itself unless a new login confirms it."""
    a = m.sh("rbacctl pam enable --yes --no-login --within 60s sshd sudo su login")
    r.check("pam enable", a.returncode == 0, a.stdout + a.stderr)
    m.sh("cp /usr/share/doc/vmsec/pam.d/sshd_config.conf /etc/ssh/sshd_config.d/vmsec.conf")
    m.sh("printf 'Match User robot Address 127.0.0.1\\n\\tAuthenticationMethods publickey\\n' "
         ">>/etc/ssh/sshd_config.d/vmsec.conf")
    a = m.sh("sshd -t && systemctl reload ssh")
    r.check("sshd takes its settings", a.returncode == 0, a.stderr)
    time.sleep(1)  # it listens anew, some moment after the command
    s = m.shell("alice", answers=[lambda: m.code("alice")])
    r.check("alice is in with her key and a code", s is not None)
    a = s.run("sudo rbacctl pam confirm", ["alice-Pw-1", lambda: m.code("alice")])
    r.check("and confirms by sudo with a code", a.ok, a.text)
    s.close()
    r.check("nothing is pending", m.sh("ls /etc/rbacd/pam/.pending").returncode != 0)


def ways_in(m, r, when):
    a = m.ssh("erin", "sshd", [lambda: m.code("erin")])
    r.check("%s: a key and a code" % when, a.ok, a)
    a = m.ssh("erin", "sshd", [m.code("erin", fresh=False)[::-1]])
    r.check("%s: a key and a wrong code are refused" % when, not a.ok, a)
    a = m.ssh("erin", "sshd", key="robot")
    r.check("%s: somebody else's key is refused" % when, not a.ok, a)
    a = m.ssh("dave", "sshd")
    r.check("%s: somebody without a role is refused" % when, not a.ok, a)
    a = m.ssh("robot", "sshd")
    r.check("%s: a program, by its grant" % when, a.ok, a)


class Crowd(threading.Thread):
    """The program logs in over and over until told to stop."""

    def __init__(self, m):
        super().__init__(daemon=True)
        self.m, self.bad, self.n, self.over = m, [], 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            a = self.m.ssh("robot", "sshd")
            self.n += 1
            if not a.ok:
                self.bad.append(repr(a))

    def end(self):
        self.over.set()
        self.join()
        return self


def restarts(m, r):
    crowd = Crowd(m)
    for _ in range(5):
        m.sh("systemctl restart rbacd")
        time.sleep(0.5)
    crowd.end()
    r.check("%d logins during five restarts: none refused" % crowd.n,
            crowd.n >= 5 and not crowd.bad, crowd.bad)
    m.sh("systemctl stop rbacd.target")
    a = m.ssh("robot", "sshd")
    r.check("rbacd is stopped, and nobody is let in", not a.ok, a)
    r.check("no login and no rbacd-dir starts it again", all(
        m.unit(n, "ActiveState") == "inactive" for n in ("rbacd", "rbacd-pam.socket",
                                                        "rbacd-directory.socket")))
    m.sh("systemctl start rbacd")
    pid = m.unit("rbacd", "MainPID")
    m.sh("kill -KILL " + pid)
    a = m.ssh("robot", "sshd")
    r.check("a login right after kill -9 waits for the next rbacd", a.ok, a)
    r.check("which is another process", m.unit("rbacd", "MainPID") not in ("0", pid))
    m.sh("kill -KILL " + m.unit("rbacd-dir", "MainPID"))
    a = m.ssh("robot", "sshd")
    r.check("and after kill -9 of rbacd-dir", a.ok, a)


class Knocks(threading.Thread):
    """Somebody connects to rbacd's socket over and over, as logins and rbacd-dir do."""

    def __init__(self, m):
        super().__init__(daemon=True)
        self.path, self.n, self.over = "/proc/%d/root/run/rbacd/pam/pam.sock" % m.init(), 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            with socket.socket(socket.AF_UNIX) as s:
                try:
                    s.connect(self.path)
                    self.n += 1
                except OSError:
                    time.sleep(0.001)

    end = Crowd.end


def stops(m, r):
    """An open socket starts rbacd: whoever stops all of it must not lose that race."""
    knocks, bad = Knocks(m), []
    for _ in range(20):
        a = m.sh("systemctl stop rbacd.target")
        left = m.sh("systemctl is-active rbacd rbacd-dir rbacd-pam.socket rbacd-admin.socket "
                    "rbacd-user.socket rbacd-directory.socket rbacd-snapshot.timer")
        if a.returncode != 0 or "\nactive" in "\n" + left.stdout:
            bad.append((a.stderr, left.stdout))
        a = m.sh("systemctl start rbacd rbacd-dir")
        if a.returncode != 0:
            bad.append(a.stderr)
    knocks.end()
    r.check("stopped 20 times under %d connections: it stays down" % knocks.n,
            knocks.n >= 20 and not bad, (len(bad), bad))


def cannot_start(m, r):
    """While it cannot start, each login that waits starts it again; mended, it is back by itself."""
    put(m, "/etc/rbacd/rbacd.yaml", CONFIG + "no_such_setting: 1\n")
    a = m.sh("systemctl restart rbacd")
    r.check("systemctl says at once that it does not start", a.returncode != 0)
    put(m, "/etc/rbacd/rbacd.yaml", CONFIG)
    m.wait(lambda: m.unit("rbacd", "ActiveState") == "active", 5, "rbacd")
    knocks = Knocks(m)
    m.sh("mv /etc/rbacd/master.key /root; systemctl kill -s KILL rbacd")
    a = m.ssh("robot", "sshd")
    r.check("without its key rbacd does not start, and nobody is let in", not a.ok, a)
    time.sleep(3)
    tries = int(m.sh("journalctl -u rbacd --since -3s --no-pager | grep -c 'Failed to start'").stdout)
    r.check("it tries again, and not all the time: %d in 3 s" % tries, 2 <= tries <= 12)
    m.sh("mv /root/master.key /etc/rbacd")
    m.wait(lambda: m.ssh("robot", "sshd").ok, 5, m.sh("systemctl status 'rbacd*'").stdout)
    knocks.end()
    r.check("with it, rbacd is back by itself", True)


def reload(m, r):
    put(m, "/etc/rbacd/policy.d/main.yaml", POLICY.replace("vmadmins", "vmadmins, ]"))
    a = m.sh("systemctl reload rbacd")
    r.check("systemctl reload fails on a broken policy", a.returncode != 0)
    said = m.sh("journalctl -u rbacd --no-pager -n 40").stdout
    r.check("and the journal names the file and the line", "main.yaml:8" in said, said[-600:])
    r.check("the policy of before goes on", m.ssh("robot", "sshd").ok)
    put(m, "/etc/rbacd/policy.d/main.yaml", POLICY)
    a = m.sh("systemctl reload rbacd")
    r.check("the mended one is loaded", a.returncode == 0, a.stderr)


def rest(m, r):
    a = m.sh("systemctl start rbacd-snapshot.service")
    r.check("the daily snapshot is taken under its unit", a.returncode == 0,
            m.sh("journalctl -u rbacd-snapshot --no-pager -n 5").stdout)
    a = m.sh("journalctl --no-pager -o json -t rbacd | grep -c VMSEC_ID").stdout
    r.check("the journal has decisions with their fields", int(a or 0) > 0, a)
    a = m.rbacctl("--json", "doctor", check=False)
    r.check("doctor finds no error", '"error"' not in re.findall(r'"severity": *("\w+")', a.stdout),
            a.stdout[-1500:])
    a = m.rbacctl("audit", "verify", check=False)
    r.check("the log verifies", a.returncode == 0, a.stdout + a.stderr)


def restore(m, r):
    """As docs/guide/upgrade.md goes back to an older database."""
    a = m.sh("rbacctl backup /root/before.db && systemctl stop rbacd")
    b = m.rbacctl("restore", "/root/before.db", check=False)
    r.check("a restore beside open sockets is refused, and says what to stop", b.returncode != 0 and
            "systemctl stop rbacd.target" in b.stderr, (a, b))
    a = m.sh("set -e; systemctl stop rbacd.target; rbacctl restore /root/before.db; "
             "rbacctl audit key --renew; systemctl start rbacd; rbacctl audit verify")
    r.check("with the guide's words it is done, and the log verifies", a.returncode == 0,
            a.stdout + a.stderr)
    r.check("and a program logs in", m.ssh("robot", "sshd").ok)


def console(m, r):
    """The rescue: everything of ours stopped, root at the machine's own console."""
    m.sh("systemctl stop rbacd.target; systemctl restart console-getty")
    time.sleep(2)  # a getty hangs the line up when it begins
    child = pexpect.fdpexpect.fdspawn(m.master, encoding="utf-8", codec_errors="replace", timeout=20)
    child.delaybeforesend = 0.3
    said = ""
    for line, answer in (("", "login: $"), ("root", "Password: $"), ("root-Pw-0", "# $"),
                         ("echo IN-$(id -u)", "IN-0"), ("exit", "exit")):
        child.sendline(line)
        ok = child.expect([answer, pexpect.TIMEOUT, pexpect.EOF]) == 0
        said += (child.before or "") + (child.after if ok else "")
        if not ok:
            break
    r.check("root gets in at the console while all of it is down", ok, said[-400:])
    a = m.ssh("alice", "sshd", [lambda: m.code("alice")])
    r.check("nobody does by ssh", not a.ok, a)
    m.sh("systemctl start rbacd")


def reboot(m, r):
    """Up again before anybody is let in; what nobody confirmed has gone back."""
    m.rbacctl("pam", "disable", "--yes", "su")
    was = m.sh("cat /etc/pam.d/su").stdout
    m.sh("rbacctl pam enable --yes --no-login --within 1h su")
    r.check("a change is waiting for its confirmation", "vmsec" in m.sh("cat /etc/pam.d/su").stdout)
    m.down()
    m.boot()
    for name in ("rbacd", "rbacd-dir", "rbacd-pam.socket", "rbacd-snapshot.timer"):
        r.check("after a boot %s is up" % name, m.unit(name, "ActiveState") == "active")
    r.check("no unit has failed", m.sh("systemctl --failed --no-legend | grep -v -e e2scrub -e modules-load").stdout == "",
            m.sh("systemctl --failed --no-legend").stdout)
    r.check("the change that nobody confirmed is gone", m.sh("cat /etc/pam.d/su").stdout == was,
            m.sh("cat /etc/pam.d/su").stdout)
    up = {n: int(m.unit(n, "ActiveEnterTimestampMonotonic"))
          for n in ("rbacd", "systemd-user-sessions")}
    r.check("rbacd was up before people were let in", 0 < up["rbacd"] < up["systemd-user-sessions"], up)
    ways_in(m, r, "after a boot")


def upgrade(m, r):
    if not isinstance(m.product, Package):
        return
    crowd = Crowd(m)
    pid = m.unit("rbacd", "MainPID")
    a = m.product.install(m)
    time.sleep(1)
    crowd.end()
    r.check("the upgrade goes through", a.returncode == 0, a.stderr)
    r.check("%d logins during it: none refused" % crowd.n, crowd.n >= 2 and not crowd.bad, crowd.bad)
    r.check("rbacd is the new one", m.unit("rbacd", "MainPID") not in ("0", pid))
    ways_in(m, r, "after the upgrade")


def remove(m, r):
    a = m.product.remove(m)
    r.check("removal", a.returncode == 0, a.stderr)
    r.check("no PAM file names the module", m.sh("grep -l pam_vmsec /etc/pam.d/*").stdout == "")
    r.check("the daemons are stopped, the sockets gone", m.sh("pgrep -x rbacd; pgrep -x rbacd-dir; "
            "ls /run/rbacd/pam/pam.sock 2>/dev/null").stdout == "")
    m.sh("rm -f /etc/ssh/sshd_config.d/vmsec.conf; systemctl reload ssh")
    r.check("people get in as before", m.ssh("dave", "sshd").ok)


def explained(m, user, answer):
    """Waits until rbacd says so of @user at this host."""
    m.wait(lambda: answer in m.rbacctl("explain", user, "db01.example", "ssh", "--with-code",
                                       check=False).stdout, 15, "%s: %s" % (user, answer))


def people(m, r):
    """The people file is read again by a process that is not root and has dropped it."""
    put(m, "/etc/rbacd/rbacd.yaml", CONFIG + "directory: {source: file}\n")
    text = "vmsec_people: 1\npeople:\n  - {login: %s, id: 'hr:7', uid: 7007, groups: [vmadmins]}\n"
    put(m, "/etc/rbacd/people.yaml", text % "zoe")
    m.sh("systemctl restart rbacd rbacd-dir")
    explained(m, "zoe", "ALLOW")
    put(m, "/etc/rbacd/people.yaml", text % "yan")
    explained(m, "yan", "ALLOW")
    explained(m, "zoe", "DENY")
    r.check("people of a file in /etc/rbacd come and go", True)


class Beside:
    """Starts a server outside the machine, on the machine's network."""

    def __init__(self, m):
        self.m = m

    def spawn(self, name, argv, ready, seconds):
        self.server = subprocess.Popen(["setpriv", "--pdeathsig", "KILL"] + self.net() + argv)
        self.m.wait(ready, seconds, name)

    def net(self):
        return ["nsenter", "-t", str(self.m.init()), "-n"]

    def listens(self, port):
        return "127.0.0.1:%d " % port in world.run(*self.net(), "ss", "-tln").stdout

    def stop(self, name, sig, seconds):
        self.server.send_signal(sig)
        self.server.wait(seconds)


def directory(m, r):
    """A real slapd over TLS, followed by a service that only its unit has confined."""
    slapd.KEYS, slapd.CA = m.upper + "/keys", m.upper + "/keys/pinned.pem"
    slapd.certificates()
    server = slapd.Slapd(Beside(m), folder=m.upper + "/slapd")
    server.load(slapd.tree(slapd.person("zoe", 7007), slapd.person("yan", 7008),
                           slapd.group("vmadmins", ["zoe", "yan"]), slapd.group("robots", [])))
    server.start()
    m.sh("install -m 0400 -o rbacd-dir /dev/null /etc/rbacd/ldap.password && "
         "cat >/etc/rbacd/ldap.password", input=slapd.READER_PW + "\n")
    put(m, "/etc/rbacd/ldap-ca.pem", m.read(slapd.CA))
    put(m, "/etc/rbacd/rbacd.yaml", CONFIG + slapd.section(
        [server.uri], tls="/etc/rbacd/ldap-ca.pem"))
    a = m.rbacctl("directory", "test", check=False)
    r.check("rbacctl directory test", a.returncode == 0, a.stdout + a.stderr)
    m.sh("systemctl restart rbacd rbacd-dir")
    explained(m, "zoe", "ALLOW")
    server.member("vmadmins", "uid=zoe,ou=people," + slapd.BASE, False)
    explained(m, "zoe", "DENY")
    explained(m, "yan", "ALLOW")
    r.check("a directory is followed, and who is taken out of a group is out", True)
    server.stop()
    m.sh("systemctl restart rbacd rbacd-dir")
    explained(m, "yan", "ALLOW")
    r.check("without the directory the kept snapshot serves", True)
    put(m, "/etc/rbacd/rbacd.yaml", CONFIG)
    m.sh("systemctl restart rbacd rbacd-dir")


def passwords(m, r):
    """The worker and the history, inside the unit's limits."""
    put(m, "/etc/rbacd/policy.d/main.yaml", POLICY + "password: {preset: pci-dss-4}\n")
    a = m.sh("systemctl reload rbacd && rbacctl pam enable --yes --no-login --within 1h passwd "
             "&& rm /etc/rbacd/pam/.pending")
    r.check("the rules for new passwords are on", a.returncode == 0, a.stdout + a.stderr)
    s = m.shell("erin", answers=[lambda: m.code("erin")])
    new = "Kestrel-9-at-dusk"
    a = s.run("passwd", ["erin-Pw-1", "Password1234", "Password1234", new, new])
    s.close()
    r.check("passwd: a common one is refused, a good one set", a.ok and "updated" in a.text, a.text)
    m.sh("rbacctl pam disable --yes passwd")
    put(m, "/etc/rbacd/policy.d/main.yaml", POLICY)
    m.sh("systemctl reload rbacd")


STEPS = (install, switch_on, boxed, pam, lambda m, r: ways_in(m, r, "first"), restarts, stops, cannot_start,
         reload, people, directory, passwords, rest, restore, console, reboot, upgrade, remove)


def follow(m, r):
    m.boot()
    try:
        accounts(m)
        for step in STEPS:
            step(m, r)
        m.down()
    except Exception:
        print(m.sh("journalctl --no-pager -n 40").stdout, flush=True)
        raise
    finally:
        if m.outer.poll() is None:
            m.outer.terminate()
            m.outer.wait(20)


def main():
    if not os.path.exists("/lib/systemd/systemd"):
        print("systemd: SKIP, there is none here")
        sys.exit(77)
    r = world.Report("systemd")
    if len(sys.argv) == 3:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as upper:
            m = Machine(sys.argv[1], upper)
            m.product = Package(m, sys.argv[2])
            follow(m, r)
        r.end()
    world.enter()
    tree = os.environ["VMSEC_TREE"]
    world.run("mount", "-t", "tmpfs", "tmpfs", "/mnt")
    os.mkdir(world.TREE)
    world.run("mount", "--bind", tree, world.TREE)
    m = Machine("/", "/mnt")
    m.product = Tree(m)
    follow(m, r)
    r.end()


main()
