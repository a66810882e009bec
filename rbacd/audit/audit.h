/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - the audit log's face for the pipeline: event in, durable line with the
 * turn.
 *
 * record.c turns an event into one canonical JSON line, chain.c links and appends it,
 * sink_syslog.c sends it on after the commit. `reason` is a closed list.
 */
#pragma once

#include "rbacd/audit/view.h"
#include "rbacd/store/seal.h"
#include "rbacd/store/store.h"

#define AUDIT_ID_MAX 32

/* Severity: what somebody must do about it. */
enum audit_sev { AUDIT_INFO = 1, AUDIT_NOTICE, AUDIT_WARNING, AUDIT_ALERT };

enum audit_outcome { AUDIT_FAILURE = 0, AUDIT_SUCCESS = 1, AUDIT_UNKNOWN = 2 };

/*
 * One event; every string is borrowed, NULL or "" leaves the field out. Text may be
 * hostile: record.c escapes it. Numbers are left out when < 0.
 */
struct audit_event {
	const char *ev; /* "auth", "account", "session.open", "admin.enrol",
			   "daemon.start" … */
	enum audit_sev sev;
	const char *corr; /* one transaction's auth, account and session share it */
	enum audit_outcome outcome;
	const char *reason; /* identifier of the closed list; audit_reason_known() */
	/* subject */
	const char *user; /* a known person's login */
	const char *uid;  /* immutable id */
	const char
		*unknown_user; /* raw name of nobody: stored as keyed hash and length */
	const char *actor;     /* who really asked: login uid, peer uid, su's invoker */
	const char *svc, *tty, *src, *rhost_name;
	/* object */
	const char *vm, *priv, *target;
	/* decision */
	const char *dec; /* "allow", "deny" */
	const char *rule,
		*path; /* path: group -> role, or near misses, for explain --id */
	int64_t policy_serial;
	const char *policy_sha;
	const char *dec_src; /* "nss", "file" */
	int64_t snapshot_age_s, lat_us;
	/* MFA */
	const char *mfa_method, *cred;
	int64_t t_delta, fails;
	/* session */
	const char *sess;
	int64_t expires_s; /* when what was allowed ends; 0: it does not */
	/* admin */
	const char *op, *object, *before_sha, *after_sha, *reason_text;
	int64_t count; /* coalesced strangers' failures */
};

/* All numbers left out, failure, nothing said. */
#define AUDIT_EVENT_INIT                                                               \
	{                                                                              \
		.sev = AUDIT_INFO, .policy_serial = -1, .snapshot_age_s = -1,          \
		.lat_us = -1, .t_delta = INT64_MIN, .fails = -1, .count = -1           \
	}

/* audit_reason() - the static identifier equal to @reason; "internal": not known. */
const char *audit_reason(const char *reason);

/* audit_reason_known() - true for identifiers of the closed list. */
bool audit_reason_known(const char *reason);

struct audit;
struct signer;

struct audit_retention {
	int64_t keep_s;	  /* a closed segment; 0: for ever */
	int64_t online_s; /* its records also in the database; 0: as long */
	/* While such an alert is open the age of nothing is sure, and nothing is
	 * dropped; static; NULL: none. */
	const char *unsure_alert;
};

struct audit_options {
	const char *host; /* this VM's name; borrowed for the life of the log */
	const struct signer *signer; /* borrowed; NULL: no checkpoints */
	const char
		*dir; /* of segments and published checkpoint; borrowed; NULL: none */
	struct audit_retention retention;
	const char *dev_log; /* syslog socket, "/dev/log"; NULL: none */
	const char *journal; /* "/run/systemd/journal/socket"; NULL: none */
};

/*
 * audit_open() - read the head, check its MAC and the last line against it.
 * Return: 0; STORE_E_CORRUPT with a diagnostic (file, reason, way back); negative
 * errno.
 */
_must_check_ int audit_open(struct store *store, const struct seal *seal,
			    const struct audit_options *opt, struct audit **ret,
			    struct diags *diag);
void audit_close(struct audit *audit);

/*
 * audit_reseal() - what the log keeps under a MAC, under another key; the head follows
 * with the turn's next record. STORE_E_CORRUPT: it was not under @now.
 */
_must_check_ int audit_reseal(struct store *store, const struct seal *now,
			      const struct seal *next);

/*
 * audit_append() - append one record to the turn's transaction (begins it).
 * @ret_id: public decision id: the sequence number and four check characters, so that
 *          "rbacctl explain --id" finds it at once and a guess does not.
 * Return: 0; STORE_E_FULL; negative errno. On failure no answer may allow.
 */
_must_check_ int audit_append(struct audit *audit, const struct audit_event *ev,
			      int64_t now_us, char ret_id[AUDIT_ID_MAX + 1]);

/*
 * audit_append_stranger() - the same for failures before a proven first factor: the
 * first of a (source, reason) in a minute is appended, more are counted and appended as
 * one record with `count` when the minute ends (audit_tick()). Below 5 % of free space
 * they are counted only. ret_id is "" when nothing was appended.
 */
