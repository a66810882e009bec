#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The package made and used on other systems, with their compiler, libraries, systemd, sshd
# and sudo. Needs root, cgroup v2, debootstrap and mirrors; about six minutes each.
# usage: distro.sh SUITE...    for example trixie (Debian 13), noble (Ubuntu 24.04)
set -u
cd "$(dirname "$0")/../.."
pass=0 fail=0

check() { # what command...
	what="$suite: $1"
	shift
	if out=$("$@" 2>&1); then
		pass=$((pass + 1))
		echo "ok      $what"
	else
		fail=$((fail + 1))
		echo "FAILED  $what"
		echo "$out" | { grep -A 3 FAILED || echo "$out" | tail -n 8; } | cut -c1-200
	fi
}

within() { # command: inside the system, whose /run and processes are its own
	unshare -m -p -f --kill-child --propagation private sh -c '
		mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
			mount -t tmpfs -o mode=755 tmpfs "$1/run" && cp -L /etc/resolv.conf "$1/etc" &&
			exec chroot "$1" env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
				PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -ec "cd /src; $2"' sh "$root" "$1"
}

[ "$(id -u)" -eq 0 ] || { echo "distro: SKIP, needs root"; exit 77; }
for suite; do
	# VMSEC_DISTROS=DIR keeps the fresh systems for the next time.
	root=${VMSEC_DISTROS:+$VMSEC_DISTROS/$suite}
	[ -n "$root" ] || { root=$(mktemp -d /var/tmp/vmsec-distro.XXXXXX) && trap 'rm -rf "$root"' EXIT; }
	tests/lib/fresh-debian "$root" "$suite" || { echo "distro: SKIP, no $suite to install"; exit 77; }
	rm -rf "$root/src" "$root"/vmsec* && mkdir "$root/src"
	git archive HEAD | tar -x -C "$root/src" && cp -r rbacd/dist/deb "$root/src/debian"
	check "what it is built from is there" within \
		"apt-get update; apt-get install -y build-essential libcmocka-dev openssl tzdata cracklib-runtime; apt-get build-dep -y ."
	check "builds without a warning" within "make -s -j2 WERROR=-Werror all"
	check "unit tests, sanitized" within "make -s -j2 WERROR=-Werror VARIANT=asan unit"
	check "the package" within "dpkg-buildpackage -b -us -uc"
	check "on a machine that systemd has booted: systemd.py" \
		tests/integration/systemd.py "$root" "$root"/vmsec_*.deb
	[ -n "${VMSEC_DISTROS:-}" ] || rm -rf "$root"
done
echo "distro: $pass passed, $fail failed"
[ "$fail" -eq 0 ]
