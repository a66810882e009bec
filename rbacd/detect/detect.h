/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect.h - detections: patterns over the events of the audit log, in bounded tables.
 *
 * Fed with every event as it is recorded or counted; what it finds waits in a queue for
 * alert.c, which makes records of it. It refuses nobody: a detection that is wrong
 * costs a line, not a login.
 */
#pragma once

#include "rbacd/audit/audit.h"
#include "rbacd/config.h"

enum detection {
	DETECT_REPLAY,	    /* a used code again, from another source */
	DETECT_SPRAY,	    /* one source, many people, many failures */
	DETECT_ACCOUNT,	    /* many failures on one account */
	DETECT_WRONG_CODES, /* many wrong codes after a right first factor */
	DETECT_DORMANT,	    /* an account used after a long time */
	DETECT_FIRST_USE,   /* a privilege used after a long time, or never before */
	DETECT_BREAK_GLASS, /* rescue login, bypass code made or used */
	DETECT_LOG,	    /* chain, checkpoint: the log is not as it should be */
	DETECT_CLOCK,	    /* the wall clock jumped */
	DETECT_DIRECTORY,   /* no rbacd-dir */
	DETECT_POLICY,	    /* a new policy opens much that the old one did not */
	DETECT_N,
};

/* detect_name() - stable identifier: "replay", "spray"; static. */
const char *detect_name(enum detection what);

#define DETECT_TEXT_MAX 256

struct detect_alert {
	enum detection what;
	enum audit_sev sev;
	char user[65], src[65]; /* "" when it is about neither */
	char evidence[DETECT_TEXT_MAX];
};

struct detect;

/*
 * detect_new() - @limits and @store borrowed; @since_s: from when on uses are known.
 */
_must_check_ int detect_new(const struct config_alerts *limits, struct store *store,
			    int64_t since_s, struct detect **ret);
void detect_free(struct detect *detect);

/*
 * detect_event() - an event that was recorded, or a stranger's that was counted.
 * Return: 0; the error of the turn: what was seen could not be kept.
 */
_must_check_ int detect_event(struct detect *detect, const struct audit_event *ev,
			      int64_t now_s);

/*
 * detect_idle() - how long the account of @uid was not used.
 * @ret_idle_s: INT64_MAX: never seen. Return: 0; negative errno or the store's error.
 */
_must_check_ int detect_idle(struct detect *detect, const char *uid, int64_t now_s,
			     int64_t *ret_idle_s);

/*
 * detect_raise() - something that is no event. The same detection about the same
 * subject is raised once in `quiet` seconds; each policy is a subject of its own.
 */
void detect_raise(struct detect *detect, const struct detect_alert *alert,
		  int64_t now_s);

/* detect_next() - the oldest alert in the queue, taken out. false: none. */
bool detect_next(struct detect *detect, struct detect_alert *ret);
/* detect_lost() - alerts that found the queue full. */
uint64_t detect_lost(const struct detect *detect);
