/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_schema.c - the presets, and the attributes that each needs. */

#include "rbacd/directory/ldap_schema.h"

static const struct ldap_schema presets[] = {
	{
		.name = "rfc2307",
		.user_filter = "(objectClass=posixAccount)",
		.group_filter = "(objectClass=posixGroup)",
		.login = "uid",
		.uid = "uidNumber",
		.group_name = "cn",
		.id = "entryUUID",
		.id_form = LDAP_ID_UUID,
		.members = LDAP_MEMBER_UID,
		.status = LDAP_STATUS_SHADOW | LDAP_STATUS_PPOLICY,
		.stamp = LDAP_STAMP_TIME,
	},
	{
		.name = "rfc2307bis",
		.user_filter = "(objectClass=posixAccount)",
		.group_filter = "(|(objectClass=groupOfNames)(objectClass=posixGroup)"
				"(objectClass=groupOfUniqueNames))",
		.login = "uid",
		.uid = "uidNumber",
		.group_name = "cn",
		.id = "entryUUID",
		.id_form = LDAP_ID_UUID,
		.member = "member",
		.members = LDAP_MEMBER_DN | LDAP_MEMBER_UNIQUE,
		.status = LDAP_STATUS_SHADOW | LDAP_STATUS_PPOLICY,
		.stamp = LDAP_STAMP_TIME,
	},
	{
		/* 389-ds; its LDAP sync sends the bytes of nsUniqueId */
		.name = "ipa",
		.user_filter = "(objectClass=posixAccount)",
		.group_filter = "(|(objectClass=groupOfNames)"
				"(objectClass=groupOfUniqueNames))",
		.login = "uid",
		.uid = "uidNumber",
		.group_name = "cn",
		.id = "nsUniqueId",
		.id_form = LDAP_ID_NSUNIQUE,
		.member = "member",
		.members = LDAP_MEMBER_DN | LDAP_MEMBER_UNIQUE,
		.status = LDAP_STATUS_NS | LDAP_STATUS_SHADOW,
		.stamp = LDAP_STAMP_TIME,
	},
	{
		.name = "ad",
		.user_filter = "(&(objectCategory=person)(objectClass=user))",
		.group_filter = "(objectClass=group)",
		.login = "sAMAccountName",
		.uid = "uidNumber",
		.uid_optional = true,
		.group_name = "sAMAccountName",
		.id = "objectGUID",
		.id_form = LDAP_ID_GUID,
		.member = "member",
		.members = LDAP_MEMBER_DN | LDAP_MEMBER_PRIMARY,
		.status = LDAP_STATUS_AD,
		.stamp = LDAP_STAMP_USN,
	},
};

const struct ldap_schema *ldap_schema_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
		if (str_eq(presets[i].name, name))
			return &presets[i];
	return NULL;
}

static size_t add_if(const char **list, size_t n, bool wanted, const char *name)
{
	if (wanted)
		list[n++] = name;
	list[n] = NULL;
	return n;
}

void ldap_schema_user_attrs(const struct ldap_schema *s,
			    const char *ret[LDAP_ATTRS_MAX])
{
	bool primary = s->members & LDAP_MEMBER_PRIMARY;
	bool ns = s->status & LDAP_STATUS_NS, ad = s->status & LDAP_STATUS_AD;
	size_t n = 0;

	n = add_if(ret, n, true, s->id);
	n = add_if(ret, n, true, s->login);
	n = add_if(ret, n, true, s->uid);
	n = add_if(ret, n, s->status & LDAP_STATUS_SHADOW, "shadowExpire");
	n = add_if(ret, n, s->status & LDAP_STATUS_PPOLICY, "pwdAccountLockedTime");
	n = add_if(ret, n, ns, "nsAccountLock");
	n = add_if(ret, n, ns, "krbPrincipalExpiration");
	n = add_if(ret, n, ad, "userAccountControl");
	n = add_if(ret, n, ad, "accountExpires");
	n = add_if(ret, n, primary, "primaryGroupID");
	(void)add_if(ret, n, primary, "objectSid");
}

void ldap_schema_group_attrs(const struct ldap_schema *s,
			     const char *ret[LDAP_ATTRS_MAX])
{
	size_t n = 0;

	n = add_if(ret, n, true, s->id);
	n = add_if(ret, n, true, s->group_name);
	(void)add_if(ret, n, s->members & LDAP_MEMBER_PRIMARY, "objectSid");
}

void ldap_schema_member_attrs(const struct ldap_schema *s,
			      const char *ret[LDAP_ATTRS_MAX])
{
	size_t n = 0;

	n = add_if(ret, n, true, s->id);
	n = add_if(ret, n, s->members & LDAP_MEMBER_DN, s->member);
	n = add_if(ret, n, s->members & LDAP_MEMBER_UNIQUE, "uniqueMember");
	(void)add_if(ret, n, s->members & LDAP_MEMBER_UID, "memberUid");
}

const char *ldap_schema_stamp(const struct ldap_schema *s)
{
	switch (s->stamp) {
	case LDAP_STAMP_TIME:
		return "modifyTimestamp";
	case LDAP_STAMP_CSN:
		return "entryCSN";
	case LDAP_STAMP_USN:
		return "uSNChanged";
	}
	return "modifyTimestamp";
}
