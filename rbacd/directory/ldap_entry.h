/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_entry.h - what one entry says about a person or a group; strict, no state. */
#pragma once

#include "rbacd/directory/ldap_map.h"

#define LDAP_SID_MAX 68 /* binary, 15 parts */

struct ldap_sid {
	size_t len; /* 0: none */
	uint8_t bytes[LDAP_SID_MAX];
};

struct ldap_person {
	char login[SNAPSHOT_LOGIN_MAX + 1];
	uint32_t uid, flags;
	int64_t expires_s;
	struct ldap_sid primary; /* of the primary group */
};

struct ldap_group {
	char name[SNAPSHOT_GROUP_MAX + 1]; /* folded as caseIgnoreMatch; "": none or
					      several */
	struct ldap_sid sid;
};

/*
 * ldap_entry_id(), ldap_entry_person() - Return: 0; an enum ldap_drop.
 */
_must_check_ int ldap_entry_id(const struct ldap_schema *s, const struct ldap_entry *e,
			       struct ldap_id *ret);
_must_check_ int ldap_entry_person(const struct ldap_schema *s,
				   const struct ldap_entry *e, struct ldap_person *ret);
void ldap_entry_group(const struct ldap_schema *s, const struct ldap_entry *e,
		      struct ldap_group *ret);

/*
 * ldap_attr_members() - does @a hold members, and how are they written? @ret_start,
 * @ret_next: of a range; next 0: the last one. Return: enum ldap_member_form; 0: no
 * members; -1: members with an option that is not understood.
 */
int ldap_attr_members(const struct ldap_schema *s, const struct ldap_attr *a,
		      uint64_t *ret_start, uint64_t *ret_next);

/* ldap_id_parse() - as people write it: 36 or 35 characters. */
bool ldap_id_parse(enum ldap_id_form form, const char *text, size_t len,
		   struct ldap_id *ret);
