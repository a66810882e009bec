/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_import.c - import: files read as hostile, one call an entry, a line for each.
 *
 * The file's owner goes along with what is named after a person: rbacd takes it only
 * from that person or from root.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/text.h"
#include "rbacd/mfa/otpauth.h"
#include "rbacd/migrate/migrate.h"

#define SMALL_MAX (64 << 10) /* of one person */
#define BIG_MAX	  (64 << 20)

struct import {
	struct ctl *ctl;
	const char *from; /* "pam-oath" */
	const char *path;
	const char *owner; /* uid as text; NULL: not tied to a person */
	bool dry;
	struct out_set rows;
	unsigned n_good, n_bad;
};

struct file {
	char *text; /* owned; wiped */
	size_t len;
	uint32_t owner;
};

static void file_done(struct file *f)
{
	if (f->text)
		explicit_bzero(f->text, f->len);
	free(f->text);
}

/* ---------------------------------------------------------------- reading */

static const char *read_all(int fd, size_t max, struct file *ret)
{
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return errno == ELOOP ? "it is a symbolic link" : strerror(errno);
	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "it is no regular file";
	if ((st.st_mode & 0022) != 0)
		return "others than its owner may write it";
	if (st.st_size <= 0 || st.st_size > (off_t)max)
		return st.st_size <= 0 ? "it is empty" : "it is too large";
	ret->text = malloc((size_t)st.st_size);
	if (!ret->text)
		return "out of memory";
	while (ret->len < (size_t)st.st_size) {
		n = read(fd, ret->text + ret->len, (size_t)st.st_size - ret->len);
		if (n <= 0)
			return n < 0 ? strerror(errno) : "it changed while it was read";
		ret->len += (size_t)n;
	}
	ret->owner = st.st_uid;
	return NULL;
}

/* NULL, or why not. */
static const char *read_file(const char *path, size_t max, struct file *ret)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return read_all(fd, max, ret);
}

/* ---------------------------------------------------------------- one entry */

static int tell(struct import *im, const struct migrate_entry *e, bool good,
		const char *what)
{
	struct out_row *row = out_add_row(&im->rows, "import");
	const char *login = e->login[0] ? e->login : "?";

	im->n_good += good;
	im->n_bad += !good;
	if (!row || out_add_text(row, "file", im->path, strlen(im->path)) != 0 ||
	    out_add_number(row, "line", WIRE_CELL_INT, e->line) != 0 ||
	    out_add_text(row, "user", login, strlen(login)) != 0 ||
	    out_add_text(row, "taken", good ? "yes" : "no", good ? 3 : 2) != 0 ||
	    out_add_text(row, "result", what, strlen(what)) != 0)
		return ctl_fail(im->ctl, CTL_NO, "out of memory.");
	return 0;
}

static void put_codes(const struct migrate_entry *e, char *buf)
{
	for (size_t i = 0; i < e->n_codes; i++) {
		memcpy(buf, e->codes[i], 8);
		buf += 8;
		*buf++ = ',';
	}
	*buf = '\0';
}

static int make_call(struct import *im, const struct migrate_entry *e,
		     struct wire_call *call)
{
	struct store_factor f = {.kind = e->kind,
				 .hash = e->hash,
				 .digits = e->digits,
				 .period_s = e->period_s,
				 .last_step = e->last_step};
	char uri[OTPAUTH_MAX], codes[MIGRATE_CODES_MAX * 9 + 1], skew[16];
	int r = otpauth_uri(&f, e->login, "import", &e->seed, uri);

	if (r != 0)
		return r;
	put_codes(e, codes);
	(void)snprintf(skew, sizeof(skew), "%d", e->skew + MIGRATE_SKEW_MAX);
	ctl_call_init(call, "import");
	ctl_call_add(call, "user", e->login);
	ctl_call_add(call, "uri", uri);
	ctl_call_add(call, "codes", codes);
	ctl_call_add(call, "skew", skew);
	ctl_call_add(call, "from", im->from);
	ctl_call_add(call, "owner", im->owner);
	ctl_call_add(call, "dry-run", im->dry ? "1" : NULL);
	explicit_bzero(uri, sizeof(uri));
	explicit_bzero(codes, sizeof(codes));
	return 0;
}

static void wipe_call(struct wire_call *call)
{
	explicit_bzero(call, sizeof(*call));
}

static int each(const struct migrate_entry *e, void *arg)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	_cleanup_(wipe_call) struct wire_call call = {.n_args = 0};
	struct import *im = arg;
	int r;

	if (e->skip || !e->login[0])
		return tell(im, e, false, e->skip ? e->skip : "nobody is named");
	if (make_call(im, e, &call) != 0)
		return tell(im, e, false, "the secret is too long");
	r = ctl_call(im->ctl, CTL_ADMIN, &call, &answer);
	return r != 0 ? r : tell(im, e, answer.code == CTL_OK, answer.message);
}

