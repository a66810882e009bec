/* SPDX-License-Identifier: Apache-2.0 */
/*
 * r_changes.c - report changes: the snapshot at the start of the period against the one
 * at its end, line by line, each with the record that explains it.
 *
 * A change of a group or of an account is made in the directory, which keeps a log of
 * its own: no record here can explain it, and the report says so.
 */
#include <errno.h>

#include "rbacd/ctl/text.h"
#include "policy/memtext.h"
#include "rbacd/report/holdings.h"

static const struct report_column change_columns[] = {
	{"kind", "Kind", REPORT_TEXT, true, false},
	{"who", "Who", REPORT_TEXT, false, false},
	{"what", "What", REPORT_TEXT, false, false},
	{"explained", "Explained by", REPORT_TEXT, true, false},
	{"seq", "Record", REPORT_NUMBER, false, false},
	{"at", "Time", REPORT_TIME, false, false},
	{"actor", "By", REPORT_TEXT, false, false},
};
static const struct report_column way_columns[] = {
	{"user", "Person", REPORT_TEXT, false, false},
	{"change", "Change", REPORT_TEXT, true, false},
	{"privileges", "Privileges", REPORT_TEXT, false, false},
	{"grant", "Grant", REPORT_TEXT, false, false},
	{"group", "Through", REPORT_TEXT, false, false},
	{"role", "Role", REPORT_TEXT, false, false},
	{"vms", "VMs", REPORT_NUMBER, false, false},
	{"cause", "Because of", REPORT_TEXT, true, false},
};
static const struct report_column event_columns[] = {
	{"at", "Time", REPORT_TIME, false, false},
	{"seq", "Record", REPORT_NUMBER, false, false},
	{"event", "Event", REPORT_TEXT, true, false},
	{"actor", "By", REPORT_TEXT, false, false},
	{"user", "About", REPORT_TEXT, false, false},
	{"object", "Object", REPORT_TEXT, false, false},
	{"outcome", "Outcome", REPORT_TEXT, true, false},
	{"why", "Reason given", REPORT_TEXT, false, false},
};

struct changes {
	const struct report_input *in;
	const struct state *before, *after; /* before: NULL, there is none */
	struct report_input in_before;	    /* the same question, then */
	struct holdings old, new;	    /* what the filters leave of each */
	struct report *r;
	struct report_table *t;
	size_t n_directory, n_unexplained;
};

static void changes_done(struct changes *c)
{
	holdings_done(&c->old);
	holdings_done(&c->new);
}

/* A filter may name who, or what, is on one side only: nothing is held on the other. */
static int load_holdings(struct changes *c)
{
	int r = holdings_make(c->in, &c->new), rc;

	if (!c->before || (r != 0 && r != -ENOENT))
		return r;
	c->in_before = *c->in;
	c->in_before.state = c->before;
	rc = holdings_make(&c->in_before, &c->old);
	return rc == -ENOENT && r == 0 ? 0 : rc;
}

