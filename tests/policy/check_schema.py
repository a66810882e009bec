#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema and the loader must accept and refuse the same policies.

usage: check_schema.py RBACCTL. The cases are in tests/data/policy/{good,bad}. What only
the loader can know is marked there and counted. Good ones are also read the way an
editor does, with numbers and booleans.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
    import yaml
except ImportError as e:
    print("schema: SKIP, %s (python3-jsonschema, python3-yaml)" % e)
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCHEMA = os.path.join(ROOT, "docs/policy.schema.json")


class Text(yaml.BaseLoader):
    """Every scalar is text, as in rbacd."""


class Editor(yaml.SafeLoader):
    """YAML 1.2: true, false, numbers; no dates, no yes and no, no base 60."""


Editor.yaml_implicit_resolvers = {}
for tag, pattern, first in (("bool", r"true|false", "tf"), ("null", r"null|~|", "n~"),
                            ("int", r"[-+]?[0-9]+", "-+0123456789"),
                            ("float", r"[-+]?[0-9]+\.[0-9]*", "-+0123456789")):
    Editor.add_implicit_resolver("tag:yaml.org,2002:" + tag,
                                 re.compile("^(?:%s)$" % pattern), list(first))


# 0815 is ten to the base of 1.2, eight to that of 1.1.
Editor.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def keys_as_text(node):
    """JSON has no other keys; editors do the same."""
    if isinstance(node, dict):
        return {k if isinstance(k, str) else json.dumps(k): keys_as_text(v)
                for k, v in node.items()}
    if isinstance(node, list):
        return [keys_as_text(v) for v in node]
    return node


# What a case may refer to, unless it has the section itself: one thing is wrong in each.
COMMON = {"roles": "roles: {r: {privileges: [ssh]}}\n", "vm_sets": "vm_sets: {s: {every: true}}\n"}


def cases(folder):
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/data/policy", folder, "*.yaml"))):
        with open(path, encoding="utf-8") as f:
            parts = re.split(r"^#= (.*)\n", f.read(), flags=re.M)
        for title, text in zip(parts[1::2], parts[2::2]):
            name, marks = re.match(r"(.*?)((?: \(\w+\))*)$", title).groups()
            if "(bare)" not in marks:
                text = "vmsec_policy: 1\n" + "".join(
                    t for k, t in COMMON.items() if not re.search("^%s:" % k, text, re.M)) + text
            yield name, marks, text.replace("%(u800)", "\u00e4" * 800)


class Checker:
    def __init__(self, rbacctl, folder):
        with open(SCHEMA, encoding="utf-8") as f:
            schema = json.load(f)
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)
        self.rbacctl, self.path = rbacctl, os.path.join(folder, "case.yaml")
        self.passed = self.failed = self.loader_only = 0
        self.one_thing, self.said = False, ""

    def schema_accepts(self, text, loader):
        return self.validator.is_valid(keys_as_text(yaml.load(text, loader)))

    def loader_accepts(self, text):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(text)
        r = subprocess.run([self.rbacctl, "policy", "check", self.path],
                           capture_output=True, text=True, timeout=20)
        if r.returncode not in (0, 1):
            raise SystemExit("rbacctl policy check: exit %d: %s" % (r.returncode, r.stderr))
        # Nothing else may be wrong with a bad one, or it would prove nothing.
        self.said = r.stderr
        self.one_thing = r.returncode == 0 or "refused: 1 thing wrong" in r.stderr
        return r.returncode == 0

    def same(self, name, want, got):
        if want == got:
            self.passed += 1
            return
        self.failed += 1
        print("FAILED %s: expected %s, got %s" % (name, want, got))

    def expect(self, name, what, want, got):
        word = {True: "good", False: "bad"}
        self.same("%s: %s" % (name, what), word[want], word[got])

    def run(self):
        for name, _, text in cases("good"):
            self.expect(name, "the loader", True, self.loader_accepts(text))
            self.expect(name, "the schema", True, self.schema_accepts(text, Text))
            self.expect(name, "an editor", True, self.schema_accepts(text, Editor))
        for name, marks, text in cases("bad"):
            only = "(loader)" in marks
            self.loader_only += only
            self.expect(name, "the loader", False, self.loader_accepts(text))
            if not self.one_thing and "(two)" not in marks:
                self.failed += 1
                print("FAILED %s: more than one thing is wrong" % name)
            self.expect(name, "the schema", only, self.schema_accepts(text, Text))


def main():
    with tempfile.TemporaryDirectory() as folder:
        c = Checker(sys.argv[1], folder)
        c.run()
    print("schema: only the loader can refuse %d of the bad ones" % c.loader_only)
    print("schema: %d passed, %d failed" % (c.passed, c.failed))
    return c.failed != 0


if __name__ == "__main__":
    sys.exit(main())
