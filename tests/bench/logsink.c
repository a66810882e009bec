/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logsink.c - reads /dev/log and forgets it, as cheaply as possible.
 *
 * Without a reader libc's syslog() falls back to the console, which slows every PAM
 * module; a reader in an interpreter would take a core from what is measured.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/bench/measure.h"

int main(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char buf[65536];

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    chmod(a.sun_path, 0666) != 0)
		die("/dev/log: %s", strerror(errno));
	for (;;)
		if (recv(fd, buf, sizeof(buf), 0) < 0 && errno != EINTR)
			die("recv: %s", strerror(errno));
}
