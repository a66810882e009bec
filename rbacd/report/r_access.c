/* SPDX-License-Identifier: Apache-2.0 */
/*
 * r_access.c - report access: who, which VM, which privilege, by which grant.
 *
 * Text, JSON and HTML gather what a person reaches in the same way into one line; the
 * CSV has a row for each person, VM and privilege, made while it is written, because
 * there may be millions.
 */
#include <errno.h>
#include <inttypes.h>

#include "rbacd/ctl/text.h"
#include "policy/memtext.h"
#include "rbacd/report/holdings.h"
#include "rbacd/report/write.h"

static const struct report_column pair_columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"id", "Id", REPORT_TEXT, false, false},
	{"vm", "VM", REPORT_TEXT, false, false},
	{"privilege", "Privilege", REPORT_TEXT, false, false},
	{"grant", "Grant", REPORT_TEXT, false, false},
	{"group", "Through", REPORT_TEXT, false, false},
	{"role", "Role", REPORT_TEXT, false, false},
	{"mfa", "Code needed", REPORT_TEXT, false, false},
	{"enrolled", "Has a factor", REPORT_TEXT, false, false},
	{"valid_until", "Until", REPORT_TIME, false, false},
	{"last_used", "Last used", REPORT_TIME, false, false},
	{"times_used", "Times used", REPORT_NUMBER, false, true},
	{"unused_days", "Days unused, at least", REPORT_NUMBER, false, false},
};

static const struct report_column columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"vms", "VMs", REPORT_TEXT, false, false},
	{"privileges", "Privileges", REPORT_TEXT, false, false},
	{"grant", "Grant", REPORT_TEXT, false, false},
	{"group", "Through", REPORT_TEXT, false, false},
	{"role", "Role", REPORT_TEXT, true, false},
	{"mfa", "Code", REPORT_TEXT, true, false},
	{"factor", "Factor", REPORT_TEXT, true, false},
	{"since", "Given", REPORT_TEXT, true, false},
	{"valid_until", "Until", REPORT_TIME, false, false},
	{"last_used", "Last used", REPORT_TIME, false, false},
	{"times_used", "Times used", REPORT_NUMBER, false, true},
	{"unused_days", "Days unused", REPORT_NUMBER, false, false},
};

/* ---------------------------------------------------------------- the long rows */

/* A text as a CSV field with the comma behind it, made once. */
struct field {
	const char *p;
	uint32_t len;
};

#define ROW_MAX	   16384 /* escaped, of the longest names */
#define BUFFER_MAX (1u << 20)

struct pairs {
	const struct report_input *in;
	struct policy_privileges *privs;
	struct policy_reach *reach;
	struct arena arena;
	struct index ways; /* rule, group, role, privilege, … as a field */
	struct field *vms; /* by VM */
	struct field *way; /* by index of ways */
	size_t way_cap;
	struct index vm_names;
	struct pair_use {
		uint32_t vm;
		size_t privilege;
		uint64_t n;
		int64_t last_s;
	} * uses; /* of one person, by VM and privilege */
	size_t n_uses, uses_cap;
	uint64_t *used; /* VMs with any use by this person, as bits */
	char *buf;
	size_t len;
	FILE *out;
	uint32_t filter_vm; /* INDEX_NONE: all */
};

static void pairs_done(struct pairs *p)
{
	policy_reach_free(p->reach);
	policy_privileges_free(p->privs);
	arena_done(&p->arena);
	index_done(&p->ways);
	index_done(&p->vm_names);
	free(p->vms);
	free(p->way);
	free(p->uses);
	free(p->used);
	free(p->buf);
}

/* Several fields, each with a comma behind it. NULL texts are empty fields. */
static int make_fields(struct pairs *p, const char *const *texts, size_t n,
		       struct field *ret)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *buf = NULL;
	size_t len = 0;

	if (memtext_open(&m) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (texts[i])
			text_csv(texts[i], strlen(texts[i]), m.out);
		(void)fputc(',', m.out); /* errors: memtext_take() */
	}
	if (memtext_take(&m, &buf, &len) != 0)
		return -ENOMEM;
	ret->p = arena_strndup(&p->arena, buf, len);
	ret->len = (uint32_t)len;
	return ret->p ? 0 : -ENOMEM;
}

/* What is the same for all people who come in this way. */
static int find_way(struct pairs *p, const struct policy_opening *o, bool enrolled,
		    struct field *ret)
{
	const void *key[] = {o->rule, o->group, o->role,
			     (const void *)((uintptr_t)o->privilege << 2 |
					    (uintptr_t)o->mfa << 1 | enrolled)};
	const char *texts[7] = {
		policy_privileges_at(p->privs, o->privilege)->text,
		o->rule,
		o->group,
		o->role,
		o->mfa ? "yes" : "no",
		enrolled ? "yes" : "no",
		NULL,
	};
	char until[TEXT_TIME_MAX];
	size_t before = p->ways.n;
	uint32_t i;
	int r = index_put(&p->ways, (const char *)key, sizeof(key), &i);

