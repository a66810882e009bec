/* SPDX-License-Identifier: Apache-2.0 */
/* report_source.c - snapshots and log for the reports. */
#include "rbacd/ctl/report_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <time.h>

#include "rbacd/audit/audit.h"
#include "rbacd/audit/note.h"
#include "rbacd/ctl/text.h"
#include "rbacd/keys/keyring.h"

#define DAY_S	    86400
#define PERIOD_DAYS 90

void report_progress(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	if (ctl->err != stderr || isatty(STDERR_FILENO) != 1)
		return;
	(void)fputs("\r\033[K", ctl->err);
	va_start(ap, fmt);
	(void)vfprintf(ctl->err, fmt, ap);
	va_end(ap);
	(void)fflush(ctl->err); /* only a sign of life */
}

const char *report_folder(const struct ctl *ctl, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%s/snapshots", ctl->config->state_dir);
	return buf;
}

int report_store(struct ctl *ctl, struct store **ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct store_options opt = {.read_only = true};
	char path[4096];
	int r;

	opt.path = config_db_path(ctl->config, path, sizeof(path));
	r = store_open(&opt, ret, &diag);
	if (r == 0)
		return 0;
	diags_print(&diag, ctl->err);
	return ctl_fail(ctl, r == STORE_E_CORRUPT ? CTL_INTEGRITY : CTL_NO,
			"the database %s could not be opened%s.", path,
			r == -EACCES ? ": run me as root" : "");
}

/* ---------------------------------------------------------------- snapshots */

static int load_policy(struct ctl *ctl, const struct policy_host *host,
		       struct policy **ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int r = policy_load(ctl->config->policy, host, ret, &diag);

	if (r == 0)
		return 0;
	diags_print(&diag, ctl->err);
	return ctl_fail(ctl, CTL_NO, "the policy %s could not be loaded.",
			ctl->config->policy);
}

static const char *text_or_none(const char *text)
{
	return text ? text : "-";
}

/* Appends to a text of @cap bytes; cut, it still says which. */
_printf_(3, 4) static void add_text(char *buf, size_t cap, const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf + n, cap - n, fmt, ap);
	va_end(ap);
}

/* Servers, bases and filters, or the file: what "all people" was taken from. */
static void describe_directory(const struct config *c, const char *people, char *buf,
			       size_t cap)
{
	if (people)
		add_text(buf, cap, "file %s", people);
	else if (c->source == CONFIG_SOURCE_FILE)
		add_text(buf, cap, "file %s", c->people);
	else if (c->source == CONFIG_SOURCE_NSS)
		add_text(buf, cap, "this system's accounts");
	for (size_t i = 0;
	     !people && c->source == CONFIG_SOURCE_LDAP && i < c->ldap.n_uris; i++)
		add_text(buf, cap, "%s ", c->ldap.uris[i]);
	if (!people && c->source == CONFIG_SOURCE_LDAP)
		add_text(buf, cap, "schema %s; people: %s %s; groups: %s %s",
			 text_or_none(c->ldap.schema), text_or_none(c->ldap.users_base),
			 text_or_none(c->ldap.users_filter),
			 text_or_none(c->ldap.groups_base),
			 text_or_none(c->ldap.groups_filter));
}

int report_snapshot(struct ctl *ctl, const struct ctl_args *args, struct store *store,
		    int64_t now_s, char **ret, size_t *ret_len)
{
	_cleanup_population_ struct population pop = POPULATION_INIT;
	_cleanup_policy_ struct policy *policy = NULL;
	const struct policy_host host = {.name = ctl->config->vm,
					 .labels = ctl->config->labels,
					 .n_labels = ctl->config->n_labels};
	struct state_input in = {.host = &host,
				 .pop = &pop,
				 .store = store,
				 .now_s = now_s};
	char from[STATE_FROM_MAX + 1] = "";
	int r = load_policy(ctl, &host, &policy);

	if (r == 0)
		r = population_open(ctl, args, (const struct policy *const *)&policy, 1,
				    &pop);
	if (r != 0)
		return r;
	in.policy = policy;
	in.from = from;
	describe_directory(ctl->config, ctl_arg(args, "people"), from, sizeof(from));
	r = state_make(&in, ret, ret_len);
	return r == 0 ? 0
		      : ctl_fail(ctl, r == STORE_E_CORRUPT ? CTL_INTEGRITY : CTL_NO,
				 "the state could not be read: error %d.", r);
}

