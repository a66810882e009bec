# SPDX-License-Identifier: Apache-2.0
"""A private world for measuring: state on a real disk, people by the thousand.

tmpfs is not a disk: rbacd's state, the floors' files and the peers' files all lie on the
file system that holds the tree.
"""
import base64
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

DISK = "/var/lib/bench"
CONF = "/etc/bench.d"

CONFIG = """rbacd: 1
vm: {name: %s}
directory: {source: file, people: /etc/rbacd/people.yaml, max_stale: 365d}
sandbox: kill
log: {level: warning}
""" % world.HOST
POLICY = """vmsec_policy: 1
roles:
  enter: {privileges: [ssh, console]}
vm_sets:
  all: {every: true}
grants:
  - {id: fresh, to: [fresh], roles: [enter], vms: [all]}
  - id: held
    to: [held]
    roles: [enter]
    vms: [all]
    when: {mfa: {accept: [totp], max_age: 365d}}
"""


class Sink:
    """Stands where the world's own /dev/log reader is."""
    tool = None

    def start(self):
        self.process = subprocess.Popen([self.tool], stdin=subprocess.DEVNULL)
        world.World.wait(lambda: os.path.exists("/dev/log"), 5, "no /dev/log")


class BenchWorld(world.World):
    def __init__(self, variant, people=1000):
        super().__init__(variant)
        self.n_people = people
        self.tools = self.build + "/tests/bench/"
        Sink.tool = self.tools + "logsink"
        world.Syslog = Sink

    def tool(self, name):
        return self.tools + name

    def make(self):
        super().make()
        disk = self.own_disk()
        for name in ("state", "files"):
            os.makedirs(disk + "/" + name)
        os.makedirs("/var/lib/rbacd")
        os.makedirs(DISK)
        self.cover.bind(disk + "/state", "/var/lib/rbacd")
        self.cover.bind(disk + "/files", DISK)
        os.chmod("/var/lib/rbacd", 0o700)
        self.install()
        world.write("/etc/rbacd/rbacd.yaml", CONFIG)
        self.policy(POLICY)
        self.people()
        return self

    def own_disk(self):
        """A folder of this run, so that two runs in one tree do not meet; removes those
        whose run has ended, which is when nobody holds their lock any more."""
        base = world.TREE + "/build/bench-disk"
        os.makedirs(base, exist_ok=True)
        door = os.open(base, os.O_RDONLY)
        fcntl.flock(door, fcntl.LOCK_EX)
        for name in os.listdir(base):
            fd = os.open(base + "/" + name, os.O_RDONLY)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(base + "/" + name, ignore_errors=True)
            except BlockingIOError:
                pass
            finally:
                os.close(fd)
        path = tempfile.mkdtemp(dir=base)
        os.chmod(path, 0o755)
        self.disk_lock = os.open(path, os.O_RDONLY)
        fcntl.flock(self.disk_lock, fcntl.LOCK_EX)
        os.close(door)
        return path

    def people(self):
        """Everybody enrolled; a quarter fresh, half held, a quarter without a grant."""
        seeds = DISK + "/seeds"
        world.run(self.tool("enrol_people"), "/var/lib/rbacd/rbacd.db",
                  "/etc/rbacd/master.key", str(self.n_people), seeds, timeout=300)
        uid = world.SERVICE_USERS["rbacd"]
        os.chown("/var/lib/rbacd", uid, uid)
        for name in os.listdir("/var/lib/rbacd"):
            os.chown("/var/lib/rbacd/" + name, uid, uid)
        kinds = ("fresh", "held", "held", "none")
        out = {k: open("%s/%s" % (DISK, k), "w") for k in set(kinds)}
        with open(seeds) as f, open("/etc/rbacd/people.yaml", "w") as yaml:
            yaml.write("vmsec_people: 1\npeople:\n")
            for i, line in enumerate(f):
                login, kind = line.split()[0], kinds[i % 4]
                out[kind].write(line)
                yaml.write("  - {login: %s, id: 'bench:%s', uid: %d, groups: [%s]}\n"
                           % (login, login, 100000 + i, "" if kind == "none" else kind))
        for f in out.values():
            f.close()

    def stack(self, service, auth, account):
        world.write("%s/%s" % (CONF, service), "auth requisite %s\naccount requisite %s\n"
                    % (auth, account))

    def own_stacks(self):
        self.stack("permit", "pam_permit.so", "pam_permit.so")
        self.stack("sshd", "pam_vmsec.so", "pam_vmsec.so")
        self.stack("other", "pam_deny.so", "pam_deny.so")

    def some(self, kind, n):
        with open("%s/%s" % (DISK, kind)) as f:
            return [line.split() for line, _ in zip(f, range(n))]

    def oath(self, service, n):
        """pam_oath with @n users; ours is the last line, as a new colleague would be."""
        path = "%s/%s.users" % (DISK, service)
        known = self.some("fresh", 10)
        with open(path, "w") as f:
            for i in range(n - len(known)):
                f.write("HOTP/T30 x%06d - %s\n" % (i, "ab" * 20))
            for login, seed in known:
                f.write("HOTP/T30 %s - %s\n" % (login, base64.b32decode(seed).hex()))
        os.chmod(path, 0o600)
        self.stack(service, "pam_oath.so usersfile=%s window=5 digits=6" % path,
                   "pam_permit.so")

    def google(self, service):
        folder = "%s/%s" % (DISK, service)
        os.makedirs(folder)
        for login, seed in self.some("fresh", 10):
            world.write("%s/%s" % (folder, login), '%s\n" WINDOW_SIZE 3\n" DISALLOW_REUSE\n'
                        '" TOTP_AUTH\n' % seed, 0o400)
        self.stack(service, "pam_google_authenticator.so secret=%s/${USER} user=root "
                   "allowed_perm=0400 no_strict_owner" % folder, "pam_permit.so")

    def floor(self, name, *files):
        path = "/run/%s.sock" % name
        self.spawn(name, [self.tool("floor"), path] + list(files),
                   ready=lambda: os.path.exists(path))
        return path

    def shimmed(self):
        return {"LD_PRELOAD": self.build_tests + "/clockshim.so",
                "VMSEC_CLOCK_FILE": world.CLOCK,
                "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def drive(self, rounds, *subjects, cpu=None, seconds=600):
        """bench_pam; returns {name: [(p50, p90, p99) of each round]} in microseconds."""
        argv = [self.tool("bench_pam"), str(rounds), world.CLOCK] + list(subjects)
        if cpu is not None:
            argv = ["taskset", "-c", str(cpu)] + argv
        text = world.run(*argv, env=dict(os.environ, **self.shimmed()),
                         timeout=seconds).stdout
        found = {}
        for line in text.splitlines():
            word = line.split()
            found.setdefault(word[1], []).append(tuple(float(x) for x in word[3:6]))
        return found

    def load(self, mode, clients, amount, socket, people=None, seconds=120):
        argv = [self.tool("bench_load"), mode, str(clients), str(amount), socket]
        if people:
            argv += [world.CLOCK, people]
        lines = world.run(*argv, timeout=seconds).stdout.split("\n")
        keys = ("per_s", "p50", "p99", "answered", "refused", "failed")
        rows = [dict(zip(keys, map(float, x.split()[3:]))) for x in lines if x]
        return rows

    def processes(self, n, count, subject):
        """@count transactions of each of @n processes: how many a second."""
        argv = [self.tool("bench_pam"), "1", world.CLOCK, subject]
        begun = time.monotonic()
        running = [subprocess.Popen(argv, stdout=subprocess.DEVNULL,
                                    env=dict(os.environ, **self.shimmed()))
                   for _ in range(n)]
        if any([p.wait(300) for p in running]):
            raise RuntimeError("somebody was refused: " + subject)
        return n * count / (time.monotonic() - begun)

    def pin(self, cpu):
        """Every daemon to one core (None: to all)."""
        cpus = range(os.cpu_count()) if cpu is None else [cpu]
        for p in self.children.values():
            os.sched_setaffinity(p.pid, cpus)

    def rss_kib(self, name, what="VmRSS"):
        for line in self.read("/proc/%d/status" % self.children[name].pid).splitlines():
            if line.startswith(what):
                return int(line.split()[1])
        return 0


class Swapper(threading.Thread):
    """Another policy and the same people as a new file, each @every seconds."""

    def __init__(self, w, every):
        super().__init__(daemon=True)
        self.w, self.every, self.n, self.failed = w, every, 0, []
        self.done = threading.Event()
        self.people = w.read("/etc/rbacd/people.yaml")

    def run(self):
        while not self.done.wait(self.every):
            self.n += 1
            rule = "held" if self.n % 2 == 0 else "held-too"
            self.w.policy(POLICY.replace("id: held\n", "id: %s\n" % rule))
            world.write("/etc/rbacd/people.yaml", self.people + "# %d\n" % self.n)
            r = self.w.rbacctl("reload", check=False)
            if r.returncode != 0:
                self.failed.append(r.stdout + r.stderr)

    def end(self):
        self.done.set()
        self.join(30)
