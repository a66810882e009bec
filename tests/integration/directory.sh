#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rbacd-dir and rbacd for real: own passwd, group and nsswitch.conf in a private mount and
# process namespace, a name service module that hangs, kills of both. Needs root.
# usage: directory.sh [VARIANT]
set -u
cd "$(dirname "$0")/../.." || exit 1
variant=${1:-release}

if [ "$(id -u)" != 0 ]; then
	echo "directory.sh: skipped: needs root"
	exit 77
fi
if [ "${DIRECTORY_INSIDE:-}" != 1 ]; then
	# Its own processes end with the namespace, whatever happens here.
	DIRECTORY_INSIDE=1 exec timeout -k 5 120 \
		tests/lib/private "$PWD/tests/integration/directory.sh" "$@"
fi

bin=$PWD/build/$variant
tmp=$(mktemp -d)
passed=0
failed=0

ok() { passed=$((passed + 1)); }
not_ok() {
	failed=$((failed + 1))
	echo "FAILED: $*"
}
# want TEXT COMMAND...: the command's output must hold TEXT.
want() {
	local text=$1 out
	shift
	out=$("$@" 2>&1)
	if [[ $out == *"$text"* ]]; then ok; else not_ok "'$*' lacks '$text': $out"; fi
}
# until_true SECONDS COMMAND...
until_true() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >"$tmp/out" 2>&1; do
		[ $SECONDS -ge $end ] && return 1
		read -rt 0.1 <> <(:)
	done
	return 0
}
millis() { echo $(($(date +%s%N) / 1000000)); }

mount -t tmpfs -o mode=755 tmpfs /run
mkdir "$tmp/etc" "$tmp/state" "$tmp/lib"
chmod 755 "$tmp" "$tmp/lib"

cat >"$tmp/etc/passwd" <<END
root:x:0:0:root:/root:/bin/sh
svc:x:500:500::/:/bin/sh
rbacd:x:901:901::/:/usr/sbin/nologin
rbacd-dir:x:902:902::/:/usr/sbin/nologin
alice:x:2001:2001::/:/bin/sh
bob:x:2002:2002::/:/bin/sh
odd line
END
cat >"$tmp/etc/group" <<END
root:x:0:
admins:x:3001:alice
staff:x:3002:alice,bob
alice:x:2001:
bob:x:2002:
END
cat >"$tmp/etc/nsswitch.conf" <<END
passwd: files hang
group: files
END
for f in passwd group nsswitch.conf; do
	mount --bind "$tmp/etc/$f" "/etc/$f" || exit 1
done
mkdir -p "$tmp/etc/rbacd/policy.d"
head -c 32 /dev/urandom >"$tmp/etc/rbacd/master.key"
chmod 600 "$tmp/etc/rbacd/master.key"

# The module: names that begin with "hang" never come back, "evil" claims uid 0.
cat >"$tmp/hang.c" <<END
#include <nss.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>
enum nss_status _nss_hang_getpwnam_r(const char *name, struct passwd *pw, char *buf,
				     size_t len, int *err);
enum nss_status _nss_hang_getpwnam_r(const char *name, struct passwd *pw, char *buf,
				     size_t len, int *err)
{
	(void)err;
	if (strncmp(name, "hang", 4) == 0)
		for (;;)
			pause();
	if (strncmp(name, "crash", 5) == 0)
		__builtin_trap();
	if (strcmp(name, "evil") != 0 && strcmp(name, "carol") != 0)
		return NSS_STATUS_NOTFOUND;
	if (len < 64)
		return NSS_STATUS_TRYAGAIN;
	strcpy(buf, name);
	pw->pw_name = buf;
	pw->pw_passwd = pw->pw_gecos = pw->pw_dir = pw->pw_shell = buf;
	pw->pw_uid = strcmp(name, "evil") == 0 ? 0 : 5001;
	pw->pw_gid = 3002;
	return NSS_STATUS_SUCCESS;
}
END
${CC:-cc} -shared -fPIC -O1 -o "$tmp/lib/libnss_hang.so.2" "$tmp/hang.c" || exit 1

cat >"$tmp/etc/rbacd/policy.d/a.yaml" <<END
vmsec_policy: 1
vm_sets:
  here: {every: true}
