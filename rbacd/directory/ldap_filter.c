/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_filter.c - search filters: typed values in, RFC 4515 out; and a strict check. */

#include "rbacd/directory/ldap_filter.h"

#define ATTR_MAX 64

bool ldap_attr_valid(const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > ATTR_MAX || name[0] == '-' || name[0] == '.' ||
	    name[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '-' || c == '.'))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------- writing */

static void put(struct ldap_filter *f, const char *text, size_t len)
{
	if (f->bad || len > LDAP_FILTER_TEXT_MAX - f->len) {
		f->bad = true;
		return;
	}
	memcpy(f->text + f->len, text, len);
	f->len += len;
	f->text[f->len] = '\0';
}

void ldap_filter_open(struct ldap_filter *f, char op)
{
	char text[] = {'(', op};

	if ((op != '&' && op != '|') || f->open == LDAP_FILTER_DEPTH_MAX ||
	    (f->open == 0 && f->len > 0))
		f->bad = true;
	f->open++;
	put(f, text, sizeof(text));
}

void ldap_filter_close(struct ldap_filter *f)
{
	if (f->open == 0) {
		f->bad = true;
		return;
	}
	f->open--;
	put(f, ")", 1);
}

void ldap_filter_add(struct ldap_filter *f, const char *filter)
{
	if (!ldap_filter_valid(filter) || (f->open == 0 && f->len > 0))
		f->bad = true;
	put(f, filter, strlen(filter));
}

/* Everything that is no plain letter, digit, dash, dot or underscore is escaped. */
static void put_value(struct ldap_filter *f, const unsigned char *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		char escaped[3] = {'\\', digits[p[i] >> 4], digits[p[i] & 15]};
		bool plain = (p[i] >= 'a' && p[i] <= 'z') ||
			     (p[i] >= 'A' && p[i] <= 'Z') ||
			     (p[i] >= '0' && p[i] <= '9') || p[i] == '-' ||
			     p[i] == '.' || p[i] == '_';

		if (plain)
			put(f, (const char *)p + i, 1);
		else
			put(f, escaped, sizeof(escaped));
	}
}

static void put_match(struct ldap_filter *f, const char *attr, const char *op,
		      const void *value, size_t len)
{
	if (!ldap_attr_valid(attr) || (f->open == 0 && f->len > 0))
		f->bad = true;
	put(f, "(", 1);
	put(f, attr, strlen(attr));
	put(f, op, strlen(op));
	put_value(f, value, len);
	put(f, ")", 1);
}

void ldap_filter_equal(struct ldap_filter *f, const char *attr, const void *value,
		       size_t len)
{
	put_match(f, attr, "=", value, len);
}

void ldap_filter_least(struct ldap_filter *f, const char *attr, const void *value,
		       size_t len)
{
	put_match(f, attr, ">=", value, len);
}

const char *ldap_filter_text(const struct ldap_filter *f)
{
	return f->bad || f->open > 0 || f->len == 0 || !ldap_filter_valid(f->text)
		       ? NULL
		       : f->text;
}

/* ------------------------------------------------------------------ checking */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* attribute, options, a matching rule's OID and :dn, up to the operator. */
static bool skip_attr(const char **p)
{
	size_t len = strspn(*p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789-.;:_");
	bool rule = len > 0 && (*p)[len - 1] == ':';

	if (len == 0 || len > 4 * ATTR_MAX || **p == '-' || **p == ';')
		return false;
	*p += len;
	if (!rule && **p && strchr("<>~", **p))
		(*p)++;
	return *(*p)++ == '=';
}

static bool skip_value(const char **p)
{
	for (; **p && **p != ')'; (*p)++) {
		if (**p == '(' || (unsigned char)**p < 0x20)
			return false;
		if (**p != '\\')
			continue;
		if (!is_hex((*p)[1]) || !is_hex((*p)[2]))
			return false;
		*p += 2;
	}
	return **p == ')';
}

/* One filter; its depth is bounded, so is ours. */
static bool skip_filter(const char **p, size_t depth)
{
	if (depth > LDAP_FILTER_DEPTH_MAX || *(*p)++ != '(')
		return false;
	if (**p == '!') {
		(*p)++;
		if (!skip_filter(p, depth + 1))
			return false;
	} else if (**p == '&' || **p == '|') {
		(*p)++;
		do {
			if (!skip_filter(p, depth + 1))
				return false;
		} while (**p == '(');
	} else if (!skip_attr(p) || !skip_value(p)) {
		return false;
	}
	return *(*p)++ == ')';
}

bool ldap_filter_valid(const char *text)
{
	const char *p = text;

	return strlen(text) <= LDAP_FILTER_TEXT_MAX && skip_filter(&p, 0) && !*p;
}
