/* SPDX-License-Identifier: Apache-2.0 */
/* Names of RFC 4514: what is one, what is none, and which are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rbacd/directory/dn.h"

static int read_dn(const char *text, struct dn *ret)
{
	return dn_read(text, strlen(text), ret);
}

static void same(const char *a, const char *b)
{
	struct dn x, y;

	assert_int_equal(read_dn(a, &x), 0);
	assert_int_equal(read_dn(b, &y), 0);
	assert_string_equal(x.text, y.text);
}

static void differ(const char *a, const char *b)
{
	struct dn x, y;

	assert_int_equal(read_dn(a, &x), 0);
	assert_int_equal(read_dn(b, &y), 0);
	assert_string_not_equal(x.text, y.text);
}

static void test_equal(void **state)
{
	(void)state;
	same("UID=jsmith,DC=example,DC=net", "uid=JSmith, dc=Example , dc=NET");
	same("OU=Sales+CN=J. Smith,DC=net", "cn=j. smith+ou=sales,dc=net");
	same("CN=John Smith\\, III,DC=net", "CN=John Smith\\2C III,DC=net");
	same("CN=\\23John Smith\\20,DC=net", "CN=\\#John Smith\\ ,DC=net");
	same("cn=a  b   c,dc=x", "CN=A B C,DC=X");
	same("cn=Lu\\C4\\8Di\\C4\\87", "CN=LU\xc4\x8c"
				       "I\xc4\x86");
	same("cn=\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd,dc=x",
	     "cn=\xd0\xb8\xd0\x92\xd0\x90\xd0\x9d,dc=x");
	same("2.5.4.3=a,0.9.2342.19200300.100.1.25=b",
	     "commonName=a,domainComponent=b");
	same("cn=#0c0341624A,dc=x", "cn=abj,dc=x");
	same("cn=#040141,dc=x", "cn=a,dc=x");
	same("1.1.1=x,dc=a", "1.1.1=x,DC=A");
}

static void test_different(void **state)
{
	(void)state;
	differ("cn=a,dc=x", "cn=a,dc=y");
	differ("cn=a,dc=x", "uid=a,dc=x");
	differ("cn=a\\,dc=x", "cn=a,dc=x");
	differ("cn=a+ou=b,dc=x", "cn=a,ou=b,dc=x");
	differ("cn=ab", "cn=a b");
}

/* What only some servers take for equal is not equal here. */
static void test_careful(void **state)
{
	(void)state;
	differ("1.1.1=a", "1.1.1=A");
	differ("1.1.1=#0c0161", "1.1.1=a");
	differ("1.1.1=#0c0161", "1.1.1=\\#0c0161");
	differ("cn=e\xcc\x81", "cn=\xc3\xa9"); /* e and an accent; e with an accent */
	differ("cn=a\xc2\xa0z", "cn=a z");     /* no-break space */
	differ("cn=\xef\xbd\x81", "cn=a");     /* wide a */
	differ("cn=\xd0\xb0lice", "cn=alice"); /* Cyrillic a */
	differ("cn=al\xe2\x80\x8bice", "cn=alice"); /* zero width space */
	differ("cn=stra\xc3\x9f"
	       "e",
	       "cn=strasse");
	differ("cn=\xc4\xb0", "cn=i");
}

static const char *const refused[] = {
	" ",
	"uid",
	"=a",
	"uid;x-option=jsmith",
	"at_tr=jsmith",
	"-attr=jsmith",
	"1..1=jsmith",
	"1.1.=jsmith",
	"01.1=jsmith",
	"1.ff=jsmith",
	"1=jsmith",
	"1.1.1=#GG",
	"1.1.1=#000",
	"1.1.1=#F",
	"1.1.1=#",
	"UID=jsmith,,DC=example",
	"UID=jsmith,",
	",UID=jsmith",
	"UID=john,smith",
	"UID=john+smith",
	"UID=john\\?smith",
	"UID=john\\Fsmith",
	"UID=john\\GGsmith",
	"UID=john\\",
	"UID=john\\4",
	"OID.1.1=jsmith",
	"UID=jsmith;O=example",
	"<UID=jsmith>",
	"CN=\"John Smith\",O=example",
	"cn=\xc3",
	"cn=\\c3",
	"cn=\xed\xa0\x80",
	"cn=\xc0\xaf",
	"cn=\xf5\x80\x80\x80",
	"cn=a\\00",
};

static void test_refused(void **state)
{
	struct dn dn;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (read_dn(refused[i], &dn) != DN_E_INVALID)
			fail_msg("taken: %s", refused[i]);
	assert_int_equal(dn_read("cn=a\0b", 6, &dn), DN_E_INVALID);
}

