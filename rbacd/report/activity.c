/* SPDX-License-Identifier: Apache-2.0 */
/* activity.c - one pass over the log's records of a period. */
#include "rbacd/report/activity.h"

#include <errno.h>

#define DAY_S	 86400
#define DAYS_MAX 4000

/* ---------------------------------------------------------------- texts */

/* A field without its escapes: in place when it has none, which is nearly always. */
static const char *field(const struct audit_view *v, enum audit_key key, char *buf,
			 size_t cap, size_t *ret_len)
{
	const struct audit_text *t = &v->f[key];

	*ret_len = t->p ? t->len : 0;
	if (!t->p || !memchr(t->p, '\\', t->len))
		return t->p;
	*ret_len = audit_get(v, key, buf, cap);
	return buf;
}

/* A field as text that lives as long as the activity; NULL: absent or empty. */
static int keep(struct activity *a, const struct audit_view *v, enum audit_key key,
		const char **ret)
{
	char buf[AUDIT_LINE_MAX];
	size_t len;
	const char *text = field(v, key, buf, sizeof(buf), &len);
	uint32_t n;
	int r;

	*ret = NULL;
	if (len == 0)
		return 0;
	r = index_put(&a->names, text, len, &n);
	if (r == 0)
		*ret = a->names.texts[n].text;
	return r;
}

static int grow(void **p, size_t *cap, size_t n, size_t size)
{
	size_t more = *cap ? *cap * 2 : 64;
	char *bigger;

	if (n < *cap)
		return 0;
	bigger = reallocarray(*p, more, size);
	if (!bigger)
		return -ENOMEM;
	memset(bigger + *cap * size, 0, (more - *cap) * size);
	*p = bigger;
	*cap = more;
	return 0;
}

/* Counts one more of @key's text; a field that is absent is not counted. */
static int count(struct activity_counts *c, const struct audit_view *v,
		 enum audit_key key, bool allow, uint64_t n)
{
	char buf[AUDIT_LINE_MAX];
	size_t len;
	const char *text = field(v, key, buf, sizeof(buf), &len);
	uint32_t i;
	int r;

	if (len == 0)
		return 0;
	r = index_put(&c->index, text, len, &i);
	if (r == -ENOSPC) {
		c->n_other += n;
		return 0;
	}
	if (r == 0)
		r = grow((void **)&c->v, &c->cap, i, sizeof(*c->v));
	if (r != 0)
		return r;
	c->v[i].text = c->index.texts[i].text;
	c->v[i].last_s = v->ts_us / 1000000;
	*(allow ? &c->v[i].n_allow : &c->v[i].n_deny) += n;
	return 0;
}

/* ---------------------------------------------------------------- people */

static int find_person(struct activity *a, const struct audit_view *v,
		       struct activity_person **ret)
{
	char buf[AUDIT_LINE_MAX];
	size_t len;
	const char *id = field(v, AUDIT_UID, buf, sizeof(buf), &len);
	uint32_t i;
	int r;

	*ret = NULL;
	if (len == 0)
		return 0;
	r = index_put(&a->ids, id, len, &i);
	if (r == 0)
		r = grow((void **)&a->people, &a->people_cap, i, sizeof(*a->people));
	if (r != 0)
		return r;
	if (!a->people[i].id) {
		a->people[i].id = a->ids.texts[i].text;
		a->people[i].t_delta = INT64_MIN;
	}
	*ret = &a->people[i];
	/* Who was renamed in the period goes by the last name. */
	if (!v->f[AUDIT_USER].p ||
	    (a->people[i].login && audit_is(v, AUDIT_USER, a->people[i].login)))
		return 0;
	return keep(a, v, AUDIT_USER, &a->people[i].login);
}

/* "su:postgres" for a target, else the privilege. */
static size_t full_privilege(const struct audit_view *v, char *buf, size_t cap)
{
	size_t n = audit_get(v, AUDIT_PRIV, buf, cap);

	if (!v->f[AUDIT_TARGET].p || n == 0 || n + 2 > cap)
		return n;
	buf[n++] = ':';
	return n + audit_get(v, AUDIT_TARGET, buf + n, cap - n);
}

static int new_use(struct activity *a, const struct audit_view *v, uint32_t person,
		   uint32_t i, const char *priv, size_t priv_len)
{
	struct activity_use *use;
	uint32_t n;
	int r = grow((void **)&a->uses, &a->uses_cap, i, sizeof(*a->uses));

	if (r == 0)
		r = index_put(&a->names, priv, priv_len, &n);
	if (r != 0)
		return r;
	use = &a->uses[i];
	use->person = person;
	use->priv = a->names.texts[n].text;
	use->next = a->people[person].uses;
	a->people[person].uses = i + 1;
	return keep(a, v, AUDIT_VM, &use->vm);
}

