# SPDX-License-Identifier: Apache-2.0
"""A private Linux world for tests and the demo: real sshd, sudo, su and login in it.

enter() starts the calling program again in mount, PID, network, IPC and UTS namespaces of
its own. There World covers /etc, /run, /var, /home, /root, /tmp, /dev and the folder of
PAM modules, so that nothing of the host is written, and every process ends with the PID
namespace. Linux, root and python3-pexpect are needed; nothing else of the host is used.
"""
import ctypes
import glob
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time

import pexpect
import pexpect.fdpexpect

TREE = "/mnt/vmsec"  # the tree, as seen inside
MARK = "VMSEC_WORLD"
HOST = "db01.demo.example"
LOCAL_SBIN = "/usr/local/sbin"
CLOCK = "/run/test-clock"
LOGFILE = "/var/log/auth.log"
PEOPLE = {  # login: (uid, groups, password)
    "alice": (2001, ["vmadmins"], "alice-Pw-1"),
    "bob": (2002, ["developers"], "bob-Pw-2"),
    "carol": (2003, ["contractors"], "carol-Pw-3"),
    "dave": (2004, [], "dave-Pw-4"),
    "erin": (2005, ["vmadmins"], "erin-Pw-5"),
}
GROUPS = {"vmadmins": 3001, "developers": 3002, "contractors": 3003, "racers": 3004}
ROOT_PASSWORD = "root-Pw-0"
SERVICE_USERS = {"rbacd": 901, "rbacd-dir": 902}
CONFIG = """rbacd: 1
user: rbacd
vm: {name: %s, labels: {env: demo}}
policy: /etc/rbacd/policy.d
state: /var/lib/rbacd
run: /run/rbacd
key: /etc/rbacd/master.key
issuer: vmsec
directory: {source: nss, user: rbacd-dir}
sshd_services: [sshd]
sandbox: kill
log: {to: stderr, level: info}
""" % HOST
POLICY = """vmsec_policy: 1
vm_sets:
  here: {label: {env: [demo]}}
roles:
  viewer: {privileges: [ssh, console]}
  operator: {includes: [viewer], privileges: [sudo, su, "su:root"]}
  contractor: {includes: [viewer], privileges: [sudo]}
grants:
  - {id: admins, to: [vmadmins], roles: [operator], vms: [here]}
  - {id: devs, to: [developers], roles: [viewer], vms: [here]}
  - {id: temps, to: [contractors], roles: [contractor], vms: [here]}
"""
PROMPTS = re.compile(r"(?:[Pp]assword|[Cc]ode|press Enter)[^\r\n]*: ?$")
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


def fail(text):
    print("world: " + text, file=sys.stderr)
    sys.exit(1)


