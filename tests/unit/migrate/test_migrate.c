/* SPDX-License-Identifier: Apache-2.0 */
/* test_migrate.c - files of other programs: what is taken, what is left, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rbacd/migrate/migrate.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" /* 12345678901234567890 */
#define HEX    "3132333435363738393031323334353637383930"

static struct migrate_entry google(const char *text)
{
	struct migrate_entry e;

	migrate_google(text, strlen(text), &e);
	return e;
}

static void assert_seed(const struct migrate_entry *e)
{
	assert_null(e->skip);
	assert_int_equal(e->seed.len, 20);
	assert_memory_equal(e->seed.bytes, "12345678901234567890", 20);
}

static void test_google(void **state)
{
	struct migrate_entry e =
		google(SECRET "\n\" RATE_LIMIT 3 30 1790000000\n\" WINDOW_SIZE 17\n"
			      "\" DISALLOW_REUSE 59666667\n\" TIME_SKEW -2\n"
			      "\" TOTP_AUTH\n12345678\n87654321\n12345678\n");

	(void)state;
	assert_seed(&e);
	assert_int_equal(e.kind, STORE_FACTOR_TOTP);
	assert_int_equal(e.period_s, 30);
	assert_int_equal(e.skew, -2);
	assert_int_equal(e.n_codes, 2); /* the same one twice is one use */
	assert_string_equal(e.codes[1], "87654321");
	e = google(SECRET "\n\" HOTP_COUNTER 7\n");
	assert_seed(&e);
	assert_int_equal(e.kind, STORE_FACTOR_HOTP);
	assert_int_equal(e.last_step, 6); /* 7 is the next one */
	assert_int_equal(e.period_s, 0);
	e = google(SECRET "\n\" STEP_SIZE 60\n\" TOTP_AUTH\n");
	assert_int_equal(e.period_s, 60);
	e = google(SECRET); /* not even a newline */
	assert_seed(&e);
}

static void test_google_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"not base32!\n",
		"GEZDGNBV\n", /* 40 bits */
		SECRET "\n\" STEP_SIZE 10\n",
		SECRET "\n\" TIME_SKEW 11\n",
		SECRET "\n\" TIME_SKEW 99999999999999999999\n",
		SECRET "\n\" HOTP_COUNTER -1\n",
		SECRET "\n\" HOTP_COUNTER 9999999999999\n",
		SECRET "\n\" SOMETHING_NEW\n",
		SECRET "\n\" \n",
		SECRET "\n1234567\n",
		SECRET "\n123456789\n",
		SECRET "\n1234567x\n",
		SECRET "\n\001\n",
		SECRET "\n1\n2\n",
		SECRET "\n11111111\n11111112\n11111113\n11111114\n11111115\n11111116\n"
		       "11111117\n11111118\n11111119\n11111120\n11111121\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct migrate_entry e = google(bad[i]);

		if (!e.skip)
			print_message("taken: %s\n", bad[i]);
		assert_non_null(e.skip);
	}
}

/* ---------------------------------------------------------------- lists */

#define SEEN_MAX 64

struct seen {
	struct migrate_entry e[SEEN_MAX];
	size_t n;
};

static int keep(const struct migrate_entry *e, void *arg)
{
	struct seen *s = arg;

	assert_true(s->n < SEEN_MAX);
	s->e[s->n++] = *e;
	return 0;
}

static struct seen pam_oath(const char *text)
{
	struct seen s = {.n = 0};

	assert_int_equal(migrate_pam_oath(text, strlen(text), keep, &s), 0);
	return s;
}

static void test_pam_oath(void **state)
{
	struct seen s =
		pam_oath("# a comment\n\n"
			 "HOTP/T30/6\talice\t-\t" HEX "\n"
			 "HOTP/T60/8 bob + " HEX "\r\n"
			 "HOTP carol - " HEX " 4\n"
			 "HOTP/E/8 dave - " HEX " 4 755224 2026-11-21T08:00:00L\n");

	(void)state;
	assert_int_equal(s.n, 4);
	for (size_t i = 0; i < s.n; i++)
		assert_seed(&s.e[i]);
	assert_string_equal(s.e[0].login, "alice");
	assert_int_equal(s.e[0].line, 3);
	assert_int_equal(s.e[0].kind, STORE_FACTOR_TOTP);
	assert_int_equal(s.e[1].period_s, 60);
	assert_int_equal(s.e[1].digits, 8);
	assert_int_equal(s.e[2].kind, STORE_FACTOR_HOTP);
	assert_int_equal(s.e[2].last_step, 3); /* 4 is the next one */
	assert_int_equal(s.e[3].last_step, 4); /* 4 was used */
}

