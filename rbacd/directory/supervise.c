/* SPDX-License-Identifier: Apache-2.0 */
/* supervise.c - start, watch, kill and restart the follower; keep what it said last. */

#include "rbacd/directory/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "rbacd/directory/follow.h"
#include "rbacd/directory/link.h"
#include "rbacd/log.h"
#include "rbacd/wire/client.h"

#define BACKOFF_MS     250
#define BACKOFF_MAX_MS 30000
#define SETTLED_S      60 /* a child that lived so long starts its back-off anew */
#define CHILD_FILES    64
#define CHILD_BYTES    (UINT64_C(2) << 30) /* address space; a hostile answer ends it */

enum online { ONLINE_UNKNOWN = 0, ONLINE_YES, ONLINE_NO };

struct supervise {
	struct event_base *base;	  /* borrowed */
	const struct config_ldap *config; /* borrowed */
	const struct secret *password;	  /* borrowed */
	const struct supervise_ops *ops;  /* static */
	void *arg;			  /* borrowed */
	volatile uint64_t *beat;	  /* owned: a page shared with the child */
	uint64_t beat_seen, beat_ns, started_ns;
	size_t n_started;		      /* children so far */
	pid_t pid;			      /* 0: none */
	struct link *link;		      /* owned; the child's end is its life */
	struct event *tick, *timer, *sigchld; /* owned */
	int backoff_ms;
	enum online online;
	struct snapshot *local, *targets, *whole, *change; /* counted */
	int whole_fd, change_fd;			   /* owned; -1 */
	uint8_t facts[2048]; /* the last FACTS frame's body */
	size_t facts_len;
};

/* --------------------------------------------------------------------- child */

/* What goes wrong in libldap stays small, and ends with the parent. A server, or a name
 * to look up, that ends a child is not the first of the next one. */
_Noreturn static void child_main(struct supervise *s, int fd, pid_t parent)
{
	const struct rlimit files = {CHILD_FILES, CHILD_FILES};
	const struct rlimit bytes = {CHILD_BYTES, CHILD_BYTES};
	const struct follow_options o = {.config = s->config,
					 .password = s->password,
					 .targets = s->targets,
					 .local = s->local,
					 .whole = s->whole,
					 .change = s->change,
					 .first = s->n_started,
					 .beat = s->beat};
	sigset_t none;

	(void)sigemptyset(&none); /* cannot fail */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGTERM, SIG_DFL); /* libevent's handlers are the parent's */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN); /* libldap writes to sockets */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	if (dup2(fd, 3) != 3 || close_range(4, ~0u, 0) != 0 ||
	    fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
		_exit(1);
	(void)setrlimit(RLIMIT_NOFILE, &files); /* lowering cannot fail */
	(void)setrlimit(RLIMIT_AS, &bytes);
	_exit(follow_run(&o, 3));
}

static void plan_start(struct supervise *s)
{
	uint32_t chance = 0;
	int ms = s->backoff_ms;
	struct timeval tv;

	if (getrandom(&chance, sizeof(chance), 0) < 0)
		chance = 0; /* no jitter */
	ms = ms / 2 + (int)(chance % (uint32_t)(ms / 2 + 1));
	tv = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	if (s->backoff_ms < BACKOFF_MAX_MS)
		s->backoff_ms *= 2;
	if (evtimer_add(s->timer, &tv) != 0)
		log_err("out of memory for a timer");
}

static void set_online(struct supervise *s, bool online, const char *text)
{
	enum online now = online ? ONLINE_YES : ONLINE_NO;

	if (s->online == now)
		return; /* one record for one outage */
	s->online = now;
	s->ops->notice(s->arg, online ? "online" : "offline", text);
}

/* Ends what there is of the child and plans its successor. */
static void child_over(struct supervise *s, const char *why)
{
	if (s->pid > 0)
		(void)kill(s->pid, SIGKILL); /* gone already: fine */
	link_free(s->link);
	s->link = NULL;
	s->pid = 0;
	if (wire_now_ns() - s->started_ns > SETTLED_S * UINT64_C(1000000000))
		s->backoff_ms = BACKOFF_MS;
	log_warning("the follower ended: %s; it is started again", why);
	set_online(s, false, why);
	plan_start(s);
}

/* -------------------------------------------------------------------- frames */

