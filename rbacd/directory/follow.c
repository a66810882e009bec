/* SPDX-License-Identifier: Apache-2.0 */
/* follow.c - the follower's process: its parent, its servers one after the other. */

#include <errno.h>
#include <stdarg.h>
#include <sys/random.h>
#include <time.h>

#include "rbacd/directory/follow_internal.h"
#include "rbacd/log.h"
#include "rbacd/wire/buf.h"

#define BACKOFF_MS     500
#define BACKOFF_MAX_MS 30000

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* cannot fail on Linux */
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t follow_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t follow_now_s(void)
{
	return follow_now_ns() / 1000000000;
}

int64_t follow_wall_s(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000000;
}

/* ------------------------------------------------------------------ messages */

static void send_frame(struct follow *f, struct wire_writer *w, int fd)
{
	size_t len;

	if (wire_writer_end(w, &len) != 0 || !f->link) {
		if (fd >= 0)
			(void)close(fd); /* a memfd */
		return;
	}
	if (link_send(f->link, w->buf, len, fd) != 0)
		log_err("a frame for the parent is lost: out of memory");
}

void follow_send_snapshot(struct follow *f, int fd)
{
	struct wire_writer w;
	uint8_t buf[64];

	wire_writer_begin(&w, buf, sizeof(buf), WIRE_SNAPSHOT);
	send_frame(f, &w, fd);
}

/* Text from a server: what is no plain character is replaced, and it may be cut. */
static void clean(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			*p = '?';
}

void follow_notice(struct follow *f, const char *event, const char *fmt, ...)
{
	char text[320];
	struct wire_writer w;
	uint8_t buf[512];
	int n = snprintf(text, sizeof(text), "text=");
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap); /* may be cut */
	va_end(ap);
	clean(text);
	log_notice("directory %s: %s", event, text + n);
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_NOTICE);
	wire_put_text(&w, WIRE_T_VERB, event);
	wire_put_text(&w, WIRE_T_ARG, text);
	send_frame(f, &w, -1);
}

static void put_fact(struct wire_writer *w, const char *name, const char *text)
{
	char buf[320];

	(void)snprintf(buf, sizeof(buf), "%s=%.280s", name, text);
	clean(buf);
	wire_put_text(w, WIRE_T_ARG, buf);
}

static void put_number(struct wire_writer *w, const char *name, int64_t n)
{
	char buf[24];

	(void)snprintf(buf, sizeof(buf), "%lld", (long long)n);
	put_fact(w, name, buf);
}

void follow_send_facts(struct follow *f)
{
	const struct ldap_server *server = f->conn ? ldap_conn_server(f->conn) : NULL;
	struct ldap_map_stats st;
	struct wire_writer w;
	uint8_t buf[sizeof(f->facts)];
	size_t len;

	ldap_map_stats(f->map, &st);
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_FACTS);
	put_fact(&w, "state", f->state);
	put_fact(&w, "server", f->config->uris[f->uri]);
	put_fact(&w, "kind", server ? server->kind : "");
	put_fact(&w, "sync",
		 !server	    ? ""
		 : session_syncs(f) ? "refreshAndPersist"
				    : "poll");
	put_number(&w, "people", (int64_t)st.n_people);
	put_number(&w, "groups_followed", (int64_t)st.n_closure);
	put_number(&w, "left_out", (int64_t)st.n_dropped);
	put_number(&w, "lag_ms", f->lag_ms);
	put_number(&w, "last_change", f->last_change_s);
	put_fact(&w, "held", publish_held(f->publish));
	put_fact(&w, "order", publish_rejected(f->publish) ? "rejected" : "");
	put_fact(&w, "why", f->why);
	if (wire_writer_end(&w, &len) != 0 || memcmp(buf, f->facts, len) == 0)
		return;
	memcpy(f->facts, buf, len);
	send_frame(f, &w, -1);
}

/* -------------------------------------------------------------------- parent */

static int on_snapshot(struct follow *f, int fd, bool targets)
{
	struct snapshot *s, **to = targets ? &f->targets : &f->local;
	int r = snapshot_from_fd(fd, &s);

	if (r != 0)
		return r;
	snapshot_unref(*to);
	*to = s;
	if (targets)
		f->retarget = true;
	else
		f->relocal = true;
	return 0;
}

static int on_order(struct follow *f, const struct wire_frame *frame)
{
	struct wire_reader r;
	struct wire_field field;
	char what[16];

	wire_reader_init(&r, frame);
	if (wire_next(&r, &field) != 0 || field.tag != WIRE_T_VERB ||
	    wire_get_text(&field, what, sizeof(what)) != 0)
		return -EPROTO;
	if (str_eq(what, "accept") && f->online)
		publish_accept(f->publish);
	else if (str_eq(what, "accept"))
		log_warning("an order to accept is ignored: nothing is followed now");
	else if (str_eq(what, "reject"))
		publish_reject(f->publish);
	else
		return -EPROTO;
	f->update = true;
	return 0;
}

