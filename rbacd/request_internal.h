/* SPDX-License-Identifier: Apache-2.0 */
/* request_internal.h - one request as the pipeline's files see it. */
#pragma once

#include "rbacd/authz.h"
#include "rbacd/request.h"
#include "rbacd/server.h"

struct request {
	struct server *server;		/* borrowed */
	struct conn *conn;		/* borrowed; it owns us */
	struct policy *policy;		/* counted: one generation from start to end */
	struct identity_ticket *ticket; /* a parked look-up, or NULL */
	struct identity_person person;
	struct wire_begin begin;
	struct authz_facts facts;
	struct policy_mfa mfa;	 /* what the account phase may rely on */
	char corr[16];		 /* shared by auth, account and log lines */
	uint64_t arrived_ns;	 /* of the frame being answered */
	uint32_t turn;		 /* prompts sent */
	struct pending *pending; /* owned: a first factor being made; NULL: none */
	bool watched; /* auth: asked for a code that the VM does not insist on */
	bool dormant; /* the policy offers an enrolment, but not after so long a time */
	bool skipped; /* account: a factor was put off in this transaction */
	bool authenticated; /* account: auth ran before, in the same process */
	struct password_try *password; /* owned; of a change, else NULL */
};

/* What one stage concluded; request_end() turns it into a record and a reply. */
struct outcome {
	enum policy_verdict verdict; /* ALLOW leaves only from request_end() */
	enum wire_result refusal;    /* when not ALLOW */
	const char *reason;	     /* audit identifier; NULL when allowed */
	const char *text;	     /* for the person, or NULL */
	const struct policy_decision *decision; /* or NULL */
	const struct mfa_result *mfa;		/* or NULL */
	const char *how;   /* without a code: "remembered", "not_required", "root" */
	bool skipped;	   /* a factor was put off: the account phase may go without */
	bool equalise;	   /* a refusal whose time must tell nothing */
	bool stranger;	   /* no proven first factor, or codes are shut: coalesced */
	bool new_password; /* ALLOW: the password must be changed first */
	bool plain;	   /* the text says all: no id to quote */
	const uint8_t *handle; /* ALLOW of a new password: its ticket; or NULL */
};

/* request_decide() - what the policy says to this request, with this proof. */
void request_decide(struct request *r, const struct policy_mfa *mfa,
		    struct policy_decision *ret);

/* request_ask() - queue the next prompt. Return: 0; -EINVAL, -EMSGSIZE. */
_must_check_ int request_ask(struct request *r, enum wire_style style,
			     const char *text);

/* request_recall() - the most recent proof the policy may weigh, into @r->mfa: of this
 * transaction, else a remembered one. */
void request_recall(struct request *r);
/* request_remember() - a code was accepted: the proof that later logins may use. */
_must_check_ int request_remember(struct request *r, enum policy_method method);
/* request_ask_code() - the prompt for a code; @r->watched: that may be left empty. */
void request_ask_code(struct request *r);
/*
 * request_is_watched() - on a VM that is only watched nobody is kept out for want of a
 * code. Only behind a proven first factor, and only for somebody who is known: else a
 * stack of our line alone would be a shell with no factor. Locks and denies never get
 * here.
 */
bool request_is_watched(const struct request *r, const struct policy_decision *d);
/* request_has_codes() - only who has codes is asked on a VM that is only watched; not
 * being able to tell counts as having them. */
bool request_has_codes(const struct request *r);
/* request_verify() - check and count the answer, inside the turn's transaction.
 * Return: 0 and *ret; otherwise the turn is lost. */
_must_check_ int request_verify(struct request *r, const struct wire_answer *a,
				struct mfa_result *ret);
/* request_end_code() - the auth phase ends with this verdict. */
void request_end_code(struct request *r, const struct mfa_result *m);
/*
 * request_end_key() - end it with a security key. @before: what the policy says
 * without. Return: true: it has ended; false: go on.
 */
bool request_end_key(struct request *r, const struct policy_decision *before);

/*
 * outcome_end() - the one gate: record first, then the answer. ALLOW is queued there
 * and nowhere else, and only when its record is part of the turn that must be durable
 * before the reply leaves.
 */
void outcome_end(struct request *r, const struct outcome *o);

/*
 * outcome_note() - a record of its own, beside the outcome's: something was changed.
 * @cred: the factor. Return: 0; otherwise the turn is lost.
 */
_must_check_ int outcome_note(struct request *r, const char *ev, const char *op,
			      const char *cred);

/*
 * outcome_record() - the record alone, for a stage that goes on or grants nothing.
 * Return: 0; otherwise the turn must be given up.
 */
_must_check_ int outcome_record(struct request *r, const struct outcome *o,
				char id[AUDIT_ID_MAX + 1]);

/* request_too_late() - its client has given up: the request is dropped, and over. */
bool request_too_late(struct request *r, uint64_t deadline_ns);

/* outcome_session() - record a session phase and answer NOTED; it grants nothing. */
void outcome_session(struct request *r);

/* outcome_equal_due() - when a reply that must tell nothing leaves, CLOCK_MONOTONIC. */
uint64_t outcome_equal_due(uint64_t arrived_ns);

/* outcome_refusal_text() - why, in words in @buf, for somebody past a first factor. */
const char *outcome_refusal_text(const struct request *r,
				 const struct policy_decision *d, char *buf,
				 size_t cap);
