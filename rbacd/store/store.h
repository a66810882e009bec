/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h - durable state: people, factors, budgets, proofs, sessions, the audit log.
 *
 * The face of the one database; only files in store/ know SQL. All changes of one turn
 * of the event loop share one transaction: store_begin() is called by whoever writes
 * first, store_commit() by the loop alone. State and audit commit together or not at
 * all.
 */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

struct store;

enum {
	STORE_E_NONE = 1,  /* no such row */
	STORE_E_STALE = 2, /* compare-and-set lost: the value was already used */
	STORE_E_FULL = 3,  /* no space: nothing of this turn is kept, deny and go on */
	STORE_E_CORRUPT = 4, /* the file is damaged or not ours: stop */
	STORE_E_LIMIT = 5,   /* a bounded table is full */
};

struct store_options {
	const char *path; /* database file, in a folder of our own */
	bool read_only;	  /* rbacctl: short read transactions, never a write */
};

/*
 * store_open() - open or create the database (WAL, synchronous=FULL, 0600), check it
 * with a quick integrity check, bring the schema to the current version. Return: 0;
 * STORE_E_CORRUPT with a diagnostic that names the file, the reason and the way back
 * (rbacctl restore); negative errno with a diagnostic.
 */
_must_check_ int store_open(const struct store_options *opt, struct store **ret,
			    struct diags *diag);
void store_close(struct store *store); /* rolls an open transaction back */

/* store_begin() - start the turn's transaction; more calls in a turn cost nothing. */
_must_check_ int store_begin(struct store *store);
/* store_dirty() - true when a transaction is open. */
bool store_dirty(const struct store *store);
/*
 * store_commit() - commit and flush the turn. No open transaction: 0 at once.
 * Return: 0 durable; STORE_E_FULL rolled back cleanly before any flush; any other
 * value: the state of the disk is unknown, the caller must close, exit and recover.
 */
_must_check_ int store_commit(struct store *store);
void store_rollback(struct store *store);
/* store_idle() - checkpoint the WAL when it is worth it (idle, or over 16 MiB). */
void store_idle(struct store *store);
/* store_wal_over() - the WAL is over 16 MiB: call store_idle() although busy. */
bool store_wal_over(const struct store *store);

/* store_path() - the resolved path of the database, for messages; borrowed from @store.
 */
const char *store_path(const struct store *store);

/* store_free_percent() - free space of the store's file system, in percent. */
int store_free_percent(const struct store *store);

#define STORE_ID_MAX	 160 /* immutable person id */
#define STORE_LOGIN_MAX	 64
#define STORE_ORIGIN_MAX 64 /* "local", "2001:db8::1" */

struct store_person {
	char id[STORE_ID_MAX + 1];
	char login[STORE_LOGIN_MAX + 1]; /* at enrolment, for people to read */
	uint32_t fails;	     /* consecutive wrong codes with a proven first factor */
	uint32_t fails_told; /* wrong codes since the last accepted one, to be told */
	int64_t next_try_s;  /* no code is looked at before; 0: now */
	bool disabled;	     /* 100 consecutive, or by an administrator: bind again */
	int64_t created_s, last_ok_s;
};

_must_check_ int store_person_get(struct store *store, const char *id,
				  struct store_person *ret); /* STORE_E_NONE */
_must_check_ int store_person_put(struct store *store, const struct store_person *p);
_must_check_ int store_person_delete(struct store *store,
				     const char *id); /* and all of it */
/* store_person_each() - in order of login; stops when @fn returns non-zero, returns
 * that. */
_must_check_ int store_person_each(struct store *store,
				   int (*fn)(const struct store_person *, void *),
				   void *arg);

/* Failures per day, for the rolling year. @day: days since 1970 UTC. */
_must_check_ int store_fail_add(struct store *store, const char *person, int64_t day);
_must_check_ int store_fail_sum(struct store *store, const char *person,
				int64_t from_day, uint32_t *ret);
_must_check_ int store_fail_prune(struct store *store, const char *person,
				  int64_t before_day);

