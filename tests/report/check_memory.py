#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Each allocation in turn fails while rbacctl makes a report.

What is written is the whole report with the status that it always has, or there is no file,
a sentence on standard error and a status that is not 0. Never a file beside, and no crash but
libcrypto's own: OpenSSL 3.0 takes a lock that it could not make, when it is first used.

usage: check_memory.py [VARIANT] [long]; long: every allocation of every report and format.
"""
import concurrent.futures
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from reportworld import TREE, Check  # noqa: E402

SHIM = os.path.join(TREE, "build/tests/failshim.so")
REPORTS = ("access", "mfa", "activity", "review")
FORMATS = ((), ("--html",), ("--csv",), ("--json",))
LIBCRYPTO = 400  # allocations from the first to the last of its start, in one stretch
SAMPLE = 300  # of those that every report makes: it reads policy, people and log first
STEP, TEXT_STEP = 2, 12  # of a report's own; a text allocates for every cell


class Sweep(Check):
    def __init__(self, variant):
        super().__init__(variant)
        self.mine = threading.local()
        self.wrong, self.crashes = [], []

    def make_one(self, report, form, at):
        """(status, file or None, errors, allocations left, failed) when allocation @at fails."""
        if not hasattr(self.mine, "out"):
            self.mine.out = tempfile.mkdtemp(dir=self.folder)
            self.mine.plan = tempfile.mkstemp(dir=self.folder)[1]
        with open(self.mine.plan, "wb") as plan:
            plan.write(struct.pack("=qqq", at, 0, 0))
        to = os.path.join(self.mine.out, "report")
        a = subprocess.run(
            [os.path.join(self.bin, "rbacctl"), "report", report, "--config",
             self.path("config.yaml"), "--as-of", "2026-11-21", "--since", "2026-11-19", "-o", to,
             *form], capture_output=True, timeout=60, check=False,
            env={"PATH": os.environ["PATH"], "VMSEC_FAIL_FILE": self.mine.plan, "LD_PRELOAD": SHIM})
        with open(self.mine.plan, "rb") as plan:
            left, _, failed = struct.unpack("=qqq", plan.read())
        made = None
        if os.path.exists(to):
            with open(to, "rb") as f:
                made = f.read()
            os.unlink(to)
        beside = os.listdir(self.mine.out)
        for name in beside:
            os.unlink(os.path.join(self.mine.out, name))
        return a.returncode, made, a.stderr + a.stdout, left, failed, beside

    def try_one(self, case):
        report, form, at, want = case
        status, made, said, _, failed, beside = self.make_one(report, form, at)
        if failed == 0 or ((status, made) == want and not beside):
            return
        if status == -signal.SIGSEGV and made is None and not beside:
            self.crashes.append(at)
        elif status <= 0 or status > 6 or made is not None or not said or beside:
            differs = [line for line in (made or b"").splitlines() if line not in want[1]]
            self.wrong.append("%s %s, allocation %d: status %d, %s, %s" % (
                report, " ".join(form), at, status, "no file" if made is None else
                "a file of %d bytes instead of %d" % (len(made), len(want[1])),
                beside or differs[:2] or said[-200:]))

    def cases(self, long):
        """All of a report's own allocations, and of those before, the same for all, a part."""
        most = 1 << 40
        found = {}
        for report in REPORTS:
            for form in FORMATS:
                status, made, said, left, _, _ = self.make_one(report, form, most)
                if made is None:
                    sys.exit("report-memory: %s %s: %s" % (report, form, said))
                found[report, form] = (status, made), most - left
        shared = min(n for _, n in found.values()) - 100
        both = sorted(found)
        rnd = random.Random(2)
        for (report, form), (want, n) in sorted(found.items()):
            step = 1 if long else STEP if form else TEXT_STEP
            for at in range(shared + rnd.randrange(step), n + 1, step):
                yield report, form, at, want
        for i in sorted(range(1, shared) if long else rnd.sample(range(1, shared), SAMPLE)):
            report, form = both[i % len(both)]
            yield report, form, i, found[report, form][0]


def main():
    words = sys.argv[1:]
    long = "long" in words
    s = Sweep(next((w for w in words if w != "long"), "release"))
    try:
        s.make_tiny()
        cases = list(s.cases(long))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(s.try_one, cases))
    finally:
        shutil.rmtree(s.folder)
    if s.crashes and max(s.crashes) - min(s.crashes) > LIBCRYPTO:
        s.wrong.append("crashes from allocation %d to %d" % (min(s.crashes), max(s.crashes)))
    for text in s.wrong[:int(os.environ.get("N", 20))]:
        print("FAILED: " + text)
    print("report-memory: %d allocations failed, one a run; %d went wrong, %d in libcrypto" % (
        len(cases), len(s.wrong), len(s.crashes)))
    sys.exit(bool(s.wrong))


if __name__ == "__main__":
    main()
