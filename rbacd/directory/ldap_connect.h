/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_connect.h - a connected descriptor for an LDAP URI, within a deadline. */
#pragma once

#include "policy/base.h"

struct ldap_place {
	bool local;	/* ldapi */
	bool tls_first; /* ldaps; ldap means StartTLS */
	char host[256]; /* or the socket's path */
	char port[8];
};

/* ldap_place_parse() - a URI that the configuration accepted. false: it is none. */
bool ldap_place_parse(const char *uri, struct ldap_place *ret);
/* ldap_place_connect() - Return: 0 and a blocking descriptor; negative errno. */
_must_check_ int ldap_place_connect(const struct ldap_place *p, int wait_ms,
				    int *ret_fd);