enum store_factor_status {
	STORE_FACTOR_PENDING = 1,
	STORE_FACTOR_ACTIVE,
	STORE_FACTOR_DISABLED
};
enum store_factor_kind {
	STORE_FACTOR_TOTP = 1,
	STORE_FACTOR_HOTP,
	STORE_FACTOR_KEY /* a FIDO key's fingerprint; no code ever fits it */
};
enum store_hash { STORE_SHA1 = 1, STORE_SHA256, STORE_SHA512 };

#define STORE_SEALED_MAX 256

struct store_factor {
	int64_t id; /* 0: not stored yet */
	char person[STORE_ID_MAX + 1];
	char name[33]; /* one of the person's names only once */
	enum store_factor_kind kind;
	enum store_factor_status status;
	enum store_hash hash;
	uint8_t digits;
	uint16_t period_s; /* TOTP; 0 otherwise */
	int16_t drift;	   /* TOTP: steps, learnt from successes */
	int64_t last_step; /* highest step or counter accepted; -1: none */
	int64_t created_s, last_ok_s;
	size_t sealed_len;
	uint8_t sealed[STORE_SEALED_MAX];
};

#define STORE_FACTORS_MAX 8 /* per person */
_must_check_ int store_factor_list(struct store *store, const char *person,
				   struct store_factor ret[STORE_FACTORS_MAX],
				   size_t *ret_n);
_must_check_ int store_factor_put(struct store *store,
				  struct store_factor *f); /* sets id */
_must_check_ int store_factor_delete(struct store *store, int64_t id);
/*
 * store_factor_accept() - the single use: set last_step to @step only if it is greater.
 * Return: 0; STORE_E_STALE when @step or a later one was used before.
 */
_must_check_ int store_factor_accept(struct store *store, int64_t id, int64_t step,
				     int16_t drift, int64_t now_s);

/* store_factor_count() - how many there are, for metrics. Cost: one pass. */
struct store_factor_counts {
	uint64_t pending, active, disabled;
	uint64_t people, people_disabled, alerts_open;
};
_must_check_ int store_factor_count(struct store *store,
				    struct store_factor_counts *ret);

/* Recovery and bypass codes: keyed MACs, counted down to nothing. */
enum store_code_kind { STORE_CODE_RECOVERY = 1, STORE_CODE_BYPASS = 2 };
_must_check_ int store_code_add(struct store *store, const char *person,
				enum store_code_kind kind, const uint8_t mac[32],
				uint32_t uses, int64_t expires_s, int64_t now_s);
/* store_code_use() - 0 and one use less; STORE_E_NONE: unknown, expired or used up. */
_must_check_ int store_code_use(struct store *store, const char *person,
				const uint8_t mac[32], int64_t now_s,
				enum store_code_kind *ret_kind, uint32_t *ret_left);
_must_check_ int store_code_clear(struct store *store, const char *person,
				  enum store_code_kind kind);
/* store_code_clear_ending() - everybody's codes that have an end. */
_must_check_ int store_code_clear_ending(struct store *store);
/* store_code_left() - recovery codes still unused. */
_must_check_ int store_code_left(struct store *store, const char *person,
				 uint32_t *ret);

/* Budgets before a proven first factor, by keyed hash; a bounded table. */
struct store_budget {
	uint8_t key[32];
	uint32_t fails;
	int64_t next_try_s;
	int64_t touched_s;
};
/* Full: STORE_E_LIMIT, and unknown keys are delayed. */
#define STORE_BUDGETS_MAX 65536
_must_check_ int store_budget_get(struct store *store, const uint8_t key[32],
				  struct store_budget *ret); /* none: zeroes, 0 */
_must_check_ int store_budget_put(struct store *store, const struct store_budget *b);
_must_check_ int store_budget_prune(struct store *store, int64_t before_s);