/* The key of a use: the person's number, VM and privilege, with NULs between. */
static size_t use_key(uint32_t person, const char *vm, size_t vm_len, const char *priv,
		      size_t priv_len, char *key, size_t cap)
{
	if (sizeof(person) + vm_len + 1 + priv_len > cap)
		return 0;
	memcpy(key, &person, sizeof(person));
	memcpy(key + sizeof(person), vm, vm_len);
	key[sizeof(person) + vm_len] = '\0';
	memcpy(key + sizeof(person) + vm_len + 1, priv, priv_len);
	return sizeof(person) + vm_len + 1 + priv_len;
}

static int add_use(struct activity *a, const struct audit_view *v,
		   struct activity_person *p, int64_t at_s, bool strong)
{
	char buf[256], priv[512], key[1024];
	size_t vm_len, priv_len = full_privilege(v, priv, sizeof(priv));
	const char *vm = field(v, AUDIT_VM, buf, sizeof(buf), &vm_len);
	uint32_t person = (uint32_t)(p - a->people), i;
	size_t len = use_key(person, vm, vm_len, priv, priv_len, key, sizeof(key));
	size_t before = a->uses_index.n;
	int r;

	if (vm_len == 0 || priv_len == 0 || len == 0)
		return 0;
	r = index_put(&a->uses_index, key, len, &i);
	if (r == 0 && a->uses_index.n > before)
		r = new_use(a, v, person, i, priv, priv_len);
	if (r != 0)
		return r;
	if (a->uses[i].n++ == 0)
		a->uses[i].first_s = at_s;
	a->uses[i].last_s = at_s;
	a->uses[i].n_strong += strong;
	return 0;
}

/* ---------------------------------------------------------------- decisions */

static void add_factor(struct activity_person *p, const struct audit_view *v,
		       int64_t at_s, bool allow)
{
	bool security_key = audit_is(v, AUDIT_MFA_METHOD, "security-key");

	if (allow && v->f[AUDIT_MFA_METHOD].p &&
	    !audit_is(v, AUDIT_MFA_METHOD, "remembered")) {
		p->n_ok++;
		p->n_strong += security_key;
		p->n_recovery += audit_is(v, AUDIT_MFA_METHOD, "recovery");
		p->last_ok_s = at_s;
		p->method = security_key			    ? "security-key"
			    : audit_is(v, AUDIT_MFA_METHOD, "totp") ? "totp"
								    : "recovery";
		if (v->f[AUDIT_T_DELTA].p)
			p->t_delta = audit_int(v, AUDIT_T_DELTA, 0);
	}
	p->n_bad += audit_is(v, AUDIT_REASON, "bad_otp") ||
		    audit_is(v, AUDIT_REASON, "otp_window");
	p->n_replay += audit_is(v, AUDIT_REASON, "otp_replay");
	p->n_locked += audit_is(v, AUDIT_REASON, "factor_locked") ||
		       audit_is(v, AUDIT_REASON, "rate_limited");
}

static void add_latency(struct activity *a, int64_t us)
{
	static const int64_t edge[] = {1000, 5000, 20000, 100000};
	size_t i = 0;

	while (i < ARRAY_SIZE(edge) && us > edge[i])
		i++;
	a->lat[i] += us >= 0;
}

static void add_time(struct activity *a, int64_t at_s, bool allow, uint64_t n)
{
	int64_t day = at_s / DAY_S - a->since_s / DAY_S;

	if (day >= 0 && day < (int64_t)a->n_days)
		*(allow ? &a->days[day].n_allow : &a->days[day].n_deny) += n;
	/* 1970-01-01 was a Thursday: weekday 3 from Monday. */
	if (allow && at_s >= 0)
		a->heat[at_s / 3600 % 24][(at_s / DAY_S + 3) % 7] += n;
}

/* A use is what the account phase allowed; the auth phase only checks a code. */
static int add_person(struct activity *a, const struct audit_view *v, int64_t at_s,
		      bool account, bool allow)
{
	struct activity_person *p;
	int r = find_person(a, v, &p);

	if (r != 0 || !p)
		return r;
	add_factor(p, v, at_s, allow);
	if (!allow) {
		p->n_deny++;
		p->last_deny_s = at_s;
		return 0;
	}
	if (!account)
		return 0;
	if (p->n_allow++ == 0)
		p->first_allow_s = at_s;
	p->last_allow_s = at_s;
	return add_use(a, v, p, at_s, audit_is(v, AUDIT_MFA_METHOD, "security-key"));
}

