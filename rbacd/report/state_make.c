/* SPDX-License-Identifier: Apache-2.0 */
/* state_make.c - a snapshot file, written: what holds now, in a fixed order. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>

#include "rbacd/ctl/text.h"
#include "policy/memtext.h"
#include "rbacd/report/state.h"

int state_sha256(const void *p, size_t len, char ret[65])
{
	unsigned char md[EVP_MAX_MD_SIZE];

	if (EVP_Digest(p, len, md, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	for (size_t i = 0; i < 32; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", md[i]); /* always fits */
	return 0;
}

static void put_text(const char *before, const char *name, const char *text, FILE *out)
{
	(void)fprintf(out, "%s\"%s\":", before, name);
	text_json(text, strlen(text), out);
}

static int put_meta(const struct state_input *in, FILE *out)
{
	const struct population *pop = in->pop;
	struct store_head head = {0};
	int r = in->store ? store_audit_head(in->store, &head) : 0;

	if (r != 0)
		return r;
	put_text("{", "host", in->host->name, out);
	put_text(",", "sw", VMSEC_VERSION, out);
	put_text(",", "source", pop->source, out);
	if (in->from)
		put_text(",", "from", in->from, out);
	(void)fprintf(out,
		      ",\"as_of\":%" PRId64 ",\"whole\":%d,\"left_out\":%zu,"
		      "\"max_stale\":%" PRId64 ",\"factors\":%d,\"log_seq\":%" PRIu64,
		      in->now_s, pop->whole, pop->n_left_out, pop->max_stale_s,
		      in->store != NULL, head.seq);
	(void)fputs(",\"log_hash\":\"", out);
	for (size_t i = 0; i < sizeof(head.hash); i++)
		(void)fprintf(out, "%02x", head.hash[i]);
	(void)fputs("\"}\n", out);
	return 0;
}

static int put_labels(const struct state_input *in, FILE *out)
{
	if (in->host->n_labels == 0)
		return 0;
	(void)fputc('{', out);
	for (size_t i = 0; i < in->host->n_labels; i++)
		put_text(i ? "," : "", in->host->labels[i].key,
			 in->host->labels[i].value, out);
	(void)fputs("}\n", out);
	return 0;
}

static int put_policy(const struct state_input *in, FILE *out)
{
	return policy_print(in->policy, out);
}

static int put_block(const struct snapshot *s, FILE *out)
{
	size_t len = 0;
	const void *p = s ? snapshot_bytes(s, &len) : NULL;

	if (len > 0)
		(void)fwrite(p, 1, len, out); /* errors: memtext_take() */
	return 0;
}

static int put_people(const struct state_input *in, FILE *out)
{
	return put_block(in->pop->people, out);
}

static int put_local(const struct state_input *in, FILE *out)
{
	return put_block(in->pop->local, out);
}

/* ---------------------------------------------------------------- factors */

#define KINDS_MAX 256 /* of STORE_FACTORS_MAX factors */

/* "totp sha1 6 30", "hotp sha1 6", "security-key": one after the other. */
static void add_kind(const struct store_factor *f, char kinds[KINDS_MAX])
{
	static const char *const hashes[] = {"?", "sha1", "sha256", "sha512"};
	size_t n = strlen(kinds), left = KINDS_MAX - n;
	const char *sep = n > 0 ? ", " : "";

	switch (f->kind) {
	case STORE_FACTOR_TOTP:
		(void)snprintf(kinds + n, left, "%stotp %s %u %u", sep, hashes[f->hash],
			       f->digits, f->period_s);
		return;
	case STORE_FACTOR_HOTP:
		(void)snprintf(kinds + n, left, "%shotp %s %u", sep, hashes[f->hash],
			       f->digits);
		return;
	case STORE_FACTOR_KEY:
		(void)snprintf(kinds + n, left, "%ssecurity-key", sep);
		return;
	}
}