/* A remembered proof: found by key, never by a token from outside. */
struct store_proof {
	char person[STORE_ID_MAX + 1];
	char vm[254];
	char origin[STORE_ORIGIN_MAX + 1];
	int64_t at_s;
	uint32_t method; /* enum policy_method */
};
_must_check_ int store_proof_put(struct store *store, const struct store_proof *p);
_must_check_ int store_proof_get(struct store *store, const char *person,
				 const char *vm, const char *origin,
				 struct store_proof *ret);
_must_check_ int store_proof_clear(struct store *store, const char *person);
_must_check_ int store_proof_clear_all(struct store *store);
/* store_proof_each() - newest first; @person: "" for everybody's; stops as
 * store_person_each(). */
_must_check_ int store_proof_each(struct store *store, const char *person,
				  int (*fn)(const struct store_proof *, void *),
				  void *arg);
_must_check_ int store_proof_prune(struct store *store, int64_t before_s);

/* Audit sessions: S on this boot -> person and origin; dropped at close. */
struct store_session {
	char boot[37];
	uint32_t session;
	char person[STORE_ID_MAX + 1];
	char origin[STORE_ORIGIN_MAX + 1];
	char vmsec_id[33];
	int64_t opened_s;
	int32_t pid; /* of the process that keeps it open; 0: not known */
};
_must_check_ int store_session_put(struct store *store, const struct store_session *s);
_must_check_ int store_session_get(struct store *store, const char *boot,
				   uint32_t session, struct store_session *ret);
_must_check_ int store_session_delete(struct store *store, const char *boot,
				      uint32_t session);
/* store_session_prune() - drop every session of another boot. */
_must_check_ int store_session_prune(struct store *store, const char *boot);

#define STORE_TREE_MAX (64 * 32)

/*
 * store_session_count() - sessions of a person that are open on this boot.
 * @alive: false for those whose process is gone: nobody has said that they ended.
 */
_must_check_ int store_session_count(struct store *store, const char *boot,
				     const char *person, bool (*alive)(int32_t pid),
				     uint32_t *ret);

/*
 * Seats: logins that were allowed under a limit and are not open yet, by the public id
 * of their decision; or open where the kernel gives no audit session.
 */
struct store_seat {
	const char *boot, *id, *person; /* borrowed */
};
/* store_seat_put() - taken until @until_s, unless it is opened before. */
_must_check_ int store_seat_put(struct store *store, const struct store_seat *seat,
				int64_t until_s);
/* store_seat_open() - held by process @pid from now on; nothing when there is none. */
_must_check_ int store_seat_open(struct store *store, const struct store_seat *seat,
				 int32_t pid);
_must_check_ int store_seat_delete(struct store *store, const struct store_seat *seat);
/* store_seat_count() - those of a person that are taken; @alive as above. */
_must_check_ int store_seat_count(struct store *store, const struct store_seat *of,
				  int64_t now_s, bool (*alive)(int32_t pid),
				  uint32_t *ret);
/* store_seat_prune() - drop what is over, and every seat of another boot. */
_must_check_ int store_seat_prune(struct store *store, const char *boot, int64_t now_s);

/* Operational locks: beside the policy, each with an end. */
#define STORE_LOCKS_MAX 1000
struct store_lock {
	char what[272];		       /* policy_lock_text() */
	char person[STORE_ID_MAX + 1]; /* of user:NAME, when it was known; else "" */
	int64_t until_s, at_s;
	char by[32]; /* "uid:0" */
	char why[256];
};
_must_check_ int store_lock_put(struct store *store,
				const struct store_lock *lock); /* STORE_E_LIMIT */
_must_check_ int store_lock_delete(struct store *store,
				   const char *what); /* STORE_E_NONE */
_must_check_ int store_lock_prune(struct store *store, int64_t now_s);
/* store_lock_each() - in order of @what; stops as store_person_each(). */
_must_check_ int store_lock_each(struct store *store,
				 int (*fn)(const struct store_lock *lock, void *arg),
				 void *arg);

