/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activation.h - sockets that a supervisor has bound: systemd.socket(5), or anybody who
 * speaks its protocol. They outlive rbacd, so logins wait in them over a restart.
 */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

struct sockets {
	int pam, admin, user, dir;
};

#define SOCKETS_INIT                                                                   \
	{                                                                              \
		.pam = -1, .admin = -1, .user = -1, .dir = -1                          \
	}

/*
 * activation_take() - descriptors 3 and up, when @envp says LISTEN_PID (ours),
 * LISTEN_FDS=4 and LISTEN_FDNAMES with pam, admin, user and dir.
 * @run_dir: each has to be bound to its own path below; else another socket's peers
 * would be taken for root's.
 * Return: 1 and *ret, non-blocking and close-on-exec; 0: none were passed; negative
 * errno with a diagnostic.
 */
_must_check_ int activation_take(char *const *envp, const char *run_dir,
				 struct sockets *ret, struct diags *diag);

/*
 * activation_supervisor() - reach who wants to hear that we are ready: NOTIFY_SOCKET of
 * @envp, see sd_notify(3). Return: descriptor, for activation_ready(); -1: nobody.
 */
int activation_supervisor(char *const *envp);
/* activation_ready() - tell it, and close @fd; -1: nothing to do. */
void activation_ready(int fd);
