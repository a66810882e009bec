/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one connection of the follower: load, follow, read members, publish. */

#include <errno.h>
#include <malloc.h>

#include "rbacd/directory/follow_internal.h"
#include "rbacd/log.h"

#define PROBE_S	       20 /* a quiet connection is asked so often */
#define CONFIRM_S      20 /* rbacd hears so often that its data is current */
#define AGAIN_S	       30 /* a group that could not be read is tried again */
#define SILENT_S       60 /* a refresh that says nothing for so long is given up */
#define SUSPECT_TRIES  2
#define RELOADS_MAX    3 /* full refreshes that one connection may ask for */
#define WAIT_MS	       500
#define DRAIN_MAX      4096 /* messages between two looks at the parent */
#define ALL_COMPARED_S 900  /* without LDAP sync: deletions are found so */

static void beat(void *arg)
{
	struct follow *f = arg;

	(*f->beat)++;
}

int session_open(struct follow *f)
{
	const struct ldap_conn_options o = {.config = f->config,
					    .uri = f->config->uris[f->uri],
					    .password = f->password,
					    .beat = beat,
					    .arg = f};
	int r = ldap_conn_open(&o, &f->conn, f->why);

	f->online = false;
	f->n_reloads = 0;
	f->probed_s = follow_now_s();
	return r;
}

void session_close(struct follow *f)
{
	ldap_conn_close(f->conn);
	f->conn = NULL;
}

bool session_syncs(const struct follow *f)
{
	return ldap_conn_server(f->conn)->sync && !f->no_sync;
}

void session_search(const struct follow *f, enum ldap_kind kind,
		    const char *attrs[LDAP_ATTRS_MAX + 1], struct ldap_search *ret)
{
	bool user = kind == LDAP_KIND_USER;

	if (user)
		ldap_schema_user_attrs(&f->schema, attrs);
	else
		ldap_schema_group_attrs(&f->schema, attrs);
	*ret = (struct ldap_search){.base = user ? f->config->users_base
						 : f->config->groups_base,
				    .filter = user ? f->schema.user_filter
						   : f->schema.group_filter,
				    .scope = LDAP_SCOPE_SUBTREE,
				    .attrs = attrs};
}

/* ------------------------------------------------------------------- members */

struct members {
	struct follow *f;
	uint64_t next;
	bool found;
};

static int on_members(void *arg, const struct ldap_entry *e)
{
	struct members *m = arg;
	int r = ldap_map_members_add(m->f->map, e, &m->next);

	m->found = true;
	return r > 0 ? LDAP_CONN_E_REFUSED : r;
}

/* AD gives long lists in ranges: member;range=1500-*. */
static void ask_range(const char **attrs, const char *member, uint64_t from,
		      char buf[LDAP_ATTR_MAX * 2])
{
	(void)snprintf(buf, LDAP_ATTR_MAX * 2, "%s;range=%llu-*", member,
		       (unsigned long long)from);
	for (size_t i = 0; attrs[i]; i++)
		if (str_eq(attrs[i], member))
			attrs[i] = buf;
}

static int read_members(struct follow *f, const char *dn, struct members *m)
{
	const char *attrs[LDAP_ATTRS_MAX + 1];
	char range[LDAP_ATTR_MAX * 2];
	struct ldap_search s = {.base = dn,
				.filter = "(objectClass=*)",
				.scope = LDAP_SCOPE_BASE,
				.attrs = attrs};
	uint64_t from = 0;
	int r;

	do {
		ldap_schema_member_attrs(&f->schema, attrs);
		if (from > 0 && f->schema.member)
			ask_range(attrs, f->schema.member, from, range);
		m->next = 0;
		r = ldap_conn_search(f->conn, &s, on_members, m);
		if (r == 0 && m->next != 0 && m->next <= from)
			return LDAP_CONN_E_REFUSED; /* a server that goes in circles */
		from = m->next;
	} while (r == 0 && from != 0);
	return r;
}

