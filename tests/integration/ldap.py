#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""rbacd beside real slapds: what the directory says is what the next decision says.

usage: ldap.py [VARIANT]
"""
import base64
import json
import os
import re
import shutil
import signal
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
import guide  # noqa: E402
import slapd  # noqa: E402
import world  # noqa: E402
from following import Follower  # noqa: E402
from guide import Says  # noqa: E402
from sniffer import Sniffer  # noqa: E402

GRANTS = """vmsec_policy: 1
%s
vm_sets:
  here: {label: {env: [demo]}}
roles:
  viewer: {privileges: [ssh]}
  operator: {includes: [viewer], privileges: [sudo]}
grants:
%s
"""
POLICY = "/etc/rbacd/policy.d/policy.yaml"
ANY_MFA = "when: {mfa: none}"


def grant(name, to, role="operator"):
    return "  - {id: %s, to: [%s], roles: [%s], vms: [here]}" % (name, to, role)


def policy(*grants, head="", denies=""):
    return GRANTS % (head, "\n".join(grants)) + denies


class Ldap(Follower):
    def __init__(self, w, r):
        super().__init__(w, r)
        self.one = slapd.Slapd(w)

    def restart(self, **config):
        """rbacd and rbacd-dir anew with another configuration, without what they kept."""
        for name in ("rbacd-dir", "rbacd"):
            if name in self.w.children:
                self.w.stop(name)
        world.run("rm", "-rf", "/var/lib/rbacd")
        slapd.configure(self.w, config.pop("uris", [self.one.uri]), **config)
        self.w.start()

    # ---- following

    def people(self):
        t = slapd.tree(
            *(slapd.person(n, 5001 + i) for i, n in enumerate(("fry", "leela", "amy", "zoidberg",
                                                              "hermes", "kif"))),
            slapd.person("alice", 5100),  # in /etc/passwd, too
            slapd.person("toor", 500),
            slapd.group("crew", ["fry", "leela"]),
            slapd.group("captains", ["leela"]),
            slapd.group("outer", ["cn=inner,ou=groups," + slapd.BASE]),
            slapd.group("inner", ["amy", "cn=outer,ou=groups," + slapd.BASE]),
            slapd.group("locals", ["alice", "toor"]),
            slapd.group("later", ["zoidberg"]))
        self.one.load(t)
        self.one.start()

    def following(self):
        w, r = self.w, self.r
        w.policy(policy(grant("a", "crew", "viewer"), grant("b", "captains"),
                        grant("c", "outer"), grant("d", "locals"), grant("e", "nosuch")))
        self.restart()
        self.expect("a member of a group: in", "fry", True)
        self.expect("another group, another role", "leela", True, privilege="sudo")
        self.never("no member: refused", "fry", "sudo", 0.05)
        self.expect("nested, with a cycle: in", "amy", True)
        self.never("an entry named like a local account gets nothing", "alice", seconds=0.05)
        self.never("an entry with a uid below 1000 gets nothing", "toor", seconds=0.05)
        r.check("and both are told", self.said("alice.*etc/passwd|etc/passwd.*alice") and
                self.said("toor"), w.records()[-8:])
        a = w.rbacctl("directory", "status", check=False)
        r.check("status: times as everywhere, in one column", re.search(
            r"(?m)^  last_change       20\d\d-\d\d-\d\dT[\d:]{8}Z$", a.stdout) and
            re.search(r"(?m)^  incomplete_groups \d+$", a.stdout), a.stdout)
        r.check("status: source, server, groups with members",
                re.search(r"ldap", a.stdout) and "OpenLDAP" in a.stdout and "crew" in a.stdout,
                a.stdout + a.stderr)
        a = w.rbacctl("directory", "test", check=False)
        r.check("test: shows the server and groups, and a group that is not there is trouble",
                a.returncode != 0 and "OpenLDAP" in a.stdout and
                re.search(r"nosuch.*no group", a.stdout), a.stdout + a.stderr)
        self.changes()

    def changes(self):
        times = []
        for _ in range(10):
            self.one.member("crew", "uid=fry,ou=people," + slapd.BASE, False)
            times.append(self.expect("ldapmodify takes fry out: the next decision denies", "fry",
                                     False))
            self.one.member("crew", "uid=fry,ou=people," + slapd.BASE, True)
            self.expect("ldapmodify puts fry back: in", "fry", True)
        times = sorted(t for t in times if t is not None)
        print("        revoked within %.0f ms (median), %.0f ms (slowest)" % (
            times[len(times) // 2] * 1000, times[-1] * 1000))
        self.one.member("inner", "uid=amy,ou=people," + slapd.BASE, False)
        self.expect("taken out of a nested group: refused", "amy", False)
        self.one.member("inner", "cn=crew,ou=groups," + slapd.BASE, True)
        self.expect("a whole group nested: its members are in", "fry", True, privilege="sudo")
        self.one.member("inner", "cn=crew,ou=groups," + slapd.BASE, False)
        self.expect("and out again", "fry", False, privilege="sudo")
        self.one.modify("dn: uid=fry,ou=people,%s\nchangetype: modify\nadd: shadowExpire\n"
                        "shadowExpire: 1\n" % slapd.BASE)
        self.expect("an expired account: refused", "fry", False)
        self.one.modify("dn: uid=fry,ou=people,%s\nchangetype: modify\ndelete: shadowExpire\n"
                        % slapd.BASE)
        self.expect("no longer expired: in", "fry", True)
        self.one.modify("dn: uid=fry,ou=people,%s\nchangetype: modrdn\nnewrdn: uid=philip\n"
                        "deleteoldrdn: 1\n" % slapd.BASE)
        self.expect("renamed away: the old login is nobody", "fry", False)
        self.never("the new login is in no group", "philip", seconds=0.1)
        self.one.modify("dn: uid=philip,ou=people,%s\nchangetype: modrdn\nnewrdn: uid=fry\n"
                        "deleteoldrdn: 1\n" % slapd.BASE)
        self.expect("renamed back: in", "fry", True)

    def reported(self):
        """Reports take the people from what rbacd keeps on disk: the base, then changes."""
        w, r = self.w, self.r

        def access(*more):
            a = w.rbacctl("report", "access", "--json", *more, check=False)
            doc = json.loads(a.stdout)
            rows = [row for s in doc["body"]["sections"] for t in s["tables"]
                    if t["name"] == "access" for row in t["rows"]]
            result = dict(doc["result"], read_from=doc["provenance"]["directory_from"])
            return result, {row[0] for row in rows}

        w.policy(policy(grant("a", "crew", "viewer"), grant("b", "captains")), reload=True)
        self.expect("a policy whose groups are all there", "fry", True)
        w.wait(lambda: access()[1] == {"fry", "leela"}, 10, "what rbacd keeps of this policy")
        result = access()[0]
        r.check("report access: complete, and those of the directory alone",
                result["exit"] in (0, 1) and result["complete"], result)
        r.check("report access: from which servers, bases and filters", "ldap" in
                result["read_from"] and "people: ou=people," + slapd.BASE in result["read_from"],
                result)
        self.one.member("crew", "uid=fry,ou=people," + slapd.BASE, False)
        self.expect("taken out again: refused", "fry", False)
        w.wait(lambda: "fry" not in access()[1], 10, "the change that rbacd keeps")
        r.check("report access: without him, complete", access()[0]["complete"])
        self.one.member("crew", "uid=fry,ou=people," + slapd.BASE, True)
        self.expect("put back: in", "fry", True)
        shutil.copytree("/var/lib/rbacd", "/run/forged")
        with open("/run/forged/directory.base", "r+b") as f:
            f.seek(100)
            byte = f.read(1)[0]
            f.seek(100)
            f.write(bytes([byte ^ 1]))
        config = w.read("/etc/rbacd/rbacd.yaml")
        world.write("/run/forged.yaml", re.sub(r"(?m)^state: .*", "state: /run/forged", config))
        result = access("--config", "/run/forged.yaml")[0]
        r.check("report access: a kept file that was changed is no data", result["exit"] == 2,
                result)
        shutil.rmtree("/run/forged")

    def retarget(self):
        """A new policy names another group; who is in by the old one never drops out."""
        w, gaps, go = self.w, [], [True]

        def watch():
            while go[0]:
                if not self.may("fry"):
                    gaps.append(time.monotonic())
        t = threading.Thread(target=watch, daemon=True)
        t.start()
        self.never("a group that the policy does not name: refused", "zoidberg", seconds=0.1)
        w.policy(policy(grant("a", "crew", "viewer"), grant("n", "later")), reload=True)
        self.expect("a new policy names it: in, without a restart", "zoidberg", True)
        self.counted("reload", "lost 1, gained 2, 2 people of ")  # leela no captain, zoidberg in
        w.policy(policy(grant("a", "crew", "viewer")), reload=True)
        self.expect("and out again", "zoidberg", False)
        self.counted("reload", "lost 2, gained 0, 1 people of ")
        go[0] = False
        t.join()
        self.r.check("nobody else noticed", not gaps, "%d refusals" % len(gaps))
        for name in ("rbacd-dir", "rbacd"):
            w.stop(name)
        w.policy(policy(grant("a", "crew", "viewer"), grant("n", "later")))
        w.start()
        self.counted("rollback", "lost 0, gained 2, 1 people of ")
        w.policy(policy(grant("a", "crew", "viewer"), grant("n", "later", "viewer")), reload=True)
        self.counted("reload", "lost 1, gained 0, 1 people of ")

    def counted(self, op, text):
        """The newest activation is recorded with both hashes and, soon, with its counts."""
        w = self.w
        load = w.last("policy.load")

        def found():
            x = w.last("policy.changes")
            return x if x and x["seq"] > load["seq"] and x["after_sha"] == load["after_sha"] \
                else None
        w.wait(found, 20, "the counts of an activation")
        x = found()
        self.r.check("%s: both hashes and who gains and loses, exactly" % op,
                     x.get("op") == op and x["reason_text"].startswith(text) and
                     not x["reason_text"].endswith("known") and
                     x["before_sha"] == load["before_sha"] != load["after_sha"] == x["after_sha"],
                     (load, x))

    # ---- identity

    def pins(self):
        w, one = self.w, self.one
        crew, leela = one.uuid("cn=crew,ou=groups," + slapd.BASE), \
            one.uuid("uid=leela,ou=people," + slapd.BASE)
        text = policy(grant("a", "crew"), grant("u", "user:leela", "viewer"),
                      grant("p", "later", "viewer"),
                      head="groups:\n  crew:   # who flies\n    dn: 'cn=crew,ou=groups,%s'\n"
                           "  captains: {dn: 'cn=captains,ou=groups,%s'} # who steers\n%s"
                           "users:\n  leela: {id: 'entryUUID:%s'}" % (
                               slapd.BASE, slapd.BASE, "  ghosts: {dn: 'cn=ghosts,dc=x'}\n", leela))
        path = POLICY
        w.policy(text, reload=True)
        w.wait(lambda: "2 ids" in w.rbacctl("policy", "pin", check=False).stdout, 10,
               "what rbacd keeps of this policy")
        a = w.rbacctl("policy", "pin", check=False)
        self.r.check("pin: shows what it would write, writes nothing, tells what is not there",
                     a.returncode == 1 and "+    id: \"entryUUID:%s\"\n" % crew in a.stdout and
                     "'ghosts' is not known" in a.stderr and w.read(path) == text,
                     a.stdout + a.stderr)
        a = w.rbacctl("policy", "pin", "--write", check=False)
        now = w.read(path)
        self.r.check("pin --write: two ids more, every other byte as it was",
                     a.returncode == 1 and now.count("entryUUID:%s" % crew) == 1 and
                     re.sub(r'    id: "entryUUID:[^"]*"\n|id: "entryUUID:[^"]*", ', "", now) == text
                     and os.stat(path).st_mode & 0o777 == 0o644 and
                     os.listdir(os.path.dirname(path)) == [os.path.basename(path)],
                     a.stdout + a.stderr + now)
        world.write(path, now.replace("  ghosts: {dn: 'cn=ghosts,dc=x'}\n", ""))
        w.rbacctl("reload")
        a = w.rbacctl("policy", "pin", check=False)
        self.r.check("pin: nothing is left to do", a.returncode == 0 and "2 groups pinned" in
                     a.stdout, a.stdout + a.stderr)
        self.expect("pinned by id: in", "fry", True, privilege="sudo")
        one.modify("dn: cn=crew,ou=groups,%s\nchangetype: modrdn\nnewrdn: cn=team\n"
                   "deleteoldrdn: 1\n" % slapd.BASE)
        one.modify("dn: cn=later,ou=groups,%s\nchangetype: modrdn\nnewrdn: cn=crew\n"
                   "deleteoldrdn: 1\n" % slapd.BASE)
        # what it had under its old name goes as the change arrives; crew's sudo never comes
        self.never("an attacker's group renamed to a pinned name gets nothing", "zoidberg",
                   privilege="sudo")
        self.expect("the pinned group under its new name keeps its members", "fry", True)
        one.tool("ldapdelete", "cn=team,ou=groups," + slapd.BASE)
        self.expect("the pinned group deleted: refused", "fry", False)
        one.tool("ldapadd", text=slapd.group("team", ["fry"]))
        self.never("made anew under the same name: nothing", "fry")
        self.expect("user: pinned by id: in", "leela", True)
        one.modify("dn: uid=leela,ou=people,%s\nchangetype: modrdn\nnewrdn: uid=turanga\n"
                   "deleteoldrdn: 1\n" % slapd.BASE)
        one.modify("dn: uid=zoidberg,ou=people,%s\nchangetype: modrdn\nnewrdn: uid=leela\n"
                   "deleteoldrdn: 1\n" % slapd.BASE)
        self.never("somebody renamed to a user: of the policy gets nothing", "leela")
        self.r.check("and that raises an alert", self.said("leela.*(pin|id|another)"),
                     w.records()[-5:])

    # ---- shapes

    def shapes(self):
        """memberUid, uniqueMember, Active Directory."""
        w, one = self.w, self.one
        w.policy(policy(grant("a", "crew", "viewer"), grant("b", "domain users")))
        base = slapd.BASE
        one.tool("ldapadd", text="dn: cn=crew2,ou=groups,%s\nobjectClass: posixGroup\ncn: crew2\n"
                 "gidNumber: 7000\nmemberUid: kif\n\ndn: cn=unique,ou=groups,%s\n"
                 "objectClass: groupOfUniqueNames\ncn: unique\n"
                 "uniqueMember: uid=hermes,ou=people,%s\nuniqueMember: cn=nobody\n" % (
                     base, base, base))
        w.policy(policy(grant("a", "crew2")))
        self.restart(schema="rfc2307")
        self.expect("memberUid: in", "kif", True)
        one.member("crew2", "kif", False, "memberUid")
        self.expect("memberUid taken away: refused", "kif", False)
        w.policy(policy(grant("a", "unique")))
        self.restart()
        self.expect("uniqueMember: in", "hermes", True)
        one.member("unique", "uid=kif,ou=people," + base, True, "uniqueMember")
        self.expect("uniqueMember added: in", "kif", True)
        one.member("unique", "uid=hermes,ou=people," + base, False, "uniqueMember")
        self.expect("uniqueMember taken away: refused", "hermes", False)

    def active_directory(self):
        """Shaped like Active Directory, as far as slapd can be: ids, state, primary group."""
        w, one = self.w, slapd.Slapd(self.w, "adlike", 3640, sync=False)
        one.load(slapd.tree())
        one.start()
        sid = lambda rid: base64.b64encode(bytes((1, 2, 0, 0, 0, 0, 0, 5)) + struct.pack(
            "<II", 21, rid)).decode()
        guid = lambda n: base64.b64encode(bytes(15) + bytes((n,))).decode()
        out = []
        for i, (login, control) in enumerate((("Scruffy", 512), ("nibbler", 514), ("DC01$", 4096))):
            out.append("dn: cn=%s,ou=people,%s\nobjectClass: user\ncn: %s\nsAMAccountName: %s\n"
                       "userAccountControl: %d\nprimaryGroupID: 513\nobjectSid:: %s\n"
                       "objectGUID:: %s\nobjectCategory: person\nuSNChanged: %d\n" % (
                           login, slapd.BASE, login, login, control, sid(1000 + i), guid(i + 1),
                           10 + i))
        for i, (name, rid, member) in enumerate((("Domain Users", 513, None),
                                                 ("Admins", 1100, "Scruffy"))):
            out.append("dn: cn=%s,ou=groups,%s\nobjectClass: group\ncn: %s\nsAMAccountName: %s\n"
                       "objectSid:: %s\nobjectGUID:: %s\nuSNChanged: %d\n%s" % (
                           name, slapd.BASE, name, name, sid(rid), guid(i + 10), 20 + i,
                           "member: cn=%s,ou=people,%s\n" % (member, slapd.BASE)
                           if member else ""))
        one.tool("ldapadd", text="\n".join(out))
        w.policy(policy(grant("d", "domain users", "viewer"), grant("a", "admins"),
                        head="groups:\n  admins: {id: 'objectGUID:00000000-0000-0000-0000-"
                             "00000000000b'}"))
        self.restart(schema="ad", extra="  poll: 1s\n", uris=[one.uri])
        self.expect("AD: the primary group counts", "Scruffy", True)
        self.expect("AD: a group pinned by objectGUID", "Scruffy", True, privilege="sudo")
        self.never("AD: a disabled account", "nibbler", seconds=0.05)
        self.never("AD: the login in another spelling", "scruffy", seconds=0.05)
        one.modify("dn: cn=Scruffy,ou=people,%s\nchangetype: modify\nreplace: accountExpires\n"
                   "accountExpires: 116444736010000000\n-\nreplace: uSNChanged\n"
                   "uSNChanged: 99\n" % slapd.BASE)
        self.expect("AD: expired since 1970: refused", "Scruffy", False, 5)
        one.stop()

    def guard(self):
        """Much at once: what would be granted waits, what is taken away does not."""
        w, one = self.w, self.one
        w.policy(policy(grant("a", "crew3")))
        one.tool("ldapadd", text=slapd.group("crew3", ["kif"]))
        self.restart(extra="  guard: {groups: [crew3], growth: 2}\n")
        self.expect("a guarded group: its member is in", "kif", True)
        for login in ("fry", "amy", "hermes", "zoidberg"):
            one.modify("dn: cn=crew3,ou=groups,%s\nchangetype: modify\nadd: member\n"
                       "member: uid=%s,ou=people,%s\n" % (slapd.BASE, login, slapd.BASE))
        self.never("it grows by more than allowed: the last one waits", "zoidberg")
        one.member("crew3", "uid=kif,ou=people," + slapd.BASE, False)
        self.expect("a removal does not wait", "kif", False)
        self.r.check("status says it", re.search("held .*crew3", self.status()), self.status())
        self.r.check("and a record", self.said("'crew3' got more"), [
            x for x in w.records() if x["ev"].startswith("directory")])
        self.r.check("rejected: it stays held", "stay held" in w.rbacctl("directory", "reject").stdout)
        w.rbacctl("directory", "accept", "--why", "known")
        self.r.check("by whom and why is on record", "known" in str(w.last("admin.directory_accept")))
        self.expect("accepted: in", "hermes", True)

    def rebuilt(self):
        """The server was rebuilt and knows our cookie no more."""
        one = self.one
        one.stop()
        ldif = world.run("slapcat", "-f", one.folder + "/slapd.conf").stdout
        world.run("rm", "-rf", one.folder + "/db")
        os.mkdir(one.folder + "/db")
        ldif = re.sub(r"(?m)^(contextCSN|entryCSN|modifyTimestamp): .*\n", "", ldif)
        ldif = ldif.replace("member: uid=hermes,ou=people," + slapd.BASE + "\n", "")
        one.load(ldif)
        one.start()
        self.expect("a server rebuilt without a member: refused", "hermes", False, 15)

    def locked(self, login, yes):
        self.one.modify("dn: uid=%s,ou=people,%s\nchangetype: modify\n%s: shadowExpire\n%s" % (
            login, slapd.BASE, "add" if yes else "delete", "shadowExpire: 1\n" if yes else ""))

    def tagged(self):
        """Somebody writes what he likes into his own entry: nobody else notices."""
        self.one.modify("dn: uid=leela,ou=people,%s\nchangetype: modify\n" % slapd.BASE +
                        "-\n".join("add: uid;lang-%s\nuid;lang-%s: fry\n" % (tag, tag) for tag in
                                   ["x" * 140] + ["n%d" % n for n in range(70)]))
        self.locked("fry", True)
        self.expect("70 options in somebody's entry: the next change arrives", "fry", False)
        self.locked("fry", False)
        self.expect("and the next", "fry", True)

    def guide(self):
        """What docs/guide/ldap.md shows is a configuration; its commands work."""
        w, one = self.w, self.one
        shown = guide.snippets("ldap", "yaml")
        for block in shown:
            world.write("/etc/rbacd/guide.yaml", re.sub(r"directory: \{[^}]*\}\n",
                                                        lambda m: block, world.CONFIG))
            a = world.run("rbacd", "--check", "--config", "/etc/rbacd/guide.yaml", check=False)
            self.r.check("the guide's %s" % re.search("schema: (.*)", block).group(1),
                         a.returncode == 0, a.stdout + a.stderr)
        self.r.check("the guide shows three kinds of server", len(shown) == 3, len(shown))
        w.policy(policy(grant("a", "crew3"), head="groups:\n  crew3: {}"))
        self.restart()
        world.write("/root/typed", slapd.READER_PW + "\n", 0o600)
        os.environ["EDITOR"] = "cp /root/typed"  # a person who types
        os.unlink(slapd.PASSWORD)
        mine = re.sub(r"uris: .*", "uris: ['%s']" % one.uri, shown[0])
        world.write("/etc/rbacd/rbacd.yaml", re.sub(r"directory: \{[^}]*\}\n", lambda m: mine,
                                                    world.CONFIG))
        guide.Guide("ldap", w, self.r).run(self.steps())

    def again(self, text):
        for name in ("rbacd-dir", "rbacd"):
            self.w.stop(name)
        self.w.start()
        self.w.wait(lambda: "following" in self.status(), 15, "following")

    def steps(self):
        w, pinned = self.w, 'id: "entryUUID:[0-9a-f-]{36}"'
        return {
            "install -m 0400 -o rbacd-dir /dev/null /etc/rbacd/ldap.password": Says(
                after=lambda text: os.stat(slapd.PASSWORD).st_uid ==
                world.SERVICE_USERS["rbacd-dir"]),
            "$EDITOR /etc/rbacd/ldap.password": Says(
                after=lambda text: os.stat(slapd.PASSWORD).st_mode & 0o777 == 0o400),
            "rbacd --check": Says("source: 'ldap'", "schema: 'rfc2307bis'"),
            "rbacctl directory test": Says("OpenLDAP", "crew3'?: [1-9].*entryUUID:", "left out .*login is in",
                                              after=self.again),
            "rbacctl directory status": Says(r"state +following", "OpenLDAP",
                                             r"^crew3 +yes +[1-9]\d* .*entryUUID:"),
            "rbacctl policy pin": Says(r"^\+.*" + pinned, code=1, after=lambda text:
                                       "entryUUID" not in w.read(POLICY)),
            "rbacctl policy pin --write": Says("1 ids written", after=lambda text: bool(
                re.search(pinned, w.read(POLICY)))),
            "rbacctl reload": Says("loaded|active"),
            'rbacctl directory accept --why "merger, ticket 4711"': Says(
                "holds nothing", code=1),
            'rbacctl directory reject --why "asked the directory\'s owners"': Says("holds nothing", code=1),
        }

    # ---- trouble

    def trouble(self):
        w, r, one = self.w, self.r, self.one
        w.policy(policy(grant("a", "unique")))
        two = slapd.Slapd(w, "slapd2", 3637)
        two.load(world.run("slapcat", "-f", one.folder + "/slapd.conf").stdout)
        two.start()
        two.member("unique", "uid=hermes,ou=people," + slapd.BASE, True, "uniqueMember")
        self.restart(uris=[one.uri, two.plain])
        self.expect("the first server: in", "kif", True)
        one.stop(signal.SIGKILL)
        self.expect("killed: the second one, by StartTLS, says who is in", "hermes", True, 15)
        r.check("outage and recovery are records", self.said("offline|outage|lost") and
                self.said("online|recover"), w.records()[-6:])
        two.stop()
        time.sleep(0.2)
        r.check("no server at all: the last that is known holds", self.may("hermes"),
                self.status())
        for name in ("rbacd-dir", "rbacd"):
            w.stop(name)
        w.start()
        self.expect("rbacd restarted without any server: it kept what it knew", "hermes", True, 1)
        w.step(20 * 60)
        self.expect("20 minutes without a server: no sudo", "hermes", False, privilege="sudo")
        r.check("but ssh", self.may("hermes"), self.status())
        w.step(24 * 3600)
        self.expect("a day without a server: nothing", "hermes", False)
        w.set_clock(0)  # rbacd-dir's clock was never moved
        two.start()
        self.expect("the server is back: in", "hermes", True, 20)
        two.stop()

    def polled(self):
        """A server without LDAP sync."""
        w, one = self.w, self.one
        one.sync(False)
        one.start()
        self.restart(extra="  poll: 1s\n  reconcile: 10s\n")
        self.expect("without LDAP sync: in", "kif", True)
        one.member("unique", "uid=kif,ou=people," + slapd.BASE, False, "uniqueMember")
        self.expect("a change is found by polling", "kif", False, 5)
        one.member("unique", "uid=kif,ou=people," + slapd.BASE, True, "uniqueMember")
        self.expect("and back", "kif", True, 5)
        one.tool("ldapdelete", "uid=kif,ou=people," + slapd.BASE)
        self.expect("a deletion is found by the full comparison", "kif", False, 20)
        one.stop()

    def secrets(self, sniffer):
        w, r = self.w, self.r
        sniffer.sees("Plain-Canary")
        w.wait(lambda: sniffer.found, 5, "the capture sees nothing")
        r.check("no password on the wire", sniffer.found == {b"Plain-Canary"}, sniffer.found)
        for name in ("rbacd", "rbacd-dir"):
            code = w.stop(name, seconds=20)
            r.check("%s ends with 0" % name, code == 0, code)
        logs = "".join(w.read("/var/log/%s.log" % n) for n in ("rbacd", "rbacd-dir"))
        r.check("no password in a log or a record", slapd.READER_PW not in
                logs + repr(w.records()))
        found = re.search(r".*(?:Sanitizer|runtime error|Assertion).*", logs)
        r.check("no report in the logs", not found, found)


def main():
    variant = sys.argv[1] if len(sys.argv) > 1 else "release"
    world.enter()
    r = world.Report("ldap")
    for program in ("/usr/sbin/slapd", "/usr/bin/ldapmodify"):
        if not os.path.exists(program):
            print("ldap: SKIP, no %s: run make deps" % program)
            return
    if variant == "asan":
        print("ldap: SKIP, the follower's address space is bounded; a sanitizer's is not")
        return
    w = world.World(variant).make()
    w.install()
    slapd.certificates()
    sniffer = Sniffer(slapd.READER_PW, slapd.ADMIN_PW)
    t = Ldap(w, r)
    t.people()
    for part in (t.following, t.reported, t.retarget, t.pins, t.shapes, t.active_directory, t.guard, t.rebuilt,
                 t.tagged, t.guide, t.trouble, t.polled):
        part()
    t.secrets(sniffer)
    r.end()


main()