/* When a grant was reviewed; first, when it was first seen active. */
struct store_review {
	int64_t at_s;
	bool seen; /* nobody reviewed it yet: @at_s is its first activation */
	char by[32];
	char why[256];
};
_must_check_ int store_review_get(struct store *store, const char *grant,
				  struct store_review *ret); /* STORE_E_NONE */
_must_check_ int store_review_put(struct store *store, const char *grant,
				  const struct store_review *review);

/* Policies that were active, by digest. */
struct store_activation {
	char sha[65];
	uint64_t serial;
	int64_t at_s;
};
_must_check_ int store_activation_get(struct store *store, const char *sha,
				      int64_t *ret_s); /* STORE_E_NONE */
/* store_activation_last() - the one that became active last. */
_must_check_ int store_activation_last(struct store *store,
				       struct store_activation *ret);
_must_check_ int store_activation_put(struct store *store,
				      const struct store_activation *a);

/* Passwords as far as vmsec saw them change; the one in force stands elsewhere. */
#define STORE_CRYPT_MAX 127 /* a yescrypt string of crypt(5) */
#define STORE_OLD_MAX	100 /* former passwords of a person */
struct store_password {
	char person[STORE_ID_MAX + 1];
	char login[STORE_LOGIN_MAX + 1]; /* when it was written last */
	int64_t seen_s;	   /* first seen: its age counts from here without a change */
	int64_t changed_s; /* the last change that was confirmed; 0: none */
	uint32_t forced;   /* enum ageing_why; 0: no change is demanded */
	int64_t forced_s;
	char forced_by[32]; /* "uid:0" */
	char forced_why[256];
	/* A new one was found good and its change is not confirmed yet; 0: none. */
	int64_t ticket_s;
	uint8_t ticket[32];		   /* digest of the ticket */
	bool ticket_other;		   /* somebody else sets it */
	char pending[STORE_CRYPT_MAX + 1]; /* "": not to be remembered */
};
_must_check_ int store_password_get(struct store *store, const char *person,
				    struct store_password *ret); /* STORE_E_NONE */
_must_check_ int store_password_put(struct store *store,
				    const struct store_password *p);
/* store_password_each() - in order of login; stops as store_person_each(). */
_must_check_ int
store_password_each(struct store *store,
		    int (*fn)(const struct store_password *p, void *arg), void *arg);

struct store_old {
	char hash[STORE_CRYPT_MAX + 1];
};
/* store_password_old() - the newest former passwords, at most @max. */
_must_check_ int store_password_old(struct store *store, const char *person, size_t max,
				    struct store_old ret[STORE_OLD_MAX], size_t *ret_n);
/* store_password_old_add() - remember one more, keep the newest @keep. */
_must_check_ int store_password_old_add(struct store *store, const char *person,
					const char *hash, size_t keep);

/* The audit log: lines by sequence number, and the head with its MAC. */
struct store_head {
	uint64_t seq; /* of the last record; records start at 1; 0: none */
	uint8_t hash[32];
	uint8_t mac[32];
	int64_t ts_s;
	size_t tree_len;	      /* 0: written by a version without a tree */
	uint8_t tree[STORE_TREE_MAX]; /* the tree's frontier */
};
/*
 * store_seal_heads() - @fn puts tree and MAC into a head, once a turn, when it is
 * written: the heads in between are never seen by anybody. Non-zero from @fn fails the
 * commit.
 */
typedef int store_seal_fn(void *arg, struct store_head *head);
void store_seal_heads(struct store *store, store_seal_fn *fn, void *arg);
_must_check_ int store_audit_append(struct store *store, uint64_t seq, const char *line,
				    size_t len, const struct store_head *head);
_must_check_ int store_audit_head(struct store *store, struct store_head *ret);
/* store_audit_each() - lines from @seq on, in order; stops as store_person_each(). */
_must_check_ int store_audit_each(struct store *store, uint64_t seq,
				  int (*fn)(uint64_t seq, const char *line, size_t len,
					    void *arg),
				  void *arg);
_must_check_ int store_audit_get(struct store *store, uint64_t seq, char *buf,
				 size_t cap, size_t *ret_len);