static void add_factor(struct state_factor *sum, const struct store_factor *f,
		       char kinds[KINDS_MAX])
{
	int64_t drift = f->drift < 0 ? -f->drift : f->drift;

	sum->n_active += f->status == STORE_FACTOR_ACTIVE;
	sum->n_pending += f->status == STORE_FACTOR_PENDING;
	sum->n_disabled += f->status == STORE_FACTOR_DISABLED;
	if (f->status != STORE_FACTOR_ACTIVE)
		return;
	if (sum->enrolled_s == 0 || f->created_s < sum->enrolled_s)
		sum->enrolled_s = f->created_s;
	if (drift > (sum->drift < 0 ? -sum->drift : sum->drift))
		sum->drift = f->drift;
	add_kind(f, kinds);
	sum->kind = kinds;
}

struct factor_sink {
	struct store *store;
	FILE *out;
};

/* Secrets are sealed and stay where they are: only states and counters are written. */
static int put_person(const struct store_person *p, void *arg)
{
	const struct factor_sink *sink = arg;
	struct store_factor list[STORE_FACTORS_MAX];
	struct state_factor sum = {0};
	char kinds[KINDS_MAX] = "";
	size_t n = 0;
	int r = store_factor_list(sink->store, p->id, list, &n);

	for (size_t i = 0; i < n && r == 0; i++)
		add_factor(&sum, &list[i], kinds);
	explicit_bzero(list, sizeof(list));
	if (r == 0)
		r = store_code_left(sink->store, p->id, &sum.recovery_left);
	if (r != 0)
		return r;
	put_text("{", "id", p->id, sink->out);
	put_text(",", "login", p->login, sink->out);
	if (sum.kind)
		put_text(",", "kind", sum.kind, sink->out);
	(void)fprintf(sink->out,
		      ",\"active\":%u,\"pending\":%u,\"off\":%u,\"disabled\":%d,"
		      "\"fails\":%u,\"recovery\":%u,\"enrolled\":%" PRId64
		      ",\"last_ok\":%" PRId64 ",\"drift\":%" PRId64 "}\n",
		      sum.n_active, sum.n_pending, sum.n_disabled, p->disabled,
		      p->fails, sum.recovery_left, sum.enrolled_s, p->last_ok_s,
		      sum.drift);
	return 0;
}

static int put_factors(const struct state_input *in, FILE *out)
{
	struct factor_sink sink = {.store = in->store, .out = out};

	return in->store ? store_person_each(in->store, put_person, &sink) : 0;
}

/* ---------------------------------------------------------------- the file */

static int put_section(const struct state_input *in, const char *name,
		       int (*put)(const struct state_input *, FILE *), FILE *out)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	_cleanup_free_ char *buf = NULL;
	size_t len = 0;
	int r = memtext_open(&m);

	if (r == 0)
		r = put(in, m.out);
	if (r == 0)
		r = memtext_take(&m, &buf, &len);
	if (r != 0 || !buf)
		return r;
	(void)fprintf(out, "%s %zu\n", name, len);
	(void)fwrite(buf, 1, len, out);
	(void)fputc('\n', out); /* errors: memtext_take() */
	return 0;
}

int state_make(const struct state_input *in, char **ret, size_t *ret_len)
{
	static const struct {
		const char *name;
		int (*put)(const struct state_input *, FILE *);
	} sections[] = {
		{"meta", put_meta},	{"labels", put_labels},
		{"policy", put_policy}, {"people", put_people},
		{"local", put_local},	{"factors", put_factors},
	};
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	int r = memtext_open(&m);

	if (r == 0)
		(void)fputs("vmsec-snapshot 1\n", m.out); /* errors: memtext_take() */
	for (size_t i = 0; i < ARRAY_SIZE(sections) && r == 0; i++)
		r = put_section(in, sections[i].name, sections[i].put, m.out);
	return r == 0 ? memtext_take(&m, ret, ret_len) : r;
}
