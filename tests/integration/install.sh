#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make install` into an empty folder: everything is there, nothing else is touched.
set -u
cd "$(dirname "$0")/../.."
dest=$(mktemp -d) || exit 1
trap 'rm -rf "$dest"' EXIT
pass=0 fail=0

check() { # what command...
	what=$1
	shift
	if "$@" >/dev/null 2>&1; then
		pass=$((pass + 1))
	else
		fail=$((fail + 1))
		echo "FAILED  $what"
	fi
}

only_libpam_and_libc() { # file
	! readelf -d "$1" | grep NEEDED | grep -v -e '\[libpam\.so' -e '\[libc\.so'
}

six_symbols() { # file
	[ "$(nm -D --defined-only "$1" | grep -c ' T pam_sm_')" -eq 6 ] &&
		[ "$(nm -D --defined-only "$1" | grep -c ' [A-Z] ')" -le 7 ]
}

# H5: what the flags left in the file: bound at once and read-only after, no stack that runs,
# no path for libraries of its own, canaries and checked calls of libc.
hardened() { # file
	readelf -hW "$1" | grep -q 'Type: *DYN' && readelf -dW "$1" | grep -q BIND_NOW &&
		readelf -lW "$1" | grep -q GNU_RELRO &&
		! readelf -lW "$1" | grep GNU_STACK | grep -q E &&
		! readelf -lW "$1" | grep LOAD | grep -q 'RWE' &&
		! readelf -dW "$1" | grep -q -e RPATH -e RUNPATH -e TEXTREL &&
		nm -D "$1" | grep -q __stack_chk_fail && nm -D "$1" | grep -q 'U __.*_chk'
}

# It leaves a stamp in /run; not in this machine's.
analyze() {
	command -v systemd-analyze >/dev/null || return 0
	if [ "$(id -u)" = 0 ]; then
		unshare -m sh -c 'mount -t tmpfs run /run && exec systemd-analyze "$@"' sh "$@"
	else
		systemd-analyze "$@"
	fi
}

# The units name what was installed, and systemd understands every line of them.
units() {
	d=$dest/opt/v/lib/systemd/system
	! grep -r '@[A-Z]*@' "$dest/opt/v/lib" && grep -q '^ExecStart=/opt/v/sbin/rbacd ' "$d/rbacd.service" &&
		sed -i "s|\([=+]\)/opt/v|\1$dest/opt/v|" "$d"/*.service || return 1
	said=$(analyze verify --man=no "$d"/rbacd* 2>&1)
	[ -z "$(echo "$said" | grep -F -e "$d" -e rbacd | grep -v -e 'Failed to open /dev/tty')" ] || {
		echo "$said"
		false
	}
}

# H1: how much systemd thinks is left open; lower is better.
exposure() { # unit, at most, in tenths
	analyze security --offline=true --no-pager --threshold="$2" \
		"$dest/opt/v/lib/systemd/system/$1"
}

completions() {
	bash -n "$dest/opt/v/share/bash-completion/completions/rbacctl" &&
		grep -q '^#compdef rbacctl' "$dest/opt/v/share/zsh/vendor-completions/_rbacctl"
}

# Nothing is taken away while a PAM file needs it; then all but the configuration.
uninstalled() {
	un="${MAKE:-make} -s uninstall DESTDIR=$dest PREFIX=/opt/v PAMDIR=/lib/sec"
	mkdir "$dest/etc/pam.d" && echo 'auth requisite pam_vmsec.so' >"$dest/etc/pam.d/x" || return 1
	! $un && [ -e "$dest/lib/sec/pam_vmsec.so" ] && rm -r "$dest/etc/pam.d" && $un &&
		[ "$(cd "$dest" && find . -type f)" = ./etc/rbacd/rbacd.yaml ]
}

kept() {
	echo 'rbacd: 1 # mine' >"$dest/etc/rbacd/rbacd.yaml"
	${MAKE:-make} -s install DESTDIR="$dest" PREFIX=/opt/v PAMDIR=/lib/sec &&
		grep -q mine "$dest/etc/rbacd/rbacd.yaml"
}

check "make install" ${MAKE:-make} -s install DESTDIR="$dest" PREFIX=/opt/v PAMDIR=/lib/sec
for f in lib/sec/pam_vmsec.so opt/v/sbin/rbacd opt/v/sbin/rbacd-dir opt/v/bin/rbacctl \
	etc/rbacd/rbacd.yaml opt/v/share/doc/vmsec/README.md \
	opt/v/lib/systemd/system/rbacd.service opt/v/lib/systemd/system/rbacd-dir.service \
	opt/v/share/vmsec/policy.schema.json opt/v/share/vmsec/common-passwords opt/v/share/vmsec/examples/standalone.yaml \
	opt/v/lib/sysusers.d/rbacd.conf opt/v/lib/tmpfiles.d/rbacd.conf; do
	check "$f is installed" test -f "$dest/$f"
done
for f in sshd login sudo su sshd_config.conf; do
	check "example $f is installed" test -f "$dest/opt/v/share/doc/vmsec/pam.d/$f"
done
for f in docs/man/*.[1-8]; do
	check "$f is installed" test -f "$dest/opt/v/share/man/man${f##*.}/${f##*/}"
done
check "nothing lands in /etc/pam.d" test ! -e "$dest/etc/pam.d"
check "a configuration that is there is kept" kept
check "B3 P11 the module needs libpam and libc only" only_libpam_and_libc "$dest/lib/sec/pam_vmsec.so"
check "P20 six exported symbols" six_symbols "$dest/lib/sec/pam_vmsec.so"
for f in lib/sec/pam_vmsec.so opt/v/sbin/rbacd opt/v/sbin/rbacd-dir opt/v/bin/rbacctl; do
	check "H5 $f is built as it should" hardened "$dest/$f"
done
check "units" units
check "H1 rbacd.service leaves 0.5 open at most" exposure rbacd.service 5
check "H1 rbacd-dir.service leaves 1.6 open at most" exposure rbacd-dir.service 16
command -v systemd-analyze >/dev/null || echo "install: systemd-analyze is missing: units are not verified"
check "completions" completions
check "uninstall" uninstalled
echo "install: $pass passed, $fail failed"
[ "$fail" -eq 0 ]
