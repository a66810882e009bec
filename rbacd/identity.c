/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c - pipeline stage "identity": the data, and one person's view of it. */

#include "rbacd/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "rbacd/directory/local.h"
#include "rbacd/groups.h"
#include "rbacd/identity_internal.h"
#include "rbacd/limits.h"
#include "rbacd/log.h"
#include "rbacd/targets.h"

#define PASSWD_PATH "/etc/passwd"

int64_t identity_boot_s(void)
{
	struct timespec ts;

	/* BOOTTIME goes on while the machine sleeps, and nobody can set it. */
	(void)clock_gettime(CLOCK_BOOTTIME, &ts); /* cannot fail on Linux */
	return (int64_t)ts.tv_sec;
}

void identity_person_done(struct identity_person *p)
{
	free(p->groups);
	free(p->unknown);
	*p = (struct identity_person)IDENTITY_PERSON_INIT;
}

void identity_person_subject(const struct identity_person *p, int64_t max_s,
			     struct policy_subject *ret)
{
	*ret = (struct policy_subject){.login = p->login,
				       .id = p->id[0] ? p->id : NULL,
				       .known = p->known,
				       .enabled = p->enabled,
				       .local = p->local,
				       .directory = p->directory,
				       .stale = p->directory && !p->local &&
						p->age_s > max_s,
				       .expires_s = p->expires_s,
				       .groups = p->groups,
				       .n_groups = p->n_groups,
				       .unknown = p->unknown,
				       .n_unknown = p->n_unknown};
}

