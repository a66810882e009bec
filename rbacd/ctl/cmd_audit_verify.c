/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit_verify.c - audit verify, proof, check-proof, key, segments. */

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "rbacd/audit/note.h"
#include "rbacd/audit/segment.h"
#include "rbacd/ctl/log_files.h"
#include "rbacd/ctl/text.h"

#define PROOF_MAX (64u << 10)

/* ---------------------------------------------------------------- verify */

static void hex(const uint8_t *p, size_t len, char *ret)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", p[i]); /* always fits */
}

static void show_json(struct ctl *ctl, const struct audit_verify *v, bool whole,
		      const char *head, const char *root)
{
	(void)fprintf(ctl->out,
		      "{\"whole\": %s, \"records\": %" PRIu64 ", \"first\": %" PRIu64
		      ", \"last\": %" PRIu64 ", \"checkpoints\": %" PRIu64
		      ", \"signed\": %" PRIu64 ", \"bad_seq\": %" PRIu64 ", \"why\": ",
		      whole ? "true" : "false", v->n_records, v->first_seq, v->last_seq,
		      v->n_checkpoints, v->signed_seq, v->bad_seq);
	text_json(v->why, strlen(v->why), ctl->out);
	(void)fprintf(ctl->out, ", \"head\": \"%s\", \"root\": \"%s\"}\n", head, root);
}

static void show_verify(struct ctl *ctl, const struct audit_verify *v, bool whole)
{
	char head[65], root[65];

	hex(v->head, sizeof(v->head), head);
	hex(v->root, sizeof(v->root), root);
	if (ctl->json) {
		show_json(ctl, v, whole, head, root);
	} else if (whole) {
		(void)fprintf(ctl->out,
			      "OK: %" PRIu64 " records (%" PRIu64 " to %" PRIu64
			      "), head %s\n%" PRIu64
			      " checkpoints, signed to record %" PRIu64 ", root %s\n",
			      v->n_records, v->first_seq, v->last_seq, head,
			      v->n_checkpoints, v->signed_seq, root);
	} else {
		(void)fprintf(ctl->out, "%sDAMAGED%s at record %" PRIu64 ": ",
			      ctl_red(ctl), ctl_plain(ctl), v->bad_seq);
		(void)text_print(v->why, strlen(v->why), ctl->out);
		(void)fprintf(ctl->out, "\n%" PRIu64 " records were read before it.\n",
			      v->n_records);
	}
}

/* A key that was noted elsewhere says more than the one that lies beside the log. */
static int use_vkey(struct ctl *ctl, const char *vkey, struct log_files *log)
{
	struct verifier v;

	if (!vkey)
		return 0;
	if (verifier_parse(vkey, &v) != 0)
		return ctl_fail(ctl, CTL_USAGE,
				"--vkey needs a verifier key, as \"rbacctl audit key\" "
				"prints it.");
	(void)snprintf(log->vkey, sizeof(log->vkey), "%s", vkey); /* parsed: fits */
	return 0;
}

int cmd_audit_verify(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_log_ struct log_files log = {0};
	struct audit_verify_options opt;
	struct audit_verify v = {0};
	const char *tail = ctl_arg(args, "tail");
	int64_t tail_s = 0;
	int r = log_files_open(ctl, true, &log);

	if (r == 0)
		r = use_vkey(ctl, ctl_arg(args, "vkey"), &log);
	if (r == 0 && tail && text_parse_duration(tail, &tail_s) != 0)
		r = ctl_fail(ctl, CTL_USAGE, "--tail needs a time like 5m or 1h.");
	if (r != 0)
		return r;
	opt = log_files_options(&log);
	opt.tail_us = tail_s * 1000000;
	opt.every_signature = ctl_arg(args, "signatures") != NULL;
	r = audit_verify_log(&opt, &v);
	if (r < 0)
		return ctl_fail(ctl, CTL_NO,
				"the log could not be read to its end: %s.",
				strerror(-r));
	show_verify(ctl, &v, r == 0);
	return r == 0 ? CTL_OK : CTL_INTEGRITY;
}

/* ---------------------------------------------------------------- proofs */

int cmd_audit_proof(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_log_ struct log_files log = {0};
	struct audit_verify_options opt;
	uint64_t seq = 0;
	int r = log_read_number(ctl, "SEQ", args->pos[0], &seq);

	if (r == 0)
		r = log_files_open(ctl, true, &log);
	if (r != 0)
		return r;
	opt = log_files_options(&log);
	r = audit_prove(&opt, seq, ctl->out);
	if (r == STORE_E_NONE)
		return ctl_fail(ctl, CTL_NO,
				"record %" PRIu64
				" is not there, or no checkpoint covers it yet (that "
				"takes a minute).",
				seq);
	if (r == STORE_E_CORRUPT)
		return ctl_fail(ctl, CTL_INTEGRITY,
				"the log does not lead to its newest checkpoint. Run: "
				"rbacctl audit verify");
	return r == 0 ? CTL_OK : ctl_fail(ctl, CTL_NO, "no proof: %s.", strerror(-r));
}

