#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The examples load, fit the schema, and their own tests hold: each of them refuses the
policy as soon as it wants the opposite. What the guide shows stands in an example.

usage: check_examples.py RBACCTL
"""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_schema  # noqa: E402

# Tests in each: one that gets lost is a failure too.
COUNTS = {"break-glass": 9, "contractors": 16, "pci": 15, "small-office": 7, "standalone": 7,
          "web-shop": 12}
FOLDER = os.path.join(check_schema.ROOT, "policy/examples")


def opposites(text):
    """The policy once for each of its tests, with that one's wish turned round."""
    head, tests = text.split("\ntests:\n")
    wishes = list(re.finditer(r"want: (allow|deny)(, (by|reason): [\w-]+)?", tests))
    for w in wishes:
        other = "want: deny" if w.group(1) == "allow" else "want: allow"
        yield head + "\ntests:\n" + tests[:w.start()] + other + tests[w.end():]


def guide(texts):
    """(the YAML that the guide shows, whether an example holds it)"""
    with open(os.path.join(check_schema.ROOT, "docs/guide/writing-policies.md"),
              encoding="utf-8") as f:
        for shown in re.findall(r"```yaml\n(.*?)```", f.read(), re.S):
            yield shown, any(shown in t for t in texts)


def main():
    texts = []
    with tempfile.TemporaryDirectory() as folder:
        c = check_schema.Checker(sys.argv[1], folder)
        names = sorted(n[:-5] for n in os.listdir(FOLDER))
        c.same("examples", sorted(COUNTS), names)
        for name in names:
            with open(os.path.join(FOLDER, name + ".yaml"), encoding="utf-8") as f:
                text = f.read()
            texts.append(text)
            c.expect(name, "the loader", True, c.loader_accepts(text))
            c.expect(name, "the schema", True, c.schema_accepts(text, check_schema.Text))
            c.expect(name, "an editor", True, c.schema_accepts(text, check_schema.Editor))
            changed = list(opposites(text))
            c.same(name, COUNTS.get(name), len(changed))
            for n, other in enumerate(changed):
                c.expect("%s, test %d turned round" % (name, n + 1), "the loader", False,
                         c.loader_accepts(other))
                c.same(name, True, c.one_thing and "test failed" in c.said)
    for shown, found in guide(texts):
        c.same("the guide, " + shown.strip().split("\n")[0], True, found)
    print("examples: %d passed, %d failed" % (c.passed, c.failed))
    return c.failed != 0


if __name__ == "__main__":
    sys.exit(main())
