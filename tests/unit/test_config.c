/* SPDX-License-Identifier: Apache-2.0 */
/* rbacd.yaml: defaults, every refusal by name, and the print that loads back the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "policy/yaml.h"
#include "rbacd/config.h"
#include "rbacd/log.h"

static int load(const char *text, struct config **ret, struct diags *diag)
{
	char path[] = "/tmp/vmsec-config-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	r = config_load(path, ret, diag);
	(void)unlink(path);
	return r;
}

static void test_defaults(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_config_ struct config *c = NULL;
	char path[256];

	(void)state;
	assert_int_equal(load("rbacd: 1\nvm: {name: a.example}\n", &c, &diag), 0);
	assert_string_equal(c->user, "rbacd");
	assert_string_equal(c->directory_user, "rbacd-dir");
	assert_string_equal(c->vm, "a.example");
	assert_string_equal(c->issuer, "a.example");
	assert_string_equal(c->policy, VMSEC_SYSCONFDIR "/rbacd/policy.d");
	assert_string_equal(c->state_dir, VMSEC_STATEDIR);
	assert_string_equal(c->run_dir, VMSEC_RUNDIR);
	assert_string_equal(c->people, VMSEC_SYSCONFDIR "/rbacd/people.yaml");
	assert_int_equal(c->source, CONFIG_SOURCE_NSS);
	assert_int_equal(c->max_stale_s, 86400);
	assert_int_equal(c->n_admins, 0);
	assert_int_equal(c->n_sshd_services, 1);
	assert_string_equal(c->sshd_services[0], "sshd");
	assert_false(c->log_to_syslog);
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_int_equal(c->sandbox, SANDBOX_REFUSE);
	assert_string_equal(config_db_path(c, path, sizeof(path)),
			    VMSEC_STATEDIR "/rbacd.db");
}

static const char full[] =
	"rbacd: 1\nuser: '901'\nvm: {name: db01.prod.example, labels: {env: prod, "
	"tier: db}}\n"
	"policy: /a/policy.d\nstate: /b\nrun: /c\nkey: /d/key\nissuer: \"It's: not\"\n"
	"notify: /e/notify\n"
	"directory: {source: file, people: '/e/it''s # people.yaml', user: dir, "
	"max_stale: "
	"15m}\n"
	"admins: [1000, 0, 4294967294]\nsshd_services: [sshd, sshd-vpn]\n"
	"sandbox: kill\nlog: {to: syslog, level: debug}\n";

static void test_print_round_trip(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_config_ struct config *a = NULL, *b = NULL;
	_cleanup_free_ char *first = NULL, *second = NULL;
	char text[1024];
	char *colon;
	size_t len;
	FILE *f;

	(void)state;
	memcpy(text, full, sizeof(full));
	colon = strstr(text, "It's: not");
	colon[4] = ' '; /* ':' is refused in an issuer */
	assert_int_equal(load(text, &a, &diag), 0);
	f = open_memstream(&first, &len);
	assert_int_equal(config_print(a, f), 0);
	(void)fclose(f);
	assert_int_equal(load(first, &b, &diag), 0);
	f = open_memstream(&second, &len);
	assert_int_equal(config_print(b, f), 0);
	(void)fclose(f);
	assert_string_equal(first, second);
	assert_string_equal(b->people, "/e/it's # people.yaml");
	assert_string_equal(b->issuer, "It's  not");
	assert_string_equal(b->notify, "/e/notify");
	assert_int_equal(b->n_labels, 2);
	assert_string_equal(b->labels[1].value, "db");
	assert_int_equal(b->n_admins, 3);
	assert_int_equal(b->admins[2], 4294967294u);
	assert_int_equal(b->max_stale_s, 900);
	assert_int_equal(b->source, CONFIG_SOURCE_FILE);
	assert_true(b->log_to_syslog);
	assert_int_equal(b->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(b->sandbox, SANDBOX_KILL);
}

