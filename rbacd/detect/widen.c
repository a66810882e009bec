/* SPDX-License-Identifier: Apache-2.0 */
/* widen.c - two policies compared by those they name, one at a time. */
#include "rbacd/detect/widen.h"

#include <errno.h>
#include <openssl/evp.h>

#include "policy/diff.h"
#include "policy/view.h"

/* Groups, users and local accounts are asked about apart: their names may be equal. */
enum kind { GROUP, USER, LOCAL, KINDS };

struct named {
	char *login;	/* owned: a name of the diff, which sorts by it */
	uint32_t index; /* of the group */
};

/* Those of one kind whom one policy names, as people. */
struct side {
	struct named *v;	       /* owned */
	struct policy_subject *people; /* owned */
	size_t n;
};

struct search {
	const struct policy *after;
	const char **vms; /* owned; names of the newer, sorted */
	bool *open;	  /* owned; by @vms */
	enum kind kind;
	struct side side;    /* of the newer */
	const char *counted; /* whom the last change was about */
	struct widening *w;
};

static void side_done(struct side *s)
{
	for (size_t i = 0; s->v && i < s->n; i++)
		free(s->v[i].login);
	free(s->v);
	free(s->people);
}

void widening_done(struct widening *w)
{
	free(w->groups);
}

static void search_done(struct search *s)
{
	side_done(&s->side);
	free(s->vms);
	free(s->open);
}

/* ---------------------------------------------------------------- who is asked about
 */

static enum kind kind_of(const struct policy *p, size_t i)
{
	if (i < policy_group_count(p))
		return GROUP;
	return str_after(policy_principal_at(p, i), "user:") ? USER : LOCAL;
}

/* A login that nobody has, made of what a group is: its name and its pins. */
static char *group_login(const struct policy_group *g)
{
	_cleanup_free_ char *text = NULL;
	uint8_t md[EVP_MAX_MD_SIZE];
	char *login = NULL;
	unsigned n = 0;
	int len = asprintf(&text, "%s\n%s\n%s", g->name, g->dn ? g->dn : "",
			   g->id ? g->id : "");

	if (len < 0) {
		text = NULL; /* is not defined then */
		return NULL;
	}
	if (EVP_Digest(text, (size_t)len, md, &n, EVP_sha256(), NULL) != 1 || n < 31)
		return NULL;
	login = calloc(1, 1 + 2 * 31 + 1);
	if (login)
		login[0] = 'g';
	for (unsigned i = 0; login && i < 31; i++)
		(void)snprintf(login + 1 + 2 * (size_t)i, 3, "%02x", md[i]); /* fits */
	return login;
}

/* What makes it the same in both: a group with its pins, a person by the login. */
static char *name_of(const struct policy *p, size_t i, enum kind kind)
{
	if (kind == GROUP)
		return group_login(policy_group_at(p, i));
	return strdup(strchr(policy_principal_at(p, i), ':') + 1);
}

static int by_login(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->login,
		      ((const struct named *)b)->login);
}

static void make_person(const struct policy *p, enum kind kind, const struct named *n,
			struct policy_subject *ret)
{
	*ret = (struct policy_subject){.login = n->login,
				       .id = "",
				       .known = true,
				       .enabled = true,
				       .directory = kind != LOCAL,
				       .local = kind == LOCAL};
	if (kind == GROUP) {
		ret->groups = &n->index;
		ret->n_groups = 1;
	} else if (kind == USER && policy_user_id(p, n->index)) {
		ret->id = policy_user_id(p, n->index);
	}
}

static int side_make(const struct policy *p, enum kind kind, struct side *ret)
{
	size_t n = policy_principal_count(p);

	ret->v = calloc(n + 1, sizeof(*ret->v));
	ret->people = calloc(n + 1, sizeof(*ret->people));
	if (!ret->v || !ret->people)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (kind_of(p, i) != kind)
			continue;
		ret->v[ret->n].login = name_of(p, i, kind);
		if (!ret->v[ret->n].login)
			return -ENOMEM;
		ret->v[ret->n++].index = (uint32_t)i;
	}
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_login);
	for (size_t i = 0; i < ret->n; i++)
		make_person(p, kind, &ret->v[i], &ret->people[i]);
	return 0;
}