static void test_pam_oath_refused(void **state)
{
	struct seen s = pam_oath("HOTP alice 1234 " HEX "\n"
				 "HOTP/T30/7 alice - " HEX "\n"
				 "HOTP/T15 alice - " HEX "\n"
				 "TOTP alice - " HEX "\n"
				 "HOTP alice -\n"
				 "HOTP al:ice - " HEX "\n"
				 "HOTP alice - 313\n"
				 "HOTP alice - 31\n"
				 "HOTP alice - zz\n"
				 "HOTP alice - " HEX " x\n");

	(void)state;
	assert_int_equal(s.n, 10);
	for (size_t i = 0; i < s.n; i++)
		assert_non_null(s.e[i].skip);
}

static struct migrate_entry uri(const char *text)
{
	struct migrate_entry e;

	migrate_uri(text, strlen(text), &e);
	return e;
}

static void test_otpauth(void **state)
{
	struct migrate_entry e = uri("otpauth://totp/Big%20Corp:alice?secret=" SECRET
				     "&issuer=Big%20Corp&algorithm=sha256&digits=8"
				     "&period=60&image=x");
	struct seen s = {.n = 0};
	static const char two[] = "# phones\notpauth://totp/a?secret=" SECRET
				  "\n\n  otpauth://totp/b?secret=" SECRET "\n";

	(void)state;
	assert_seed(&e);
	assert_string_equal(e.login, "alice");
	assert_int_equal(e.hash, STORE_SHA256);
	assert_int_equal(e.digits, 8);
	assert_int_equal(e.period_s, 60);
	e = uri("otpauth://hotp/bob?secret=" SECRET "&counter=9");
	assert_seed(&e);
	assert_int_equal(e.last_step, 8);
	assert_int_equal(migrate_otpauth(two, sizeof(two) - 1, keep, &s), 0);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.e[1].login, "b");
	assert_int_equal(s.e[1].line, 4);
}

static void test_otpauth_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"otpauth://",
		"http://totp/a?secret=" SECRET,
		"otpauth://motp/a?secret=" SECRET,
		"otpauth://totp/a",
		"otpauth://totp/a?",
		"otpauth://totp/?secret=" SECRET,
		"otpauth://totp/a%00b?secret=" SECRET,
		"otpauth://totp/a%0ab?secret=" SECRET,
		"otpauth://totp/a%2?secret=" SECRET,
		"otpauth://totp/a%zz?secret=" SECRET,
		"otpauth://totp/a?secret=" SECRET "&digits=7",
		"otpauth://totp/a?secret=" SECRET "&period=15",
		"otpauth://totp/a?secret=" SECRET "&algorithm=MD5",
		"otpauth://totp/a?secret=" SECRET "&secret=" SECRET,
		"otpauth://hotp/a?secret=" SECRET "&counter=-1",
		"otpauth://totp/a?secret=1111",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct migrate_entry e = uri(bad[i]);

		if (!e.skip)
			print_message("taken: %s\n", bad[i]);
		assert_non_null(e.skip);
	}
}

/* ---------------------------------------------------------------- LDIF */

#define PARAMS                                                                         \
	"dn: cn=params,dc=x\nobjectClass: oathTOTPParams\noathOTPLength: 8\n"          \
	"oathHMACAlgorithm: 1.2.840.113549.2.9\noathTOTPTimeStepPeriod: 60\n\n"
#define TOKEN                                                                          \
	"dn: cn=Token 1, dc=X\nobjectClass: top\nobjectClass: oathTOTPToken\n"         \
	"oathSecret:: MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\noathTOTPParams: "                  \
	"cn=params,dc=x\noathTOTPTimeStepDrift: -1\n\n"

static struct seen ldif(const char *text)
{
	struct seen s = {.n = 0};

