/* SPDX-License-Identifier: Apache-2.0 */
/* /etc/passwd as a file: odd lines are skipped, names and numbers are exact. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "rbacd/directory/file.h"
#include "rbacd/directory/local.h"

static char path[64];

static void put(const char *text, size_t len)
{
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/vmsec-local-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	(void)close(fd);
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "+:::::::\n"
			     "+nis:x:5:5::/:/bin/sh\n"
			     "-out:x:6:6::/:/bin/sh\n"
			     "# comment\n"
			     "\n"
			     "short:x:7:7::/\n"
			     "long:x:8:8::/:/bin/sh:more\n"
			     "neg:x:-1:9::/:/bin/sh\n"
			     "hex:x:0x10:9::/:/bin/sh\n"
			     "none:x::9::/:/bin/sh\n"
			     "huge:x:4294967296:9::/:/bin/sh\n"
			     "all:x:4294967295:9::/:/bin/sh\n"
			     "bad name:x:10:9::/:/bin/sh\n"
			     ":x:11:9::/:/bin/sh\n"
			     "alice:x:1001:1002::/home/alice:/bin/sh\n"
			     "1234:x:77:77::/:/bin/sh\n"
			     "last:x:1003:1003::/:/bin/sh";

static int count(const struct local_account *a, void *arg)
{
	(void)a;
	++*(size_t *)arg;
	return 0;
}

static int stop(const struct local_account *a, void *arg)
{
	(void)arg;
	return str_eq(a->login, "alice") ? 42 : 0;
}

static void test_each(void **state)
{
	size_t n = 0, skipped = 0;

	(void)state;
	put(passwd, sizeof(passwd) - 1);
	assert_int_equal(local_each(path, count, &n, &skipped), 0);
	assert_int_equal(n, 4);
	assert_int_equal(skipped, 14);
	assert_int_equal(local_each(path, stop, NULL, NULL), 42);
	(void)unlink(path);
	assert_int_equal(local_each(path, count, &n, NULL), -ENOENT);
}

static void test_find(void **state)
{
	struct local_account a;

	(void)state;
	put(passwd, sizeof(passwd) - 1);
	assert_int_equal(local_find(path, "alice", &a), 0);
	assert_int_equal(a.uid, 1001);
	assert_int_equal(a.gid, 1002);
	assert_int_equal(local_find(path, "last", &a), 0);
	assert_int_equal(local_find(path, "alic", &a), LOCAL_E_NONE);
	assert_int_equal(local_find(path, "Alice", &a), LOCAL_E_NONE);
	assert_int_equal(local_find(path, "", &a), LOCAL_E_NONE);
	assert_int_equal(local_find(path, "neg", &a), LOCAL_E_NONE);
	assert_int_equal(local_find(path, "1001", &a), 0);
	assert_string_equal(a.login, "alice");
	assert_int_equal(local_find(path, "555", &a), 0);
	assert_string_equal(a.login, "");
	assert_int_equal(a.uid, 555);
	(void)unlink(path);
}

static void test_long_and_nul(void **state)
{
	static char text[8192];
	struct local_account a;
	size_t n = 0, skipped = 0;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 5000, "\nbob:x:1:1::/:/bin/sh\nev\0il:x:0:0::/:/x\n", 40);
	put(text, sizeof(text));
	assert_int_equal(local_each(path, count, &n, &skipped), 0);
	assert_int_equal(n, 1);
	assert_int_equal(skipped, 3);
	assert_int_equal(local_find(path, "evil", &a), LOCAL_E_NONE);
	assert_int_equal(local_find(path, "ev", &a), LOCAL_E_NONE);
	(void)unlink(path);
}

static void test_snapshot_of_passwd(void **state)
{
	static const char twice[] = "a:x:1:1::/:/s\nb:x:2:2::/:/s\na:x:3:1::/:/s\n"
				    "b:x:2:2::/:/s\nroot:x:0:0::/:/s\nw$:x:9:9::/:/s\n";
	_cleanup_snapshot_ struct snapshot *s = NULL;
	struct snapshot_account a;
	size_t skipped = 0;
	int fd;

	(void)state;
	put(twice, sizeof(twice) - 1);
	assert_int_equal(file_build_local(path, 5, &fd, &skipped), 0);
	assert_int_equal(snapshot_from_fd(fd, &s), 0);
	(void)close(fd);
	(void)unlink(path);
	assert_int_equal(skipped, 1);
	assert_int_equal(snapshot_account_count(s), 2);
	assert_false(snapshot_find(s, "a", &a)); /* two uids: nobody can tell */
	assert_true(snapshot_find(s, "b", &a));
	assert_true(snapshot_find(s, "root", &a));
	assert_string_equal(a.id, "unix:0:root");
	assert_int_equal(a.flags, SNAPSHOT_LOCAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_long_and_nul),
		cmocka_unit_test(test_snapshot_of_passwd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