static void test_bounds(void **state)
{
	char text[DN_MAX + 2];
	struct dn dn;

	(void)state;
	memset(text, '<', sizeof(text));
	memcpy(text, "cn=", 3);
	for (size_t i = 3; i < DN_MAX; i += 3)
		memcpy(text + i, "\\01", 3);
	assert_int_equal(dn_read(text, 3 + (DN_MAX - 3) / 3 * 3, &dn), 0);
	memset(text + 3, 'a', sizeof(text) - 3);
	assert_int_equal(dn_read(text, DN_MAX, &dn), 0);
	assert_int_equal(dn_read(text, DN_MAX + 1, &dn), DN_E_INVALID);
	for (size_t i = 0; i + 4 <= DN_MAX; i += 4)
		memcpy(text + i, "gn=,", 4);
	assert_int_equal(dn_read(text, 4 * DN_RDNS_MAX - 1, &dn), 0);
	assert_int_equal(dn_read(text, 4 * DN_RDNS_MAX + 3, &dn), DN_E_INVALID);
	for (size_t i = 0; i + 5 <= DN_MAX; i += 5)
		memcpy(text + i, "cn=a+", 5);
	assert_int_equal(dn_read(text, 5 * 8 - 1, &dn), 0);
	assert_int_equal(dn_read(text, 5 * 9 - 1, &dn), DN_E_INVALID);
}

static void test_below(void **state)
{
	struct dn base, dn, root;

	(void)state;
	assert_int_equal(read_dn("ou=people,dc=x", &base), 0);
	assert_int_equal(read_dn("uid=a, OU=People, DC=x", &dn), 0);
	assert_true(dn_is_below(&dn, &base));
	assert_true(dn_is_below(&base, &base));
	assert_int_equal(read_dn("uid=a\\,ou=people,dc=x", &dn), 0);
	assert_false(dn_is_below(&dn, &base));
	assert_int_equal(read_dn("cn=xou=people,dc=x", &dn), 0);
	assert_false(dn_is_below(&dn, &base));
	assert_int_equal(read_dn("dc=x", &dn), 0);
	assert_false(dn_is_below(&dn, &base));
	assert_int_equal(read_dn("", &root), 0);
	assert_false(dn_is_below(&dn, &root));
}

static void test_unique(void **state)
{
	struct dn dn;

	(void)state;
#define UNIQUE(text) dn_read_unique(text, sizeof(text) - 1, &dn)
	assert_int_equal(UNIQUE("dc=example#'1000'B"), 0);
	assert_string_equal(dn.text, "dc=example");
	assert_int_equal(UNIQUE("dc=example#''B"), 0);
	assert_string_equal(dn.text, "dc=example");
	assert_int_equal(UNIQUE("dc=example"), 0);
	assert_string_equal(dn.text, "dc=example");
	assert_int_equal(UNIQUE("#'0010'B"), 0);
	assert_string_equal(dn.text, "");
	assert_int_equal(UNIQUE("#'12'B"), DN_E_INVALID);
	assert_int_equal(UNIQUE("dc=a#0'B"), 0); /* no UID: part of the value */
	assert_string_equal(dn.text, "dc=a\\230'b");
	assert_int_equal(UNIQUE("'B"), DN_E_INVALID);
}

/* The vectors of OpenLDAP: groups whose name says what must become of their members. */
static void check_vector(const char *group, const char *attr, const char *text,
			 size_t n[2])
{
	bool unique = str_eq(attr, "uniqueMember");
	struct dn dn;
	int r = unique ? dn_read_unique(text, strlen(text), &dn)
		       : dn_read(text, strlen(text), &dn);
	bool bad = str_after(group, "Must Fail") || str_after(group, "Should Fail");
	bool old = str_after(group, "May Succeed") || str_after(group, "Should Parse");

	if (old || str_eq(text, group))
		return; /* either is right; only no crash */
	if (bad && str_after(text, "cn="))
		return; /* the group itself, so that it has a member */
	if (r != (bad ? DN_E_INVALID : 0))
		fail_msg("%s: %s", group, text);
	n[bad]++;
}

static void test_vectors(void **state)
{
	const char *data = getenv("VMSEC_DATA");
	char path[4096], line[4096], group[256] = "";
	size_t n[2] = {0, 0};
	_cleanup_fclose_ FILE *f = NULL;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/ldif/openldap/test-dn.ldif",
		       data ? data : "../shared/data");
	f = fopen(path, "re");
	if (!f) {
		print_message("test_dn: SKIP the vectors: no %s\n", path);
		skip();
	}
	while (fgets(line, sizeof(line), f)) {
		const char *attrs[] = {"member", "seeAlso", "uniqueMember"};

		line[strcspn(line, "\n")] = '\0';
		if (str_after(line, "cn: "))
			(void)snprintf(group, sizeof(group), "%.200s", line + 4);
		for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
			const char *rest = str_after(line, attrs[i]);

			rest = rest ? str_after(rest, ":") : NULL;
			if (rest)
				check_vector(group, attrs[i], rest + (*rest == ' '), n);
		}
	}
	assert_true(n[0] >= 16);
	assert_true(n[1] >= 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),	cmocka_unit_test(test_different),
		cmocka_unit_test(test_careful), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),	cmocka_unit_test(test_below),
		cmocka_unit_test(test_unique),	cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
