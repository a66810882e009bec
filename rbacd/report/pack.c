/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c - a folder of reports and evidence, in a fixed order. */
#include "rbacd/report/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#define FILES_MAX 256

struct packed {
	char name[96];
	uint8_t sha256[32];
};

struct pack {
	const struct pack_input *in;
	int dir;
	struct packed files[FILES_MAX];
	size_t n;
	enum report_exit worst;
	struct report index;
	struct report_table *reports;
};

static void pack_done(struct pack *p)
{
	report_done(&p->index);
	if (p->dir >= 0)
		(void)close(p->dir); /* each file was closed and checked by itself */
}

/* ---------------------------------------------------------------- files */

/* A file's stream that hashes what passes. */
struct hashed {
	FILE *out;
	EVP_MD_CTX *ctx;
};

static ssize_t hashed_write(void *cookie, const char *buf, size_t len)
{
	struct hashed *h = cookie;

	if (EVP_DigestUpdate(h->ctx, buf, len) != 1)
		return 0;
	return fwrite(buf, 1, len, h->out) == len ? (ssize_t)len : 0;
}

typedef int pack_fn(const void *what, FILE *out);

static int fill(struct hashed *h, pack_fn *fn, const void *what, uint8_t sha256[32])
{
	const cookie_io_functions_t io = {.write = hashed_write};
	unsigned char md[EVP_MAX_MD_SIZE];
	FILE *stream;
	int r;

	if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	stream = fopencookie(h, "w", io);
	if (!stream)
		return -ENOMEM;
	(void)setvbuf(stream, NULL, _IOFBF, 65536); /* only slower without */
	r = fn(what, stream);
	if (ferror(stream) && r == 0)
		r = -EIO;
	if (fclose(stream) != 0 && r == 0)
		r = -EIO;
	if (r == 0 && EVP_DigestFinal_ex(h->ctx, md, NULL) != 1)
		r = -EIO;
	if (r == 0)
		memcpy(sha256, md, 32);
	return r;
}

static int add_file(struct pack *p, const char *name, pack_fn *fn, const void *what)
{
	struct hashed h = {0};
	struct packed *file = &p->files[p->n];
	int fd, r;

	if (p->n == FILES_MAX)
		return -E2BIG;
	fd = openat(p->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	h.out = fdopen(fd, "w");
	if (!h.out) {
		(void)close(fd); /* nothing was written */
		return -ENOMEM;
	}
	h.ctx = EVP_MD_CTX_new();
	r = fill(&h, fn, what, file->sha256);
	EVP_MD_CTX_free(h.ctx);
	if (fclose(h.out) != 0 && r == 0)
		r = -errno;
	(void)snprintf(file->name, sizeof(file->name), "%s", name); /* our own names */
	p->n += r == 0;
	return r;
}

struct block {
	const char *p;
	size_t len;
};

static int put_block(const void *what, FILE *out)
{
	const struct block *b = what;

	(void)fwrite(b->p, 1, b->len, out); /* add_file() checks */
	return 0;
}

/* ---------------------------------------------------------------- reports */

struct written {
	const struct report *r;
	const struct report_frame *frame;
	const char *table;
};

static int put_html(const void *what, FILE *out)
{
	const struct written *w = what;

	return report_write_html(w->r, w->frame, out);
}

static int put_text(const void *what, FILE *out)
{
	const struct written *w = what;

	return report_write_text(w->r, w->frame, out);
}

static int put_json(const void *what, FILE *out)
{
	const struct written *w = what;

	report_write_json(w->r, w->frame, out);
	return 0;
}

static int put_csv(const void *what, FILE *out)
{
	const struct written *w = what;

	return report_write_csv(w->r, w->table, out);
}

static int add_tables(struct pack *p, struct written *w)
{
	char name[96];
	int r = 0;

	for (const struct report_section *s = w->r->first; s && r == 0; s = s->next)
		for (const struct report_table *t = s->first; t && r == 0;
		     t = t->next) {
			(void)snprintf(name, sizeof(name), "%s.%s.csv", w->r->id,
				       t->name);
			w->table = t->name;
			r = add_file(p, name, put_csv, w);
		}
	return r;
}

static int add_formats(struct pack *p, const char *name, struct written *w)
{
	static const struct {
		const char *end;
		pack_fn *put;
	} formats[] = {{"html", put_html}, {"txt", put_text}, {"json", put_json}};
	char file[96];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(formats) && r == 0; i++) {
		(void)snprintf(file, sizeof(file), "%s.%s", name, formats[i].end);
		r = add_file(p, file, formats[i].put, w);
	}
	return r;
}