static int on_frame(void *arg, const struct wire_frame *frame, int *fd)
{
	struct follow *f = arg;

	if (frame->type == WIRE_TARGETS || frame->type == WIRE_SNAPSHOT)
		return on_snapshot(f, *fd, frame->type == WIRE_TARGETS);
	return frame->type == WIRE_ORDER ? on_order(f, frame) : -EPROTO;
}

static void on_lost(void *arg, const char *why)
{
	struct follow *f = arg;

	(void)why;
	link_free(f->link);
	f->link = NULL;
	f->lost = true;
}

static const struct link_ops follow_link_ops = {.frame = on_frame, .lost = on_lost};

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void follow_turn(struct follow *f, int fd, int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct event *wake;

	(*f->beat)++;
	if (!f->base)
		return;
	wake = event_new(f->base, fd, fd >= 0 ? EV_READ : 0, on_ready, NULL);
	/* Without the event the loop does not wait, which is right, too. */
	if (wake && event_add(wake, &tv) == 0)
		(void)event_base_loop(f->base, EVLOOP_ONCE); /* errors: next turn */
	if (wake)
		event_free(wake);
	(void)event_base_loop(f->base, EVLOOP_NONBLOCK); /* what was queued leaves */
}

/* ---------------------------------------------------------------------- life */

static const char *or_else(const char *own, const char *preset)
{
	return own ? own : preset;
}

/* `custom` begins as rfc2307bis. */
static int make_schema(const struct config_ldap *c, struct ldap_schema *ret)
{
	const struct ldap_schema *preset = ldap_schema_find(
		str_eq(c->schema, "custom") ? "rfc2307bis" : c->schema);

	if (!preset)
		return -EINVAL;
	*ret = *preset;
	ret->user_filter = or_else(c->users_filter, preset->user_filter);
	ret->login = or_else(c->users_login, preset->login);
	ret->uid = or_else(c->users_uid, preset->uid);
	ret->group_filter = or_else(c->groups_filter, preset->group_filter);
	ret->group_name = or_else(c->groups_name, preset->group_name);
	ret->member = or_else(c->groups_member, preset->member);
	return 0;
}

static int prepare(struct follow *f, const struct follow_options *o)
{
	struct ldap_map_options mo = {.schema = &f->schema,
				      .users_base = o->config->users_base,
				      .groups_base = o->config->groups_base};
	int r = make_schema(o->config, &f->schema);

	if (getrandom(&mo.seed, sizeof(mo.seed), 0) != sizeof(mo.seed))
		return -EIO;

	/* No file and no variable of the host changes what libldap does. */
	if (setenv("LDAPNOINIT", "1", 1) != 0)
		return -errno;
	f->config = o->config;
	f->password = o->password;
	f->beat = o->beat;
	f->spread = (unsigned)(mo.seed % (FOLLOW_SPREAD_MAX + 1));
	f->uri = o->first % o->config->n_uris;
	if (r == 0)
		r = ldap_map_new(&mo, &f->map);
	if (r == 0)
		r = publish_new(o->config, &f->publish);
	if (r != 0)
		return r;
	publish_set_last(f->publish, o->whole, o->change);
	f->targets = o->targets ? snapshot_ref(o->targets) : NULL;
	f->local = o->local ? snapshot_ref(o->local) : NULL;
	f->retarget = f->relocal = true;
	(void)snprintf(f->state, sizeof(f->state), "connecting");
	return 0;
}

static void finish(struct follow *f)
{
	session_close(f);
	ldap_sync_forget(&f->sync[0]);
	ldap_sync_forget(&f->sync[1]);
	publish_free(f->publish);
	ldap_map_free(f->map);
	snapshot_unref(f->targets);
	snapshot_unref(f->local);
	link_free(f->link);
	if (f->base)
		event_base_free(f->base);
}

/* Up to half of the wait is chance, so that many hosts do not come back together. */
static void back_off(struct follow *f, int ms)
{
	uint32_t chance = 0;
	int64_t until_ns;

	if (getrandom(&chance, sizeof(chance), 0) < 0)
		chance = 0; /* no jitter */
	ms = ms / 2 + (int)(chance % (uint32_t)(ms / 2 + 1));
	until_ns = follow_now_ns() + (int64_t)ms * 1000000;
	while (!f->lost && follow_now_ns() < until_ns)
		follow_turn(f, -1, ms < 500 ? ms : 500);
}

