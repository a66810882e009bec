/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - a snapshot file, read: every byte belongs to a section, every section is
 * checked by the reader of what it holds. */
#include "rbacd/report/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rbacd/ctl/record.h"

#define LABELS_MAX RECORD_FIELDS_MAX

enum { META, LABELS, POLICY, PEOPLE, LOCAL, FACTORS, SECTIONS };

static const char *const names[] = {"meta",   "labels", "policy",
				    "people", "local",	"factors"};

struct part {
	const char *p;
	size_t len;
};

struct reading {
	const char *name;
	struct diags *diag;
	struct part parts[SECTIONS];
};

static int bad(const struct reading *in, const char *why)
{
	diags_add(in->diag, in->name, 0, 0, NULL, "not a snapshot of vmsec: %s", why);
	return STATE_E_INVALID;
}

/* "NAME LENGTH\n" at *p; false: it is not there. */
static bool read_length(const char **p, const char *end, const char *name, size_t *ret)
{
	size_t n = strlen(name), len = 0;
	const char *c = *p;

	if ((size_t)(end - c) < n + 3 || memcmp(c, name, n) != 0 || c[n] != ' ')
		return false;
	for (c += n + 1; c < end && *c >= '0' && *c <= '9'; c++) {
		if (len > STATE_BYTES_MAX)
			return false;
		len = len * 10 + (size_t)(*c - '0');
	}
	if (c == end || *c != '\n')
		return false;
	*p = c + 1;
	*ret = len;
	return true;
}

static int split(struct reading *in, const char *bytes, size_t len)
{
	static const char magic[] = "vmsec-snapshot 1\n";
	const char *p = bytes, *end = bytes + len;

	if (len < sizeof(magic) - 1 || memcmp(p, magic, sizeof(magic) - 1) != 0)
		return bad(in, "its first line is another");
	p += sizeof(magic) - 1;
	for (size_t i = 0; i < SECTIONS; i++) {
		size_t n;

		if (!read_length(&p, end, names[i], &n) || (size_t)(end - p) <= n ||
		    p[n] != '\n')
			return bad(in, "a section is missing or cut");
		in->parts[i] = (struct part){.p = p, .len = n};
		p += n + 1;
	}
	return p == end ? 0 : bad(in, "there is something after its end");
}

static bool get_number(const struct record *rec, const char *key, int64_t *ret)
{
	const char *text = record_get(rec, key);
	char *end = NULL;

	errno = 0;
	if (text)
		*ret = strtoll(text, &end, 10);
	return end && end != text && *end == '\0' && errno == 0 && *ret >= INT32_MIN;
}

static bool get_text(const struct record *rec, const char *key, char *buf, size_t cap)
{
	const char *text = record_get(rec, key);

	if (!text || strlen(text) >= cap)
		return false;
	(void)snprintf(buf, cap, "%s", text); /* fits */
	return true;
}

static int read_meta(struct reading *in, struct state *st)
{
	_cleanup_free_ struct record *rec = calloc(1, sizeof(*rec));
	int64_t whole, left_out, factors, seq;

	if (!rec)
		return -ENOMEM;
	if (record_parse(in->parts[META].p, in->parts[META].len, rec) != 0 ||
	    !get_text(rec, "host", st->host, sizeof(st->host)) ||
	    !get_text(rec, "source", st->pop.source, sizeof(st->pop.source)) ||
	    !get_text(rec, "log_hash", st->log_hash, sizeof(st->log_hash)) ||
	    !get_number(rec, "as_of", &st->as_of_s) ||
	    !get_number(rec, "whole", &whole) ||
	    !get_number(rec, "left_out", &left_out) ||
	    !get_number(rec, "max_stale", &st->pop.max_stale_s) ||
	    !get_number(rec, "factors", &factors) || !get_number(rec, "log_seq", &seq))
		return bad(in, "its meta section");
	/* Snapshots of an earlier version do not say. */
	if (record_get(rec, "from") &&
	    !get_text(rec, "from", st->from, sizeof(st->from)))
		return bad(in, "its meta section");
	st->pop.whole = whole == 1;
	st->pop.n_left_out = left_out < 0 ? 0 : (size_t)left_out;
	st->pop.now_s = st->as_of_s;
	st->log_seq = (uint64_t)seq;
	st->factors_known = factors == 1;
	return 0;
}

static int read_policy(struct reading *in, struct state *st)
{
	_cleanup_free_ struct record *rec = calloc(1, sizeof(*rec));
	struct policy_label labels[LABELS_MAX];
	struct policy_host host = {.name = st->host, .labels = labels};
	const struct policy_source src = {.name = in->name,
					  .buf = in->parts[POLICY].p,
					  .len = in->parts[POLICY].len};
	int r;

	if (!rec)
		return -ENOMEM;
	if (in->parts[LABELS].len > 0 &&
	    record_parse(in->parts[LABELS].p, in->parts[LABELS].len, rec) != 0)
		return bad(in, "its labels section");
	for (; host.n_labels < rec->n; host.n_labels++)
		labels[host.n_labels] =
			(struct policy_label){.key = rec->fields[host.n_labels].key,
					      .value =
						      rec->fields[host.n_labels].value};
	st->policy_text = src.buf;
	st->policy_len = src.len;
	r = policy_load_sources(&src, 1, &host, &st->policy, in->diag);
	return r == POLICY_E_INVALID ? STATE_E_INVALID : r;
}

