/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - every bound of rbacd; hitting one is logged and counted. */
#pragma once

/* Connections. A quarter of the pam.sock table is kept for consoles and uid 0. */
#define LIMIT_PAM_CONNS	   4096
#define LIMIT_PAM_RESERVED (LIMIT_PAM_CONNS / 4)
#define LIMIT_PER_INVOKER  16 /* pending, per login uid or PAM_RUSER */
#define LIMIT_PER_SOURCE   32 /* pending, per source address */
#define LIMIT_PER_SERVICE  (LIMIT_PAM_CONNS / 2) /* pending, per kind of service */
#define LIMIT_ADMIN_CONNS  32
#define LIMIT_USER_CONNS   256
#define LIMIT_USER_LOOKUPS 4 /* directory questions in all, when user.sock adds one */
#define LIMIT_USER_PER_UID 8
/* Accepted and read in one turn of the loop. What waits behind shares the next flush:
 * a longer turn saves little and makes everybody in it wait for its end. */
#define LIMIT_TURN_REQUESTS 64
#define LIMIT_TURN_USER	    8 /* of user.sock, where anybody may knock */
#define LIMIT_BACKLOG	    4096
#define LIMIT_FDS_RESERVED  32 /* log, database, journal, dir link */

/* Time. */
#define LIMIT_TELL_MS	     60000  /* between two log lines about the same limit */
#define LIMIT_FRAME_MS	     5000   /* a connection without its first frame */
#define LIMIT_PENDING_MS     120000 /* a transaction waiting for an answer */
#define LIMIT_ENROL_MS	     600000 /* an enrolment in a login, in all */
#define LIMIT_HANDLE_S	     120    /* from auth accepted to account */
#define LIMIT_SEAT_S	     120    /* from allowed to its session, under a limit */
#define LIMIT_LOOKUP_MS	     2000   /* rbacd-dir, one person */
#define LIMIT_PERSON_FRESH_S 10	    /* nss: a younger entry needs no look-up */
#define LIMIT_SLOW_COMMIT_MS 1000
#define LIMIT_NOTICES_MIN    60 /* records that rbacd-dir may cause in a minute */
/* Failures leave at a multiple of this after arrival. */
#define LIMIT_EQUAL_STEP_MS 50

/* Sizes. */
#define LIMIT_HANDLES	     4096  /* accepted auth phases waiting for their account */
#define LIMIT_PEOPLE_CACHED  16384 /* nss entries */
#define LIMIT_TURNS	     3	   /* questions in one transaction */
#define LIMIT_ENROLMENTS     64	   /* shown at the same time; one a person */
#define LIMIT_OUT_BYTES	     (16u << 20) /* queued toward one admin connection */
#define LIMIT_SNAPSHOT_BYTES (256u << 20)
