# SPDX-License-Identifier: Apache-2.0
"""A small LDAP server that lies when it is told to; BER written by hand.

It serves people and groups below slapd.BASE over TLS. A mode is the name of a method of
Liar: what the server does instead of the right thing, on one connection.
"""
import collections
import socket
import ssl
import struct
import threading
import time

BASE = b"dc=example,dc=com"
PAGED, SYNC = b"1.2.840.113556.1.4.319", b"1.3.6.1.4.1.4203.1.9.1.1"
STATE, WHOAMI, STARTTLS = (b"1.3.6.1.4.1.4203.1.9.1.2", b"1.3.6.1.4.1.4203.1.11.3",
                           b"1.3.6.1.4.1.1466.20037")
PEOPLE = [b"fry", b"leela", b"amy", b"hermes", b"kif", b"zoidberg", b"bender", b"scruffy",
          b"nibbler", b"zapp"]
CREW = [b"fry", b"leela"]


def length(n):
    if n < 128:
        return bytes([n])
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([128 | len(raw)]) + raw


def tlv(tag, *parts):
    body = b"".join(parts)
    return bytes([tag]) + length(len(body)) + body


def integer(n, tag=2):
    return tlv(tag, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def text(s, tag=4):
    return tlv(tag, s)


def message(mid, op, *controls):
    return tlv(0x30, integer(mid), op, *([tlv(0xa0, *controls)] if controls else []))


def control(oid, value):
    return tlv(0x30, text(oid), text(value))


def done(op, code=0, extra=b"", why=b""):
    return tlv(op, integer(code, 10), text(b""), text(why), extra)


def split(buf):
    """(tag, value, rest) of the first element."""
    n, at = buf[1], 2
    if n & 128:
        at += n & 127
        n = int.from_bytes(buf[2:at], "big")
    return buf[0], buf[at:at + n], buf[at + n:]


def uuid(kind, i):
    return "%08x-0000-4000-8000-%012x" % (kind, i)


def entry(dn, **attrs):
    return tlv(0x64, text(dn), tlv(0x30, *[
        tlv(0x30, text(k.encode()), tlv(0x31, *[text(x) for x in v])) for k, v in attrs.items()]))


def person(i, login):
    return entry(b"uid=%s,ou=people,%s" % (login, BASE), entryUUID=[uuid(1, i).encode()],
                 uid=[login], uidNumber=[b"%d" % (5001 + i)])


def dn_of(login):
    return b"uid=%s,ou=people,%s" % (login, BASE)


def group_dn(name):
    return b"cn=%s,ou=groups,%s" % (name, BASE)


class Connection:
    """One client, served honestly; a mode of Liar changes one thing."""

    def __init__(self, sock, context, liar):
        self.raw = self.sock = sock
        self.context, self.liar = context, liar
        self.buf, self.bound, self.alive = b"", False, True

    def send(self, *parts):
        self.sock.sendall(b"".join(parts))

    def tls(self):
        self.sock = self.context.wrap_socket(self.raw, server_side=True)

    def read(self):
        """The next message: (id, operation tag, its body, controls)."""
        while True:
            if len(self.buf) > 6:
                n, at = self.buf[1], 2
                if n & 128:
                    at += n & 127
                    n = int.from_bytes(self.buf[2:at], "big")
                if len(self.buf) >= at + n:
                    one, self.buf = self.buf[at:at + n], self.buf[at + n:]
                    _, mid, rest = split(one)
                    tag, body, rest = split(rest)
                    return int.from_bytes(mid, "big"), tag, body, rest
            part = self.sock.recv(65536)
            if not part:
                return None
            self.buf += part

    def serve(self):
        while self.alive:
            got = self.read()
            if got is None:
                return
            mid, tag, body, controls = got
            if self.liar.before(self, mid, tag):
                continue
            if tag == 0x60:
                self.bound = True
                self.liar.server.bound(self.liar.mode)
                self.send(message(mid, done(0x61, self.liar.bind_code)))
            elif tag == 0x77:
                self.extended(mid, body)
            elif tag == 0x63:
                self.search(mid, body, controls)
            elif tag == 0x42:
                return

    def extended(self, mid, body):
        oid = split(body)[1]
        if oid == STARTTLS:
            if self.liar.starttls(self, mid):
                return
            self.send(message(mid, done(0x78)))
            self.tls()
        elif oid == WHOAMI:
            self.send(message(mid, done(0x78, extra=text(self.liar.whoami, 0x8b))))
        else:
            self.send(message(mid, done(0x78, 2)))

    def search(self, mid, body, controls):
        _, base, rest = split(body)
        scope = split(rest)[1][0]
        self.sync = SYNC in controls
        if base == b"":
            self.send(message(mid, entry(
                b"", objectClass=[b"top"], supportedExtension=[WHOAMI],
                supportedControl=[PAGED] + ([SYNC] if self.liar.offers_sync else []))),
                message(mid, done(0x65)))
        elif scope == 0:
            self.liar.read_one(self, mid, base)
        elif base.startswith(b"ou=people"):
            self.liar.list_people(self, mid)
        else:
            self.liar.list_groups(self, mid)


class Liar:
    """The honest answers, and every lie by its name."""

    offers_sync = False
    whoami = b"dn:cn=rbacd," + BASE
    bind_code = 0
    groups = {b"crew": [dn_of(x) for x in CREW], b"other": [dn_of(b"amy")]}
    logins = PEOPLE

    def __init__(self, server, mode):
        self.server, self.mode = server, mode

    def greet(self, c):
        """Before anything is read."""
        if self.server.tls_first:
            c.tls()

    def before(self, c, mid, tag):
        return False

    def starttls(self, c, mid):
        return False

    def items(self, c, mid, entries, kind):
        if not c.sync:
            c.send(*[message(mid, e) for e in entries], message(mid, done(0x65)))
            return
        for i, e in enumerate(entries):
            c.send(message(mid, e, control(STATE, self.state(kind, i))))
        c.send(message(mid, self.info()))

    @staticmethod
    def state(kind, i):
        return tlv(0x30, integer(1, 10), text(bytes.fromhex(uuid(kind, i).replace("-", ""))))

    @staticmethod
    def info():
        return tlv(0x79, tlv(0x80, b"1.3.6.1.4.1.4203.1.9.1.4"),
                   tlv(0x81, tlv(0xa1, text(b"rid=000"))))

    def list_people(self, c, mid):
        self.items(c, mid, [person(PEOPLE.index(x), x) for x in self.logins], 1)

    def list_groups(self, c, mid):
        self.items(c, mid, [entry(group_dn(g), entryUUID=[uuid(2, i).encode()], cn=[g])
                            for i, g in enumerate(self.groups)], 2)

    def read_one(self, c, mid, base):
        for i, (g, members) in enumerate(self.groups.items()):
            if base == group_dn(g):
                c.send(message(mid, self.members(i, g, members)))
        if base.startswith(b"ou="):
            c.send(message(mid, entry(base)))
        c.send(message(mid, done(0x65)))

    def members(self, i, name, members):
        return entry(group_dn(name), entryUUID=[uuid(2, i).encode()], member=members)


def lie(**methods):
    return type("Lie", (Liar,), methods)


def instead(act, of=0x60):
    """Do @act instead of answering the first request of this kind."""
    def before(self, c, mid, tag):
        if tag != of:
            return False
        act(c, mid)
        return True
    return lie(before=before)


def silence(c, _=0):
    while c.sock.recv(65536):
        pass
    c.alive = False


def half(c, mid):
    c.send(message(mid, done(0x61))[:7])
    silence(c)


def dribble(c, mid):
    for i in range(0, 200):
        c.send(b"\x30\x84\x00\x00\x10\x00"[i:i + 1] or b"\x04")
        time.sleep(0.1)
    c.alive = False


def only(data):
    def act(c, mid):
        c.send(data(mid) if callable(data) else data)
        silence(c)
    return act


def end(c, *_):
    c.alive = False
    c.sock.close()


def unsolicited(n):
    """The smallest notice of disconnection that aborts libldap 2.5.13, and floods of it."""
    return message(0, tlv(0x78, integer(52, 10), text(b""), text(b""))) * n


def referral(mid):
    url = text(b"ldaps://127.0.0.1:3701/" + BASE)
    return message(mid, tlv(0x65, integer(10, 10), text(b""), text(b""), tlv(0xa3, url)))


def reference(mid):
    return message(mid, tlv(0x73, text(b"ldaps://127.0.0.1:3701/" + BASE))) * 50 + \
        message(mid, done(0x65))


def page(self, c, mid, entries, kind):
    """A page that promises another; then the line is cut."""
    c.send(*[message(mid, e) for e in entries[:3]],
           message(mid, done(0x65), control(PAGED, tlv(0x30, integer(0), text(b"more")))))
    self.pages = getattr(self, "pages", 0) + 1
    if self.pages > 1 or kind == 2:
        end(c)


def endless(self, c, mid, entries, kind):
    c.send(*[message(mid, e) for e in entries],
           message(mid, done(0x65), control(PAGED, tlv(0x30, integer(0), text(b"more")))))


def limited(self, c, mid, entries, kind):
    c.send(*[message(mid, e) for e in entries[:3]], message(mid, done(0x65, 4)))


def million(self, i, name, members):
    if name != b"other":
        return Liar.members(self, i, name, members)
    return self.server.huge()


def bad_state(value):
    def items(self, c, mid, entries, kind):
        for e in entries:
            c.send(message(mid, e, control(STATE, value)))
        c.send(message(mid, self.info()))
    return lie(offers_sync=True, items=items)


def bad_info(value):
    return lie(offers_sync=True, info=staticmethod(lambda: tlv(
        0x79, tlv(0x80, b"1.3.6.1.4.1.4203.1.9.1.4"), tlv(0x81, value))))


def greeting(act):
    return lie(greet=lambda self, c: act(c))


def after_tls(act):
    def greet(self, c):
        c.tls()
        act(c)
    return lie(greet=greet)


def raw(data):
    def act(c):
        c.raw.sendall(data)
        while c.raw.recv(65536):
            pass
        c.alive = False
    return act


DEEP = {b"crew": [group_dn(b"crew"), group_dn(b"other")] + [dn_of(x) for x in CREW],
        b"other": [group_dn(b"crew"), dn_of(b"amy")]}
BOMB = entry(dn_of(b"amy"), entryUUID=[uuid(1, 2).encode()], uid=[b"amy"],
             uidNumber=[b"5003"], shadowExpire=[b"9" * (10 << 20)])

# Lies about the protocol: nothing can be learnt, so the test must fail.
PROTOCOL = {
    "accepted, then silence": greeting(raw(b"")),
    "closed at once": greeting(end),
    "no TLS at all": greeting(raw(b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00")),
    "half a TLS record": greeting(raw(b"\x16\x03\x03\x40\x00" + b"\x02" * 50)),
    "TLS, then silence": after_tls(silence),
    "TLS, then closed": after_tls(end),
    "a 16-byte unsolicited reply": after_tls(lambda c: only(unsolicited(1))(c, 0)),
    "the same instead of the bind": instead(only(unsolicited(1))),
    "1,000 unsolicited replies": instead(only(unsolicited(1000))),
    "half a message, then silence": instead(half),
    "half a search entry": instead(lambda c, m: (c.send(message(m, person(0, b"fry"))[:20]),
                                                 silence(c)), 0x63),
    "bytes one by one": instead(dribble),
    "garbage": instead(only(b"\xff" * 4096)),
    "garbage in a message": instead(only(lambda m: tlv(0x30, integer(m), b"\x65\x82\xff\xff"))),
    "a length of 2 GiB": instead(only(b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01")),
    "a length of 2^64": instead(only(b"\x30\x88" + b"\xff" * 8)),
    "a length of nothing": instead(only(b"\x30\x00" * 500)),
    "a nesting of 10,000": instead(only(b"\x30\x82\xff\xff" * 10000)),
    "an answer to something else": instead(only(lambda m: message(m + 77, done(0x61)))),
    "an answer of another kind": instead(only(lambda m: message(m, done(0x65)))),
    "the bind refused": lie(bind_code=49),
    "the bind referred": instead(only(referral)),
    "bound as nobody": lie(whoami=b""),
    "a referral to itself": instead(lambda c, m: c.send(referral(m)), 0x63),
    "references without end": lie(list_people=lambda s, c, m: c.send(reference(m))),
    "a page that is cut": lie(items=page),
    "pages without end": lie(items=endless),
    "a size limit in the middle": lie(items=limited),
    "busy": lie(list_people=lambda s, c, m: c.send(message(m, done(0x65, 51)))),
    "an entry without attributes": lie(list_people=lambda s, c, m: c.send(
        message(m, tlv(0x64, text(dn_of(b"fry")))), message(m, done(0x65)))),
    "an empty result": lie(logins=[]),
}
# Lies by LDAP sync.
SYNCS = {
    "sync: a state of nothing": bad_state(b""),
    "sync: a state of 3 bytes": bad_state(tlv(0x30, integer(1, 10), text(b"abc"))),
    "sync: an unknown state": bad_state(tlv(0x30, integer(9, 10), text(b"a" * 16))),
    "sync: a set that is cut": bad_info(tlv(0xa3, text(b"c"), b"\x31\x7f\x04\x10")),
    "sync: a set of wrong ids": bad_info(tlv(0xa3, tlv(0x31, text(b"abc")))),
    "sync: an unknown message": bad_info(tlv(0xa9, b"")),
    "sync: refresh required": lie(offers_sync=True, items=lambda s, c, m, e, k: c.send(
        message(m, done(0x65, 4096)))),
    "sync: never done": lie(offers_sync=True, info=staticmethod(lambda: b"")),
}
# Lies about people: the protocol is kept, nobody may gain anything.
DATA = {
    "an empty directory": lie(logins=[], groups={}),
    "30 % of the people": lie(logins=PEOPLE[3:6]),
    "a cycle of groups": lie(groups=DEEP),
    "a million members": lie(members=million),
    "a value of 10 MiB": lie(list_people=lambda s, c, m: c.send(
        message(m, BOMB), *[message(m, person(i, x)) for i, x in enumerate(PEOPLE) if i != 2],
        message(m, done(0x65)))),
    "a member that is no name": lie(groups={**Liar.groups, b"other": [b"\xff\x00;"]}),
    "somebody with two ids": lie(list_people=lambda s, c, m: c.send(
        *[message(m, person(i, x)) for i, x in enumerate(PEOPLE)],
        message(m, person(5, b"bender")), message(m, done(0x65)))),
}
STARTTLS_LIES = {
    "StartTLS refused": lie(starttls=lambda s, c, m: c.send(message(m, done(0x78, 53))) or True),
    "StartTLS granted, then plain": lie(starttls=lambda s, c, m: c.send(
        message(m, done(0x78))) or True),
    "StartTLS and an answer before TLS": lie(starttls=lambda s, c, m: c.send(
        message(m, done(0x78)), message(m + 1, done(0x61))) or silence(c) or True),
    "StartTLS unanswered": lie(starttls=lambda s, c, m: silence(c) or True),
}
MODES = dict(PROTOCOL, **SYNCS, **DATA, **STARTTLS_LIES, honest=Liar)


class Server:
    """Listens on one port; each connection lies as `choose()` says."""

    def __init__(self, port, context, choose, tls_first=True):
        self.context, self.choose, self.tls_first = context, choose, tls_first
        self.met, self.binds = collections.Counter(), collections.Counter()
        self.big, self.lock = None, threading.Lock()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(128)
        threading.Thread(target=self.accept, daemon=True).start()

    def bound(self, mode):
        with self.lock:
            self.binds[mode] += 1

    def huge(self):
        with self.lock:
            if not self.big:
                self.big = entry(group_dn(b"other"), entryUUID=[uuid(2, 1).encode()],
                                 member=[b"uid=ghost%d,ou=people,%s" % (i, BASE)
                                         for i in range(1000000)])
            return self.big

    def accept(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self.one, args=(sock, self.choose()), daemon=True).start()

    def one(self, sock, mode):
        sock.settimeout(60)
        c = Connection(sock, self.context, MODES[mode](self, mode))
        with self.lock:
            self.met[mode] += 1
        try:
            c.liar.greet(c)
            c.serve()
        except (OSError, ValueError, struct.error, IndexError):
            pass  # the client went away, as it should
        finally:
            for s in (c.sock, sock):
                try:
                    s.close()
                except OSError:
                    pass


def context(folder, cert):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain("%s/%s.pem" % (folder, cert), "%s/%s.key" % (folder, cert))
    return c
