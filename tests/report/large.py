#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""A policy and people of a given size. usage: large.py FOLDER PEOPLE VMS GROUPS

Each group may ssh, every fifth also sudo, to a pool of a hundredth of the VMs; each
person is in two groups.
"""
import os
import random
import sys

POOLS = 100


def main():
    folder, people, vms, groups = sys.argv[1], *map(int, sys.argv[2:])
    os.umask(0o022)
    rnd = random.Random(20261120)
    with open(os.path.join(folder, "policy.yaml"), "w", encoding="utf-8") as out:
        out.write("vmsec_policy: 1\ninventory:\n")
        for i in range(vms):
            out.write("  vm%05d.example: {labels: {pool: p%d}}\n" % (i, i % POOLS))
        out.write("vm_sets:\n")
        for i in range(POOLS):
            out.write("  pool%d: {label: {pool: [p%d]}}\n" % (i, i))
        out.write("roles:\n  user: {privileges: [ssh]}\n"
                  "  admin: {includes: [user], privileges: [sudo]}\ngrants:\n")
        for i in range(groups):
            out.write("  - {id: g%04d, to: [group%04d], roles: [%s], vms: [pool%d]}\n" % (
                i, i, "user" if i % 5 else "admin", rnd.randrange(POOLS)))
    with open(os.path.join(folder, "people.yaml"), "w", encoding="utf-8") as out:
        out.write("vmsec_people: 1\npeople:\n")
        for i in range(people):
            out.write('  - {login: p%06d, id: "l:%06d", uid: %d, groups: [group%04d, group%04d]}'
                      "\n" % (i, i, 100000 + i, *rnd.sample(range(groups), 2)))


if __name__ == "__main__":
    main()
