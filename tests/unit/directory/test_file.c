/* SPDX-License-Identifier: Apache-2.0 */
/* people.yaml: taken whole or refused whole; what it may not say is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "policy/yaml.h"
#include "rbacd/directory/file.h"

#define HEAD "vmsec_people: 1\npeople:\n"

static char problems[1024];

static void on_problem(void *arg, const char *text)
{
	(void)arg;
	(void)snprintf(problems + strlen(problems), sizeof(problems) - strlen(problems),
		       "%s\n", text);
}

static struct snapshot *from_builder(struct snapshot_builder *b)
{
	struct snapshot *s;
	int fd;

	assert_int_equal(snapshot_build_fd(b, &fd), 0);
	assert_int_equal(snapshot_from_fd(fd, &s), 0);
	(void)close(fd);
	snapshot_builder_free(b);
	return s;
}

static struct snapshot *targets(void)
{
	struct snapshot_builder *b;

	assert_int_equal(snapshot_builder_new("targets", 0, &b), 0);
	assert_int_equal(snapshot_add_group(b, "ops", true, 0, NULL), 0);
	assert_int_equal(snapshot_add_group(b, "dba", true, 0, NULL), 0);
	return from_builder(b);
}

static struct snapshot *local(void)
{
	struct snapshot_builder *b;

	assert_int_equal(snapshot_builder_new("local", 0, &b), 0);
	assert_int_equal(snapshot_add_account(
				 b,
				 &(struct snapshot_account){.login = "taken",
							    .id = "unix:1:taken",
							    .uid = 1,
							    .flags = SNAPSHOT_LOCAL}),
			 0);
	return from_builder(b);
}

static int build(const char *text, struct snapshot **ret, struct diags *diag)
{
	_cleanup_snapshot_ struct snapshot *t = targets();
	_cleanup_snapshot_ struct snapshot *l = local();
	char path[] = "/tmp/vmsec-people-XXXXXX";
	struct file_input in = {.path = path,
				.targets = t,
				.local = l,
				.now_s = 7,
				.problem = on_problem};
	int file = mkstemp(path), fd = -1, r;

	problems[0] = '\0';
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(file);
	r = file_build(&in, &fd, diag);
	(void)unlink(path);
	if (r == 0) {
		assert_int_equal(snapshot_from_fd(fd, ret), 0);
		(void)close(fd);
	}
	return r;
}

static void test_good(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_snapshot_ struct snapshot *s = NULL;
	struct snapshot_account a;
	struct snapshot_group g;

	(void)state;
	assert_int_equal(
		build(HEAD "  - {login: ann, id: 'hr:1', uid: 5001, groups: [ops, "
			   "other, dba]}\n"
			   "  - {login: bob, id: 'hr:2', uid: 5002, disabled: true, "
			   "expires: 2028-02-29}\n",
		      &s, &diag),
		0);
	assert_string_equal(snapshot_source(s), "file");
	assert_int_equal(snapshot_group_count(s), 2);
	snapshot_group_at(s, 0, &g);
	assert_true(g.complete);
	assert_true(snapshot_find(s, "ann", &a));
	assert_int_equal(a.n_groups, 2);
	assert_int_equal(a.flags, SNAPSHOT_DIRECTORY);
	assert_true(snapshot_find(s, "bob", &a));
	assert_int_equal(a.flags, SNAPSHOT_DIRECTORY | SNAPSHOT_DISABLED);
	assert_int_equal(a.expires_s, 1835395200); /* date -u -d 2028-02-29 +%s */
}

static void test_left_out(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_snapshot_ struct snapshot *s = NULL;
	struct snapshot_account a;

	(void)state;
	assert_int_equal(build(HEAD "  - {login: toor, id: a, uid: 0, groups: [ops]}\n"
				    "  - {login: sys, id: b, uid: 999}\n"
				    "  - {login: dyn, id: c, uid: 61184}\n"
				    "  - {login: nob, id: d, uid: 65534}\n"
				    "  - {login: taken, id: e, uid: 5001}\n"
				    "  - {login: ok, id: f, uid: 1000}\n",
			       &s, &diag),
			 0);
	assert_int_equal(snapshot_account_count(s), 1);
	assert_true(snapshot_find(s, "ok", &a));
	/* One message for all: thousands would crowd the snapshot out of the link. */
	assert_non_null(
		strstr(problems, "5 accounts are left out; the first is 'dyn'"));
	assert_null(strstr(problems, "'sys'"));
}

