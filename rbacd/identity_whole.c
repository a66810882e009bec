/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_whole.c - pipeline stage "identity": a whole directory, as a snapshot and
 * the change to it. A large snapshot is checked a slice a turn, so that no login waits.
 */

#include <errno.h>

#include "rbacd/groups.h"
#include "rbacd/identity_internal.h"
#include "rbacd/log.h"
#include "rbacd/tally/people.h"

#define CHECK_SLICE                                                                    \
	1000		/* accounts checked in one turn, a fraction of a millisecond   \
			 */
#define CHANGE_MAX 8192 /* accounts in a change, which is checked at once */

const struct snapshot *whole_newest(const struct whole *w)
{
	return w->change ? w->change : w->base;
}

int64_t whole_age(const struct whole *w, int64_t now_s)
{
	return identity_age(w->boot_s, snapshot_made_s(whole_newest(w)), now_s);
}

size_t whole_people(const struct whole *w)
{
	size_t n = snapshot_account_count(w->base), at;
	struct snapshot_account a;

	for (size_t i = 0; w->change && i < snapshot_account_count(w->change); i++) {
		bool old;

		snapshot_account_at(w->change, i, &a);
		old = snapshot_index(w->base, a.login, &at);
		n += a.flags != 0 && !old;
		n -= a.flags == 0 && old;
	}
	return n;
}

/* ---------------------------------------------------------------- answer */

static bool find_account(const struct whole *w, const char *login,
			 struct snapshot_account *ret)
{
	if (w->change && snapshot_find(w->change, login, ret))
		return ret->flags != 0; /* 0: gone since the base was made */
	return w->base && snapshot_find(w->base, login, ret);
}

int whole_answer(struct identity *id, const char *login, int64_t now_s,
		 struct identity_person *p)
{
	const struct whole *w = &id->whole;
	struct snapshot_account a;
	struct groups_lists l;
	int64_t spare_s;
	int r;

	if (!find_account(w, login, &a) ||
	    !((a.flags & SNAPSHOT_NO_UID) || identity_person_uid(a.uid)))
		return 0;
	p->age_s = whole_age(w, now_s);
	spare_s = id->config->max_stale_s - p->age_s;
	p->stale = spare_s < 0;
	/* Base and change have the same groups; how current they are, the newest says.
	 */
	r = groups_split(groups_count(id->policy), w->map, whole_newest(w), &a, spare_s,
			 &l);
	if (r != 0)
		return r;
	groups_set(p, &l);
	p->known = p->directory = true;
	p->enabled = (a.flags & SNAPSHOT_DISABLED) == 0;
	p->uid = a.uid;
	p->expires_s = a.expires_s;
	p->source = config_source_name(id->config->source);
	(void)snprintf(p->id, sizeof(p->id), "%s", a.id); /* verified: at most 160 */
	return 0;
}

/* By the snapshot's groups; NULL: one has no usable list, or no memory. */
static bool *mark_groups(const struct whole *w, const struct policy *p,
			 const bool *wanted)
{
	const struct snapshot *s = whole_newest(w);
	bool *marks = calloc(snapshot_group_count(s) + 1, sizeof(*marks));
	struct snapshot_group g = {0};

	for (size_t i = 0; marks && i < policy_group_count(p); i++) {
		if (!wanted[i])
			continue;
		if (w->map[i] != GROUPS_NONE)
			snapshot_group_at(s, w->map[i], &g);
		if (w->map[i] == GROUPS_NONE || !g.complete) {
			free(marks);
			return NULL;
		}
		marks[w->map[i]] = true;
	}
	return marks;
}

static bool in_any(const struct snapshot_account *a, const bool *marks)
{
	for (size_t i = 0; i < a->n_groups; i++)
		if (marks[a->groups[i]])
			return true;
	return false;
}