static int read_state(struct ctl *ctl, const char *path, struct state *ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int r = state_open(path, ret, &diag);

	if (r == 0)
		return 0;
	diags_print(&diag, ctl->err);
	return ctl_fail(ctl, r == STATE_E_INVALID ? CTL_INTEGRITY : CTL_NO,
			"the snapshot %s could not be read%s%s.", path,
			r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
}

/* "2026-11-21T050000Z.vmsec": the newest whose time is at or before @at_s. Return: 0;
 * -ENOENT: none was kept; negative errno. */
static int find_snapshot(struct ctl *ctl, int64_t at_s, char *ret, size_t cap)
{
	char folder[4096], limit[TEXT_TIME_MAX], best[sizeof(limit) + 6] = "";
	struct dirent *e;
	struct tm tm;
	time_t at = (time_t)at_s;
	DIR *dir = opendir(report_folder(ctl, folder, sizeof(folder)));
	int r;

	if (!dir)
		return -errno;
	if (!gmtime_r(&at, &tm) ||
	    strftime(limit, sizeof(limit), "%Y-%m-%dT%H%M%SZ", &tm) == 0)
		limit[0] = '\0';
	errno = 0;
	/* cppcheck-suppress readdirCalled ; one thread */
	while ((e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);

		/* Names of one length and form: their order is that of time. */
		if (len == strlen(limit) + 6 && str_eq(e->d_name + len - 6, ".vmsec") &&
		    memcmp(e->d_name, limit, strlen(limit)) <= 0 &&
		    strcmp(e->d_name, best) > 0)
			memcpy(best, e->d_name, len + 1);
	}
	r = -errno;
	(void)closedir(dir); /* read only */
	if (r != 0 || !*best)
		return r != 0 ? r : -ENOENT;
	return (size_t)snprintf(ret, cap, "%s/%s", folder, best) < cap ? 0
								       : -ENAMETOOLONG;
}

static int tell_unread(struct ctl *ctl, int error)
{
	char folder[4096];

	return ctl_fail(ctl, CTL_NO, "the snapshots in %s could not be read: %s.",
			report_folder(ctl, folder, sizeof(folder)), strerror(-error));
}

struct hash_search {
	const char *sha256;
	uint64_t seq;
};

static int match_hash(const struct audit_view *v, void *arg)
{
	struct hash_search *s = arg;

	if (audit_is(v, AUDIT_EV, "report.snapshot") &&
	    audit_is(v, AUDIT_AFTER_SHA, s->sha256))
		s->seq = v->seq;
	return 0;
}

/* A kept snapshot counts only if the log has its hash. */
static int check_recorded(struct report_source *src, const struct state *st)
{
	struct hash_search s = {.sha256 = st->sha256};
	struct audit_coverage cov = {0};
	char text[TEXT_TIME_MAX];
	int r = audit_reader_period(src->reader, (st->as_of_s - 3600) * 1000000,
				    (st->as_of_s + DAY_S) * 1000000, match_hash, &s,
				    &cov);

	if (r < 0 || r == STORE_E_CORRUPT)
		return ctl_fail(src->ctl, CTL_INTEGRITY, "the log could not be read.");
	if (s.seq == 0)
		return ctl_fail(
			src->ctl, CTL_INTEGRITY,
			"the log has no record of the snapshot of %s: it is not "
			"the one that was taken.",
			text_time(st->as_of_s, text));
	return 0;
}

static int open_now(struct report_source *src, const struct ctl_args *args)
{
	const char *as_of = ctl_arg(args, "as-of");
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct ctl *ctl = src->ctl;
	char path[4352], *bytes = NULL;
	size_t len = 0;
	int64_t at_s;
	int r;

	if (!as_of) {
		r = report_snapshot(ctl, args, src->store, src->now_s, &bytes, &len);
		if (r != 0)
			return r;
		r = state_read("the state", bytes, len, &src->now, &diag);
		diags_print(&diag, ctl->err);
		return r == 0 ? 0
			      : ctl_fail(ctl, CTL_NO,
					 "the state is not sound: error %d.", r);
	}
	if (strchr(as_of, '/')) {
		(void)snprintf(path, sizeof(path), "%s", as_of);
	} else if (text_parse_time(as_of, src->now_s, &at_s) != 0) {
		return ctl_fail(
			ctl, CTL_USAGE,
			"--as-of needs a time, or the path of a snapshot with a "
			"slash in it.");
	} else {
		r = find_snapshot(ctl, at_s, path, sizeof(path));
		if (r == -ENOENT)
			return ctl_fail(
				ctl, CTL_NO,
				"no snapshot was kept at or before %s. Keep one daily: "
				"rbacctl report snapshot",
				as_of);
		if (r != 0)
			return tell_unread(ctl, r);
	}
	r = read_state(ctl, path, &src->now);
	return r != 0 ? r : check_recorded(src, &src->now);
}

static int open_before(struct report_source *src, const struct ctl_args *args)
{
	const char *given = ctl_arg(args, "before");
	char path[4352];
	int r = 0;

	if (given)
		(void)snprintf(path, sizeof(path), "%s", given);
	else
		r = find_snapshot(src->ctl, src->since_s, path, sizeof(path));
	if (r != 0)
		return r == -ENOENT ? 0 : tell_unread(src->ctl, r);
	r = read_state(src->ctl, path, &src->before);
	if (r == 0)
		r = check_recorded(src, &src->before);
	src->has_before = r == 0;
	return r;
}

/* ---------------------------------------------------------------- the log */

static int read_time(struct ctl *ctl, const char *name, const char *text, int64_t now_s,
		     int64_t *ret)
{
	if (text_parse_time(text, now_s, ret) == 0)
		return 0;
	return ctl_fail(
		ctl, CTL_USAGE,
		"--%s %s is neither a date like 2026-11-21 nor a time back like "
		"30d.",
		name, text);
}

/* Both ends; what is not given ends with the snapshot and is 90 days long. */
static int read_period(struct report_source *src, const struct ctl_args *args)
{
	const char *since = ctl_arg(args, "since"), *until = ctl_arg(args, "until");
	int r = 0;

	src->until_s = src->now.as_of_s;
	if (until)
		r = read_time(src->ctl, "until", until, src->now_s, &src->until_s);
	src->since_s = src->until_s - PERIOD_DAYS * DAY_S;
	if (r == 0 && since)
		r = read_time(src->ctl, "since", since, src->now_s, &src->since_s);
	if (r == 0 && src->since_s >= src->until_s)
		r = ctl_fail(src->ctl, CTL_USAGE, "the period ends before it begins.");
	return r;
}

#define TICK 16384 /* records from one sign of life to the next */

struct pass {
	struct report_source *src;
	uint64_t n;
};

static int see_record(const struct audit_view *v, void *arg)
{
	struct pass *pass = arg;

	if (++pass->n % TICK == 0)
		report_progress(pass->src->ctl, "reading the log: %" PRIu64 " records",
				pass->n);
	return activity_see(&pass->src->activity, v);
}

/* Without a key the log can be read, not proven, and the report says so. Any other
 * trouble with one is no reason to prove less. */
static bool is_keyless(int error)
{
	return error == -ENOENT || error == -EACCES || error == -ENOKEY;
}

/*
 * The whole log is checked, and its period counted on the way: one pass reads it.
 * Return: 0; enum ctl_exit, told. Where it is not whole, what was counted has to be
 * counted again, as far as it can be read.
 */
static int check_log(struct report_source *src)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const struct config_audit *a = &src->ctl->config->audit;
	struct pass pass = {.src = src};
	struct audit_verify_options opt = {.store = src->store,
					   .dir = a->dir,
					   .now_us = (int64_t)time(NULL) * 1000000,
					   .each = see_record,
					   .each_arg = &pass};
	struct signer *signer = NULL;
	struct audit_verify v = {0};
	struct seal *seal = NULL;
	int r = signer_open(a->key, false, a->origin, &signer, &diag);

	if (r == 0)
		opt.vkey = signer_vkey(signer);
	if (r == 0 || is_keyless(r))
		r = keyring_seal(src->ctl->config->key_file, ctl_rbacd_uid(src->ctl),
				 src->store, &seal, &diag);
	opt.seal = seal;
	src->log.known = true;
	src->log.checked = r == 0;
	if (r == 0)
		r = audit_verify_log(&opt, &v);
	src->log.whole = src->log.checked && r == 0;
	seal_free(seal);
	signer_free(signer);
	if (src->log.checked ? r < 0 : !is_keyless(r)) {
		diags_print(&diag, src->ctl->err);
		return ctl_fail(src->ctl, r > 0 ? CTL_INTEGRITY : CTL_NO,
				"the log could not be checked: error %d.", r);
	}
	src->log.n_records = v.n_records;
	src->log.bad_seq = v.bad_seq;
	(void)snprintf(src->log.why, sizeof(src->log.why), "%s", v.why);
	return 0;
}