/* The report's line in the index, and its findings that matter. */
static void note_report(struct pack *p, const struct report *r,
			const struct report_frame *frame)
{
	struct report *x = &p->index;
	char buf[REPORT_RESULT_MAX];
	const char *result = report_result(r, frame, buf);

	report_row(p->reports);
	report_put(p->reports, report_f(x, "%s.html", r->id));
	report_put(p->reports, r->question);
	report_put(p->reports, report_copy(x, result, strlen(result)));
	report_put_n(p->reports, (int64_t)r->n_findings);
	report_put_n(p->reports, (int64_t)r->n_rows);
	report_put(p->reports, report_copy(x, frame->sha256, 64));
	for (const struct report_finding *f = r->first_finding; f; f = f->next)
		report_find(x, f->severity, f->code, f->n, NULL,
			    report_f(x, "%s: %s", r->title, f->text));
	for (const struct report_line *l = r->missing.first; l; l = l->next)
		report_missing(x, report_f(x, "%s: %s", r->title, l->text));
	for (const struct report_line *l = r->broken.first; l; l = l->next)
		report_broken(x, report_f(x, "%s: %s", r->title, l->text));
	if (frame->exit > p->worst)
		p->worst = frame->exit;
}

static int add_report(struct pack *p, const struct report_kind_of *kind)
{
	_cleanup_report_ struct report r = {0};
	struct report_frame frame;
	struct written w = {.r = &r, .frame = &frame};
	int rc;

	if (p->in->step)
		p->in->step(kind->name, p->in->step_arg);
	rc = report_make(kind, &p->in->in, &r);
	if (rc == 0)
		rc = report_frame(&r, p->in->threshold, &frame);
	if (rc == 0)
		rc = add_formats(p, kind->name, &w);
	if (rc == 0)
		rc = add_tables(p, &w);
	if (rc == 0)
		note_report(p, &r, &frame);
	return rc;
}

/* ---------------------------------------------------------------- evidence */

static int add_block(struct pack *p, const char *name, const char *bytes, size_t len)
{
	const struct block b = {.p = bytes, .len = len};

	return add_file(p, name, put_block, &b);
}

static int put_checkpoint(uint64_t seq, const char *note, size_t len, void *arg)
{
	const struct pack_input *in = ((const void **)arg)[0];
	FILE *out = ((void **)arg)[1];

	if (seq > in->in.activity->coverage.last_seq)
		return 1; /* later than the period: another run would see more */
	(void)fwrite(note, 1, len, out);
	(void)fputc('\n', out);
	return 0;
}

static int put_checkpoints(const void *what, FILE *out)
{
	const struct pack_input *in = what;
	const void *arg[] = {in, out};
	int r = in->store ? store_checkpoint_each(in->store, 0, put_checkpoint, arg)
			  : 0;

	return r == 1 ? 0 : r;
}