static int copy_list(const uint32_t *v, size_t n, uint32_t **ret)
{
	uint32_t *copy = calloc(n + 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (n > 0)
		memcpy(copy, v, n * sizeof(*v));
	*ret = copy;
	return 0;
}

int identity_person_copy(const struct identity_person *p, struct identity_person *ret)
{
	struct identity_person copy = *p;

	copy.groups = NULL;
	copy.unknown = NULL;
	if (copy_list(p->groups, p->n_groups, &copy.groups) != 0 ||
	    copy_list(p->unknown, p->n_unknown, &copy.unknown) != 0) {
		identity_person_done(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

/* ---------------------------------------------------------------- answer */

int64_t identity_age(int64_t boot_s, int64_t wall_s, int64_t now_s)
{
	int64_t age = identity_boot_s() - boot_s;

	if (now_s - wall_s > age)
		age = now_s - wall_s;
	return age > 0 ? age : 0;
}

bool identity_person_uid(uint32_t uid)
{
	return uid >= SNAPSHOT_PEOPLE_MIN && !snapshot_uid_reserved(uid);
}

static bool find_local(const struct identity *id, const char *login,
		       struct snapshot_account *ret)
{
	return id->local && snapshot_find(id->local, login, ret);
}

static void set_local(struct identity_person *p, const struct snapshot_account *a)
{
	p->known = p->enabled = p->local = true;
	p->uid = a->uid;
	p->source = "local";
	p->age_s = 0;
	(void)snprintf(p->id, sizeof(p->id), "%s", a->id); /* verified: at most 160 */
}

/*
 * Somebody of /etc/passwd of whom the directory has nothing usable: with source nss his
 * groups exist but are unknown, so that denies that name them hold.
 */
static int answer_local(const struct identity *id, const struct snapshot_account *a,
			struct identity_person *p)
{
	struct groups_lists l;
	int r;

	set_local(p, a);
	if (id->config->source != CONFIG_SOURCE_NSS || !identity_person_uid(a->uid))
		return 0;
	r = groups_all_unknown(id->policy, &l);
	if (r != 0)
		return r;
	p->directory = true;
	groups_set(p, &l);
	return 0;
}

static int answer_entry(const struct person_entry *e, bool local,
			struct identity_person *p)
{
	int r = copy_list(e->groups, e->n_groups, &p->groups);

	if (r == 0)
		r = copy_list(e->unknown, e->n_unknown, &p->unknown);
	if (r != 0)
		return r;
	p->n_groups = e->n_groups;
	p->n_unknown = e->n_unknown;
	p->known = true;
	p->enabled = (e->flags & SNAPSHOT_DISABLED) == 0;
	p->directory = (e->flags & SNAPSHOT_DIRECTORY) != 0;
	p->local = local;
	p->uid = e->uid;
	p->expires_s = e->expires_s;
	p->source = "nss";
	(void)snprintf(p->id, sizeof(p->id), "%s", e->id); /* same size */
	return 0;
}

static int answer_nss(struct identity *id, const char *login, int64_t now_s,
		      struct identity_person *p)
{
	const struct person_entry *e = people_cache_get(id->people, login);
	struct snapshot_account a;
	bool local = find_local(id, login, &a);

	if (e && local && e->uid != a.uid)
		e = NULL; /* two accounts under one name: /etc/passwd wins */
	if (e) {
		p->age_s = identity_age(e->boot_s, e->wall_s, now_s);
		p->stale = p->age_s > id->config->max_stale_s;
	}
	if (e && !p->stale)
		return answer_entry(e, local, p);
	if (!local)
		return 0;
	return answer_local(id, &a, p);
}

static int answer_whole(struct identity *id, const char *login, int64_t now_s,
			struct identity_person *p)
{
	struct snapshot_account a;

	if (find_local(id, login, &a))
		return answer_local(id, &a, p); /* a directory cannot speak for him */
	return whole_answer(id, login, now_s, p);
}

int identity_answer(struct identity *id, const char *login, int64_t now_s,
		    struct identity_person *ret)
{
	struct identity_person p = IDENTITY_PERSON_INIT;
	int r = 0;

	(void)snprintf(p.login, sizeof(p.login), "%s", login); /* raw ones may be cut */
	if (policy_login_valid(login, strlen(login)))
		r = id->config->source == CONFIG_SOURCE_NSS
			    ? answer_nss(id, login, now_s, &p)
			    : answer_whole(id, login, now_s, &p);
	if (r != 0) {
		identity_person_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

bool identity_is_fresh(struct identity *id, const char *login, int64_t now_s)
{
	const struct person_entry *e;
	struct snapshot_account a;

	if (!policy_login_valid(login, strlen(login)))
		return true;
	if (identity_awaits(id))
		return false;
	if (id->config->source != CONFIG_SOURCE_NSS)
		return true;
	if (find_local(id, login, &a) && !identity_person_uid(a.uid))
		return true; /* system accounts are /etc/passwd's alone */
	e = people_cache_get(id->people, login);
	if (!e)
		e = people_cache_get(id->unknowns, login);
	return e && !e->refresh &&
	       identity_age(e->boot_s, e->wall_s, now_s) < LIMIT_PERSON_FRESH_S;
}

bool identity_local_uid(const struct identity *id, const char *login, uint32_t *ret)
{
	struct local_account file;
	struct snapshot_account a;

	if (id->local) {
		if (!snapshot_find(id->local, login, &a))
			return false;
		*ret = a.uid;
		return true;
	}
	/* Nothing from rbacd-dir yet. local_find() takes bare digits for a uid. */
	if (login[strspn(login, "0123456789")] == '\0' ||
	    local_find(PASSWD_PATH, login, &file) != 0)
		return false;
	*ret = file.uid;
	return true;
}

/* ------------------------------------------------------------- take data */

static int take_local(struct identity *id, struct snapshot *s)
{
	_cleanup_snapshot_ struct snapshot *owned = s;

	if (snapshot_check(s, SIZE_MAX) != 0)
		return SNAPSHOT_E_INVALID;
	snapshot_unref(id->local);
	id->local = STEAL(owned);
	return 0;
}

int identity_take_snapshot(struct identity *id, int *fd)
{
	struct snapshot *s;
	int r = snapshot_open_fd(*fd, &s);

	if (r == 0)
		r = str_eq(snapshot_source(s), "local") ? take_local(id, s)
							: whole_take(id, s, fd);
	if (r != 0)
		log_err("stage=identity: rbacd-dir sent an invalid snapshot (%d); the "
			"last one stays",
			r);
	else
		identity_wake(id);
	return r;
}

int64_t identity_wall_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail on Linux */
	return (int64_t)ts.tv_sec;
}

static struct person_entry *entry_new(const char *login)
{
	struct person_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	(void)snprintf(e->login, sizeof(e->login), "%s", login); /* valid: fits */
	e->uid = UINT32_MAX;
	e->boot_s = identity_boot_s();
	e->wall_s = identity_wall_s();
	return e;
}

static int take_nobody(struct identity *id, const char *login)
{
	struct person_entry *e = entry_new(login);

	people_cache_drop(id->people, login);
	return e ? people_cache_put(id->unknowns, e) : -ENOMEM;
}

static int take_person(struct identity *id, const struct snapshot *s,
		       const struct snapshot_account *a)
{
	_cleanup_free_ uint32_t *map = groups_map(id->policy, s);
	struct person_entry *e = entry_new(a->login);
	struct groups_lists l;

	if (!map || !e ||
	    groups_split(groups_count(id->policy), map, s, a, id->config->max_stale_s,
			 &l) != 0) {
		person_entry_free(e);
		return -ENOMEM;
	}
	e->uid = a->uid;
	e->flags = a->flags;
	e->expires_s = a->expires_s;
	(void)snprintf(e->id, sizeof(e->id), "%s", a->id); /* verified: at most 160 */
	e->groups = l.groups;
	e->n_groups = l.n_groups;
	e->unknown = l.unknown;
	e->n_unknown = l.n_unknown;
	people_cache_drop(id->unknowns, a->login);
	return people_cache_put(id->people, e);
}

int identity_take_answer(struct identity *id, const char *login, const void *block,
			 size_t len)
{
	_cleanup_snapshot_ struct snapshot *s = NULL;
	struct snapshot_account a;
	int r = snapshot_from_bytes(block, len, &s);

	if (r != 0)
		return r;
	if (!str_eq(snapshot_source(s), "nss") || snapshot_account_count(s) > 1)
		return -EPROTO;
	id->answer_boot_s = identity_boot_s();
	if (snapshot_account_count(s) == 0)
		return take_nobody(id, login);
	snapshot_account_at(s, 0, &a);
	if (!str_eq(a.login, login))
		return -EPROTO;
	if ((a.flags & SNAPSHOT_DIRECTORY) && !identity_person_uid(a.uid))
		return -EPROTO;
	return take_person(id, s, &a);
}

/* ---------------------------------------------------------------- policy */

struct remap {
	const uint32_t *old_of; /* for each new index the old one, or GROUPS_NONE */
	size_t n;
	bool grown; /* a group is new */
};

static bool list_has(const uint32_t *v, size_t n, uint32_t x)
{
	return n > 0 && x != GROUPS_NONE &&
	       groups_has(&(struct snapshot_account){.groups = v, .n_groups = n}, x);
}

static bool remap_entry(struct person_entry *e, void *arg)
{
	const struct remap *m = arg;
	struct groups_lists l;

	if (groups_lists_new(m->n, &l) != 0)
		return false; /* looked up again when needed */
	for (size_t i = 0; i < m->n; i++) {
		uint32_t old = m->old_of[i];

		if (list_has(e->groups, e->n_groups, old))
			l.groups[l.n_groups++] = (uint32_t)i;
		else if (old == GROUPS_NONE || list_has(e->unknown, e->n_unknown, old))
			l.unknown[l.n_unknown++] = (uint32_t)i;
	}
	free(e->groups);
	free(e->unknown);
	e->groups = l.groups;
	e->n_groups = l.n_groups;
	e->unknown = l.unknown;
	e->n_unknown = l.n_unknown;
	e->refresh = e->refresh || m->grown;
	return true;
}

static uint32_t old_index(const struct policy *old, const struct policy_group *g)
{
	uint32_t i;

	if (!old || groups_pinned(g) || policy_group_find(old, g->name, &i) != 0)
		return GROUPS_NONE;
	return groups_pinned(policy_group_at(old, i)) ? GROUPS_NONE : i;
}

int identity_set_policy(struct identity *id, struct policy *policy)
{
	size_t n = groups_count(policy);
	_cleanup_free_ uint32_t *old_of = calloc(n + 1, sizeof(*old_of));
	_cleanup_free_ uint32_t *map = NULL;
	struct remap m = {.old_of = old_of, .n = n};

	if (!old_of)
		return -ENOMEM;
	if (id->whole.base) {
		map = groups_map(policy, id->whole.base);
		if (!map)
			return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		old_of[i] = old_index(id->policy, policy_group_at(policy, i));
		m.grown = m.grown || old_of[i] == GROUPS_NONE;
	}
	people_cache_each(id->people, remap_entry, &m);
	if (id->whole.base) {
		free(id->whole.map);
		id->whole.map = STEAL(map);
	}
	policy_unref(id->policy);
	id->policy = policy ? policy_ref(policy) : NULL;
	identity_send_targets(id);
	return 0;
}

void identity_follow_also(struct identity *id, struct policy *policy)
{
	if (id->also == policy)
		return;
	policy_unref(id->also);
	id->also = policy ? policy_ref(policy) : NULL;
	identity_send_targets(id);
}

/* A frame that only brings a descriptor, which is taken over. */
static int send_fd(struct identity *id, enum wire_type type, int fd)
{
	struct wire_writer w;
	uint8_t buf[64];
	size_t len;
	int r;

	wire_writer_begin(&w, buf, sizeof(buf), type);
	r = wire_writer_end(&w, &len);
	if (r == 0)
		return link_send(id->link, buf, len, fd);
	(void)close(fd); /* a memfd */
	return r;
}

void identity_send_targets(struct identity *id)
{
	int fd = -1;
	int r;

	if (!id->link || !id->hello || !id->policy)
		return;
	r = targets_build(id->policy, id->also,
			  id->config->source == CONFIG_SOURCE_LDAP, &fd);
	if (r == 0)
		r = send_fd(id, WIRE_TARGETS, fd);
	if (r != 0)
		log_err("stage=identity: cannot send the groups to rbacd-dir (%d)", r);
}

void identity_send_last(struct identity *id)
{
	const int fds[] = {id->whole.base_fd, id->whole.change_fd};
	int r = 0;

	if (id->config->source != CONFIG_SOURCE_LDAP)
		return;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(fds); i++) {
		int copy = fds[i] >= 0 ? fcntl(fds[i], F_DUPFD_CLOEXEC, 0) : -1;

		if (copy >= 0)
			r = send_fd(id, WIRE_SNAPSHOT, copy);
	}
	if (r != 0)
		log_err("stage=identity: cannot send the last snapshot to rbacd-dir "
			"(%d)",
			r);
}

/* ------------------------------------------------------------------ life */

int identity_new(struct event_base *base, const struct config *config, int listen_fd,
		 uint32_t dir_uid, struct identity **ret)
{
	_cleanup_close_ int owned = listen_fd;
	struct identity *id = calloc(1, sizeof(*id));
	int r;

	if (!id)
		return -ENOMEM;
	id->base = base;
	id->config = config;
	id->dir_uid = dir_uid;
	id->listen_fd = listen_fd;
	owned = -1;
	id->answer_boot_s = -1;
	TAILQ_INIT(&id->lookups);
	r = people_cache_new(LIMIT_PEOPLE_CACHED, &id->people);
	if (r == 0)
		r = people_cache_new(IDENTITY_UNKNOWN_MAX, &id->unknowns);
	if (r == 0)
		r = whole_init(id);
	if (r == 0)
		r = identity_link_start(id);
	if (r != 0) {
		identity_free(id);
		return r;
	}
	*ret = id;
	return 0;
}

void identity_free(struct identity *id)
{
	if (!id)
		return;
	identity_link_stop(id);
	snapshot_unref(id->local);
	keep_free(id->keep);
	whole_done(&id->whole);
	people_cache_free(id->people);
	people_cache_free(id->unknowns);
	policy_unref(id->policy);
	policy_unref(id->also);
	free(id);
}

bool identity_group(const struct identity *id, size_t i, int64_t now_s,
		    struct identity_group *ret)
{
	const struct snapshot *s = whole_newest(&id->whole);
	const struct policy_group *p = policy_group_at(id->policy, i);
	struct snapshot_group g;

	*ret = (struct identity_group){.name = p->name, .id = ""};
	if (!s || id->whole.map[i] == GROUPS_NONE)
		return false;
	snapshot_group_at(s, id->whole.map[i], &g);
	ret->id = g.id;
	ret->age_s = g.age_s + whole_age(&id->whole, now_s);
	ret->usable = g.complete && ret->age_s <= id->config->max_stale_s;
	ret->n_members = g.n_members;
	return true;
}

static size_t count_incomplete(const struct identity *id, int64_t now_s)
{
	struct identity_group g;
	size_t n = 0;

	for (size_t i = 0; i < groups_count(id->policy); i++) {
		bool usable = !groups_pinned(policy_group_at(id->policy, i));

		if (id->config->source != CONFIG_SOURCE_NSS)
			usable = identity_group(id, i, now_s, &g) && g.usable;
		n += usable ? 0 : 1;
	}
	return n;
}

static size_t snapshot_size(const struct snapshot *s)
{
	size_t len = 0;

	if (s)
		(void)snapshot_bytes(s, &len);
	return len;
}

void identity_fact(const struct identity *id, size_t i, const char **ret_name,
		   const char **ret_text)
{
	*ret_name = id->facts[i].text;
	*ret_text = id->facts[i].text + id->facts[i].value;
}

const char *identity_find_fact(const struct identity *id, const char *want)
{
	const char *name, *text;

	for (size_t i = 0; i < id->n_facts; i++) {
		identity_fact(id, i, &name, &text);
		if (str_eq(name, want))
			return text;
	}
	return "";
}

void identity_status(const struct identity *id, int64_t now_s,
		     struct identity_status *ret)
{
	const struct whole *w = &id->whole;

	*ret = (struct identity_status){
		.source = config_source_name(id->config->source),
		.connected = id->link && id->hello,
		.age_s = -1,
		.n_people = people_cache_count(id->people),
		.n_groups = groups_count(id->policy),
		.n_incomplete = count_incomplete(id, now_s),
		.n_local = id->local ? snapshot_account_count(id->local) : 0,
		.n_lookups = id->n_lookups,
		.n_timeouts = id->n_timeouts,
		.n_restarts = id->n_restarts,
		.snapshot_bytes = snapshot_size(w->base) + snapshot_size(w->change),
		.n_facts = id->n_facts};
	if (w->base) {
		ret->n_people = whole_people(w);
		ret->age_s = whole_age(w, now_s);
	} else if (id->answer_boot_s >= 0) {
		ret->age_s = identity_boot_s() - id->answer_boot_s;
	}
	memcpy(ret->problem, id->problem, sizeof(ret->problem));
}
