/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_password.c - the presets against the table of docs/design/passwords.md, every
 * number of it, in this one place; what may be changed in them and what may not.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

#define NIST "nist-800-63b-4"
#define PCI  "pci-dss-4"
#define CIS  "cis"
#define BOTH "strictest-of(pci-dss-4, cis)"

#define WITH	"  - {id: g, to: [a], roles: [r], vms: [all]}\n"
#define WITHOUT WITH "  - {id: h, to: [a], roles: [r], vms: [all], when: {mfa: none}}\n"

static struct policy *load(const char *grants, const char *section, struct diags *diag)
{
	char text[2048];
	const struct policy_host host = {.name = "vm"};
	const struct policy_source src = {"p.yaml", text, 0};
	struct policy_source it = src;
	struct policy *p = NULL;
	int n = snprintf(text, sizeof(text),
			 "vmsec_policy: 1\nvm_sets: {all: {every: true}}\n"
			 "roles: {r: {privileges: [ssh]}}\ngrants:\n%s%s\n",
			 grants, section);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	it.len = (size_t)n;
	if (policy_load_sources(&it, 1, &host, &p, diag) != 0)
		assert_null(p);
	return p;
}

static struct password_rules rules_of(const char *grants, const char *section)
{
	static struct policy *kept; /* the rules point into it */
	struct password_rules r;
	struct diags diag = DIAGS_INIT;

	policy_unref(kept);
	kept = load(grants, section, &diag);
	diags_print(&diag, stderr);
	diags_done(&diag);
	assert_non_null(kept);
	policy_password(kept, &r);
	return r;
}

/* ------------------------------------------------------------------- the table */

/* Each preset where some rule lets in without a code, and what else holds where none
 * does. */
static const struct row {
	const char *preset;
	struct password_rules without;
	uint32_t min_length_mfa, max_age_mfa;
} table[] = {
	{NIST, {.min_length = 15, .blocklist = true, .whole_words = true}, 8, 0},
	{PCI,
	 {.min_length = 12,
	  .classes = 2,
	  .blocklist = true,
	  .history = 4,
	  .max_age_d = 90,
	  .warn_d = 14},
	 12,
	 0},
	{CIS,
	 {.min_length = 14,
	  .classes = 4,
	  .max_repeat = 3,
	  .max_sequence = 3,
	  .min_different = 2,
	  .dictionary = true,
	  .history = 24,
	  .max_age_d = 365,
	  .min_age_d = 1,
	  .warn_d = 7},
	 14,
	 365},
	{BOTH,
	 {.min_length = 14,
	  .classes = 4,
	  .max_repeat = 3,
	  .max_sequence = 3,
	  .min_different = 2,
	  .blocklist = true,
	  .dictionary = true,
	  .history = 24,
	  .max_age_d = 90,
	  .min_age_d = 1,
	  .warn_d = 14},
	 14,
	 365},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(table); i++) {
		const struct row *row = &table[i / 2];
		const struct password_rules *w = &row->without;
		bool mfa = i % 2;
		struct password_rules r;
		char section[128];

		(void)snprintf(section, sizeof(section), "password: {preset: \"%s\"}",
			       row->preset);
		r = rules_of(mfa ? WITH : WITHOUT, section);
		assert_string_equal(r.preset, row->preset);
		assert_int_equal(r.mfa_everywhere, mfa);
		assert_int_equal(r.min_length,
				 mfa ? row->min_length_mfa : w->min_length);
		assert_int_equal(r.max_length, 256);
		assert_int_equal(r.classes, w->classes);
		assert_int_equal(r.max_repeat, w->max_repeat);
		assert_int_equal(r.max_sequence, w->max_sequence);
		assert_int_equal(r.min_different, w->min_different);
		assert_int_equal(r.blocklist, w->blocklist);
		assert_int_equal(r.dictionary, w->dictionary);
		assert_int_equal(r.whole_words, w->whole_words);
		assert_int_equal(r.history, w->history);
		assert_int_equal(r.max_age_d, mfa ? row->max_age_mfa : w->max_age_d);
		assert_int_equal(r.min_age_d, w->min_age_d);
		assert_int_equal(r.warn_d, w->warn_d);
		assert_int_equal(r.n_words, 0);
	}
}

/* ------------------------------------------------------------ where MFA is everywhere
 */