/* Its answer ended connections before: it is left alone until all is compared. */
static bool is_suspect(const struct follow *f, const struct ldap_id *id)
{
	return f->n_suspect >= SUSPECT_TRIES &&
	       memcmp(id->v, f->suspect.v, sizeof(id->v)) == 0;
}

/* @ended: the connection, by reading this group. */
static void note_suspect(struct follow *f, const struct ldap_id *id, bool ended)
{
	bool same = memcmp(id->v, f->suspect.v, sizeof(id->v)) == 0;

	if (!ended) {
		f->n_suspect = same ? 0 : f->n_suspect;
		return;
	}
	f->n_suspect = same ? f->n_suspect : 0;
	f->suspect = *id;
	f->n_suspect++;
}

static int read_group(struct follow *f, const struct ldap_wanted *w)
{
	struct members m = {.f = f};
	const struct ldap_id id = w->id;
	_cleanup_free_ char *dn = strdup(w->dn); /* the map may move it */
	enum ldap_read how = LDAP_READ_TOO_LARGE;
	int r = dn ? ldap_map_members_begin(f->map, &id) : -ENOMEM;
	int read = 0, ended;

	if (r != 0)
		return r < 0 ? r : 0; /* gone meanwhile */
	if (!is_suspect(f, &id)) {
		read = read_members(f, dn, &m);
		/* No entry: that it is gone the server says itself. */
		how = read == 0 && m.found ? LDAP_READ_DONE : LDAP_READ_CUT;
		note_suspect(f, &id, read == LDAP_CONN_E_FAILED);
	}
	ended = ldap_map_members_end(f->map, how, follow_now_s());
	if (ended < 0)
		return ended;
	return read < 0 || read == LDAP_CONN_E_FAILED ? read : 0;
}

int session_members(struct follow *f)
{
	struct ldap_wanted w;
	int r = 0;

	while (r == 0 && ldap_map_next_wanted(f->map, &w))
		r = read_group(f, &w);
	return r;
}

/* ------------------------------------------------------------------- publish */

static void report_drop(void *arg, const char *dn, const char *login,
			enum ldap_drop why)
{
	struct follow *f = arg;
	char quoted[LOG_QUOTED_MAX];

	if (why > LDAP_DROP_ID_DIFFERS) {
		log_warning("entry %s is left out: %s", log_quote(dn, quoted),
			    ldap_drop_name(why));
		return;
	}
	follow_notice(f, "people", "%.64s (%.120s) is left out: %s",
		      login && *login ? login : "?", dn, ldap_drop_name(why));
}

static void report_events(struct follow *f, const struct publish_result *r)
{
	for (size_t i = 0; i < r->n_events; i++)
		follow_notice(f, r->events[i].name, "%s", r->events[i].text);
}

static void come_online(struct follow *f)
{
	if (f->online)
		return;
	f->online = true;
	f->why[0] = '\0';
	(void)snprintf(f->state, sizeof(f->state), "following");
	follow_notice(f, "online", "following %.200s", f->config->uris[f->uri]);
}

static int publish(struct follow *f)
{
	enum publish_scope scope = f->swept ? PUBLISH_SWEPT : PUBLISH_CHANGES;
	struct publish_result result;
	int64_t now_s = follow_now_s();
	int r;

	r = publish_update(f->publish, f->map, scope, follow_wall_s(), &result);
	ldap_map_take_drops(f->map, report_drop, f);
	report_events(f, &result);
	if (r != 0)
		return r;
	if (result.fd >= 0)
		follow_send_snapshot(f, result.fd);
	if (result.n_changed > 0)
		f->last_change_s = follow_wall_s();
	if (f->changed_ns > 0)
		f->lag_ms = (follow_now_ns() - f->changed_ns) / 1000000;
	f->changed_ns = 0;
	f->swept = f->update = false;
	f->sent_s = now_s;
	f->confirmed_s = follow_wall_s();
	come_online(f);
	if (result.whole)
		(void)malloc_trim(0); /* what loading took */
	follow_turn(f, -1, 0);	      /* what was queued leaves now */
	return 0;
}

