#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `make demo` shows. KEEP=1: stay afterwards, to try by hand.
set -eu
cd "$(dirname "$0")/../.."
if [ "$(id -u)" -ne 0 ]; then
	echo "make demo needs root: it makes namespaces and starts a real sshd in them." >&2
	exit 1
fi
exec tests/integration/demo.py ${KEEP:+keep}