static int read_log(struct report_source *src, const struct ctl_args *args)
{
	const struct report_kind_of *kind = report_kind_find(ctl_leaf(args)->name);
	struct activity_scope scope = {.since_s = src->since_s,
				       .until_s = src->until_s,
				       .events_s = src->before.as_of_s};
	int r, told;

	if (kind && kind->counts) {
		scope.user = ctl_arg(args, "user");
		scope.vm = ctl_arg(args, "vm");
	}
	r = activity_init(&src->activity, &scope);
	told = r == 0 ? check_log(src) : 0;
	if (told != 0)
		return told;
	if (r == 0 && !src->log.whole) {
		activity_done(&src->activity);
		r = activity_read(src->reader, &scope, &src->activity);
	}
	if (r == -EINVAL)
		return ctl_fail(src->ctl, CTL_USAGE, "the period is too long.");
	if (r == STORE_E_CORRUPT)
		return ctl_fail(src->ctl, CTL_INTEGRITY,
				"the log is damaged. Run: rbacctl audit verify");
	if (r != 0)
		return ctl_fail(src->ctl, CTL_NO,
				"the log could not be read: error %d.", r);
	activity_end(&src->activity, src->now.as_of_s);
	return 0;
}

/* The command with its times spelled out: given again later it means the same. */
static void describe(struct report_source *src, const struct ctl_args *args)
{
	static const char *const options[] = {"user", "vm", "role", "framework"};
	char since[TEXT_TIME_MAX], until[TEXT_TIME_MAX], as_of[TEXT_TIME_MAX];

	add_text(src->command, sizeof(src->command),
		 "rbacctl report %s --as-of %s --since %s --until %s",
		 ctl_leaf(args)->name, text_time(src->now.as_of_s, as_of),
		 text_time(src->since_s, since), text_time(src->until_s, until));
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (ctl_arg(args, options[i]))
			add_text(src->command, sizeof(src->command), " --%s %s",
				 options[i], ctl_arg(args, options[i]));
}

int report_source_open(struct ctl *ctl, const struct ctl_args *args,
		       struct report_source *ret)
{
	int r;

	*ret = (struct report_source){.ctl = ctl, .now_s = (int64_t)time(NULL)};
	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	r = report_store(ctl, &ret->store);
	if (r == 0 &&
	    audit_reader_open(ret->store, ctl->config->audit.dir, &ret->reader) != 0)
		r = ctl_fail(ctl, CTL_NO, "the log could not be opened.");
	if (r == 0)
		r = open_now(ret, args);
	if (r == 0)
		r = read_period(ret, args);
	if (r == 0)
		r = open_before(ret, args);
	if (r == 0)
		r = read_log(ret, args);
	if (r == 0)
		describe(ret, args);
	report_progress(ctl, "%s", "");
	return r;
}

void report_source_done(struct report_source *src)
{
	activity_done(&src->activity);
	state_done(&src->now);
	state_done(&src->before);
	audit_reader_close(src->reader);
	store_close(src->store);
}
