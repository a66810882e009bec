/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_entry.c - attributes to typed values; what cannot be read is a reason to drop.
 */

#include "rbacd/directory/ldap_entry.h"

#include <strings.h>
#include <time.h>

#include "rbacd/directory/dn.h"

#define DAY_S 86400

/* --------------------------------------------------------------- attributes */

static bool is_attr(const struct ldap_attr *a, const char *name)
{
	return name && strcasecmp(a->name, name) == 0;
}

/* The values of @name in all: 0, 1 or more. @ret: the last one. */
static size_t count_values(const struct ldap_entry *e, const char *name,
			   struct ldap_value *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_attrs; i++) {
		const struct ldap_attr *a = &e->attrs[i];

		if (a->n_values == 0 || !is_attr(a, name))
			continue;
		n += a->n_values;
		*ret = a->values[a->n_values - 1];
	}
	return n;
}

/* A decimal number without anything around it. */
static bool read_number(const struct ldap_value *v, int64_t *ret)
{
	const char *p = v->p;
	bool minus = v->len > 0 && p[0] == '-';
	uint64_t n = 0;

	if (v->len <= minus || v->len > 19u + minus)
		return false;
	for (size_t i = minus; i < v->len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(p[i] - '0');
	}
	if (n > INT64_MAX)
		return false;
	*ret = minus ? -(int64_t)n : (int64_t)n;
	return true;
}

/* Return: 0 none, 1 and *ret, -1 several or no number. */
static int one_number(const struct ldap_entry *e, const char *name, int64_t *ret)
{
	struct ldap_value v = {.len = 0};
	size_t n = count_values(e, name, &v);

	if (n == 0)
		return 0;
	return n == 1 && read_number(&v, ret) ? 1 : -1;
}

/* ---------------------------------------------------------------------- ids */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool dash_at(enum ldap_id_form form, size_t i)
{
	if (form == LDAP_ID_NSUNIQUE)
		return i == 8 || i == 17 || i == 26;
	return i == 8 || i == 13 || i == 18 || i == 23;
}

/* objectGUID: the first three parts are little endian. */
static void swap_guid(struct ldap_id *id)
{
	static const uint8_t from[] = {3, 2, 1, 0, 5, 4, 7, 6};
	struct ldap_id old = *id;

	for (size_t i = 0; i < sizeof(from); i++)
		id->v[i] = old.v[from[i]];
}

bool ldap_id_parse(enum ldap_id_form form, const char *text, size_t len,
		   struct ldap_id *ret)
{
	size_t n = 0;