/* ---------------------------------------------------------------- the end */

static int finish(struct import *im, int r)
{
	struct ctl *ctl = im->ctl;
	const struct out_table *t = out_find(&im->rows, "import");

	if (ctl->json)
		out_json_set(&im->rows, "import", ctl->out);
	else if (ctl->csv)
		out_print_csv(t, ctl->out);
	else if (t)
		out_print_table(t, ctl->out);
	if (!ctl->json && !ctl->csv && r == 0)
		(void)fprintf(ctl->out, "%u %s, %u left out.\n", im->n_good,
			      im->dry ? "would be imported" : "imported", im->n_bad);
	out_set_done(&im->rows);
	if (r != 0)
		return r;
	return im->n_bad > 0 || im->n_good == 0 ? CTL_NO : CTL_OK;
}

typedef int parse_fn(const char *text, size_t len, migrate_fn *fn, void *arg);

/* One file of many people: root's own business, or somebody else could add to it. */
static int import_list(struct ctl *ctl, const struct ctl_args *args, const char *from,
		       parse_fn *parse)
{
	struct import im = {.ctl = ctl,
			    .from = from,
			    .path = args->pos[0],
			    .dry = ctl_arg(args, "dry-run") != NULL};
	_cleanup_(file_done) struct file f = {0};
	const char *why = read_file(im.path, BIG_MAX, &f);
	int r;

	if (!why && f.owner != 0 && f.owner != geteuid())
		why = "it belongs neither to root nor to you";
	if (why)
		return ctl_fail(ctl, CTL_NO, "%s: %s.", im.path, why);
	r = parse(f.text, f.len, each, &im);
	if (r < 0)
		r = ctl_fail(ctl, CTL_NO, "%s: %s.", im.path,
			     r == -E2BIG ? "too many entries" : strerror(-r));
	return finish(&im, r);
}

int cmd_import_pam_oath(struct ctl *ctl, const struct ctl_args *args)
{
	return import_list(ctl, args, "pam-oath", migrate_pam_oath);
}

int cmd_import_oath_ldap(struct ctl *ctl, const struct ctl_args *args)
{
	return import_list(ctl, args, "oath-ldap", migrate_oath_ldif);
}

int cmd_import_otpauth(struct ctl *ctl, const struct ctl_args *args)
{
	return import_list(ctl, args, "otpauth", migrate_otpauth);
}

/* ---------------------------------------------------------------- one's own file */

/* /home/alice/.google_authenticator: the folder's name; else the file's own. */
static bool login_of(const char *path, char *buf, size_t cap)
{
	const char *base = strrchr(path, '/');
	const char *from = base ? base + 1 : path, *end = path + strlen(path);

	if (str_eq(from, ".google_authenticator")) {
		end = base;
		for (from = base; from && from > path && from[-1] != '/';)
			from--;
	}
	if (!from || !end || end <= from || (size_t)(end - from) >= cap)
		return false;
	memcpy(buf, from, (size_t)(end - from));
	buf[end - from] = '\0';
	return true;
}

static int import_google(struct import *im, const char *path, const char *user)
{
	_cleanup_(file_done) struct file f = {0};
	struct migrate_entry e = {.line = 1};
	char owner[16], login[STORE_LOGIN_MAX + 1] = "";
	const char *why = read_file(path, SMALL_MAX, &f);
	int r;

	im->path = path;
	if (!why)
		migrate_google(f.text, f.len, &e);
	else
		e.skip = why;
	if (user)
		(void)snprintf(login, sizeof(login), "%s", user);
	if (!e.skip && !user && !login_of(path, login, sizeof(login)))
		e.skip = "the path names nobody: say --user LOGIN";
	(void)snprintf(e.login, sizeof(e.login), "%s", login);
	(void)snprintf(owner, sizeof(owner), "%" PRIu32, f.owner);
	im->owner = owner;
	r = each(&e, im);
	im->owner = NULL;
	explicit_bzero(&e, sizeof(e));
	return r;
}

int cmd_import_google(struct ctl *ctl, const struct ctl_args *args)
{
	struct import im = {.ctl = ctl,
			    .from = "google-authenticator",
			    .dry = ctl_arg(args, "dry-run") != NULL};
	const char *user = ctl_arg(args, "user");
	int r = 0;

	if (user && (args->n_pos != 1 || strlen(user) > STORE_LOGIN_MAX))
		return ctl_fail(ctl, CTL_USAGE, "--user names whose one file it is.");
	for (size_t i = 0; r == 0 && i < args->n_pos; i++)
		r = import_google(&im, args->pos[i], user);
	return finish(&im, r);
}
