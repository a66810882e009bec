/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accept.c - pipeline stage "request in", its door: who may connect, and how many.
 */

#include "rbacd/conn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "rbacd/authz.h"
#include "rbacd/limits.h"

/* ---------------------------------------------------------------- caps */

/*
 * Local consoles and root's own su and sudo may use the reserved quarter of the table.
 * The name asked for says nothing: any stranger can ask sshd for root.
 */
static bool may_use_reserve(const struct authz_facts *f)
{
	return (str_eq(f->privilege, "console") &&
		f->origin.kind == POLICY_ORIGIN_LOCAL) ||
	       f->by_root;
}

/* Who started the process that asks. An sshd carries the login uid of whoever started
 * it, and that is not the person at its other end. */
static struct caps_key invoker_key(const struct conn_table *t,
				   const struct wire_begin *b,
				   const struct authz_facts *f)
{
	struct caps_key none = {{0}};

	if (f->from_sshd)
		return none;
	if (b->loginuid != AUTHZ_UNSET)
		return caps_key(t->caps, 'i', &b->loginuid, sizeof(b->loginuid));
	return *b->ruser ? caps_key(t->caps, 'r', b->ruser, strlen(b->ruser)) : none;
}

static struct caps_key source_key(const struct conn_table *t,
				  const struct authz_facts *f)
{
	struct caps_key none = {{0}};

	if (f->origin.kind != POLICY_ORIGIN_ADDR || !f->from_sshd)
		return none;
	return caps_key(t->caps, 's', f->source_text, strlen(f->source_text));
}

int conn_admit(struct conn *c, const struct wire_begin *b)
{
	struct conn_table *t = c->table;
	struct authz_facts f;

	authz_read(t->server, b, &f);
	/* Silent connections do not count: they are given up for those that ask. */
	if (t->n_asking > t->pam_max - t->pam_max / 4 && !may_use_reserve(&f))
		return CAPS_E_OVER;
	if (may_use_reserve(&f))
		return 0;
	c->caps[0] = invoker_key(t, b, &f);
	if (caps_take(t->caps, &c->caps[0], LIMIT_PER_INVOKER) != 0) {
		c->caps[0] = (struct caps_key){{0}};
		return CAPS_E_OVER;
	}
	c->caps[1] = source_key(t, &f);
	if (caps_take(t->caps, &c->caps[1], LIMIT_PER_SOURCE) != 0) {
		c->caps[1] = (struct caps_key){{0}};
		return CAPS_E_OVER;
	}
	c->caps[2] = caps_key(t->caps, 'k', f.privilege, strlen(f.privilege));
	if (caps_take(t->caps, &c->caps[2], LIMIT_PER_SERVICE) != 0) {
		c->caps[2] = (struct caps_key){{0}};
		return CAPS_E_OVER;
	}
	return 0;
}

/* ---------------------------------------------------------------- accept */

static size_t kind_max(const struct conn_table *t, enum conn_kind kind)
{
	return kind == CONN_PAM	    ? t->pam_max
	       : kind == CONN_ADMIN ? LIMIT_ADMIN_CONNS
				    : LIMIT_USER_CONNS;
}

/* Who may speak on which socket; the kernel tells who it is. */
static bool peer_may(const struct conn_table *t, enum conn_kind kind, uint32_t uid)
{
	const struct config *config = t->server->config;

	if (kind == CONN_USER || uid == 0)
		return true;
	for (size_t i = 0; kind == CONN_ADMIN && i < config->n_admins; i++)
		if (config->admins[i] == uid)
			return true;
	return false;
}

/* A full table gives up its oldest connection that has not said anything yet. */
static void evict_silent(struct conn_table *t, enum conn_kind kind)
{
	struct conn *c = t->silent[kind].oldest;

	if (c) {
		t->stats.n_expired++;
		conn_close(c);
	}
}

/* Out of descriptors: take one off the queue and close it, so that accept cannot spin.
 */
static void shed_one(struct conn_table *t, int listen_fd)
{
	int fd;

	if (t->spare_fd < 0)
		return;
	(void)close(t->spare_fd);
	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		(void)close(fd);
	t->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	t->stats.n_refused_cap++;
}

/* Takes one connection off the backlog. False: nothing waits. */
static bool accept_one(struct listener *l)
{
	struct conn_table *t = l->table;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		shed_one(t, l->fd);
	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    !peer_may(t, l->kind, peer.uid)) {
		t->stats.n_refused_peer++;
		(void)close(fd);
		return true;
	}
	if (t->n[l->kind] >= kind_max(t, l->kind))
		evict_silent(t, l->kind);
	if (t->n[l->kind] >= kind_max(t, l->kind)) {
		t->stats.n_refused_cap++;
		(void)close(fd);
		return true;
	}
	t->stats.n_accepted++;
	conn_start(t, l->kind, fd, &peer);
	return true;
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;
	unsigned max = l->kind == CONN_USER ? LIMIT_TURN_USER : LIMIT_TURN_REQUESTS;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < max && accept_one(l); i++)
		;
}

int conn_listen(struct conn_table *table, enum conn_kind kind, int fd)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->table = table;
	l->kind = kind;
	l->fd = fd;
	if (event_assign(&l->ev, table->server->base, fd, EV_READ | EV_PERSIST,
			 on_acceptable, l) != 0 ||
	    event_add(&l->ev, NULL) != 0) {
		free(l);
		return -EIO;
	}
	l->next = table->listeners;
	table->listeners = l;
	return 0;
}