static void test_one_left_out(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_snapshot_ struct snapshot *s = NULL;

	(void)state;
	assert_int_equal(build(HEAD "  - {login: taken, id: e, uid: 5001}\n", &s,
			       &diag),
			 0);
	assert_int_equal(snapshot_account_count(s), 0);
	assert_non_null(strstr(problems, "'taken' is left out: the login exists"));
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{"people: []\n", "vmsec_people: 1"},
		{"vmsec_people: 2\npeople: []\n", "vmsec_people: 1"},
		{"vmsec_people: 1\n", "list 'people'"},
		{"vmsec_people: 1\npeople: {}\n", "list 'people'"},
		{"[]\n", "vmsec_people"},
		{HEAD "  - x\n", "must be a person"},
		{HEAD "  - {login: a, id: b}\n", "'uid' is missing"},
		{HEAD "  - {id: b, uid: 5000}\n", "'login' is missing"},
		{HEAD "  - {login: a, uid: 5000}\n", "'id' is missing"},
		{HEAD "  - {login: [a], id: b, uid: 5000}\n", "must be text"},
		{HEAD "  - {login: 'a b', id: b, uid: 5000}\n", "letters, digits"},
		{HEAD "  - {login: a, id: b, uid: -1}\n", "whole number"},
		{HEAD "  - {login: a, id: b, uid: 4294967295}\n", "whole number"},
		{HEAD "  - {login: a, id: b, uid: 5000, grops: []}\n",
		 "did you mean 'groups'"},
		{HEAD "  - {login: a, id: b, uid: 5000, groups: ops}\n",
		 "list of group"},
		{HEAD "  - {login: a, id: b, uid: 5000, groups: [[]]}\n",
		 "group's name"},
		{HEAD "  - {login: a, id: b, uid: 5000, disabled: yes}\n",
		 "true or false"},
		{HEAD "  - {login: a, id: b, uid: 5000, expires: 2027-02-29}\n",
		 "a date"},
		{HEAD "  - {login: a, id: b, uid: 5000, expires: 2027-2-2}\n",
		 "a date"},
		{HEAD
		 "  - {login: a, id: b, uid: 5000}\n  - {login: a, id: c, uid: 5001}\n",
		 "the login of this person"},
		{HEAD
		 "  - {login: a, id: b, uid: 5000}\n  - {login: c, id: b, uid: 5001}\n",
		 "the id of this person"},
		{HEAD
		 "  - {login: a, id: b, uid: 5000}\n  - {login: c, id: d, uid: 5000}\n",
		 "the uid of this person is also given in line 3"},
		/* The people are taken one by one: what follows them counts all the
		   same. */
		{HEAD "  - {login: a, id: b, uid: 5000}\npeople:\n  - "
		      "{login: c, id: d, uid: 5001}\n",
		 "already given in line 2"},
		{HEAD "  - {login: a, id: b, uid: 5000}\nmore: []\n", "unknown key"},
		{HEAD "  - {login: a, id: b, uid: 5000}\n  - {login: [\n", "expected"},
		{HEAD "  - {login: a, id: b, uid: 5000}\n--- {}\n", "second document"},
		{HEAD "  - {login: a, id: b, uid: 5000, people: [{login: c}]}\n",
		 "unknown key 'people'"},
		{HEAD "  - [{login: a, id: b, uid: 5000}]\n", "must be a person"},
		{"vmsec_people: 1\npeople: {people: [{login: a, id: b, uid: 5000}]}\n",
		 "list 'people'"},
		{"- [{people: []}]\n", "vmsec_people"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_diags_ struct diags diag = DIAGS_INIT;
		struct snapshot *s = NULL;
		bool found = false;

		assert_int_equal(build(bad[i].text, &s, &diag), YAML_E_INVALID);
		assert_null(s);
		for (size_t k = 0; k < diag.n; k++)
			found = found || strstr(diag.v[k].msg, bad[i].want);
		if (!found)
			fail_msg("case %zu lacks '%s'", i, bad[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_one_left_out),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
