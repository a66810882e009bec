# SPDX-License-Identifier: Apache-2.0
"""A fault in the n-th system call of one kind of a running program, by strace."""
import signal
import subprocess

OUTPUT = "/run/strace"


def fault(call, what, n):
    """The arguments that make strace inject @what ("signal=KILL", "error=EIO")."""
    return ["strace", "-f", "-qq", "-o", OUTPUT, "-e", "trace=" + call, "-e",
            "inject=%s:%s:when=%d" % (call, what, n)]


def inject(w, pid, call, what, n):
    """strace attached to @pid; the fault is armed when this returns."""
    p = subprocess.Popen(fault(call, what, n) + ["-p", str(pid)], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    w.wait(lambda: p.poll() is not None or "TracerPid:\t0\n" not in
           w.read("/proc/%d/status" % pid), 5, "strace")
    if p.poll() is not None:
        raise RuntimeError("strace ended: %d" % p.returncode)
    return p


def release(tracer):
    """Its output is whole only when it has ended."""
    if tracer.poll() is None:
        tracer.send_signal(signal.SIGINT)
    tracer.wait(10)


def was_hit(w):
    text = w.read(OUTPUT)
    return any(x in text for x in ("INJECTED", "killed by SIGKILL", "= ?\n"))
