# SPDX-License-Identifier: Apache-2.0
"""A real slapd on loopback in the private world, its certificates and its people."""
import os
import re
import signal

import world

BASE = "dc=example,dc=com"
ADMIN, ADMIN_PW = "cn=admin,dc=example,dc=com", "Admin-Canary-Pw-1"
READER, READER_PW = "cn=rbacd,dc=example,dc=com", "Reader-Canary-Pw-2"
CA = "/etc/rbacd/ldap-ca.pem"
PASSWORD = "/etc/rbacd/ldap.password"
KEYS = "/etc/ldap-keys"

# What Debian's slapd has no schema for: groups of RFC 2307bis with members and a number,
# and the attributes of Active Directory that vmsec reads.
EXTRA = """attributetype ( 1.3.6.1.4.1.99999.1.1 NAME 'sAMAccountName'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.2 NAME 'userAccountControl'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.3 NAME 'accountExpires'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.4 NAME 'primaryGroupID'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.5 NAME 'objectSid'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.6 NAME 'objectGUID'
  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.7 NAME 'groupType'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.8 NAME 'uSNChanged'
  EQUALITY integerMatch ORDERING integerOrderingMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.1.9 NAME 'objectCategory'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.2.1 NAME 'user' SUP top STRUCTURAL
  MUST ( cn $ sAMAccountName ) MAY ( userAccountControl $ accountExpires $ uidNumber $
  primaryGroupID $ objectSid $ objectGUID $ uSNChanged $ objectCategory ) )
objectclass ( 1.3.6.1.4.1.99999.2.2 NAME 'group' SUP top STRUCTURAL
  MUST ( cn ) MAY ( member $ groupType $ description $ sAMAccountName $ objectSid $
  objectGUID $ uSNChanged ) )
"""
CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
include %(folder)s/extra.schema
pidfile %(folder)s/pid
modulepath /usr/lib/ldap
moduleload back_mdb
%(module)sloglevel 0
threads 16
sizelimit unlimited
TLSCACertificateFile %(keys)s/ca.pem
TLSCertificateFile %(keys)s/%(cert)s.pem
TLSCertificateKeyFile %(keys)s/%(cert)s.key
database mdb
suffix %(base)s
directory %(folder)s/db
maxsize 2147483648
rootdn %(admin)s
rootpw %(admin_pw)s
index objectClass,uid,cn,member,memberUid,entryUUID eq
index entryCSN,modifyTimestamp eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=%(reader)s read by * none
limits dn.exact=%(reader)s size=unlimited time=unlimited
%(overlay)s
"""


def certificates(host="127.0.0.1"):
    """A CA of our own and a certificate for @host; the CA is what rbacd pins."""
    os.makedirs(KEYS, exist_ok=True)
    authority("ca")
    certificate("server", host)
    world.run("cp", KEYS + "/ca.pem", CA)
    os.chmod(CA, 0o644)


def openssl(*argv):
    world.run("openssl", *argv)


def authority(name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "%s/%s.key" % (KEYS, name), "-out", "%s/%s.pem" % (KEYS, name),
            "-subj", "/CN=%s" % name, "-days", "30")


def certificate(name, host, ca="ca", extra="", days=("-days", "20"), key="P-256"):
    """NAME.pem and NAME.key, signed by @ca for @host; @extra: lines of extensions."""
    path = "%s/%s" % (KEYS, name)
    san = "subjectAltName=%s:%s\n" % ("IP" if host[0].isdigit() else "DNS", host) if host else ""
    world.write(path + ".ext", san + extra)
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + key] if key[0] == "P" else \
        ["-newkey", key]
    openssl("req", "-new", *kind, "-nodes", "-keyout", path + ".key", "-out", path + ".csr",
            "-subj", "/CN=%s" % (host or "nobody"))
    openssl("x509", "-req", "-in", path + ".csr", "-CA", "%s/%s.pem" % (KEYS, ca), "-CAkey",
            "%s/%s.key" % (KEYS, ca), "-CAcreateserial", "-out", path + ".pem", "-extfile",
            path + ".ext", *days)


class Slapd:
    """One server: ldaps on PORT, ldap on PORT + 1000 (StartTLS), ldapi for the tests."""

    def __init__(self, w, name="slapd", port=3636, sync=True, cert="server", base=BASE,
                 admin=ADMIN, reader=READER, folder=None):
        self.w, self.name, self.port, self.base = w, name, port, base
        self.admin, self.reader, self.first = admin, reader, True
        self.folder = folder or "/var/lib/" + name
        os.makedirs(self.folder + "/db", exist_ok=True)
        self.sync(sync, cert)
        world.write(self.folder + "/extra.schema", EXTRA)

    def sync(self, sync, cert="server"):
        world.write(self.folder + "/slapd.conf", CONF % {
            "folder": self.folder, "keys": KEYS, "cert": cert, "base": self.base,
            "admin": self.admin, "admin_pw": ADMIN_PW, "reader": self.reader,
            "module": "moduleload syncprov\n" if sync else "",
            "overlay": "overlay syncprov\nsyncprov-checkpoint 1000 1\n"
                       "syncprov-sessionlog 5000" if sync else ""})

    @property
    def uri(self):
        return "ldaps://127.0.0.1:%d" % self.port

    @property
    def plain(self):
        return "ldap://127.0.0.1:%d" % (self.port + 1000)

    @property
    def local(self):
        return "ldapi://" + ("%s/ldapi" % self.folder).replace("/", "%2f")

    def load(self, ldif):
        """Entries into the stopped server, operational attributes and all."""
        world.write(self.folder + "/load.ldif", ldif)
        world.run("slapadd", "-q", "-f", self.folder + "/slapd.conf", "-l",
                  self.folder + "/load.ldif", timeout=300)

    def start(self):
        self.w.spawn(self.name, ["/usr/sbin/slapd", "-d", "0", "-f", self.folder + "/slapd.conf",
                                 "-h", " ".join((self.uri, self.plain, self.local))],
                     ready=lambda: self.w.listens(self.port), seconds=30)

    def stop(self, sig=signal.SIGTERM):
        self.w.stop(self.name, sig, seconds=30)

    def tool(self, name, *argv, text=None, check=True):
        return world.run(name, "-H", self.local, "-x", "-D", self.admin, "-w", ADMIN_PW, *argv,
                         input=text, check=check)

    def modify(self, text):
        return self.tool("ldapmodify", text=text)

    def member(self, group, value, keep, attr="member"):
        """Put one member into a group, or take it out; groups are below ou=groups."""
        self.modify("dn: cn=%s,ou=groups,%s\nchangetype: modify\n%s: %s\n%s: %s\n" % (
            group, self.base, "add" if keep else "delete", attr, attr, value))

    def uuid(self, dn):
        out = self.tool("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", dn,
                        "entryUUID").stdout
        return re.search(r"entryUUID: (\S+)", out).group(1)


def person(login, uid, base=BASE, extra=""):
    return ("dn: uid=%s,ou=people,%s\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\n"
            "objectClass: shadowAccount\nuid: %s\ncn: %s\nsn: %s\nuidNumber: %d\n"
            "gidNumber: 10000\nhomeDirectory: /home/%s\n%s\n" % (
                login, base, login, login, login, uid, login, extra))


def group(name, members, base=BASE, extra=""):
    """A group with DNs; a member without '=' is a login below ou=people."""
    out = "dn: cn=%s,ou=groups,%s\nobjectClass: groupOfNames\ncn: %s\n" % (name, base, name)
    for m in members or ["cn=nobody"]:
        out += "member: %s\n" % (m if "=" in m else "uid=%s,ou=people,%s" % (m, base))
    return out + extra + "\n"


def tree(*entries, base=BASE, reader=READER):
    """A whole directory: the root, the reader's account, two folders and @entries."""
    dc = re.match(r"dc=([^,]+)", base).group(1)
    return "\n".join((
        "dn: %s\nobjectClass: dcObject\nobjectClass: organization\ndc: %s\no: %s\n" % (
            base, dc, dc),
        "dn: %s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
        "cn: rbacd\nuserPassword: %s\n" % (reader, READER_PW),
        "dn: ou=people,%s\nobjectClass: organizationalUnit\nou: people\n" % base,
        "dn: ou=groups,%s\nobjectClass: organizationalUnit\nou: groups\n" % base) + entries)


def section(uris, schema="rfc2307bis", extra="", base=BASE, bind=None, tls=CA, users="",
            groups="", folders=("people", "groups"), reader=READER):
    """The directory: of rbacd.yaml."""
    bind = bind or "{dn: '%s', password_file: %s}" % (reader, PASSWORD)
    return ("directory:\n  source: ldap\n  user: rbacd-dir\n  uris: [%s]\n  bind: %s\n"
            "  tls: {ca: %s}\n  schema: %s\n  users: {base: 'ou=%s,%s'%s}\n"
            "  groups: {base: 'ou=%s,%s'%s}\n%s" % (
                ", ".join("'%s'" % u for u in uris), bind, tls, schema, folders[0], base,
                users, folders[1], base, groups, extra))


def configure(w, uris, *argv, path="/etc/rbacd/rbacd.yaml", **kw):
    """rbacd.yaml with section(); the reader's password beside it."""
    world.write(PASSWORD, READER_PW + "\n", 0o400)
    world.write(path, re.sub(r"directory: \{[^}]*\}\n", lambda m: section(uris, *argv, **kw),
                             world.CONFIG))
