/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.c - pipeline stages "request in" and "reply".
 *
 * A turn of the loop accepts and reads whatever waits, up to LIMIT_TURN_REQUESTS;
 * replies collect in each connection and leave in conn_flush_replies(), after the
 * commit.
 */

#include "rbacd/conn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "rbacd/limits.h"
#include "rbacd/log.h"
#include "rbacd/wire/client.h"
#include "rbacd/wire/msg.h"

int conn_table_new(struct server *server, const struct conn_handlers *handlers,
		   struct conn_table **ret)
{
	struct conn_table *t = calloc(1, sizeof(*t));
	struct rlimit rl = {0};
	const size_t others = LIMIT_ADMIN_CONNS + LIMIT_USER_CONNS + LIMIT_FDS_RESERVED;

	if (!t)
		return -ENOMEM;
	t->server = server;
	t->handlers = handlers;
	t->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	t->pam_max = LIMIT_PAM_CONNS;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < t->pam_max + others)
		t->pam_max = rl.rlim_cur > 2 * others ? rl.rlim_cur - others
						      : rl.rlim_cur / 2;
	if (caps_new(3u * LIMIT_PAM_CONNS, &t->caps) != 0 ||
	    caps_new(LIMIT_USER_CONNS, &t->user_caps) != 0) {
		conn_table_free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

static void list_add(struct conn_list *l, struct conn *c)
{
	c->list = l;
	c->prev = NULL;
	c->next = l->newest;
	if (c->next)
		c->next->prev = c;
	else
		l->oldest = c;
	l->newest = c;
}

static void list_remove(struct conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->list->newest = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		c->list->oldest = c->prev;
}

void conn_close(struct conn *c)
{
	struct conn_table *t = c->table;

	if (c->gone)
		c->gone(c->gone_arg);
	t->handlers->done(c->request);
	if (c->watching)
		(void)event_del(&c->ev_read); /* cannot fail for an added event */
	if (event_initialized(&c->ev_write))
		(void)event_del(&c->ev_write);
	if (event_initialized(&c->ev_due))
		(void)event_del(&c->ev_due);
	for (size_t i = 0; i < ARRAY_SIZE(c->caps); i++)
		caps_drop(c->kind == CONN_PAM ? t->caps : t->user_caps, &c->caps[i]);
	if (c->ready) {
		struct conn **p = &t->ready;

		while (*p != c)
			p = &(*p)->next_ready;
		*p = c->next_ready;
	}
	list_remove(c);
	if (c->began && c->kind == CONN_PAM)
		t->n_asking--;
	t->n[c->kind]--;
	(void)close(c->fd); /* a socket: nothing is buffered in this descriptor */
	if (c->out)
		explicit_bzero(c->out, c->out_cap); /* enrolment secrets pass here */
	free(c->out);
	if (c->in)
		explicit_bzero(c->in, CONN_IN_BYTES); /* codes too */
	free(c->in);
	free(c);
}

void conn_table_free(struct conn_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(t->silent); i++)
		while (t->silent[i].newest)
			conn_close(t->silent[i].newest);
	while (t->began.newest)
		conn_close(t->began.newest);
	while (t->listeners) {
		struct listener *l = t->listeners;

		t->listeners = l->next;
		(void)event_del(&l->ev);
		(void)close(l->fd);
		free(l);
	}
	caps_free(t->caps);
	caps_free(t->user_caps);
	if (t->spare_fd >= 0)
		(void)close(t->spare_fd);
	free(t);
}

enum conn_kind conn_get_kind(const struct conn *c)
{
	return c->kind;
}

uint32_t conn_peer_uid(const struct conn *c)
{
	return c->peer_uid;
}

int32_t conn_peer_pid(const struct conn *c)
{
	return c->peer_pid;
}

