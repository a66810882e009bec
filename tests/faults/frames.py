# SPDX-License-Identifier: Apache-2.0
"""The frames of rbacd/wire/wire.h, written a second time for clients that lie."""
import os
import socket
import struct
import time

BEGIN, ANSWER, PROMPT, INFO, RESULT, CALL, ROW, END = 1, 2, 3, 4, 5, 16, 17, 18
HELLO = 32
AUTH, ACCOUNT, OPEN, CLOSE, CRED = 1, 2, 3, 4, 5
CODE, RECOVERY, BLIND, EMPTY, FAILED = 1, 2, 3, 4, 5
ALLOW, NOTED = 0x35C3691E, 7
NAMES = {0: "none", 1: "auth_failed", 2: "locked", 3: "forbidden", 4: "unavailable",
         5: "new_password", 6: "conv_failed", NOTED: "noted", ALLOW: "allow"}
FIRST_FACTOR, CAN_PROMPT = 4, 8
UNSET = 0xFFFFFFFF
PAM, ADMIN, USER = ("/run/rbacd/" + x for x in ("pam/pam.sock", "admin.sock", "user.sock"))
DIR = "/run/rbacd/dir/dir.sock"
KEY = "publickey ssh-ed25519 AAAA\n"


def u32(v):
    return struct.pack(">I", v)


def u64(v):
    return struct.pack(">Q", v)


def field(tag, value):
    return struct.pack(">HH", tag, len(value)) + value


def frame(kind, *fields, version=1, zero=0):
    body = struct.pack(">BBH", version, kind, zero) + b"".join(fields)
    return u32(len(body)) + body


def deadline(seconds):
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) + int(seconds * 1e9)


def begin(user, op=AUTH, service="sshd", nonce=None, flags=CAN_PROMPT, source=None, info="",
          ruser="", tty="", loginuid=UNSET, session=UNSET, ruid=0, handle=None, seconds=30):
    nonce = nonce or os.urandom(16)
    text = [(7, ruser), (8, tty),
            (10, source and "%s 40000 127.0.0.1 22" % source or ""), (11, info)]
    return nonce, frame(
        BEGIN, field(1, nonce), field(2, bytes([op])), field(3, u64(deadline(seconds))),
        field(4, u32(flags)), field(5, service.encode()), field(6, user.encode()),
        *[field(tag, v.encode()) for tag, v in text if v], field(12, u32(session)),
        field(13, u32(loginuid)), field(14, u32(ruid)),
        *([field(15, handle)] if handle else []))


def answer(nonce, code, turn=1, kind=CODE, seconds=30):
    return frame(ANSWER, field(1, nonce), field(3, u64(deadline(seconds))),
                 field(32, u32(turn)), field(33, bytes([kind])),
                 *([field(34, code.encode())] if code else []))


def call(verb, **args):
    return frame(CALL, field(64, verb.encode()),
                 *[field(65, ("%s=%s" % x).encode()) for x in args.items()])


class Client:
    """One connection; reads whole frames, never longer than its time."""

    def __init__(self, path, seconds=6):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(seconds)
        self.s.connect(path)
        self.buf = b""

    def send(self, *frames):
        try:
            self.s.sendall(b"".join(frames))
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def recv(self):
        """(type, {tag: value}), or None when rbacd closed; TimeoutError when it is silent."""
        while True:
            if len(self.buf) >= 4:
                n = 4 + struct.unpack(">I", self.buf[:4])[0]
                if len(self.buf) >= n:
                    one, self.buf = self.buf[:n], self.buf[n:]
                    return one[5], self.fields(one[8:])
            try:
                part = self.s.recv(65536)
            except ConnectionResetError:
                part = b""
            if not part:
                return None
            self.buf += part

    @staticmethod
    def fields(body):
        out, at = {}, 0
        while at < len(body):
            tag, n = struct.unpack(">HH", body[at:at + 4])
            out[tag] = body[at + 4:at + 4 + n]
            at += 4 + n
        return out

    def result(self):
        """The name of the RESULT and its handle; "closed" or "prompt" else."""
        while True:
            got = self.recv()
            if got is None:
                return "closed", None
            if got[0] == RESULT:
                code = struct.unpack(">I", got[1][50])[0]
                return NAMES.get(code, str(code)), got[1].get(52)
            if got[0] == PROMPT:
                return "prompt", None

    def close(self):
        self.s.close()


def ask(user, code=None, path=PAM, **kw):
    """One entry point with manners: (result, handle). Without a code a prompt is the end."""
    c = Client(path)
    try:
        nonce, b = begin(user, **kw)
        got = c.send(b).result()
        if got[0] == "prompt" and code:
            got = c.send(answer(nonce, code)).result()
        return got
    finally:
        c.close()
