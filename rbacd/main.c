/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - rbacd as a table of contents: options, config, start, stages, loop.
 */

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/stat.h>

#include "policy/yaml.h"
#include "rbacd/activate/activate.h"
#include "rbacd/admin.h"
#include "rbacd/alert.h"
#include "rbacd/clock/forget.h"
#include "rbacd/enrol/pending.h"
#include "rbacd/handle.h"
#include "rbacd/hook_process.h"
#include "rbacd/keys/anchor.h"
#include "rbacd/keys/keyring.h"
#include "rbacd/keys/set_back.h"
#include "rbacd/limits.h"
#include "rbacd/detect/detect.h"
#include "rbacd/log.h"
#include "rbacd/metrics.h"
#include "rbacd/password/worker.h"
#include "rbacd/request.h"
#include "rbacd/server.h"
#include "rbacd/standing.h"
#include "rbacd/start.h"
#include "rbacd/wire/client.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

static const char usage[] =
	"Usage: rbacd [--config FILE] [--check]\n"
	"The vmsec decision daemon. Runs in the foreground; starts as root, binds its\n"
	"sockets and becomes the user that the configuration names, or starts as that\n"
	"user and takes bound sockets over (LISTEN_FDS, see systemd.socket(5)).\n\n"
	"  -c, --config FILE   default " CONFIG_PATH "\n"
	"      --check         check configuration and policy, print the effective\n"
	"                      configuration, exit 1 on any error\n"
	"      --key FILE      the master key, in place of the configuration's: a "
	"copy\n"
	"                      that rbacd's own account may read\n"
	"  -h, --help          this text\n"
	"      --version       version\n\n"
	"SIGHUP reloads the policy, all or nothing. SIGTERM ends. See rbacd(8).\n";

/* ---------------------------------------------------------------- stages */

static int read_boot_id(char ret[37])
{
	_cleanup_close_ int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, ret, 36) != 36)
		return -EIO;
	ret[36] = '\0';
	return 0;
}

static const struct conn_handlers handlers = {
	.begin = request_begin,
	.answer = request_answer,
	.done = request_free,
	.refuse = request_refuse,
	.call = admin_call,
};

static int open_stages(struct server *s, struct start *start, struct diags *diag)
{
	char path[512];
	struct store_options so = {
		.path = config_db_path(s->config, path, sizeof(path))};
	const struct config_audit *ca = &s->config->audit;
	struct audit_options ao = {.host = s->config->vm,
				   .dir = ca->dir,
				   .retention = {ca->keep_days * 86400,
						 ca->online_days * 86400,
						 detect_name(DETECT_CLOCK)},
				   .dev_log = "/dev/log",
				   .journal = "/run/systemd/journal/socket"};
	int rc = store_open(&so, &s->store, diag);

	if (rc == 0)
		rc = keyring_take(&start->keys, s->store, &s->seal, diag);
	keyring_done(&start->keys); /* those that do not count */
	if (rc == 0)
		rc = anchor_open(s->config->anchor_dir, &s->anchor, diag);
	if (rc == 0 && !s->signer)
		rc = signer_open(ca->key, true, ca->origin, &s->signer, diag);
	ao.signer = s->signer;
	if (rc == 0)
		rc = audit_open(s->store, s->seal, &ao, &s->audit, diag);
	if (rc == 0)
		rc = metrics_new(&s->metrics);
	if (rc == 0)
		rc = mfa_new(s->store, s->seal, &s->mfa);
	if (rc == 0)
		rc = worker_pool_new(s->base, s->config->sandbox, &s->passwords);
	if (rc == 0)
		rc = handle_table_new(&s->handles);
	if (rc == 0)
		rc = pending_table_new(&s->pendings);
	if (rc == 0)
		rc = read_boot_id(s->boot_id);
	if (rc == 0)
		rc = identity_new(s->base, s->config, start->sockets.dir,
				  start->dir.uid, &s->identity);
	if (rc == 0)
		rc = identity_keep(s->identity, s->seal, s->config->state_dir);
	if (rc == 0)
		identity_set_clock(s->identity, &s->clock.told);
	if (rc == 0)
		identity_await(s->identity);
	if (rc == 0)
		identity_set_notice(s->identity, admin_directory_notice, s);
	if (rc == 0)
		rc = conn_table_new(s, &handlers, &s->conns);
	if (rc == 0)
		rc = conn_listen(s->conns, CONN_PAM, start->sockets.pam);
	if (rc == 0)
		rc = conn_listen(s->conns, CONN_ADMIN, start->sockets.admin);
	if (rc == 0)
		rc = conn_listen(s->conns, CONN_USER, start->sockets.user);
	return rc;
}

