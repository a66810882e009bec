/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oath_ldif.c - OATH-LDAP's schema in an LDIF (RFC 2849): a person names a token, the
 * token its parameters; slapd's otp overlay may keep all three in one entry.
 */
#include <errno.h>

#include "rbacd/directory/dn.h"
#include "rbacd/migrate/scan.h"

#define ENTRIES_MAX 200000
#define VALUE_MAX   1024
#define TOKENS_MAX  4 /* of one person */

/* Values are borrowed spans of the text: unfolded ones are rare and are refused. */
struct value {
	struct span s;
	bool base64;
};

struct entry {
	unsigned line;
	bool folded; /* an attribute that we read goes on on the next line */
	struct value dn, uid, secret;
	struct value token[TOKENS_MAX];
	size_t n_tokens;
	struct value params, digits, hash, period, counter, last_step, drift;
	bool is_totp, is_hotp;
	uint64_t name; /* hash of the normal form of dn; 0: it cannot be read */
};

struct ldif {
	struct entry *v; /* owned */
	size_t n, cap;
	migrate_fn *fn;
	void *arg;
};

/* ---------------------------------------------------------------- lines */

static struct value *slot_of(struct entry *e, struct span name)
{
	const struct {
		const char *name;
		struct value *to;
	} known[] = {
		{"dn", &e->dn},
		{"uid", &e->uid},
		{"oathSecret", &e->secret},
		{"oathTOTPParams", &e->params},
		{"oathHOTPParams", &e->params},
		{"oathOTPLength", &e->digits},
		{"oathHMACAlgorithm", &e->hash},
		{"oathTOTPTimeStepPeriod", &e->period},
		{"oathHOTPCounter", &e->counter},
		{"oathTOTPLastTimeStep", &e->last_step},
		{"oathTOTPTimeStepDrift", &e->drift},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (scan_same(name, known[i].name))
			return known[i].to;
	if ((scan_same(name, "oathTOTPToken") || scan_same(name, "oathHOTPToken") ||
	     scan_same(name, "oathToken")) &&
	    e->n_tokens < TOKENS_MAX)
		return &e->token[e->n_tokens++];
	return NULL;
}

static void see_class(struct entry *e, struct span class)
{
	e->is_totp |= scan_same(class, "oathTOTPToken");
	e->is_hotp |= scan_same(class, "oathHOTPToken");
}

static void read_attribute(struct entry *e, struct span line, struct value **last)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct span name = {line.p, colon ? (size_t)(colon - line.p) : 0};
	struct value v = {.s = {colon, line.len - name.len}};

	*last = NULL;
	if (!colon)
		return;
	v.base64 = scan_after(&v.s, "::");
	if (!v.base64)
		(void)scan_after(&v.s, ":"); /* it does */
	while (v.s.len > 0 && *v.s.p == ' ') {
		v.s.p++;
		v.s.len--;
	}
	if (scan_same(name, "objectClass"))
		see_class(e, v.s);
	*last = slot_of(e, name);
	if (*last)
		**last = v;
}

static bool read_dn(const struct value *v, struct dn *ret)
{
	struct secret text = SECRET_INIT;

	if (!v->s.p)
		return false;
	if (!v->base64)
		return dn_read(v->s.p, v->s.len, ret) == 0;
	return scan_base64(v->s, &text) &&
	       dn_read((const char *)text.bytes, text.len, ret) == 0;
}