roles:
  viewer: {privileges: [ssh]}
  operator: {includes: [viewer], privileges: [sudo]}
grants:
  - {id: admins, to: [admins], roles: [operator], vms: [here], when: {mfa: none}}
  - {id: staff, to: [staff], roles: [viewer], vms: [here], when: {mfa: none}}
  - {id: late, to: [late], roles: [viewer], vms: [here], when: {mfa: none}}
END

config() { # SOURCE
	cat >"$tmp/etc/rbacd/rbacd.yaml" <<END
rbacd: 1
vm: {name: here.example}
policy: $tmp/etc/rbacd/policy.d
state: $tmp/state/db
run: /run/rbacd
key: $tmp/etc/rbacd/master.key
directory: {source: $1, people: $tmp/etc/rbacd/people.yaml}
END
}

start_rbacd() {
	"$bin/rbacd" --config "$tmp/etc/rbacd/rbacd.yaml" 2>>"$tmp/rbacd.log" &
	rbacd=$!
}
start_dir() {
	LD_LIBRARY_PATH=$tmp/lib "$bin/rbacd-dir" --config "$tmp/etc/rbacd/rbacd.yaml" \
		2>>"$tmp/dir.log" &
	dir=$!
}
ctl() { timeout 10 "$bin/rbacctl" "$1" --config "$tmp/etc/rbacd/rbacd.yaml" "${@:2}"; }
connected() { grep -q "rbacd-dir is connected" "$tmp/rbacd.log"; }
explain() { ctl explain "$1" here.example "$2"; }
verdict() { explain "$1" "$2" 2>&1 | grep -qi "$3"; }

config nss
start_rbacd
start_dir
until_true 10 connected || not_ok "no connection: $(cat "$tmp/rbacd.log" "$tmp/dir.log")"

# Who it is and what it may not do any more.
status=$(cat "/proc/$dir/status")
[[ $status == *"Uid:	902	902	902	902"* ]] && ok || not_ok "uid: $status"
[[ $status == *"CapEff:	0000000000000000"* ]] && ok || not_ok "capabilities"
[[ $status == *"NoNewPrivs:	1"* ]] && ok || not_ok "no_new_privs"
# rbacd's group alone, for what it may read of /etc/rbacd.
[[ $status == *"Groups:	901 "$'\n'* ]] && ok || not_ok "groups: ${status#*Groups:}"

# A group that is made later: the report ends with the reason for it.
problem() { [ "$(ctl status | grep -c 'group late, which does not exist')" -eq "$1" ]; }
until_true 5 problem 2 && ok || not_ok "a missing group is not reported: $(ctl status 2>&1)"
echo "late:x:3009:" >>/etc/group
ctl reload >/dev/null
until_true 5 problem 0 && ok || not_ok "the report of a missing group stays: $(ctl status)"

until_true 5 verdict alice sudo allow && ok || not_ok "alice sudo: $(cat "$tmp/out")"
want ALLOW explain bob ssh
want DENY explain bob sudo
want DENY explain nobody-here ssh
want ALLOW explain carol ssh # from the module, by her primary group
want DENY explain evil ssh

# A person leaves a group: seen after the entry's ten seconds, without a restart.
sed 's/^admins:.*/admins:x:3001:/' "$tmp/etc/group" >"$tmp/g" && cat "$tmp/g" >"$tmp/etc/group"
gone() { explain alice sudo 2>&1 | grep -qi deny; }
until_true 14 gone && ok || not_ok "alice still in admins"

# Three hanging names at once take all children; others are answered again soon.
for i in 1 2 3; do explain "hang$i" ssh >/dev/null 2>&1 & hung[i]=$!; done
start=$(millis)
wait "${hung[@]}"
took=$(($(millis) - start))
[ $took -lt 4000 ] && ok || not_ok "hanging names took $took ms"
until_true 5 verdict bob ssh allow
want ALLOW explain bob ssh
grep -q "killed and replaced" "$tmp/dir.log" && ok || not_ok "no child was killed"
kill -0 "$dir" && ok || not_ok "rbacd-dir is gone"