static int add_evidence(struct pack *p)
{
	const struct report_input *in = &p->in->in;
	const struct state *st = in->state, *old = in->before;
	int r = add_block(p, "snapshot.vmsec", st->bytes, st->len);

	if (r == 0 && old)
		r = add_block(p, "snapshot-before.vmsec", old->bytes, old->len);
	if (r == 0)
		r = add_block(p, "policy.yaml", st->policy_text, st->policy_len);
	return r != 0 ? r : add_file(p, "checkpoints.txt", put_checkpoints, p->in);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct packed *)a)->name,
		      ((const struct packed *)b)->name);
}

static int put_manifest(const void *what, FILE *out)
{
	const struct pack *p = what;

	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = 0; k < 32; k++)
			(void)fprintf(out, "%02x", p->files[i].sha256[k]);
		(void)fprintf(out, "  %s\n", p->files[i].name);
	}
	return 0;
}

static int put_signature(const void *what, FILE *out)
{
	const struct pack *p = what;

	return p->in->sign(p->in->sign_arg, p->files[p->n - 1].sha256, p->n - 1, out);
}

/* The manifest is the last file that is hashed; the signature is over it. */
static int add_manifest(struct pack *p)
{
	int r;

	qsort(p->files, p->n, sizeof(*p->files), by_name);
	r = add_file(p, "manifest.sha256", put_manifest, p);
	if (r == 0 && p->in->sign)
		r = add_file(p, "manifest.note", put_signature, p);
	return r;
}

static const struct report_column columns[] = {
	{"report", "Report", REPORT_FILE, false, false},
	{"question", "What it answers", REPORT_TEXT, false, false},
	{"result", "Result", REPORT_TEXT, true, false},
	{"findings", "Findings", REPORT_NUMBER, false, true},
	{"rows", "Rows", REPORT_NUMBER, false, true},
	{"sha256", "sha256 of the content", REPORT_TEXT, false, false},
};

static int add_index(struct pack *p)
{
	struct report *x = &p->index;
	struct report_frame frame;
	struct written w = {.r = x, .frame = &frame};
	int n[REPORT_CRITICAL + 1] = {0}, r;

	for (const struct report_finding *f = x->first_finding; f; f = f->next)
		n[f->severity]++;
	for (int i = REPORT_CRITICAL; i >= REPORT_LOW; i--)
		report_figure(x, report_severity_name((enum report_severity)i),
			      report_f(x, "%s findings",
				       report_severity_name((enum report_severity)i)),
			      n[i], NULL, i >= REPORT_HIGH);
	if (!p->in->sign)
		report_limit(
			x, "This pack is not signed: the signing key was not at hand.");
	r = report_frame(x, p->in->threshold, &frame);
	return r != 0 ? r : add_formats(p, "index", &w);
}

static int begin_index(struct pack *p)
{
	report_init(&p->index, "pack", "Evidence pack",
		    "What do all reports say, and what were they made from?");
	report_about(&p->in->in, &p->index);
	report_section(
		&p->index, "Reports",
		"Each report is here as page, text, JSON and tables (CSV); a row for "
		"each person, VM and privilege is: rbacctl report access --csv. "
		"snapshot.vmsec, policy.yaml and checkpoints.txt are what they were "
		"made from; manifest.sha256 lists every file.");
	p->reports = REPORT_TABLE(&p->index, "reports", "All reports", columns,
				  .none = "None.");
	return report_error(&p->index);
}

int pack_write(const struct pack_input *in, const char *folder, enum report_exit *ret)
{
	_cleanup_(pack_done) struct pack p = {.in = in, .dir = -1};
	int r;

	if (mkdir(folder, 0700) != 0)
		return -errno;
	p.dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (p.dir < 0)
		return -errno;
	r = begin_index(&p);
	for (const struct report_kind_of *k = report_kinds; k->name && r == 0; k++)
		r = add_report(&p, k);
	if (r == 0)
		r = add_evidence(&p);
	if (r == 0)
		r = add_index(&p);
	if (r == 0)
		r = add_manifest(&p);
	if (r == 0 && fsync(p.dir) != 0)
		r = -errno;
	*ret = p.worst;
	return r;
}
