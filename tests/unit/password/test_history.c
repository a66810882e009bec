/* SPDX-License-Identifier: Apache-2.0 */
/* test_history.c - former passwords are found; no stored string sets another cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <crypt.h>
#include <errno.h>

#include "rbacd/password/history.h"

static struct secret secret(const char *text)
{
	struct secret s = {.len = strlen(text)};

	memcpy(s.bytes, text, s.len);
	return s;
}

static struct store_old old[STORE_OLD_MAX];

/* Newest first, as the database gives them. */
static void remember(size_t n, const char *text)
{
	struct secret s = secret(text);
	enum password_reason reason = PASSWORD_UNCHECKED;
	char hash[STORE_CRYPT_MAX + 1];

	assert_int_equal(history_check(old, n, &s, &reason, hash), 0);
	assert_int_equal(reason, PASSWORD_FITS);
	memmove(old + 1, old, n * sizeof(*old));
	memcpy(old[0].hash, hash, sizeof(hash));
}

static void test_found(void **state)
{
	static const char *const words[] = {"one", "two \xc3\xa9", "three"};
	enum password_reason reason = PASSWORD_UNCHECKED;
	char hash[STORE_CRYPT_MAX + 1];
	struct secret s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		remember(i, words[i]);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		s = secret(words[i]);
		assert_int_equal(history_check(old, 3, &s, &reason, hash), 0);
		assert_int_equal(reason, PASSWORD_IN_HISTORY);
	}
	/* one salt a person: the prefix with it is the same */
	assert_memory_equal(old[0].hash, old[2].hash, 30);
	assert_string_not_equal(old[0].hash, old[2].hash);
}

/* Another salt is met once only, and looked at all the same. */
static void test_two_salts(void **state)
{
	enum password_reason reason = PASSWORD_UNCHECKED;
	char hash[STORE_CRYPT_MAX + 1];
	struct secret s = secret("first life");

	(void)state;
	assert_int_equal(history_check(NULL, 0, &s, &reason, old[1].hash), 0);
	s = secret("second life");
	assert_int_equal(history_check(NULL, 0, &s, &reason, old[0].hash), 0);
	assert_memory_not_equal(old[0].hash, old[1].hash, 30);
	s = secret("first life");
	assert_int_equal(history_check(old, 2, &s, &reason, hash), 0);
	assert_int_equal(reason, PASSWORD_IN_HISTORY);
	assert_memory_equal(hash, old[0].hash, 30); /* the newest one's */
}

/* The hash is crypt(3)'s: anybody can check it. */
static void test_crypt(void **state)
{
	struct crypt_data *work = calloc(1, sizeof(*work));

	(void)state;
	remember(0, "known");
	assert_non_null(work);
	assert_string_equal(crypt_r("known", old[0].hash, work), old[0].hash);
	free(work);
}

static void test_foreign_hash(void **state)
{
	/* a cost of minutes, another method, a cut one, none */
	static const char *const bad[] = {"$y$jFT$aaaaaaaaaaaaaaaaaaaaaa$"
					  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
					  "$6$rounds=999999999$aaaa$b",
					  "$y$j9T$short$hash", "", "*"};
	enum password_reason reason = PASSWORD_UNCHECKED;
	char hash[STORE_CRYPT_MAX + 1];
	struct secret s = secret("x"), none = {0}, nul = {.len = 2, .bytes = "\0x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)snprintf(old[0].hash, sizeof(old[0].hash), "%s", bad[i]);
		assert_int_equal(history_check(old, 1, &s, &reason, hash), -EBADMSG);
		assert_int_equal(reason, PASSWORD_UNCHECKED);
	}
	assert_int_equal(history_check(NULL, 0, &none, &reason, hash), -EINVAL);
	assert_int_equal(history_check(NULL, 0, &nul, &reason, hash), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_two_salts),
		cmocka_unit_test(test_crypt),
		cmocka_unit_test(test_foreign_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