/* The last snapshots are kept verified: the next child compares with them. */
static int take_snapshot(struct supervise *s, int fd)
{
	_cleanup_snapshot_ struct snapshot *n = NULL;
	int r = snapshot_from_fd(fd, &n);
	bool whole;

	if (r != 0)
		return r;
	whole = snapshot_base(n) == 0;
	if (!str_eq(snapshot_source(n), "ldap") ||
	    (!whole && (!s->whole || snapshot_base(n) != snapshot_serial(s->whole))))
		return -EPROTO;
	snapshot_unref(s->change);
	s->change = NULL;
	if (s->change_fd >= 0)
		(void)close(s->change_fd); /* a memfd */
	s->change_fd = -1;
	if (!whole) {
		s->change = STEAL(n);
		s->change_fd = fd;
		return 0;
	}
	snapshot_unref(s->whole);
	s->whole = STEAL(n);
	if (s->whole_fd >= 0)
		(void)close(s->whole_fd); /* a memfd */
	s->whole_fd = fd;
	return 0;
}

static void forward_fd(struct supervise *s, int fd)
{
	const struct wire_frame f = {.type = WIRE_SNAPSHOT};
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		log_err("no descriptor for a snapshot");
	else
		s->ops->frame(s->arg, &f, copy);
}

/* "online" and "offline" once a change; the rest goes on as it is. */
static int on_notice(struct supervise *s, const struct wire_frame *f)
{
	struct wire_reader r;
	struct wire_field field;
	char event[16], text[320];

	wire_reader_init(&r, f);
	if (wire_next(&r, &field) != 0 || field.tag != WIRE_T_VERB ||
	    wire_get_text(&field, event, sizeof(event)) != 0 ||
	    wire_next(&r, &field) != 0 || field.tag != WIRE_T_ARG ||
	    wire_get_text(&field, text, sizeof(text)) != 0 || strlen(text) < 5)
		return -EPROTO;
	if (str_eq(event, "online") || str_eq(event, "offline"))
		set_online(s, str_eq(event, "online"), text + strlen("text="));
	else
		s->ops->frame(s->arg, f, -1);
	return 0;
}

static int on_frame(void *arg, const struct wire_frame *f, int *fd)
{
	struct supervise *s = arg;
	int r;

	if (f->type == WIRE_NOTICE)
		return on_notice(s, f);
	if (f->type == WIRE_FACTS) {
		if (f->len > sizeof(s->facts))
			return -EPROTO;
		memcpy(s->facts, f->body, f->len);
		s->facts_len = f->len;
		s->ops->frame(s->arg, f, -1);
		return 0;
	}
	if (f->type != WIRE_SNAPSHOT)
		return -EPROTO;
	r = take_snapshot(s, *fd);
	if (r == 0) {
		forward_fd(s, *fd);
		*fd = -1; /* kept */
	}
	return r;
}

static void on_lost(void *arg, const char *why)
{
	child_over(arg, why);
}

static const struct link_ops child_link_ops = {.frame = on_frame, .lost = on_lost};

/* --------------------------------------------------------------------- watch */

static void child_start(struct supervise *s)
{
	pid_t parent = getpid();
	int pair[2];

	if (s->pid > 0 || !s->targets)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) !=
	    0) {
		plan_start(s);
		return;
	}
	s->started_ns = s->beat_ns = wire_now_ns();
	s->pid = fork();
	if (s->pid == 0)
		child_main(s, pair[1], parent);
	(void)close(pair[1]); /* the child's end */
	s->n_started++;
	if (s->pid < 0) {
		(void)close(pair[0]); /* nothing was promised */
		s->pid = 0;
		child_over(s, "it could not be started");
		return;
	}
	if (link_new(s->base, pair[0], &child_link_ops, s, &s->link) != 0)
		child_over(s, "out of memory");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	child_start(arg);
}

/* The deadline from outside: it holds whatever the library does. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct supervise *s = arg;
	uint64_t beat = *s->beat, now_ns = wire_now_ns();

	(void)fd;
	(void)what;
	if (beat != s->beat_seen || s->pid == 0) {
		s->beat_seen = beat;
		s->beat_ns = now_ns;
	} else if (now_ns - s->beat_ns > SUPERVISE_WATCHDOG_S * UINT64_C(1000000000)) {
		child_over(s, "it did not move and was killed");
	}
}

static void on_sigchld(evutil_socket_t fd, short what, void *arg)
{
	struct supervise *s = arg;
	pid_t pid;
	int status;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->pid)
			continue;
		s->pid = 0; /* its link tells the rest */
		log_warning("the follower ended with %s %d",
			    WIFSIGNALED(status) ? "signal" : "status",
			    WIFSIGNALED(status) ? WTERMSIG(status)
						: WEXITSTATUS(status));
	}
}

