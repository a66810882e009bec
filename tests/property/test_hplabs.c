/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hplabs.c - real user-permission matrices (HP Labs): a policy made from a role
 * decomposition must decide every pair exactly as the matrix says.
 * A second decomposition, in which everybody is a role of his own, differs in nothing.
 * Permission p is VM p div 4 and privilege p mod 4. Argument "all": every pair of
 * americas_large as well, instead of a sample of a million.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/diff.h"

#define USERS_MAX 4000
#define PERMS_MAX 12000
#define COVER_MAX USERS_MAX
#define SAMPLE	  1000000

static const char *const privileges[4] = {"ssh", "sudo", "console", "desktop"};
static bool every_pair;

struct matrix {
	uint8_t *bits;	       /* [user * PERMS_MAX + permission] */
	unsigned users, perms; /* highest number */
};

struct cover {
	unsigned n;		 /* roles, from 0 */
	uint16_t *of[USERS_MAX]; /* roles of a user, ascending */
	uint16_t n_of[USERS_MAX];
};

static FILE *open_data(const char *set, const char *ending)
{
	char path[512];
	const char *root = getenv("VMSEC_DATA");

	snprintf(path, sizeof(path), "%s/hplabs/%s%s", root ? root : "../shared/data",
		 set, ending);
	return fopen(path, "re");
}

static void read_matrix(FILE *f, struct matrix *m)
{
	unsigned user, perm;

	m->bits = calloc(USERS_MAX, PERMS_MAX);
	assert_non_null(m->bits);
	while (fscanf(f, "%u %u", &user, &perm) == 2) {
		assert_true(user < USERS_MAX && perm < PERMS_MAX);
		m->bits[(size_t)user * PERMS_MAX + perm] = 1;
		m->users = user > m->users ? user : m->users;
		m->perms = perm > m->perms ? perm : m->perms;
	}
	fclose(f);
}

/* The permissions of one role: VMs by the set of privileges on them, a grant each. */
static void write_grants(FILE *out, unsigned role, const char *list)
{
	static uint8_t mask[PERMS_MAX / 4 + 1];
	char *end;

	memset(mask, 0, sizeof(mask));
	for (const char *s = list; *s; s = end) {
		unsigned long p = strtoul(s, &end, 10);

		if (end == s)
			break;
		assert_true(p < PERMS_MAX);
		mask[p / 4] |= (uint8_t)(1u << p % 4);
		end += *end == ',';
	}
	for (unsigned k = 1; k < 16; k++) {
		const char *comma = "";

		for (size_t vm = 0; vm < ARRAY_SIZE(mask); vm++) {
			if (mask[vm] != k)
				continue;
			if (!*comma)
				fprintf(out,
					"  - {id: c%u-%u, to: [g%u], roles: [m%u], "
					"vms: [",
					role, k, role, k);
			fprintf(out, "%s\"vm:v%zu\"", comma, vm);
			comma = ", ";
		}
		if (*comma)
			fputs("], when: {mfa: none}}\n", out);
	}
}

static void add_users(struct cover *c, const char *list)
{
	char *end;

	for (const char *s = list; *s; s = end) {
		unsigned long u = strtoul(s, &end, 10);

		if (end == s)
			break;
		assert_true(u < USERS_MAX);
		c->of[u] = reallocarray(c->of[u], c->n_of[u] + 1u, sizeof(*c->of[u]));
		assert_non_null(c->of[u]);
		c->of[u][c->n_of[u]++] = (uint16_t)c->n;
		end += *end == ',';
	}
}

static void write_head(FILE *out, unsigned perms)
{
	fputs("vmsec_policy: 1\ninventory:\n", out);
	fprintf(out, "  v[0-%u]: {}\nroles:\n", perms / 4);
	for (unsigned k = 1; k < 16; k++) {
		const char *comma = "";

		fprintf(out, "  m%u: {privileges: [", k);
		for (unsigned i = 0; i < 4; i++) {
			if (!(k >> i & 1))
				continue;
			fprintf(out, "%s%s", comma, privileges[i]);
			comma = ", ";
		}
		fputs("]}\n", out);
	}
	fputs("grants:\n", out);
}

static void read_cover(FILE *f, struct cover *c, FILE *out)
{
	char *line = NULL;
	size_t size = 0;
	const char *rest;

	while (getline(&line, &size, f) > 0) {
		rest = str_after(line, "permissions:");
		if (rest)
			write_grants(out, c->n, rest);
		rest = str_after(line, "users:");
		if (rest) {
			add_users(c, rest);
			c->n++;
			assert_true(c->n < COVER_MAX);
		}
	}
	free(line);
	fclose(f);
}

