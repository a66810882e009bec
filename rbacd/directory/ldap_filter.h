/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_filter.h - the only place that writes search filters (RFC 4515).
 *
 * Values are typed: any bytes, always escaped. What goes wrong on the way makes the
 * whole filter unusable, so nobody has to look in between.
 */
#pragma once

#include "policy/base.h"

#define LDAP_FILTER_TEXT_MAX  4096
#define LDAP_FILTER_DEPTH_MAX 16

struct ldap_filter {
	bool bad;
	size_t len, open;
	char text[LDAP_FILTER_TEXT_MAX + 1];
};

#define LDAP_FILTER_INIT                                                               \
	{                                                                              \
		0                                                                      \
	}

/* ldap_filter_open() - '&' or '|'; every one needs its ldap_filter_close(). */
void ldap_filter_open(struct ldap_filter *f, char op);
void ldap_filter_close(struct ldap_filter *f);
/* ldap_filter_add() - a whole filter of the configuration or of a preset; checked. */
void ldap_filter_add(struct ldap_filter *f, const char *filter);
/* ldap_filter_equal(), ldap_filter_least() - (attr=value) and (attr>=value). */
void ldap_filter_equal(struct ldap_filter *f, const char *attr, const void *value,
		       size_t len);
void ldap_filter_least(struct ldap_filter *f, const char *attr, const void *value,
		       size_t len);
/* ldap_filter_text() - the finished filter, borrowed; NULL: something was wrong. */
const char *ldap_filter_text(const struct ldap_filter *f);

/* ldap_filter_valid() - @text is exactly one filter of RFC 4515. */
bool ldap_filter_valid(const char *text);
/* ldap_attr_valid() - an attribute's name or OID, at most 64 bytes, no options. */
bool ldap_attr_valid(const char *name);
