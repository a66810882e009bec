/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir_main.c - rbacd-dir: follows the directory for rbacd, as a user of its own.
 *
 * This process holds the link and watches; its children call NSS (workers.c) and LDAP
 * (supervise.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>

#include "policy/yaml.h"
#include "rbacd/config.h"
#include "rbacd/directory/bind_password.h"
#include "rbacd/directory/confine.h"
#include "rbacd/directory/file.h"
#include "rbacd/directory/follow.h"
#include "rbacd/directory/link.h"
#include "rbacd/directory/local.h"
#include "rbacd/directory/nss.h"
#include "rbacd/directory/stamp.h"
#include "rbacd/directory/supervise.h"
#include "rbacd/log.h"
#include "rbacd/privilege.h"
#include "rbacd/wire/client.h"

#define PASSWD_PATH    "/etc/passwd"
#define RETRY_FIRST_MS 50
#define RETRY_MAX_MS   1000
#define CONNECT_MS     500
#define TEST_S	       120
#define RESEND_S       300 /* an unchanged people file is confirmed so often */

struct dir {
	struct event_base *base;
	struct config *config; /* owned */
	uint32_t server_uid;
	struct link *link;			       /* owned; NULL: not connected */
	struct event *retry, *tick, *sigterm, *sigint; /* owned */
	int retry_ms, last_error;
	struct snapshot *local;	  /* counted */
	struct snapshot *targets; /* counted; NULL: rbacd named none yet */
	struct nss *nss;	  /* owned; source nss only */
	struct supervise *ldap;	  /* owned; source ldap only */
	struct secret password;	  /* of the bind */
	struct stamp passwd, people;
	time_t people_sent_s;
	bool failed;
	int clock; /* as WIRE_CLOCK says it; 0: not said on this link */
};

static const char usage[] =
	"Usage: rbacd-dir [--config FILE]\n"
	"The vmsec directory process. Runs in the foreground; started as root it "
	"becomes\n"
	"the user that directory.user names. It connects to rbacd and comes back by "
	"itself.\n\n"
	"  -c, --config FILE   default " CONFIG_PATH "\n"
	"      --foreground    accepted; it never forks into the background\n"
	"      --test          source ldap: connect, print what is found, exit 1 on\n"
	"                      trouble (see rbacctl directory test)\n"
	"      --targets FD    with --test: the groups to look for\n"
	"  -h, --help          this text\n"
	"      --version       version\n\n"
	"SIGTERM ends. See rbacd-dir(8).\n";

static int64_t now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail on Linux */
	return (int64_t)ts.tv_sec;
}

/* ------------------------------------------------------------------ send */

/* A link that cannot take a frame reads too slowly; what it misses comes after
 * reconnect. */
static void send_frame(struct dir *d, struct wire_writer *w, int fd)
{
	size_t len;
	int r = wire_writer_end(w, &len);

	if (r != 0 || !d->link) {
		if (fd >= 0)
			(void)close(fd); /* a memfd */
		return;
	}
	r = link_send(d->link, w->buf, len, fd);
	if (r != 0)
		log_err("a frame for rbacd is lost (%d)", r);
}

static void send_problem(void *arg, const char *text)
{
	struct dir *d = arg;
	struct wire_writer w;
	uint8_t buf[512];
	char quoted[LOG_QUOTED_MAX], cut[256];

	if (*text)
		log_warning("%s", log_quote(text, quoted));
	else
		log_notice("the groups of the policy are all there now");
	(void)snprintf(cut, sizeof(cut), "%s", text); /* cut on purpose */
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_PROBLEM);
	wire_put_text(&w, WIRE_T_PROBLEM, cut);
	send_frame(d, &w, -1);
}

static void send_answer(void *arg, uint64_t ticket, uint8_t state, const void *block,
			size_t len)
{
	uint8_t buf[WIRE_FRAME_MAX];
	struct wire_writer w;

	wire_writer_begin(&w, buf, sizeof(buf), WIRE_ACCOUNT);
	wire_put_u64(&w, WIRE_T_TICKET, ticket);
	if (block)
		wire_put_bytes(&w, WIRE_T_BYTES, block, len);
	wire_put_u8(&w, WIRE_T_STATE, state);
	send_frame(arg, &w, -1);
}

