/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - who could do what at one moment: policy, people and second factors, as one
 * file. Reports are made from such a file only, so that the same file makes the same
 * report years later.
 *
 * The file: a line "vmsec-snapshot 1", then sections: a line "NAME LENGTH", that many
 * bytes, a newline. Sections: meta, labels (JSON), policy (canonical YAML), people and
 * local (the directory's blocks, see snapshot.h; empty: none), factors (a JSON object a
 * person and line).
 */
#pragma once

#include "policy/policy.h"
#include "rbacd/ctl/population.h"
#include "rbacd/report/index.h"
#include "rbacd/store/store.h"

#define STATE_HOST_MAX	255
#define STATE_FROM_MAX	1023
#define STATE_BYTES_MAX (1024u << 20)

enum { STATE_E_INVALID = 1 };

/* A person's second factor and counters. */
struct state_factor {
	const char *id, *login; /* login: of now; who is gone: of the enrolment */
	uint32_t n_active, n_pending, n_disabled;
	uint32_t fails, recovery_left;
	bool disabled;
	int64_t enrolled_s, last_ok_s; /* 0: never */
	int64_t drift;		       /* steps; the largest */
	const char *kind;	       /* "totp sha1 6 30"; NULL: none */
};

struct state {
	char host[STATE_HOST_MAX + 1];
	int64_t as_of_s;
	char sha256[65];	       /* of the file's bytes */
	char from[STATE_FROM_MAX + 1]; /* where people come from; "": not said */
	char log_hash[65];	       /* the log's last record when it was made */
	uint64_t log_seq;
	struct policy *policy;
	const char *policy_text; /* borrowed from bytes */
	size_t policy_len;
	struct population pop;
	struct people people;
	struct state_factor *factors; /* owned; in order of index @ids */
	size_t n_factors;
	bool factors_known; /* false: made without the database */
	struct index ids;
	struct index texts;
	char *bytes; /* owned */
	size_t len;
};

/*
 * state_read() - take @bytes (malloc'ed, owned from now on) apart and check all of it.
 * Return: 0; STATE_E_INVALID with a diagnostic that names @name; negative errno.
 */
_must_check_ int state_read(const char *name, char *bytes, size_t len,
			    struct state *ret, struct diags *diag);
/* state_open() - the same for a regular file. */
_must_check_ int state_open(const char *path, struct state *ret, struct diags *diag);
void state_done(struct state *state); /* a zeroed state is accepted */
#define _cleanup_state_ _cleanup_(state_done)

/* state_factor() - of the person with an immutable id; NULL: never enrolled. */
const struct state_factor *state_factor(const struct state *state, const char *id);

/* What a new snapshot is made from; all borrowed. */
struct state_input {
	const struct policy_host *host;
	const struct policy *policy;
	const struct population *pop;
	const char *from;    /* which servers, bases and filters, or file; NULL: none */
	struct store *store; /* NULL: no second factors are known */
	int64_t now_s;
};

/* state_make() - the file's bytes, malloc'ed. Return: 0; negative errno; STORE_E_*. */
_must_check_ int state_make(const struct state_input *in, char **ret, size_t *ret_len);

/* state_sha256() - 64 hex digits of a block of bytes. */
_must_check_ int state_sha256(const void *p, size_t len, char ret[65]);
