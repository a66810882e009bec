#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Policies made to hurt the loader: each is taken or refused, with the right words,
within bounds of memory and processor time that a square of its size would burst.

usage: check_hostile.py RBACCTL
"""
import os
import resource
import subprocess
import sys
import tempfile

MEMORY = 512 << 20
SECONDS = 10  # of processor time; the slowest takes one on a slow machine
HEAD = "vmsec_policy: 1\n"
MANY = 'inventory: {"%s[1-199999]": {}}\n'
RULE = "roles: {r: {privileges: [ssh]}}\nvm_sets: {s: {every: true}}\n"
GOOD = "is valid"


def lines(n, text):
    return "".join(text % {"i": i, "next": i + 1} for i in range(n))


def grants(n, vms="s"):
    return "grants:\n" + lines(n, "  - {id: g%%(i)d, to: [a], roles: [r], vms: [%s]}\n" % vms)


def items(n, text):
    return ", ".join(text % i for i in range(n))


# name, policy behind HEAD, what must be said
CASES = (
    ("as many VMs as there may be", MANY.replace("199999", "200000") % "w", GOOD),
    ("one VM too many", MANY.replace("199999", "200001") % "w", "more than 200000 VMs"),
    ("a range of millions", MANY.replace("199999", "9999999") % "w", "more than 200000 VMs"),
    ("a range of billions", MANY.replace("199999", "999999999") % "w", "not a range"),
    ("ranges that add up", "inventory:\n" + lines(1000, '  "w%(i)d-[1-9999]": {}\n'),
     "more than 200000 VMs"),
    ("a range with a thousand labels", 'inventory:\n  "w[1-199999]": {labels: {%s}}\n'
     % items(1000, "l%d: v"), "2097152 labels"),
    ("stars over long names", MANY % ("a" * 240) + "vm_sets:\n" + lines(
        160, '  s%%(i)d: {name: "%sb"}\n' % ("*a" * 100)), "selectors take too long"),
    ("the work ends in the last set", MANY % ("a" * 240) + "vm_sets: {s: {not: {name: [%s]}}}\n"
     % items(160, '"' + "*a" * 100 + '%d"'), "selectors take too long"),
    ("labels of two ranges that take turns", "inventory:\n" + "".join(
        '  "w[1-99999]%s": {labels: {%s}}\n' % (c, items(20, "l%d: v")) for c in "xy"),
     "2097152 labels"),
    ("nots of nots", MANY % "w" + "vm_sets:\n" + lines(
        6000, "  s%(i)d: {not: {not: {not: {not: {name: w1}}}}}\n"), "sets times VMs"),
    ("one wide any", MANY % "w" + "vm_sets:\n  s: {any: [%s]}\n" % items(
        150000, "{name: w7%d}"), "unknown VM"),
    ("selectors nested too deeply", "vm_sets: {s: %s{every: true}%s}\n"
     % ("{not: " * 10, "}" * 10), "nest"),
    ("YAML nested too deeply", "roles: %s%s\n" % ("[" * 100000, "]" * 100000),
     "nested too deeply"),
    ("every grant on every VM", MANY % "w" + RULE + grants(99000), "rules times VMs"),
    ("every grant on every set", MANY % "w" + "roles: {r: {privileges: [ssh]}}\nvm_sets:\n"
     + lines(1000, "  s%(i)d: {name: w%(next)d}\n") + grants(2000, items(1000, "s%d")),
     "rules times VMs"),
    ("su targets along a chain of roles", "roles:\n" + lines(
        20000, '  r%(i)d: {privileges: ["su:u%(i)d"], includes: [r%(next)d]}\n')
     + "  r20000: {}\n", "1048576 su targets"),
    ("su targets times grants", "vm_sets: {s: {every: true}}\nroles: {r: {privileges: [%s]}}\n"
     % items(10000, '"su:u%d"') + grants(99000), "1048576 su targets"),
    ("a long chain of roles", "roles:\n" + lines(99999, "  r%(i)d: {includes: [r%(next)d]}\n")
     + "  r99999: {}\n", GOOD),
    ("a large circle of roles", "roles:\n" + lines(
        99999, "  r%(i)d: {includes: [r%(next)d]}\n") + "  r99999: {includes: [r0]}\n",
     "includes itself"),
    ("too many roles", "roles:\n" + lines(100001, "  r%(i)d: {}\n"), "more than 100000"),
    ("nearest names among long ones", MANY % ("a" * 240) + "vm_sets:\n" + lines(
        1000, "  s%%(i)d: {name: %sz%%(i)d}\n" % ("a" * 240)), "unknown VM"),
    ("the same key a million times", "groups:\n" + "  h: {}\n" * 1000000, "already given"),
    ("a million unknown keys", lines(1000000, "k%(i)d: 1\n"), "unknown key"),
    ("one text of 15 MB", "groups: {a: {dn: %s}}\n" % ("x" * 15000000), "one line of text"),
    ("a file over 16 MiB", "# %s\n" % ("x" * (16 << 20)), "is too large"),
    # text that looks like something else
    ("a byte order mark", None, "byte order mark"),
    ("a right-to-left override", 'groups: {"\u202eab": {}}\n', "direction-changing"),
    ("a zero-width space", "groups: {a\u200bb: {}}\n", "invisible"),
    ("a Cyrillic a", "groups: {\u0430dmins: {}}\n", "printable ASCII"),
    ("a combining mark", "groups: {a\u0301: {}}\n", "printable ASCII"),
    ("fullwidth letters", "groups: {\uff41: {}}\n", "printable ASCII"),
    ("an escaped NUL", 'groups: {"a\\0b": {}}\n', "not allowed"),
    ("an escaped terminal sequence", RULE + "denies: [{id: d, to: [a], privileges: [ssh], "
     'vms: [s], message: "a\\e[2Jb"}]\n', "not allowed"),
    ("a line separator", "groups: {a\u2028b: {}}\n", "not allowed"),
    ("a next-line character", "groups: {a\u0085b: {}}\n", "control character"),
    ("a direction change in a reason", RULE + "grants: [{id: g, to: [a], roles: [r], vms: [s], "
     'why: "a\u202eb"}]\n', "direction-changing"),
    # time zones that are none
    ("a folder", "defaults: {tz: Europe}\n", "unknown time zone"),
    ("an empty zone", 'defaults: {tz: ""}\n', "unknown time zone"),
    ("an absolute path", "defaults: {tz: /etc/localtime}\n", "unknown time zone"),
    ("a way out", "defaults: {tz: ../../../etc/passwd}\n", "unknown time zone"),
    ("a dot", "defaults: {tz: ./UTC}\n", "unknown time zone"),
    ("a table", "defaults: {tz: zone.tab}\n", "unknown time zone"),
    ("a POSIX rule", 'defaults: {tz: "CET-1CEST"}\n', "unknown time zone"),
    ("a zone that counts leap seconds", "defaults: {tz: right/UTC}\n", "unknown time zone"),
    ("a long zone", "defaults: {tz: %s}\n" % ("a/" * 2000), "unknown time zone"),
)


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "hostile.yaml")
        for name, text, want in CASES:
            with open(path, "w", encoding="utf-8") as f:
                f.write("\ufeff" + HEAD if text is None else HEAD + text)
            r = subprocess.run([sys.argv[1], "policy", "check", path], preexec_fn=limit,
                               capture_output=True, text=True, timeout=120)
            good = want == GOOD
            ok = r.returncode == (0 if good else 1) and want in (r.stdout if good else r.stderr)
            passed, failed = passed + ok, failed + (not ok)
            if not ok:
                print("FAILED %s: exit %d: %s" % (name, r.returncode,
                                                  (r.stderr or r.stdout)[:200]))
    print("hostile: %d passed, %d failed" % (passed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
