/* SPDX-License-Identifier: Apache-2.0 */
/* What a BEGIN means. Store and identity are scripted here; policy is the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rbacd/authz.h"

static const char *session_origin; /* NULL: no such session */

int store_session_get(struct store *store, const char *boot, uint32_t session,
		      struct store_session *ret)
{
	(void)store;
	if (!session_origin || session != 7 || !str_eq(boot, "boot"))
		return STORE_E_NONE;
	(void)snprintf(ret->origin, sizeof(ret->origin), "%s", session_origin);
	return 0;
}

bool identity_local_uid(const struct identity *identity, const char *login,
			uint32_t *ret)
{
	(void)identity;
	*ret = 0;
	return str_eq(login, "toor");
}

static char sshd[] = "sshd";
static char *services[] = {sshd};
static struct config config = {.sshd_services = services, .n_sshd_services = 1};
static struct server server = {.config = &config, .boot_id = "boot"};

static void setup_policy(void)
{
	static const char text[] = "vmsec_policy: 1\n";
	struct policy_source src = {"p.yaml", text, sizeof(text) - 1};
	struct policy_host host = {.name = "vm1"};
	struct diags d = DIAGS_INIT;

	assert_int_equal(policy_load_sources(&src, 1, &host, &server.policy, &d), 0);
	diags_done(&d);
}

static struct wire_begin begin(const char *service, const char *user)
{
	struct wire_begin b = {.session = AUTHZ_UNSET,
			       .loginuid = AUTHZ_UNSET,
			       .ruid = 0};

	(void)snprintf(b.service, sizeof(b.service), "%s", service);
	(void)snprintf(b.user, sizeof(b.user), "%s", user);
	return b;
}

static void proven_only_by_sshd_or_stack(void **state)
{
	static const struct {
		const char *service, *info;
		uint32_t flags;
		bool proven;
	} rows[] = {
		{"sshd", "publickey ssh-ed25519 AAAA\n", 0, true},
		{"sshd", "password\n", 0, true},
		{"sshd", "keyboard-interactive\npublickey ssh-rsa AAAA", 0, true},
		{"sshd", "", 0, false},
		{"sshd", "keyboard-interactive", 0, false},
		{"sshd", "publickeyx ssh-rsa", 0, false},
		{"sshd", "x publickey", 0, false},
		{"sshd", "none", 0, false},
		{"login", "publickey ssh-ed25519 AAAA", 0,
		 false}, /* not sshd: a user's text */
		{"login", "", WIRE_FLAG_FIRST_FACTOR, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_begin b = begin(rows[i].service, "alice");
		struct authz_facts f;

		b.flags = rows[i].flags;
		(void)snprintf(b.ssh_auth_info, sizeof(b.ssh_auth_info), "%s",
			       rows[i].info);
		authz_read(&server, &b, &f);
		assert_int_equal(f.proven, rows[i].proven);
	}
}

static void origin_comes_from_what_cannot_be_forged(void **state)
{
	struct wire_begin b = begin("sshd", "alice");
	struct authz_facts f;

	(void)state;
	(void)snprintf(b.ssh_connection, sizeof(b.ssh_connection),
		       "10.0.0.9 5 10.0.0.1 22");
	(void)snprintf(b.rhost, sizeof(b.rhost), "trusted.example");
	authz_read(&server, &b, &f);
	assert_string_equal(f.origin_text, "10.0.0.9");

	(void)snprintf(b.ssh_connection, sizeof(b.ssh_connection),
		       "trusted.example 5 x 22");
	authz_read(&server, &b, &f);
	assert_string_equal(f.origin_text, "unknown");

	b = begin("sudo", "alice"); /* its environment is the user's */
	(void)snprintf(b.ssh_connection, sizeof(b.ssh_connection),
		       "10.0.0.9 5 10.0.0.1 22");
	b.session = 7;
	session_origin = NULL;
	authz_read(&server, &b, &f);
	assert_string_equal(f.origin_text, "unknown");
	session_origin = "2001:db8::1";
	authz_read(&server, &b, &f);
	assert_string_equal(f.origin_text, "2001:db8::1");
	b.session = AUTHZ_UNSET;
	authz_read(&server, &b, &f);
	assert_string_equal(f.origin_text, "unknown");
}

static void console_is_a_console(void **state)
{
	static const struct {
		const char *tty;
		bool console;
	} rows[] = {{"tty1", true},	   {"/dev/tty12", true},   {"/dev/ttyS0", true},
		    {"console", true},	   {"/dev/console", true}, {"hvc0", true},
		    {"pts/0", false},	   {"/dev/pts/3", false},  {"", false},
		    {"tty", false},	   {"ttyp0", false},	   {"ssh", false},
		    {"/dev/tty1x", false}, {"/dev/../tty1", false}};
	struct authz_facts f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct wire_begin b = begin("login", "alice");

		(void)snprintf(b.tty, sizeof(b.tty), "%s", rows[i].tty);
		authz_read(&server, &b, &f);
		assert_int_equal(f.origin.kind == POLICY_ORIGIN_LOCAL, rows[i].console);
		(void)snprintf(b.rhost, sizeof(b.rhost), "far.example");
		authz_read(&server, &b, &f);
		assert_int_equal(f.origin.kind, POLICY_ORIGIN_UNKNOWN);
	}
}