	if (len != (form == LDAP_ID_NSUNIQUE ? 35 : 36))
		return false;
	for (size_t i = 0; i < len; i++) {
		int digit = hex(text[i]);

		if (dash_at(form, i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (digit < 0)
			return false;
		if (n % 2 == 0)
			ret->v[n / 2] = (uint8_t)(digit << 4);
		else
			ret->v[n / 2] |= (uint8_t)digit;
		n++;
	}
	if (form == LDAP_ID_GUID)
		swap_guid(ret);
	return true;
}

void ldap_id_text(const struct ldap_schema *s, const struct ldap_id *id,
		  char ret[LDAP_ID_TEXT_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	struct ldap_id shown = *id;
	size_t len = strlen(s->id) < LDAP_ATTR_MAX ? strlen(s->id) : LDAP_ATTR_MAX;
	size_t n = 0, end = s->id_form == LDAP_ID_NSUNIQUE ? 35 : 36;

	if (s->id_form == LDAP_ID_GUID)
		swap_guid(&shown);
	memcpy(ret, s->id, len);
	ret[len++] = ':';
	for (size_t i = 0; i < end; i++) {
		if (dash_at(s->id_form, i)) {
			ret[len++] = '-';
			continue;
		}
		ret[len++] = digits[shown.v[n / 2] >> (n % 2 ? 0 : 4) & 15];
		n++;
	}
	ret[len] = '\0';
}

int ldap_entry_id(const struct ldap_schema *s, const struct ldap_entry *e,
		  struct ldap_id *ret)
{
	struct ldap_value v = {.len = 0};
	size_t n = count_values(e, s->id, &v);
	struct ldap_id id;

	if (n > 1 || (n == 0 && !e->id))
		return LDAP_DROP_NO_ID;
	if (n == 0) {
		*ret = *e->id;
		return 0;
	}
	if (s->id_form == LDAP_ID_GUID) {
		if (v.len != sizeof(id.v))
			return LDAP_DROP_NO_ID;
		memcpy(id.v, v.p, sizeof(id.v));
	} else if (!ldap_id_parse(s->id_form, v.p, v.len, &id)) {
		return LDAP_DROP_NO_ID;
	}
	if (e->id && memcmp(e->id->v, id.v, sizeof(id.v)) != 0)
		return LDAP_DROP_ID_DIFFERS;
	*ret = id;
	return 0;
}

/* revision 1, number of parts, six bytes of authority, parts of four bytes */
static bool read_sid(const struct ldap_value *v, struct ldap_sid *ret)
{
	const uint8_t *b = v->p;

	if (v->len < 12 || v->len > LDAP_SID_MAX || b[0] != 1 ||
	    v->len != 8 + 4 * (size_t)b[1])
		return false;
	ret->len = v->len;
	memcpy(ret->bytes, b, v->len);
	return true;
}

/* ------------------------------------------------------------------- status */

static void ends(struct ldap_person *p, int64_t at_s)
{
	if (at_s <= 0)
		p->flags |= SNAPSHOT_DISABLED;
	else if (p->expires_s == 0 || at_s < p->expires_s)
		p->expires_s = at_s;
}

/* shadowExpire: days; -1 is never. */
static bool read_shadow(const struct ldap_entry *e, struct ldap_person *p)
{
	int64_t days = -1;
	int r = one_number(e, "shadowExpire", &days);

	if (r < 0 || days < -1 || days > INT32_MAX)
		return false;
	if (r == 1 && days >= 0)
		ends(p, days * DAY_S);
	return true;
}

/* Any value at all: how long the lock lasts is known to the server alone. */
static bool read_ppolicy(const struct ldap_entry *e, struct ldap_person *p)
{
	struct ldap_value v;

	if (count_values(e, "pwdAccountLockedTime", &v) > 0)
		p->flags |= SNAPSHOT_DISABLED;
	return true;
}

/* GeneralizedTime in UTC: 20261121050000Z. */
static bool read_time(const struct ldap_value *v, int64_t *ret)
{
	struct tm tm = {.tm_isdst = 0};
	int *const parts[] = {&tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
			      &tm.tm_sec};
	const char *p = v->p;

	if (v->len != 15 || p[14] != 'Z')
		return false;
	for (size_t i = 0; i < 14; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	tm.tm_year = (p[0] - '0') * 1000 + (p[1] - '0') * 100 + (p[2] - '0') * 10 +
		     (p[3] - '0') - 1900;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		*parts[i] = (p[4 + 2 * i] - '0') * 10 + (p[5 + 2 * i] - '0');
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_mon--;
	*ret = timegm(&tm);
	return true;
}

static bool read_ns(const struct ldap_entry *e, struct ldap_person *p)
{
	struct ldap_value v = {.len = 0};
	size_t n = count_values(e, "nsAccountLock", &v);
	int64_t at_s;

	if (n == 1 && v.len == 4 && strncasecmp(v.p, "true", 4) == 0)
		p->flags |= SNAPSHOT_DISABLED;
	else if (n > 1 || (n == 1 && (v.len != 5 || strncasecmp(v.p, "false", 5) != 0)))
		return false;
	n = count_values(e, "krbPrincipalExpiration", &v);
	if (n > 1 || (n == 1 && !read_time(&v, &at_s)))
		return false;
	if (n == 1)
		ends(p, at_s);
	return true;
}

#define AD_DISABLED	0x0002
#define AD_LOCKED	0x0010
#define AD_NORMAL	0x0200 /* a person, not a machine or a trust */
#define AD_1601_TO_1970 11644473600

static bool read_ad(const struct ldap_entry *e, struct ldap_person *p)
{
	int64_t control = 0, at = 0;

	if (one_number(e, "userAccountControl", &control) != 1 || control < 0 ||
	    !(control & AD_NORMAL))
		return false;
	if (control & (AD_DISABLED | AD_LOCKED))
		p->flags |= SNAPSHOT_DISABLED;
	if (one_number(e, "accountExpires", &at) < 0 || at < 0)
		return false;
	if (at != 0 && at != INT64_MAX)
		ends(p, at / 10000000 - AD_1601_TO_1970);
	return true;
}

static bool read_status(unsigned forms, const struct ldap_entry *e,
			struct ldap_person *p)
{
	static const struct {
		unsigned form;
		bool (*read)(const struct ldap_entry *, struct ldap_person *);
	} readers[] = {
		{LDAP_STATUS_SHADOW, read_shadow},
		{LDAP_STATUS_PPOLICY, read_ppolicy},
		{LDAP_STATUS_NS, read_ns},
		{LDAP_STATUS_AD, read_ad},
	};

	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if ((forms & readers[i].form) && !readers[i].read(e, p))
			return false;
	return true;
}

/* ------------------------------------------------------------------- people */

static int read_login(const struct ldap_schema *s, const struct ldap_entry *e,
		      struct ldap_person *p)
{
	struct ldap_value v = {.len = 0};

	if (count_values(e, s->login, &v) != 1 || v.len < 1 ||
	    v.len > SNAPSHOT_LOGIN_MAX || memchr(v.p, '\0', v.len))
		return LDAP_DROP_NO_LOGIN;
	memcpy(p->login, v.p, v.len);
	p->login[v.len] = '\0';
	return snapshot_login_valid(p->login) ? 0 : LDAP_DROP_NO_LOGIN;
}

static int read_uid(const struct ldap_schema *s, const struct ldap_entry *e,
		    struct ldap_person *p)
{
	int64_t uid = 0;
	int r = one_number(e, s->uid, &uid);

	if (r == 0 && s->uid_optional) {
		p->flags |= SNAPSHOT_NO_UID;
		p->uid = UINT32_MAX;
		return 0;
	}
	if (r != 1)
		return LDAP_DROP_NO_UID;
	if (uid < SNAPSHOT_PEOPLE_MIN || uid > UINT32_MAX ||
	    snapshot_uid_reserved((uint32_t)uid))
		return LDAP_DROP_SYSTEM_UID;
	p->uid = (uint32_t)uid;
	return 0;
}

/* The primary group has the person's own SID with another last part. */
static void read_primary(const struct ldap_entry *e, struct ldap_person *p)
{
	struct ldap_value v = {.len = 0};
	int64_t rid = 0;

	if (count_values(e, "objectSid", &v) != 1 || !read_sid(&v, &p->primary) ||
	    one_number(e, "primaryGroupID", &rid) != 1 || rid < 0 || rid > UINT32_MAX) {
		p->primary.len = 0;
		return;
	}
	for (size_t i = 0; i < 4; i++)
		p->primary.bytes[p->primary.len - 4 + i] = (uint8_t)(rid >> (8 * i));
}

int ldap_entry_person(const struct ldap_schema *s, const struct ldap_entry *e,
		      struct ldap_person *ret)
{
	int r;

	*ret = (struct ldap_person){.flags = SNAPSHOT_DIRECTORY};
	r = read_login(s, e, ret);
	if (r == 0)
		r = read_uid(s, e, ret);
	if (r == 0 && !read_status(s->status, e, ret))
		r = LDAP_DROP_BAD_STATUS;
	if (r == 0 && (s->members & LDAP_MEMBER_PRIMARY))
		read_primary(e, ret);
	return r;
}

/* ------------------------------------------------------------------- groups */

void ldap_entry_group(const struct ldap_schema *s, const struct ldap_entry *e,
		      struct ldap_group *ret)
{
	struct ldap_value v = {.len = 0};

	*ret = (struct ldap_group){.name = ""};
	if (count_values(e, s->group_name, &v) == 1 &&
	    dn_fold(v.p, v.len, ret->name, sizeof(ret->name)) == SIZE_MAX)
		ret->name[0] = '\0';
	if ((s->members & LDAP_MEMBER_PRIMARY) &&
	    (count_values(e, "objectSid", &v) != 1 || !read_sid(&v, &ret->sid)))
		ret->sid.len = 0;
}

/* "range=0-1499", "range=1500-*" */
static bool read_range(const char *option, uint64_t *ret_start, uint64_t *ret_next)
{
	const char *p = option + strlen("range=");
	uint64_t n[2] = {0, 0};

	if (strncasecmp(option, "range=", strlen("range=")) != 0)
		return false;
	for (size_t i = 0; i < 2; i++) {
		size_t len = strspn(p, "0123456789");

		if (i == 1 && str_eq(p, "*")) {
			*ret_start = n[0];
			*ret_next = 0;
			return true;
		}
		if (len < 1 || len > 9)
			return false;
		for (; len > 0; len--)
			n[i] = n[i] * 10 + (uint64_t)(*p++ - '0');
		if (i == 0 && *p++ != '-')
			return false;
	}
	if (*p || n[1] < n[0])
		return false;
	*ret_start = n[0];
	*ret_next = n[1] + 1;
	return true;
}

int ldap_attr_members(const struct ldap_schema *s, const struct ldap_attr *a,
		      uint64_t *ret_start, uint64_t *ret_next)
{
	const struct {
		unsigned form;
		const char *name;
	} forms[] = {
		{LDAP_MEMBER_DN, s->member},
		{LDAP_MEMBER_UNIQUE, "uniqueMember"},
		{LDAP_MEMBER_UID, "memberUid"},
	};
	size_t len = strcspn(a->name, ";");

	*ret_start = 0;
	*ret_next = 0;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!(s->members & forms[i].form) || !forms[i].name ||
		    strlen(forms[i].name) != len ||
		    strncasecmp(a->name, forms[i].name, len) != 0)
			continue;
		if (a->name[len] == ';' &&
		    !read_range(a->name + len + 1, ret_start, ret_next))
			return -1;
		return (int)forms[i].form;
	}
	return 0;
}