/* ---------------------------------------------------------------------- face */

/* The child has its own copies; it hears only what is new since it was started. */
static void tell_child(struct supervise *s, enum wire_type type, int fd)
{
	struct wire_writer w;
	uint8_t buf[64];
	size_t len;

	wire_writer_begin(&w, buf, sizeof(buf), type);
	if (!s->link || wire_writer_end(&w, &len) != 0) {
		(void)close(fd); /* a memfd */
		return;
	}
	if (link_send(s->link, buf, len, fd) != 0)
		log_err("a frame for the follower is lost: out of memory");
}

static void replace(struct snapshot **to, struct snapshot *s)
{
	snapshot_unref(*to);
	*to = snapshot_ref(s);
}

void supervise_set_local(struct supervise *s, struct snapshot *local, int fd)
{
	replace(&s->local, local);
	tell_child(s, WIRE_SNAPSHOT, fd);
}

void supervise_set_targets(struct supervise *s, struct snapshot *targets, int fd)
{
	bool first = !s->targets;

	replace(&s->targets, targets);
	tell_child(s, WIRE_TARGETS, fd);
	if (first)
		child_start(s);
}

int supervise_set_last(struct supervise *s, int fd)
{
	if (s->targets) {
		(void)close(fd); /* ours is newer */
		return 0;
	}
	if (take_snapshot(s, fd) == 0)
		return 0;
	(void)close(fd); /* of no use */
	return -EPROTO;
}

void supervise_order(struct supervise *s, const struct wire_frame *f)
{
	struct wire_writer w;
	struct wire_reader r;
	struct wire_field field;
	uint8_t buf[64];
	size_t len;

	wire_reader_init(&r, f);
	if (!s->link || wire_next(&r, &field) != 0 || field.tag != WIRE_T_VERB)
		return;
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_ORDER);
	wire_put_bytes(&w, WIRE_T_VERB, field.p, field.len);
	if (wire_writer_end(&w, &len) != 0 || link_send(s->link, buf, len, -1) != 0)
		log_err("an order for the follower is lost");
}

void supervise_resend(struct supervise *s)
{
	const struct wire_frame facts = {.type = WIRE_FACTS,
					 .body = s->facts,
					 .len = s->facts_len};

	if (s->whole_fd >= 0)
		forward_fd(s, s->whole_fd);
	if (s->change_fd >= 0)
		forward_fd(s, s->change_fd);
	if (s->facts_len > 0)
		s->ops->frame(s->arg, &facts, -1);
}

static int set_up(struct supervise *s)
{
	const struct timeval second = {.tv_sec = 1};
	void *page = mmap(NULL, sizeof(*s->beat), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	s->beat = page;
	s->timer = evtimer_new(s->base, on_timer, s);
	s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	s->sigchld = evsignal_new(s->base, SIGCHLD, on_sigchld, s);
	if (!s->timer || !s->tick || !s->sigchld || event_add(s->tick, &second) != 0 ||
	    event_add(s->sigchld, NULL) != 0)
		return -ENOMEM;
	return 0;
}

int supervise_new(struct event_base *base, const struct config_ldap *config,
		  const struct secret *password, const struct supervise_ops *ops,
		  void *arg, struct supervise **ret)
{
	struct supervise *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->base = base;
	s->config = config;
	s->password = password;
	s->ops = ops;
	s->arg = arg;
	s->whole_fd = s->change_fd = -1;
	s->backoff_ms = BACKOFF_MS;
	r = set_up(s);
	if (r != 0) {
		supervise_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void supervise_free(struct supervise *s)
{
	if (!s)
		return;
	if (s->pid > 0)
		(void)kill(s->pid, SIGKILL); /* gone already: fine */
	link_free(s->link);
	if (s->timer)
		event_free(s->timer);
	if (s->tick)
		event_free(s->tick);
	if (s->sigchld)
		event_free(s->sigchld);
	if (s->whole_fd >= 0)
		(void)close(s->whole_fd); /* a memfd */
	if (s->change_fd >= 0)
		(void)close(s->change_fd); /* a memfd */
	if (s->beat)
		(void)munmap((void *)(uintptr_t)s->beat, sizeof(*s->beat)); /* ours */
	snapshot_unref(s->local);
	snapshot_unref(s->targets);
	snapshot_unref(s->whole);
	snapshot_unref(s->change);
	free(s);
}
