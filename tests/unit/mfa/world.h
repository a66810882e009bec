/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - alice with a factor, her phone, and logins as the daemon would judge them.
 */
#pragma once

#include "tests/unit/store/fixture.h"

#include <liboath/oath.h>

#include "rbacd/mfa/mfa.h"
#include "rbacd/wire/code.h"

#define NOW  INT64_C(1790000010)
#define DAY  INT64_C(86400)
#define BOTH (POLICY_METHOD_TOTP | POLICY_METHOD_RECOVERY)

struct world {
	struct fixture *f;
	struct mfa *mfa;
	struct secret seed;
	struct mfa_enrolment e;
};

static inline struct secret text_secret(const char *text)
{
	struct secret s = {.len = strlen(text)};

	memcpy(s.bytes, text, s.len);
	return s;
}

/* The code that a phone shows for @seed at @now_s. */
static inline struct secret phone(const struct secret *seed, int64_t now_s)
{
	char text[9];

	assert_int_equal(oath_totp_generate((const char *)seed->bytes, seed->len,
					    (time_t)now_s, 30, 0, 6, text),
			 OATH_OK);
	return text_secret(text);
}

static inline struct secret wrong(const struct secret *seed, int64_t now_s)
{
	struct secret out = text_secret("000000");

	for (int guess = 0; guess < 1000000; guess++) {
		bool hit = false;

		(void)snprintf((char *)out.bytes, sizeof(out.bytes), "%06d", guess);
		for (int i = -12; i <= 12; i++) {
			struct secret c = phone(seed, now_s + 30 * i);

			hit |= memcmp(c.bytes, out.bytes, 6) == 0;
		}
		if (!hit)
			return out;
	}
	return out;
}

static inline void seed_of(const char *uri, struct secret *ret)
{
	const char *from = strstr(uri, "secret=") + 7;
	char *raw = NULL;
	size_t len = 0;

	assert_int_equal(oath_base32_decode(from, strcspn(from, "&"), &raw, &len),
			 OATH_OK);
	ret->len = len;
	memcpy(ret->bytes, raw, len);
	free(raw);
}

static inline void enrol(struct world *w, const char *id, const char *login)
{
	static const struct mfa_enrol_options opt = {.issuer = "vm sec",
						     .kind = STORE_FACTOR_TOTP,
						     .hash = STORE_SHA1,
						     .digits = 6,
						     .period_s = 30};
	struct secret code;

	assert_int_equal(mfa_enrol_begin(w->mfa, id, login, &opt, NOW, &w->e), 0);
	seed_of(w->e.uri, &w->seed);
	code = phone(&w->seed, NOW - 300);
	assert_int_equal(mfa_enrol_confirm(w->mfa, id, &code, NOW - 300), 0);
	assert_int_equal(store_commit(w->f->store), 0);
}

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->f = fixture_new();
	assert_int_equal(mfa_new(w->f->store, w->f->seal, &w->mfa), 0);
	enrol(w, "id:alice", "alice");
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	mfa_free(w->mfa);
	fixture_free(w->f);
	free(w);
	return 0;
}

static inline struct mfa_result try_as(struct world *w, const char *id,
				       struct secret code, bool proven, int64_t now_s,
				       const char *origin)
{
	struct mfa_attempt a = {.person = id,
				.login = id ? "alice" : "nobody",
				.origin = origin,
				.proven = proven,
				.accept = BOTH,
				.kind = code.len == 16 ? WIRE_ANSWER_RECOVERY
						       : WIRE_ANSWER_CODE,
				.text = &code,
				.now_s = now_s};
	struct mfa_result r = {0};

	assert_int_equal(mfa_verify(w->mfa, &a, &r), 0);
	assert_int_equal(store_commit(w->f->store), 0);
	if (r.outcome != MFA_ACCEPTED)
		assert_non_null(r.reason);
	return r;
}

static inline struct mfa_result login_as(struct world *w, struct secret code,
					 int64_t now_s)
{
	return try_as(w, "id:alice", code, true, now_s, "192.0.2.1");
}

static inline void assert_refused(struct mfa_result r, const char *reason)
{
	assert_int_equal(r.outcome, MFA_REFUSED);
	assert_string_equal(r.reason, reason);
}