	if (r == 0 && i >= p->way_cap) {
		size_t cap = p->way_cap ? p->way_cap * 2 : 256;
		struct field *more = reallocarray(p->way, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->way = more;
		p->way_cap = cap;
	}
	if (o->valid_until_s != 0)
		texts[6] = text_time(o->valid_until_s, until);
	if (r == 0 && p->ways.n > before)
		r = make_fields(p, texts, ARRAY_SIZE(texts), &p->way[i]);
	if (r == 0)
		*ret = p->way[i];
	return r;
}

static int by_vm(const void *pa, const void *pb)
{
	const struct pair_use *a = pa, *b = pb;

	int d = (a->vm > b->vm) - (a->vm < b->vm);

	return d != 0 ? d
		      : (a->privilege > b->privilege) - (a->privilege < b->privilege);
}

/* su to several accounts that nobody names is one privilege. */
static void merge_uses(struct pairs *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_uses; i++) {
		struct pair_use *last = n > 0 ? &p->uses[n - 1] : NULL;

		if (!last || by_vm(last, &p->uses[i]) != 0) {
			p->uses[n++] = p->uses[i];
			continue;
		}
		last->n += p->uses[i].n;
		if (p->uses[i].last_s > last->last_s)
			last->last_s = p->uses[i].last_s;
	}
	p->n_uses = n;
}

/* The person's uses in order of VM. */
static int load_uses(struct pairs *p, const struct policy_subject *s)
{
	const struct activity *a = p->in->activity;
	const struct activity_person *person = activity_person(a, s->id);

	for (size_t i = 0; i < p->n_uses; i++)
		p->used[p->uses[i].vm / 64] = 0;
	p->n_uses = 0;
	for (uint32_t i = person ? person->uses : 0; i != 0; i = a->uses[i - 1].next) {
		const struct activity_use *use = &a->uses[i - 1];
		uint32_t vm =
			use->vm ? index_find(&p->vm_names, use->vm, strlen(use->vm))
				: INDEX_NONE;

		if (vm == INDEX_NONE)
			continue;
		if (p->n_uses == p->uses_cap) {
			size_t cap = p->uses_cap ? p->uses_cap * 2 : 64;
			struct pair_use *more =
				reallocarray(p->uses, cap, sizeof(*more));

			if (!more)
				return -ENOMEM;
			p->uses = more;
			p->uses_cap = cap;
		}
		p->uses[p->n_uses++] =
			(struct pair_use){.vm = vm,
					  .privilege = policy_privileges_find(
						  p->privs,
						  holdings_known(p->privs, use->priv)),
					  .n = use->n,
					  .last_s = use->last_s};
		p->used[vm / 64] |= UINT64_C(1) << (vm % 64);
	}
	if (p->n_uses > 1)
		qsort(p->uses, p->n_uses, sizeof(*p->uses), by_vm);
	merge_uses(p);
	return 0;
}

static const struct pair_use *find_use(const struct pairs *p, uint32_t vm,
				       size_t privilege)
{
	const struct pair_use key = {.vm = vm, .privilege = privilege};

	return bsearch(&key, p->uses, p->n_uses, sizeof(key), by_vm);
}

static void flush(struct pairs *p)
{
	(void)fwrite(p->buf, 1, p->len, p->out); /* ferror(): the caller's */
	p->len = 0;
}

static void put_field(struct pairs *p, struct field f)
{
	memcpy(p->buf + p->len, f.p, f.len);
	p->len += f.len;
}

/* Last use, number of uses, days without one. */
static struct field use_field(const struct pairs *p, const struct pair_use *use,
			      char *buf, size_t cap)
{
	char last[TEXT_TIME_MAX];
	int n = snprintf(buf, cap, "%s,%" PRIu64 ",%" PRId64 "\r\n",
			 text_time(use->last_s, last), use->n,
			 activity_idle_days(use->last_s, p->in->state->as_of_s));

	return (struct field){.p = buf, .len = n > 0 ? (uint32_t)n : 0};
}

