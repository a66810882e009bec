/* SPDX-License-Identifier: Apache-2.0 */
/* population_open.c - the people of a people file and of /etc/passwd as a population.
 */
#include <errno.h>
#include <time.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/population.h"
#include "rbacd/directory/file.h"
#include "rbacd/keys/keyring.h"
#include "rbacd/targets.h"

static int take(int fd, struct snapshot **ret)
{
	int r = snapshot_from_fd(fd, ret);

	(void)close(fd); /* the snapshot has its own */
	return r == SNAPSHOT_E_INVALID ? -EBADMSG : r;
}

static void count_left_out(void *arg, const char *text)
{
	struct population *pop = arg;

	(void)text; /* rbacd-dir logs each; here their number makes it incomplete */
	pop->n_left_out++;
}

/* Without one: the accounts of this host alone. */
static int read_local(int64_t now_s, struct population *pop)
{
	size_t skipped;
	int fd, r = file_build_local("/etc/passwd", now_s, &fd, &skipped);

	return r == 0 ? take(fd, &pop->local) : r;
}

int population_read(const char *path, const struct policy *const *policies, size_t n,
		    int64_t now_s, struct population *ret, struct diags *diag)
{
	_cleanup_population_ struct population pop = {.source = "file",
						      .whole = true,
						      .now_s = now_s,
						      .max_stale_s = INT64_MAX};
	_cleanup_snapshot_ struct snapshot *targets = NULL;
	struct file_input in = {.path = path,
				.now_s = now_s,
				.problem = count_left_out,
				.arg = &pop};
	int fd, r = n == 1 ? targets_build(policies[0], NULL, false, &fd) : -EINVAL;

	if (r == 0)
		r = take(fd, &targets);
	if (r == 0)
		r = read_local(now_s, &pop);
	if (r != 0)
		return r;
	in.targets = targets;
	in.local = pop.local;
	r = file_build(&in, &fd, diag);
	if (r == 0)
		r = take(fd, &pop.people);
	if (r != 0)
		return r;
	*ret = pop;
	pop = (struct population)POPULATION_INIT;
	return 0;
}

/* Without the key, or before rbacd has kept anything, nobody is known. */
static void read_ldap(const struct ctl *ctl, struct population *pop)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct store_options opt = {.read_only = true};
	struct store *store = NULL;
	struct seal *seal = NULL;
	char path[4096];

	opt.path = config_db_path(ctl->config, path, sizeof(path));
	if (store_open(&opt, &store, &diag) == 0 &&
	    keyring_seal(ctl->config->key_file, ctl_rbacd_uid(ctl), store, &seal,
			 &diag) == 0 &&
	    population_kept(ctl->config->state_dir, seal, &pop->people) == 0)
		pop->whole = true;
	store_close(store);
	seal_free(seal);
	pop->max_stale_s = ctl->config->max_stale_s;
}

int population_open(struct ctl *ctl, const struct ctl_args *args,
		    const struct policy *const *policies, size_t n,
		    struct population *ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const char *path = ctl_arg(args, "people");
	int64_t now_s = (int64_t)time(NULL);
	int r;

	if (!path && ctl->config && ctl->config->source == CONFIG_SOURCE_FILE)
		path = ctl->config->people;
	if (path) {
		r = population_read(path, policies, n, now_s, ret, &diag);
		diags_print(&diag, ctl->err);
		return r == 0 ? 0
			      : ctl_fail(ctl, CTL_NO,
					 "the people file %s cannot be used.", path);
	}
	/* Source nss: nobody can list its people. Local accounts are a part, and
	 * people_make() says that the rest is missing. */
	*ret = (struct population){.source = "nss", .now_s = now_s};
	if (ctl->config && ctl->config->source == CONFIG_SOURCE_LDAP) {
		(void)snprintf(ret->source, sizeof(ret->source), "ldap"); /* fits */
		read_ldap(ctl, ret);
	}
	return read_local(now_s, ret) == 0
		       ? 0
		       : ctl_fail(ctl, CTL_NO, "/etc/passwd cannot be read: %m");
}

void people_warn(struct ctl *ctl, const struct people *people)
{
	if (!people->complete)
		(void)ctl_fail(ctl, CTL_INCOMPLETE, "incomplete: %s",
			       people->why); /* the caller's status */
}