static void send_snapshot(struct dir *d, int fd)
{
	struct wire_writer w;
	uint8_t buf[64];

	wire_writer_begin(&w, buf, sizeof(buf), WIRE_SNAPSHOT);
	send_frame(d, &w, fd);
}

static void send_hello(struct dir *d)
{
	struct wire_writer w;
	uint8_t buf[64];

	wire_writer_begin(&w, buf, sizeof(buf), WIRE_HELLO);
	wire_put_text(&w, WIRE_T_SOURCE, config_source_name(d->config->source));
	send_frame(d, &w, -1);
}

/* ------------------------------------------------------------------ ldap */

/* What the follower says goes on to rbacd as it is. */
static void forward(void *arg, const struct wire_frame *f, int fd)
{
	struct wire_writer w;
	uint8_t buf[4096];
	struct wire_reader r;
	struct wire_field field;

	wire_writer_begin(&w, buf, sizeof(buf), f->type);
	wire_reader_init(&r, f);
	while (wire_next(&r, &field) == 0)
		wire_put_bytes(&w, field.tag, field.p, field.len);
	send_frame(arg, &w, fd);
}

static void send_notice(void *arg, const char *event, const char *text)
{
	char line[320];
	struct wire_writer w;
	uint8_t buf[512];

	(void)snprintf(line, sizeof(line), "text=%s", text); /* cut on purpose */
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_NOTICE);
	wire_put_text(&w, WIRE_T_VERB, event);
	wire_put_text(&w, WIRE_T_ARG, line);
	send_frame(arg, &w, -1);
}

/* ---------------------------------------------------------------- follow */

static void read_local(struct dir *d)
{
	struct snapshot *s;
	size_t skipped = 0;
	int fd = -1;
	int r = file_build_local(PASSWD_PATH, now_s(), &fd, &skipped);

	if (r == 0)
		r = snapshot_from_fd(fd, &s);
	if (r != 0) {
		log_err("%s cannot be read (%d); the last accounts stay", PASSWD_PATH,
			r);
		if (fd >= 0)
			(void)close(fd); /* a memfd */
		return;
	}
	if (skipped > 0)
		log_warning("%s: %zu lines are malformed or doubtful and left out",
			    PASSWD_PATH, skipped);
	snapshot_unref(d->local);
	d->local = s;
	if (d->nss)
		nss_set_local(d->nss, s);
	if (d->ldap)
		supervise_set_local(d->ldap, s, fcntl(fd, F_DUPFD_CLOEXEC, 0));
	send_snapshot(d, fd);
}

static void read_people(struct dir *d)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct file_input in = {.path = d->config->people,
				.targets = d->targets,
				.local = d->local,
				.now_s = now_s(),
				.problem = send_problem,
				.arg = d};
	int fd = -1;
	int r;

	if (d->config->source != CONFIG_SOURCE_FILE || !d->targets || !d->local)
		return;
	d->people_sent_s = (time_t)in.now_s;
	r = file_build(&in, &fd, &diag);
	if (r == 0) {
		send_snapshot(d, fd);
		return;
	}
	diags_print(&diag, stderr);
	send_problem(d, "the people file is refused; the last people stay until "
			"max_stale. Its errors are in rbacd-dir's log");
}

