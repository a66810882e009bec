/* SPDX-License-Identifier: Apache-2.0 */
/* identity_lookup.c - pipeline stage "identity": the link to rbacd-dir, parked
 * requests. */

#include <errno.h>
#include <sys/socket.h>

#include "rbacd/identity_internal.h"
#include "rbacd/limits.h"
#include "rbacd/log.h"
#include "rbacd/wire/client.h"

enum { STATE_ANSWERED = 1, STATE_FAILED = 2, STATE_TIMED_OUT = 3 };

struct identity_ticket {
	TAILQ_ENTRY(identity_ticket) next;
	struct lookup *lookup; /* borrowed */
	identity_done_fn done;
	void *arg; /* borrowed */
	int64_t now_s;
};

/* -------------------------------------------------------------- look-ups */

static void lookup_free(struct lookup *l)
{
	struct identity_ticket *t;

	while ((t = TAILQ_FIRST(&l->waiters)) != NULL) {
		TAILQ_REMOVE(&l->waiters, t, next);
		free(t);
	}
	if (l->timer)
		event_free(l->timer);
	free(l);
}

static void detach(struct lookup *l)
{
	TAILQ_REMOVE(&l->identity->lookups, l, next);
	l->identity->n_pending--;
}

/*
 * Answers everybody who waits, with what is known now. A callback may cancel other
 * tickets or start a look-up: this one is out of the list before the first call.
 */
static void lookup_finish(struct lookup *l)
{
	struct identity *id = l->identity;
	struct identity_ticket *t;

	detach(l);
	while ((t = TAILQ_FIRST(&l->waiters)) != NULL) {
		struct identity_person p = IDENTITY_PERSON_INIT;
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the last @t, not @l */
		int r = identity_answer(id, l->login, t->now_s, &p);

		TAILQ_REMOVE(&l->waiters, t, next);
		t->done(t->arg, r, &p);
		identity_person_done(&p);
		free(t);
	}
	lookup_free(l);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *l = arg;

	(void)fd;
	(void)what;
	if (l->identity->link)
		l->identity->n_timeouts++;
	lookup_finish(l);
}

/* Only source nss knows people one by one. */
static bool send_lookup(struct identity *id, const struct lookup *l)
{
	struct wire_writer w;
	uint8_t buf[256];
	size_t len;

	if (!id->link || !id->hello || id->config->source != CONFIG_SOURCE_NSS)
		return false;
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_LOOKUP);
	wire_put_u64(&w, WIRE_T_TICKET, l->ticket);
	wire_put_text(&w, WIRE_T_LOGIN, l->login);
	return wire_writer_end(&w, &len) == 0 && link_send(id->link, buf, len, -1) == 0;
}

static struct lookup *find_ticket(const struct identity *id, uint64_t ticket)
{
	struct lookup *l = TAILQ_FIRST(&id->lookups);

	while (l && l->ticket != ticket)
		l = TAILQ_NEXT(l, next);
	return l;
}

static struct lookup *find_login(struct identity *id, const char *login)
{
	struct lookup *l = TAILQ_FIRST(&id->lookups);

	while (l && !str_eq(l->login, login))
		l = TAILQ_NEXT(l, next);
	return l;
}

/* Lost a moment ago: it may come back before the time is over. */
static bool returns(const struct identity *id)
{
	return !id->hello && wire_now_ns() < id->return_ns;
}

static int lookup_start(struct identity *id, const char *login, struct lookup **ret)
{
	struct timeval tv = {.tv_sec = LIMIT_LOOKUP_MS / 1000,
			     .tv_usec = LIMIT_LOOKUP_MS % 1000 * 1000};
	struct lookup *l;

	if (id->n_pending >= IDENTITY_LOOKUPS_MAX)
		return -EBUSY;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	TAILQ_INIT(&l->waiters);
	l->identity = id;
	l->ticket = ++id->next_ticket;
	(void)snprintf(l->login, sizeof(l->login), "%s", login); /* valid: fits */
	l->timer = evtimer_new(id->base, on_timer, l);
	if (!l->timer) {
		lookup_free(l);
		return -ENOMEM;
	}
	/* Nobody to ask: the same answer as a time-out, from the loop's next turn. */
	if (!send_lookup(id, l) && !identity_awaits(id) && !returns(id))
		tv = (struct timeval){0};
	if (evtimer_add(l->timer, &tv) != 0) {
		lookup_free(l);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&id->lookups, l, next);
	id->n_pending++;
	id->n_lookups++;
	*ret = l;
	return 0;
}