/* store_audit_first() - the oldest line kept here; 0: none. */
_must_check_ int store_audit_first(struct store *store, uint64_t *ret);
/* store_audit_prune() - drop lines and checkpoints before @seq from the database. */
_must_check_ int store_audit_prune(struct store *store, uint64_t seq);

/* Signed checkpoints, by the size of the tree that they sign. */
#define STORE_NOTE_MAX 1024
_must_check_ int store_checkpoint_put(struct store *store, uint64_t seq,
				      const char *note, size_t len);
/* store_checkpoint_last() - the newest at or below @seq; STORE_E_NONE. */
_must_check_ int store_checkpoint_last(struct store *store, uint64_t seq,
				       uint64_t *ret_seq, char *buf, size_t cap,
				       size_t *ret_len);
/* store_checkpoint_each() - from @seq on, in order; stops as store_person_each(). */
_must_check_ int store_checkpoint_each(struct store *store, uint64_t seq,
				       int (*fn)(uint64_t seq, const char *note,
						 size_t len, void *arg),
				       void *arg);

/* When something was last seen, by hash; a bounded table. */
#define STORE_SEEN_MAX 262144
_must_check_ int store_seen_get(struct store *store, const uint8_t key[32],
				int64_t *ret_s); /* STORE_E_NONE */
_must_check_ int store_seen_put(struct store *store, const uint8_t key[32],
				int64_t at_s); /* STORE_E_LIMIT */
/* store_seen_prune() - drop what is older, when there are more than @keep_n. */
_must_check_ int store_seen_prune(struct store *store, int64_t before_s,
				  int64_t keep_n);

/*
 * Alerts that were raised, at most STORE_ALERTS_MAX. Room is made by those that
 * somebody has acknowledged, then by the kind of which most are open, the mildest and
 * oldest first: no noise pushes out the one open alert of another kind.
 */
#define STORE_ALERTS_MAX 1024
struct store_alert {
	uint64_t seq; /* of its record */
	int64_t at_s;
	int sev; /* enum audit_sev */
	char name[33];
	char subject[129];
	char evidence[257];
	int64_t acked_s; /* 0: open */
	char acked_by[33];
};
_must_check_ int store_alert_put(struct store *store, const struct store_alert *a);
/* store_alert_each() - newest first; stops as store_person_each(). */
_must_check_ int store_alert_each(struct store *store,
				  int (*fn)(const struct store_alert *, void *),
				  void *arg);
/* store_alert_open() - whether one of this name is not acknowledged. */
_must_check_ int store_alert_open(struct store *store, const char *name, bool *ret);
/* store_alert_ack() - STORE_E_NONE: no such open alert. */
_must_check_ int store_alert_ack(struct store *store, uint64_t seq, int64_t now_s,
				 const char *by);

/* Small values by name: policy serials, clock marks. */
_must_check_ int store_meta_get(struct store *store, const char *name, void *buf,
				size_t cap, size_t *ret_len);
_must_check_ int store_meta_put(struct store *store, const char *name, const void *buf,
				size_t len);

/*
 * store_burn() - everything that could have been used up to @at_s and is not known to
 * be, is: each time-based factor's last step is raised beyond it, counters want two
 * codes, recovery and bypass codes, proofs and sessions are gone. Failures stay.
 */
_must_check_ int store_burn(struct store *store, int64_t at_s);

/* store_backup() - copy the live database to a new file (0600, O_EXCL), consistently.
 */
_must_check_ int store_backup(struct store *store, const char *path,
			      struct diags *diag);
/*
 * store_restore() - put @backup in place of the database at @path (daemon stopped):
 * checks it, burns every code that could have been used since (each factor's last_step
 * is raised to the step after now; codes marked used in the old file stay used, and
 * without a readable old file all recovery and bypass codes are void), renames the old
 * file aside.
 */
_must_check_ int store_restore(const char *path, const char *backup, int64_t now_s,
			       struct diags *diag);