static bool is_about_password(const struct audit_view *v)
{
	char buf[64];

	return audit_get(v, AUDIT_REASON, buf, sizeof(buf)) > 3 &&
	       memcmp(buf, "pw_", 3) == 0;
}

static int add_decision(struct activity *a, const struct audit_view *v, bool account)
{
	bool allow = audit_is(v, AUDIT_DEC, "allow");
	int64_t at_s = v->ts_us / 1000000, given = audit_int(v, AUDIT_COUNT, 1);
	uint64_t n = given > 0 ? (uint64_t)given : 1;
	int r = add_person(a, v, at_s, account, allow);

	if (r != 0 || (allow && !account))
		return r;
	*(allow ? &a->n_allow : &a->n_deny) += n;
	add_time(a, at_s, allow, n);
	add_latency(a, audit_int(v, AUDIT_LAT_US, -1));
	a->n_replays += audit_is(v, AUDIT_REASON, "otp_replay") ? n : 0;
	a->n_unknown += v->f[AUDIT_UNKNOWN_USER].p ? n : 0;
	a->n_lockouts += audit_is(v, AUDIT_REASON, "factor_locked") ||
					 audit_is(v, AUDIT_REASON, "factor_disabled")
				 ? n
				 : 0;
	if (!allow)
		r = count(&a->reasons, v, AUDIT_REASON, false, n);
	else if (is_about_password(v))
		r = count(&a->passwords, v, AUDIT_REASON, true, n);
	if (r == 0)
		r = count(&a->sources, v, AUDIT_SRC, allow, n);
	if (r == 0)
		r = count(&a->vms, v, AUDIT_VM, allow, n);
	if (r == 0)
		r = count(&a->services, v, AUDIT_SVC, allow, n);
	return r;
}

/* A new password was judged, or the stack has changed one. */
static int add_password(struct activity *a, const struct audit_view *v)
{
	bool good = audit_is(v, AUDIT_OUTCOME, "success");

	if (audit_is(v, AUDIT_EV, "password.changed"))
		a->n_passwords_changed += good;
	else
		a->n_passwords_good += good;
	return good ? 0 : count(&a->passwords, v, AUDIT_REASON, false, 1);
}

/* ---------------------------------------------------------------- changes */

static int add_event(struct activity *a, const struct audit_view *v)
{
	static const enum audit_key keys[] = {AUDIT_EV,		 AUDIT_OP,
					      AUDIT_ACTOR,	 AUDIT_USER,
					      AUDIT_UID,	 AUDIT_OBJECT,
					      AUDIT_BEFORE_SHA,	 AUDIT_AFTER_SHA,
					      AUDIT_REASON_TEXT, AUDIT_OUTCOME,
					      AUDIT_SEV,	 AUDIT_REASON};
	struct activity_event e = {.seq = v->seq, .at_s = v->ts_us / 1000000};
	const char **const to[] = {&e.ev,  &e.op,      &e.actor,  &e.user,
				   &e.id,  &e.object,  &e.before, &e.after,
				   &e.why, &e.outcome, &e.sev,	  &e.reason};
	int r = 0;

	if (a->n_events == ACTIVITY_EVENTS_MAX) {
		a->n_events_lost++;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0; i++)
		r = keep(a, v, keys[i], to[i]);
	if (r == 0)
		r = grow((void **)&a->events, &a->events_cap, a->n_events,
			 sizeof(*a->events));
	if (r == 0)
		a->events[a->n_events++] = e;
	return r;
}

static bool in_scope(const struct activity *a, const struct audit_view *v)
{
	return (!a->user || audit_is(v, AUDIT_USER, a->user)) &&
	       (!a->vm || audit_is(v, AUDIT_VM, a->vm));
}

