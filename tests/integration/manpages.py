#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The manual pages: clean, and they name what the code knows, no more and no less. The guides:
each is run by a test.

usage: manpages.py RBACCTL RBACD RBACD_DIR
"""
import os
import re
import shutil
import subprocess
import sys

TREE = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, TREE + "/tests/lib")
import guide  # noqa: E402
MAN = TREE + "/docs/man/"
PAGES = ("pam_vmsec.8", "rbacd.8", "rbacd-dir.8", "rbacd.yaml.5", "vmsec-policy.5",
         "rbacctl.1", "rbacd-protocol.7")
# Of mandoc's remarks on style: matters of taste, and of pages that are not installed here.
TASTE = ("longer than 80 bytes", "operating system explicitly", "referenced manual not found",
         "possible typo in section name", "outdated mandoc.db")
passed = failed = 0


def check(what, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAILED  %s\n        %s" % (what, str(detail)[:1500]))


def same(what, code, page):
    check(what, set(code) == set(page) and code, "not in the page: %s; not in the code: %s" % (
        sorted(set(code) - set(page)), sorted(set(page) - set(code))))


def read(path):
    with open(path if path.startswith("/") else TREE + "/" + path) as f:
        return f.read()


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=20).stdout


def lint():
    if not shutil.which("mandoc"):
        print("manpages: SKIP of the lint, no mandoc: run make deps")
        return
    for page in PAGES:
        r = subprocess.run(["mandoc", "-Tlint", "-W", "style", MAN + page],
                           capture_output=True, text=True, timeout=20)
        said = [x for x in (r.stdout + r.stderr).splitlines()
                if not any(t in x for t in TASTE)]
        check("mandoc is content with " + page, not said, said)
        check(page + " is mdoc", "\n.Dd " in read(MAN + page))
    check("no other page", sorted(os.listdir(MAN)) == sorted(PAGES), os.listdir(MAN))


# ---- programs


def flags(text):
    """--names of a help text or of .It Fl lines."""
    return set(re.findall(r"(?:^|\s)--([a-z][a-z-]*)", text))


def page_flags(text):
    return set(re.findall(r"(?:\bFl|[,|]) -([a-z][a-z-]*)", text))


def daemon(name, program):
    items = "\n".join(re.findall(r"(?m)^\.It (?=Fl).*$", read(MAN + name + ".8")))
    same(name + ": options", flags(run(program, "--help").split("\n\n", 1)[1]),
         page_flags(items))


def leaves(program, path=()):
    """Every command that does something: (its words, its own options)."""
    text = run(program, *path, "--help")
    subs = re.search(r"(?m)^commands:\n((?:  .*\n)+)", text)
    if subs:
        for word in re.findall(r"(?m)^  (\S+)", subs.group(1)):
            yield from leaves(program, path + (word,))
    else:
        options = re.search(r"(?ms)^options:\n(.*)", text)
        yield " ".join(path), flags(options.group(1)) if options else set()


def page_commands():
    """{words: names of options} of rbacctl.1: an item goes up to the next command's."""
    found = {}
    body = read(MAN + "rbacctl.1").replace("\\\n", " ")
    heads = list(re.finditer(r"(?m)^\.It Cm ((?:[a-z][a-z-]* ?)+)(.*)$", body))
    for i, m in enumerate(heads):
        end = heads[i + 1].start() if i + 1 < len(heads) else body.index(".Sh ", m.end())
        text = body[m.start():end]
        used = "\n".join(re.findall(r"(?m)^\.It .*$", text))
        found.setdefault(m.group(1).strip(), set()).update(page_flags(used))
    return found


def rbacctl(program):
    everywhere = {"config", "json", "help"}
    code, page = dict(leaves(program)), page_commands()
    named = {c: next((p for p in sorted(page, key=len, reverse=True)
                      if c == p or c.startswith(p + " ") or p.startswith(c + " ")), None)
             for c in code}
    check("rbacctl: every command is in the page", all(named.values()),
          [c for c in named if not named[c]])
    gone = [p for p in page if not any(c == p or c.startswith(p + " ") or
                                       p.startswith(c + " ") for c in code)]
    check("rbacctl: the page names no other", not gone, gone)
    for command, options in sorted(code.items()):
        missing = options - everywhere - page.get(named[command] or "", set())
        check("rbacctl %s: every option is in the page" % command, not missing, missing)
    for command, options in sorted(page.items()):
        known = set().union(*[o for c, o in code.items()
                              if c == command or c.startswith(command + " ") or
                              command.startswith(c + " ")], everywhere)
        check("rbacctl %s: the page names no other option" % command, options <= known,
              options - known)


# ---- files


def config_keys():
    """The lists that unknown keys are held against."""
    keys = set()
    for name in ("config.c", "config_audit.c", "config_directory.c"):
        text = read("rbacd/" + name)
        for body in re.findall(r"known\[[^]]*\] = \{(.*?)\};", text, re.S):
            if "NULL" in body or "hook" in body:
                keys.update(re.findall(r'"([a-z_]+)"', body))
        keys.update(re.findall(r"(?m)^\tT\((\w+),", text))
    return keys


