/* SPDX-License-Identifier: Apache-2.0 */
/* privileges.c - every privilege that can be asked about, with the targets of su. */
#include <errno.h>

#include "policy/model.h"
#include "policy/reach.h"

struct policy_privileges {
	struct arena arena;
	struct names texts; /* "ssh", "su:postgres" */
	struct policy_privilege *v;
};

struct text_vec {
	const char **v; /* owned by the arena */
	size_t n, cap;
};

static int add(struct policy_privileges *privs, struct text_vec *vec, const char *su,
	       const char *text)
{
	size_t len = strlen(su) + strlen(text);
	char *copy = arena_alloc(&privs->arena, len + 1);

	if (vec->n == vec->cap) {
		size_t cap = vec->cap ? 2 * vec->cap : 64;
		const char **grown = arena_array(&privs->arena, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		if (vec->n > 0)
			memcpy(grown, vec->v, vec->n * sizeof(*grown));
		vec->v = grown;
		vec->cap = cap;
	}
	if (!copy)
		return -ENOMEM;
	(void)snprintf(copy, len + 1, "%s%s", su, text); /* fits */
	vec->v[vec->n++] = copy;
	return 0;
}

static int add_targets(struct policy_privileges *privs, struct text_vec *vec,
		       const struct text_list *su)
{
	int r = 0;

	for (uint32_t i = 0; i < su->n && r == 0; i++)
		r = add(privs, vec, "su:", su->v[i]);
	return r;
}

static int add_policy(struct policy_privileges *privs, struct text_vec *vec,
		      const struct policy *p)
{
	int r = 0;

	for (uint32_t i = 0; i < p->privileges.n && r == 0; i++)
		r = add(privs, vec, "", p->privileges.v[i]);
	for (uint32_t i = 0; i < p->roles.n && r == 0; i++)
		r = add_targets(privs, vec, &p->role_info[i].own_su);
	for (uint32_t i = 0; i < p->denies.n && r == 0; i++)
		r = add_targets(privs, vec, &p->denies.v[i].su);
	return r;
}

static int fill(struct policy_privileges *privs)
{
	privs->v = arena_array(&privs->arena, privs->texts.n, sizeof(*privs->v));
	if (!privs->v)
		return -ENOMEM;
	for (uint32_t i = 0; i < privs->texts.n; i++) {
		const char *text = privs->texts.v[i];
		const char *target = str_after(text, "su:");

		privs->v[i] = (struct policy_privilege){
			.name = target ? "su" : text,
			/* No account can be called so: it is one that nobody names. */
			.target = target	       ? target
				  : str_eq(text, "su") ? "*"
						       : NULL,
			.text = text,
		};
	}
	return 0;
}

int policy_privileges_new(const struct policy *a, const struct policy *b,
			  struct policy_privileges **ret)
{
	_cleanup_privileges_ struct policy_privileges *privs =
		calloc(1, sizeof(*privs));
	struct text_vec vec = {0};
	int r;

	if (!privs)
		return -ENOMEM;
	r = add_policy(privs, &vec, a);
	if (r == 0 && b)
		r = add_policy(privs, &vec, b);
	if (r == 0)
		r = names_build(&privs->texts, &privs->arena, vec.v, vec.n);
	if (r == 0)
		r = fill(privs);
	if (r == 0)
		*ret = STEAL(privs);
	return r;
}

void policy_privileges_free(struct policy_privileges *privs)
{
	if (!privs)
		return;
	arena_done(&privs->arena);
	free(privs);
}

size_t policy_privileges_count(const struct policy_privileges *privs)
{
	return privs->texts.n;
}

const struct policy_privilege *
policy_privileges_at(const struct policy_privileges *privs, size_t i)
{
	return i < privs->texts.n ? &privs->v[i] : NULL;
}

size_t policy_privileges_find(const struct policy_privileges *privs, const char *text)
{
	uint32_t i = names_find(&privs->texts, text);

	return i == NAMES_NONE ? SIZE_MAX : i;
}

void policy_privileges_request(const struct policy_privileges *privs, size_t i,
			       struct policy_request *req)
{
	req->privilege = privs->v[i].name;
	req->target = privs->v[i].target;
	req->target_uid0 = str_eq(req->target, "root");
}