/* Everybody is a role of his own; the last permission of user @spare is left out. */
static void read_plain(const struct matrix *m, unsigned spare, struct cover *c,
		       FILE *out)
{
	for (unsigned u = 1; u <= m->users; u++) {
		char *list = NULL, user[16];
		size_t len;
		FILE *f = open_memstream(&list, &len);
		unsigned last = 0;

		assert_non_null(f);
		for (unsigned perm = 1; perm <= m->perms; perm++) {
			if (!m->bits[(size_t)u * PERMS_MAX + perm])
				continue;
			if (last != 0)
				fprintf(f, "%u,", last);
			last = perm;
		}
		if (last != 0 && u != spare)
			fprintf(f, "%u", last);
		fclose(f);
		write_grants(out, c->n, list);
		snprintf(user, sizeof(user), "%u", u);
		add_users(c, user);
		c->n++;
		free(list);
	}
}

static struct policy *load_text(FILE *out, char **text, size_t *len)
{
	struct diags diag = DIAGS_INIT;
	struct policy *p = NULL;
	struct policy_source src = {.name = "hplabs.yaml"};
	int r;

	fclose(out);
	src.buf = *text;
	src.len = *len;
	r = policy_load_sources(&src, 1, NULL, &p, &diag);
	diags_print(&diag, stdout);
	diags_done(&diag);
	free(*text);
	assert_int_equal(r, 0);
	return p;
}

static struct policy *make_policy(FILE *cover_file, struct cover *c, unsigned perms)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	write_head(out, perms);
	read_cover(cover_file, c, out);
	return load_text(out, &text, &len);
}

static struct policy *make_plain(const struct matrix *m, unsigned spare,
				 struct cover *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	write_head(out, m->perms);
	read_plain(m, spare, c, out);
	return load_text(out, &text, &len);
}

/* A user as the policy sees him. */
static void make_subject(const struct policy *p, const struct cover *c, unsigned user,
			 struct policy_subject *s, uint32_t *groups)
{
	char name[16];
	size_t n = 0;

	for (unsigned i = 0; i < c->n_of[user]; i++) {
		snprintf(name, sizeof(name), "g%u", c->of[user][i]);
		if (policy_group_find(p, name, &groups[n]) == 0)
			n++;
	}
	for (size_t i = 1; i < n; i++) /* ascending, as the contract wants it */
		for (size_t k = i; k > 0 && groups[k] < groups[k - 1]; k--) {
			uint32_t t = groups[k];

			groups[k] = groups[k - 1];
			groups[k - 1] = t;
		}
	*s = (struct policy_subject){.login = "someone",
				     .id = "id",
				     .known = true,
				     .enabled = true,
				     .directory = true,
				     .groups = groups,
				     .n_groups = n};
}

static bool decide_pair(const struct policy *p, const struct policy_subject *s,
			unsigned perm)
{
	char vm[16];
	struct policy_request req = {.subject = s,
				     .vm = vm,
				     .privilege = privileges[perm % 4],
				     .now_s = 1000};
	struct policy_decision d;

	snprintf(vm, sizeof(vm), "v%u", perm / 4);
	policy_decide(p, &req, &d);
	return d.verdict == POLICY_ALLOW;
}

static void check_all(const struct policy *p, const struct cover *c,
		      const struct matrix *m)
{
	static uint32_t groups[COVER_MAX];
	struct policy_subject s;
	size_t wrong = 0, allowed = 0, total = 0;

	for (unsigned u = 1; u <= m->users; u++) {
		make_subject(p, c, u, &s, groups);
		for (unsigned perm = 1; perm <= m->perms; perm++) {
			bool want = m->bits[(size_t)u * PERMS_MAX + perm];

			wrong += decide_pair(p, &s, perm) != want;
			allowed += want;
			total++;
		}
	}
	printf("%zu pairs, %zu allowed, %zu wrong\n", total, allowed, wrong);
	assert_int_equal(wrong, 0);
	assert_true(allowed > 0 && allowed < total);
}