	assert_int_equal(migrate_oath_ldif(text, strlen(text), keep, &s), 0);
	return s;
}

static void test_ldif(void **state)
{
	struct seen s =
		ldif("version: 1\n\n" TOKEN PARAMS
		     "dn: uid=alice,dc=x\nobjectClass: oathTOTPUser\nuid: alice\n"
		     "oathTOTPToken: cn=token 1,dc=x\n\n"
		     /* all in one, as the overlay allows */
		     "dn: uid=bob,dc=x\nobjectClass: oathHOTPToken\nuid: bob\n"
		     "oathSecret: 12345678901234567890\noathHOTPCounter: 3\n");

	(void)state;
	assert_int_equal(s.n, 2);
	assert_seed(&s.e[0]);
	assert_string_equal(s.e[0].login, "alice");
	assert_int_equal(s.e[0].hash, STORE_SHA256);
	assert_int_equal(s.e[0].digits, 8);
	assert_int_equal(s.e[0].period_s, 60);
	assert_int_equal(s.e[0].skew, -1);
	assert_seed(&s.e[1]);
	assert_int_equal(s.e[1].kind, STORE_FACTOR_HOTP);
	assert_int_equal(s.e[1].last_step, 2);
}

static void test_ldif_refused(void **state)
{
	static const char user[] =
		"dn: uid=a,dc=x\nuid: a\noathToken: cn=token 1,dc=x\n";
	struct seen s = ldif(user);
	char text[1024];

	(void)state;
	assert_int_equal(s.n, 1);
	assert_non_null(s.e[0].skip); /* the token is in another file */
	(void)snprintf(text, sizeof(text), "%s%s", TOKEN, user);
	s = ldif(text);
	assert_int_equal(s.n, 1);
	assert_non_null(s.e[0].skip); /* its parameters are */
	s = ldif("dn: uid=a,dc=x\nuid: a\nobjectClass: oathTOTPToken\n"
		 "oathSecret: {\"ciphertext\": \"x\"}\n");
	assert_int_equal(s.n, 1);
	assert_non_null(strstr(s.e[0].skip, "encrypted"));
	s = ldif("dn: uid=a,dc=x\nuid: a\nobjectClass: oathTOTPToken\n"
		 "oathSecret: 123456789012\n 34567890\n");
	assert_int_equal(s.n, 1);
	assert_non_null(strstr(s.e[0].skip, "wrap")); /* folded: half a secret */
	assert_int_equal(ldif("dn: uid=a,dc=x\nuid: a\ncn: A\n").n, 0);
}

/* Any prefix and any byte changed: read without harm (the sanitizers watch). */
static void test_mangled(void **state)
{
	static const char whole[] =
		SECRET "\n\" HOTP_COUNTER 7\n12345678\n" PARAMS TOKEN
		       "dn: uid=a,dc=x\nuid: a\noathToken: cn=token 1,dc=x\n\n"
		       "HOTP/T30/6\talice\t-\t" HEX "\n"
		       "otpauth://totp/B%20C:al?secret=" SECRET "&digits=8\n";
	struct migrate_entry e;

	(void)state;
	for (size_t i = 0; i < sizeof(whole); i++)
		for (int c = 0; c < 256; c += i % 7 ? 37 : 1) {
			char *text = malloc(sizeof(whole));
			struct seen s = {.n = 0};

			assert_non_null(text);
			memcpy(text, whole, sizeof(whole));
			text[i] = (char)c;
			migrate_google(text, i, &e);
			assert_int_equal(migrate_pam_oath(text + i, sizeof(whole) - i,
							  keep, &s),
					 0);
			s.n = 0;
			assert_int_equal(migrate_otpauth(text, sizeof(whole), keep, &s),
					 0);
			s.n = 0;
			assert_int_equal(migrate_oath_ldif(text, i, keep, &s), 0);
			free(text);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_google),
		cmocka_unit_test(test_google_refused),
		cmocka_unit_test(test_pam_oath),
		cmocka_unit_test(test_pam_oath_refused),
		cmocka_unit_test(test_otpauth),
		cmocka_unit_test(test_otpauth_refused),
		cmocka_unit_test(test_ldif),
		cmocka_unit_test(test_ldif_refused),
		cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
