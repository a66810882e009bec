#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Every report over a year of 10,000 decisions a day, with the check of the whole log,
signed each minute, half of it in segments: wall clock and processor time.

usage: bench_year.py [VARIANT [FOLDER]]. FOLDER is kept and used again.
"""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.join(HERE, "../..")
REPORTS = ("access review changes unused privileged mfa activity passwords separation "
           "integrity control-map").split()
# A week-end day has a quarter: 12,700 on the others make 10,000 a day of the year.
DAYS, A_DAY = 365, 12700
PEOPLE, VMS, GROUPS = 629, 3126, 188


def make(folder, build):
    log = os.path.join(folder, "log")
    if os.path.exists(os.path.join(log, "now.vmsec")):
        return
    os.makedirs(log, 0o700)
    with open(os.path.join(log, "audit.key"), "w", encoding="ascii") as f:
        f.write("7e" * 32 + "\n")
    os.chmod(f.name, 0o400)
    subprocess.run([sys.executable, "-I", os.path.join(TREE, "tests/report/large.py"), folder,
                    str(PEOPLE), str(VMS), str(GROUPS)], check=True)
    people = os.path.join(folder, "people.yaml")
    subprocess.run([os.path.join(build, "tests/report/world"),
                    os.path.join(folder, "policy.yaml"), people, people, log, str(DAYS),
                    str(A_DAY)], check=True)


def configure(folder):
    path = os.path.join(folder, "config.yaml")
    with open(path, "w", encoding="utf-8") as out:
        out.write("rbacd: 1\nvm: {name: vm7}\npolicy: %s/policy.yaml\nstate: %s/log\n"
                  "run: %s/run\nkey: %s/log/master.key\n"
                  "directory: {source: file, people: %s/people.yaml}\n" % ((folder,) * 5))
    return path


def measure(argv):
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    a = subprocess.run(argv, capture_output=True, check=False)
    wall = time.monotonic() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if a.returncode not in (0, 1) or b'"verify": "whole"' not in a.stdout:
        sys.exit("%s: status %d: %s" % (argv[2], a.returncode, a.stderr[-300:]))
    return (wall, after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime,
            len(a.stdout))


def main():
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    build = os.path.join(TREE, "build", variant)
    folder = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="vmsec-year-")
    try:
        make(folder, build)
        config = configure(folder)
        print("%-12s %8s %8s %8s %10s" % ("report", "wall s", "user s", "system s", "bytes"))
        for report in REPORTS:
            print("%-12s %8.1f %8.1f %8.1f %10d" % ((report,) + measure(
                [os.path.join(build, "rbacctl"), "report", report, "--config", config,
                 "--as-of", os.path.join(folder, "log/now.vmsec"), "--before",
                 os.path.join(folder, "log/before.vmsec"), "--since", "400d", "--json"])), flush=True)
        with open("/proc/loadavg", encoding="ascii") as f:
            print("runnable processes at the end: " + f.read().split()[3])
    finally:
        if len(sys.argv) <= 2:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