_must_check_ int audit_append_stranger(struct audit *audit,
				       const struct audit_event *ev, int64_t now_us,
				       char ret_id[AUDIT_ID_MAX + 1]);

/*
 * audit_start() - first of all: what was not signed when rbacd ended, then the records
 * of a new tree, a new key, or a log that was set back.
 */
_must_check_ int audit_start(struct audit *audit, int64_t now_us);
/*
 * audit_tick() - once a second: what has been counted and is due, checkpoint,
 * heartbeat, segments and retention.
 */
_must_check_ int audit_tick(struct audit *audit, int64_t now_us);
/* audit_stop() - sign what is not signed yet; the caller commits. */
_must_check_ int audit_stop(struct audit *audit);

/* The turn is durable: the pending head becomes the head, sinks get the lines. */
void audit_committed(struct audit *audit);
/* The turn is gone: the pending head falls back to the durable one. */
void audit_rolled_back(struct audit *audit);

/* audit_clock_unsynced() - records from here on say that the clock is not synchronised.
 */
void audit_clock_unsynced(struct audit *audit, bool unsynced);

/*
 * audit_observe() - @fn sees every event that is appended, and every stranger's that is
 * only counted, in the turn of it. Non-zero from @fn fails the append. NULL: nobody.
 */
typedef int audit_observe_fn(void *arg, const struct audit_event *ev, int64_t now_us);
void audit_observe(struct audit *audit, audit_observe_fn *fn, void *arg);

uint64_t audit_seq(const struct audit *audit); /* of the last durable record */
/* audit_appended_seq() - of the last record, perhaps of this turn; for an observer the
 * one it sees, unless that is a stranger's that is only counted. */
uint64_t audit_appended_seq(const struct audit *audit);

/* How the evidence is; for status and metrics. */
struct audit_status {
	uint64_t seq, signed_seq, segment_seq; /* last record, signed, in a file */
	int64_t ts_s;			       /* of the last record */
	uint64_t dropped;		       /* lines no journal or syslog took */
	int64_t unsigned_us; /* time of the oldest unsigned record; 0: none */
	const char *problem; /* static: why nothing is signed; NULL */
};
void audit_status(const struct audit *audit, struct audit_status *ret);
/* audit_dropped() - lines that no journal or syslog took; the log itself has them. */
uint64_t audit_dropped(const struct audit *audit);

/* audit_parse_id() - a public decision id back to its sequence number, check verified.
 */
_must_check_ int audit_parse_id(const struct seal *seal, const char *id,
				uint64_t *ret_seq);

/* ---------------------------------------------------------------- verification */

struct audit_verify_options {
	struct store *store;	 /* borrowed */
	const struct seal *seal; /* borrowed; NULL: head and base are not proven ours */
	const char *dir;	 /* of the segments; NULL: the database alone */
	const char *vkey;	 /* verifier key; NULL: checkpoints are not looked at */
	bool every_signature;	 /* else the newest, and one of each 1,000 records: the
				    roots of all are compared */
	int64_t now_us;
	int64_t tail_us; /* how old an unsigned record may be; 0: AUDIT_TAIL_US */
	/* Gets every record as it is checked, so that who counts need not read again.
	 * What the end says holds for all of them: until then they prove nothing.
	 * Non-zero ends the check with it: negative errno. */
	audit_view_fn *each;
	void *each_arg;
};
#define AUDIT_TAIL_US (300 * INT64_C(1000000))

struct audit_verify {
	uint64_t n_records;
	uint64_t first_seq, last_seq;
	uint64_t n_checkpoints, signed_seq;
	uint64_t bad_seq; /* first bad record, 0: none */
	char why[160];	  /* "" when the log is whole */
	uint8_t head[32], root[32];
};

/*
 * audit_verify_log() - stream the whole log: form, sequence without a gap, chain, clock
 * not going back unexplained, head and its MAC, every checkpoint against the tree and
 * none of them missing, nothing left unsigned for long, what was pruned. Works on a
 * live log, in short transactions.
 * Return: 0 whole; 1 broken, *ret says where and why; negative errno.
 */
_must_check_ int audit_verify_log(const struct audit_verify_options *opt,
				  struct audit_verify *ret);

/*
 * audit_prove() - an inclusion proof of record @seq in the newest checkpoint, as text:
 * the record, its place, the hashes and the signed checkpoint.
 * Return: 0; STORE_E_NONE: no such record, or not signed yet; STORE_E_CORRUPT: what is
 * stored does not lead to the checkpoint; negative errno.
 */
_must_check_ int audit_prove(const struct audit_verify_options *opt, uint64_t seq,
			     FILE *out);
/*
 * audit_check_proof() - such a text against a verifier key, with nothing else at hand.
 * @ret_seq: of the record proven. @ret_why: static, what is wrong.
 * Return: 0; -EBADMSG.
 */
_must_check_ int audit_check_proof(const char *proof, size_t len, const char *vkey,
				   uint64_t *ret_seq, const char **ret_why);
