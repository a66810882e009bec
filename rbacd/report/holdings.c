/* SPDX-License-Identifier: Apache-2.0 */
/* holdings.c - openings of a person, gathered by what opens them. */
#include "rbacd/report/holdings.h"

#include <errno.h>
#include <inttypes.h>

#include "policy/memtext.h"
#include "policy/view.h"

bool holdings_privileged(const char *privilege)
{
	return str_eq(privilege, "sudo") || str_eq(privilege, "su") ||
	       str_after(privilege, "su:") != NULL;
}

const char *holdings_known(const struct policy_privileges *privs, const char *used)
{
	return str_after(used, "su:") && policy_privileges_find(privs, used) == SIZE_MAX
		       ? "su"
		       : used;
}

bool holdings_wanted_person(const struct report_input *in, const char *login)
{
	return !in->user || str_eq(in->user, login);
}

bool holdings_wanted_role(const struct report_input *in, const char *role)
{
	return !in->role || str_eq(in->role, role);
}

static bool has_role(const struct policy *p, const char *name)
{
	struct policy_role role;

	for (size_t i = 0; policy_role_at(p, i, &role); i++)
		if (str_eq(role.name, name))
			return true;
	return false;
}

static bool has_vm(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < policy_vm_count(p); i++)
		if (str_eq(policy_vm_at(p, i), name))
			return true;
	return false;
}

int holdings_check(const struct report_input *in)
{
	const struct policy *p = in->state->policy;
	bool known = (!in->user || people_find(&in->state->people, in->user)) &&
		     (!in->vm || has_vm(p, in->vm)) &&
		     (!in->role || has_role(p, in->role));

	return known ? 0 : -ENOENT;
}

static bool wanted(const struct report_input *in, const struct policy_opening *o)
{
	/* batch of a local account needs no grant and is no right that anybody gave. */
	return o->rule && holdings_wanted_role(in, o->role);
}

/* ---------------------------------------------------------------- one person */

/* A person's openings, gathered by what opens them. */
struct gather {
	struct holdings *h;
	const struct policy_opening *o;
	size_t n;
	bool *taken; /* owned; by opening */
	size_t taken_cap;
	/* bundles of this person: key is rule, group, role, privileges */
	struct index keys;
	struct gathered {
		const struct policy_opening *o;
		uint32_t privileges;
		bool privileged;
		uint32_t *classes; /* owned */
		size_t n, cap;
	} * v; /* owned */
	size_t v_cap, n_v;
};

static bool same_way(const struct policy_opening *a, const struct policy_opening *b)
{
	return a->rule == b->rule && a->group == b->group && a->role == b->role;
}

/* All privileges that this opening's grant and role open on its class. */
static int join_privileges(struct gather *g, size_t from, size_t to, uint32_t *ret,
			   bool *ret_privileged)
{
	char buf[4096];
	size_t n = 0;

	*ret_privileged = false;
	for (size_t i = from; i < to; i++) {
		const struct policy_privilege *p;

		if (g->taken[i] || !same_way(&g->o[i], &g->o[from]))
			continue;
		g->taken[i] = true;
		p = policy_privileges_at(g->h->privs, g->o[i].privilege);
		*ret_privileged = *ret_privileged || holdings_privileged(p->text);
		if (n + strlen(p->text) + 3 > sizeof(buf))
			return -E2BIG;
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%s", n ? ", " : "",
				      p->text);
	}
	return index_put(&g->h->texts, buf, n, ret);
}

static int add_class(struct gathered *b, uint32_t class)
{
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 8;
		uint32_t *more = reallocarray(b->classes, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		b->classes = more;
		b->cap = cap;
	}
	b->classes[b->n++] = class;
	return 0;
}

