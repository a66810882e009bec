#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verify exported audit lines without any code of rbacd's.

Reads raw lines (one record each) on stdin, checks form, sequence, chain and clock, and
prints the head's SHA-256. Exit 1 names the first bad record. --from SEQ PREV starts in the
middle of a log; by default the first record is 1 and its prev is zeros.
"""
import argparse
import datetime
import hashlib
import json
import re
import sys

LINE_MAX = 2048
KEYS = ("v seq prev ts clock ev sev id corr host comp sw outcome reason user unknown_user "
        "uid actor svc tty src rhost_name vm priv target dec rule path policy_serial "
        "policy_sha dec_src snapshot_age_s lat_us mfa_method cred t_delta fails sess op "
        "object before_sha after_sha reason_text count").split()
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
    if last_s is not None and (now_s < last_s) != ("clock" in rec):
        raise Bad("the clock goes back without a mark, or the mark is wrong")
    return now_s


def main():
    arg = argparse.ArgumentParser(description=__doc__)
    arg.add_argument("--from", nargs=2, dest="start", default=["1", "0" * 64],
                     metavar=("SEQ", "PREV"))
    start = arg.parse_args().start
    seq, prev, last_s, n = int(start[0]), start[1], None, 0
    for line in sys.stdin.buffer:
        raw = line.rstrip(b"\n")
        try:
            last_s = check(parse(raw), seq, prev, last_s)
        except Bad as e:
            print(f"record {seq}: {e}", file=sys.stderr)
            return 1
        prev = hashlib.sha256(raw).hexdigest()
        seq += 1
        n += 1
    print(f"{n} records, head {prev}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