/* For rbacd, whose unit may not ask. */
static void tell_clock(struct dir *d)
{
	struct timex tx = {.modes = 0};
	int state = adjtimex(&tx);
	struct wire_writer w;
	uint8_t buf[64];
	int now =
		state >= 0 && state != TIME_ERROR && !(tx.status & STA_UNSYNC) ? 1 : 2;

	if (!d->link || now == d->clock)
		return;
	d->clock = now;
	wire_writer_begin(&w, buf, sizeof(buf), WIRE_CLOCK);
	wire_put_u8(&w, WIRE_T_STATE, (uint8_t)now);
	send_frame(d, &w, -1);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct dir *d = arg;
	bool local = stamp_changed(PASSWD_PATH, &d->passwd);
	bool people = false;
	int64_t age = now_s() - d->people_sent_s;

	(void)fd;
	(void)what;
	if (d->config->source == CONFIG_SOURCE_FILE)
		people = stamp_changed(d->config->people, &d->people);
	tell_clock(d);
	if (local)
		read_local(d);
	if (local || people || age >= RESEND_S || age < 0)
		read_people(d);
}

/* ---------------------------------------------------------------- frames */

static int on_targets(struct dir *d, int *fd)
{
	struct snapshot *s;
	int r = snapshot_from_fd(*fd, &s);

	if (r != 0)
		return r;
	if (!str_eq(snapshot_source(s), "targets")) {
		snapshot_unref(s);
		return -EPROTO;
	}
	snapshot_unref(d->targets);
	d->targets = s;
	if (d->nss)
		r = nss_set_targets(d->nss, s);
	if (r != 0)
		send_problem(d, "the policy's groups cannot be followed");
	if (d->ldap) {
		supervise_set_targets(d->ldap, s, *fd);
		*fd = -1; /* theirs */
	}
	read_people(d);
	return 0;
}

static int on_lookup(struct dir *d, const struct wire_frame *f)
{
	char login[SNAPSHOT_LOGIN_MAX + 1];
	struct wire_reader r;
	struct wire_field ticket, name, end;
	uint64_t number;

	wire_reader_init(&r, f);
	if (wire_next(&r, &ticket) != 0 || ticket.tag != WIRE_T_TICKET ||
	    wire_get_u64(&ticket, &number) != 0 || number == 0 ||
	    wire_next(&r, &name) != 0 || name.tag != WIRE_T_LOGIN ||
	    wire_get_text(&name, login, sizeof(login)) != 0 ||
	    !snapshot_login_valid(login) || wire_next(&r, &end) != WIRE_E_END)
		return -EPROTO;
	if (!d->nss || nss_lookup(d->nss, number, login) != 0)
		send_answer(d, number, 2, NULL, 0);
	return 0;
}

static int on_frame(void *arg, const struct wire_frame *f, int *fd)
{
	struct dir *d = arg;

	if (f->type == WIRE_TARGETS)
		return on_targets(d, fd);
	if (f->type == WIRE_SNAPSHOT && d->ldap) {
		int last = *fd;

		*fd = -1; /* theirs, in any case */
		return supervise_set_last(d->ldap, last);
	}
	if (f->type == WIRE_ORDER && d->ldap) {
		supervise_order(d->ldap, f);
		return 0;
	}
	if (f->type == WIRE_LOOKUP)
		return on_lookup(d, f);
	return -EPROTO;
}

/* ------------------------------------------------------------------ link */

static void plan_retry(struct dir *d)
{
	struct timeval tv = {.tv_sec = d->retry_ms / 1000,
			     .tv_usec = d->retry_ms % 1000 * 1000};

	d->retry_ms = d->retry_ms * 2 < RETRY_MAX_MS ? d->retry_ms * 2 : RETRY_MAX_MS;
	if (evtimer_add(d->retry, &tv) != 0) {
		log_err("out of memory for a timer");
		d->failed = true;
		(void)event_base_loopbreak(
			d->base); /* main ends; a supervisor restarts */
	}
}

static void on_lost(void *arg, const char *why)
{
	struct dir *d = arg;

	log_notice("the link to rbacd is lost: %s; connecting again", why);
	link_free(d->link);
	d->link = NULL;
	if (d->nss)
		nss_forget(d->nss);
	plan_retry(d);
}

static const struct link_ops dir_link_ops = {.frame = on_frame, .lost = on_lost};