static int add_bundle(struct gather *g, const struct policy_opening *o,
		      uint32_t privileges, bool privileged)
{
	const void *key[] = {o->rule, o->group, o->role,
			     (const void *)(uintptr_t)privileges};
	size_t before = g->keys.n;
	uint32_t i;
	int r = index_put(&g->keys, (const char *)key, sizeof(key), &i);

	if (r == 0 && i >= g->v_cap) {
		size_t cap = g->v_cap ? g->v_cap * 2 : 32;
		struct gathered *more = reallocarray(g->v, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		memset(more + g->v_cap, 0, (cap - g->v_cap) * sizeof(*more));
		g->v = more;
		g->v_cap = cap;
	}
	if (r != 0)
		return r;
	if (g->keys.n > before) {
		g->v[i].o = o;
		g->v[i].privileges = privileges;
		g->v[i].privileged = privileged;
		g->v[i].n = 0;
		g->n_v = i + 1u;
	}
	return add_class(&g->v[i], o->class);
}

static int gather(struct gather *g)
{
	const struct report_input *in = g->h->in;
	int r = 0;

	for (size_t i = 0, end; i < g->n && r == 0; i = end) {
		size_t n_vms;

		for (end = i; end < g->n && g->o[end].class == g->o[i].class;)
			end++;
		(void)policy_reach_vms(g->h->reach, g->o[i].class, &n_vms);
		for (size_t k = i; k < end && r == 0; k++) {
			uint32_t privileges;
			bool privileged;

			if (!wanted(in, &g->o[k]))
				continue;
			g->h->n_pairs += in->vm ? 1 : n_vms;
			if (g->taken[k])
				continue;
			r = join_privileges(g, k, end, &privileges, &privileged);
			if (r == 0)
				r = add_bundle(g, &g->o[k], privileges, privileged);
		}
	}
	return r;
}

/* ---------------------------------------------------------------- all people */

static int add_holding(struct holdings *h, const struct holding *add)
{
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 256;
		struct holding *more = reallocarray(h->v, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		h->v = more;
		h->cap = cap;
	}
	h->v[h->n++] = *add;
	return 0;
}

static bool has_privilege(const char *list, const char *priv)
{
	size_t len = strlen(priv);

	for (const char *p = list; p; p = strstr(p, ", ") ? strstr(p, ", ") + 2 : NULL)
		if (strlen(p) >= len && memcmp(p, priv, len) == 0 &&
		    (p[len] == '\0' || p[len] == ','))
			return true;
	return false;
}

static bool opens_vm(const struct holdings *h, const struct gathered *b, const char *vm)
{
	uint32_t i = index_find(&h->vm_names, vm, strlen(vm));
	uint32_t class = i == INDEX_NONE ? 0 : policy_reach_class_of(h->reach, i);

	for (size_t k = 0; k < b->n && i != INDEX_NONE; k++)
		if (b->classes[k] == class)
			return true;
	return false;
}

/* What the log says about this way in. A use is a login through any of the grants that
 * open the same; the log names the deciding one, but a person has the right by each. */
static void add_uses(const struct holdings *h, const struct gathered *b,
		     struct holding *to, const char *id)
{
	const struct activity *a = h->in->activity;
	const struct activity_person *p = a ? activity_person(a, id) : NULL;

	for (uint32_t i = p ? p->uses : 0; i != 0; i = a->uses[i - 1].next) {
		const struct activity_use *use = &a->uses[i - 1];
		const char *priv = holdings_known(h->privs, use->priv);

		if (!use->vm || !has_privilege(to->privileges, priv) ||
		    !opens_vm(h, b, use->vm) ||
		    (h->in->vm && !str_eq(use->vm, h->in->vm)))
			continue;
		to->n_used += use->n;
		to->n_strong += use->n_strong;
		if (use->last_s > to->last_used_s)
			to->last_used_s = use->last_s;
		if (to->first_used_s == 0 || use->first_s < to->first_used_s)
			to->first_used_s = use->first_s;
	}
}

static int add_person(struct gather *g, uint32_t person)
{
	struct holdings *h = g->h;
	int r = 0;

	for (size_t i = 0; i < g->n_v && r == 0; i++) {
		struct gathered *b = &g->v[i];
		struct holding add = {
			.person = person,
			.rule = b->o->rule,
			.group = b->o->group,
			.role = b->o->role,
			.privileges = h->texts.texts[b->privileges].text,
			.privileged = b->privileged,
			.mfa = b->o->mfa,
			.valid_until_s = b->o->valid_until_s,
		};

		r = index_put(&h->groups, (const char *)b->classes,
			      b->n * sizeof(*b->classes), &add.vms);
		if (r != 0)
			return r;
		add_uses(h, b, &add, h->in->state->people.v[person].id);
		r = add_holding(h, &add);
	}
	return r;
}

static int ask(struct gather *g, const struct policy_subject *subject, uint32_t person)
{
	int r = policy_reach_subject(g->h->reach, subject, &g->o, &g->n);

	if (r == 0 && g->n > g->taken_cap) {
		bool *more = reallocarray(g->taken, g->n, sizeof(*more));

		if (!more)
			return -ENOMEM;
		g->taken = more;
		g->taken_cap = g->n;
	}
	if (r != 0)
		return r;
	if (g->n > 0)
		memset(g->taken, 0, g->n * sizeof(*g->taken));
	index_done(&g->keys);
	g->keys = (struct index){0};
	g->n_v = 0;
	r = gather(g);
	return r != 0 ? r : add_person(g, person);
}

static void gather_done(struct gather *g)
{
	for (size_t i = 0; i < g->v_cap; i++)
		free(g->v[i].classes);
	free(g->v);
	free(g->taken);
	index_done(&g->keys);
}

/* VMs by name, numbered as the policy does; only the filter's class is asked about. */
static int name_vms(struct holdings *h)
{
	const struct policy *p = h->in->state->policy;
	uint32_t vm;
	int r = 0;

	for (size_t i = 0; i < policy_vm_count(p) && r == 0; i++) {
		const char *name = policy_vm_at(p, i);

		r = index_put(&h->vm_names, name, strlen(name), &vm);
	}
	if (r != 0 || !h->in->vm)
		return r;
	vm = index_find(&h->vm_names, h->in->vm, strlen(h->in->vm));
	if (vm == INDEX_NONE)
		return -ENOENT;
	policy_reach_focus(h->reach, policy_reach_class_of(h->reach, vm));
	return 0;
}

static int fill(struct holdings *h)
{
	_cleanup_(gather_done) struct gather g = {.h = h};
	const struct people *people = &h->in->state->people;
	int r = name_vms(h);

	for (size_t i = 0; i < people->n && r == 0; i++) {
		if (!holdings_wanted_person(h->in, people->v[i].login))
			continue;
		r = ask(&g, &people->v[i], (uint32_t)i);
	}
	return r;
}

static int by_order(const void *pa, const void *pb)
{
	const struct holding *a = pa, *b = pb;
	int d = (a->person > b->person) - (a->person < b->person);

	if (d == 0)
		d = strcmp(a->rule, b->rule);
	if (d == 0)
		d = strcmp(a->role ? a->role : "", b->role ? b->role : "");
	if (d == 0)
		d = strcmp(a->group ? a->group : "", b->group ? b->group : "");
	if (d == 0)
		d = strcmp(a->privileges, b->privileges);
	return d != 0 ? d : (a->vms > b->vms) - (a->vms < b->vms);
}

static uint64_t sum_of(const struct holdings *h, uint32_t group)
{
	size_t n, n_vms;
	const uint32_t *classes = holdings_vms(h, group, &n);
	uint64_t sum = 0;

	/* Narrowed to a VM, the others of its class are another matter. */
	for (size_t i = 0; i < n && !h->in->vm; i++) {
		const uint32_t *vms = policy_reach_vms(h->reach, classes[i], &n_vms);

		for (size_t k = 0; k < n_vms; k++) {
			const char *vm = policy_vm_at(h->in->state->policy, vms[k]);

			sum += index_hash(vm, strlen(vm)); /* in any order */
		}
	}
	return sum;
}

/* Once for each group: thousands of people hold each. */
static int sum_vms(struct holdings *h)
{
	h->vm_sums = calloc(h->groups.n + 1, sizeof(*h->vm_sums));
	if (!h->vm_sums)
		return -ENOMEM;
	for (size_t i = 0; i < h->groups.n; i++)
		h->vm_sums[i] = sum_of(h, (uint32_t)i);
	return 0;
}

int holdings_make(const struct report_input *in, struct holdings *ret)
{
	struct holdings h = {.in = in};
	int r = holdings_check(in);

	if (r == 0)
		r = policy_privileges_new(in->state->policy, NULL, &h.privs);
	if (r == 0)
		r = policy_reach_new(in->state->policy, h.privs, in->state->as_of_s,
				     &h.reach);
	if (r == 0)
		r = fill(&h);
	if (r == 0 && in->before)
		r = sum_vms(&h);
	if (r != 0) {
		holdings_done(&h);
		return r;
	}
	if (h.n > 0)
		qsort(h.v, h.n, sizeof(*h.v), by_order);
	*ret = h;
	return 0;
}

void holdings_done(struct holdings *h)
{
	policy_reach_free(h->reach);
	policy_privileges_free(h->privs);
	index_done(&h->texts);
	index_done(&h->groups);
	index_done(&h->vm_names);
	free(h->vm_sums);
	free(h->v);
}

size_t holdings_people(const struct holdings *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += i == 0 || h->v[i].person != h->v[i - 1].person;
	return n;
}

/* ---------------------------------------------------------------- groups of VMs */

const uint32_t *holdings_vms(const struct holdings *h, uint32_t group, size_t *ret_n)
{
	const struct index_text *t = &h->groups.texts[group];

	*ret_n = t->len / sizeof(uint32_t);
	return (const uint32_t *)(const void *)t->text; /* the arena aligns to 16 */
}

size_t holdings_vm_count(const struct holdings *h, uint32_t group)
{
	size_t n, n_vms, sum = 0;
	const uint32_t *classes = holdings_vms(h, group, &n);

	if (h->in->vm)
		return 1; /* the others of its class are not asked about */
	for (size_t i = 0; i < n; i++) {
		(void)policy_reach_vms(h->reach, classes[i], &n_vms);
		sum += n_vms;
	}
	return sum;
}

uint64_t holdings_vm_sum(const struct holdings *h, uint32_t group)
{
	return h->vm_sums[group];
}

const char *holdings_vm_text(const struct holdings *h, struct report *r, uint32_t group)
{
	const struct policy *p = h->in->state->policy;
	size_t n = holdings_vm_count(h, group), n_classes, n_vms;
	const uint32_t *classes = holdings_vms(h, group, &n_classes);

	if (h->in->vm)
		return h->in->vm;
	if (n == 1)
		return policy_vm_at(p,
				    policy_reach_vms(h->reach, classes[0], &n_vms)[0]);
	if (n == policy_vm_count(p))
		return report_f(r, "all %zu VMs", n);
	return report_f(r, "G%u (%zu VMs)", group + 1, n);
}

static const char *class_list(const struct holdings *h, struct report *r,
			      uint32_t group)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	size_t n;
	const uint32_t *classes = holdings_vms(h, group, &n);

	if (memtext_open(&m) == 0)
		for (size_t i = 0; i < n; i++)
			(void)fprintf(m.out, "%sC%u", i ? " " : "", classes[i] + 1);
	return report_take(r, &m);
}