bool identity_count(const struct identity *id, const struct policy *p,
		    const bool *wanted, size_t *ret)
{
	const struct whole *w = &id->whole;
	_cleanup_free_ bool *marks = NULL;
	struct snapshot_account a;
	size_t at;

	/* A map of the policy of before has other numbers. */
	if (!w->base || !w->map || id->policy != p)
		return false;
	marks = mark_groups(w, p, wanted);
	*ret = 0;
	for (size_t i = 0; marks && i < snapshot_account_count(w->base); i++) {
		snapshot_account_at(w->base, i, &a);
		*ret += in_any(&a, marks) &&
			!(w->change && snapshot_index(w->change, a.login, &at));
	}
	for (size_t i = 0; marks && w->change && i < snapshot_account_count(w->change);
	     i++) {
		snapshot_account_at(w->change, i, &a);
		*ret += a.flags != 0 && in_any(&a, marks); /* 0: gone */
	}
	return marks != NULL;
}

/* ------------------------------------------------------------------ take */

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* a memfd */
	*fd = -1;
}

/* When the newest data was true, by the clock that nobody sets. */
static void note_time(struct identity *id)
{
	int64_t past = identity_wall_s() - snapshot_made_s(whole_newest(&id->whole));

	id->whole.boot_s = identity_boot_s() - (past > 0 ? past : 0);
	id->answer_boot_s = identity_boot_s();
}

static bool same_groups(const struct snapshot *a, const struct snapshot *b)
{
	struct snapshot_group g;
	uint32_t at;

	if (snapshot_group_count(a) != snapshot_group_count(b))
		return false;
	for (size_t i = 0; i < snapshot_group_count(a); i++) {
		snapshot_group_at(a, i, &g);
		if (!snapshot_group_index(b, &g, &at) || at != i)
			return false;
	}
	return true;
}

static int adopt_change(struct identity *id, struct snapshot *s, int *fd)
{
	struct whole *w = &id->whole;

	if (!w->base || snapshot_base(s) != snapshot_serial(w->base) ||
	    snapshot_account_count(s) > CHANGE_MAX || !same_groups(s, w->base) ||
	    snapshot_check(s, SIZE_MAX) != 0) {
		snapshot_unref(s);
		return SNAPSHOT_E_INVALID;
	}
	snapshot_unref(w->change);
	w->change = s;
	drop_fd(&w->change_fd);
	w->change_fd = *fd;
	*fd = -1;
	note_time(id);
	keep_changed(id->keep, false);
	return 0;
}

static int adopt_base(struct identity *id, struct snapshot *s, int *fd)
{
	struct whole *w = &id->whole;
	uint32_t *map = groups_map(id->policy, s);

	if (!map) {
		snapshot_unref(s);
		return -ENOMEM;
	}
	snapshot_unref(w->base);
	snapshot_unref(w->change);
	free(w->map);
	drop_fd(&w->base_fd);
	drop_fd(&w->change_fd);
	w->base = s;
	w->change = NULL;
	w->map = map;
	w->base_fd = *fd;
	*fd = -1;
	note_time(id);
	keep_changed(id->keep, true);
	return 0;
}

/* The change that came while its base was being checked. */
static int take_waiting(struct identity *id)
{
	int fd = id->whole.next_change_fd;
	struct snapshot *s;
	int r;

	id->whole.next_change_fd = -1;
	if (fd < 0)
		return 0;
	r = snapshot_open_fd(fd, &s);
	if (r == 0)
		r = adopt_change(id, s, &fd);
	drop_fd(&fd);
	return r;
}

static void plan_check(struct whole *w)
{
	const struct timeval now = {0};

	/* A timer, not an active event: the other events of a turn come in between. */
	if (evtimer_add(w->checking, &now) != 0)
		log_err("stage=identity: out of memory; a snapshot waits");
}

static void drop_next(struct whole *w)
{
	snapshot_unref(w->next);
	w->next = NULL;
	drop_fd(&w->next_fd);
	drop_fd(&w->next_change_fd);
}