static void put_vms(struct pairs *p, struct field person, struct field way,
		    const struct policy_opening *o, struct field never)
{
	size_t n;
	const uint32_t *vms = policy_reach_vms(p->reach, o->class, &n);
	char buf[96];

	for (size_t i = 0; i < n; i++) {
		struct field last = never;

		if (p->filter_vm != INDEX_NONE && vms[i] != p->filter_vm)
			continue;
		if (p->len > BUFFER_MAX - ROW_MAX)
			flush(p);
		if (p->used[vms[i] / 64] >> (vms[i] % 64) & 1) {
			const struct pair_use *use = find_use(p, vms[i], o->privilege);

			if (use)
				last = use_field(p, use, buf, sizeof(buf));
		}
		put_field(p, person);
		put_field(p, p->vms[vms[i]]);
		put_field(p, way);
		put_field(p, last);
	}
}

static int put_person(struct pairs *p, const struct policy_subject *s,
		      struct field never)
{
	const char *texts[] = {s->login, s->id};
	const struct state_factor *f = state_factor(p->in->state, s->id);
	const struct policy_opening *o;
	struct field person, way;
	size_t n;
	int r = policy_reach_subject(p->reach, s, &o, &n);

	if (r != 0 || n == 0)
		return r;
	r = make_fields(p, texts, ARRAY_SIZE(texts), &person);
	if (r == 0)
		r = load_uses(p, s);
	for (size_t i = 0; i < n && r == 0; i++) {
		if (!o[i].rule || !holdings_wanted_role(p->in, o[i].role))
			continue;
		r = find_way(p, &o[i], f && f->n_active > 0, &way);
		if (r == 0)
			put_vms(p, person, way, &o[i], never);
	}
	return r;
}

static int pairs_prepare(struct pairs *p)
{
	const struct policy *policy = p->in->state->policy;
	size_t n = policy_vm_count(policy);
	int r = policy_privileges_new(policy, NULL, &p->privs);

	if (r == 0)
		r = policy_reach_new(policy, p->privs, p->in->state->as_of_s,
				     &p->reach);
	p->vms = calloc(n + 1, sizeof(*p->vms));
	p->used = calloc(n / 64 + 1, sizeof(*p->used));
	p->buf = malloc(BUFFER_MAX);
	if (!p->vms || !p->used || !p->buf)
		return -ENOMEM;
	for (size_t i = 0; i < n && r == 0; i++) {
		const char *name = policy_vm_at(policy, i);
		uint32_t number;

		r = make_fields(p, &name, 1, &p->vms[i]);
		if (r == 0)
			r = index_put(&p->vm_names, name, strlen(name), &number);
	}
	p->filter_vm = INDEX_NONE;
	if (r != 0 || !p->in->vm)
		return r;
	p->filter_vm = index_find(&p->vm_names, p->in->vm, strlen(p->in->vm));
	if (p->filter_vm == INDEX_NONE)
		return -ENOENT;
	policy_reach_focus(p->reach, policy_reach_class_of(p->reach, p->filter_vm));
	return 0;
}

static int write_pairs(void *arg, FILE *out)
{
	const struct report_input *in = arg;
	_cleanup_(pairs_done) struct pairs p = {.in = in, .out = out};
	const struct people *people = &in->state->people;
	char buf[64];
	int n = snprintf(buf, sizeof(buf), ",0,%" PRId64 "\r\n",
			 activity_idle_days(activity_from_s(in->activity),
					    in->state->as_of_s));
	struct field never = {.p = buf, .len = n > 0 ? (uint32_t)n : 0};
	int r = pairs_prepare(&p);

	for (size_t i = 0; i < people->n && r == 0; i++)
		if (holdings_wanted_person(in, people->v[i].login))
			r = put_person(&p, &people->v[i], never);
	if (r == 0)
		flush(&p);
	return r;
}

/* ---------------------------------------------------------------- the report */

/* A way in, with its VMs (@vms) or on whatever VMs. */
static int key_of(const struct holdings *h, const struct holding *v, bool vms,
		  char *buf, size_t cap)
{
	uint64_t sum = vms ? holdings_vm_sum(h, v->vms) : 0;

	return snprintf(buf, cap, "%s\n%s\n%s\n%s\n%s\n%c%" PRIx64,
			h->in->state->people.v[v->person].id, v->rule,
			v->group ? v->group : "", v->role ? v->role : "", v->privileges,
			vms ? '=' : '*', sum);
}

/* Ways in that existed at the start of the period. */
static int load_before(const struct report_input *in, struct index *ret)
{
	_cleanup_holdings_ struct holdings h = {0};
	struct report_input before = *in;
	char key[1024];
	uint32_t i;
	int r;

	if (!in->before)
		return 0;
	before.state = in->before;
	before.user = before.role = NULL;
	r = holdings_make(&before, &h);
	if (r == -ENOENT)
		return 0; /* the VM is new: nobody could reach it */
	for (size_t k = 0; k < 2 * h.n && r == 0; k++) {
		int len = key_of(&h, &h.v[k / 2], k % 2, key, sizeof(key));

		if (len > 0 && (size_t)len < sizeof(key))
			r = index_put(ret, key, (size_t)len, &i);
	}
	return r;
}