static void test_empty_lists(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_config_ struct config *c = NULL;

	(void)state;
	assert_int_equal(load("rbacd: 1\nadmins: []\nsshd_services: []\nvm: {name: a, "
			      "labels: {}}\n",
			      &c, &diag),
			 0);
	assert_int_equal(c->n_sshd_services, 0);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *want;
		unsigned line;
	} bad[] = {
		{"vm: {name: a}\n", "format version is missing", 1},
		{"rbacd: 2\n", "must be 1", 1},
		{"[]\n", "must be a map", 1},
		{"rbacd: 1\npolcy: /a\n", "did you mean 'policy'", 2},
		{"rbacd: 1\ndirectory:\n  sorce: nss\n", "did you mean 'source'", 3},
		{"rbacd: 1\nuser: root\n", "must not be root", 2},
		{"rbacd: 1\nuser: '0'\n", "must not be root", 2},
		{"rbacd: 1\nuser: '000'\n", "must not be root", 2},
		{"rbacd: 1\nuser: ''\n", "must not be root", 2},
		{"rbacd: 1\nuser: [a]\n", "must be text", 2},
		{"rbacd: 1\nuser: rbacd-dir\n", "two accounts", 0},
		{"rbacd: 1\ndirectory: {user: root}\n", "must not be root", 2},
		{"rbacd: 1\ndirectory: {source: ldap}\n", "needs uris", 0},
		{"rbacd: 1\ndirectory: {source: NSS}\n", "nss, file or ldap", 2},
		{"rbacd: 1\ndirectory: {max_stale: 5}\n", "duration", 2},
		{"rbacd: 1\ndirectory: {max_stale: 0}\n", "at least 1m", 2},
		{"rbacd: 1\ndirectory: []\n", "must be a map", 2},
		{"rbacd: 1\npolicy: etc\n", "absolute path", 2},
		{"rbacd: 1\nanchor: etc\n", "absolute path", 2},
		{"rbacd: 1\nstate: /a\nanchor: /a/b\n", "not lie in the state", 0},
		{"rbacd: 1\nstate: /a\nanchor: /a\n", "not lie in the state", 0},
		{"rbacd: 1\npolicy: /a/../b\n", "'.' or '..'", 2},
		{"rbacd: 1\npolicy: /a/..\n", "'.' or '..'", 2},
		{"rbacd: 1\nkey: /a/\n", "no '/' at its end", 2},
		{"rbacd: 1\nkey: /a//b\n", "no empty part", 2},
		{"rbacd: 1\nrun: "
		 "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		 "at most 80 bytes", 2},
		{"rbacd: 1\nvm: {name: UP.example}\n", "host name", 2},
		{"rbacd: 1\nvm: {name: 'a b'}\n", "host name", 2},
		{"rbacd: 1\nvm: {labels: [a]}\n", "must be a map", 2},
		{"rbacd: 1\nvm: {labels: {'a b': c}}\n", "label's name", 2},
		{"rbacd: 1\nvm: {labels: {a: ''}}\n", "letters, digits", 2},
		{"rbacd: 1\nadmins: [alice]\n", "whole number", 2},
		{"rbacd: 1\nadmins: [-1]\n", "whole number", 2},
		{"rbacd: 1\nadmins: [4294967295]\n", "whole number", 2},
		{"rbacd: 1\nadmins: 1000\n", "must be a list", 2},
		{"rbacd: 1\nsshd_services: ['a/b']\n", "letters, digits", 2},
		{"rbacd: 1\nissuer: 'a:b'\n", "without ':'", 2},
		{"rbacd: 1\nnotify: mail -s x\n", "absolute path", 2},
		{"rbacd: 1\nissuer: \"a\\tb\"\n", "without ':'", 2},
		{"rbacd: 1\nsandbox: on\n", "must be refuse", 2},
		{"rbacd: 1\nsandbox: [off]\n", "must be refuse", 2},
		{"rbacd: 1\nlog: {to: file}\n", "stderr or syslog", 2},
		{"rbacd: 1\nlog: {to: [syslog]}\n", "stderr or syslog", 2},
		{"rbacd: 1\nlog: {level: loud}\n", "must be err", 2},
		{"rbacd: 1\nrbacd: 1\n", "already given", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_diags_ struct diags diag = DIAGS_INIT;
		struct config *c = NULL;
		bool found = false;

		if (load(bad[i].text, &c, &diag) != YAML_E_INVALID || c)
			fail_msg("case %zu '%s' was not refused", i, bad[i].want);
		for (size_t k = 0; k < diag.n; k++)
			found = found || (strstr(diag.v[k].msg, bad[i].want) &&
					  diag.v[k].line == bad[i].line);
		if (!found)
			fail_msg("case %zu lacks '%s' in line %u, has '%s' in %u", i,
				 bad[i].want, bad[i].line, diag.n ? diag.v[0].msg : "",
				 diag.n ? diag.v[0].line : 0);
	}
}

#define LDAP_URIS                                                                      \
	"uris: [ldaps://a.example, ldap://b.example:3389, 'ldapi://%2frun%2fl']"
#define LDAP_BIND   "bind: {dn: 'cn=v,dc=ex', password_file: /a/pw}"
#define LDAP_TLS    "tls: {ca: /a/ca.pem}"
#define LDAP_USERS  "users: {base: 'ou=p,dc=ex', filter: '(uid=*)', login: mail}"
#define LDAP_GROUPS "groups: {base: 'ou=g,dc=ex', member: uniqueMember}"
#define LDAP(uris, bind, tls, users, more)                                             \
	"rbacd: 1\nvm: {name: a}\ndirectory: {source: ldap, " uris ", " bind ", " tls  \
	", " users ", " LDAP_GROUPS more "}\n"

static void test_ldap_read_and_printed(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_config_ struct config *a = NULL, *b = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(load(LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS, LDAP_USERS,
				   ", schema: rfc2307bis, poll: 5s, guard: {share: 20, "
				   "growth: 3, groups: [admins]}, max_stale: {default: "
				   "2h, ssh: 1h, su: 3h}"),
			      &a, &diag),
			 0);
	assert_int_equal(config_print(a, f), 0);
	(void)fclose(f);
	assert_int_equal(load(text, &b, &diag), 0);
	assert_int_equal(b->source, CONFIG_SOURCE_LDAP);
	assert_int_equal(b->ldap.n_uris, 3);
	assert_string_equal(b->ldap.uris[1], "ldap://b.example:3389");
	assert_int_equal(b->ldap.bind, CONFIG_BIND_SIMPLE);
	assert_string_equal(b->ldap.users_login, "mail");
	assert_string_equal(b->ldap.groups_member, "uniqueMember");
	assert_int_equal(b->ldap.poll_s, 5);
	assert_int_equal(b->ldap.reconcile_s, 86400);
	assert_int_equal(b->ldap.guard_share, 20);
	assert_string_equal(b->ldap.guard_groups[0], "admins");
	assert_int_equal(config_max_stale(b, "ssh"), 3600);
	assert_int_equal(config_max_stale(b, "su"), 7200); /* never above default */
	assert_int_equal(config_max_stale(b, "console"), 7200);
}