def enter():
    """Run this program again inside; returns only there."""
    if os.environ.get(MARK) == "inside":
        return
    if os.geteuid() != 0:
        fail("needs root (it makes namespaces and starts sshd): run it as root")
    os.environ[MARK] = "inside"
    os.environ["VMSEC_OUTER"] = str(os.getpid())
    os.environ["VMSEC_TREE"] = os.path.realpath(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    os.environ["VMSEC_HOST_DATA"] = os.path.realpath(os.environ.get(
        "VMSEC_DATA", os.environ["VMSEC_TREE"] + "/../shared/data"))
    sys.stdout.flush()
    os.execv(os.path.join(os.path.dirname(os.path.abspath(__file__)), "private"), [
        "private", "/usr/bin/python3", "-I", os.path.abspath(sys.argv[0])] + sys.argv[1:])


def run(*argv, check=True, **kw):
    kw.setdefault("timeout", 60)
    r = subprocess.run(argv, capture_output=True, text=True, **kw)
    if check and r.returncode != 0:
        raise RuntimeError("%s: exit %d: %s%s" % (" ".join(argv), r.returncode,
                                                 r.stdout, r.stderr))
    return r


def write(path, text, mode=0o644, owner=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    new = path + ".new"
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "w") as f:
        os.fchmod(f.fileno(), mode)
        f.write(text)
    if owner:
        os.chown(new, *owner)
    os.rename(new, path)


class Cover:
    """Private folders over the host's."""

    def __init__(self):
        tree = os.environ["VMSEC_TREE"]
        data = os.environ.get("VMSEC_HOST_DATA", "")
        self.mount("tmpfs", "/mnt", "tmpfs", "mode=0755")
        for name in ("vmsec", "overlay", "data"):
            os.mkdir("/mnt/" + name)
        self.bind(tree, TREE)
        if os.path.isdir(data):
            self.bind(data, "/mnt/data")
        for path in ("/etc", self.pam_folder()):
            self.over(path)
        os.makedirs("/etc/rbacd", exist_ok=True)  # vmsec may be installed here for real
        for path, mode in (("/etc/rbacd", "0755"), ("/var/lib", "0755"), ("/var/log", "0755"),
                           ("/var/spool", "0755"), ("/var/mail", "0755"),
                           ("/var/tmp", "1777"), ("/home", "0755"), ("/root", "0700"),
                           ("/tmp", "1777"), ("/run", "0755"),
                           ("/usr/local/sbin", "0755")):
            self.mount("tmpfs", path, "tmpfs", "mode=" + mode)
        self.devices()

    @staticmethod
    def pam_folder():
        found = glob.glob("/usr/lib/*/security/pam_unix.so") + \
            glob.glob("/lib/*/security/pam_unix.so")
        if not found:
            fail("pam_unix.so not found: which folder holds the PAM modules?")
        return os.path.dirname(os.path.realpath(found[0]))

    @staticmethod
    def mount(source, target, kind, options):
        run("mount", "-t", kind, "-o", options, source, target)

    @staticmethod
    def bind(source, target):
        run("mount", "--rbind", source, target)

    def over(self, path):
        base = "/mnt/overlay/" + path.strip("/").replace("/", "-")
        for part in ("/up", "/work", "/copy"):
            os.makedirs(base + part)
        r = run("mount", "-t", "overlay", "-o", "lowerdir=%s,upperdir=%s/up,workdir=%s/work"
                % (path, base, base), "overlay", path, check=False)
        if r.returncode != 0:  # no overlayfs here: a copy does as well
            run("cp", "-a", path + "/.", base + "/copy/")
            self.bind(base + "/copy", path)

    def devices(self):
        keep = ("null", "zero", "full", "random", "urandom", "tty")
        os.mkdir("/mnt/dev")
        self.mount("tmpfs", "/mnt/dev", "tmpfs", "mode=0755")
        for name in keep:
            open("/mnt/dev/" + name, "w").close()
            self.bind("/dev/" + name, "/mnt/dev/" + name)
        for name in ("pts", "shm"):
            os.mkdir("/mnt/dev/" + name)
        self.mount("devpts", "/mnt/dev/pts", "devpts",
                   "newinstance,gid=5,mode=620,ptmxmode=666")
        self.mount("tmpfs", "/mnt/dev/shm", "tmpfs", "mode=1777")
        for target, name in (("pts/ptmx", "ptmx"), ("/proc/self/fd", "fd"),
                             ("/proc/self/fd/0", "stdin"), ("/proc/self/fd/1", "stdout"),
                             ("/proc/self/fd/2", "stderr")):
            os.symlink(target, "/mnt/dev/" + name)
        for name in ("tty1", "console"):
            open("/mnt/dev/" + name, "w").close()
        self.bind("/mnt/dev", "/dev")


class Syslog(threading.Thread):
    """Reads /dev/log into LOGFILE, so that no program waits for a missing reader."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        self.out = open(LOGFILE, "ab", buffering=0)

    def run(self):
        while True:
            self.out.write(self.sock.recv(65536).replace(b"\n", b"\\n") + b"\n")


class Answer:
    """What came of one try to get in."""

    def __init__(self, ok, text, seconds):
        self.ok, self.text, self.seconds = ok, text, seconds

    def __repr__(self):
        return "%s in %.2f s: %r" % ("in" if self.ok else "refused", self.seconds, self.text)


class World:
    """The inside: accounts, stacks, sshd, rbacd, a clock, and ways to try a login."""

    def __init__(self, variant="release", module="pam_vmsec.so", shim=True):
        self.variant, self.module, self.shim = variant, module, shim
        self.build = "%s/build/%s" % (TREE, variant)
        self.build_tests = TREE + "/build/tests"
        self.children, self.seeds, self.spent = {}, {}, {}
        self.show_typed = False
        self.shim_both = False  # rbacd-dir sees the moved clock, too
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        run("ip", "link", "set", "lo", "up")
        socket.sethostname(HOST)
        os.umask(0o022)
        keep = {k: os.environ[k] for k in ("VMSEC_TREE", "VMSEC_HOST_DATA", "VMSEC_OUTER", "VMSEC_RUN")
                if k in os.environ}
        os.environ.clear()
        os.environ.update(keep)
        os.environ.update({"PATH": LOCAL_SBIN + ":/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                           "HOME": "/root", "LANG": "C.UTF-8", "TERM": "dumb", MARK: "inside"})
        self.cover = None

    # ---- making it

    def make(self):
        self.cover = Cover()
        for name in ("VMSEC_TREE", "VMSEC_HOST_DATA"):
            os.environ.pop(name, None)
        os.chdir("/")
        self.accounts()
        self.syslog = Syslog()
        self.syslog.start()
        self.set_clock(0)
        self.stacks()
        self.keys()
        return self

    def accounts(self):
        hashed = lambda text: run("openssl", "passwd", "-6", text).stdout.strip()
        passwd = ["root:x:0:0:root:/root:/bin/bash", "daemon:x:1:1::/:/usr/sbin/nologin",
                  "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin",
                  "postgres:x:120:120::/var/lib/postgres:/bin/bash",
                  "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin"]
        shadow = ["root:%s:20000:0:99999:7:::" % hashed(ROOT_PASSWORD)]
        shadow += ["%s:*:20000:0:99999:7:::" % n for n in ("daemon", "sshd", "postgres", "nobody")]
        group = ["root:x:0:", "daemon:x:1:", "tty:x:5:", "utmp:x:43:", "mail:x:8:",
                 "shadow:x:42:", "postgres:x:120:", "nogroup:x:65534:"]
        for name, uid in SERVICE_USERS.items():
            passwd.append("%s:x:%d:%d::/:/usr/sbin/nologin" % (name, uid, uid))
            shadow.append("%s:*:20000:0:99999:7:::" % name)
            group.append("%s:x:%d:" % (name, uid))
        members = {g: [] for g in GROUPS}
        for name, (uid, groups, password) in PEOPLE.items():
            passwd.append("%s:x:%d:%d::/home/%s:/bin/bash" % (name, uid, uid, name))
            shadow.append("%s:%s:20000:0:99999:7:::" % (name, hashed(password)))
            group.append("%s:x:%d:" % (name, uid))
            for g in groups:
                members[g].append(name)
        for g, gid in GROUPS.items():
            group.append("%s:x:%d:%s" % (g, gid, ",".join(members[g])))
        write("/etc/passwd", "\n".join(passwd) + "\n")
        write("/etc/shadow", "\n".join(shadow) + "\n", 0o640, (0, 42))
        write("/etc/group", "\n".join(group) + "\n")
        write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
        write("/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 %s db01\n" % HOST)
        write("/etc/hostname", HOST + "\n")
        write("/etc/nologin.none", "")
        for path in ("/etc/nologin", "/run/nologin"):
            if os.path.exists(path):
                os.unlink(path)
        for folder in ("/run/sshd", "/run/sudo", "/var/lib/sudo", "/var/lib/sudo/lectured",
                       "/run/lock"):
            os.makedirs(folder, mode=0o755, exist_ok=True)
        os.chmod("/run/sudo", 0o711)
        for name, (uid, _, _) in PEOPLE.items():
            home = "/home/" + name
            os.makedirs(home + "/.ssh", mode=0o700)
            write(home + "/.hushlogin", "")
            for path in (home, home + "/.ssh", home + "/.hushlogin"):
                os.chown(path, uid, uid)
        write("/root/.hushlogin", "")
        for path in ("/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog", "/run/utmp", LOGFILE):
            write(path, "", 0o640)

    def stacks(self):
        """The example stacks as shipped, over Debian's own common-* files."""
        common = {
            "auth": "[success=1 default=ignore] pam_unix.so nullok\nauth requisite "
                    "pam_deny.so\nauth required pam_permit.so",
            "account": "[success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
                       "account requisite pam_deny.so\naccount required pam_permit.so",
            "session": "required pam_unix.so", "password": "required pam_unix.so yescrypt",
            "session-noninteractive": "required pam_unix.so"}
        for name, lines in common.items():
            self.pam("common-" + name, "%s %s\n" % (name.split("-")[0], lines))
        for service in ("sshd", "login", "sudo", "su"):
            text = self.read("%s/pam_vmsec/dist/%s" % (TREE, service))
            if self.module != "pam_vmsec.so":  # prove the harness with a module of Debian
                text = re.sub(r"pam_vmsec\.so( first_factor=stack)?", self.module, text)
            self.pam(service, re.sub(r"delay=\d+", "delay=100000", text))
        self.pam("sudo-i", "@include sudo\n")
        self.pam("su-l", "@include su\n")
        for service in ("cron", "systemd-user"):
            self.pam(service, "account requisite %s\n@include common-account\n"
                     "@include common-session-noninteractive\n" % self.module)
        self.pam("other", "auth requisite pam_deny.so\naccount requisite pam_deny.so\n"
                 "session requisite pam_deny.so\npassword requisite pam_deny.so\n")
        write("/etc/sudoers", "Defaults env_reset, timestamp_timeout=15, !lecture, !use_pty, "
              "passwd_tries=1\nroot ALL=(ALL:ALL) ALL\n%vmadmins ALL=(ALL:ALL) ALL\n"
              "%developers ALL=(ALL:ALL) ALL\n%contractors ALL=(ALL:ALL) NOPASSWD: ALL\n"
              "dave ALL=(ALL:ALL) ALL\n", 0o440)

    @staticmethod
    def pam(service, text):
        write("/etc/pam.d/" + service, "#%PAM-1.0\n" + text)

    def keys(self):
        os.makedirs("/root/keys", mode=0o700)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/world_host_key")
        for name, (uid, _, _) in list(PEOPLE.items()) + [("root", (0, [], ""))]:
            key = "/root/keys/" + name
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key)
            folder = "/root/.ssh" if name == "root" else "/home/%s/.ssh" % name
            os.makedirs(folder, mode=0o700, exist_ok=True)
            shutil.copy(key + ".pub", folder + "/authorized_keys")
            os.chown(folder + "/authorized_keys", uid, uid)

    # ---- processes

    def spawn(self, name, argv, env=None, ready=None, seconds=10):
        """Start a daemon; its messages go to /var/log/NAME.log."""
        out = open("/var/log/%s.log" % name, "ab")
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                             env=dict(os.environ, **(env or {})), start_new_session=True)
        self.children[name] = p
        if ready:
            self.wait(lambda: p.poll() is not None or ready(), seconds,
                      "%s is not ready" % name)
        if p.poll() is not None:
            raise RuntimeError("%s ended at once: %s" % (name, self.read("/var/log/%s.log" % name)))
        return p

    def stop(self, name, sig=signal.SIGTERM, seconds=10):
        p = self.children.pop(name)
        p.send_signal(sig)
        p.wait(seconds)
        return p.returncode

    @staticmethod
    def wait(test, seconds, what):
        end = time.monotonic() + seconds
        while not test():
            if time.monotonic() > end:
                raise TimeoutError(what + " after %g s" % seconds)
            time.sleep(0.02)

    @staticmethod
    def read(path):
        with open(path, errors="replace") as f:
            return f.read()

    # name: (port, lines that come before the shipped ones and so win over them)
    SSHD = {"sshd": (2201, ""),
            "sshd-keyonly": (2202, "AuthenticationMethods publickey\n"),
            "sshd-blind": (2203, "AuthenticationMethods password\n"
                                 "PasswordAuthentication yes\n"
                                 "KbdInteractiveAuthentication no\n"),
            "sshd-root": (2204, "PermitRootLogin yes\n")}

    def sshd(self, name):
        """A real sshd with the shipped sshd_config lines."""
        port, first = self.SSHD[name]
        config = "/etc/ssh/%s_config" % name
        write(config, "Port %d\nListenAddress 127.0.0.1\nHostKey /etc/ssh/world_host_key\n"
              "PidFile none\nUseDNS no\nPrintMotd no\nPrintLastLog no\nLogLevel VERBOSE\n"
              "MaxStartups 200:100:400\n%s%s" % (port, first, self.read(
                  TREE + "/pam_vmsec/dist/sshd_config.conf")))
        self.spawn(name, ["/usr/sbin/sshd", "-D", "-f", config],
                   ready=lambda: self.listens(port))

    # ---- vmsec itself

    def install(self):
        """Module and programs of the build under test; configuration, key and policy."""
        # A sanitized module cannot be loaded into the system's own programs.
        module = self.build.replace("/asan", "/release") + "/pam_vmsec.so"
        shutil.copy(module, Cover.pam_folder())
        for program in ("rbacd", "rbacd-dir", "rbacctl"):
            shutil.copy("%s/%s" % (self.build, program), LOCAL_SBIN)
        os.makedirs("/etc/rbacd/policy.d", mode=0o755, exist_ok=True)
        write("/etc/rbacd/master.key", os.urandom(32).hex() + "\n", 0o400)
        write("/etc/rbacd/rbacd.yaml", CONFIG)
        self.policy(POLICY)

    def policy(self, text, reload=False):
        write("/etc/rbacd/policy.d/policy.yaml", text)
        if reload:
            self.rbacctl("reload")

    def member(self, group, login, keep):
        """Put a person into a group of the system, or take the person out."""
        lines = []
        for line in self.read("/etc/group").splitlines():
            name, x, gid, members = line.split(":")
            people = [m for m in members.split(",") if m and (name != group or m != login)]
            if name == group and keep:
                people.append(login)
            lines.append(":".join((name, x, gid, ",".join(people))))
        write("/etc/group", "\n".join(lines) + "\n")

    def start(self):
        """rbacd and rbacd-dir, ready to decide."""
        env = {"ASAN_OPTIONS": "verify_asan_link_order=0"}
        if self.shim:
            env.update({"LD_PRELOAD": self.build_tests + "/clockshim.so",
                        "VMSEC_CLOCK_FILE": CLOCK})
        self.spawn("rbacd", [LOCAL_SBIN + "/rbacd", "--config", "/etc/rbacd/rbacd.yaml"], env)
        self.spawn("rbacd-dir", [LOCAL_SBIN + "/rbacd-dir", "--config",
                                 "/etc/rbacd/rbacd.yaml"], env if self.shim_both else None)
        try:
            self.wait(self.answers, 15, "not ready")
        except TimeoutError:
            r = self.rbacctl("status", check=False)
            raise RuntimeError("rbacd is not ready: %s%s\n%s" % (
                r.stdout, r.stderr, self.read("/var/log/rbacd.log")[-4000:])) from None

    def answers(self):
        for name in ("rbacd", "rbacd-dir"):
            if self.children[name].poll() is not None:
                raise RuntimeError("%s ended: %s" % (name, self.read("/var/log/%s.log" % name)))
        return self.rbacctl("status", check=False).returncode == 0

    def rbacctl(self, *argv, check=True, **kw):
        return run("rbacctl", *argv, check=check, **kw)

    def enrol(self, user):
        """Enrol as a program does: the URI as JSON, then one code on standard input."""
        out = self.rbacctl("--json", "enrol", user).stdout
        self.seeds[user] = re.search(r"[?&]secret=([A-Z2-7]+)", out).group(1)
        self.rbacctl("enrol", user, "--confirm", input=self.code(user) + "\n")

    @staticmethod
    def database():
        found = glob.glob("/var/lib/rbacd/*.db") + glob.glob("/var/lib/rbacd/*.sqlite")
        return found[0] if found else "/var/lib/rbacd/state.db"

    def records(self, after=0):
        """All audit records, oldest first, read without any program of ours."""
        db = sqlite3.connect("file:%s?mode=ro" % self.database(), uri=True, timeout=5)
        try:
            rows = db.execute("SELECT line FROM audit WHERE seq > ? ORDER BY seq",
                              (after,)).fetchall()
        finally:
            db.close()
        return [json.loads(line) for (line,) in rows]

    def last(self, *events):
        """The newest record of these kinds; {} when there is none."""
        wanted = events or ("auth", "account")
        return next((x for x in reversed(self.records()) if x["ev"] in wanted), {})

    @staticmethod
    def listens(port):
        s = socket.socket()
        s.settimeout(1)
        try:
            return s.connect_ex(("127.0.0.1", port)) == 0
        finally:
            s.close()

    # ---- ways in

    def ssh_argv(self, user, server, key=True, command=None, tty=False, options=()):
        argv = ["ssh", "-F", "none", "-p", str(self.SSHD[server][0]), "-l", user,
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "-o", "NumberOfPasswordPrompts=1",
                "-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes",
                "-o", "ConnectTimeout=20"]
        if key is True:
            argv += ["-i", "/root/keys/" + user]
        elif key:
            argv += ["-i", "/root/keys/" + key]
        else:
            argv += ["-o", "PubkeyAuthentication=no"]
        for option in options:
            argv += ["-o", option]
        return argv + (["-tt"] if tty else []) + ["127.0.0.1"] + ([command] if command else [])

    def converse(self, child, answers, done, seconds=30):
        """Answer prompts in order until @done or the end; returns (reached done, text)."""
        text, answers = "", list(answers)
        end = time.monotonic() + seconds
        while True:
            i = child.expect([done, PROMPTS, pexpect.EOF, pexpect.TIMEOUT],
                             timeout=max(0.1, end - time.monotonic()))
            text += child.before or ""
            if i in (0, 1):
                text += child.after
            if i == 0:
                return True, text
            if i == 2:
                return False, text
            if i == 3:
                return False, text + " [no answer within %g s]" % seconds
            if not answers:
                return False, text + " [asked more than expected]"
            answer = answers.pop(0)
            answer = answer() if callable(answer) else answer
            child.waitnoecho(0.5)
            child.sendline(answer)
            if self.show_typed:  # the transcript of the demo; passwords stay hidden
                text += answer if re.fullmatch(r"\d{6}", answer) else "********"

    def ssh(self, user, server, answers=(), key=True, command="echo IN-$(id -un)", options=(),
            seconds=30):
        """One ssh login that runs a command; in when the command really ran."""
        start = time.monotonic()
        argv = self.ssh_argv(user, server, key, command, options=options)
        child = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", codec_errors="replace",
                              timeout=seconds)
        ok, text = self.converse(child, answers, r"IN-[a-z0-9._-]+", seconds)
        taken = time.monotonic() - start
        child.close(force=True)
        return Answer(ok and "IN-" + user in text, text, taken)

    def shell(self, user, server="sshd", answers=(), key=True):
        """An interactive session over ssh; None when it was refused."""
        argv = self.ssh_argv(user, server, key, "PS1= exec bash --norc --noprofile", tty=True)
        child = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", codec_errors="replace",
                              timeout=30, dimensions=(50, 200))
        session = Session(self, child)
        return session if session.start(answers) else None

    def console(self, user, answers, tty="tty1", seconds=40):
        """login(1) on a terminal that is known as /dev/TTY inside."""
        start = time.monotonic()
        session = self.console_shell(user, answers, tty, seconds)
        return Answer(session.ok, session.text, time.monotonic() - start)

    def console_shell(self, user, answers, tty="tty1", seconds=40, seen=None):
        """@seen is called with the text of each question."""
        master, slave = os.openpty()
        name = os.ttyname(slave)
        path = name
        if tty != "pts":
            path = "/dev/" + tty
            run("mount", "--bind", name, path)
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                fd = os.open(path, os.O_RDWR)
                for i in range(3):
                    os.dup2(fd, i)
                os.closerange(3, 256)
                os.execv("/bin/login", ["login", user])
            finally:
                os._exit(127)
        os.close(slave)
        child = pexpect.fdpexpect.fdspawn(master, encoding="utf-8", codec_errors="replace",
                                          timeout=seconds)
        child.waitnoecho = lambda timeout: time.sleep(0.15)
        child.close_terminal = lambda: (os.close(master), self.reap(pid),
                                        tty != "pts" and self.unmount(path))
        session = Session(self, child)
        session.seen = seen
        session.ok = session.start_login(answers, user, seconds)
        if not session.ok:
            session.close()
        return session

    def unmount(self, path):
        """What the session left behind may hold it for a moment."""
        self.wait(lambda: run("umount", path, check=False).returncode == 0, 5, "umount " + path)

    @staticmethod
    def reap(pid):
        for sig in (signal.SIGHUP, signal.SIGKILL):
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass
            end = time.monotonic() + 2
            while time.monotonic() < end:
                try:
                    if os.waitpid(pid, os.WNOHANG)[0]:
                        return
                except ChildProcessError:
                    return
                time.sleep(0.02)

    # ---- time and codes

    def set_clock(self, seconds):
        """Seconds that rbacd's clock runs ahead of the machine's."""
        self.offset = seconds
        if not os.path.exists(CLOCK):
            write(CLOCK, "\0" * 16)
        with open(CLOCK, "r+b") as f:
            f.write(struct.pack("=q", seconds))

    @staticmethod
    def set_sync(told):
        """What the kernel tells rbacd: True, False; None: what it really says."""
        with open(CLOCK, "r+b") as f:
            f.seek(8)
            f.write(struct.pack("=q", {None: 0, True: 1, False: 2}[told]))

    def now(self):
        return time.time() + self.offset

    def step(self, seconds=30):
        self.set_clock(self.offset + seconds)

    def code(self, user, fresh=True):
        """The code on the phone now; @fresh moves on to a code that was not used yet."""
        if self.shim and fresh and int(self.now()) // 30 <= self.spent.get(user, 0):
            self.step((self.spent[user] + 1) * 30 - int(self.now()) + 1)
        if self.shim and fresh and int(self.now()) % 30 > 24:  # it must not run out while it is typed
            self.step(8)
        at = int(self.now())
        self.spent[user] = at // 30
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
        return run("oathtool", "--totp", "--base32", "-N", when, self.seeds[user]).stdout.strip()


