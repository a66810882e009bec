/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_report.c - report NAME, report pack, report snapshot. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "rbacd/audit/note.h"
#include "rbacd/ctl/report_source.h"
#include "rbacd/ctl/target.h"
#include "rbacd/ctl/text.h"
#include "rbacd/report/pack.h"

/* ---------------------------------------------------------------- one report */

static int read_threshold(struct ctl *ctl, const struct ctl_args *args,
			  enum report_severity *ret)
{
	const char *text = ctl_arg(args, "threshold");

	*ret = text ? report_severity_find(text) : REPORT_MEDIUM;
	return *ret ? 0 : ctl_fail(ctl, CTL_USAGE, "--threshold: unknown severity.");
}

static struct report_input input_of(const struct report_source *src,
				    const struct ctl_args *args)
{
	return (struct report_input){
		.state = &src->now,
		.before = src->has_before ? &src->before : NULL,
		.activity = &src->activity,
		.log = &src->log,
		.user = ctl_arg(args, "user"),
		.vm = ctl_arg(args, "vm"),
		.role = ctl_arg(args, "role"),
		.framework = ctl_arg(args, "framework"),
		.command = src->command,
	};
}

/* CSV holds rows alone: what they are and what is missing is told beside it. */
static int write_csv(struct ctl *ctl, const struct ctl_args *args,
		     const struct report *r, const struct report_frame *frame,
		     FILE *out)
{
	const char *table = ctl_arg(args, "table");
	char buf[REPORT_RESULT_MAX];
	int rc = report_write_csv(r, table, out);

	if (rc == -ENOENT && table)
		return ctl_fail(ctl, CTL_USAGE, "report %s has no table %s.", r->id,
				table);
	(void)fprintf(ctl->err, "%s\n", report_result(r, frame, buf));
	for (const struct report_line *l = r->provenance.first; l; l = l->next) {
		(void)fputs(l->name, ctl->err); /* nowhere to report a broken stderr */
		text_line(": ", l->text, ctl->err);
	}
	for (const struct report_line *l = r->filters.first; l; l = l->next)
		text_line("only: ", l->text, ctl->err);
	for (const struct report_line *l = r->missing.first; l; l = l->next)
		text_line("incomplete: ", l->text, ctl->err);
	for (const struct report_line *l = r->broken.first; l; l = l->next)
		text_line("damaged: ", l->text, ctl->err);
	return rc;
}

static int write_report(struct ctl *ctl, const struct ctl_args *args,
			const struct report *r, const struct report_frame *frame)
{
	struct target t;
	int rc = target_open(ctl, ctl_arg(args, "output"), &t);

	if (rc != 0)
		return rc;
	if (ctl->json)
		report_write_json(r, frame, t.out);
	else if (ctl->csv)
		rc = write_csv(ctl, args, r, frame, t.out);
	else if (ctl_arg(args, "html"))
		rc = report_write_html(r, frame, t.out);
	else
		rc = report_write_text(r, frame, t.out);
	if (rc < 0)
		rc = ctl_fail(ctl, CTL_NO, "the report could not be written: %s.",
			      strerror(-rc));
	return target_close(&t, rc != 0 ? rc : (int)frame->exit, rc == 0);
}

static int make_report(struct ctl *ctl, const struct ctl_args *args,
		       const struct report_source *src, enum report_severity threshold)
{
	const struct report_kind_of *kind = report_kind_find(ctl_leaf(args)->name);
	struct report_input in = input_of(src, args);
	_cleanup_report_ struct report r = {0};
	struct report_frame frame;
	int rc;

	in.stream = ctl->csv && !ctl_arg(args, "table");
	report_progress(ctl, "report %s", kind->name);
	rc = report_make(kind, &in, &r);
	if (rc == 0)
		rc = report_frame(&r, threshold, &frame);
	report_progress(ctl, "%s", "");
	if (rc == -ENOENT)
		return ctl_fail(ctl, CTL_USAGE,
				"nobody, no VM or no framework is called so.");
	if (rc != 0)
		return ctl_fail(ctl, CTL_NO, "the report could not be made: %s.",
				strerror(-rc));
	return write_report(ctl, args, &r, &frame);
}

/* A filter that a report would ignore would make it claim what it does not show. */
static int check_filters(struct ctl *ctl, const struct ctl_args *args)
{
	static const char *const filters[] = {"user", "vm", "role"}; /* report_narrow */
	const struct report_kind_of *kind = report_kind_find(ctl_leaf(args)->name);

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (ctl_arg(args, filters[i]) && !(kind->narrow & 1u << i))
			return ctl_fail(ctl, CTL_USAGE,
					"report %s is about everything: --%s cannot "
					"narrow it.",
					kind->name, filters[i]);
	return 0;
}

int cmd_report(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_source_ struct report_source src = {0};
	enum report_severity threshold;
	int r = read_threshold(ctl, args, &threshold);

	if (r == 0 && ctl_arg(args, "html") && (ctl->json || ctl->csv))
		r = ctl_fail(ctl, CTL_USAGE, "one format at a time.");
	if (r == 0 && ctl_arg(args, "table") && !ctl->csv)
		r = ctl_fail(ctl, CTL_USAGE, "--table goes with --csv.");
	if (r == 0)
		r = check_filters(ctl, args);
	if (r == 0)
		r = report_source_open(ctl, args, &src);
	return r != 0 ? r : make_report(ctl, args, &src, threshold);
}

/* ---------------------------------------------------------------- pack */

