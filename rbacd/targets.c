/* SPDX-License-Identifier: Apache-2.0 */
/* targets.c - the groups of a policy for rbacd-dir. */

#include "rbacd/targets.h"

#include <errno.h>

#include "rbacd/directory/snapshot.h"

static int add_group(struct snapshot_builder *b, const struct policy_group *g,
		     bool pins)
{
	struct snapshot_group n = {.name = g->name,
				   .dn = g->dn ? g->dn : "",
				   .pin = g->id ? g->id : "",
				   .id = "",
				   .complete = true};
	int r;

	if ((g->dn || g->id) && !pins)
		return 0;
	r = snapshot_add_found(b, &n, NULL);
	return r == -EINVAL ? 0 : r; /* a dn or id that is too long */
}

/* Nobody else may take the login of somebody whom the policy pins. */
static int add_person(struct snapshot_builder *b, struct policy_user u)
{
	struct snapshot_account a = {.login = u.login, .id = u.id, .uid = UINT32_MAX};
	int r = u.id ? snapshot_add_account(b, &a) : 0;

	return r == -EINVAL ? 0 : r; /* an id that no account can have */
}

/* A block has one group of a name: of two that are bound differently the active
 * policy's counts, and the other stays unknown. */
static bool asks_for(const struct policy *p, const struct policy_group *g)
{
	uint32_t i;

	return p && policy_group_find(p, g->name, &i) == 0;
}

int targets_build(const struct policy *p, const struct policy *also, bool pins,
		  int *ret_fd)
{
	_cleanup_builder_ struct snapshot_builder *b = NULL;
	size_t n_groups = p ? policy_group_count(p) : 0;
	size_t n_also = also ? policy_group_count(also) : 0;
	size_t n_users = p && pins ? policy_user_count(p) : 0;
	int r = snapshot_builder_new("targets", 0, &b);

	for (size_t i = 0; r == 0 && i < n_groups; i++)
		r = add_group(b, policy_group_at(p, i), pins);
	for (size_t i = 0; r == 0 && i < n_also; i++)
		if (!asks_for(p, policy_group_at(also, i)))
			r = add_group(b, policy_group_at(also, i), pins);
	for (size_t i = 0; r == 0 && i < n_users; i++)
		r = add_person(b, policy_user_at(p, i));
	return r == 0 ? snapshot_build_fd(b, ret_fd) : r;
}