bool conn_peer_gone(const struct conn *c)
{
	struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void conn_on_gone(struct conn *c, void (*fn)(void *arg), void *arg)
{
	c->gone = fn;
	c->gone_arg = arg;
}

static void mark_ready(struct conn *c)
{
	if (c->ready)
		return;
	c->ready = true;
	c->next_ready = c->table->ready;
	c->table->ready = c;
}

void conn_finish(struct conn *c)
{
	c->finish = true;
	mark_ready(c);
}

/* Not realloc(): it would leave an unwiped copy of an enrolment's secrets behind. */
static bool out_grow(struct conn *c, size_t len)
{
	uint8_t *grown;

	if (c->out_len + len > LIMIT_OUT_BYTES)
		return false;
	if (c->out_len + len <= c->out_cap)
		return true;
	grown = malloc(2 * (c->out_len + len));
	if (!grown)
		return false;
	if (c->out) {
		memcpy(grown, c->out, c->out_len);
		explicit_bzero(c->out, c->out_len);
		free(c->out);
	}
	c->out = grown;
	c->out_cap = 2 * (c->out_len + len);
	return true;
}

void conn_queue(struct conn *c, const void *frame, size_t len)
{
	mark_ready(c);
	if (!out_grow(c, len)) {
		log_warning("connection of uid %u dropped: its answer does not fit",
			    c->peer_uid);
		c->out_len = c->out_sent = 0;
		c->finish = true;
		return;
	}
	memcpy(c->out + c->out_len, frame, len);
	c->out_len += len;
}

void conn_delay(struct conn *c, uint64_t due_ns)
{
	c->due_ns = due_ns;
}

/* ---------------------------------------------------------------- frames in */

/* Counted each time, told once a minute: whoever runs into it may do so very often. */
static void note_over_cap(struct conn_table *t)
{
	uint64_t now = wire_now_ns();

	t->stats.n_refused_cap++;
	if (t->cap_told_ns != 0 &&
	    now - t->cap_told_ns < LIMIT_TELL_MS * UINT64_C(1000000))
		return;
	t->cap_told_ns = now;
	log_warning("too many logins of one invoker, source or service wait: refused "
		    "(over_cap in rbacctl status)");
}

static void mark_began(struct conn *c)
{
	c->began = true;
	list_remove(c);
	list_add(&c->table->began, c);
}

static int on_begin(struct conn *c, const struct wire_frame *frame)
{
	struct wire_begin begin;

	if (c->began || wire_decode_begin(frame, &begin) != 0)
		return WIRE_E_INVALID;
	mark_began(c);
	c->table->n_asking++;
	memcpy(c->nonce, begin.nonce, sizeof(c->nonce));
	if (conn_admit(c, &begin) != 0) {
		note_over_cap(c->table);
		c->table->handlers->refuse(c, &begin, WIRE_RESULT_UNAVAILABLE);
		return 0;
	}
	c->request = c->table->handlers->begin(c->table->server, c, &begin);
	return 0;
}

static int on_answer(struct conn *c, const struct wire_frame *frame)
{
	struct wire_answer answer;
	int rc;

	/* Nobody can answer a prompt that has not left yet: it would be an answer in
	 * the blind, and its result would leave with the prompt, before the commit. */
	if (!c->request || c->out_sent < c->out_len)
		return WIRE_E_INVALID;
	rc = wire_decode_answer(frame, &answer);
	if (rc == 0 && !c->table->handlers->answer(c->request, &answer)) {
		c->table->handlers->done(c->request);
		c->request = NULL;
	}
	if (rc == 0)
		wire_answer_done(&answer);
	return rc;
}

static int on_call(struct conn *c, const struct wire_frame *frame)
{
	struct wire_call *call;
	int rc;

	if (c->began)
		return WIRE_E_INVALID;
	mark_began(c);
	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	rc = wire_decode_call(frame, call);
	if (rc == 0)
		c->table->handlers->call(c->table->server, c, call);
	explicit_bzero(call, sizeof(*call)); /* a code may have been an argument */
	free(call);
	return rc;
}

/* Dispatch is data: what may arrive where. */
static const struct {
	enum wire_type type;
	unsigned kinds; /* bits 1 << enum conn_kind */
	int (*handle)(struct conn *c, const struct wire_frame *frame);
} frame_table[] = {
	{WIRE_BEGIN, 1u << CONN_PAM, on_begin},
	{WIRE_ANSWER, 1u << CONN_PAM, on_answer},
	{WIRE_CALL, 1u << CONN_ADMIN | 1u << CONN_USER, on_call},
};

static int dispatch(struct conn *c, const struct wire_frame *frame)
{
	for (size_t i = 0; i < ARRAY_SIZE(frame_table); i++)
		if (frame_table[i].type == frame->type &&
		    (frame_table[i].kinds & 1u << c->kind))
			return frame_table[i].handle(c, frame);
	return WIRE_E_INVALID;
}

/* What is left of @c in the table's buffer moves into one of its own. */
static int keep_rest(struct conn *c)
{
	if (c->in_len == 0 || c->in)
		return 0;
	c->in = malloc(CONN_IN_BYTES);
	if (!c->in)
		return -ENOMEM;
	memcpy(c->in, c->table->in, c->in_len);
	return 0;
}

/* All whole frames in @buf. Return: 0 in the end; what dispatch() says. */
static int take_frames(struct conn *c, uint8_t *buf)
{
	struct wire_frame frame;
	size_t used;
	int rc = 0;

	while (rc == 0 && !c->finish) {
		rc = wire_frame_split(buf, c->in_len, WIRE_FRAME_MAX_IN, &frame, &used);
		if (rc == WIRE_E_INCOMPLETE)
			return keep_rest(c);
		if (rc == 0)
			rc = dispatch(c, &frame);
		if (rc == 0) {
			memmove(buf, buf + used, c->in_len - used);
			c->in_len -= used;
		}
	}
	return rc;
}

/*
 * Reads what is there. Most frames arrive whole: only one that does not takes a buffer
 * of its own, so a connection that says nothing costs 500 bytes. False: it is gone.
 */
bool conn_read_frames(struct conn *c)
{
	uint8_t *buf = c->in ? c->in : c->table->in;
	const size_t had = c->in_len;
	size_t kept;
	ssize_t n = recv(c->fd, buf + had, CONN_IN_BYTES - had, MSG_DONTWAIT);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		conn_close(c);
		return false;
	}
	c->in_len += (size_t)n;
	rc = take_frames(c, buf);
	kept = buf == c->in ? c->in_len : 0;
	explicit_bzero(buf + kept, had + (size_t)n - kept); /* codes too */
	if (rc == 0)
		return true;
	c->table->stats.n_bad_frames++;
	if (c->kind !=
	    CONN_USER) /* anybody could fill the disk with it: counted only */
		log_warning("bad frame from uid %u pid %d", c->peer_uid, c->peer_pid);
	conn_close(c);
	return false;
}