/* A note over the manifest, under a name of its own: it is no checkpoint of the log. */
static int sign(void *arg, const uint8_t sha256[32], size_t n_files, FILE *out)
{
	struct checkpoint cp = {.size = n_files};
	char note[NOTE_MAX];
	size_t len;
	int r;

	memcpy(cp.root, sha256, sizeof(cp.root));
	r = note_sign(arg, &cp, note, &len);
	if (r == 0)
		(void)fwrite(note, 1, len, out); /* the pack's writer checks */
	return r;
}

/* NULL: there is no key, or it is not ours to read; the pack says so. */
static struct signer *open_signer(struct ctl *ctl)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const struct config_audit *a = &ctl->config->audit;
	struct signer *signer = NULL;
	char origin[NOTE_ORIGIN_MAX + 1];

	if ((size_t)snprintf(origin, sizeof(origin), "%s/pack", a->origin) >=
		    sizeof(origin) ||
	    signer_open(a->key, false, origin, &signer, &diag) != 0)
		return NULL;
	return signer;
}

static void signer_freep(struct signer **signer)
{
	signer_free(*signer);
}

static void step(const char *what, void *arg)
{
	report_progress(arg, "report %s", what);
}

static void show_pack(struct ctl *ctl, const char *folder, const struct signer *signer,
		      int code)
{
	if (ctl->json) {
		(void)fputs("{\"folder\": ", ctl->out);
		text_json(folder, strlen(folder), ctl->out);
		(void)fprintf(ctl->out, ", \"vkey\": %s%s%s, \"exit\": %d}\n",
			      signer ? "\"" : "", signer ? signer_vkey(signer) : "null",
			      signer ? "\"" : "", code);
		return;
	}
	(void)fprintf(ctl->out, "%s/index.html\n", folder);
	if (signer)
		(void)fprintf(ctl->out, "signed, to be checked with %s\n",
			      signer_vkey(signer));
}

int cmd_report_pack(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_source_ struct report_source src = {0};
	_cleanup_(signer_freep) struct signer *signer = NULL;
	struct pack_input in = {.step = step, .step_arg = ctl};
	enum report_exit worst;
	int r = read_threshold(ctl, args, &in.threshold);

	if (r == 0)
		r = report_source_open(ctl, args, &src);
	if (r != 0)
		return r;
	in.in = input_of(&src, args);
	in.store = src.store;
	signer = open_signer(ctl);
	in.sign = signer ? sign : NULL;
	in.sign_arg = signer;
	r = pack_write(&in, args->pos[0], &worst);
	report_progress(ctl, "%s", "");
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "the pack %s is not complete: %s.",
				args->pos[0], strerror(-r));
	show_pack(ctl, args->pos[0], signer, (int)worst);
	return (int)worst;
}

/* ---------------------------------------------------------------- snapshot */

/* rbacd may rename what is in its folder, but not make us write elsewhere. */
static int open_folder(struct ctl *ctl)
{
	char path[4096];
	struct stat sb;
	int fd;

	report_folder(ctl, path, sizeof(path));
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &sb) != 0 || sb.st_uid != geteuid() || (sb.st_mode & 022) != 0) {
		(void)close(fd); /* nothing was written */
		return -EPERM;
	}
	return fd;
}

static int write_all(int dir, const char *name, const char *bytes, size_t len)
{
	_cleanup_close_ int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		       0600);

	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, bytes + at, len - at);

		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return fsync(fd) == 0 && fsync(dir) == 0 ? 0 : -errno;
}

/* rbacd puts the hash into the log; without that the file proves nothing. */
static int record(struct ctl *ctl, const char *name, const char *sha256)
{
	struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	int r;

	ctl_call_init(&call, "report-snapshot");
	ctl_call_add(&call, "name", name);
	ctl_call_add(&call, "sha256", sha256);
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r == 0 && answer.code != CTL_OK) {
		ctl_show_message(ctl, &answer);
		r = answer.code;
	}
	ctl_answer_done(&answer);
	return r;
}

/* It has its name when it is whole and recorded: a report that found half a snapshot,
 * or one that the log does not know, would refuse all there are. */
static int keep(struct ctl *ctl, const char *name, const char *bytes, size_t len)
{
	_cleanup_close_ int dir = open_folder(ctl);
	char sha256[65], part[80];
	int r = dir < 0 ? dir : state_sha256(bytes, len, sha256), told = 0;

	(void)snprintf(part, sizeof(part), "%s.part", name); /* fits */
	if (r == 0)
		r = write_all(dir, part, bytes, len);
	if (r == 0)
		told = record(ctl, name, sha256);
	if (r == 0 && told == 0)
		r = renameat(dir, part, dir, name) == 0 && fsync(dir) == 0 ? 0 : -errno;
	if ((r != 0 && r != -EEXIST) || told != 0)
		(void)unlinkat(dir, part, 0); /* if it was made; half helps nobody */
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "the snapshot could not be kept: %s.",
				strerror(-r));
	if (told != 0)
		return told;
	return ctl_done(ctl, "%s  %s", sha256, name);
}

int cmd_report_snapshot(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_free_ char *bytes = NULL;
	struct store *store = NULL;
	time_t now = time(NULL);
	char name[64];
	struct tm tm;
	size_t len;
	int r = ctl_need_config(ctl);

	if (r == 0)
		r = report_store(ctl, &store);
	if (r == 0)
		r = report_snapshot(ctl, args, store, (int64_t)now, &bytes, &len);
	store_close(store);
	if (r != 0)
		return r;
	if (!gmtime_r(&now, &tm) ||
	    strftime(name, sizeof(name), "%Y-%m-%dT%H%M%SZ.vmsec", &tm) == 0)
		return ctl_fail(ctl, CTL_NO, "the clock shows no usable time.");
	return keep(ctl, name, bytes, len);
}