static int record_life(struct server *s, const char *what)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	ev.ev = what;
	ev.sev = AUDIT_NOTICE;
	ev.outcome = AUDIT_SUCCESS;
	ev.vm = s->config->vm;
	ev.object = s->boot_id;
	return audit_append(s->audit, &ev, server_now_us(), id);
}

/* Policies and the configuration are replaced by rename, so their folders are named. */
static int give_up(struct server *s, struct diags *diag)
{
	char config[512], policy[512], text[64];
	const struct sandbox box = {
		.profile = SANDBOX_DECIDE,
		.mode = s->config->sandbox,
		.read = {sandbox_parent(s->config->path, config, sizeof(config)),
			 sandbox_parent(s->config->policy, policy, sizeof(policy)),
			 "/usr/share/zoneinfo", "/dev/null", "/etc/passwd",
			 "/var/cache/cracklib"},
		.write = {s->config->state_dir},
	};
	int rc = sandbox_enter(&box, &s->sandbox, diag);

	if (rc == 0)
		log_notice("sandbox: %s; %s", config_sandbox_name(s->config->sandbox),
			   sandbox_describe(&s->sandbox, text, sizeof(text)));
	return rc;
}

/* A broken policy does not keep rbacd from starting: it denies, says so, and waits for
 * a reload. */
static int first_records(struct server *s)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int rc = clock_start(s);

	if (rc == 0)
		rc = alerts_new(s, &s->alerts);
	if (rc == 0)
		rc = keyring_note(s->store, s->seal);
	if (rc == 0)
		rc = audit_start(s->audit, server_now_us());
	if (rc == 0)
		rc = record_life(s, "daemon.start");
	if (rc == 0)
		rc = set_back_check(s);
	if (rc == 0)
		rc = store_session_prune(s->store, s->boot_id);
	if (rc == 0)
		rc = store_seat_prune(s->store, s->boot_id, server_now_s());
	if (rc != 0)
		return rc;
	rc = server_load_policy(s, "start", &diag);
	if (rc != 0)
		diags_print(&diag, stderr);
	if (rc == POLICY_E_INVALID || rc == -ENOENT) {
		int refreshed = standing_refresh(s); /* locks hold without a policy */

		if (refreshed != 0)
			return refreshed;
	}
	return rc == POLICY_E_INVALID || rc == -ENOENT ? server_end_turn(s)
	       : rc != 0			       ? rc
						       : server_end_turn(s);
}

/* ---------------------------------------------------------------- loop */

static void on_end(evutil_socket_t sig, short what, void *arg)
{
	struct server *s = arg;

	(void)sig;
	(void)what;
	s->stop = true;
}

static void on_hup(evutil_socket_t sig, short what, void *arg)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int rc = server_reload(arg, "signal", false, &diag);

	(void)sig;
	(void)what;
	if (rc != 0)
		diags_print(&diag, stderr);
	if (rc < 0)
		server_turn_lost(arg, rc);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	int rc = clock_tick(s);

	(void)fd;
	(void)what;
	if (rc == 0)
		rc = server_trial_tick(s);
	if (rc == 0)
		rc = activate_tick(s);
	if (rc == 0)
		rc = standing_tick(s);
	if (rc == 0) /* first: a clock that jumped keeps the log from being dropped */
		rc = alerts_tick(s->alerts);
	if (rc == 0)
		rc = audit_tick(s->audit, server_now_us());
	if (rc == 0)
		rc = forget_tick(s);
	if (rc != 0)
		server_turn_lost(s, rc);
	else if (s->stats.n_commits == s->n_commits_ticked)
		store_idle(s->store); /* a second without a write */
	s->n_commits_ticked = s->stats.n_commits;
}