static bool is_change(const struct audit_view *v)
{
	static const char *const others[] = {"account",	     "auth",
					     "password.new", "password.changed",
					     "session.open", "session.close",
					     "cred",	     "log.heartbeat"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (audit_is(v, AUDIT_EV, others[i]))
			return false;
	return true;
}

static int add(struct activity *a, const struct audit_view *v)
{
	bool account = audit_is(v, AUDIT_EV, "account");
	int r = count(&a->hosts, v, AUDIT_HOST, true, 1);

	if (r != 0)
		return r;
	if (account || audit_is(v, AUDIT_EV, "auth"))
		return in_scope(a, v) ? add_decision(a, v, account) : 0;
	if (audit_is(v, AUDIT_EV, "password.new") ||
	    audit_is(v, AUDIT_EV, "password.changed"))
		return in_scope(a, v) ? add_password(a, v) : 0;
	if (audit_is(v, AUDIT_EV, "session.open"))
		a->n_sessions += in_scope(a, v);
	return is_change(v) ? add_event(a, v) : 0;
}

/* Before the period only what may explain a difference to an earlier snapshot. */
static int add_early(const struct audit_view *v, void *arg)
{
	return is_change(v) ? add_event(arg, v) : 0;
}

/* ---------------------------------------------------------------- a pass */

int activity_see(struct activity *a, const struct audit_view *v)
{
	if (v->ts_us < a->since_s * 1000000)
		return v->ts_us >= a->events_s * 1000000 ? add_early(v, a) : 0;
	if (v->ts_us >= a->until_s * 1000000)
		return 0;
	audit_coverage_add(&a->coverage, v);
	return add(a, v);
}

static int add_view(const struct audit_view *v, void *arg)
{
	return add(arg, v);
}

int activity_init(struct activity *a, const struct activity_scope *scope)
{
	int64_t since_s = scope->since_s, until_s = scope->until_s;

	*a = (struct activity){.since_s = since_s,
			       .until_s = until_s,
			       .events_s =
				       scope->events_s > 0 && scope->events_s < since_s
					       ? scope->events_s
					       : since_s,
			       .user = scope->user,
			       .vm = scope->vm};
	if (since_s >= until_s || (until_s - since_s) / DAY_S >= DAYS_MAX)
		return -EINVAL;
	a->sources.index.most = ACTIVITY_SOURCES_MAX;
	a->n_days = (size_t)((until_s - 1) / DAY_S - since_s / DAY_S + 1);
	a->days = calloc(a->n_days, sizeof(*a->days));
	return a->days ? 0 : -ENOMEM;
}

int activity_read(struct audit_reader *reader, const struct activity_scope *scope,
		  struct activity *ret)
{
	struct audit_coverage early = {0}; /* of no interest: not of the period */
	int r = activity_init(ret, scope);

	if (r == 0 && ret->events_s < ret->since_s)
		r = audit_reader_period(reader, ret->events_s * 1000000,
					ret->since_s * 1000000, add_early, ret, &early);
	return r != 0 ? r
		      : audit_reader_period(reader, scope->since_s * 1000000,
					    scope->until_s * 1000000, add_view, ret,
					    &ret->coverage);
}

size_t activity_first_event(const struct activity *a)
{
	size_t i = 0;

	while (i < a->n_events && a->events[i].at_s < a->since_s)
		i++;
	return i;
}

static void counts_done(struct activity_counts *c)
{
	index_done(&c->index);
	free(c->v);
}

void activity_done(struct activity *a)
{
	index_done(&a->ids);
	index_done(&a->names);
	index_done(&a->uses_index);
	counts_done(&a->reasons);
	counts_done(&a->passwords);
	counts_done(&a->sources);
	counts_done(&a->hosts);
	counts_done(&a->vms);
	counts_done(&a->services);
	free(a->people);
	free(a->uses);
	free(a->events);
	free(a->days);
}

const struct activity_person *activity_person(const struct activity *a, const char *id)
{
	uint32_t i = id ? index_find(&a->ids, id, strlen(id)) : INDEX_NONE;

	return i == INDEX_NONE ? NULL : &a->people[i];
}

const struct activity_use *activity_use(const struct activity *a,
					const struct activity_person *person,
					const char *vm, const char *priv)
{
	char key[1024];
	size_t len;
	uint32_t i;

	if (!person)
		return NULL;
	len = use_key((uint32_t)(person - a->people), vm, strlen(vm), priv,
		      strlen(priv), key, sizeof(key));
	i = len ? index_find(&a->uses_index, key, len) : INDEX_NONE;
	return i == INDEX_NONE ? NULL : &a->uses[i];
}

void activity_end(struct activity *a, int64_t known_s)
{
	audit_coverage_end(&a->coverage, a->since_s * 1000000,
			   (known_s < a->until_s ? known_s : a->until_s) * 1000000);
}

int64_t activity_from_s(const struct activity *a)
{
	int64_t first_s = a->coverage.first_us / 1000000;

	return a->coverage.n_records > 0 && first_s > a->since_s ? first_s : a->since_s;
}