/* ------------------------------------------------------------------- upkeep */

static int on_probe(void *arg, const struct ldap_entry *e)
{
	(void)e;
	*(bool *)arg = true;
	return 0;
}

/* A quiet connection may be a dead one: only an answer makes the data current. */
static int probe(struct follow *f)
{
	static const char *const attrs[] = {LDAP_NO_ATTRS, NULL};
	const struct ldap_search s = {.base = f->config->users_base,
				      .filter = "(objectClass=*)",
				      .scope = LDAP_SCOPE_BASE,
				      .attrs = attrs};
	bool found = false;
	int r = ldap_conn_search(f->conn, &s, on_probe, &found);

	f->probed_s = follow_now_s();
	f->busy = true;
	if (r == 0 && !found)
		r = LDAP_CONN_E_NONE;
	if (r == LDAP_CONN_E_NONE || r == LDAP_CONN_E_REFUSED)
		return ldap_conn_fail(f->conn, "the users' base cannot be read",
				      LDAP_NO_SUCH_OBJECT);
	if (r == 0)
		f->update = true; /* confirms */
	return r;
}

static int compare_all(struct follow *f)
{
	int r = poll_load(f);

	if (r != 0)
		return r;
	ldap_map_want_all(f->map);
	f->busy = true;
	f->n_suspect = 0;
	f->compared_s = follow_now_s();
	f->swept = f->update = true;
	return 0;
}

static int64_t compare_every_s(const struct follow *f)
{
	int64_t every_s = f->config->reconcile_s;

	if (!session_syncs(f) && every_s > ALL_COMPARED_S)
		every_s = ALL_COMPARED_S;
	return every_s - every_s / 8 * f->spread / FOLLOW_SPREAD_MAX;
}

static int upkeep(struct follow *f)
{
	int64_t now_s = follow_now_s();
	bool sync = session_syncs(f);
	int r = 0;

	if (now_s >= f->again_s) {
		f->again_s = now_s + AGAIN_S;
		f->busy = ldap_map_want_stale(f->map) > 0 || f->busy;
	}
	if (now_s - f->compared_s >= compare_every_s(f))
		r = compare_all(f);
	if (r == 0 && !sync && now_s - f->polled_s >= f->config->poll_s) {
		r = poll_changes(f);
		f->busy = true;
		f->update = f->update || now_s - f->sent_s >= CONFIRM_S;
	}
	if (r == 0 && sync && now_s - f->probed_s >= PROBE_S)
		r = probe(f);
	return r;
}

/* ------------------------------------------------------------------ following */

static int start_sync(struct follow *f)
{
	const char *attrs[LDAP_ATTRS_MAX + 1];
	struct ldap_search s;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(f->sync); i++) {
		struct ldap_sync *y = &f->sync[i];

		y->map = f->map;
		y->kind = i == 0 ? LDAP_KIND_USER : LDAP_KIND_GROUP;
		session_search(f, y->kind, attrs, &s);
		r = ldap_sync_start(y, f->conn, &s);
	}
	return r;
}

static int take(struct follow *f, LDAPMessage *m)
{
	int id = ldap_msgid(m);

	for (size_t i = 0; i < ARRAY_SIZE(f->sync); i++)
		if (f->sync[i].msgid == id)
			return ldap_sync_take(&f->sync[i], f->conn, m);
	return 0; /* the rest of a search that was given up */
}

/* All messages that have come. What libldap has read already does not show at the
 * descriptor, so the loop waits only after a round that found nothing. */
