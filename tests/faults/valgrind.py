#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The module as shipped, inside a real sshd under valgrind: nothing found in it.

Only errors with our module in their stack count: sshd and libpam leave memory of their
own to the end of the process. First a module with three faults is tried (leaky.c): the
run that does not find them proves nothing.

usage: valgrind.py [VARIANT]
"""
import glob
import os
import re
import shutil
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

LOGS = "/var/log/valgrind"
PORT_KEYONLY = "sshd-keyonly"
START = re.compile(r"^==\d+== (Invalid|Conditional jump|Use of uninit|Syscall param|"
                   r"Source and destination|Mismatched|Process terminating|Jump to|"
                   r".* blocks? (?:is|are) (?:definitely|indirectly|possibly) lost|"
                   r".* bytes in .* (?:definitely|indirectly|possibly) lost)")

# With debugging information a frame names the source, else the object. Every stack of
# ours comes through an entry point.
OURS = re.compile(r"pam_vmsec\.so|\((pam_vmsec|leaky)\.c:\d+\)")


class Checked(world.World):
    """A world whose sshd runs under valgrind; what it starts for people does not."""

    def spawn(self, name, argv, env=None, ready=None, seconds=10):
        if argv[0] == "/usr/sbin/sshd":
            argv = ["/usr/bin/valgrind", "--tool=memcheck", "--trace-children=yes",
                    "--trace-children-skip=*/bash,*/sh,*/dash,*/id,*/sftp-server,*/env",
                    "--verbose", "--leak-check=full", "--show-leak-kinds=definite,possible",
                    "--num-callers=30", "--keep-debuginfo=yes",
                    "--track-origins=yes", "--log-file=%s/%%p.log" % LOGS] + argv
            env = dict(env or {}, LD_PRELOAD=self.build_tests + "/unsandbox.so")
            seconds = 60
        return super().spawn(name, argv, env, ready, seconds)


def findings():
    """(loaded, [error blocks]) of our module over all logs, which are then removed."""
    loaded, blocks = 0, []
    for path in glob.glob(LOGS + "/*.log"):
        text = world.World.read(path)
        loaded += "Reading syms from " in text and "/pam_vmsec.so" in text
        block = []
        for line in text.splitlines() + ["==0== "]:
            body = re.sub(r"^==\d+== ?", "", line)
            if START.match(line):
                block = [line]
            elif block and body.startswith("  "):
                block.append(line)
            elif block and not body.strip():
                if OURS.search("\n".join(block)):
                    blocks.append("\n".join(block))
                block = []
        os.unlink(path)
    return loaded, blocks


def running():
    """Processes that valgrind runs; sshd writes over its command line."""
    found = []
    for link in glob.glob("/proc/[0-9]*/exe"):
        try:
            found += [link] if "valgrind/memcheck" in os.readlink(link) else []
        except OSError:
            pass  # it has ended
    return found


def quiet(w, names):
    """Stop the sshds, so that every child has written what it lost."""
    for name in names:
        w.stop(name, seconds=60)
    w.wait(lambda: not running(), 60, "valgrind's children")


def control(w, r):
    """A module of three faults in the place of ours."""
    folder = world.Cover.pam_folder()
    shutil.copy(w.build + "/tests/faults/leaky.so", folder + "/pam_vmsec.so")
    w.sshd(PORT_KEYONLY)
    a = w.ssh("alice", PORT_KEYONLY, seconds=90)
    quiet(w, [PORT_KEYONLY])
    loaded, blocks = findings()
    kinds = " ".join(b.split("\n")[0] for b in blocks)
    r.check("valgrind finds the three faults of leaky.so",
            not a.ok and loaded and "Conditional" in kinds and "Invalid read" in kinds and
            "lost" in kinds, "loaded by %d, found: %s" % (loaded, kinds))
    shutil.copy(w.build.replace("/asan", "/release") + "/pam_vmsec.so", folder)


def logins(w, r):
    def ssh(what, wanted, *args, **kw):
        a = w.ssh(*args, seconds=120, **kw)
        r.check("under valgrind: " + what, a.ok == wanted, a)

    code = lambda user: lambda: w.code(user)
    ssh("key and code: in", True, "alice", "sshd", [code("alice")])
    ssh("password and code: in", True, "bob", "sshd",
        [world.PEOPLE["bob"][2], code("bob")], key=False)
    ssh("wrong code: refused", False, "erin", "sshd", ["000000"])
    ssh("no code: refused", False, "erin", "sshd", [""])
    ssh("no role: refused", False, "dave", "sshd", [code("dave")])
    ssh("unknown user: refused", False, "nobodyhere", "sshd", ["x", "123456"], key=False)
    ssh("key only: refused", False, "alice", PORT_KEYONLY)
    ssh("password method, blind: refused", False, "bob", "sshd-blind",
        [world.PEOPLE["bob"][2]], key=False)
    w.children["rbacd"].send_signal(signal.SIGSTOP)
    ssh("rbacd hangs: refused", False, "alice", PORT_KEYONLY)
    w.children["rbacd"].send_signal(signal.SIGCONT)
    w.stop("rbacd-dir")
    w.stop("rbacd")
    ssh("rbacd is down: refused", False, "alice", "sshd", [code("alice")])


def main():
    world.enter()
    if not shutil.which("valgrind"):
        print("valgrind: SKIP, valgrind is not installed")
        sys.exit(77)
    r = world.Report("valgrind")
    w = Checked(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    os.makedirs(LOGS, mode=0o777)
    os.chmod(LOGS, 0o1777)  # the children that have become somebody else write here too
    w.install()
    control(w, r)
    w.start()
    for user in ("alice", "bob", "dave", "erin"):
        w.enrol(user)
    servers = ("sshd", PORT_KEYONLY, "sshd-blind")
    for name in servers:
        w.sshd(name)
    logins(w, r)
    quiet(w, servers)
    loaded, blocks = findings()
    r.check("our module ran in at least 10 processes", loaded >= 10, loaded)
    r.check("nothing found in it", not blocks, "\n".join(blocks[:10]))
    r.end()


main()