static void test_mfa_everywhere(void **state)
{
	static const struct {
		const char *grants;
		bool everywhere;
	} cases[] = {
		{WITH, true},
		{WITHOUT, false},
		{WITH "defaults: {mfa: none}\n", false},
		{WITH "mode: {default: monitor}\n", false},
		{WITH "mode: {default: enforce, monitor: [all]}\n", false},
		{WITH "break_glass:\n  - {id: b, to: [\"local:root\"], vms: [all], "
		      "privileges: [console], alert: page}\n",
		 true},
		{WITH "break_glass:\n  - {id: b, to: [\"local:root\"], vms: [all], "
		      "privileges: [console], alert: page, mfa: none}\n",
		 false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct password_rules r =
			rules_of(cases[i].grants, "password: {preset: pci-dss-4}");

		if (r.mfa_everywhere != cases[i].everywhere)
			fail_msg("%s", cases[i].grants);
		assert_int_equal(r.max_age_d, cases[i].everywhere ? 0 : 90);
	}
}

static void test_no_section(void **state)
{
	static const struct password_rules none;
	struct password_rules r = rules_of(WITH, "");

	(void)state;
	assert_memory_equal(&r, &none, sizeof(r));
}

/* ------------------------------------------------------------------- single keys */

/* @key of @preset at the value of the preset, one stricter, one weaker. */
static const struct key_case {
	const char *preset, *key, *same, *stricter, *weaker;
} keys[] = {
	{NIST, "min_length", "15", "16", "14"},
	{NIST, "min_length_with_mfa", "8", "9", "7"},
	{NIST, "classes", "0", NULL, "1"},
	{NIST, "max_repeat", "0", "3", NULL},
	{NIST, "history", "0", "1", NULL},
	{NIST, "max_age", "0d", NULL, "90d"},
	{NIST, "max_age_with_mfa", "0d", NULL, "365d"},
	{PCI, "min_length", "12", "13", "11"},
	{PCI, "classes", "2", "3", "1"},
	{PCI, "max_repeat", "0", "5", NULL},
	{PCI, "history", "4", "5", "3"},
	{PCI, "max_age", "90d", "89d", "91d"},
	{PCI, "max_age", "90d", "1d", "0d"},
	{PCI, "max_age_with_mfa", "0d", "365d", NULL},
	{PCI, "warning", "14d", "15d", "13d"},
	{PCI, "min_age", "0d", "1d", NULL},
	{CIS, "min_length", "14", "256", "13"},
	{CIS, "classes", "4", NULL, "3"},
	{CIS, "max_repeat", "3", "2", "4"},
	{CIS, "max_repeat", "3", "1", "0"},
	{CIS, "max_sequence", "3", "2", "4"},
	{CIS, "min_different", "2", "3", "1"},
	{CIS, "history", "24", "25", "23"},
	{CIS, "max_age", "365d", "364d", "366d"},
	{CIS, "min_age", "1d", "2d", "0d"},
	{CIS, "warning", "7d", "8d", "6d"},
	{BOTH, "max_age", "90d", "89d", "365d"},
	{BOTH, "warning", "14d", "15d", "7d"},
	{BOTH, "history", "24", "25", "4"},
};

static bool accepts(const char *preset, const char *key, const char *value)
{
	char section[192];
	struct diags diag = DIAGS_INIT;
	struct policy *p;

	(void)snprintf(section, sizeof(section), "password: {preset: \"%s\", %s: %s}",
		       preset, key, value);
	p = load(WITH, section, &diag);
	policy_unref(p);
	diags_done(&diag);
	return p != NULL;
}

static void test_only_stricter(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct key_case *k = &keys[i];

		if (!accepts(k->preset, k->key, k->same) ||
		    (k->stricter && !accepts(k->preset, k->key, k->stricter)) ||
		    (k->weaker && accepts(k->preset, k->key, k->weaker)))
			fail_msg("%s: %s", k->preset, k->key);
	}
}

static void test_values_arrive(void **state)
{
	struct password_rules r = rules_of(
		WITHOUT,
		"password: {preset: pci-dss-4, min_length: 20, classes: 3, "
		"max_repeat: 4, max_sequence: 5, min_different: 6, history: 7, "
		"max_age: 60d, min_age: 2d, warning: 30d, "
		"words: [rakete, example, rakete]}");

	(void)state;
	assert_int_equal(r.min_length, 20);
	assert_int_equal(r.classes, 3);
	assert_int_equal(r.max_repeat, 4);
	assert_int_equal(r.max_sequence, 5);
	assert_int_equal(r.min_different, 6);
	assert_int_equal(r.history, 7);
	assert_int_equal(r.max_age_d, 60);
	assert_int_equal(r.min_age_d, 2);
	assert_int_equal(r.warn_d, 30);
	assert_int_equal(r.n_words, 2);
	assert_string_equal(r.words[0], "example");
	assert_string_equal(r.words[1], "rakete");
}

/* ------------------------------------------------------------------- one preset */

static void test_mixing(void **state)
{
	static const struct {
		const char *preset;
		bool reason; /* why NIST goes with no other */
	} bad[] = {
		{"strictest-of(nist-800-63b-4, cis)", true},
		{"strictest-of(cis, nist-800-63b-4)", true},
		{"strictest-of(pci-dss-4, cis, nist-800-63b-4)", true},
		{"[nist-800-63b-4, pci-dss-4]", true},
		{"NIST-800-63b-4", false},
		{"\"\"", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char section[160], *text = NULL;
		size_t len = 0;
		struct diags diag = DIAGS_INIT;
		FILE *f = open_memstream(&text, &len);
		const char *quote = bad[i].preset[0] == 's' ? "\"" : "";

		(void)snprintf(section, sizeof(section), "password: {preset: %s%s%s}",
			       quote, bad[i].preset, quote);
		assert_null(load(WITH, section, &diag));
		diags_print(&diag, f);
		assert_int_equal(fclose(f), 0);
		if (!strstr(text, bad[i].reason ? "NIST forbids" : "must be nist"))
			fail_msg("%s: %s", bad[i].preset, text);
		free(text);
		diags_done(&diag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_mfa_everywhere),
		cmocka_unit_test(test_no_section),
		cmocka_unit_test(test_only_stricter),
		cmocka_unit_test(test_values_arrive),
		cmocka_unit_test(test_mixing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