/* FNV-1a: it only saves comparing all of the names. */
static uint64_t hash_dn(const struct dn *dn)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < dn->len; i++)
		h = (h ^ (uint8_t)dn->text[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

static int add_entry(struct ldif *l, const struct entry *e)
{
	struct dn dn;

	if (!e->dn.s.p)
		return 0; /* "version: 1" and the like */
	if (l->n == ENTRIES_MAX)
		return -E2BIG;
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		struct entry *v = reallocarray(l->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = *e;
	l->v[l->n++].name = read_dn(&e->dn, &dn) ? hash_dn(&dn) : 0;
	return 0;
}

static int read_entries(struct ldif *l, struct span rest)
{
	struct entry e = {0};
	struct value *last = NULL;
	struct span line;
	int r = 0;

	for (unsigned n = 1; r == 0 && scan_line(&rest, &line); n++) {
		if (line.len == 0) {
			r = add_entry(l, &e);
			e = (struct entry){0};
			last = NULL;
		} else if (*line.p == ' ') {
			e.folded |= last != NULL;
		} else if (*line.p != '#') {
			e.line = e.line ? e.line : n;
			read_attribute(&e, line, &last);
		}
	}
	return r == 0 ? add_entry(l, &e) : r;
}

/* ---------------------------------------------------------------- links */

static const struct entry *find(const struct ldif *l, const struct value *name)
{
	struct dn want, have;
	uint64_t hash;

	if (!read_dn(name, &want))
		return NULL;
	hash = hash_dn(&want);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].name == hash && read_dn(&l->v[i].dn, &have) &&
		    have.len == want.len && memcmp(have.text, want.text, want.len) == 0)
			return &l->v[i];
	return NULL;
}

/* ---------------------------------------------------------------- values */

static bool number(const struct value *v, int64_t max, int64_t fallback, int64_t *ret)
{
	*ret = fallback;
	return !v->s.p || (!v->base64 && scan_number(v->s, max, ret));
}

static bool read_hash(const struct value *v, struct migrate_entry *e)
{
	static const struct {
		const char *oid;
		enum store_hash hash;
	} known[] = {{"1.2.840.113549.2.7", STORE_SHA1},
		     {"1.2.840.113549.2.9", STORE_SHA256},
		     {"1.2.840.113549.2.11", STORE_SHA512}};

	for (size_t i = 0; v->s.p && i < ARRAY_SIZE(known); i++)
		if (scan_is(v->s, known[i].oid))
			e->hash = known[i].hash;
	return !v->s.p || e->hash != 0;
}

static bool read_secret(const struct value *v, struct migrate_entry *e)
{
	bool ok = false;

	/* OATH-LDAP seals them: JSON, which is "ey" in base64. */
	if (v->s.p &&
	    (v->base64 ? v->s.len > 172 && v->s.p[0] == 'e' && v->s.p[1] == 'y'
		       : v->s.len > 0 && *v->s.p == '{'))
		e->skip = "the secret is encrypted: decrypt it with its own tool";
	else if (v->s.p && v->base64)
		ok = scan_base64(v->s, &e->seed);
	else if (v->s.p && v->s.len <= 128) {
		memcpy(e->seed.bytes, v->s.p, v->s.len);
		e->seed.len = v->s.len;
		ok = true;
	}
	return ok;
}

static void read_parameters(const struct entry *p, struct migrate_entry *e)
{
	int64_t digits, period;

	if (!number(&p->digits, 8, 6, &digits) || (digits != 6 && digits != 8))
		e->skip = "codes that have neither six nor eight digits";
	else if (!number(&p->period, 60, 30, &period) || (period != 30 && period != 60))
		e->skip = "a step other than 30 or 60 s";
	else if (!read_hash(&p->hash, e))
		e->skip = "a hash that is not known";
	if (e->skip)
		return;
	e->digits = (uint8_t)digits;
	e->period_s = e->kind == STORE_FACTOR_TOTP ? (uint16_t)period : 0;
}

static void read_token(const struct ldif *l, const struct entry *t,
		       struct migrate_entry *e)
{
	const struct entry *p = t->params.s.p ? find(l, &t->params) : t;
	struct span drift = t->drift.s;
	bool minus = t->drift.s.p && scan_after(&drift, "-");
	int64_t n = 0;

	e->hash = 0;
	e->kind = t->is_hotp ? STORE_FACTOR_HOTP : STORE_FACTOR_TOTP;
	if (t->is_hotp == t->is_totp)
		e->skip = "a token that is not totp, or not hotp";
	else if (t->folded || !p || p->folded)
		e->skip = "parameters that are missing, or folded lines: export with "
			  "ldapsearch -o ldif-wrap=no";
	if (e->skip)
		return;
	scan_seed(e, read_secret(&t->secret, e));
	if (!e->skip)
		read_parameters(p, e);
	e->hash = e->hash ? e->hash : STORE_SHA1;
	if (!e->skip && !number(&t->counter, INT32_MAX, 0, &n))
		e->skip = "the counter cannot be read";
	/* RFC 4226 counts the next one; so does the schema. */
	e->last_step = e->kind == STORE_FACTOR_HOTP ? n - 1 : -1;
	if (!e->skip && drift.p && !scan_number(drift, MIGRATE_SKEW_MAX, &n))
		e->skip = "the phone's clock is off by more than 10 steps";
	else if (drift.p && e->kind == STORE_FACTOR_TOTP)
		e->skew = minus ? (int)-n : (int)n;
}

static int give_token(const struct ldif *l, const struct entry *person,
		      const struct entry *token)
{
	struct migrate_entry e = {.line = person->line};
	int r;

	if (person->uid.base64 || !scan_login(person->uid.s, &e))
		e.skip = "the uid is no login";
	else if (!token)
		e.skip = "a token that is not in this file";
	else
		read_token(l, token, &e);
	r = l->fn(&e, l->arg);
	explicit_bzero(&e, sizeof(e));
	return r;
}

/* A token that names a person is the person's entry too; its own class says so. */
static int give_person(const struct ldif *l, const struct entry *e)
{
	int r = 0;

	if (!e->uid.s.p)
		return 0;
	for (size_t i = 0; r == 0 && i < e->n_tokens; i++)
		r = give_token(l, e, find(l, &e->token[i]));
	return r == 0 && e->n_tokens == 0 && e->secret.s.p ? give_token(l, e, e) : r;
}

int migrate_oath_ldif(const char *text, size_t len, migrate_fn *fn, void *arg)
{
	struct ldif l = {.fn = fn, .arg = arg};
	int r = read_entries(&l, (struct span){text, len});

	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = give_person(&l, &l.v[i]);
	free(l.v);
	return r;
}
