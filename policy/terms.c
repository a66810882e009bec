/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terms.c - two policies' terms as lines of key and value, sorted and compared.
 */
#include "policy/terms.h"

#include <errno.h>

#include "policy/memtext.h"
#include "policy/names.h"
#include "policy/print.h"
#include "policy/view.h"

#define AFTER_KEY '\1' /* sorts before all that a key may hold */

/* One policy's terms, as far as the other could say something different. */
struct side {
	const struct policy *p, *other; /* borrowed */
	char *text; /* owned, as below; the lines, each ended by a NUL */
	size_t len;
	char **line;
	size_t n;
};

static void side_done(struct side *s)
{
	free(s->text);
	free(s->line);
}

static void put_key(FILE *out, const char *section, const char *id, const char *key)
{
	fprintf(out, "%s%s%s%s%s%c", section, id ? "." : "", id ? id : "",
		key ? "." : "", key ? key : "", AFTER_KEY);
}

static void put(FILE *out, const char *section, const char *id, const char *key,
		const char *value)
{
	if (!value)
		return;
	put_key(out, section, id, key);
	fputs(value, out);
	fputc('\0', out);
}

/* ----------------------------------------------------------------- rules */

static bool asks(const struct rule *r)
{
	return r->mfa && r->mfa->accept != 0;
}

static bool gives(const struct policy *p, const struct rule *r, uint32_t i)
{
	return i != NAMES_NONE &&
	       ((r->privileges >> i & 1) || (i == p->priv_su && r->su.n > 0));
}

/* How old a proof may be, of privileges that both rules give. */
static void put_ages(const struct side *s, const char *section, const struct rule *r,
		     const struct rule *twin, FILE *out)
{
	for (uint32_t i = 0; i < s->p->privileges.n; i++) {
		const char *name = s->p->privileges.v[i];

		if (!gives(s->p, r, i) ||
		    !gives(s->other, twin, names_find(&s->other->privileges, name)))
			continue;
		fprintf(out, "%s.%s.max_age.%s%c%ds%c", section, r->id, name, AFTER_KEY,
			r->mfa->max_age[i], 0);
	}
}

static void put_rule(const struct side *s, const char *section, const struct rule *r,
		     const struct rule *twin, FILE *out)
{
	if (!r->deny) {
		put_key(out, section, r->id, "mfa");
		if (asks(r))
			print_accept(r->mfa->accept, out);
		else
			fputs("none", out);
		fputc('\0', out);
	}
	if (asks(r) && asks(twin))
		put_ages(s, section, r, twin, out);
	if (r->n_from > 0) {
		put_key(out, section, r->id, "from");
		print_from(r, out);
		fputc('\0', out);
	}
	if (r->time) {
		put_key(out, section, r->id, "time");
		print_time(r->time, out);
		fputc('\0', out);
	}
	if (r->review_every_s > 0)
		fprintf(out, "%s.%s.review%c{every: %llds, overdue: %s}%c", section,
			r->id, AFTER_KEY, (long long)r->review_every_s,
			r->overdue == POLICY_OVERDUE_SUSPEND ? "suspend" : "warn", 0);
	put(out, section, r->id, "valid.from", r->from_text);
	put(out, section, r->id, "valid.until", r->until_text);
	put(out, section, r->id, "alert", r->alert);
}

static void put_rules(const struct side *s, const char *section,
		      const struct rules *rules, const struct rules *others, FILE *out)
{
	for (uint32_t i = 0; i < rules->n; i++) {
		const struct rule *twin = rules_find(others, rules->v[i].id);

		if (twin)
			put_rule(s, section, &rules->v[i], twin, out);
	}
}

/* ----------------------------------------------------------------- the rest */

/* What a group or user is bound to: another object is somebody else. */
static void put_bound(const struct side *s, FILE *out)
{
	const struct policy *p = s->p;

	for (uint32_t i = 0; i < p->groups.n; i++) {
		const struct policy_group *g = &p->group_info[i];

		if (names_find(&s->other->groups, g->name) == NAMES_NONE)
			continue;
		put(out, "groups", g->name, "dn", g->dn);
		put(out, "groups", g->name, "id", g->id);
	}
	for (uint32_t i = 0; i < p->users.n; i++)
		if (names_find(&s->other->users, p->users.v[i]) != NAMES_NONE)
			put(out, "users", p->users.v[i], "id", p->user_ids[i]);
	for (uint32_t i = 0; i < p->services.n; i++)
		put(out, "services", p->services.v[i], NULL,
		    p->privileges.v[p->service_privilege[i]]);
}

/* An entry of a list without ids goes by whom it names. */
static void put_named(const struct policy *p, const char *section,
		      const struct index_list *to, const char *key, FILE *out)
{
	fprintf(out, "%s.", section);
	print_names(out, to, p->principal_text);
	fprintf(out, ".%s%c", key, AFTER_KEY);
}

