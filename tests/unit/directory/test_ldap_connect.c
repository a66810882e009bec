/* SPDX-License-Identifier: Apache-2.0 */
/* URIs as places to connect to, and the password file of the bind. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "rbacd/directory/bind_password.h"
#include "rbacd/directory/ldap_connect.h"

static void test_places(void **state)
{
	static const struct {
		const char *uri, *host, *port;
		bool local, tls_first;
	} v[] = {
		{"ldaps://a.example", "a.example", "636", false, true},
		{"ldap://a.example:3389", "a.example", "3389", false, false},
		{"ldaps://[2001:db8::1]:1636", "2001:db8::1", "1636", false, true},
		{"ldap://[::1]", "::1", "389", false, false},
		{"ldapi://%2frun%2Fslapd%2fldapi", "/run/slapd/ldapi", "", true, false},
	};
	struct ldap_place p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		assert_true(ldap_place_parse(v[i].uri, &p));
		assert_string_equal(p.host, v[i].host);
		assert_string_equal(p.port, v[i].port);
		assert_int_equal(p.local, v[i].local);
		assert_int_equal(p.tls_first, v[i].tls_first);
	}
}

static void test_no_places(void **state)
{
	static const char *const v[] = {"",
					"ldap://",
					"http://a",
					"ldaps://:1",
					"ldaps://a:",
					"ldaps://a:x",
					"ldaps://a:1234567890",
					"ldaps://[::1",
					"ldapi://run",
					"ldapi://%2",
					"ldapi://%2frun%00x",
					"LDAPS://a"};
	struct ldap_place p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		assert_false(ldap_place_parse(v[i], &p));
}

/* Nobody listens, or nobody answers: an error, and soon. */
static void test_connect_fails(void **state)
{
	const struct ldap_place closed = {.host = "127.0.0.1", .port = "1"};
	const struct ldap_place none = {.local = true, .host = "/nowhere/socket"};
	int fd;

	(void)state;
	assert_true(ldap_place_connect(&closed, 500, &fd) < 0);
	assert_int_equal(ldap_place_connect(&none, 500, &fd), -ENOENT);
}

static int read_password(const char *text, size_t len, mode_t mode, struct secret *ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	char path[] = "/tmp/vmsec-password-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
	r = bind_password_read(path, (uint32_t)getuid(), ret, &diag);
	(void)unlink(path);
	assert_int_equal(diag.n, r != 0);
	if (diag.n > 0)
		assert_null(strstr(diag.v[0].msg, "geheim"));
	return r;
}

static void test_password(void **state)
{
	_cleanup_secret_ struct secret s = SECRET_INIT;
	char longest[SECRET_MAX + 2];

	(void)state;
	assert_int_equal(read_password("geheim\n", 7, 0400, &s), 0);
	assert_int_equal(s.len, 6);
	assert_memory_equal(s.bytes, "geheim", 6);
	assert_int_equal(read_password("geheim ", 7, 0600, &s), 0);
	assert_int_equal(s.len, 7); /* a space is part of it */
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(read_password(longest, SECRET_MAX, 0600, &s), 0);
	assert_int_equal(read_password(longest, SECRET_MAX + 1, 0600, &s), -EINVAL);
	assert_int_equal(read_password("", 0, 0600, &s), -EINVAL);
	assert_int_equal(read_password("\n", 1, 0600, &s), -EINVAL);
	assert_int_equal(read_password("geheim\nx", 8, 0600, &s), -EINVAL);
	assert_int_equal(read_password("a\0b", 3, 0600, &s), -EINVAL);
	assert_int_equal(read_password("geheim", 6, 0640, &s), -EINVAL);
	assert_int_equal(read_password("geheim", 6, 0604, &s), -EINVAL);
}

static void test_password_is_a_file(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_secret_ struct secret s = SECRET_INIT;

	(void)state;
	assert_int_equal(bind_password_read("/nowhere", 0, &s, &diag), -EINVAL);
	assert_int_equal(bind_password_read("/tmp", 0, &s, &diag), -EINVAL);
	assert_int_equal(bind_password_read("/proc/self/exe", 0, &s, &diag), -EINVAL);
	assert_int_equal(s.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_no_places),
		cmocka_unit_test(test_connect_fails),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_password_is_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