static void on_check(evutil_socket_t fd, short what, void *arg)
{
	struct identity *id = arg;
	struct whole *w = &id->whole;
	int r;

	(void)fd;
	(void)what;
	if (!w->next)
		return;
	r = snapshot_check(w->next, CHECK_SLICE);
	if (r == SNAPSHOT_E_MORE) {
		plan_check(w);
		return;
	}
	if (r == 0)
		r = adopt_base(id, STEAL(w->next), &w->next_fd);
	if (r == 0)
		r = take_waiting(id);
	if (r != 0)
		log_err("stage=identity: rbacd-dir sent an invalid snapshot (%d); the "
			"last one stays",
			r);
	else
		identity_wake(id);
	drop_next(w);
}

static int take_base(struct identity *id, struct snapshot *s, int *fd)
{
	struct whole *w = &id->whole;

	int r = snapshot_check(s, CHECK_SLICE);

	drop_next(w); /* an older one */
	if (r == 0)
		return adopt_base(id, s, fd);
	if (r != SNAPSHOT_E_MORE) {
		snapshot_unref(s);
		return SNAPSHOT_E_INVALID;
	}
	w->next = s;
	w->next_fd = *fd;
	*fd = -1;
	plan_check(w);
	return 0;
}

int whole_take(struct identity *id, struct snapshot *s, int *fd)
{
	struct whole *w = &id->whole;

	if (id->config->source == CONFIG_SOURCE_NSS ||
	    !str_eq(snapshot_source(s), config_source_name(id->config->source))) {
		snapshot_unref(s);
		return -EPROTO;
	}
	if (snapshot_base(s) == 0)
		return take_base(id, s, fd);
	if (w->next && snapshot_base(s) == snapshot_serial(w->next)) {
		snapshot_unref(s);
		drop_fd(&w->next_change_fd);
		w->next_change_fd = *fd;
		*fd = -1;
		return 0;
	}
	return adopt_change(id, s, fd);
}

/* ------------------------------------------------------------------ everybody */

bool identity_lists(const struct identity *id)
{
	return id->config->source != CONFIG_SOURCE_NSS;
}

/* A people file does not know DNs and ids: it is never asked for such groups. */
static bool speaks_of(const struct identity *id, const struct policy *p)
{
	bool pins = id->config->source == CONFIG_SOURCE_LDAP;
	_cleanup_free_ uint32_t *map = groups_map(p, id->whole.base);
	bool all = map != NULL;

	for (size_t i = 0; i < groups_count(p) && all; i++)
		all = map[i] != GROUPS_NONE ||
		      (!pins && groups_pinned(policy_group_at(p, i)));
	return all;
}

bool identity_speaks(const struct identity *id)
{
	return id->whole.base && id->local && speaks_of(id, id->policy) &&
	       speaks_of(id, id->also);
}

int identity_population(struct identity *id, int64_t now_s, struct population *ret,
			struct snapshot **ret_change)
{
	const struct whole *w = &id->whole;

	if (!w->base || !id->local)
		return -ENODATA;
	*ret = (struct population){.people = snapshot_ref(w->base),
				   .local = snapshot_ref(id->local),
				   .whole = true,
				   .now_s = now_s,
				   .max_stale_s = INT64_MAX};
	(void)snprintf(ret->source, sizeof(ret->source), "%s",
		       config_source_name(id->config->source)); /* fits */
	*ret_change = w->change ? snapshot_ref(w->change) : NULL;
	return 0;
}

/* ------------------------------------------------------------------ life */

int whole_init(struct identity *id)
{
	struct whole *w = &id->whole;

	w->base_fd = w->change_fd = w->next_fd = w->next_change_fd = -1;
	w->checking = evtimer_new(id->base, on_check, id);
	return w->checking ? 0 : -ENOMEM;
}

void whole_done(struct whole *w)
{
	drop_next(w);
	drop_fd(&w->base_fd);
	drop_fd(&w->change_fd);
	if (w->checking)
		event_free(w->checking);
	snapshot_unref(w->base);
	snapshot_unref(w->change);
	free(w->map);
}