/* A cookie belongs to the server that gave it. */
static void next_server(struct follow *f)
{
	if (f->config->n_uris == 1)
		return;
	f->uri = (f->uri + 1) % f->config->n_uris;
	ldap_sync_forget(&f->sync[0]);
	ldap_sync_forget(&f->sync[1]);
	f->dsa[0] = '\0';
	f->no_sync = false;
}

static int follow_servers(struct follow *f)
{
	int wait_ms = BACKOFF_MS;
	int r = 0;

	while (!f->lost && r >= 0) {
		bool was_online;

		(void)snprintf(f->state, sizeof(f->state), "connecting");
		r = session_open(f);
		if (r == 0)
			r = session_run(f);
		session_close(f);
		if (f->lost || r < 0)
			break;
		was_online = f->online;
		f->online = false;
		publish_forget_orders(f->publish);
		(void)snprintf(f->state, sizeof(f->state), "offline");
		follow_notice(f, "offline", "%.120s: %.180s", f->config->uris[f->uri],
			      f->why);
		follow_send_facts(f);
		wait_ms = was_online ? BACKOFF_MS : wait_ms;
		next_server(f);
		back_off(f, wait_ms);
		wait_ms = wait_ms * 2 < BACKOFF_MAX_MS ? wait_ms * 2 : BACKOFF_MAX_MS;
	}
	return f->lost ? 0 : r;
}

int follow_run(const struct follow_options *o, int fd)
{
	struct follow f = {.conn = NULL};
	int r = prepare(&f, o);

	if (r == 0) {
		f.base = event_base_new();
		r = f.base ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = link_new(f.base, fd, &follow_link_ops, &f, &f.link);
	if (r == 0)
		r = follow_servers(&f);
	if (r != 0)
		log_err("the follower ends: %s", strerrordesc_np(-r));
	finish(&f);
	return r == 0 ? 0 : 1;
}

/* ---------------------------------------------------------------------- test */

static void print_drop(void *arg, const char *dn, const char *login, enum ldap_drop why)
{
	char quoted[LOG_QUOTED_MAX];

	(void)login;
	(void)fprintf(arg, "left out      %s: %s\n", log_quote(dn, quoted),
		      ldap_drop_name(why));
}

static bool print_groups(struct follow *f, FILE *out)
{
	struct snapshot_group g;
	char quoted[LOG_QUOTED_MAX];
	bool ok = true;

	for (size_t i = 0; i < snapshot_group_count(f->targets); i++) {
		const char *problem = ldap_map_problem(f->map, i);

		ldap_map_group(f->map, i, follow_now_s(), &g);
		(void)fprintf(out, "group         %s: ", log_quote(g.name, quoted));
		(void)fprintf(out, "%u people, %s%s%s\n", g.n_members,
			      *g.id ? g.id : "no id", problem ? ": " : "",
			      problem ? problem : "");
		ok = ok && !problem && g.complete;
	}
	return ok;
}

static int pass_by(void *arg, const char *login, const struct snapshot_account *a)
{
	(void)arg;
	(void)login;
	(void)a;
	return 0;
}

static int print_found(struct follow *f, FILE *out)
{
	const struct ldap_server *s = ldap_conn_server(f->conn);
	struct ldap_map_stats st;
	bool ok;
	int r = ldap_map_each(f->map, pass_by, NULL); /* works everybody out */

	if (r != 0)
		return r;
	ldap_map_stats(f->map, &st);
	(void)fprintf(out,
		      "server        %s, %s\nsync          %s\npeople        %zu\n"
		      "groups        %zu, %zu of them followed\n",
		      f->config->uris[f->uri], s->kind,
		      s->sync ? "refreshAndPersist (RFC 4533)" : "none: polled",
		      st.n_people, st.n_groups, st.n_closure);
	ok = print_groups(f, out);
	ldap_map_take_drops(f->map, print_drop, out);
	if (st.n_dropped > 0)
		(void)fprintf(out, "left out      %zu entries in all\n", st.n_dropped);
	if (st.n_people == 0)
		(void)fprintf(out, "problem       nobody was found below %s\n",
			      f->config->users_base);
	return ok && st.n_people > 0 ? 0 : 1;
}

static int test_server(struct follow *f, FILE *out)
{
	int r = session_open(f);

	if (r == 0)
		r = session_load(f);
	if (r == 0)
		r = print_found(f, out);
	else
		(void)fprintf(out, "problem       %s: %s\n", f->config->uris[f->uri],
			      r > 0 ? f->why : strerrordesc_np(-r));
	session_close(f);
	return r;
}

int follow_test(const struct follow_options *o, FILE *out)
{
	struct follow f = {.conn = NULL};
	int bad = 0;
	int r = prepare(&f, o);

	for (f.uri = 0; r == 0 && f.uri < o->config->n_uris; f.uri++)
		bad |= test_server(&f, out);
	f.uri = 0;
	finish(&f);
	return r != 0 ? r : bad != 0;
}