static int read_block(struct reading *in, int section, struct snapshot **ret)
{
	int r = 0;

	if (in->parts[section].len > 0)
		r = snapshot_from_bytes(in->parts[section].p, in->parts[section].len,
					ret);
	return r == SNAPSHOT_E_INVALID ? bad(in, "its directory section") : r;
}

/* ---------------------------------------------------------------- factors */

static int keep(struct state *st, const struct record *rec, const char *key,
		const char **ret)
{
	const char *text = record_get(rec, key);
	uint32_t i;
	int r;

	*ret = NULL;
	if (!text)
		return 0;
	r = index_put(&st->texts, text, strlen(text), &i);
	if (r == 0)
		*ret = st->texts.texts[i].text;
	return r;
}

static bool get_u32(const struct record *rec, const char *key, uint32_t *ret)
{
	int64_t v;

	if (!get_number(rec, key, &v) || v < 0 || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static int read_factor(struct reading *in, struct state *st, const struct record *rec)
{
	struct state_factor f = {0};
	uint32_t i, disabled;
	int r = keep(st, rec, "id", &f.id);

	if (r == 0)
		r = keep(st, rec, "login", &f.login);
	if (r == 0)
		r = keep(st, rec, "kind", &f.kind);
	if (r != 0)
		return r;
	if (!f.id || !f.login || !get_u32(rec, "active", &f.n_active) ||
	    !get_u32(rec, "pending", &f.n_pending) ||
	    !get_u32(rec, "off", &f.n_disabled) ||
	    !get_u32(rec, "disabled", &disabled) || !get_u32(rec, "fails", &f.fails) ||
	    !get_u32(rec, "recovery", &f.recovery_left) ||
	    !get_number(rec, "enrolled", &f.enrolled_s) ||
	    !get_number(rec, "last_ok", &f.last_ok_s) ||
	    !get_number(rec, "drift", &f.drift))
		return bad(in, "a line of its factors section");
	f.disabled = disabled != 0;
	r = index_put(&st->ids, f.id, strlen(f.id), &i);
	if (r != 0)
		return r;
	if (i != st->n_factors)
		return bad(in, "a person stands twice in its factors section");
	st->factors[st->n_factors++] = f;
	return 0;
}

static size_t count_lines(const struct part *part)
{
	size_t n = 0;

	for (size_t i = 0; i < part->len; i++)
		n += part->p[i] == '\n';
	return n;
}

/* A factor keeps the name that its person had at enrolment; who was renamed since is
 * still the same person, and goes by the name of now. */
static void name_factors(struct state *st)
{
	for (size_t i = 0; i < st->people.n; i++) {
		const struct policy_subject *s = &st->people.v[i];
		uint32_t n = index_find(&st->ids, s->id, strlen(s->id));

		if (n != INDEX_NONE)
			st->factors[n].login = s->login;
	}
}

static int read_factors(struct reading *in, struct state *st)
{
	const struct part *part = &in->parts[FACTORS];
	const char *p = part->p, *end = part->p + part->len;
	_cleanup_free_ struct record *rec = calloc(1, sizeof(*rec));
	int r = 0;

	st->factors = calloc(count_lines(part) + 1, sizeof(*st->factors));
	if (!st->factors || !rec)
		return -ENOMEM;
	while (p < end && r == 0) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (!nl || record_parse(p, (size_t)(nl - p), rec) != 0)
			return bad(in, "a line of its factors section");
		r = read_factor(in, st, rec);
		p = nl + 1;
	}
	return r;
}

/* ---------------------------------------------------------------- all */

int state_read(const char *name, char *bytes, size_t len, struct state *ret,
	       struct diags *diag)
{
	_cleanup_state_ struct state st = {.bytes = bytes, .len = len};
	struct reading in = {.name = name, .diag = diag};
	int r = split(&in, bytes, len);

	if (r == 0)
		r = state_sha256(bytes, len, st.sha256);
	if (r == 0)
		r = read_meta(&in, &st);
	if (r == 0)
		r = read_policy(&in, &st);
	if (r == 0)
		r = read_block(&in, PEOPLE, &st.pop.people);
	if (r == 0)
		r = read_block(&in, LOCAL, &st.pop.local);
	if (r == 0)
		r = people_make(&st.pop, st.policy, &st.people);
	if (r == 0)
		r = read_factors(&in, &st);
	if (r != 0)
		return r;
	name_factors(&st);
	*ret = st;
	st = (struct state){0};
	return 0;
}

int state_open(const char *path, struct state *ret, struct diags *diag)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat sb;
	char *bytes;
	ssize_t n = 0;
	size_t at = 0;

	if (fd < 0 || fstat(fd, &sb) != 0)
		return -errno;
	if (!S_ISREG(sb.st_mode) || sb.st_size > (off_t)STATE_BYTES_MAX)
		return -EINVAL;
	bytes = malloc((size_t)sb.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (at < (size_t)sb.st_size &&
	       (n = read(fd, bytes + at, (size_t)sb.st_size - at)) > 0)
		at += (size_t)n;
	if (n < 0 || at < (size_t)sb.st_size) {
		free(bytes);
		return n < 0 ? -errno : -EIO;
	}
	return state_read(path, bytes, at, ret, diag);
}

void state_done(struct state *st)
{
	people_done(&st->people);
	population_done(&st->pop);
	policy_unref(st->policy);
	index_done(&st->ids);
	index_done(&st->texts);
	free(st->factors);
	free(st->bytes);
}

const struct state_factor *state_factor(const struct state *st, const char *id)
{
	uint32_t i = id ? index_find(&st->ids, id, strlen(id)) : INDEX_NONE;

	return i == INDEX_NONE ? NULL : &st->factors[i];
}
