#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verify exported audit lines without any code of rbacd's.

Reads raw lines (one record each) on stdin or from FILEs (segments, in order), checks form,
sequence, chain and clock, and prints the head's SHA-256 and the tree's root. Exit 1 names
the first bad record. --from SEQ PREV starts in the middle of a log; by default the first
record is 1 and its prev is zeros. --checkpoint FILE --vkey KEY checks a signed checkpoint
against the tree of the records; --proof FILE --vkey KEY checks an inclusion proof alone.
Ed25519 and the tree are written here from RFC 8032 and RFC 6962.
"""
import argparse
import base64
import datetime
import hashlib
import json
import re
import sys

LINE_MAX = 2048
KEYS = ("v seq prev ts clock ev sev id corr host comp sw outcome reason user unknown_user "
        "uid actor svc tty src rhost_name vm priv target dec rule path policy_serial "
        "policy_sha dec_src snapshot_age_s lat_us mfa_method cred t_delta fails sess expires "
        "op object before_sha after_sha reason_text count").split()
NESTED = {"unknown_user"}
NUMBERS = {"v", "seq", "policy_serial", "snapshot_age_s", "lat_us", "t_delta", "fails",
           "count"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")


class Bad(Exception):
    pass


def parse(raw):
    if len(raw) > LINE_MAX:
        raise Bad("longer than a record may be")
    try:
        text = raw.decode("utf-8", "strict")
        pairs = json.loads(text, object_pairs_hook=list)
    except ValueError as e:
        raise Bad(f"not JSON: {e}") from None
    if not isinstance(pairs, list) or not all(isinstance(p, tuple) for p in pairs):
        raise Bad("not an object")
    names = [k for k, _ in pairs]
    if any(k not in KEYS for k in names):
        raise Bad("unknown key")
    ranks = [KEYS.index(k) for k in names]
    if ranks != sorted(set(ranks)) or names[:4] != ["v", "seq", "prev", "ts"]:
        raise Bad("key out of order, twice or missing")
    for k, v in pairs:
        want = int if k in NUMBERS else list if k in NESTED else str
        if type(v) is not want:
            raise Bad(f"{k} has another type")
    again = json.dumps({k: dict(v) if k in NESTED else v for k, v in pairs},
                       separators=(",", ":"), ensure_ascii=True)
    if json.loads(again, object_pairs_hook=list) != pairs:
        raise Bad("not canonical")
    return dict(pairs)


def seconds(ts):
    if not TIME.match(ts):
        raise Bad("bad ts")
    try:
        t = datetime.datetime.strptime(ts, "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        raise Bad("bad ts") from None
    return int(t.replace(tzinfo=datetime.timezone.utc).timestamp())


def check(rec, seq, prev, last_s):
    if rec["v"] != 1:
        raise Bad("unknown version")
    if rec["seq"] != seq:
        raise Bad(f"seq is {rec['seq']}, expected {seq}")
    if rec["prev"] != prev:
        raise Bad("prev is not the hash of the record before")
    now_s = seconds(rec["ts"])
    if last_s is not None and (now_s < last_s) != (rec.get("clock") == "back"):
        raise Bad("the clock goes back without a mark, or the mark is wrong")
    return now_s


# ---- the tree, RFC 6962

def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves):
    """MTH() of 2.1, level by level: the last of an odd level goes up as it is."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        leaves = [node(*leaves[i:i + 2]) if i + 1 < len(leaves) else leaves[i]
                  for i in range(0, len(leaves), 2)]
    return leaves[0]


def path_root(leaf, index, size, path):
    """The root that an inclusion proof leads to, from the recursion PATH() of 2.1.1."""
    if size == 1:
        if path:
            raise Bad("the proof is too long")
        return leaf
    if not path:
        raise Bad("the proof is too short")
    k = 1 << (size - 1).bit_length() - 1
    if index < k:
        return node(path_root(leaf, index, k, path[:-1]), path[-1])
    return node(path[-1], path_root(leaf, index - k, size - k, path[:-1]))


# ---- Ed25519, RFC 8032, only to verify

