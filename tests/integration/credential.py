#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The master key as a credential of systemd, sealed by a TPM (swtpm), as the guide says.

systemd itself is not there: systemd-creds seals and opens, and the folder is made as
LoadCredentialEncrypted= makes it: read-only, of rbacd alone.

usage: credential.py [VARIANT]
"""
import os
import shutil
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

FOLDER = "/run/credentials/rbacd.service"
SEALED = "/etc/rbacd/%s.cred"
DEVICE = "--tpm2-device=swtpm:host=127.0.0.1,port=%d"
NEEDED = ("swtpm", "systemd-creds")
TCTI = "/usr/lib/x86_64-linux-gnu/libtss2-tcti-swtpm.so.0"


class Credential:
    def __init__(self, variant):
        self.r = world.Report("credential")
        self.w = world.World(variant).make()
        self.w.install()
        self.w.sshd("sshd")
        self.tpm, self.port = None, 2321

    def machine(self, name):
        """A TPM, just switched on: another name is another machine."""
        self.name = name
        if self.tpm:
            self.shut_down()
            self.tpm.send_signal(signal.SIGTERM)
            self.tpm.wait(10)
        self.port += 2
        folder = "/run/tpm-" + name
        os.makedirs(folder, exist_ok=True)
        self.tpm = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + folder, "--server",
             "type=tcp,port=%d,bindaddr=127.0.0.1" % self.port, "--ctrl",
             "type=tcp,port=%d,bindaddr=127.0.0.1" % (self.port + 1), "--flags",
             "not-need-init,startup-clear"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.w.wait(lambda: self.w.listens(self.port + 1), 10, "swtpm")

    def shut_down(self):
        """TPM2_Shutdown: without it a TPM counts the loss of power as an attack."""
        if self.tpm.poll() is not None:
            return
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            s.sendall(bytes.fromhex("80010000000c000001450000"))
            s.recv(10)

    def creds(self, *argv, **kw):
        """Without a resource manager a TPM has room for few sessions: one call each start."""
        r = world.run("systemd-creds", *argv[:1], DEVICE % self.port, *argv[1:], check=False,
                      **kw)
        self.machine(self.name)
        return r

    def seal(self, name, text):
        r = self.creds("encrypt", "--with-key=tpm2", "--name=" + name, "-", SEALED % name,
                       input=text)
        self.r.check("the TPM seals " + name, r.returncode == 0, r)

    def load(self, *names):
        """What systemd does before it starts the service. False: a seal did not open."""
        uid = world.SERVICE_USERS["rbacd"]
        world.run("umount", FOLDER, check=False)
        os.makedirs(FOLDER, exist_ok=True)
        world.run("mount", "-t", "tmpfs", "-o", "mode=0500,uid=%d,gid=%d" % (uid, uid), "tmpfs",
                  FOLDER)
        good = True
        for name in names:
            r = self.creds("decrypt", "--name=" + name, SEALED % name, "-")
            good = good and r.returncode == 0
            if r.returncode == 0:
                world.write("%s/%s" % (FOLDER, name), r.stdout, 0o400, (uid, uid))
        world.run("mount", "-o", "remount,ro", FOLDER)
        return good

    def restart(self, *names):
        for name in ("rbacd", "rbacd-dir"):
            if name in self.w.children:
                self.w.stop(name)
        self.load(*names)
        self.w.start()

    def enters(self, what):
        a = self.w.ssh("alice", "sshd", [lambda: self.w.code("alice")])
        self.r.check(what, a.ok, (a, self.w.last()))

    def begin(self):
        w = self.w
        key = w.read("/etc/rbacd/master.key")
        self.machine("one")
        self.seal("master.key", key)
        self.r.check("and hides it", key.strip() not in w.read(SEALED % "master.key"))
        os.unlink("/etc/rbacd/master.key")
        world.write("/etc/rbacd/rbacd.yaml", world.CONFIG.replace(
            "/etc/rbacd/master.key", FOLDER + "/master.key"))
        self.restart("master.key")
        w.enrol("alice")
        self.enters("K1 with a credential of the TPM: in")
        r = w.rbacctl("key", "status", check=False)
        self.r.check("key status reads it, too", r.returncode == 0, r)

    def rotation(self):
        """As the guide has it: the new key comes as a second credential."""
        w = self.w
        self.seal("master.key.next", os.urandom(32).hex() + "\n")
        self.restart("master.key", "master.key.next")
        self.enters("K7 a second credential alone changes nothing")
        before = w.rbacctl("key", "status", check=False).stdout
        r = w.rbacctl("key", "rotate", check=False)
        self.r.check("K7 rotate takes it, and cannot rename it", r.returncode == 1 and
                     "counts now" in r.stderr, r)
        after = w.rbacctl("key", "status", check=False)
        self.r.check("key status says what is left to do", after.returncode == 1 and
                     before != after.stdout, after)
        self.restart("master.key", "master.key.next")
        self.enters("K7 a restart in between takes the new one")
        key = w.read(FOLDER + "/master.key.next")
        self.seal("master.key", key)
        self.restart("master.key")
        self.enters("K7 the new key under the old name: in")
        self.r.check("and nothing is left to do",
                     w.rbacctl("key", "status", check=False).returncode == 0)

    def moved(self):
        """The whole disk on another machine."""
        for name in ("rbacd", "rbacd-dir"):
            self.w.stop(name)
        self.machine("two")
        self.r.check("K1 another TPM does not open the credential",
                     not self.load("master.key"))
        r = subprocess.run([world.LOCAL_SBIN + "/rbacd", "--config", "/etc/rbacd/rbacd.yaml"],
                           capture_output=True, text=True, timeout=20, check=False)
        self.r.check("K1 and rbacd does not start", r.returncode == 1 and "master key" in
                     r.stderr, r)

    def run(self):
        self.begin()
        self.rotation()
        self.moved()
        self.tpm.terminate()
        self.tpm.wait(10)
        self.r.end()


def main():
    if not all(map(shutil.which, NEEDED)) or not os.path.exists(TCTI):
        print("credential: SKIP, swtpm, libtss2-tcti-swtpm0 or systemd-creds is missing")
        sys.exit(77)
    world.enter()
    Credential(sys.argv[1] if len(sys.argv) > 1 else "release").run()


main()
