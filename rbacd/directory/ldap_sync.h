/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_sync.h - content synchronisation (RFC 4533, refreshAndPersist) of one search
 * into the map.
 *
 * Not libldap's ldap_sync_*: 2.5 handles the first of several messages that came
 * together several times and drops the others, so a revocation could be lost.
 */
#pragma once

#include "rbacd/directory/ldap_conn.h"

enum {
	LDAP_SYNC_E_RELOAD = 50, /* the cookie is void: start again without it */
	LDAP_SYNC_E_NONE = 51	 /* the server does not offer it here */
};

struct ldap_sync {
	struct ldap_map *map; /* borrowed */
	enum ldap_kind kind;
	int msgid;
	struct berval cookie; /* owned; of a map after its refresh, never newer */
	bool resumed;	/* a cookie was sent: what is not mentioned is unchanged */
	bool swept;	/* what was not mentioned is forgotten */
	bool refreshed; /* everything there is has been said once */
	uint64_t n_changes;
};

/*
 * ldap_sync_start() - send the search, with the cookie if there is one; the map's
 * refresh begins. Return: 0; LDAP_CONN_E_FAILED.
 */
_must_check_ int ldap_sync_start(struct ldap_sync *s, struct ldap_conn *c,
				 const struct ldap_search *search);
/*
 * ldap_sync_take() - one message of this search. Return: 0; LDAP_SYNC_E_RELOAD;
 * LDAP_SYNC_E_NONE; LDAP_CONN_E_FAILED: the connection must end; -ENOMEM.
 */
_must_check_ int ldap_sync_take(struct ldap_sync *s, struct ldap_conn *c,
				LDAPMessage *m);
void ldap_sync_forget(struct ldap_sync *s); /* drops the cookie */
