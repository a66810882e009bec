/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - the door behind a start: paths and ports first, then the system calls. */

#include "rbacd/sandbox/sandbox.h"

#include "rbacd/sandbox/landlock.h"
#include "rbacd/sandbox/seccomp.h"

int sandbox_enter(const struct sandbox *box, struct sandbox_state *ret,
		  struct diags *diag)
{
	struct sandbox_state state = {0};
	int rc;

	*ret = state;
	if (box->mode == SANDBOX_OFF)
		return 0;
	rc = landlock_install(box);
	if (rc >= 0) {
		state.landlock = rc;
		rc = seccomp_install(box->profile, box->mode);
	}
	if (rc < 0) {
		diags_add(diag, NULL, 0, 0, NULL,
			  "the sandbox cannot be installed: %s; 'sandbox: off' in "
			  "rbacd.yaml does without",
			  strerrordesc_np(-rc));
		return rc;
	}
	state.calls = rc > 0;
	*ret = state;
	return 0;
}

const char *sandbox_parent(const char *path, char *buf, size_t cap)
{
	const char *end = strrchr(path, '/');
	size_t len = end && end > path ? (size_t)(end - path) : 1;

	(void)snprintf(buf, cap, "%.*s", (int)len, end ? path : ".");
	return buf;
}

const char *sandbox_describe(const struct sandbox_state *state, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "system calls %s, landlock %d",
		       state->calls ? "listed" : "not listed", state->landlock);
	return buf;
}
