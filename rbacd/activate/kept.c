/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c - the canonical form of a policy as a file. */

#include "rbacd/activate/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#define KEPT_NAME "policy.active"

static int print_to(int fd, const struct policy *policy)
{
	FILE *out = fdopen(fd, "w");
	int r;

	if (!out) {
		r = -errno;
		(void)close(fd); /* nothing was written */
		return r;
	}
	r = policy_print(policy, out);
	/* Not flushed to the disk: what a crash takes is only not compared with. */
	if (fclose(out) != 0 && r == 0)
		r = -EIO;
	return r;
}

static bool path_of(const char *dir, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s/" KEPT_NAME, dir) < PATH_MAX;
}

bool kept_is_there(const char *dir)
{
	char path[PATH_MAX];

	return path_of(dir, path) && access(path, F_OK) == 0;
}

int kept_write(const char *dir, const struct policy *policy)
{
	char path[PATH_MAX], temp[PATH_MAX + 8];
	int fd, r;

	if (!path_of(dir, path))
		return -ENAMETOOLONG;
	(void)snprintf(temp, sizeof(temp), "%s.new", path); /* fits */
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = print_to(fd, policy);
	if (r == 0 && rename(temp, path) != 0)
		r = -errno;
	if (r != 0)
		(void)unlink(temp); /* the first error is the one to tell */
	return r;
}

int kept_read(const char *dir, const char *sha, const struct policy_host *host,
	      struct policy **ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_policy_ struct policy *policy = NULL;
	char path[PATH_MAX];

	if (!path_of(dir, path) || policy_load(path, host, &policy, &diag) != 0 ||
	    !str_eq(policy_sha256(policy), sha))
		return -ENOENT;
	*ret = STEAL(policy);
	return 0;
}

int kept_nothing(const struct policy_host *host, struct policy **ret)
{
	static const char text[] = "vmsec_policy: 1\n";
	const struct policy_source src = {"nothing", text, sizeof(text) - 1};
	_cleanup_diags_ struct diags diag = DIAGS_INIT;

	return policy_load_sources(&src, 1, host, ret, &diag) == 0 ? 0 : -ENOMEM;
}