/* sudo and su trust a silent LDAP server for a quarter of an hour. */
static void test_ldap_privileged_stale(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_config_ struct config *c = NULL;

	(void)state;
	assert_int_equal(load(LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS, LDAP_USERS, ""), &c,
			      &diag),
			 0);
	assert_int_equal(config_max_stale(c, "sudo"), 900);
	assert_int_equal(config_max_stale(c, "ssh"), 86400);
}

static void test_ldap_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{LDAP("uris: []", LDAP_BIND, LDAP_TLS, LDAP_USERS, ""), "needs uris"},
		{LDAP("uris: ['http://a']", LDAP_BIND, LDAP_TLS, LDAP_USERS, ""),
		 "must be ldaps"},
		{LDAP("uris: ['ldaps://a/dc=ex']", LDAP_BIND, LDAP_TLS, LDAP_USERS, ""),
		 "must be ldaps"},
		{LDAP("uris: ['ldaps://']", LDAP_BIND, LDAP_TLS, LDAP_USERS, ""),
		 "must be ldaps"},
		{LDAP("uris: ['ldapi:///run/l']", LDAP_BIND, LDAP_TLS, LDAP_USERS, ""),
		 "%2f"},
		{LDAP(LDAP_URIS, "bind: {dn: 'cn=v,dc=ex'}", LDAP_TLS, LDAP_USERS, ""),
		 "nobody binds without"},
		{LDAP(LDAP_URIS, "bind: {dn: '', password_file: /a}", LDAP_TLS,
		      LDAP_USERS, ""),
		 "must be a DN"},
		{LDAP(LDAP_URIS, "bind: {}", LDAP_TLS, LDAP_USERS, ""),
		 "nobody binds without"},
		{LDAP(LDAP_URIS, "bind: {sasl: external}", LDAP_TLS, LDAP_USERS, ""),
		 "for sasl external over the network"},
		{LDAP(LDAP_URIS, "bind: {sasl: external, dn: 'a=b'}", LDAP_TLS,
		      LDAP_USERS, ""),
		 "nobody binds without"},
		{LDAP(LDAP_URIS, LDAP_BIND, "tls: {}", LDAP_USERS, ""), "tls: {ca"},
		{LDAP(LDAP_URIS, LDAP_BIND, "tls: {ca: /c, cert: /d}", LDAP_USERS, ""),
		 "cert and key together"},
		{LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS, "users: {base: ''}", ""),
		 "the root of the tree is not a base"},
		{LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS, "users: {}", ""), "base: DN"},
		{LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS,
		      "users: {base: 'a=b', filter: uid}", ""),
		 "in brackets"},
		{LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS,
		      "users: {base: 'a=b', login: 'u)('}", ""),
		 "attribute's name"},
		{LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS, LDAP_USERS, ", schema: nis"),
		 "must be rfc2307"},
		{LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS, LDAP_USERS, ", reconcile: 2d"),
		 "must be from"},
		{LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS, LDAP_USERS,
		      ", guard: {share: 101}"),
		 "from 0 to 100"},
		{LDAP(LDAP_URIS, LDAP_BIND, LDAP_TLS, LDAP_USERS, ", insecure: true"),
		 "insecure"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_diags_ struct diags diag = DIAGS_INIT;
		struct config *c = NULL;
		bool found = false;

		if (load(bad[i].text, &c, &diag) != YAML_E_INVALID || c)
			fail_msg("case %zu '%s' was not refused", i, bad[i].want);
		for (size_t k = 0; k < diag.n; k++)
			found = found || strstr(diag.v[k].msg, bad[i].want);
		if (!found)
			fail_msg("case %zu lacks '%s', has '%s'", i, bad[i].want,
				 diag.n ? diag.v[0].msg : "");
	}
}

static void test_all_are_listed(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct config *c = NULL;

	(void)state;
	assert_int_equal(load("rbacd: 1\nuser: root\nlog: {level: x}\nadmins: [a, b]\n",
			      &c, &diag),
			 YAML_E_INVALID);
	assert_int_equal(diag.n, 4);
}

static void test_missing_file(void **state)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_load("/nonexistent/rbacd.yaml", &c, &diag),
			 YAML_E_INVALID);
	assert_true(diags_failed(&diag));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_print_round_trip),
		cmocka_unit_test(test_empty_lists),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ldap_read_and_printed),
		cmocka_unit_test(test_ldap_privileged_stale),
		cmocka_unit_test(test_ldap_refused),
		cmocka_unit_test(test_all_are_listed),
		cmocka_unit_test(test_missing_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