static void su_and_sudo_ask_for_the_invoker(void **state)
{
	struct wire_begin b = begin("su", "postgres");
	struct authz_facts f;

	(void)state;
	(void)snprintf(b.ruser, sizeof(b.ruser), "alice");
	b.ruid = 1001;
	authz_read(&server, &b, &f);
	assert_string_equal(f.subject, "alice");
	assert_string_equal(f.target, "postgres");
	assert_false(f.target_uid0);
	assert_false(f.by_root);

	(void)snprintf(b.user, sizeof(b.user), "toor"); /* another name of uid 0 */
	authz_read(&server, &b, &f);
	assert_true(f.target_uid0);

	b = begin("sudo", "root"); /* sudo with targetpw: PAM_USER is the target */
	(void)snprintf(b.ruser, sizeof(b.ruser), "alice");
	authz_read(&server, &b, &f);
	assert_string_equal(f.subject, "alice");
	assert_false(f.by_root);
	(void)snprintf(b.ruser, sizeof(b.ruser), "root");
	authz_read(&server, &b, &f);
	assert_true(f.by_root);
}

static void unknown_service_has_no_privilege(void **state)
{
	struct wire_begin b = begin("telnetd", "alice");
	struct authz_facts f;

	(void)state;
	authz_read(&server, &b, &f);
	assert_string_equal(f.privilege, "");
	assert_false(f.is_login);
	assert_false(f.can_step_up);
}

static void origin_text_round_trip(void **state)
{
	static const char *const texts[] = {"local", "unknown", "192.0.2.1",
					    "2001:db8::1"};
	struct policy_origin o;
	char buf[STORE_ORIGIN_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		authz_origin_parse(texts[i], &o);
		authz_origin_text(&o, buf);
		assert_string_equal(buf, texts[i]);
	}
	authz_origin_parse("localhost", &o);
	assert_int_equal(o.kind, POLICY_ORIGIN_UNKNOWN);
	authz_origin_parse("", &o);
	assert_int_equal(o.kind, POLICY_ORIGIN_UNKNOWN);
}

/* A single host owns a /64: its addresses are one source, two of them are two. */
static void ipv6_counts_by_64(void **state)
{
	static const struct {
		const char *from, *source;
	} rows[] = {
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"2001:db8:1:2::1", "2001:db8:1:2::/64"},
		{"2001:db8:1:3::1", "2001:db8:1:3::/64"},
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.2", "192.0.2.2"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[STORE_ORIGIN_MAX + 1];
		struct policy_origin o;

		assert_int_equal(policy_origin_parse(rows[i].from, &o), 0);
		authz_source_text(&o, text);
		assert_string_equal(text, rows[i].source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proven_only_by_sshd_or_stack),
		cmocka_unit_test(origin_comes_from_what_cannot_be_forged),
		cmocka_unit_test(console_is_a_console),
		cmocka_unit_test(su_and_sudo_ask_for_the_invoker),
		cmocka_unit_test(unknown_service_has_no_privilege),
		cmocka_unit_test(origin_text_round_trip),
		cmocka_unit_test(ipv6_counts_by_64),
	};
	int rc;

	setup_policy();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	policy_unref(server.policy);
	return rc;
}