static int drain(struct follow *f)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < DRAIN_MAX; i++) {
		LDAPMessage *m = NULL;

		r = ldap_conn_next(f->conn, LDAP_RES_ANY, 0, &m);
		if (r != 0 || !m)
			break;
		if (f->changed_ns == 0)
			f->changed_ns = follow_now_ns();
		f->busy = true;
		f->heard_s = follow_now_s();
		beat(f);
		r = take(f, m);
		ldap_msgfree(m);
	}
	return r;
}

static bool is_loaded(const struct follow *f)
{
	return !session_syncs(f) || (f->sync[0].refreshed && f->sync[1].refreshed);
}

static int take_news(struct follow *f)
{
	int r = 0;

	if (f->relocal && f->local)
		r = ldap_map_set_local(f->map, f->local);
	if (r == 0 && f->retarget && f->targets) {
		r = ldap_map_set_targets(f->map, f->targets);
		publish_set_targets(f->publish, f->targets);
	}
	f->update = f->update || f->relocal || f->retarget;
	f->relocal = f->retarget = false;
	return r;
}

static int step(struct follow *f)
{
	bool sync = session_syncs(f);
	int r = take_news(f);

	f->busy = false;
	if (r == 0 && sync)
		r = drain(f);
	/* Nothing else asks the server until all is loaded. */
	if (r == 0 && !is_loaded(f) && follow_now_s() - f->heard_s >= SILENT_S)
		r = ldap_conn_fail(f->conn, "waiting for the refresh", LDAP_TIMEOUT);
	if (r == 0 && is_loaded(f))
		r = session_members(f);
	if (r == 0 && is_loaded(f) &&
	    (f->update || f->swept || !f->online || ldap_map_dirty(f->map) > 0))
		r = publish(f);
	if (r == 0 && is_loaded(f))
		r = upkeep(f);
	return r;
}

static int start(struct follow *f)
{
	int r = take_news(f);

	(void)snprintf(f->state, sizeof(f->state), "loading");
	f->swept = f->update = true;
	f->compared_s = f->heard_s = follow_now_s();
	if (r == 0)
		r = session_syncs(f) ? start_sync(f) : poll_load(f);
	return r;
}

static void forget_sync(struct follow *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(f->sync); i++) {
		ldap_sync_forget(&f->sync[i]);
		(void)ldap_abandon_ext(ldap_conn_handle(f->conn), f->sync[i].msgid,
				       NULL, NULL); /* best effort */
	}
}

/* refreshRequired, or a change to something that was never said: everything anew,
 * beside what is published. */
static int reload(struct follow *f)
{
	forget_sync(f);
	if (f->n_reloads++ >= RELOADS_MAX)
		return ldap_conn_fail(f->conn, "full refreshes without end",
				      LDAP_PROTOCOL_ERROR);
	return start(f);
}

/* A server may know LDAP sync and not offer it for these bases: then it is polled. */
static int without_sync(struct follow *f)
{
	f->no_sync = true;
	forget_sync(f);
	return start(f);
}

int session_run(struct follow *f)
{
	int r = start(f);

	while (r == 0 && !f->lost) {
		r = step(f);
		if (r == LDAP_SYNC_E_NONE)
			r = without_sync(f);
		else if (r == LDAP_SYNC_E_RELOAD)
			r = reload(f);
		follow_send_facts(f);
		if (r == 0)
			follow_turn(f, ldap_conn_fd(f->conn),
				    f->busy || (f->update && is_loaded(f)) ? 0
									   : WAIT_MS);
	}
	if (r > 0)
		(void)snprintf(f->why, sizeof(f->why), "%s", ldap_conn_why(f->conn));
	return r != 0 ? r : -EPIPE;
}

int session_load(struct follow *f)
{
	int r = take_news(f);

	if (r == 0)
		r = poll_load(f);
	if (r == 0)
		r = session_members(f);
	if (r > 0)
		(void)snprintf(f->why, sizeof(f->why), "%s", ldap_conn_why(f->conn));
	return r;
}
