#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The RPM package, as far as Debian's tools go: two builds are the same, rpmlint has no
# error, the scripts are shell, the files, modes and links are those of `make install`, and
# it installs into a root of its own and is removed again. Needs root; about a minute.
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
		echo "$out" | tail -n 8 | cut -c1-200
	fi
}

tests/lib/deps rpm rpmlint || exit 1
MAKE=${MAKE:-make}
$MAKE -s rpm >/dev/null || exit 1
rpm=$(ls build/rpm/RPMS/*/vmsec-*.rpm)
first=$(sha256sum <"$rpm")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp "$rpm" "$work"
$MAKE -s rpm >/dev/null || exit 1
rpm=$(ls build/rpm/RPMS/*/vmsec-*.rpm)
check "two builds are the same" test "$first" = "$(sha256sum <"$rpm")"
check "rpmlint finds no error" sh -c "rpmlint --rpmlintrc rbacd/dist/rpm/vmsec.rpmlintrc '$rpm' rbacd/dist/rpm/vmsec.spec >'$work/lint'; cat '$work/lint'
	grep -q ' 0 errors' '$work/lint'"

script() { # name
	rpm -qp --qf "%{$1}" "$rpm" >"$work/$1" 2>/dev/null && [ -s "$work/$1" ] && sh -n "$work/$1"
}
for s in POSTIN PREUN POSTUN; do
	check "$s is shell" script $s
done

# Into a root of its own: no scripts of ours run on this machine.
root=$work/root
put() {
	mkdir -p "$root" && rpm --root "$root" --initdb &&
		rpm --root "$root" --nodeps --noscripts --nosignature -i "$rpm"
}
check "installs" put
same_files() {
	dest=$work/dest
	libdir=$(rpm -E '%{_libdir}')
	$MAKE -s install DESTDIR="$dest" PAMDIR="$libdir/security" \
		ZSHCOMPDIR=/usr/share/zsh/site-functions >/dev/null || return 1
	(cd "$dest" && find . -type f | sed 's/\.gz$//' | sort) >"$work/want"
	(cd "$root" && find . -type f ! -path './var/lib/rpm/*' ! -path './root/*' |
		sed 's/\.gz$//' | sort) >"$work/got"
	diff "$work/want" "$work/got"
}
check "the files of make install, and no others" same_files
check "modes" sh -c "cd '$root' && test \"\$(stat -c %a usr/sbin/rbacd)\" = 755 &&
	! find usr -type f -perm /022 | grep . && ! find . -perm /6000 | grep ."
check "the module needs libpam and libc alone" sh -c "! readelf -d '$root'/usr/lib*/security/pam_vmsec.so \
	'$root'/usr/lib/*/security/pam_vmsec.so 2>/dev/null | grep NEEDED |
	grep -v -e 'libpam\.so' -e 'libc\.so'"

# The script that runs before a removal, over PAM files of its own.
removal() { # file's text; status wanted
	mkdir -p "$work/pam" && rm -f "$work/pam/"* && printf '%s\n' "$1" >"$work/pam/x" &&
		sed "s|/etc/pam.d|$work/pam|" "$work/PREUN" >"$work/preun" || return 1
	sh "$work/preun" 0 </dev/null >/dev/null 2>&1
	[ $? -eq "$2" ]
}
sed -i '/systemctl/d' "$work/PREUN"
check "removal stops while a file names the module" removal 'auth requisite pam_vmsec.so' 1
check "removal goes on when none does" removal 'auth requisite pam_unix.so' 0
check "is removed" rpm --root "$root" --nodeps --noscripts -e vmsec
check "nothing is left but folders" sh -c "! find '$root' -type f ! -path '*/var/lib/rpm/*' ! -path '*/root/.rpmdb/*' | grep ."
echo "rpm: $pass passed, $fail failed"
[ "$fail" -eq 0 ]
