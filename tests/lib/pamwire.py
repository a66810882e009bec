# SPDX-License-Identifier: Apache-2.0
"""The module's side of pam.sock, written from rbacd/wire/wire.h: for tests that stand where
the module would, to see what left rbacd before something happened to it."""
import base64
import hashlib
import hmac
import os
import socket
import struct
import time

BEGIN, ANSWER, PROMPT, INFO, RESULT = 1, 2, 3, 4, 5
AUTH, ACCOUNT = 1, 2
PROVEN, CAN_PROMPT, PLAIN = 4, 8, 32
CODE, RECOVERY, BLIND, EMPTY, FAILED = 1, 2, 3, 4, 5
AUTH_FAILED, CONV_FAILED = 1, 6
ALLOW = 0x35c3691e
UNSET = 0xffffffff


def totp(key, at):
    mac = hmac.new(base64.b32decode(key), struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    i = mac[-1] & 15
    return "%06d" % ((struct.unpack(">I", mac[i:i + 4])[0] & 0x7fffffff) % 1000000)


def field(tag, value):
    return struct.pack(">HH", tag, len(value)) + value


class Gone(Exception):
    """rbacd closed the connection, or is not there."""


class Login:
    """One entry point of one login."""

    def __init__(self, user, op=AUTH, flags=PROVEN | CAN_PROMPT | PLAIN, service="sshd", handle=None,
                 source="192.0.2.9", path="/run/rbacd/pam/pam.sock"):
        self.nonce, self.buf, self.turn, self.ids = os.urandom(16), b"", 0, []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        try:
            self.sock.connect(path)
        except OSError as e:
            raise Gone(str(e)) from None
        body = field(1, self.nonce) + field(2, bytes([op])) + field(3, self.deadline()) + \
            field(4, struct.pack(">I", flags)) + field(5, service.encode()) + \
            field(6, user.encode()) + field(10, source.encode() + b" 1 192.0.2.1 22") + \
            field(12, struct.pack(">I", UNSET)) + field(13, struct.pack(">I", UNSET)) + \
            field(14, struct.pack(">I", 0))
        self.send(BEGIN, body + (field(15, handle) if handle else b""))

    @staticmethod
    def deadline():
        return struct.pack(">Q", time.monotonic_ns() + 5 * 10 ** 9)

    def send(self, kind, body):
        try:
            self.sock.sendall(struct.pack(">IBBH", len(body) + 4, 1, kind, 0) + body)
        except OSError as e:
            raise Gone(str(e)) from None

    def exactly(self, n):
        while len(self.buf) < n:
            try:
                more = self.sock.recv(65536)
            except OSError as e:
                raise Gone(str(e)) from None
            if not more:
                raise Gone("closed")
            self.buf += more
        out, self.buf = self.buf[:n], self.buf[n:]
        return out

    def receive(self):
        """(frame type, {tag: value})"""
        length, version, kind, zero = struct.unpack(">IBBH", self.exactly(8))
        body, found = self.exactly(length - 4), {}
        while body:
            tag, n = struct.unpack(">HH", body[:4])
            found[tag] = body[4:4 + n]
            body = body[4 + n:]
        if kind == PROMPT:
            self.turn = struct.unpack(">I", found[32])[0]
        return kind, found

    def question(self):
        """Text of the next prompt; None: the result came."""
        kind, found = self.receive()
        if kind == RESULT:
            self.result = struct.unpack(">I", found[50])[0]
            self.handle = found.get(52)
            return None
        return found[49].decode()

    def answer(self, kind, text=""):
        body = field(1, self.nonce) + field(3, self.deadline()) + \
            field(32, struct.pack(">I", self.turn)) + field(33, bytes([kind]))
        self.send(ANSWER, body + (field(34, text.encode()) if text else b""))
        return self.question()

    def close(self):
        self.sock.close()