P = 2 ** 255 - 19
Q = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    z, t = 2 * a[2] * b[2] % P, 2 * a[3] * b[3] * D % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    out = (0, 1, 1, 0)
    while n:
        if n & 1:
            out = add(out, point)
        point = add(point, point)
        n >>= 1
    return out


def decompress(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - x2) % P or (x == 0 and sign):
        raise Bad("not a point of the curve")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(key, text, sig):
    s = int.from_bytes(sig[32:], "little")
    if s >= Q:
        raise Bad("signature out of range")
    h = int.from_bytes(hashlib.sha512(sig[:32] + key + text).digest(), "little") % Q
    a, b = times(s, BASE), add(decompress(sig[:32]), times(h, decompress(key)))
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


# ---- signed checkpoints, C2SP

def open_note(note, vkey):
    origin, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key, validate=True)
    want = hashlib.sha256(origin.encode() + b"\n" + key).digest()[:4]
    if key[0] != 1 or len(key) != 33 or want.hex() != key_id:
        raise Bad("not a verifier key")
    text, _, sigs = note.partition("\n\n")
    text += "\n"
    for line in sigs.splitlines():
        name, blob = line.removeprefix("\u2014 ").rsplit(" ", 1)
        blob = base64.b64decode(blob, validate=True)
        if name == origin and blob[:4] == want:
            if len(blob) != 68 or not ed25519(key[1:], text.encode(), blob[4:]):
                raise Bad("the checkpoint's signature is wrong")
            name, size, tree = text.splitlines()
            if name != origin:
                raise Bad("the checkpoint is another log's")
            return int(size), base64.b64decode(tree, validate=True)
    raise Bad("the checkpoint is not signed with this key")


def check_proof(text, vkey):
    head, _, note = text.partition("\n\n")
    magic, index, record, *hashes = head.split("\n")
    if magic != "vmsec-proof-1" or any(not h.startswith("hash ") for h in hashes):
        raise Bad("not a proof")
    index = int(index.removeprefix("index "))
    raw = record.removeprefix("record ").encode()
    size, tree = open_note(note, vkey)
    path = [base64.b64decode(h[5:], validate=True) for h in hashes]
    leaf = hashlib.sha256(b"\0" + raw).digest()
    if parse(raw)["seq"] != index + 1 or index >= size or \
            path_root(leaf, index, size, path) != tree:
        raise Bad("the record is not in the signed tree")
    return index + 1


def lines(files):
    for name in files:
        with open(name, "rb") as f:
            yield from f
    if not files:
        yield from sys.stdin.buffer


def main():
    arg = argparse.ArgumentParser(description=__doc__)
    arg.add_argument("--from", nargs=2, dest="start", default=["1", "0" * 64],
                     metavar=("SEQ", "PREV"))
    arg.add_argument("--vkey")
    arg.add_argument("--checkpoint", metavar="FILE")
    arg.add_argument("--proof", metavar="FILE")
    arg.add_argument("files", nargs="*", metavar="FILE")
    opt = arg.parse_args()
    try:
        if opt.proof:
            with open(opt.proof, encoding="utf-8") as f:
                print(f"record {check_proof(f.read(), opt.vkey)} is in the signed log")
            return 0
        return check_log(opt)
    except (Bad, ValueError) as e:
        print(e, file=sys.stderr)
        return 1


def check_log(opt):
    seq, prev, last_s, n = int(opt.start[0]), opt.start[1], None, 0
    leaves = []
    for line in lines(opt.files):
        raw = line.rstrip(b"\n")
        try:
            last_s = check(parse(raw), seq, prev, last_s)
        except Bad as e:
            print(f"record {seq}: {e}", file=sys.stderr)
            return 1
        prev = hashlib.sha256(raw).hexdigest()
        leaves.append(hashlib.sha256(b"\0" + raw).digest())
        seq += 1
        n += 1
    if opt.checkpoint:
        with open(opt.checkpoint, encoding="utf-8") as f:
            size, tree = open_note(f.read(), opt.vkey)
        if size > n or root(leaves[:size]) != tree:
            raise Bad(f"record {min(size, n)}: the checkpoint was signed for other "
                      "records")
        print(f"signed to record {size}, root {tree.hex()}")
    print(f"{n} records, head {prev}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
