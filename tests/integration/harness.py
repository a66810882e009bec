#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""Proves the private world itself, with the system's own modules in place of ours.

A harness that cannot tell "in" from "refused" would make every other test green.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import world  # noqa: E402


def main():
    world.enter()
    r = world.Report("harness")
    w = world.World(module="pam_permit.so").make()
    for name in ("sshd", "sshd-keyonly"):
        w.sshd(name)
    a = w.ssh("alice", "sshd-keyonly")
    r.check("sshd, key only, account permits: in", a.ok, a)
    a = w.ssh("alice", "sshd-keyonly", key="bob")
    r.check("sshd, somebody else's key: refused", not a.ok, a)
    a = w.ssh("bob", "sshd", [world.PEOPLE["bob"][2]], key=False)
    r.check("sshd, keyboard-interactive, right password: in", a.ok, a)
    a = w.ssh("bob", "sshd")
    r.check("sshd, key then keyboard-interactive: the password is not asked", a.ok, a)
    a = w.ssh("bob", "sshd", ["wrong"], key=False)
    r.check("sshd, keyboard-interactive, wrong password: refused", not a.ok, a)
    s = w.shell("alice", "sshd-keyonly")
    r.check("a shell over ssh", s and s.ok, s and s.text)
    a = s.run("cat /proc/self/loginuid")
    r.check("pam_loginuid names the person", "2001" in a.text, a)
    a = s.run("sudo -k id -un", [world.PEOPLE["alice"][2]])
    r.check("sudo with the password: root", a.ok and "root" in a.text, a)
    a = s.run("sudo -k -n id -un")
    r.check("sudo -n without a timestamp: refused", not a.ok, a)
    a = s.run("su -c 'id -un' root", [world.ROOT_PASSWORD])
    r.check("su with root's password: root", a.ok and "root" in a.text, a)
    a = s.run("su -c 'id -un' root", ["wrong"])
    r.check("su with a wrong password: refused", not a.ok, a)
    s.close()
    c = w.console_shell("root", [world.ROOT_PASSWORD])
    r.check("login on tty1: root in", c.ok, c.text)
    if c.ok:
        a = c.run("tty")
        r.check("the terminal is /dev/tty1", "/dev/tty1" in a.text, a)
        c.close()
    a = w.console("root", ["wrong"])
    r.check("login on tty1, wrong password: refused", not a.ok, a)
    w.module = "pam_deny.so"
    w.stacks()
    a = w.ssh("alice", "sshd-keyonly")
    r.check("sshd, key only, account denies: refused", not a.ok, a)
    a = w.ssh("bob", "sshd", [world.PEOPLE["bob"][2]], key=False)
    r.check("sshd, right password, next line denies: refused", not a.ok, a)
    a = w.console("alice", [world.PEOPLE["alice"][2]])
    r.check("login on tty1 as a person, our line denies: refused", not a.ok, a)
    a = w.console("root", [world.ROOT_PASSWORD])
    r.check("login on tty1 as root passes by the rescue line: in", a.ok, a)
    a = w.console("root", [world.ROOT_PASSWORD], tty="pts")
    r.check("login on a pts as root: refused, a pts is no console", not a.ok, a)
    r.check("log lines arrive", "sshd" in w.read(world.LOGFILE), w.read(world.LOGFILE)[-300:])
    r.end()


main()
