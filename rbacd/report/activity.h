/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activity.h - what the log says about a period, counted in one pass: who used what
 * when, what was refused and why, and every change that somebody made.
 */
#pragma once

#include "rbacd/audit/reader.h"
#include "rbacd/report/index.h"

/* Sources are what strangers choose: more are counted together. */
#define ACTIVITY_SOURCES_MAX 20000
#define ACTIVITY_EVENTS_MAX  200000

/* One person's use of one privilege on one VM. */
struct activity_use {
	uint32_t person;
	uint32_t next;	       /* the same person's next use, + 1; 0: none */
	const char *vm, *priv; /* "su:postgres" */
	uint64_t n, n_strong;  /* n_strong: with a security key */
	int64_t first_s, last_s;
};

struct activity_person {
	const char *id, *login;
	uint32_t uses; /* first, + 1; 0: none */
	uint64_t n_allow, n_deny;
	int64_t first_allow_s, last_allow_s, last_deny_s;
	/* the second factor */
	uint64_t n_ok, n_bad, n_replay, n_locked, n_strong, n_recovery;
	int64_t last_ok_s;
	int64_t t_delta; /* of the last accepted code; INT64_MIN: none */
	const char *method;
};

struct activity_count {
	const char *text;
	uint64_t n_allow, n_deny;
	int64_t last_s;
};

struct activity_counts {
	struct index index;
	struct activity_count *v; /* owned */
	size_t cap;
	uint64_t n_other; /* of texts beyond the bound */
};

/* A change, a start, an alert: everything that is no login. */
struct activity_event {
	uint64_t seq;
	int64_t at_s;
	const char *ev, *op, *actor, *user, *id, *object, *before, *after, *why,
		*outcome, *sev, *reason; /* owned by the activity; NULL: absent */
};

struct activity_day {
	uint64_t n_allow, n_deny;
};

/* What is counted: a period, and decisions about one person or one VM alone. */
struct activity_scope {
	int64_t since_s, until_s;
	const char *user, *vm; /* borrowed; NULL: all. What is no decision counts. */
	int64_t events_s; /* changes are kept from here on, if that is earlier; 0: no */
};

struct activity {
	int64_t since_s, until_s, events_s;
	const char *user, *vm; /* of the scope */
	struct audit_coverage coverage;
	struct index ids, names, uses_index; /* names: VMs, privileges, logins … */
	struct activity_person *people;	     /* owned, as all arrays here */
	struct activity_use *uses;
	size_t people_cap, uses_cap;
	struct activity_counts reasons, sources, hosts, vms, services;
	/* By reason: refused (deny), and demanded at a login that was allowed (allow).
	 */
	struct activity_counts passwords;
	uint64_t n_passwords_good, n_passwords_changed;
	struct activity_event *events;
	size_t n_events, events_cap;
	uint64_t n_events_lost; /* beyond the bound */
	struct activity_day *days;
	size_t n_days;
	uint64_t heat[24][7]; /* by hour, by weekday from Monday */
	uint64_t n_allow, n_deny, n_sessions, n_lockouts, n_replays, n_unknown;
	uint64_t lat[5]; /* decisions up to 1, 5, 20, 100 ms, and more */
};

/*
 * activity_read() - count the records with since_s <= time < until_s.
 * Return: 0; STORE_E_CORRUPT, negative errno.
 */
_must_check_ int activity_read(struct audit_reader *reader,
			       const struct activity_scope *scope,
			       struct activity *ret);
/*
 * activity_see() - one more record, in order, from whoever reads them: counted, with
 * the coverage, when it lies in the period of activity_init(). Return: 0; -ENOMEM.
 */
_must_check_ int activity_see(struct activity *a, const struct audit_view *view);
/* activity_init() - an empty period. Return: 0; -ENOMEM; -EINVAL for a bad period. */
_must_check_ int activity_init(struct activity *a, const struct activity_scope *scope);
void activity_done(struct activity *a);
#define _cleanup_activity_ _cleanup_(activity_done)

/* activity_from_s() - before this nothing is known: the period's start, or the log's.
 */
int64_t activity_from_s(const struct activity *a);

/* activity_first_event() - the first of events[] that lies in the period. */
size_t activity_first_event(const struct activity *a);

/* activity_end() - all was read: silence up to the period's end, or to @known_s if that
 * is earlier, is part of the coverage. */
void activity_end(struct activity *a, int64_t known_s);

/* activity_idle_days() - whole days from @last_s to @now_s; a use after that is none.
 */
static inline int64_t activity_idle_days(int64_t last_s, int64_t now_s)
{
	return last_s < now_s ? (now_s - last_s) / 86400 : 0;
}

/* activity_person() - by immutable id; NULL: nothing in the period. */
const struct activity_person *activity_person(const struct activity *a, const char *id);
/* activity_use() - a person's use of a privilege on a VM; NULL: none. */
const struct activity_use *activity_use(const struct activity *a,
					const struct activity_person *person,
					const char *vm, const char *priv);
