#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The guides for many hosts and for upgrades: every command that they show, in their order.

usage: guides.py [VARIANT]
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402

STOCK = ("auth requisite pam_unix.so\naccount required pam_unix.so\n"
         "session required pam_limits.so\n")


PEOPLE = """vmsec_people: 1
people:
  - {login: mia, id: "hr:1", uid: 7001, groups: [vmadmins]}
  - {login: dora, id: "hr:2", uid: 7002, groups: []}
"""


class Guide:
    def __init__(self, w, r, name):
        self.w, self.r, self.name = w, r, name
        self.text = w.read("%s/docs/guide/%s.md" % (world.TREE, name))

    def commands(self):
        return [x for block in re.findall(r"```sh\n(.*?)```", self.text, re.S)
                for x in block.splitlines()]

    def yaml(self):
        return re.findall(r"```yaml\n(.*?)```", self.text, re.S)

    def run(self, line):
        a = world.run("sh", "-c", line, check=False)
        self.r.check("%s: %s" % (self.name, line), a.returncode == 0, a.stdout + a.stderr)
        return a


def rollout(w, r):
    g = Guide(w, r, "rollout")
    config, policy = g.yaml()
    r.check("rollout: the policy of the guide is one", "mode: {default: monitor}" in policy)
    world.write("/etc/rbacd/guide.yaml", config)
    world.write("/etc/rbacd/policy.d/policy.yaml", policy.replace(
        "prod: {label: {env: [prod]}}", "prod: {every: true}"))
    here = w.read("/etc/rbacd/policy.d/policy.yaml")
    for name, serial, mode in (("next", 2, "enforce"), ("before", 1, "monitor")):
        os.makedirs("/root/" + name, exist_ok=True)
        world.write("/root/%s/policy.yaml" % name, here.replace("serial: 1", "serial: %d" % serial)
                    .replace("default: monitor", "default: " + mode))
    a = world.run("rbacd", "--check", "--config", "/etc/rbacd/guide.yaml", check=False)
    r.check("rollout: the configuration of the guide", a.returncode == 0, a.stderr)
    said = {}
    for line in g.commands():
        said[line] = g.run(line)
        if line == "rbacctl policy diff /etc/rbacd/policy.d /root/next":
            r.check("rollout: monitor was in force until then", w.rbacctl("policy", "print").stdout
                    .find("default: monitor") > 0)
        if line == "rbacctl reload" and len(said) > 8:
            r.check("rollout: enforced", "default: monitor" not in
                    w.read("/etc/rbacd/policy.d/policy.yaml"))
        if line.startswith("rbacctl pam enable"):
            r.check("rollout: our lines are there", "pam_vmsec" in w.read("/etc/pam.d/sudo"))
            w.rbacctl("pam", "revert")
            w.rbacctl("pam", "disable", "--yes", "sudo", check=False)
            again = world.run("sh", "-c", line, check=False)
            r.check("rollout: enable may be run again", again.returncode == 0, again.stderr)
            os.unlink("/etc/rbacd/pam/.pending")  # as if a new login had confirmed it
    r.check("rollout: gone back", "pam_vmsec" not in w.read("/etc/pam.d/sudo") and
            w.read("/etc/rbacd/policy.d/policy.yaml") == w.read("/root/before/policy.yaml"))


def upgrade(w, r):
    g = Guide(w, r, "upgrade")
    n = 0
    w.rbacctl("pam", "enable", "--yes", "--no-login", "--within", "10m", "sudo")
    os.unlink("/etc/rbacd/pam/.pending")
    for line in g.commands():
        n += 1
        g.run(line)
        if line == "rbacd --check >/dev/null":  # here the package comes, and a restart with it
            w.stop("rbacd")
            w.stop("rbacd-dir")
            w.start()
    r.check("upgrade: a dozen commands", n >= 11, n)


def main():
    world.enter()
    r = world.Report("guides")
    w = world.World(sys.argv[1] if len(sys.argv) > 1 else "release").make()
    w.install()
    w.pam("sudo", STOCK)
    world.write("/etc/rbacd/policy.d/policy.yaml", "vmsec_policy: 1\n")
    world.write("/etc/rbacd/rbacd.yaml", world.CONFIG.replace("source: nss", "source: file"))
    world.write("/etc/rbacd/people.yaml", PEOPLE)
    w.start()
    w.wait(lambda: w.rbacctl("directory", "status", check=False).returncode in (0, 1), 5, "up")
    rollout(w, r)
    upgrade(w, r)
    r.end()


main()