static void put_bounds(const struct policy *p, FILE *out)
{
	for (uint32_t i = 0; i < p->n_separations; i++) {
		put_key(out, "separation", p->separations[i].id, "never_both");
		print_names(out, &p->separations[i].roles, p->roles.v);
		fputc('\0', out);
	}
	for (uint32_t i = 0; i < p->n_limits; i++) {
		const struct model_limit *l = &p->limits[i];

		if (l->max_sessions > 0) {
			put_named(p, "limits", &l->to, "max_sessions", out);
			fprintf(out, "%u%c", l->max_sessions, 0);
		}
		if (l->max_session_s > 0) {
			put_named(p, "limits", &l->to, "max_session_time", out);
			fprintf(out, "%llds%c", (long long)l->max_session_s, 0);
		}
	}
}

static void put_enrolments(const struct policy *p, FILE *out)
{
	for (uint32_t i = 0; i < p->n_enrolments; i++) {
		const struct model_enrolment *e = &p->enrolments[i];

		put_named(p, "enrolment", &e->to, "at_first_login", out);
		fprintf(out, "%s%c", e->at_first_login ? "true" : "false", 0);
		put_named(p, "enrolment", &e->to, "optional", out);
		fprintf(out, "%s%c", e->optional ? "true" : "false", 0);
		if (!e->until_text)
			continue;
		put_named(p, "enrolment", &e->to, "until", out);
		fprintf(out, "%s%c", e->until_text, 0);
	}
}

/* Every number in force, whether the preset gives it or the policy. */
static void put_passwords(const struct policy *p, FILE *out)
{
	struct policy_password_number n;

	put(out, "password", NULL, "preset", p->password.preset);
	for (size_t i = 0; policy_password_number(p, i, &n); i++)
		fprintf(out, "password.%s%c%d%s%c", n.name, AFTER_KEY, n.value,
			n.days ? "d" : "", 0);
	if (p->password.words.n == 0)
		return;
	put_key(out, "password", NULL, "words");
	print_texts(out, &p->password.words);
	fputc('\0', out);
}

static void put_mode(const struct policy *p, FILE *out)
{
	put(out, "mode", NULL, "default", p->monitor_default ? "monitor" : "enforce");
	put_key(out, "mode", NULL, "monitor");
	print_vms(p, &p->monitor, out);
	fputc('\0', out);
}

/* ----------------------------------------------------------------- lines */

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int split(struct side *s)
{
	char *at = s->text;

	for (size_t i = 0; i < s->len; i++)
		s->n += s->text[i] == '\0';
	s->line = calloc(s->n + 1, sizeof(*s->line));
	if (!s->line)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++, at += strlen(at) + 1)
		s->line[i] = at;
	qsort(s->line, s->n, sizeof(*s->line), compare_lines);
	return 0;
}

static int read_side(struct side *s)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	FILE *out;
	int r = memtext_open(&m);

	if (r != 0)
		return r;
	out = m.out;
	put_bound(s, out);
	put_rules(s, "grants", &s->p->grants, &s->other->grants, out);
	put_rules(s, "denies", &s->p->denies, &s->other->denies, out);
	put_rules(s, "break_glass", &s->p->glass, &s->other->glass, out);
	put_bounds(s->p, out);
	put_enrolments(s->p, out);
	put_passwords(s->p, out);
	put_mode(s->p, out);
	r = memtext_take(&m, &s->text, &s->len);
	return r == 0 ? split(s) : r;
}

/* Cuts a line in two; its value. */
static const char *cut(char *line)
{
	char *at = strchr(line, AFTER_KEY);

	*at = '\0';
	return at + 1;
}

/* Both lines are of one key: their lengths up to it are the same. */
static bool same_key(const char *a, const char *b)
{
	size_t n = strcspn(a, (char[]){AFTER_KEY, 0});

	return strcspn(b, (char[]){AFTER_KEY, 0}) == n && memcmp(a, b, n) == 0;
}

/* @before, @after: lines that differ; NULL: this one is on the other side alone. */
static int tell_line(char *before, char *after,
		     int (*tell)(void *arg, const struct policy_term *t), void *arg)
{
	struct policy_term t = {.key = before ? before : after};

	if (before)
		t.before = cut(before);
	if (after)
		t.after = cut(after);
	return tell(arg, &t);
}

static int compare_sides(struct side *b, struct side *a,
			 int (*tell)(void *arg, const struct policy_term *t), void *arg)
{
	size_t i = 0, k = 0;
	int r = 0;

	while (r == 0 && (i < b->n || k < a->n)) {
		int c = i == b->n ? 1 : k == a->n ? -1 : strcmp(b->line[i], a->line[k]);

		if (c != 0 && i < b->n && k < a->n && same_key(b->line[i], a->line[k]))
			r = tell_line(b->line[i++], a->line[k++], tell, arg);
		else if (c < 0)
			r = tell_line(b->line[i++], NULL, tell, arg);
		else if (c > 0)
			r = tell_line(NULL, a->line[k++], tell, arg);
		else
			i++, k++;
	}
	return r;
}

int policy_terms_diff(const struct policy *before, const struct policy *after,
		      int (*tell)(void *arg, const struct policy_term *t), void *arg)
{
	_cleanup_(side_done) struct side b = {.p = before, .other = after};
	_cleanup_(side_done) struct side a = {.p = after, .other = before};
	int r = read_side(&b);

	if (r == 0)
		r = read_side(&a);
	return r == 0 ? compare_sides(&b, &a, tell, arg) : r;
}
