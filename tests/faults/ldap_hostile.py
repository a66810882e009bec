#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""A directory that is broken or hostile: nothing is granted, nobody else notices.

usage: ldap_hostile.py [VARIANT [long]]; long: 1,000 runs, else one of each kind
"""
import os
import statistics
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("../lib", "."):
    sys.path.insert(0, os.path.join(HERE, folder))
import frames  # noqa: E402
import ldapserver as ls  # noqa: E402
import slapd  # noqa: E402
import world  # noqa: E402
from sniffer import Sniffer  # noqa: E402

POLICY = """vmsec_policy: 1
vm_sets:
  here: {label: {env: [demo]}}
roles:
  viewer: {privileges: [ssh]}
  operator: {includes: [viewer], privileges: [sudo]}
grants:
  - {id: crew, to: [crew], roles: [viewer], vms: [here]}
  - {id: other, to: [other], roles: [operator], vms: [here]}
"""
DAEMON, TESTED, CERTIFICATES = 3700, 3800, 3710
ANSWER = 60  # seconds that one run may take; the daemon's watchdog gives 40 to each step
AT_ONCE = 20
# These take as long as our deadlines allow.
SLOW = {"accepted, then silence", "half a TLS record", "TLS, then silence", "bytes one by one",
        "half a message, then silence", "half a search entry", "a length of 2 GiB",
        "an answer to something else", "StartTLS unanswered", "a million members",
        "StartTLS and an answer before TLS", "a 16-byte unsolicited reply",
        "the same instead of the bind", "1,000 unsolicited replies", "a nesting of 10,000",
        "an answer of another kind"}
# What the daemon itself meets, beside lies about people and by LDAP sync.
MET = ("a 16-byte unsolicited reply", "1,000 unsolicited replies", "half a search entry",
       "garbage in a message", "TLS, then closed", "a page that is cut", "the bind refused")
SAMPLE = ("an empty directory", "30 % of the people", "a cycle of groups", "a value of 10 MiB",
          "sync: a state of 3 bytes", "sync: a set of wrong ids", "a 16-byte unsolicited reply",
          "a page that is cut")


class Asker(threading.Thread):
    """Decisions without a pause: right answers only, and how long each took."""

    def __init__(self):
        super().__init__(daemon=True)
        self.times, self.wrong, self.go = [], [], True

    def run(self):
        c = None
        for n in range(1 << 60):
            user, want = (b"fry", True) if n % 2 else (b"zoidberg", False)
            if not self.go:
                return
            begun = time.monotonic()
            c = frames.Client(frames.ADMIN)
            c.send(frames.call("explain", user=user.decode(), vm=world.HOST, privilege="ssh",
                               method="any"))
            got = c.recv()
            while got and got[0] != frames.END:
                got = c.recv()
            c.close()
            self.times.append(time.monotonic() - begun)
            if not got or (struct.unpack(">I", got[1][80])[0] == 0) != want:
                self.wrong.append((user, want))
            time.sleep(0.002)

    def take(self):
        """(p99 in ms, wrong answers) since the last call."""
        times, self.times, wrong, self.wrong = self.times, [], self.wrong, []
        return (statistics.quantiles(times, n=100)[98] * 1000 if len(times) > 20 else 0), wrong


class Hostile:
    def __init__(self, w, r, rounds):
        self.w, self.r, self.rounds, self.mode = w, r, rounds, "honest"
        self.server = ls.Server(DAEMON, ls.context(slapd.KEYS, "server"), lambda: self.mode)

    def reconnect(self):
        """rbacd-dir anew: its back-off would make this long."""
        self.w.stop("rbacd-dir", seconds=20)
        self.w.spawn("rbacd-dir", ["rbacd-dir", "--config", "/etc/rbacd/rbacd.yaml"])

    # ---- the daemon

    def start(self):
        w = self.w
        w.policy(POLICY)
        slapd.configure(w, ["ldaps://127.0.0.1:%d" % DAEMON], extra="  poll: 1s\n")
        w.start()
        self.asker = Asker()
        w.wait(lambda: w.rbacctl("explain", "fry", world.HOST, "ssh", "--with-code",
                                 check=False).returncode == 0, 10, "the honest server is not followed")
        self.asker.start()
        time.sleep(1)
        self.quiet, wrong = self.asker.take()
        self.r.check("an honest server: right answers", not wrong, wrong[:3])

    def daemon(self):
        """The same answers, whatever the server does to the one who follows it."""
        for mode in [*ls.DATA, *ls.SYNCS, *MET] if self.rounds else SAMPLE:
            self.mode = mode
            before = self.server.met[mode]
            self.reconnect()
            self.w.wait(lambda: self.server.met[mode] > before, 30, mode)
            time.sleep(2.5 if mode == "a million members" else 0.4)
            p99, wrong = self.asker.take()
            self.r.check("%s: every answer stays (p99 %.1f times the quiet one)" % (
                mode, p99 / self.quiet if self.quiet else 0), not wrong, wrong[:3])
            for user in ("zoidberg", "scruffy", "zapp"):
                a = self.w.rbacctl("explain", user, world.HOST, "sudo", "--with-code", check=False)
                if a.returncode == 0:
                    self.r.check("%s gains nothing" % user, False, a.stdout)
        self.mode = "honest"
        self.reconnect()
        self.w.wait(lambda: "following" in self.w.rbacctl(
            "directory", "status", check=False).stdout, 10, "no way back to honesty")
        _, wrong = self.asker.take()
        self.r.check("honest again: right answers", not wrong, wrong[:3])

    # ---- many runs

    def config(self, name, uri):
        path = "/etc/rbacd/%s.yaml" % name
        slapd.configure(self.w, [uri], path=path)
        return path

    @staticmethod
    def test(config):
        """One run of directory test: (exit status, seconds)."""
        begun = time.monotonic()
        p = subprocess.Popen(["rbacctl", "--config", config, "directory", "test"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return p.wait(ANSWER), time.monotonic() - begun
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            return None, ANSWER

    def work(self, n, todo, out):
        """One of several at once, with servers of its own, until nothing is left to do."""
        now = ["honest"]
        good = ls.context(slapd.KEYS, "server")
        servers = [ls.Server(TESTED + 2 * n + i, good, lambda: now[0], i == 0) for i in (0, 1)]
        configs = [self.config("run%d-%d" % (n, i), "%s://127.0.0.1:%d" % (
            ("ldaps", "ldap")[i], TESTED + 2 * n + i)) for i in (0, 1)]

        def run():
            while todo:
                try:
                    now[0] = todo.pop()
                except IndexError:
                    return
                code, seconds = self.test(configs[now[0] in ls.STARTTLS_LIES])
                out.append((now[0], code, seconds, sum(servers[1].binds.values())))
        return threading.Thread(target=run)

    def many(self):
        kinds = [m for m in ls.MODES if m != "honest" and (self.rounds or m not in SLOW)]
        todo = (kinds * (self.rounds // len(kinds) + 1))[:max(self.rounds, len(kinds))]
        out, n = [], len(todo)
        todo.sort(key=lambda m: m in SLOW)  # taken from the end: they wait together
        workers = [self.work(i, todo, out) for i in range(AT_ONCE)]
        for t in workers:
            t.start()
        for t in workers:
            t.join()
        p99, wrong = self.asker.take()
        slow = sorted({m for m, code, _, _ in out if code is None})
        self.r.check("%d runs, %d lies: each ended, the slowest after %.0f s" % (
            len(out), len(kinds), max(x[2] for x in out)), len(out) == n and not slow, slow)
        # the test loads by searches: LDAP sync is lied about to the daemon
        passed = sorted({m for m, code, _, _ in out if code == 0} - {*ls.DATA, *ls.SYNCS})
        self.r.check("a lie about the protocol fails the test", not passed, passed)
        self.r.check("nobody binds without TLS", not any(x[3] for x in out))
        self.r.check("meanwhile every answer stayed (p99 %.1f times the quiet one)" % (
            p99 / self.quiet if self.quiet else 0), not wrong, wrong[:3])

    # ---- certificates

    def make_certificates(self):
        slapd.authority("stranger")
        slapd.certificate("self", "127.0.0.1", key="P-256")
        world.run("openssl", "req", "-x509", "-key", slapd.KEYS + "/self.key", "-out",
                  slapd.KEYS + "/self.pem", "-subj", "/CN=127.0.0.1", "-days", "5", "-addext",
                  "subjectAltName=IP:127.0.0.1")
        slapd.certificate("other-ca", "127.0.0.1", ca="stranger")
        slapd.certificate("wrong-name", "ldap.elsewhere.example")
        slapd.certificate("wrong-address", "127.0.0.9")
        slapd.certificate("no-name", "")
        slapd.certificate("middle", "", extra="basicConstraints=CA:TRUE\n")
        slapd.certificate("no-intermediate", "127.0.0.1", ca="middle")
        slapd.certificate("by-a-leaf", "127.0.0.1", ca="server")
        slapd.certificate("weak-key", "127.0.0.1", key="rsa:512")
        self.dated("expired", -400, -30)
        self.dated("not-yet", 30, 400)

    def dated(self, name, start, end):
        """x509 has no dates in the past here: `openssl ca` has."""
        slapd.certificate(name, "127.0.0.1")
        folder = slapd.KEYS + "/" + name + ".d"
        os.makedirs(folder, exist_ok=True)
        world.write(folder + "/index", "")
        world.write(folder + "/serial", "%02d\n" % (abs(start) % 90 + 10))
        world.write(folder + "/ca.conf", "[ca]\ndefault_ca=c\n[c]\ndatabase=%s/index\nserial=%s/"
                    "serial\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n[p]\n"
                    "commonName=supplied\n" % (folder, folder, folder))
        stamp = lambda days: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))
        world.run("openssl", "ca", "-batch", "-config", folder + "/ca.conf", "-in",
                  "%s/%s.csr" % (slapd.KEYS, name), "-out", "%s/%s.pem" % (slapd.KEYS, name),
                  "-cert", slapd.KEYS + "/ca.pem", "-keyfile", slapd.KEYS + "/ca.key", "-notext",
                  "-startdate", stamp(start), "-enddate", stamp(end), "-extfile",
                  "%s/%s.ext" % (slapd.KEYS, name))

    def certificates(self):
        self.make_certificates()
        kinds = ("self", "other-ca", "expired", "not-yet", "wrong-name", "wrong-address", "no-name",
                 "no-intermediate", "by-a-leaf", "weak-key")
        servers = {k: ls.Server(CERTIFICATES + i, self.context(k), lambda: "honest")
                   for i, k in enumerate(kinds)}
        for i, (kind, s) in enumerate(servers.items()):
            self.judge(kind, s, CERTIFICATES + i)
        old = self.context("server")
        old.maximum_version = old.minimum_version = ls.ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        self.judge("good, but TLS 1.1", ls.Server(3730, old, lambda: "honest"), 3730)
        p = subprocess.Popen(["openssl", "s_server", "-accept", "3731", "-nocert", "-cipher",
                              "aNULL:@SECLEVEL=0", "-tls1_2", "-quiet"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.w.wait(lambda: self.w.listens(3731), 5, "openssl s_server")
        self.judge("none at all", None, 3731)
        p.kill()
        p.wait()
        s = ls.Server(3732, self.context("server"), lambda: "honest")
        code = self.test(self.config("good", "ldaps://127.0.0.1:3732"))[0]
        self.r.check("the right certificate is taken", s.binds["honest"] == 1, code)

    @staticmethod
    def context(name):
        c = ls.ssl.SSLContext(ls.ssl.PROTOCOL_TLS_SERVER)
        c.set_ciphers("DEFAULT:@SECLEVEL=0")
        c.load_cert_chain("%s/%s.pem" % (slapd.KEYS, name), "%s/%s.key" % (slapd.KEYS, name))
        return c

    def judge(self, kind, server, port):
        code = self.test(self.config("cert", "ldaps://127.0.0.1:%d" % port))[0]
        binds = sum(server.binds.values()) if server else 0
        self.r.check("certificate %s: refused, no password sent" % kind, code != 0 and binds == 0,
                     "exit %d, %d binds" % (code, binds))


def main():
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    world.enter()
    r = world.Report("ldap hostile")
    w = world.World(variant).make()
    w.install()
    slapd.certificates()
    sniffer = Sniffer(slapd.READER_PW)
    h = Hostile(w, r, 1000 if "long" in sys.argv else 0)
    h.start()
    h.daemon()
    h.many()
    h.certificates()
    h.asker.go = False
    sniffer.sees("Plain-Canary")
    w.wait(lambda: sniffer.found, 5, "the capture sees nothing")
    r.check("no password on the wire", sniffer.found == {b"Plain-Canary"}, sniffer.found)
    r.end()


main()