int identity_lookup(struct identity *id, const char *login, int64_t now_s,
		    identity_done_fn done, void *arg, struct identity_person *ret,
		    struct identity_ticket **ret_ticket)
{
	struct identity_ticket *t;
	struct lookup *l;
	int r = 0;

	if (identity_is_fresh(id, login, now_s))
		return identity_answer(id, login, now_s, ret);
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	l = find_login(id, login);
	if (!l)
		r = lookup_start(id, login, &l);
	if (r != 0) {
		free(t);
		return r;
	}
	*t = (struct identity_ticket){.lookup = l,
				      .done = done,
				      .arg = arg,
				      .now_s = now_s};
	TAILQ_INSERT_TAIL(&l->waiters, t, next);
	*ret_ticket = t;
	return IDENTITY_E_PENDING;
}

static uint64_t patience_ns(void)
{
	return wire_now_ns() + LIMIT_LOOKUP_MS * UINT64_C(1000000);
}

bool identity_awaits(const struct identity *id)
{
	return wire_now_ns() < id->patient_ns &&
	       (!id->local ||
		(id->config->source != CONFIG_SOURCE_NSS && !whole_newest(&id->whole)));
}

void identity_await(struct identity *id)
{
	id->patient_ns = patience_ns();
}

void identity_wake(struct identity *id)
{
	struct lookup *l;

	if (id->config->source == CONFIG_SOURCE_NSS || identity_awaits(id))
		return;
	while ((l = TAILQ_FIRST(&id->lookups)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the one freed is out */
		lookup_finish(l);
}

size_t identity_pending(const struct identity *id)
{
	return id->n_pending;
}

void identity_cancel(struct identity_ticket *t)
{
	if (!t)
		return;
	/* The look-up itself goes on: its answer is worth keeping. */
	TAILQ_REMOVE(&t->lookup->waiters, t, next);
	free(t);
}

/* ---------------------------------------------------------------- frames */

/* Those that came before there was anybody to ask. */
static void ask_again(struct identity *id)
{
	struct lookup *l;

	TAILQ_FOREACH(l, &id->lookups, next)
	(void)send_lookup(id, l); /* else its timer answers */
}

static int on_hello(struct identity *id, const struct wire_frame *f)
{
	const char *want = config_source_name(id->config->source);
	char source[16] = "";
	struct wire_reader r;
	struct wire_field field;

	wire_reader_init(&r, f);
	if (id->hello || wire_next(&r, &field) != 0 || field.tag != WIRE_T_SOURCE ||
	    wire_get_text(&field, source, sizeof(source)) != 0 ||
	    wire_next(&r, &field) != WIRE_E_END)
		return -EPROTO;
	if (!str_eq(source, want)) {
		log_err("stage=identity: rbacd-dir has another source than rbacd's "
			"'%s': restart both after a change of rbacd.yaml",
			want);
		return -EPROTO;
	}
	id->hello = true;
	log_notice("stage=identity: rbacd-dir is connected, source %s", source);
	identity_send_last(id);
	identity_send_targets(id);
	ask_again(id);
	return 0;
}

struct account_msg {
	uint64_t ticket;
	uint8_t state;
	const uint8_t *block; /* borrowed from the frame; NULL: none */
	size_t len;
};

static int decode_account(const struct wire_frame *f, struct account_msg *ret)
{
	struct account_msg m = {0};
	struct wire_reader r;
	struct wire_field field;
	int rc;

	wire_reader_init(&r, f);
	while ((rc = wire_next(&r, &field)) == 0) {
		if (field.tag == WIRE_T_TICKET)
			rc = wire_get_u64(&field, &m.ticket);
		else if (field.tag == WIRE_T_STATE)
			rc = wire_get_u8(&field, &m.state);
		else if (field.tag == WIRE_T_BYTES)
			m.block = field.p;
		else
			return -EPROTO;
		if (rc != 0)
			return -EPROTO;
		if (field.tag == WIRE_T_BYTES)
			m.len = field.len;
	}
	if (rc != WIRE_E_END || m.ticket == 0 || m.state < STATE_ANSWERED ||
	    m.state > STATE_TIMED_OUT ||
	    (m.state == STATE_ANSWERED) != (m.block != NULL))
		return -EPROTO;
	*ret = m;
	return 0;
}

static int on_account(struct identity *id, const struct wire_frame *f)
{
	struct account_msg m;
	struct lookup *l;
	int r = decode_account(f, &m);

	if (r != 0)
		return r;
	l = find_ticket(id, m.ticket);
	if (!l)
		return 0; /* too late: it was answered without */
	if (m.state == STATE_ANSWERED)
		r = identity_take_answer(id, l->login, m.block, m.len);
	if (m.state == STATE_TIMED_OUT)
		id->n_timeouts++;
	if (r == -ENOMEM)
		r = 0; /* answered from what is there */
	if (r == 0)
		lookup_finish(l);
	return r;
}

static int on_problem(struct identity *id, const struct wire_frame *f)
{
	char text[sizeof(id->problem)], quoted[LOG_QUOTED_MAX];
	struct wire_reader r;
	struct wire_field field;

	wire_reader_init(&r, f);
	if (wire_next(&r, &field) != 0 || field.tag != WIRE_T_PROBLEM ||
	    wire_get_text(&field, text, sizeof(text)) != 0 ||
	    wire_next(&r, &field) != WIRE_E_END)
		return -EPROTO;
	memcpy(id->problem, text, sizeof(text));
	if (*text)
		log_warning("stage=identity: rbacd-dir reports %s",
			    log_quote(text, quoted));
	return 0;
}

/* "name=text", as the list of arguments of a call. */
static int on_facts(struct identity *id, const struct wire_frame *f)
{
	struct wire_reader r;
	struct wire_field field;
	size_t n = 0;
	int rc;

	wire_reader_init(&r, f);
	for (; (rc = wire_next(&r, &field)) == 0 && n < IDENTITY_FACTS_MAX; n++) {
		struct identity_fact *fact = &id->facts[n];
		char *split;

		id->n_facts = n;
		if (field.tag != WIRE_T_ARG ||
		    wire_get_text(&field, fact->text, sizeof(fact->text)) != 0)
			return -EPROTO;
		split = strchr(fact->text, '=');
		if (!split || split == fact->text || split - fact->text > 30 ||
		    strspn(fact->text, "abcdefghijklmnopqrstuvwxyz_") !=
			    (size_t)(split - fact->text))
			return -EPROTO;
		*split = '\0';
		fact->value = (size_t)(split + 1 - fact->text);
	}
	id->n_facts = n;
	return rc == WIRE_E_END ? 0 : -EPROTO;
}

/* What a directory says must not fill the audit log. */
static bool notice_allowed(struct identity *id)
{
	int64_t now_s = identity_boot_s();

	if (now_s - id->notices_s >= 60) {
		id->notices_s = now_s;
		id->n_notices = 0;
	}
	if (id->n_notices++ == LIMIT_NOTICES_MIN)
		log_warning(
			"stage=identity: rbacd-dir tells too much: no records of it "
			"for the rest of the minute");
	return id->n_notices <= LIMIT_NOTICES_MIN;
}

static int on_notice(struct identity *id, const struct wire_frame *f)
{
	static const char prefix[] = "text=";
	struct wire_reader r;
	struct wire_field field;
	char event[16], text[320];

	wire_reader_init(&r, f);
	if (wire_next(&r, &field) != 0 || field.tag != WIRE_T_VERB ||
	    wire_get_text(&field, event, sizeof(event)) != 0 ||
	    wire_next(&r, &field) != 0 || field.tag != WIRE_T_ARG ||
	    wire_get_text(&field, text, sizeof(text)) != 0 ||
	    memcmp(text, prefix, strlen(prefix)) != 0 ||
	    wire_next(&r, &field) != WIRE_E_END)
		return -EPROTO;
	if (id->notice && notice_allowed(id))
		id->notice(id->notice_arg, event, text + strlen(prefix));
	return 0;
}

void identity_set_notice(struct identity *id, identity_notice_fn fn, void *arg)
{
	id->notice = fn;
	id->notice_arg = arg;
}

int identity_order(struct identity *id, const char *what)
{
	struct wire_writer w;
	uint8_t buf[64];
	size_t len;
	int r;

	if (!id->link || !id->hello || id->config->source != CONFIG_SOURCE_LDAP)
		return -ENOTCONN;
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_ORDER);
	wire_put_text(&w, WIRE_T_VERB, what);
	r = wire_writer_end(&w, &len);
	return r == 0 ? link_send(id->link, buf, len, -1) : r;
}

static int on_clock(struct identity *id, const struct wire_frame *f)
{
	struct wire_reader r;
	struct wire_field field;
	uint8_t state = 0;

	wire_reader_init(&r, f);
	if (wire_next(&r, &field) != 0 || field.tag != WIRE_T_STATE ||
	    wire_get_u8(&field, &state) != 0 || wire_next(&r, &field) != WIRE_E_END ||
	    (state != STATE_ANSWERED && state != STATE_FAILED))
		return -EPROTO;
	if (id->told_clock)
		*id->told_clock = state == STATE_ANSWERED;
	return 0;
}

void identity_set_clock(struct identity *id, bool *told)
{
	id->told_clock = told;
}

static bool has_no_fields(const struct wire_frame *f)
{
	struct wire_reader r;
	struct wire_field field;

	wire_reader_init(&r, f);
	return wire_next(&r, &field) == WIRE_E_END;
}

static int on_frame(void *arg, const struct wire_frame *f, int *fd)
{
	struct identity *id = arg;

	if (f->type == WIRE_HELLO)
		return on_hello(id, f);
	if (!id->hello)
		return -EPROTO;
	if (f->type == WIRE_SNAPSHOT)
		return has_no_fields(f) ? identity_take_snapshot(id, fd) : -EPROTO;
	if (f->type == WIRE_ACCOUNT)
		return on_account(id, f);
	if (f->type == WIRE_PROBLEM)
		return on_problem(id, f);
	if (f->type == WIRE_FACTS)
		return on_facts(id, f);
	if (f->type == WIRE_NOTICE)
		return on_notice(id, f);
	if (f->type == WIRE_CLOCK)
		return on_clock(id, f);
	return -EPROTO;
}

/* ------------------------------------------------------------------ link */

static void drop_link(struct identity *id)
{
	link_free(id->link);
	id->link = NULL;
	id->hello = false;
	id->n_restarts++;
	/* It may only be restarted: who waits goes on to, and is asked for again. */
	id->return_ns = patience_ns();
}

static void on_lost(void *arg, const char *why)
{
	struct identity *id = arg;

	log_warning("stage=identity: the link to rbacd-dir is lost: %s", why);
	drop_link(id);
}

static const struct link_ops identity_link_ops = {.frame = on_frame, .lost = on_lost};

static bool peer_ok(const struct identity *id, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    len != sizeof(peer))
		return false;
	if (peer.uid == 0 || peer.uid == id->dir_uid)
		return true;
	log_err("stage=identity: uid %u is not rbacd-dir and was refused", peer.uid);
	return false;
}

static void on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct identity *id = arg;
	int fd = accept4((int)listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0)
		return; /* gone again, or no descriptors: the next turn tries anew */
	if (!peer_ok(id, fd)) {
		(void)close(fd); /* nothing was promised */
		return;
	}
	/* The newer one is alive; the older may hang. Both are the same account. */
	if (id->link)
		drop_link(id);
	if (link_new(id->base, fd, &identity_link_ops, id, &id->link) != 0)
		log_err("stage=identity: out of memory for rbacd-dir's link");
}

int identity_link_start(struct identity *id)
{
	id->listener =
		event_new(id->base, id->listen_fd, EV_READ | EV_PERSIST, on_accept, id);
	if (!id->listener || event_add(id->listener, NULL) != 0)
		return -ENOMEM;
	return 0;
}

void identity_link_stop(struct identity *id)
{
	struct lookup *l;

	while ((l = TAILQ_FIRST(&id->lookups)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the one freed is out */
		detach(l);
		lookup_free(l);
	}
	link_free(id->link);
	if (id->listener)
		event_free(id->listener);
	if (id->listen_fd >= 0)
		(void)close(id->listen_fd); /* nothing was promised */
}
