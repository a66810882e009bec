/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_dn.c - names and filters: what is read has one normal form that reads the same,
 * and no value gets out of the place where it was put.
 */
#include <assert.h>

#include "rbacd/directory/dn.h"
#include "rbacd/directory/ldap_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int hex(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* The bytes that @text, up to @end, stands for. Return: their number. */
static size_t unescape(const char *text, const char *end, char *ret)
{
	size_t n = 0;

	for (const char *p = text; p < end; p++) {
		if (*p != '\\') {
			ret[n++] = *p;
			continue;
		}
		ret[n++] = (char)(hex(p[1]) << 4 | hex(p[2]));
		p += 2;
	}
	return n;
}

static void try_name(const char *text, size_t len)
{
	struct dn dn, again;
	char longer[DN_NORMAL_MAX + 16];

	(void)!dn_read_unique(text, len, &dn);
	if (dn_read(text, len, &dn) != 0)
		return;
	assert(strlen(dn.text) == dn.len && dn.len <= DN_NORMAL_MAX);
	if (dn.len > DN_MAX)
		return;
	assert(dn_read(dn.text, dn.len, &again) == 0);
	assert(str_eq(dn.text, again.text));
	if (dn.len == 0)
		return;
	assert(dn_is_below(&dn, &again));
	(void)snprintf(longer, sizeof(longer), "cn=a,%s", dn.text);
	if (dn_read(longer, strlen(longer), &again) == 0)
		assert(dn_is_below(&again, &dn) && !dn_is_below(&dn, &again));
}

/* Any bytes as one value, below a base: one RDN more, and the same bytes in it. */
static void try_value(const char *bytes, size_t len)
{
	static const char digits[] = "0123456789ABCDEF", base[] = ",ou=people,dc=x";
	char text[DN_MAX + 1] = "1.1.1=", back[DN_NORMAL_MAX];
	size_t n = strlen(text);
	struct dn dn, below;

	if (len < 1 || len > 300)
		return;
	for (size_t i = 0; i < len; i++) {
		text[n++] = '\\';
		text[n++] = digits[(unsigned char)bytes[i] >> 4];
		text[n++] = digits[(unsigned char)bytes[i] & 15];
	}
	memcpy(text + n, base, sizeof(base));
	assert(dn_read(text, strlen(text), &dn) == 0);
	assert(dn_read(base + 1, strlen(base + 1), &below) == 0);
	assert(dn_is_below(&dn, &below));
	assert(strchr(dn.text, ',') == dn.text + dn.len - strlen(base));
	assert(unescape(dn.text + 6, strchr(dn.text, ','), back) == len);
	assert(memcmp(back, bytes, len) == 0);
}

static void try_filter(const char *bytes, size_t len)
{
	struct ldap_filter f = LDAP_FILTER_INIT;
	char back[LDAP_FILTER_TEXT_MAX];
	const char *text, *value;

	if (len > 1000)
		return;
	ldap_filter_open(&f, '&');
	ldap_filter_add(&f, "(a=b)");
	ldap_filter_equal(&f, "uid", bytes, len);
	ldap_filter_close(&f);
	text = ldap_filter_text(&f);
	assert(text && ldap_filter_valid(text));
	value = text + strlen("(&(a=b)(uid=");
	assert(!strpbrk(value, "(*") && strchr(value, ')') == strrchr(value, ')') - 1);
	assert(unescape(value, strchr(value, ')'), back) == len);
	assert(memcmp(back, bytes, len) == 0);
}

static void try_configured(const char *text)
{
	struct ldap_filter f = LDAP_FILTER_INIT;

	ldap_filter_open(&f, '|');
	ldap_filter_add(&f, text);
	ldap_filter_equal(&f, "uid", "a", 1);
	ldap_filter_close(&f);
	if (strlen(text) > LDAP_FILTER_TEXT_MAX / 2)
		return;
	/* one level deeper: the deepest that is valid alone is too deep now */
	if (!ldap_filter_valid(text))
		assert(!ldap_filter_text(&f));
	if (ldap_filter_text(&f))
		assert(ldap_filter_valid(text));
}

static void try_fold(const char *bytes, size_t len)
{
	char once[2048], twice[2048];
	size_t n;

	if (len >= sizeof(once))
		return;
	n = dn_fold(bytes, len, once, sizeof(once));
	if (n == SIZE_MAX)
		return;
	assert(n <= len && strlen(once) == n);
	assert(dn_fold(once, n, twice, sizeof(twice)) == n);
	assert(str_eq(once, twice));
	if (n > 0)
		assert(dn_fold(bytes, len, twice, n) == SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	try_name(text, size);
	try_value(text, size);
	try_filter(text, size);
	try_configured(text);
	try_fold(text, size);
	(void)ldap_attr_valid(text);
	free(text);
	return 0;
}