# One hanging name beside another that works.
explain hang9 ssh >/dev/null 2>&1 &
hung=$!
start=$(millis)
want DENY explain new-name ssh
took=$(($(millis) - start))
[ $took -lt 1000 ] && ok || not_ok "a name waited $took ms for another's"
wait $hung

# A module that crashes takes a child along, not the process.
want DENY explain crash1 ssh
kill -0 "$dir" && ok || not_ok "rbacd-dir died with its child"

# kill -9: people seen lately stay; a stranger waits as for a look-up, for it may only be
# restarted, and the next ones are denied at once; it comes back.
want ALLOW explain bob ssh
kill -9 "$dir"
wait "$dir" 2>/dev/null
lost() { grep -q "link to rbacd-dir is lost" "$tmp/rbacd.log"; }
until_true 5 lost && ok || not_ok "rbacd did not notice"
want ALLOW explain bob ssh
want DENY explain never-seen ssh
start=$(millis)
want DENY explain nor-this-one ssh
took=$(($(millis) - start))
[ $took -lt 1000 ] && ok || not_ok "waited $took ms for a dead rbacd-dir"
want ALLOW explain bob ssh
: >"$tmp/rbacd.log"
start_dir
until_true 5 connected && ok || not_ok "no reconnection after kill -9"

# rbacd goes and comes: rbacd-dir finds it again by itself.
kill "$rbacd"
wait "$rbacd" 2>/dev/null
: >"$tmp/rbacd.log"
start_rbacd
until_true 5 connected && ok || not_ok "no reconnection after rbacd's restart"

# A stranger may not be rbacd-dir, even if he can reach the socket.
kill "$dir"
wait "$dir" 2>/dev/null
chmod 666 /run/rbacd/dir/dir.sock
setpriv --reuid 2001 --regid 2001 --clear-groups /usr/bin/python3 - <<'END'
import socket
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect("/run/rbacd/dir/dir.sock")
raise SystemExit(s.recv(1) != b"")
END
[ $? = 0 ] && ok || not_ok "a stranger was not hung up on"
grep -q "is not rbacd-dir" "$tmp/rbacd.log" && ok || not_ok "a stranger was not logged"

# Source file: whole, all or nothing, no system account, no local login.
kill "$rbacd"
wait "$rbacd" 2>/dev/null
config file
people() { cat >"$tmp/p" && mv "$tmp/p" "$tmp/etc/rbacd/people.yaml"; }
people <<END
vmsec_people: 1
people:
  - {login: dora, id: "hr:17", uid: 7001, groups: [admins, unused]}
  - {login: alice, id: "hr:18", uid: 7002, groups: [admins]}
  - {login: sys, id: "hr:19", uid: 999, groups: [admins]}
  - {login: erik, id: "hr:20", uid: 7003, groups: [admins], disabled: true}
END
: >"$tmp/rbacd.log"
start_rbacd
start_dir
until_true 10 connected && ok || not_ok "source file: no connection"
until_true 5 verdict dora sudo allow
want ALLOW explain dora sudo
want DENY explain alice sudo
want DENY explain sys sudo
want DENY explain erik sudo
people <<END
vmsec_people: 1
people:
  - {login: dora, id: "hr:17", uid: 7001, groops: [admins]}
END
refused() { grep -q "people file is refused" "$tmp/rbacd.log"; }
until_true 5 refused && ok || not_ok "a broken people file was not reported"
want ALLOW explain dora sudo
grep -q "did you mean 'groups'" "$tmp/dir.log" && ok || not_ok "no hint for a misspelling"
people <<END
vmsec_people: 1
people:
  - {login: dora, id: "hr:17", uid: 7001, groups: []}
END
gone() { explain dora sudo 2>&1 | grep -qi deny; }
until_true 5 gone && ok || not_ok "dora still in admins"

[ $failed -gt 0 ] && tail -n 20 "$tmp/rbacd.log" "$tmp/dir.log"
kill "$dir" "$rbacd"
wait "$dir" && ok || not_ok "rbacd-dir ended with an error"
wait "$rbacd"
rm -rf "$tmp"
echo "directory: $passed passed, $failed failed"
[ $failed = 0 ]
