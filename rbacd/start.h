/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start.h - from a process of root, or of somebody who was handed bound sockets, to one
 * of rbacd's own account with sockets and keys.
 */
#pragma once

#include "rbacd/activation.h"
#include "rbacd/directory/local.h"
#include "rbacd/keys/keyring.h"
#include "rbacd/server.h"

struct start {
	const char *key_file; /* borrowed */
	char *const *envp;    /* borrowed; of main() */
	struct keyring keys;
	struct sockets sockets; /* owned by who listens on them */
	int supervisor;		/* for activation_ready(), which closes it */
	struct local_account self, dir;
};

#define START_INIT                                                                     \
	{                                                                              \
		.keys = KEYRING_INIT, .sockets = SOCKETS_INIT, .supervisor = -1        \
	}
void start_done(struct start *start); /* wipes the keys */

/*
 * start_up() - everything that comes before the first byte from outside; ends as the
 * unprivileged user for good. @server: its configuration is there; gets hook and
 * signer. Return: 0; negative errno with a diagnostic.
 */
_must_check_ int start_up(struct server *server, struct start *start,
			  struct diags *diag);
