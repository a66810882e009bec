#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""doctor.py RBACCTL: every broken set-up of tests/data/pam/bad is found by its name, no good one is."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data", "pam")


def cases(path):
    """[(name, [finding…], {file: text})] of one corpus."""
    found = []
    for line in open(path, encoding="utf-8"):
        if line.startswith("### "):
            name, _, want = line[4:].strip().rpartition(":")
            found.append((name, sorted(want.split()), {}))
        elif line.startswith("--- "):
            current = found[-1][2].setdefault(line[4:].strip(), [])
        elif found:
            current.append(line)
    return [(n, w, {f: "".join(t) for f, t in files.items()}) for n, w, files in found]


def judge(rbacctl, files):
    root = tempfile.mkdtemp(prefix="doctor")
    try:
        os.makedirs(f"{root}/etc/pam.d")
        os.makedirs(f"{root}/usr/lib/security")
        open(f"{root}/usr/lib/security/pam_vmsec.so", "w").close()
        for name, text in files.items():
            with open(f"{root}/etc/pam.d/{name}", "w", encoding="utf-8") as out:
                out.write(text)
        run = subprocess.run([rbacctl, "doctor", "--json", "--root", root],
                             capture_output=True, timeout=20)
        findings = json.loads(run.stdout)["findings"]
        ids = sorted({f["id"] for f in findings if f["severity"] != "note"})
        worst = {"note": 0, "warning": 1, "error": 5, "critical": 6}
        code = max([worst[f["severity"]] for f in findings], default=0)
        assert run.returncode == code, (run.returncode, code)
        assert all(f["what"] and f["why"] and f["fix"] for f in findings)
        return ids
    finally:
        shutil.rmtree(root)


def main():
    rbacctl = sys.argv[1]
    good = cases(os.path.join(DATA, "good"))
    bad = cases(os.path.join(DATA, "bad"))
    base = good.pop(0)[2]
    passed = failed = 0
    for name in ("sshd", "login", "sudo", "su"):
        text = open(os.path.join(HERE, "..", "..", "pam_vmsec", "dist", name), encoding="utf-8").read()
        good.append((f"the example for {name}", [], {name: text}))
    for name, want, files in bad + good:
        got = judge(rbacctl, {**base, **files})
        if got == want:
            passed += 1
        else:
            failed += 1
            print(f"FAILED {name}: want {want}, got {got}")
    print(f"doctor: {len(bad)} broken and {len(good)} good set-ups: {passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
