#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Report pages in a real browser: Chromium, headless, driven by chromedriver.

usage: check_html.py FOLDER. FOLDER holds a pack; every page of it is looked at on a
desktop, on a phone and in print: no request leaves, the console is silent, contrast is
WCAG AA in light and dark, headings and tables are marked up, nothing overflows, sorting
and filtering work without a script and hide nothing in print.
"""
import base64
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

SIZES = {"desktop": (1280, 1000), "phone": (390, 844)}

# Runs in the page by the driver's own channel; the page itself may run nothing.
AUDIT = r"""
const out = {heads: [], tables: [], contrast: [], requests: [], wide: []};
out.heads = [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1]);
for (const t of document.querySelectorAll('table')) {
  const name = t.getAttribute('aria-labelledby');
  if (!name || !document.getElementById(name)) out.tables.push('no name');
  for (const th of t.querySelectorAll('th'))
    if (!th.hasAttribute('scope')) out.tables.push('no scope: ' + th.textContent);
  if (t.tHead && !t.querySelector('tbody th[scope=row]')) out.tables.push('no row header');
}
out.requests = performance.getEntriesByType('resource').map(e => e.name);
out.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
for (const e of document.querySelectorAll('main *,header *')) {
  const r = e.getBoundingClientRect();
  if (r.width && r.right > innerWidth + 1 && !e.closest('.box')) out.wide.push(e.outerHTML.slice(0, 80));
}
out.scroll = [...document.querySelectorAll('.box')].filter(b => b.scrollWidth > b.clientWidth + 1).length;
function rgb(c) { return c.match(/[\d.]+/g).map(Number); }
function lum(c) { return [0.2126, 0.7152, 0.0722].reduce((s, w, i) => {
  const v = c[i] / 255; return s + w * (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); }, 0); }
const backs = new Map();
function back(e) { if (!backs.has(e)) backs.set(e, back2(e)); return backs.get(e); }
function back2(e) {
  const c = rgb(getComputedStyle(e).backgroundColor);
  return c.length < 4 || c[3] > 0 || !e.parentElement ? c : back(e.parentElement); }
const seen = new Set();
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  if (!own || !e.getClientRects().length || e.closest('svg,style')) continue;
  const s = getComputedStyle(e), fg = rgb(s.color), bg = back(e);
  const key = s.color + bg.join(); if (seen.has(key)) continue; seen.add(key);
  const a = lum(fg), b = lum(bg), ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) out.contrast.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
}
out.scripts = document.scripts.length;
out.events = [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(
  a => /^on/.test(a.name))).length;