static int connect_rbacd(struct dir *d)
{
	uint8_t scratch[WIRE_HEADER_LEN];
	struct wire_client c = {.fd = -1};
	char path[256];
	int r;

	if (snprintf(path, sizeof(path), "%s/dir/dir.sock", d->config->run_dir) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	r = wire_client_open(&c, path, d->server_uid,
			     wire_now_ns() + CONNECT_MS * UINT64_C(1000000), scratch,
			     sizeof(scratch));
	return r == 0 ? link_new(d->base, c.fd, &dir_link_ops, d, &d->link) : r;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct dir *d = arg;
	int r = connect_rbacd(d);

	(void)fd;
	(void)what;
	if (r != 0) {
		if (d->last_error != r) /* once, not each second */
			log_notice("rbacd cannot be reached: %s; trying again",
				   strerrordesc_np(-r));
		d->last_error = r;
		plan_retry(d);
		return;
	}
	d->last_error = 0;
	d->retry_ms = RETRY_FIRST_MS;
	log_notice("connected to rbacd");
	send_hello(d);
	d->clock = 0;
	tell_clock(d);
	read_local(d);
	if (d->ldap)
		supervise_resend(d->ldap);
	read_people(d);
}

/* ------------------------------------------------------------------ main */

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct dir *d = arg;

	(void)fd;
	(void)what;
	(void)event_base_loopbreak(d->base); /* cannot fail for a live base */
}

static int find_account(const char *name, struct local_account *ret, struct diags *diag)
{
	int r = local_find(PASSWD_PATH, name, ret);

	if (r != 0)
		diags_add(diag, PASSWD_PATH, 0, 0, NULL,
			  "the account '%s' is not there", name);
	return r == 0 ? 0 : -ENOENT;
}

/* Ends as directory.user, whoever started it, or fails. It reads the people file again
 * and again, in a folder that only root and rbacd's group may look into. */
static int become_user(struct dir *d, struct diags *diag)
{
	struct local_account self, server;
	int r = find_account(d->config->directory_user, &self, diag);

	if (r == 0)
		r = find_account(d->config->user, &server, diag);
	if (r == 0)
		r = privilege_harden(diag);
	if (r != 0)
		return r;
	d->server_uid = server.uid;
	if (d->config->source == CONFIG_SOURCE_LDAP && d->config->ldap.password_file)
		r = bind_password_read(d->config->ldap.password_file, self.uid,
				       &d->password, diag);
	if (r != 0)
		return r;
	if (geteuid() == 0)
		return privilege_drop(self.uid, self.gid, server.gid, diag);
	if (geteuid() == self.uid && getuid() == self.uid)
		return 0;
	diags_add(diag, NULL, 0, 0, NULL, "must be started as root or as '%s'",
		  d->config->directory_user);
	return -EPERM;
}

static int set_up(struct dir *d)
{
	static const struct nss_ops ops = {.answer = send_answer,
					   .problem = send_problem};
	static const struct supervise_ops ldap_ops = {.frame = forward,
						      .notice = send_notice};
	const struct timeval second = {.tv_sec = 1}, now = {0};

	d->base = event_base_new();
	if (!d->base)
		return -ENOMEM;
	d->retry_ms = RETRY_FIRST_MS;
	d->retry = evtimer_new(d->base, on_retry, d);
	d->tick = event_new(d->base, -1, EV_PERSIST, on_tick, d);
	d->sigterm = evsignal_new(d->base, SIGTERM, on_stop, d);
	d->sigint = evsignal_new(d->base, SIGINT, on_stop, d);
	if (!d->retry || !d->tick || !d->sigterm || !d->sigint ||
	    event_add(d->sigterm, NULL) != 0 || event_add(d->sigint, NULL) != 0 ||
	    event_add(d->tick, &second) != 0 || event_add(d->retry, &now) != 0)
		return -ENOMEM;
	(void)stamp_changed(PASSWD_PATH, &d->passwd);
	(void)stamp_changed(d->config->people, &d->people);
	if (d->config->source == CONFIG_SOURCE_NSS)
		return nss_new(d->base, d->config->max_stale_s, &ops, d, &d->nss);
	if (d->config->source == CONFIG_SOURCE_LDAP)
		return supervise_new(d->base, &d->config->ldap, &d->password, &ldap_ops,
				     d, &d->ldap);
	return 0;
}