/* Waits for more. The first frame has one deadline, however slowly it drips in; after
 * it the person's time counts. False: it is over. */
static bool wait_readable(struct conn *c)
{
	uint64_t spent_ms = (wire_now_ns() - c->opened_ns) / 1000000u;
	uint64_t left_ms = c->pending_ms ? c->pending_ms : LIMIT_PENDING_MS;
	struct timeval tv;

	if (!c->began) {
		if (spent_ms >= LIMIT_FRAME_MS)
			return false;
		left_ms = LIMIT_FRAME_MS - spent_ms;
	}
	tv.tv_sec = (time_t)(left_ms / 1000);
	tv.tv_usec = (suseconds_t)(left_ms % 1000 * 1000);
	return event_add(&c->ev_read, &tv) == 0;
}

void conn_wait(struct conn *c, uint64_t ms)
{
	c->pending_ms = ms;
	if (c->watching && !wait_readable(c))
		conn_finish(c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	if (!(what & EV_TIMEOUT)) {
		if (!conn_read_frames(c) || c->finish || wait_readable(c))
			return;
	}
	c->table->stats.n_expired++;
	conn_close(c);
}

void conn_start(struct conn_table *t, enum conn_kind kind, int fd,
		const struct ucred *peer)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c) {
		(void)close(fd);
		return;
	}
	c->table = t;
	c->kind = kind;
	c->fd = fd;
	c->opened_ns = wire_now_ns();
	c->peer_uid = peer->uid;
	c->peer_pid = peer->pid;
	list_add(&t->silent[kind], c);
	t->n[kind]++;
	if (kind == CONN_USER) {
		c->caps[0] = caps_key(t->user_caps, 'u', &peer->uid, sizeof(peer->uid));
		if (caps_take(t->user_caps, &c->caps[0], LIMIT_USER_PER_UID) != 0) {
			c->caps[0] = (struct caps_key){{0}};
			t->stats.n_refused_cap++;
			conn_close(c);
			return;
		}
	}
	/* The first frame is mostly there already: read before asking epoll. */
	if (!conn_read_frames(c) || c->finish)
		return;
	(void)event_assign(&c->ev_read, t->server->base, fd, EV_READ | EV_PERSIST,
			   on_readable, c);
	c->watching = wait_readable(c);
	if (!c->watching)
		conn_close(c);
}