return out;
"""


class Browser:
    """The WebDriver protocol, as far as it is needed here."""

    def __init__(self, folder):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=%d" % self.port, "--log-level=OFF"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.session = None
        options = {"args": ["--headless", "--no-sandbox", "--disable-gpu",
                            "--disable-dev-shm-usage", "--hide-scrollbars",
                            "--user-data-dir=" + folder],
                   "mobileEmulation": {}}
        del options["mobileEmulation"]
        for _ in range(100):
            try:
                self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                    "browserName": "chrome", "goog:chromeOptions": options,
                    "goog:loggingPrefs": {"browser": "ALL"}}}})["sessionId"]
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise OSError("chromedriver does not answer")

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path), data,
                                         {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as f:
            return json.load(f)["value"]

    def do(self, what, body=None, method="POST"):
        return self.call(method, "/session/%s/%s" % (self.session, what), body)

    def devtools(self, command, **params):
        return self.do("goog/cdp/execute", {"cmd": command, "params": params})

    def script(self, text):
        return self.do("execute/sync", {"script": text, "args": []})

    def size(self, width, height, dark=False):
        self.do("url", {"url": "about:blank"})  # a large page would be laid out once more
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=width < 500)
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def close(self):
        try:
            if self.session:
                self.call("DELETE", "/session/" + self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(10)


class Check:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, good, detail=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED: %s: %s" % (what, str(detail)[:300]))


def look(b, c, page, name, width, height):
    for dark in (False, True):
        b.size(width, height, dark)
        b.do("url", {"url": "file://" + page})
        a = b.script(AUDIT)
        what = "%s, %s%s: " % (os.path.basename(page), name, ", dark" if dark else "")
        c.check(what + "nothing is fetched", not a["requests"], a["requests"])
        c.check(what + "no script", a["scripts"] == 0 and a["events"] == 0)
        c.check(what + "contrast of 4.5 at least", not a["contrast"], a["contrast"])
        c.check(what + "nothing overflows", a["overflow"] <= 0 and not a["wide"],
                (a["overflow"], a["wide"][:2]))
        c.check(what + "no table scrolls sideways", a["scroll"] == 0, a["scroll"])
    heads = a["heads"]
    c.check(what + "one h1, no level left out", heads.count(1) == 1 and heads[0] == 1 and all(
        y - x <= 1 for x, y in zip(heads, heads[1:])), heads)
    c.check(what + "tables have names and headers", not a["tables"], a["tables"][:3])
    said = [m["message"] for m in b.do("se/log", {"type": "browser"})]
    c.check(what + "the console is silent", not said, said[:2])


def places(b, table):
    """First cells in the order in which they are seen, the hidden ones left out."""
    return b.script("""
      return [...document.querySelectorAll('#t-%s tbody tr')].filter(r => r.getClientRects().length)
        .map(r => [r.getBoundingClientRect().top, r.cells[0].textContent])
        .sort((a, b) => a[0] - b[0]).map(x => x[1]);""" % table)


def tools(b, c, folder):
    """Sort and filter, as a reader would; then print."""
    b.size(*SIZES["desktop"])
    b.do("url", {"url": "file://" + os.path.join(folder, "mfa.html")})
    listed = places(b, "mfa")
    pick = """const l = [...document.querySelectorAll('#t-mfa label')].find(
      l => l.textContent.trim().startsWith(%s)); l.querySelector('input').click();"""
    b.script(pick % '"Refused"')
    values = b.script("""
      return [...document.querySelectorAll('#t-mfa tbody tr')].map(r =>
        [r.getBoundingClientRect().top, +r.cells[7].textContent]).sort((a, b) => a[0] - b[0])
        .map(x => x[1]);""")
    c.check("a sorted table is in order", values == sorted(values) and len(set(values)) > 3,
            values[:9])
    b.script("document.querySelector('#t-mfa input[type=checkbox][id^=d]').click()")
    c.check("and in descending order", places(b, "mfa") != listed and
            sorted(places(b, "mfa")) == sorted(listed))
    b.script(pick % '"none"')
    left = places(b, "mfa")
    c.check("a filter hides the others", 0 < len(left) < len(listed), len(left))
    b.devtools("Emulation.setEmulatedMedia", media="print")
    c.check("in print nothing is hidden", len(places(b, "mfa")) == len(listed))
    b.devtools("Emulation.setEmulatedMedia", media="")
    pdf = base64.b64decode(b.devtools("Page.printToPDF", printBackground=True)["data"])
    c.check("it prints", pdf[:5] == b"%PDF-" and len(pdf) > 20000, len(pdf))
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True,
                              check=True).stdout.decode()
        lost = [x for x in listed if not re.search(r"\b%s\b" % re.escape(x), text)]
        c.check("every row is on paper", not lost, lost[:5])


def main():
    folder = os.path.abspath(sys.argv[1])
    if not shutil.which("chromedriver") or not shutil.which("chromium"):
        print("report_html: SKIP, chromium and chromium-driver are missing (make deps-browser)")
        sys.exit(77)
    c = Check()
    with tempfile.TemporaryDirectory(prefix="vmsec-browser-") as profile:
        b = Browser(profile)
        try:
            for page in sorted(glob.glob(os.path.join(folder, "*.html"))):
                for name, size in SIZES.items():
                    look(b, c, page, name, *size)
            tools(b, c, folder)
        finally:
            b.close()
    print("report_html: %d passed, %d failed" % (c.passed, c.failed))
    sys.exit(c.failed != 0)


if __name__ == "__main__":
    main()
