/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_schema.h - how a directory names things: one preset a kind of server.
 *
 * Pure data. `schema: custom` starts from a preset's values and replaces some.
 */
#pragma once

#include "policy/base.h"

#define LDAP_ATTR_MAX	64 /* bytes of an attribute's name */
#define LDAP_FILTER_MAX 512
#define LDAP_ATTRS_MAX	16 /* attributes asked for, per kind of entry */

/* How the 16 bytes of an immutable id are written by the server and by people. */
enum ldap_id_form {
	LDAP_ID_UUID = 1, /* entryUUID: 8-4-4-4-12 hex digits */
	LDAP_ID_NSUNIQUE, /* nsUniqueId: 8-8-8-8 hex digits */
	LDAP_ID_GUID, /* objectGUID: 16 bytes, the first three parts little endian */
};

/* Where the members of a group stand; bits. */
enum ldap_member_form {
	LDAP_MEMBER_DN = 1u << 0,      /* member: a DN, also of a group */
	LDAP_MEMBER_UNIQUE = 1u << 1,  /* uniqueMember: a DN, maybe with #'...'B */
	LDAP_MEMBER_UID = 1u << 2,     /* memberUid: a login */
	LDAP_MEMBER_PRIMARY = 1u << 3, /* AD: primaryGroupID on the person */
};

/* What tells that an account is off; bits, all that apply are looked at. */
enum ldap_status_form {
	LDAP_STATUS_SHADOW = 1u << 0,  /* shadowExpire: days since 1970 */
	LDAP_STATUS_PPOLICY = 1u << 1, /* pwdAccountLockedTime */
	LDAP_STATUS_NS = 1u << 2,      /* nsAccountLock */
	LDAP_STATUS_AD = 1u << 3,      /* userAccountControl, accountExpires */
};

/* What a server without LDAP sync is polled by. */
enum ldap_stamp_form {
	LDAP_STAMP_TIME = 1, /* modifyTimestamp */
	LDAP_STAMP_CSN,	     /* entryCSN: finer, OpenLDAP */
	LDAP_STAMP_USN,	     /* uSNChanged: AD, one number a server */
};

struct ldap_schema {
	const char *name; /* static or owned by the configuration, as all strings */
	const char *user_filter, *group_filter; /* whole filters with their brackets */
	const char *login;			/* attribute: uid, sAMAccountName */
	const char *uid;			/* attribute: uidNumber */
	bool uid_optional; /* without one a person is SNAPSHOT_NO_UID, not dropped */
	const char *group_name; /* attribute: cn, sAMAccountName */
	const char *id;		/* attribute: entryUUID, nsUniqueId, objectGUID */
	enum ldap_id_form id_form;
	const char *member; /* attribute with DNs; NULL without LDAP_MEMBER_DN */
	unsigned members;   /* enum ldap_member_form */
	unsigned status;    /* enum ldap_status_form */
	enum ldap_stamp_form stamp;
};

/* ldap_schema_find() - the preset rfc2307, rfc2307bis, ipa or ad; NULL: none. */
const struct ldap_schema *ldap_schema_find(const char *name);

/*
 * ldap_schema_user_attrs(), ldap_schema_group_attrs(), ldap_schema_member_attrs() -
 * what to ask of a person, of a group without its members, of a group's members. Ends
 * with NULL; the strings are the schema's. The stamp attribute is not among them.
 */
void ldap_schema_user_attrs(const struct ldap_schema *s,
			    const char *ret[LDAP_ATTRS_MAX]);
void ldap_schema_group_attrs(const struct ldap_schema *s,
			     const char *ret[LDAP_ATTRS_MAX]);
void ldap_schema_member_attrs(const struct ldap_schema *s,
			      const char *ret[LDAP_ATTRS_MAX]);
/* ldap_schema_stamp() - the attribute that the server is polled by. */
const char *ldap_schema_stamp(const struct ldap_schema *s);