static bool was_there(const struct holdings *h, const struct index *before,
		      const struct holding *v, bool vms)
{
	char key[1024];
	int len = key_of(h, v, vms, key, sizeof(key));

	return len > 0 && (size_t)len < sizeof(key) &&
	       index_find(before, key, (size_t)len) != INDEX_NONE;
}

static const char *since(const struct holdings *h, const struct index *before,
			 const struct holding *v)
{
	if (!h->in->before)
		return NULL;
	return was_there(h, before, v, true)	? "earlier"
	       : was_there(h, before, v, false) ? "earlier, on other VMs"
						: "in the period";
}

static const char *factor_text(const struct report_input *in, const char *id)
{
	const struct state_factor *f = state_factor(in->state, id);

	return !f || f->n_active == 0 ? "none" : f->disabled ? "disabled" : "active";
}

static void put_holding(const struct report_input *in, const struct holdings *h,
			const struct index *before, const struct holding *v,
			struct report_table *t)
{
	const struct policy_subject *s = &in->state->people.v[v->person];
	int64_t from = v->last_used_s ? v->last_used_s : activity_from_s(in->activity);

	report_row(t);
	report_put(t, s->login);
	report_put(t, holdings_vm_text(h, t->report, v->vms));
	report_put(t, report_copy(t->report, v->privileges, strlen(v->privileges)));
	report_put(t, v->rule);
	report_put(t, v->group);
	report_put(t, v->role);
	report_put(t, v->mfa ? "needed" : "not needed");
	report_put(t, factor_text(in, s->id));
	report_put(t, since(h, before, v));
	report_put_time(t, v->valid_until_s);
	report_put_time(t, v->last_used_s);
	report_put_n(t, (int64_t)v->n_used);
	report_put_n(t, activity_idle_days(from, in->state->as_of_s));
}

static void say_access(const struct report_input *in, const struct holdings *h,
		       struct report *r)
{
	size_t no_mfa = 0, unused = 0;

	for (size_t i = 0; i < h->n; i++) {
		no_mfa += !h->v[i].mfa;
		unused += h->v[i].n_used == 0;
	}
	report_figure(r, "people", "people with access", (int64_t)holdings_people(h),
		      report_f(r, "of %zu", in->state->people.n), false);
	report_figure(r, "vms", "VMs", (int64_t)policy_vm_count(in->state->policy),
		      NULL, false);
	report_figure(r, "pairs", "person, VM and privilege", (int64_t)h->n_pairs,
		      "rows of the CSV", false);
	report_figure(r, "ways", "ways in", (int64_t)h->n, "rows of this table", false);
	report_figure(r, "no_mfa", "ways in without a code", (int64_t)no_mfa, NULL,
		      true);
	report_figure(r, "unused", "ways in not used", (int64_t)unused, "in the period",
		      false);
	report_find(r, REPORT_MEDIUM, "access-without-code", no_mfa, "access",
		    report_f(r, "%s without a one-time code.",
			     report_plural(r, no_mfa, "way in is open",
					   "ways in are open")));
	report_limit(
		r, "A grant's conditions (hours, addresses, age of a code) are not "
		   "weighed: access means that some hour, address and proof open it.");
	report_limit(r, "Use is known from the log of this host for this period only; "
			"before its first record nothing is known.");
	report_limit(r, "Local accounts may run batch jobs without a grant; that is no "
			"line here.");
}

int report_access(const struct report_input *in, struct report *r)
{
	_cleanup_holdings_ struct holdings h = {0};
	_cleanup_(index_done) struct index before = {0};
	struct report_table *t;
	int rc;

	r->stream = (struct report_stream){.columns = pair_columns,
					   .n_columns = ARRAY_SIZE(pair_columns),
					   .write = write_pairs,
					   .arg = (void *)(uintptr_t)in};
	r->rows_only = in->stream;
	if (in->stream)
		return holdings_check(in);
	rc = holdings_make(in, &h);
	if (rc == 0)
		rc = load_before(in, &before);
	if (rc != 0)
		return rc;
	say_access(in, &h, r);
	report_section(r, "Who reaches what",
		       "Each line is a person, a group of VMs, and the privileges that "
		       "one grant gives there. Where several grants give the same, the "
		       "most favourable one is named.");
	t = REPORT_TABLE(r, "access", "Ways in", columns,
			 .none = "Nobody reaches anything.");
	for (size_t i = 0; i < h.n; i++)
		put_holding(in, &h, &before, &h.v[i], t);
	holdings_list_vms(&h, r);
	return 0;
}