static void tear_down(struct dir *d)
{
	struct event *events[] = {d->retry, d->tick, d->sigterm, d->sigint};

	nss_free(d->nss);
	supervise_free(d->ldap);
	secret_done(&d->password);
	link_free(d->link);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i])
			event_free(events[i]);
	if (d->base)
		event_base_free(d->base);
	snapshot_unref(d->local);
	snapshot_unref(d->targets);
	config_free(d->config);
}

static int run(struct dir *d)
{
	int r = set_up(d);

	if (r != 0)
		log_err("cannot start (%d)", r);
	else if (event_base_dispatch(d->base) < 0)
		d->failed = true;
	return r != 0 || d->failed ? 1 : 0;
}

/* Connects once, as the follower would, and says what it sees. */
static int test_only(struct dir *d, int targets_fd)
{
	volatile uint64_t beat = 0;
	struct follow_options o = {.config = &d->config->ldap,
				   .password = &d->password,
				   .beat = &beat};
	size_t skipped;
	int fd = -1, r = 0;

	if (d->config->source != CONFIG_SOURCE_LDAP) {
		(void)fprintf(stderr, "rbacd-dir: directory: source is not ldap\n");
		return 1;
	}
	(void)alarm(TEST_S); /* the watchdog of a process without a parent */
	if (targets_fd >= 0)
		r = snapshot_from_fd(targets_fd, &d->targets);
	if (r == 0)
		r = file_build_local(PASSWD_PATH, now_s(), &fd, &skipped);
	if (r == 0)
		r = snapshot_from_fd(fd, &d->local);
	o.targets = d->targets;
	o.local = d->local;
	if (r == 0)
		r = follow_test(&o, stdout);
	if (fd >= 0)
		(void)close(fd); /* a memfd */
	return r == 0 && fflush(stdout) == 0 ? 0 : 1;
}

struct options {
	const char *config;
	bool test;
	int targets_fd; /* -1: none */
};

/* Return: -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"foreground", no_argument, NULL, 'f'},
					      {"help", no_argument, NULL, 'h'},
					      {"test", no_argument, NULL, 't'},
					      {"targets", required_argument, NULL, 'T'},
					      {"version", no_argument, NULL, 'V'},
					      {0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (opt == 'c') {
			ret->config = optarg;
		} else if (opt == 't') {
			ret->test = true;
		} else if (opt == 'T' && strlen(optarg) == 1 && *optarg > '2' &&
			   *optarg <= '9') {
			ret->targets_fd = *optarg - '0';
		} else if (opt == 'V') {
			(void)puts("rbacd-dir " VMSEC_VERSION);
			return 0;
		} else if (opt != 'f') {
			(void)fputs(usage, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? 0 : 2;
		}
	}
	if (optind == argc)
		return -1;
	(void)fprintf(stderr, "rbacd-dir: unexpected argument '%s'\n%s", argv[optind],
		      usage);
	return 2;
}

int main(int argc, char **argv)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct options opt = {.config = CONFIG_PATH, .targets_fd = -1};
	struct dir dir = {0};
	int rc = read_options(argc, argv, &opt);

	if (rc >= 0)
		return rc;
	rc = config_load(opt.config, &dir.config, &diag);
	if (rc == 0)
		rc = become_user(&dir, &diag);
	if (rc != 0) {
		diags_print(&diag, stderr);
		if (!diags_failed(&diag))
			(void)fprintf(stderr, "rbacd-dir: error %d\n", rc);
		config_free(dir.config);
		return 1;
	}
	log_open("rbacd-dir", dir.config->log_to_syslog,
		 (enum log_level)dir.config->log_level);
	rc = confine(dir.config, &diag);
	if (rc != 0)
		diags_print(&diag, stderr);
	else
		rc = opt.test ? test_only(&dir, opt.targets_fd) : run(&dir);
	tear_down(&dir);
	return rc == 0 ? 0 : 1;
}