int cmd_audit_check_proof(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_free_ char *proof = malloc(PROOF_MAX);
	const char *vkey = ctl_arg(args, "vkey"), *path = args->pos[0];
	_cleanup_fclose_ FILE *file = NULL;
	const char *why = "";
	char own[256];
	uint64_t seq = 0;
	size_t len;
	int r;

	if (!proof)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	if (!vkey) {
		r = log_files_vkey(ctl, own, sizeof(own));
		if (r != 0)
			return r;
		vkey = own;
	}
	file = path ? fopen(path, "re") : NULL;
	if (path && !file)
		return ctl_fail(ctl, CTL_NO, "%s: %s.", path, strerror(errno));
	len = fread(proof, 1, PROOF_MAX, file ? file : ctl->in);
	if (audit_check_proof(proof, len, vkey, &seq, &why) != 0)
		return ctl_fail(ctl, CTL_INTEGRITY, "this proves nothing: %s.", why);
	return ctl_done(ctl,
			"OK: record %" PRIu64 " is in the log signed with this key.",
			seq);
}

/* ---------------------------------------------------------------- key */

/* Root's to do, with rbacd stopped: the old key stays, to check what it signed. */
static int renew_key(struct ctl *ctl)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const struct config_audit *a = &ctl->config->audit;
	struct store_options opt = {0};
	struct store *store = NULL;
	char path[4096], old[600];
	struct stat st;
	int r;

	/* Holding the writer's lock is how we know that rbacd does not run. */
	opt.path = config_db_path(ctl->config, path, sizeof(path));
	r = store_open(&opt, &store, &diag);
	if (r != 0) {
		diags_print(&diag, ctl->err);
		return ctl_fail(ctl, CTL_NO,
				"stop rbacd first: systemctl stop rbacd.target");
	}
	(void)snprintf(old, sizeof(old), "%s.old-%lld", a->key, (long long)time(NULL));
	r = lstat(old, &st) == 0 ? -EEXIST : rename(a->key, old) == 0 ? 0 : -errno;
	store_close(store);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "%s: %s.", a->key, strerror(-r));
	return ctl_done(ctl, "The old key is %s. %s", old,
			a->make_key ? "rbacd makes a new one when it starts."
				    : "Put a new one in its place before rbacd starts: "
				      "(umask 377; openssl rand -hex 32 > FILE)");
}

int cmd_audit_key(struct ctl *ctl, const struct ctl_args *args)
{
	char vkey[256];
	int r;

	if (ctl_arg(args, "renew"))
		return ctl_need_config(ctl) == 0 ? renew_key(ctl) : CTL_NO;
	r = log_files_vkey(ctl, vkey, sizeof(vkey));
	if (r != 0)
		return r;
	if (ctl->json)
		(void)fprintf(ctl->out, "{\"vkey\": \"%s\"}\n", vkey);
	else
		(void)fprintf(ctl->out, "%s\n", vkey);
	return CTL_OK;
}

/* ---------------------------------------------------------------- segments */

static int add_segment(struct out_set *set, const char *name, uint64_t first,
		       uint64_t last, int64_t bytes)
{
	struct out_row *row = out_add_row(set, "segments");
	int r = row ? out_add_text(row, "name", name, strlen(name)) : -ENOMEM;

	if (r == 0)
		r = out_add_number(row, "first", WIRE_CELL_INT, (int64_t)first);
	if (r == 0)
		r = out_add_number(row, "last", last ? WIRE_CELL_INT : WIRE_CELL_NULL,
				   (int64_t)last);
	if (r == 0)
		r = out_add_number(row, "bytes", WIRE_CELL_INT, bytes);
	return r == 0 ? out_add_number(row, "closed", WIRE_CELL_BOOL, last != 0) : r;
}

static int list_segments(const char *dir, struct out_set *set)
{
	_cleanup_free_ uint64_t *v = NULL;
	char name[SEGMENT_NAME_MAX], path[600];
	struct stat st;
	size_t n = 0;
	int r = segment_list(dir, &v, &n);

	for (size_t i = 0; i < n && r == 0; i++) {
		segment_name(v[i], name);
		(void)snprintf(path, sizeof(path), "%s/%s", dir, name); /* 512 + 40 */
		if (stat(path, &st) == 0) /* else pruned just now */
			r = add_segment(set, name, v[i], i + 1 < n ? v[i + 1] - 1 : 0,
					st.st_size);
	}
	return r;
}

int cmd_audit_segments(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_out_ struct out_set set = OUT_SET_INIT;
	int r;

	(void)args;
	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	r = list_segments(ctl->config->audit.dir, &set);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "%s: %s.", ctl->config->audit.dir,
				strerror(-r));
	if (ctl->json)
		out_json_set(&set, "segments", ctl->out);
	else
		out_print_table(out_find(&set, "segments"), ctl->out);
	return CTL_OK;
}
