#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The power goes at a random moment: what was not flushed may be there, or not, or in part.

strace writes down every write, flush and change of a name that rbacd makes under logins
with codes. From that, disks are made: up to the moment of the cut all that a flush has
covered, and of the rest each 512 bytes by chance. On each disk every ALLOW that had left by
then is in the log, once, and the log verifies; some are started, where a code that was
accepted is not accepted again.

usage: powerloss.py [VARIANT] [DISKS | long]
"""
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../bench"), HERE]
import benchworld  # noqa: E402
import histories  # noqa: E402
import world  # noqa: E402

SOCKET = "/run/rbacd/pam/pam.sock"
STATE = "/var/lib/rbacd"  # and STATE-anchor, the log's last head
TRACE = "/run/trace"
IMAGE = "/run/image"
SECTOR = 512
CALLS = ("openat,creat,write,pwrite64,fdatasync,fsync,ftruncate,fallocate,rename,renameat,"
         "renameat2,unlink,unlinkat,mkdir,mkdirat,sendto,sendmsg")
LOGINS = 12
START_EVERY = 25  # of the disks, one is started


class Disk:
    """Files as the kernel has them, and what of them a flush has covered."""

    def __init__(self, safe):
        self.safe = {p: bytearray(b) for p, b in safe.items()}  # there for certain
        self.open = []  # (path, change) not yet covered, in order

    @classmethod
    def at_rest(cls, *folders):
        found = {}
        for at, _, names in (x for folder in folders for x in os.walk(folder)):
            for n in names:
                if not n.endswith("-shm"):  # rebuilt at each start
                    with open(os.path.join(at, n), "rb") as f:
                        found[os.path.join(at, n)] = f.read()
        return cls(found)

    def do(self, path, change):
        self.open.append((path, change))

    def flush(self, path):
        """A file's flush covers its bytes; a folder's the names in it."""
        left = []
        for p, change in self.open:
            name = change[0] in ("make", "unlink", "rename")
            if (p == path and not name) or (name and os.path.dirname(p) == path) or \
                    (p == path and change[0] == "make"):
                self.apply(self.safe, p, change)
            else:
                left.append((p, change))
        self.open = left

    @staticmethod
    def apply(files, path, change):
        kind = change[0]
        if kind == "make":
            files.setdefault(path, bytearray())
        elif kind == "unlink":
            files.pop(path, None)
        elif kind == "rename":
            if path in files:
                files[change[1]] = files.pop(path)
        elif path in files and kind == "cut":
            n = change[1]
            files[path] = files[path][:n] + bytes(max(0, n - len(files[path])))
        elif path in files:
            at, data = change[1:]
            body = files[path]
            if len(body) < at + len(data):
                body.extend(bytes(at + len(data) - len(body)))
            body[at:at + len(data)] = data

    def after_power_loss(self, chance):
        """One disk of the many that are possible."""
        files = {p: bytearray(b) for p, b in self.safe.items()}
        for path, change in self.open:
            if change[0] != "write":
                if chance.random() < 0.5:
                    self.apply(files, path, change)
                continue
            at, data = change[1:]
            whole = chance.random()
            for i in range(0, len(data), SECTOR):
                if whole < 0.3 or (whole < 0.7 and chance.random() < 0.5):
                    self.apply(files, path, ("write", at + i, data[i:i + SECTOR]))
        return files


def text_of(quoted):
    return bytes.fromhex(quoted.replace("\\x", ""))


class Trace:
    """Lines of strace -y -xx, as changes of a disk and as replies."""
    WRITE = re.compile(r'(p?write)(?:64)?\(\d+<([^>]*)>, "([^"]*)", \d+(?:, (\d+))?\) = (\d+)')
    FLUSH = re.compile(r'f(?:data)?sync\(\d+<([^>]*)>\) = 0')
    CUT = re.compile(r'ftruncate\(\d+<([^>]*)>, (\d+)\) = 0')
    MAKE = re.compile(r'openat\((?:AT_FDCWD<[^>]*>|\d+<([^>]*)>), "([^"]*)", [^)]*O_CREAT[^)]*\) = \d+<([^>]*)>')
    NAME = re.compile(r'(unlink|rename)\w*\((.*)\) = 0')
    SEND = re.compile(r'send(?:to|msg)\(\d+<([^>]*)>, (.*)\) = \d+')

    def __init__(self, path):
        self.events, self.ends = [], {}
        with open(path, errors="replace") as f:
            for line in f:  # -xx writes paths in hex, too
                self.one(re.sub(r"<((?:\\x[0-9a-f]{2})+)>",
                                lambda m: "<%s>" % text_of(m[1]).decode(), line))

    def inside(self, path):
        return path.startswith((STATE + "/", STATE + "-anchor/")) and \
            not path.endswith("-shm")

    def one(self, line):
        m = self.WRITE.search(line)
        if m and self.inside(m[2]):
            data, n = text_of(m[3]), int(m[5])
            if m[1] == "pwrite":
                at = int(m[4])
            else:  # appended, or from the beginning
                at = self.ends.get(m[2], 0)
                self.ends[m[2]] = at + n
            self.events.append(("change", m[2], ("write", at, data[:n])))
            return
        m = self.FLUSH.search(line)
        if m:
            self.events.append(("flush", m[1], None))
            return
        m = self.CUT.search(line)
        if m and self.inside(m[1]):
            self.events.append(("change", m[1], ("cut", int(m[2]))))
            return
        m = self.MAKE.search(line)
        if m and self.inside(m[3]):
            self.ends[m[3]] = 0
            self.events.append(("change", m[3], ("make",)))
            return
        m = self.NAME.search(line)
        if m:
            self.name(m[1], m[2])
            return
        m = self.SEND.search(line)
        if m:
            blob = b"".join(text_of(x) for x in re.findall(r'"([^"]*)"', m[2]))
            self.events.append(("send", "", blob))

    def name(self, kind, arguments):
        folders = re.findall(r"<([^>]*)>", arguments)
        names = [text_of(x).decode() for x in re.findall(r'"([^"]*)"', arguments)]
        paths = [n if n.startswith("/") else folders[min(i, len(folders) - 1)] + "/" + n
                 for i, n in enumerate(names)]
        if paths and self.inside(paths[0]):
            self.events.append(("change", paths[0], (kind, paths[-1])))


def put(files):
    for end in ("", "-anchor"):
        shutil.rmtree(IMAGE + end, ignore_errors=True)
        os.makedirs(IMAGE + end)
    for path, body in files.items():
        to = IMAGE + path[len(STATE):]
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(to, "wb") as f:
            f.write(body)
    uid = world.SERVICE_USERS["rbacd"]
    for at, _, names in (x for end in ("", "-anchor") for x in os.walk(IMAGE + end)):
        for p in [at] + [os.path.join(at, n) for n in names]:
            os.chown(p, uid, uid)
            os.chmod(p, 0o700 if os.path.isdir(p) else 0o600)


class Power:
    def __init__(self, w, r, chance):
        self.w, self.r, self.chance = w, r, chance
        self.people = benchworld.DISK + "/fresh"
        self.replays = 0  # spent codes that were tried again
        self.logins = w.some("fresh", 1)[0][0]

    def next_step(self):
        now = int(self.w.now())
        self.w.set_clock(self.w.offset + (now // 30 + 1) * 30 + 2 - now)

    def log_in(self):
        text = world.run(self.w.build + "/tests/faults/probe", "login", SOCKET, self.people,
                         self.logins, str(int(self.w.now()))).stdout
        return histories.read(text)

    def record(self):
        """A disk at rest, then a trace of what follows. Returns the ids that were seen."""
        self.w.wait(lambda: os.path.getsize(STATE + "/rbacd.db-wal") >= 0, 5, "a database")
        time.sleep(1.5)  # idle: what is pending is written back and flushed
        self.disk = Disk.at_rest(STATE, STATE + "-anchor")
        tracer = subprocess.Popen(["strace", "-f", "-qq", "-y", "-xx", "-s", "1000000", "-o",
                                   TRACE, "-e", "trace=" + CALLS, "-p",
                                   str(self.w.children["rbacd"].pid)])
        self.w.wait(lambda: "TracerPid:\t0\n" not in self.w.read(
            "/proc/%d/status" % self.w.children["rbacd"].pid), 5, "strace")
        seen = []
        for i in range(LOGINS):
            self.next_step()
            seen += [x.word for x in self.log_in() if x.verdict == "allow"]
            if i == LOGINS // 2:
                time.sleep(1.2)  # a checkpoint in between
        time.sleep(1.2)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
        return seen

    def cut(self, trace, seen):
        """One power loss: (files, ids that somebody had seen by then)."""
        disk = Disk(self.disk.safe)
        end = self.chance.randrange(1, len(trace.events) + 1)
        sent = []
        for kind, path, what in trace.events[:end]:
            if kind == "change":
                disk.do(path, what)
            elif kind == "flush":
                disk.flush(path)
            else:
                sent.append(what)
        told = b"\0".join(sent)
        return disk.after_power_loss(self.chance), {x for x in seen if x.encode() in told}

    def judge(self, files, told):
        put(files)
        a = self.w.rbacctl("--config", "/etc/rbacd/image.yaml", "audit", "verify", check=False)
        if a.returncode != 0:
            return "verify: " + a.stdout + a.stderr
        db = sqlite3.connect(IMAGE + "/rbacd.db")
        try:
            lines = [x[0].decode() for x in db.execute("SELECT line FROM audit")]
            if db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                return "integrity"
        finally:
            db.close()
        for x in told:
            if sum('"id":"%s"' % x in line for line in lines) != 1:
                return "lost or twice: " + x
        return ""

    def started(self, files):
        """rbacd on that disk, in the step of its last login: that code is spent, the next
        one is not, and all that was logged before and after holds together."""
        for name in ("rbacd", "rbacd-dir"):
            self.w.stop(name)
        put(files)
        before = histories.lines(IMAGE + "/rbacd.db")
        spent = histories.accepted(json.loads(x) for x in before)
        put(files)  # reading left an index
        world.run("sh", "-c", "for end in '' -anchor; do rm -rf %s$end/*; "
                  "cp -a %s$end/. %s$end/; done" % (STATE, IMAGE, STATE))
        if spent:
            self.w.set_clock(int(histories.seconds(spent[-1])) + 1 - int(time.time()))
        try:
            self.w.start()
        except RuntimeError as e:
            return "%s; published: %r" % (e, files.get(STATE + "/audit/checkpoint"))
        said = self.w.rbacctl("status", check=False).stdout
        again = self.log_in()
        self.next_step()
        later = self.log_in()
        bad = {k: v for k, v in histories.judge(again + later, histories.lines(
            self.w.database())).items() if v}
        v = self.w.rbacctl("audit", "verify", check=False)
        self.replays += bool(spent)
        good = v.returncode == 0 and "set back" not in said and not bad and \
            [x.verdict for x in later] == ["allow", "allow"] and \
            again[0].verdict == ("refused" if spent else "allow")
        return "" if good else repr((v.stdout, said, again, later, bad))


def main():
    world.enter()
    words = sys.argv[1:]
    numbers = [int(x) for x in words if x.isdigit()]
    disks = numbers[0] if numbers else 1000 if "long" in words else 20
    variant = next((x for x in words if not x.isdigit() and x != "long"), "release")
    seed = int.from_bytes(os.urandom(4), "big")
    r = world.Report("powerloss")
    w = benchworld.BenchWorld(variant, people=16).make()
    w.start()
    world.write("/etc/rbacd/image.yaml", benchworld.CONFIG + "state: %s\n" % IMAGE)
    p = Power(w, r, random.Random(seed))
    seen = p.record()
    trace = Trace(TRACE)
    kinds = [k for k, _, _ in trace.events]
    r.check("%d ALLOWs, %d changes, %d flushes, %d replies were traced" % (
        len(seen), kinds.count("change"), kinds.count("flush"), kinds.count("send")),
        len(seen) >= LOGINS and kinds.count("flush") >= LOGINS and
        all(any(x.encode() in what for k, _, what in trace.events if k == "send")
            for x in seen), seen)
    bad, told_all = [], 0
    for i in range(disks):
        files, told = p.cut(trace, seen)
        told_all += len(told)
        why = p.judge(files, told)
        if why:
            bad.append((i, why))
        why = p.started(files) if i % START_EVERY == 0 else ""
        if why:
            bad.append((i, "after a start: " + why))
    r.check("seed %d: %d disks after a power loss, %d ALLOWs seen before it, none lost; %d "
            "started with a spent code" % (seed, disks, told_all, p.replays),
            not bad and told_all > disks, bad[:3])
    r.end()


if __name__ == "__main__":
    main()