static const char *vm_list(const struct holdings *h, struct report *r, uint32_t class)
{
	const struct policy *p = h->in->state->policy;
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	size_t n;
	const uint32_t *vms = policy_reach_vms(h->reach, class, &n);

	if (memtext_open(&m) == 0)
		for (size_t i = 0; i < n; i++)
			(void)fprintf(m.out, "%s%s", i ? " " : "",
				      policy_vm_at(p, vms[i]));
	return report_take(r, &m);
}

static void list_classes(const struct holdings *h, struct report *r)
{
	static const struct report_column columns[] = {
		{"class", "Class", REPORT_TEXT, false, false},
		{"vms", "VMs", REPORT_NUMBER, false, true},
		{"names", "Names", REPORT_TEXT, false, false},
	};
	struct report_table *t =
		REPORT_TABLE(r, "vm-classes", "Classes of VMs", columns,
			     .note = "VMs for which exactly the same rules hold.");

	for (uint32_t i = 0; i < policy_reach_classes(h->reach); i++) {
		size_t n;

		(void)policy_reach_vms(h->reach, i, &n);
		report_row(t);
		report_put(t, report_f(r, "C%u", i + 1));
		report_put_n(t, (int64_t)n);
		report_put(t, vm_list(h, r, i));
	}
}

void holdings_list_vms(const struct holdings *h, struct report *r)
{
	static const struct report_column columns[] = {
		{"group", "Group", REPORT_TEXT, false, false},
		{"vms", "VMs", REPORT_NUMBER, false, false},
		{"classes", "Classes", REPORT_TEXT, false, false},
	};
	struct report_table *t;

	if (h->in->vm)
		return;
	report_section(r, "Groups of VMs",
		       "A line above names a group of VMs; here is what is in each.");
	t = REPORT_TABLE(r, "vm-groups", "Groups", columns, .none = NULL);
	for (uint32_t i = 0; i < h->groups.n; i++) {
		report_row(t);
		report_put(t, report_f(r, "G%u", i + 1));
		report_put_n(t, (int64_t)holdings_vm_count(h, i));
		report_put(t, class_list(h, r, i));
	}
	list_classes(h, r);
}