static bool holds_any(const struct holdings *h, const char *login)
{
	const struct policy_subject *s =
		h->in ? people_find(&h->in->state->people, login) : NULL;
	size_t lo = 0, hi = h->n;

	if (!s)
		return false;
	while (lo < hi) { /* in order of person */
		size_t mid = lo + (hi - lo) / 2;

		if (&h->in->state->people.v[h->v[mid].person] < s)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < h->n && &h->in->state->people.v[h->v[lo].person] == s;
}

/* Narrowed to a VM or a role: people who have, or had, that way in. */
static bool is_wanted(const struct changes *c, const char *login)
{
	return holdings_wanted_person(c->in, login) &&
	       ((!c->in->vm && !c->in->role) || holds_any(&c->new, login) ||
		holds_any(&c->old, login));
}

/* ---------------------------------------------------------------- lines */

static void put_change(struct changes *c, const char *kind, const char *who,
		       const char *what, const struct activity_event *e,
		       bool from_directory)
{
	struct report_table *t = c->t;

	c->n_directory += from_directory;
	c->n_unexplained += !e && !from_directory;
	report_row(t);
	report_put(t, kind);
	report_put(t, who);
	report_put(t, what);
	report_put(t, e		       ? "record"
		      : from_directory ? "the directory's log"
				       : "nothing");
	if (!e)
		return;
	report_put_n(t, (int64_t)e->seq);
	report_put_time(t, e->at_s);
	report_put(t, e->actor);
}

/* The last successful event of such a name about this person, or with this hash. */
static const struct activity_event *find_event(const struct changes *c,
					       const char *prefix, const char *id,
					       const char *after)
{
	const struct activity *a = c->in->activity;

	for (size_t i = a->n_events; i-- > 0;) {
		const struct activity_event *e = &a->events[i];

		if (e->ev && str_after(e->ev, prefix) &&
		    str_eq(e->outcome, "success") &&
		    (!id || str_eq(e->id, id) || str_eq(e->object, id)) &&
		    (!after || str_eq(e->after, after)))
			return e;
	}
	return NULL;
}

static void compare_policies(struct changes *c)
{
	const char *now = policy_sha256(c->after->policy);

	if (str_eq(policy_sha256(c->before->policy), now))
		return;
	put_change(c, "policy", NULL,
		   report_f(c->r, "%.12s became %.12s",
			    policy_sha256(c->before->policy), now),
		   find_event(c, "policy.load", NULL, now), false);
}

static void compare_accounts(struct changes *c, const char *login,
			     const struct policy_subject *old,
			     const struct policy_subject *new)
{
	if (!old || !new) {
		put_change(c, "account", login, new ? "appeared" : "is gone", NULL,
			   true);
		return;
	}
	if (!str_eq(old->id, new->id))
		put_change(c, "account", login, "is another person of the same name",
			   NULL, true);
	if (old->enabled != new->enabled)
		put_change(c, "account", login,
			   new->enabled ? "was enabled" : "was disabled", NULL, true);
	if (old->expires_s != new->expires_s)
		put_change(c, "account", login, "expires at another time", NULL, true);
}

static const char *group_at(const struct state *st, const struct policy_subject *s,
			    size_t i)
{
	return s && i < s->n_groups ? policy_group_at(st->policy, s->groups[i])->name
				    : NULL;
}

/* Both lists are in order of name, because the policies' groups are. */
static void compare_groups(struct changes *c, const char *login,
			   const struct policy_subject *old,
			   const struct policy_subject *new)
{
	size_t i = 0, k = 0;

	for (;;) {
		const char *a = group_at(c->before, old, i);
		const char *b = group_at(c->after, new, k);
		int d = !a ? 1 : !b ? -1 : strcmp(a, b);

		if (!a && !b)
			return;
		if (d != 0)
			put_change(c, "membership", login,
				   report_f(c->r, d < 0 ? "left %s" : "joined %s",
					    d < 0 ? a : b),
				   NULL, true);
		i += d <= 0;
		k += d >= 0;
	}
}

static void compare_people(struct changes *c)
{
	const struct people *a = &c->before->people, *b = &c->after->people;
	size_t i = 0, k = 0;

	while (i < a->n || k < b->n) {
		int d = i == a->n   ? 1
			: k == b->n ? -1
				    : strcmp(a->v[i].login, b->v[k].login);
		const struct policy_subject *old = d <= 0 ? &a->v[i] : NULL;
		const struct policy_subject *new = d >= 0 ? &b->v[k] : NULL;
		const char *login = d <= 0 ? a->v[i].login : b->v[k].login;

		if (is_wanted(c, login)) {
			compare_accounts(c, login, old, new);
			compare_groups(c, login, old, new);
		}
		i += d <= 0;
		k += d >= 0;
	}
}

/* ---------------------------------------------------------------- second factors */

/* What may have made a change, by the beginning of the record's name: that somebody
 * ended a person's delay does not explain another key. */
struct makers {
	const char *of[5]; /* NULL: no more */
};

static const struct makers binds = {{"admin.enrol", "admin.import"}};
static const struct makers disables = {{"admin.disable"}};
static const struct makers drops = {{"admin.reset", "admin.remove_factor"}};
static const struct makers swaps = {{"admin.enrol", "admin.import", "admin.disable",
				     "admin.reset", "admin.remove_factor"}};

static void put_factor(struct changes *c, const struct state_factor *f,
		       const char *what, const struct makers *by)
{
	const struct activity_event *last = NULL, *e;

	for (size_t i = 0; i < ARRAY_SIZE(by->of) && by->of[i]; i++) {
		e = find_event(c, by->of[i], f->id, NULL);
		if (e && (!last || e->seq > last->seq))
			last = e;
	}
	if (is_wanted(c, f->login))
		put_change(c, "second factor", f->login, what, last, false);
}

/* @old: NULL, there was none. */
static void compare_factor(struct changes *c, const struct state_factor *old,
			   const struct state_factor *new)
{
	const char *was = old && old->kind ? old->kind : "none";
	const char *is = new->kind ? new->kind : "none";

	if (!old) {
		put_factor(c, new, new->n_active ? "enrolled" : "enrolment begun",
			   &binds);
		return;
	}
	if (old->disabled != new->disabled)
		put_factor(c, new, new->disabled ? "disabled" : "enabled again",
			   new->disabled ? &disables : &drops);
	if (old->enrolled_s != new->enrolled_s)
		put_factor(c, new, new->n_active == 0 ? "reset" : "bound anew",
			   new->n_active == 0 ? &drops : &swaps);
	else if (old->n_active == new->n_active && !str_eq(was, is))
		put_factor(c, new, report_f(c->r, "%s instead of %s", is, was), &swaps);
	if (old->n_active != new->n_active)
		put_factor(c, new,
			   report_f(c->r, "%u active instead of %u", new->n_active,
				    old->n_active),
			   &swaps);
}

static void compare_factors(struct changes *c)
{
	for (size_t i = 0; i < c->after->n_factors; i++)
		compare_factor(c, state_factor(c->before, c->after->factors[i].id),
			       &c->after->factors[i]);
	for (size_t i = 0; i < c->before->n_factors; i++)
		if (!state_factor(c->after, c->before->factors[i].id))
			put_factor(c, &c->before->factors[i], "forgotten", &drops);
}

/* ---------------------------------------------------------------- ways in */

static bool is_member(const struct state *st, const char *login, const char *group)
{
	const struct policy_subject *s = people_find(&st->people, login);

	for (size_t i = 0; s && i < s->n_groups; i++)
		if (str_eq(group_at(st, s, i), group))
			return true;
	return false;
}

static const char *cause_of(const struct changes *c, const char *login,
			    const struct holding *v)
{
	const struct policy_subject *old = people_find(&c->before->people, login);
	const struct policy_subject *new = people_find(&c->after->people, login);

	if (!old || !new || !str_eq(old->id, new->id) || old->enabled != new->enabled)
		return "account";
	if (is_member(c->before, login, v->group) !=
	    is_member(c->after, login, v->group))
		return "membership";
	if (!str_eq(policy_sha256(c->before->policy), policy_sha256(c->after->policy)))
		return "policy";
	return v->valid_until_s != 0 && v->valid_until_s <= c->after->as_of_s
		       ? "end of the grant"
		       : "dates, or another grant";
}

/* Person, what opens it and the names of the VMs: the same in both snapshots. */
static int way_key(const struct holdings *h, const struct holding *v, char **ret,
		   size_t *ret_len)
{
	const struct state *st = h->in->state;
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;

	if (memtext_open(&m) != 0)
		return -ENOMEM;
	(void)fprintf(m.out, "%s\n%s\n%s\n%s\n%s\n%zu-%llx", st->people.v[v->person].id,
		      v->rule, v->group ? v->group : "", v->role ? v->role : "",
		      v->privileges, holdings_vm_count(h, v->vms),
		      (unsigned long long)holdings_vm_sum(h, v->vms));
	return memtext_take(&m, ret, ret_len);
}

static int index_ways(const struct holdings *h, struct index *ret)
{
	int r = 0;

	for (size_t i = 0; i < h->n && r == 0; i++) {
		_cleanup_free_ char *key = NULL;
		size_t len = 0;
		uint32_t n;

		r = way_key(h, &h->v[i], &key, &len);
		if (r == 0)
			r = index_put(ret, key, len, &n);
	}
	return r;
}

static int list_missing(struct changes *c, const struct holdings *h,
			const struct index *other, const char *change,
			struct report_table *t, size_t *ret_n)
{
	int r = 0;

	for (size_t i = 0; i < h->n && r == 0; i++) {
		const struct holding *v = &h->v[i];
		const char *login = h->in->state->people.v[v->person].login;
		_cleanup_free_ char *key = NULL;
		size_t len = 0;

		r = way_key(h, v, &key, &len);
		if (r != 0 || index_find(other, key, len) != INDEX_NONE)
			continue;
		(*ret_n)++;
		report_row(t);
		report_put(t, login);
		report_put(t, change);
		report_put(t, report_copy(c->r, v->privileges, strlen(v->privileges)));
		report_put(t, v->rule);
		report_put(t, v->group);
		report_put(t, v->role);
		report_put_n(t, (int64_t)holdings_vm_count(h, v->vms));
		report_put(t, cause_of(c, login, v));
	}
	return r;
}

static int compare_ways(struct changes *c, size_t *ret_gained, size_t *ret_lost)
{
	_cleanup_(index_done) struct index old = {0}, new = {0};
	struct report_table *t;
	int r = index_ways(&c->old, &old);

	if (r == 0)
		r = index_ways(&c->new, &new);
	if (r != 0)
		return r;
	report_section(c->r, "Access gained and lost", NULL);
	t = REPORT_TABLE(c->r, "changed-access", "Ways in", way_columns,
			 .none = "None.");
	r = list_missing(c, &c->new, &old, "gained", t, ret_gained);
	return r != 0 ? r : list_missing(c, &c->old, &new, "lost", t, ret_lost);
}

/* ---------------------------------------------------------------- the report */

static void list_events(struct changes *c)
{
	const struct activity *a = c->in->activity;
	struct report_table *t =
		REPORT_TABLE(c->r, "change-records", "Recorded in the period",
			     event_columns, .none = "Nothing.");

	for (size_t i = activity_first_event(a); i < a->n_events; i++) {
		const struct activity_event *e = &a->events[i];

		if (!e->ev ||
		    !(str_after(e->ev, "admin.") || str_after(e->ev, "policy.")))
			continue;
		if (e->user && !is_wanted(c, e->user))
			continue; /* about somebody else; a policy is about all */
		report_row(t);
		report_put_time(t, e->at_s);
		report_put_n(t, (int64_t)e->seq);
		report_put(t, e->ev);
		report_put(t, e->actor);
		report_put(t, e->user);
		report_put(t, e->object);
		report_put(t, e->outcome);
		report_put(t, e->why);
	}
}

int report_changes(const struct report_input *in, struct report *r)
{
	_cleanup_(changes_done) struct changes c = {.in = in,
						    .before = in->before,
						    .after = in->state,
						    .r = r};
	size_t gained = 0, lost = 0;
	char text[TEXT_TIME_MAX];
	int rc = load_holdings(&c);

	if (rc != 0)
		return rc;
	if (in->vm || in->role)
		report_limit(r,
			     "Narrowed to a VM or a role, the report is about people "
			     "who have, or had, that way in.");
	report_section(r, "Differences", NULL);
	if (!in->before) {
		report_missing(
			r, "There is no snapshot from the start of the period: what "
			   "changed since then is not known. Run: rbacctl report "
			   "snapshot, daily");
	} else {
		report_provenance(r, "before", "Compared with",
				  report_f(r, "the snapshot of %s, %s",
					   text_time(in->before->as_of_s, text),
					   in->before->sha256));
		if (!in->before->people.complete)
			report_missing(r, "The earlier snapshot is not complete.");
		c.t = REPORT_TABLE(r, "changes", "What is different", change_columns,
				   .none = "Nothing is different.");
		compare_policies(&c);
		compare_people(&c);
		compare_factors(&c);
		report_figure(r, "changes", "differences", (int64_t)c.t->n_rows, NULL,
			      false);
		rc = compare_ways(&c, &gained, &lost);
	}
	report_section(r, "Who did what", NULL);
	list_events(&c);
	report_figure(r, "gained", "ways in gained", (int64_t)gained, NULL, false);
	report_figure(r, "lost", "ways in lost", (int64_t)lost, NULL, false);
	report_figure(r, "unexplained", "without a record", (int64_t)c.n_unexplained,
		      NULL, true);
	report_find(r, REPORT_HIGH, "change-unexplained", c.n_unexplained, "changes",
		    report_f(r, "%s without a record of the log.",
			     report_plural(r, c.n_unexplained, "difference is",
					   "differences are")));
	report_find(r, REPORT_LOW, "change-in-directory", c.n_directory, "changes",
		    report_f(r,
			     "%s made in the directory: only its own log can say by "
			     "whom.",
			     report_plural(r, c.n_directory, "difference was",
					   "differences were")));
	report_limit(r, "What came and went between two snapshots is not a difference; "
			"its records are listed.");
	return rc;
}