def yaml_page():
    text = read(MAN + "rbacd.yaml.5")
    words = set(re.findall(r"(?<![\w-])([a-z_]+)(?![\w-])", text))
    keys = config_keys()
    check("rbacd.yaml: enough keys were found", len(keys) > 50, len(keys))
    check("rbacd.yaml: every key is in the page", keys <= words, keys - words)
    main = text[text.index(".Sh DESCRIPTION"):text.index(".Sh THE PEOPLE FILE")]
    ldap = text[text.index(".Sh LDAP"):]
    items = set()
    for line in re.findall(r"(?m)^\.It Cm (.*)$", main + ldap):
        items.update(re.findall(r"[a-z_]+", line))
    check("rbacd.yaml: the page names no other", items <= keys, items - keys)


def module_page():
    names = set(re.findall(r'"([a-z_]+)=', read("pam_vmsec/args.c")))
    items = "\n".join(re.findall(r"(?m)^\.It Cm .*$", read(MAN + "pam_vmsec.8").split(
        ".Sh MODULE TYPES")[0]))
    same("pam_vmsec: arguments", names, set(re.findall(r"([a-z_]+)=", items)))


def policy_page():
    """Every word of the language, as the published schema has it."""
    import json
    words = set()

    def walk(node):
        if isinstance(node, dict):
            words.update(node.get("properties", {}))
            for v in node.values():
                walk(v)
        elif isinstance(node, list):
            for v in node:
                walk(v)
    walk(json.loads(read("docs/policy.schema.json")))
    text = set(re.findall(r"[a-z_]+", read(MAN + "vmsec-policy.5")))
    check("vmsec-policy: every key is in the page", words and words <= text,
          sorted(words - text))


def protocol_page():
    header, page = read("rbacd/wire/wire.h"), read(MAN + "rbacd-protocol.7")
    sections = (("FRAMES", "wire_type", "WIRE_"), ("FIELDS", "wire_tag", "WIRE_T_"),
                ("ENTRY POINTS", "wire_op", "WIRE_OP_"), ("FLAGS", "wire_flag", "WIRE_FLAG_"),
                ("ANSWERS", "wire_answer_kind", "WIRE_ANSWER_"),
                ("STYLES", "wire_style", "WIRE_STYLE_"),
                ("RESULTS", "wire_result", "WIRE_RESULT_"),
                ("CELLS", "wire_cell_kind", "WIRE_CELL_"))
    for section, enum, prefix in sections:
        body = re.search(r"enum %s \{(.*?)\n\};" % enum, header, re.S).group(1)
        code = {(k, v) for k, v in re.findall(
            prefix + r"(\w+)\s*=\s*(?:\(int32_t\)|1u << )?(\w+)", body)}
        part = page[page.index(".Sh " + section):]
        part = part[:part.index("\n.Sh ", 4)]
        same("rbacd-protocol: " + section, code,
             set(re.findall(r"(?m)^\.It Dv (\w+) No \\&= (?:bit )?(\w+)$", part)))
    for limit in ("WIRE_FRAME_MAX", "WIRE_FRAME_MAX_IN"):
        n = re.search(r"#define %s\s+(\d+)" % limit, header).group(1)
        check("rbacd-protocol: " + limit, n in page, n)


# ---- guides


def guides():
    """Each is run by a test (tests/lib/guide.py), command by command; none stands aside."""
    tests = "".join(read("tests/integration/%s.py" % t) for t in re.search(
        r"(?m)^for t in (.*); do$", read("tests/integration/run-all")).group(1).split())
    run_by = re.findall(r'uide\("([\w-]+)"', tests)
    same("guides: each is run by one test", guide.names(), run_by)
    check("guides: none is run twice", len(run_by) == len(set(run_by)), sorted(run_by))
    for name in guide.names():
        text, shown = guide.read(name), [c for c, _ in guide.commands(name)]
        gone = [c for c in guide.NOT_RUN.get(name, {}) if c not in shown]
        check(name + ": what is not run is still there", not gone, gone)
        aside = [x for language, lines in guide.blocks(text) if language not in ("sh", "console")
                 for x in lines if re.match(r"(?: {4}|\t)* *(?:%s) \S" % "|".join(guide.PROGRAMS), x)
                 and (language is not None or x.startswith("    "))]
        check(name + ": its commands stand in blocks of sh", not aside, aside)
        here = os.path.dirname(guide.path(name))
        links = [x for x in re.findall(r"\]\(([\w/.-]+\.md)\)", text)
                 if not os.path.exists(here + "/" + x)]
        check(name + ": its links lead somewhere", not links, links)


def main():
    rbacctl_path, rbacd_path, dir_path = sys.argv[1:4]
    lint()
    daemon("rbacd", rbacd_path)
    daemon("rbacd-dir", dir_path)
    rbacctl(rbacctl_path)
    yaml_page()
    module_page()
    policy_page()
    protocol_page()
    guides()
    print("manpages: %d passed, %d failed" % (passed, failed))
    sys.exit(failed > 0)


main()
