/* SPDX-License-Identifier: Apache-2.0 */
/* sshd_config's Match blocks: for each somebody whom it fits, or the word that nobody
 * is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "rbacd/doctor/sshd_match.h"

static char root[64];
static struct sshd_matches found;

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	f = fopen(path, "we");
	assert_non_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static int setup(void **state)
{
	char path[128];
	static const char *const dirs[] = {"/etc", "/etc/ssh",
					   "/etc/ssh/sshd_config.d"};

	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/vmsec-match-XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put("/etc/group", "ops:x:3:\nstaff:x:4:carol,dave\n");
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"/etc/ssh/sshd_config.d/a.conf",
					    "/etc/ssh/sshd_config.d",
					    "/etc/ssh/sshd_config",
					    "/etc/ssh",
					    "/etc/group",
					    "/etc",
					    ""};
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, names[i]);
		(void)remove(path);
	}
	return 0;
}

static void look(const char *text)
{
	put("/etc/ssh/sshd_config", text);
	sshd_match_read(root, "/etc/ssh/sshd_config", &found);
}

static void test_criteria(void **state)
{
	static const struct {
		const char *criteria, *spec;
	} rows[] = {
		{"User backup", "user=backup,host=doctor.invalid,addr=192.0.2.1,"},
		{"user !root,ba*", "user=bax,"},
		{"USER=\"jo?\"", "user=jox,"},
		{"Address 10.0.0.0/8", "addr=10.0.0.0,"},
		{"Address 10.*,!10.1.1.1 LocalPort 2222", "addr=10.1,"},
		{"Group staff", "user=carol,"},
		{"Host *.example.com", "host=x.example.com,"},
		{"RDomain blue", ",rdomain=blue"},
		{"all", "user=vmsec-doctor,"},
		{"Group ops", NULL}, /* nobody is in it */
		{"Group missing", NULL},
		{"User !root", NULL}, /* says only who not */
		{"User", NULL},
		{"Tagged x", NULL}, /* of a newer sshd */
		{"User a=b", NULL},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		(void)snprintf(text, sizeof(text), "UsePAM yes\n  Match %s\n",
			       rows[i].criteria);
		look(text);
		assert_int_equal(found.n, 1);
		assert_non_null(
			strstr(found.v[0].where, "/etc/ssh/sshd_config:2 Match"));
		if (rows[i].spec)
			assert_non_null(strstr(found.v[0].spec, rows[i].spec));
		else
			assert_string_equal(found.v[0].spec, "");
	}
}

static void test_includes(void **state)
{
	(void)state;
	put("/etc/ssh/sshd_config.d/a.conf", "# Match User no\nMatch User one # why\n");
	look("Include /etc/ssh/sshd_config.d/*.conf\nMatch User two\n");
	assert_int_equal(found.n, 2);
	assert_non_null(strstr(found.v[0].where, "a.conf:2 Match User one"));
	assert_non_null(strstr(found.v[1].spec, "user=two,"));
	put("/etc/ssh/sshd_config.d/a.conf", "Include /etc/ssh/sshd_config.d/a.conf\n");
	look("Include sshd_config.d/a.conf missing\n"); /* for ever */
	assert_int_equal(found.n, 0);
}

static void test_bounds(void **state)
{
	char text[20 * (SSHD_MATCH_MAX + 2)] = "";

	(void)state;
	for (size_t i = 0; i < SSHD_MATCH_MAX + 1; i++)
		(void)snprintf(text + strlen(text), 20, "Match User u%zu\n", i);
	look(text);
	assert_int_equal(found.n, SSHD_MATCH_MAX);
	assert_true(found.more);
	look("Match\n\"\n=\nMatch User \"");
	assert_int_equal(found.n, 2);
	assert_string_equal(found.v[1].spec, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_criteria, setup, teardown),
		cmocka_unit_test_setup_teardown(test_includes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