class Session:
    """A shell somewhere inside, driven line by line."""

    def __init__(self, world, child):
        self.world, self.child, self.ok, self.text, self.n = world, child, False, "", 0
        self.seen = None

    def start(self, answers):
        self.ok, self.text = self._start(answers)
        if not self.ok:
            self.close()
        return self.ok

    def _start(self, answers):
        self.child.delaybeforesend = 0.02
        text, answers = "", list(answers)
        while True:
            i = self.child.expect([PROMPTS, pexpect.EOF, pexpect.TIMEOUT], timeout=15) \
                if answers else 2
            text += (self.child.before or "") if i < 2 else ""
            if i == 1 or (i == 2 and answers):
                return False, text
            if i == 2:
                break
            answer = answers.pop(0)
            self.child.waitnoecho(0.5)
            self.child.sendline(answer() if callable(answer) else answer)
        self.child.sendline("stty -echo; PS1=; PS2=; echo READY-$((40+2))")
        i = self.child.expect(["READY-42", PROMPTS, pexpect.EOF, pexpect.TIMEOUT], timeout=20)
        return i == 0, text + (self.child.before or "")

    def start_login(self, answers, user, seconds):
        text, answers = "", list(answers)
        while True:
            i = self.child.expect([PROMPTS, r"[$#] $", r"incorrect|denied|failure|Error|error|"
                                   r"cannot|login: $", pexpect.EOF, pexpect.TIMEOUT],
                                  timeout=seconds)
            text += (self.child.before or "")
            if i < 3:
                text += self.child.after
            self.text = text
            if i == 0 and self.seen:
                self.seen(text)
            if i == 0 and answers:
                answer = answers.pop(0)
                self.child.waitnoecho(0.5)
                self.child.sendline(answer() if callable(answer) else answer)
                continue
            if i == 1:
                self.child.sendline("stty -echo; PS1=; PS2=; echo READY-$((40+2))")
                return self.child.expect(["READY-42", pexpect.EOF, pexpect.TIMEOUT],
                                         timeout=10) == 0
            return False

    def run(self, command, answers=(), seconds=30):
        """Run a command; returns Answer with ok = exit status 0."""
        self.n += 1
        start = time.monotonic()
        mark = "DONE%d-" % self.n
        self.child.sendline("%s; echo DONE%d-$?-" % (command, self.n))
        ok, text = self.world.converse(self.child, answers, mark + r"\d+-", seconds)
        m = re.search(mark + r"(\d+)-", text)
        if not m:  # still asking: give up the command, keep the shell
            self.child.send("\x03")
            self.child.expect([mark + r"\d+-", pexpect.TIMEOUT], timeout=5)
        return Answer(bool(m) and m.group(1) == "0", re.sub(mark + r"\d+-", "", text),
                      time.monotonic() - start)

    def close(self):
        if hasattr(self.child, "close_terminal"):
            self.child.close_terminal()
            del self.child.close_terminal
        elif not hasattr(self.child, "child_fd") or self.child.isalive():
            self.child.close(force=True)


class Report:
    """Counts checks; ends with the line `NAME: N passed, N failed`."""

    def __init__(self, name):
        self.name, self.passed, self.failed = name, 0, 0

    def check(self, what, good, detail=""):
        if good:
            self.passed += 1
            print("ok      " + what, flush=True)
        else:
            self.failed += 1
            print("FAILED  %s\n        %s" % (what, detail), flush=True)
        return bool(good)

    def end(self):
        print("%s: %d passed, %d failed" % (self.name, self.passed, self.failed), flush=True)
        sys.exit(1 if self.failed else 0)