static int run_loop(struct server *s)
{
	struct timeval second = {.tv_sec = 1};
	struct event *evs[] = {
		evsignal_new(s->base, SIGTERM, on_end, s),
		evsignal_new(s->base, SIGINT, on_end, s),
		evsignal_new(s->base, SIGHUP, on_hup, s),
		event_new(s->base, -1, EV_PERSIST, on_tick, s),
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(evs); i++)
		if (!evs[i] || event_add(evs[i], i == 3 ? &second : NULL) != 0)
			rc = -ENOMEM;
	log_notice("rbacd %s ready: vm %s, key %s", VMSEC_VERSION, s->config->vm,
		   seal_key_id(s->seal));
	/* The loop is the group commit: handlers only queue; one flush a turn, then the
	 * replies leave. */
	while (rc == 0 && !s->stop) {
		if (event_base_loop(s->base, EVLOOP_ONCE) < 0)
			rc = -EIO;
		else
			rc = server_end_turn(s);
	}
	for (size_t i = 0; i < ARRAY_SIZE(evs); i++)
		if (evs[i])
			event_free(evs[i]);
	return rc == 0 && s->broken ? -ENOMEM : rc;
}

static void server_done(struct server *s)
{
	conn_table_free(s->conns);
	identity_free(s->identity);
	handle_table_free(s->handles);
	hook_process_free(s->hook);
	hook_process_free(s->notify);
	pending_table_free(s->pendings);
	worker_pool_free(s->passwords);
	mfa_free(s->mfa);
	alerts_free(s->alerts);
	metrics_free(s->metrics);
	audit_close(s->audit);
	signer_free(s->signer);
	store_close(s->store);
	anchor_close(s->anchor);
	seal_free(s->seal);
	seal_free(s->seal_before);
	standing_free(s->standing);
	activate_free(s);
	policy_unref(s->trial.before);
	policy_unref(s->policy);
	if (s->base)
		event_base_free(s->base);
	config_free(s->config);
}

static int serve(struct server *s, struct start *start, struct diags *diag)
{
	int rc = start_up(s, start, diag);

	s->started_s = server_now_s();
	s->started_ns = wire_now_ns();
	s->base = event_base_new();
	if (rc == 0 && !s->base)
		rc = -ENOMEM;
	if (rc == 0)
		rc = open_stages(s, start, diag);
	if (rc == 0)
		rc = give_up(s, diag);
	if (rc == 0)
		rc = first_records(s);
	if (rc == 0) {
		activation_ready(start->supervisor);
		rc = run_loop(s);
	}
	if (rc == 0 && record_life(s, "daemon.stop") == 0 && audit_stop(s->audit) == 0)
		rc = server_end_turn(s);
	return rc;
}

/* ---------------------------------------------------------------- options */

static int check_only(struct server *s, struct diags *diag)
{
	_cleanup_policy_ struct policy *policy = NULL;
	struct policy_host host = {.name = s->config->vm,
				   .labels = s->config->labels,
				   .n_labels = s->config->n_labels};
	int rc = policy_load(s->config->policy, &host, &policy, diag);

	if (config_print(s->config, stdout) != 0 || fflush(stdout) != 0)
		return -EIO;
	return rc;
}

struct options {
	const char *config, *key;
	bool check;
};

/* Return: -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"check", no_argument, NULL, 'k'},
					      {"help", no_argument, NULL, 'h'},
					      {"key", required_argument, NULL, 'K'},
					      {"version", no_argument, NULL, 'V'},
					      {0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (opt == 'c') {
			ret->config = optarg;
		} else if (opt == 'k') {
			ret->check = true;
		} else if (opt == 'K') {
			ret->key = optarg;
		} else if (opt == 'V') {
			(void)puts("rbacd " VMSEC_VERSION);
			return 0;
		} else {
			(void)fputs(usage, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? 0 : 2;
		}
	}
	if (optind == argc)
		return -1;
	(void)fprintf(stderr, "rbacd: unexpected argument '%s'\n%s", argv[optind],
		      usage);
	return 2;
}

/* A descriptor of ours under the number of a standard stream would get what is printed.
 */
static int fill_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -errno : close(fd);
}

int main(int argc, char **argv, char **envp)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_(start_done) struct start start = START_INIT;
	struct options opt = {.config = CONFIG_PATH};
	struct server server = {0};
	int rc = fill_standard_streams();

	if (rc != 0)
		return 1;
	rc = read_options(argc, argv, &opt);
	if (rc >= 0)
		return rc;
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	rc = config_load(opt.config, &server.config, &diag);
	if (rc == 0) {
		log_open("rbacd", server.config->log_to_syslog,
			 (enum log_level)server.config->log_level);
		start.key_file = opt.key ? opt.key : server.config->key_file;
		start.envp = envp;
		rc = opt.check ? check_only(&server, &diag)
			       : serve(&server, &start, &diag);
	}
	diags_print(&diag, stderr);
	server_done(&server);
	return rc == 0 ? 0 : 1;
}