/* ---------------------------------------------------------------- what it gains */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int name_vms(struct search *s)
{
	size_t n = policy_vm_count(s->after);

	s->vms = calloc(n + 1, sizeof(*s->vms));
	s->open = calloc(n + 1, sizeof(*s->open));
	if (!s->vms || !s->open)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		s->vms[i] = policy_vm_at(s->after, i);
	if (n > 1)
		qsort(s->vms, n, sizeof(*s->vms), by_name);
	return 0;
}

static const char **find_vm(const struct search *s, const char *vm)
{
	return bsearch(&vm, s->vms, policy_vm_count(s->after), sizeof(*s->vms),
		       by_name);
}

static void mark_vm(struct search *s, const char *vm)
{
	const char **at = find_vm(s, vm);

	if (!at || s->open[at - s->vms])
		return;
	s->open[at - s->vms] = true;
	s->w->n_vms++;
}

static const struct named *find(const struct side *side, const char *login)
{
	const struct named key = {.login = (char *)(uintptr_t)login};

	return side->n > 0 ? bsearch(&key, side->v, side->n, sizeof(key), by_login)
			   : NULL;
}

static void mark_who(struct search *s, const char *login)
{
	const struct named *n;

	if (s->counted && str_eq(s->counted, login))
		return; /* changes come person by person */
	s->counted = login;
	n = find(&s->side, login);
	if (n && s->kind == GROUP) {
		s->w->groups[n->index] = true;
		s->w->n_groups++;
	} else if (n) {
		s->w->n_named++;
	}
}

/* Without a rule: batch of a local account, which needs no grant anywhere. */
static int tell(void *arg, const struct policy_change *c)
{
	struct search *s = arg;

	if (!c || !c->gained || !c->rule)
		return 0;
	mark_who(s, c->login);
	for (size_t i = 0; i < c->where.n_vms; i++)
		mark_vm(s, c->where.vms[i]);
	return 0;
}

/* Asked about is whom the newer means: pinned to another id, he had nothing before. */
static void pin_as(const struct side *new, struct side *old)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct named *n = find(new, old->v[i].login);

		if (n)
			old->people[i].id = new->people[n - new->v].id;
	}
}

static int compare(struct search *s, const struct policy *before, int64_t now_s)
{
	_cleanup_(side_done) struct side old = {0};
	int r = side_make(before, s->kind, &old);

	side_done(&s->side);
	s->side = (struct side){0};
	if (r == 0)
		r = side_make(s->after, s->kind, &s->side);
	if (r != 0)
		return r;
	pin_as(&s->side, &old);
	s->counted = NULL;
	return policy_diff(&(struct policy_side){before, old.people, old.n},
			   &(struct policy_side){s->after, s->side.people, s->side.n},
			   now_s, tell, s);
}

/* There everybody gets in, whoever it is. */
static int mark_monitored(struct search *s, const struct policy *before)
{
	_cleanup_free_ bool *old = calloc(policy_vm_count(s->after) + 1, sizeof(*old));
	const char **at;
	struct policy_vm vm;

	if (!old)
		return -ENOMEM;
	for (size_t i = 0; policy_vm_info(before, i, &vm); i++)
		if (vm.monitor && (at = find_vm(s, vm.name)) != NULL)
			old[at - s->vms] = true;
	for (size_t i = 0; policy_vm_info(s->after, i, &vm); i++)
		if (vm.monitor && (at = find_vm(s, vm.name)) != NULL &&
		    !old[at - s->vms])
			mark_vm(s, vm.name);
	return 0;
}

int widening_find(const struct policy *before, const struct policy *after,
		  int64_t now_s, struct widening *ret)
{
	_cleanup_widening_ struct widening w = {0};
	_cleanup_(search_done) struct search s = {.after = after, .w = &w};
	int r = name_vms(&s);

	w.groups = calloc(policy_group_count(after) + 1, sizeof(*w.groups));
	if (!w.groups)
		return -ENOMEM;
	for (int k = GROUP; k < KINDS && r == 0; k++) {
		s.kind = (enum kind)k;
		r = compare(&s, before, now_s);
	}
	if (r == 0)
		r = mark_monitored(&s, before);
	if (r != 0)
		return r;
	*ret = w;
	w = (struct widening){0};
	return 0;
}
