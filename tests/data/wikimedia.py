#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""A policy and its people from the host access of a real operator.

usage: wikimedia.py DATA OUT [LOGIN]. DATA holds admin.json, nodes.json and
role_groups.json; OUT gets policy.yaml and people.yaml, without LOGIN if one is given.

A host's Puppet role and site become its labels; a role that is given groups, a set of
VMs; a group with what sudo lets it do, a role and a grant. What a site says about a
role replaces what is said for all sites. "(ALL) ALL" and single commands as root are
both sudo here, because PAM does not know the command; "(USER)" is su to that account.
Groups without ssh get the privileges without ssh. The group "absent" is denied all.
"""
import json
import os
import re
import sys

GRANTS_NOTHING = ("absent", "absent_ldap", "wikidev", "all-users")


class Data:
    def __init__(self, folder):
        def read(name):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                return json.load(f)
        admin = read("admin.json")
        self.groups, self.users = admin["groups"], admin["users"]
        self.role_groups = read("role_groups.json")["roles"]
        self.hosts = {}  # name -> Puppet roles
        self.not_listed = self.no_names = 0
        for node in read("nodes.json"):
            self.not_listed += node["hosts"] is None  # a regex nobody has expanded
            for host in node["hosts"] or []:
                if not re.fullmatch(r"[a-z0-9._-]+", host):
                    self.no_names += 1  # a regex that was expanded wrongly
                    continue
                self.hosts.setdefault(host, set()).update(node["roles"] or [])

    @staticmethod
    def site(host):
        return host.rsplit(".", 1)[1] if "." in host else "none"

    def groups_of(self, host):
        """(groups with ssh, groups without) that may use this host."""
        ssh, no_ssh = {"ops"}, set()
        for role in self.hosts[host]:
            by_site = self.role_groups.get(role, {})
            entry = by_site.get(self.site(host)) or by_site.get("common")
            if entry:
                ssh.update(entry["groups"])
                no_ssh.update(entry["groups_no_ssh"])
        return ssh - set(GRANTS_NOTHING), no_ssh - set(GRANTS_NOTHING)

    def privileges(self, group):
        """What sudo lets the group do, as privileges."""
        privs = set()
        for line in self.groups[group]["privileges"]:
            m = re.match(r"ALL\s*=\s*(?:\(([^)]*)\))?\s*NOPASSWD:\s*(.*)", line)
            who, command = (m.group(1) or "root").split(","), m.group(2)
            if who == ["ALL"] or who == ["root"]:
                privs.add("sudo")
                if who == ["ALL"] and command == "ALL":
                    privs.update(("su", "su:root", "console"))
            elif command == "ALL":
                privs.update("su:" + w for w in who)
            else:
                privs.add("sudo")
        return privs

    def members(self, group):
        g = self.groups[group]
        return set(g["members"]) | set(g["system_members"])


def quoted(items):
    return "[%s]" % ", ".join('"%s"' % i for i in sorted(items))


def write_inventory(d, out):
    out.write("inventory:\n")
    for host in sorted(d.hosts):
        labels = {"site": d.site(host)}
        for role in d.hosts[host]:
            labels["role-" + role] = "yes"
        out.write("  %s: {labels: {%s}}\n" % (host, ", ".join(
            '"%s": "%s"' % kv for kv in sorted(labels.items()))))


def write_sets(d, out):
    """One set for each Puppet role and site that names groups; returns group -> sets."""
    used, used_no_ssh = {}, {}
    out.write("vm_sets:\n  everything: {every: true}\n")
    for role, by_site in sorted(d.role_groups.items()):
        others = sorted(s for s in by_site if s != "common")
        for site, entry in sorted(by_site.items()):
            name = "%s@%s" % (role.replace("::", "-"), site)
            part = '{label: {site: [%s]}}' % (site if site != "common" else ", ".join(others))
            if site == "common":
                part = ", {not: %s}" % part if others else ""
            else:
                part = ", " + part
            out.write('  "%s": {all: [{label: {"role-%s": ["yes"]}}%s]}\n' % (name, role, part))
            for g in entry["groups"]:
                used.setdefault(g, set()).add(name)
            for g in entry["groups_no_ssh"]:
                used_no_ssh.setdefault(g, set()).add(name)
    used.setdefault("ops", set()).add("everything")
    return used, used_no_ssh


def write_rules(d, out, used, used_no_ssh):
    grants, roles = [], {}
    for sets, suffix, own in ((used, "", {"ssh"}), (used_no_ssh, "-no-ssh", set())):
        for group in sorted(set(sets) - set(GRANTS_NOTHING)):
            privs = d.privileges(group) | own
            if privs:
                roles[group + suffix] = privs
                grants.append((group + suffix, group, sets[group]))
    out.write("roles:\n")
    for name, privs in sorted(roles.items()):
        out.write("  %s: {privileges: %s}\n" % (name, quoted(privs)))
    out.write("grants:\n")
    for name, group, sets in grants:
        out.write("  - {id: %s, to: [%s], roles: [%s], vms: %s" % (name, group, name,
                                                                  quoted(sets)))
        if d.groups[group]["approvers"]:
            out.write(', owner: "%s"' % d.groups[group]["approvers"][0])
        out.write("}\n")
    out.write("denies:\n  - {id: absent, to: [absent], privileges: [\"*\"], "
              "vms: [everything], message: \"Your access has ended.\"}\n")


def write_people(d, out, without):
    groups = {}
    for g in d.groups:
        for login in d.members(g):
            groups.setdefault(login, []).append(g)
    out.write("vmsec_people: 1\npeople:\n")
    for n, (login, u) in enumerate(sorted(d.users.items())):
        if login == without:
            continue
        out.write('  - {login: %s, id: "w:%s", uid: %d, groups: %s' % (
            login, login, 100000 + n, quoted(groups.get(login, []))))
        if u["ensure"] == "absent":
            out.write(", disabled: true")
        if u["expiry_date"]:
            out.write(", expires: %s" % u["expiry_date"])
        out.write("}\n")


def write(d, folder, without=None):
    """Both files, safe enough for the loaders: nobody else may write them."""
    with open(os.path.join(folder, "policy.yaml"), "w", encoding="utf-8") as out:
        out.write("vmsec_policy: 1\n")
        write_inventory(d, out)
        write_rules(d, out, *write_sets(d, out))
    with open(os.path.join(folder, "people.yaml"), "w", encoding="utf-8") as out:
        write_people(d, out, without)


def main():
    data, folder, *without = sys.argv[1:]
    os.umask(0o022)
    d = Data(data)
    write(d, folder, *without)
    print("wikimedia: %d groups, %d people, %d host roles with groups, %d hosts; left out: %d "
          "patterns without a host, %d that are no host names" % (
              len(d.groups), len(d.users), len(d.role_groups), len(d.hosts), d.not_listed,
              d.no_names))


if __name__ == "__main__":
    main()
