# SPDX-License-Identifier: Apache-2.0
"""Decisions of an rbacd that follows a directory."""
import os
import re
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../faults"))
import frames  # noqa: E402
import world  # noqa: E402

SOON = 3  # seconds for what should take milliseconds, on a busy machine


class Follower:
    def __init__(self, w, r):
        self.w, self.r = w, r

    @staticmethod
    def may(user, privilege="ssh"):
        """The decision for a right code, straight from rbacd."""
        c = frames.Client(frames.ADMIN)
        try:
            c.send(frames.call("explain", user=user, vm=world.HOST, privilege=privilege,
                               method="any"))
            while True:
                kind, got = c.recv()
                if kind == frames.END:
                    return struct.unpack(">I", got[80])[0] == 0
        finally:
            c.close()

    def becomes(self, user, want, seconds=SOON, privilege="ssh"):
        """Seconds until the decision is @want; None when it never was."""
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            if self.may(user, privilege) == want:
                return time.monotonic() - start
            time.sleep(0.002)
        return None

    def expect(self, what, user, want, seconds=SOON, privilege="ssh"):
        taken = self.becomes(user, want, seconds, privilege)
        self.r.check(what, taken is not None, "%s may %s: not %s within %g s: %s" % (
            user, privilege, want, seconds, self.status()))
        return taken

    def never(self, what, user, privilege="ssh", seconds=0.5):
        """Refused now and for a while: for what must not come at all."""
        end, bad = time.monotonic() + seconds, False
        while time.monotonic() < end and not bad:
            bad = self.may(user, privilege)
            time.sleep(0.02)
        self.r.check(what, not bad, "%s may %s" % (user, privilege))

    def status(self):
        r = self.w.rbacctl("directory", "status", check=False)
        return r.stdout + r.stderr

    def said(self, pattern, seconds=SOON):
        """A record of the audit log that matches, within a time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(re.search(pattern, repr(x)) for x in self.w.records()):
                return True
            time.sleep(0.05)
        return False
