/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_conn.h - one connection to one LDAP server: connected, encrypted, bound, or not
 * there at all. In the follower's process only.
 *
 * libldap's own timeouts do not hold (half a message, a silent TLS server), so the
 * descriptor is ours and a timer shuts it down at the deadline: whatever libldap waits
 * for then ends with an error. What does not end even so is killed from outside
 * (supervise.h).
 */
#pragma once

#include <ldap.h>

#include "policy/base.h"
#include "rbacd/config.h"
#include "rbacd/directory/ldap_map.h"

#define LDAP_CONN_WHY_MAX 255

enum {
	LDAP_CONN_E_FAILED = 1, /* the connection is of no more use; @why says it */
	LDAP_CONN_E_REFUSED,	/* the server refused this operation; it goes on */
	LDAP_CONN_E_NONE,	/* no such entry */
};

#define LDAP_CONN_MESSAGE_MAX (96u << 20) /* one answer: a million members fit */

/* What the root entry says. */
struct ldap_server {
	char kind[64]; /* "OpenLDAP", "389 Directory Server", "Active Directory" */
	bool sync;     /* RFC 4533 */
	bool paged;    /* RFC 2696 */
	bool whoami;   /* RFC 4532 */
	uint64_t usn;  /* highestCommittedUSN, 0: none */
	char dsa[LDAP_DN_MAX + 1]; /* dsServiceName: a uSN counts on this server only */
};

struct ldap_conn_options {
	const struct config_ldap *config; /* borrowed, as all here */
	const char *uri;
	const struct secret *password; /* simple bind */
	void (*beat)(void *arg);       /* called at every step forward */
	void *arg;
};

struct ldap_conn;

/*
 * ldap_conn_open() - connect, TLS with the pinned CA, bind, ask who we are, read the
 * root entry. Nothing is sent before TLS but StartTLS itself; an empty name or password
 * never reaches libldap. Return: 0; LDAP_CONN_E_FAILED with @why; -ENOMEM.
 */
_must_check_ int ldap_conn_open(const struct ldap_conn_options *o,
				struct ldap_conn **ret,
				char why[LDAP_CONN_WHY_MAX + 1]);
void ldap_conn_close(struct ldap_conn *c); /* NULL is a no-op */
const struct ldap_server *ldap_conn_server(const struct ldap_conn *c);
LDAP *ldap_conn_handle(const struct ldap_conn *c);
int ldap_conn_fd(const struct ldap_conn *c);
/* ldap_conn_why() - the last failure in words. */
const char *ldap_conn_why(const struct ldap_conn *c);

/* ldap_conn_beat() - a step forward, for the watchdog. */
void ldap_conn_beat(struct ldap_conn *c);

/* ldap_conn_deadline() - shut the descriptor down in @ms; 0: no more. */
void ldap_conn_deadline(struct ldap_conn *c, int ms);
#define LDAP_CONN_STEP_MS 15000 /* until the next message */

/*
 * ldap_conn_next() - one message that has come for @msgid (LDAP_RES_ANY: any), waiting
 * @wait_ms for it. Return: 0 with *ret, to be freed with ldap_msgfree(), NULL: nothing
 * came; LDAP_CONN_E_FAILED.
 */
_must_check_ int ldap_conn_next(struct ldap_conn *c, int msgid, int wait_ms,
				LDAPMessage **ret);

/* One entry of an answer, given to @fn; non-zero ends the search and is returned. */
typedef int (*ldap_entry_fn)(void *arg, const struct ldap_entry *e);
_must_check_ int ldap_conn_entry(struct ldap_conn *c, LDAPMessage *m,
				 const struct ldap_id *id, ldap_entry_fn fn, void *arg);

struct ldap_search {
	const char *base, *filter;
	int scope;
	const char *const *attrs; /* ends with NULL */
};
/*
 * ldap_conn_search() - a whole search, in pages where the server has them. No
 * referrals, no aliases. Return: 0 when the server said that it is complete;
 * LDAP_CONN_E_*; what @fn returned; -ENOMEM.
 */
_must_check_ int ldap_conn_search(struct ldap_conn *c, const struct ldap_search *s,
				  ldap_entry_fn fn, void *arg);
/* ldap_conn_fail() - remember a failure with libldap's words. Always E_FAILED. */
int ldap_conn_fail(struct ldap_conn *c, const char *doing, int ldap_error);