/* Half of the sample are assignments, else nearly all would be denials. */
static void check_sample(const struct policy *p, const struct cover *c,
			 const struct matrix *m)
{
	static uint32_t groups[COVER_MAX];
	struct policy_subject s;
	size_t wrong = 0, allowed = 0;
	uint64_t rng = 20261121;

	for (unsigned i = 0; i < SAMPLE; i++) {
		unsigned u, perm;
		bool want;

		rng = rng * 6364136223846793005u + 1442695040888963407u;
		u = 1 + (unsigned)(rng >> 33) % m->users;
		rng = rng * 6364136223846793005u + 1442695040888963407u;
		perm = 1 + (unsigned)(rng >> 33) % m->perms;
		for (unsigned k = 0; i % 2 && k < m->perms; k++) {
			if (m->bits[(size_t)u * PERMS_MAX + perm])
				break;
			perm = perm % m->perms + 1;
		}
		make_subject(p, c, u, &s, groups);
		want = m->bits[(size_t)u * PERMS_MAX + perm];
		wrong += decide_pair(p, &s, perm) != want;
		allowed += want;
	}
	printf("%d pairs sampled, %zu allowed, %zu wrong\n", SAMPLE, allowed, wrong);
	assert_int_equal(wrong, 0);
	assert_true(allowed > SAMPLE / 4);
}

/* ------------------------------------------------------------------ diff */

struct everybody {
	struct policy_subject *v;
	char (*login)[16];
	uint32_t *groups;
};

static struct policy_side make_side(const struct policy *p, const struct cover *c,
				    unsigned users, struct everybody *e)
{
	size_t n = 0;

	for (unsigned u = 1; u <= users; u++)
		n += c->n_of[u];
	e->v = calloc(users, sizeof(*e->v));
	e->login = calloc(users, sizeof(*e->login));
	e->groups = calloc(n + 1, sizeof(*e->groups));
	assert_true(e->v && e->login && e->groups);
	n = 0;
	for (unsigned u = 1; u <= users; u++) {
		make_subject(p, c, u, &e->v[u - 1], e->groups + n);
		snprintf(e->login[u - 1], sizeof(e->login[0]), "u%06u", u);
		e->v[u - 1].login = e->login[u - 1];
		n += c->n_of[u];
	}
	return (struct policy_side){p, e->v, users};
}

static void everybody_done(struct everybody *e)
{
	free(e->v);
	free(e->login);
	free(e->groups);
}

static void cover_done(struct cover *c)
{
	for (unsigned u = 0; u < USERS_MAX; u++)
		free(c->of[u]);
}

static int count_change(void *arg, const struct policy_change *change)
{
	size_t *n = arg;

	*n += change ? change->where.n_vms : 0;
	return 0;
}

/* Rows of the diff between the decomposition and a plain one. */
static size_t diff_plain(const struct policy *p, const struct cover *c,
			 const struct matrix *m, unsigned spare)
{
	static struct cover plain;
	struct everybody a, b;
	struct policy_side x, y;
	struct policy *q;
	size_t n = 0;

	memset(&plain, 0, sizeof(plain));
	q = make_plain(m, spare, &plain);
	x = make_side(p, c, m->users, &a);
	y = make_side(q, &plain, m->users, &b);
	assert_int_equal(policy_diff(&x, &y, 1000, count_change, &n), 0);
	everybody_done(&a);
	everybody_done(&b);
	cover_done(&plain);
	policy_unref(q);
	return n;
}

static void check_set(const char *set, bool sample)
{
	FILE *matrix_file = open_data(set, ".txt");
	FILE *cover_file = open_data(set, "_optimal_cover.txt");
	struct matrix m = {0};
	struct cover c = {0};
	struct policy *p;

	if (!matrix_file || !cover_file) {
		if (matrix_file)
			fclose(matrix_file);
		if (cover_file)
			fclose(cover_file);
		printf("skipped: set VMSEC_DATA to the folder with hplabs/%s.txt\n",
		       set);
		skip();
	}
	read_matrix(matrix_file, &m);
	p = make_policy(cover_file, &c, m.perms);
	printf("%s: ", set);
	if (sample)
		check_sample(p, &c, &m);
	else
		check_all(p, &c, &m);
	assert_int_equal(diff_plain(p, &c, &m, 0), 0);
	assert_int_equal(diff_plain(p, &c, &m, m.users / 2), 1);
	policy_unref(p);
	cover_done(&c);
	free(m.bits);
}

static void test_hc(void **state)
{
	(void)state;
	check_set("hc", false);
}

static void test_domino(void **state)
{
	(void)state;
	check_set("domino", false);
}

static void test_fire1(void **state)
{
	(void)state;
	check_set("fire1", false);
}

static void test_apj(void **state)
{
	(void)state;
	check_set("apj", false);
}

static void test_americas_large(void **state)
{
	(void)state;
	check_set("americas_large", !every_pair);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hc),
		cmocka_unit_test(test_domino),
		cmocka_unit_test(test_fire1),
		cmocka_unit_test(test_apj),
		cmocka_unit_test(test_americas_large),
	};

	every_pair = argc > 1 && str_eq(argv[1], "all");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