/* ---------------------------------------------------------------- replies out */

static void flush_one(struct conn *c);

/* From an event, in the middle of a turn: what waited is durable since the turn that
 * queued it, but something of this turn may lie behind it, and then all waits for the
 * commit. */
static void flush_durable(struct conn *c)
{
	if (!c->ready)
		flush_one(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	if (what & EV_TIMEOUT)
		conn_close(arg);
	else
		flush_durable(arg);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	c->due_ns = 0;
	flush_durable(c);
}

/* True: held back, on_due() will send it. */
static bool held_back(struct conn *c)
{
	struct server *s = c->table->server;
	uint64_t now = wire_now_ns();
	struct timeval tv;

	if (event_initialized(&c->ev_due))
		(void)event_del(&c->ev_due); /* pending it must not be assigned again */
	if (c->due_ns <= now)
		return false;
	tv.tv_sec = (time_t)((c->due_ns - now) / 1000000000u);
	tv.tv_usec = (suseconds_t)((c->due_ns - now) % 1000000000u / 1000u);
	return evtimer_assign(&c->ev_due, s->base, on_due, c) == 0 &&
	       evtimer_add(&c->ev_due, &tv) == 0;
}

/* The peer reads slowly: wait for room, but not for ever. */
static void wait_writable(struct conn *c)
{
	struct timeval tv = {.tv_sec = LIMIT_FRAME_MS / 1000};

	if (event_initialized(&c->ev_write))
		(void)event_del(&c->ev_write); /* as in held_back() */
	if (event_assign(&c->ev_write, c->table->server->base, c->fd, EV_WRITE,
			 on_writable, c) != 0 ||
	    event_add(&c->ev_write, &tv) != 0)
		conn_close(c);
}

static void flush_one(struct conn *c)
{
	ssize_t n = 0;

	while (c->out_sent < c->out_len) {
		n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		c->out_sent += (size_t)n;
	}
	if (c->out_sent < c->out_len && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		wait_writable(c);
		return;
	}
	if (c->finish || c->out_sent < c->out_len) {
		conn_close(c);
		return;
	}
	if (c->out)
		explicit_bzero(c->out, c->out_len); /* not kept while the peer thinks */
	c->out_len = c->out_sent = c->out_durable = 0;
}

void conn_flush_replies(struct conn_table *t)
{
	while (t->ready) {
		struct conn *c = t->ready;

		t->ready = c->next_ready;
		c->ready = false;
		c->out_durable = c->out_len;
		if (!held_back(c))
			flush_one(c);
	}
}

/* What a lost turn is answered with, by kind of socket. */
static void refuse_lost(struct conn *c, const char *why)
{
	uint8_t buf[1024];
	struct wire_writer w;
	struct wire_result_msg m = {.result = WIRE_RESULT_UNAVAILABLE};
	size_t len;
	int rc;

	if (c->kind == CONN_PAM) {
		memcpy(m.nonce, c->nonce, sizeof(m.nonce));
		rc = wire_encode_result(&m, buf, sizeof(buf), &len);
	} else {
		wire_writer_begin(&w, buf, sizeof(buf), WIRE_END);
		wire_put_u32(&w, WIRE_T_EXIT, 1);
		wire_put_text(&w, WIRE_T_MESSAGE, why);
		rc = wire_writer_end(&w, &len);
	}
	if (rc == 0)
		conn_queue(c, buf, len);
	conn_finish(c);
}

void conn_drop_replies(struct conn_table *t, const char *why)
{
	for (struct conn *c = t->ready; c; c = c->next_ready) {
		c->out_len = c->out_durable;
		refuse_lost(c, why);
	}
	conn_flush_replies(t);
}

void conn_get_stats(const struct conn_table *t, struct conn_stats *ret)
{
	*ret = t->stats;
	ret->n_pam = t->n[CONN_PAM];
	ret->n_admin = t->n[CONN_ADMIN];
	ret->n_user = t->n[CONN_USER];
}
