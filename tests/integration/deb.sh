#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian package on a fresh Debian: two builds are the same, lintian is content, it
# installs, changes no login, upgrades, is removed, and is killed at every rename of both.
# Needs root, debootstrap and a Debian mirror; about four minutes. usage: deb.sh
set -u
cd "$(dirname "$0")/../.."
pass=0 fail=0

check() { # what command...
	what=$1
	shift
	if out=$("$@" 2>&1); then
		pass=$((pass + 1))
	else
		fail=$((fail + 1))
		echo "FAILED  $what"
		echo "$out" | { grep -A 3 FAILED || echo "$out" | tail -n 8; } | cut -c1-200
	fi
}

[ "$(id -u)" -eq 0 ] || { echo "deb: SKIP, needs root"; exit 77; }
tests/lib/deps lintian strace || exit 1
"${MAKE:-make}" -s deb >/dev/null || exit 1
first=$(sha256sum build/deb/vmsec_*.deb | cut -d' ' -f1)
changes=$(mktemp -d)
cp build/deb/*.deb build/deb/*.changes build/deb/*.buildinfo "$changes"
"${MAKE:-make}" -s deb >/dev/null || exit 1
check "two builds are the same" test "$first" = "$(sha256sum build/deb/vmsec_*.deb | cut -d' ' -f1)"
check "lintian is content" sh -c "lintian --fail-on error,warning '$changes'/*.changes"
rm -rf "$changes"

# VMSEC_DEB_ROOT=DIR keeps the fresh Debian for the next time.
root=${VMSEC_DEB_ROOT:-}
[ -n "$root" ] || { root=$(mktemp -d /var/tmp/vmsec-deb.XXXXXX) && trap 'rm -rf "$root"' EXIT; }
tests/lib/fresh-debian "$root" || { rc=$?; echo "deb: SKIP, no Debian to install"; exit "$rc"; }
rm -rf "$root/tmp/deb" && mkdir -p "$root/tmp/deb" && cp build/deb/vmsec_*.deb "$root/tmp/deb"
rm -f "$root/usr/local/bin/strace"
check "on a machine that systemd has booted: systemd.py" tests/integration/systemd.py "$root" build/deb/vmsec_*.deb
cat >"$root/tmp/deb/inside" <<'IN'
set -u
mount -t proc proc /proc 2>/dev/null
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
export DEBIAN_FRONTEND=noninteractive
IN
in_root() { # command...
	unshare -m -p --fork --kill-child chroot "$root" /bin/sh -c ". /tmp/deb/inside; $*"
}
deb=$(cd "$root" && ls tmp/deb/*.deb)

check "installs on a fresh Debian" in_root "apt-get update -q && apt-get install -y -q --no-install-recommends strace /$deb"
before=$(cat "$root"/etc/pam.d/* | sha256sum)
check "no PAM file names the module" sh -c "! grep -rl pam_vmsec '$root/etc/pam.d'"
check "two system users" in_root "getent passwd rbacd && getent passwd rbacd-dir"
check "modes: configuration 0640, folders 0750, key 0400, programs 0755" in_root '
	test "$(stat -c %a%G /etc/rbacd/rbacd.yaml)" = 640rbacd &&
	test "$(stat -c %a%G /etc/rbacd)" = 750rbacd &&
	test "$(stat -c %a%U /etc/rbacd/master.key)" = 400root &&
	test "$(stat -c %a%U /usr/sbin/rbacd)" = 755root'
check "the key has 64 digits" in_root 'test "$(wc -c </etc/rbacd/master.key)" -eq 64'
check "the list of common passwords is made" in_root "rbacctl blocklist info &&
	echo iloveyou123 | rbacctl blocklist check; test \$? -eq 1"
check "the programs start" in_root "rbacctl version && rbacd --help && rbacd-dir --help"
key=$(sha256sum <"$root/etc/rbacd/master.key")
check "pam enable" in_root "rbacctl pam enable --yes --no-login --within 1h sshd sudo su login && rm /etc/rbacd/pam/.pending"
check "an upgrade keeps the key and the lines" in_root "dpkg -i /$deb && grep -q pam_vmsec /etc/pam.d/sshd"
check "the same key" test "$key" = "$(sha256sum <"$root/etc/rbacd/master.key")"

# Whatever is killed: a file that names the module has a module that can be loaded.
sound() {
	for f in "$root"/etc/pam.d/*; do
		grep -q '^[^#]*pam_vmsec' "$f" || continue
		m=$(ls "$root"/usr/lib/*/security/pam_vmsec.so) || return 1
		chroot "$root" ldd "${m#"$root"}" >/dev/null || return 1
	done
}
unsound=0 n=0 killed=0
for step in "-i /$deb" "-r vmsec"; do
	for k in 1 2 3 5 8 12 16 20 24 28 32 36 40 44 48 52 56 60 64 68 72 76 80; do
		in_root "dpkg -i /$deb; grep -q pam_vmsec /etc/pam.d/sshd || { rbacctl pam enable --yes --no-login \
			--within 1h sshd && rm -f /etc/rbacd/pam/.pending; }" >/dev/null 2>&1
		in_root "strace -f -qq -o /dev/null -e trace=rename,unlink \
			-e inject=rename,unlink:signal=KILL:when=$k dpkg $step; test \$? -gt 0" >/dev/null 2>&1 &&
			killed=$((killed + 1))
		n=$((n + 1))
		sound || { unsound=$((unsound + 1)); echo "after dpkg $step killed at $k: a line without its module"; }
	done
done
check "dpkg killed at $killed of $n points: each line has its module" test "$unsound" -eq 0 -a "$killed" -gt 15
echo "deb: dpkg was killed $killed times"
in_root "dpkg --configure -a; dpkg -i /$deb; rbacctl pam enable --yes --no-login --within 1h sshd sudo; \
	rm -f /etc/rbacd/pam/.pending" >/dev/null 2>&1
in_root "echo 'account requisite pam_vmsec.so' >/etc/pam.d/mine" >/dev/null
check "removal is refused while a file names the module by hand" in_root "! apt-get remove -y vmsec"
check "and the module is still there" sh -c "ls '$root'/usr/lib/*/security/pam_vmsec.so"
rm -f "$root/etc/pam.d/mine"
check "removal takes our lines out first" in_root "apt-get remove -y vmsec && ! grep -rl pam_vmsec /etc/pam.d"
check "and every file is as it was" test "$before" = "$(cat "$root"/etc/pam.d/* | sha256sum)"
check "purge takes the key and the state" in_root "apt-get purge -y vmsec && test ! -e /etc/rbacd && test ! -e /var/lib/rbacd"
echo "deb: $pass passed, $fail failed"
[ "$fail" -eq 0 ]
