/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.c - reads `password:` and `enrolment:`. A preset gives every number; a key
 * of its own may only be stricter. Source: NIST SP 800-63B-4 §3.1.1.2, PCI DSS 4.0
 * §8.3, CIS benchmarks.
 */
#include "policy/password.h"

#include "policy/load.h"
#include "policy/print.h"

enum {
	MIN_LENGTH,
	MIN_LENGTH_MFA, /* …_MFA: in place of it where MFA is everywhere */
	CLASSES,
	MAX_REPEAT,
	MAX_SEQUENCE,
	MIN_DIFFERENT,
	HISTORY,
	MAX_AGE_D,
	MAX_AGE_MFA_D,
	MIN_AGE_D,
	WARN_D
};

_Static_assert(WARN_D + 1 == MODEL_PASSWORD_N, "one number for each key");

static const struct {
	const char *key;
	int32_t max;
	bool days;
	bool less_is_stricter; /* 0 there means: off */
} keys[MODEL_PASSWORD_N] = {
	[MIN_LENGTH] = {"min_length", 256, false, false},
	[MIN_LENGTH_MFA] = {"min_length_with_mfa", 256, false, false},
	[CLASSES] = {"classes", 4, false, false},
	[MAX_REPEAT] = {"max_repeat", 256, false, true},
	[MAX_SEQUENCE] = {"max_sequence", 256, false, true},
	[MIN_DIFFERENT] = {"min_different", 256, false, false},
	[HISTORY] = {"history", 100, false, false},
	[MAX_AGE_D] = {"max_age", 366, true, true},
	[MAX_AGE_MFA_D] = {"max_age_with_mfa", 366, true, true},
	[MIN_AGE_D] = {"min_age", 366, true, false},
	[WARN_D] = {"warning", 366, true, false},
};

#define WORDS_MAX  100
#define WORD_MIN   4 /* what libpwquality takes for a word */
#define MAX_LENGTH 256
#define FORBIDDEN  (-1) /* by the standard; counts as off */

enum { NIST, PCI, CIS };

static const struct preset {
	const char *name;
	bool blocklist, dictionary, whole_words;
	int32_t v[MODEL_PASSWORD_N];
} presets[] = {
	[NIST] = {"nist-800-63b-4",
		  true,
		  false,
		  true,
		  {[MIN_LENGTH] = 15,
		   [MIN_LENGTH_MFA] = 8,
		   [CLASSES] = FORBIDDEN,
		   [MAX_AGE_D] = FORBIDDEN,
		   [MAX_AGE_MFA_D] = FORBIDDEN}},
	[PCI] = {"pci-dss-4",
		 true,
		 false,
		 false,
		 {[MIN_LENGTH] = 12,
		  [MIN_LENGTH_MFA] = 12,
		  [CLASSES] = 2,
		  [HISTORY] = 4,
		  [MAX_AGE_D] = 90,
		  [WARN_D] = 14}},
	[CIS] = {"cis",
		 false,
		 true,
		 false,
		 {[MIN_LENGTH] = 14,
		  [MIN_LENGTH_MFA] = 14,
		  [CLASSES] = 4,
		  [MAX_REPEAT] = 3,
		  [MAX_SEQUENCE] = 3,
		  [MIN_DIFFERENT] = 2,
		  [HISTORY] = 24,
		  [MAX_AGE_D] = 365,
		  [MAX_AGE_MFA_D] = 365,
		  [MIN_AGE_D] = 1,
		  [WARN_D] = 7}},
};

static const char both[] = "strictest-of(pci-dss-4, cis)";

/* Zero is off, so of two limits from above the smaller that is on is stricter. */
static bool is_stricter(size_t key, int32_t a, int32_t b)
{
	if (!keys[key].less_is_stricter)
		return a > b;
	return a > 0 && (b <= 0 || a < b);
}

/* The presets that @name stands for, as bits; 0: not one. */
static unsigned find_presets(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
		if (str_eq(name, presets[i].name))
			return 1u << i;
	return str_eq(name, both) ? 1u << PCI | 1u << CIS : 0;
}

/* Of several the strictest number each. */
static void take_numbers(unsigned of, int32_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
		for (size_t k = 0; of >> i & 1 && k < MODEL_PASSWORD_N; k++)
			if (of == 1u << i || is_stricter(k, presets[i].v[k], ret[k]))
				ret[k] = presets[i].v[k];
}

static bool read_preset(struct loader *l, struct at at, int32_t *ret)
{
	const char *text = at.node->kind == YAML_SCALAR ? at.node->text : "";
	unsigned of = find_presets(text);

	take_numbers(of, ret);
	if (of != 0)
		return true;
	if (at.node->kind == YAML_LIST || str_after(text, "strictest-of("))
		loader_error(l, at,
			     "only '%s' can be joined: NIST forbids the classes and "
			     "the expiry that others demand",
			     both);
	else
		loader_error(l, at, "must be nist-800-63b-4, pci-dss-4, cis or %s",
			     both);
	return false;
}

static void read_number(struct loader *l, struct at at, size_t key,
			struct model_password *pw)
{
	uint64_t v = 0;
	int64_t s = 0;

	if (keys[key].days) {
		if (yaml_get_duration(at.doc, at.node, &s, l->diag) != 0)
			return;
		if (s % 86400 != 0)
			loader_error(l, at, "must be whole days, such as 90d");
		v = (uint64_t)s / 86400;
	} else if (yaml_get_u64(at.doc, at.node, (uint64_t)keys[key].max, &v,
				l->diag) != 0) {
		return;
	}
	if (pw->v[key] == FORBIDDEN && v > 0) {
		loader_error(l, at, "%s forbids '%s'", pw->preset, keys[key].key);
		return;
	}
	if (pw->v[key] == FORBIDDEN)
		return; /* 0: said and kept */
	if (pw->v[key] != (int32_t)v && !is_stricter(key, (int32_t)v, pw->v[key])) {
		loader_error(l, at, "is weaker than %s, which says %d", pw->preset,
			     pw->v[key]);
		return;
	}
	pw->v[key] = (int32_t)v;
	pw->given |= 1u << key;
}

static void read_words(struct loader *l, struct at at, struct text_list *ret)
{
	struct at item = at;

	if (!check_kind(l, at, YAML_LIST, "words"))
		return;
	if (at.node->n_items < 1 || at.node->n_items > WORDS_MAX) {
		loader_error(l, at, "must be 1 to %d words", WORDS_MAX);
		return;
	}
	ret->v = loader_alloc(l, at.node->n_items, sizeof(*ret->v));
	if (!ret->v)
		return;
	for (item.node = at.node->first; item.node; item.node = item.node->next) {
		const char *text = check_text(l, item, "words");

		if (text && strlen(text) >= WORD_MIN)
			ret->v[ret->n++] = text;
		else if (text)
			loader_error(l, item,
				     "must be %d bytes or more: shorter ones "
				     "are part of anything",
				     WORD_MIN);
	}
	text_list_sort(ret);
}

static void read_password(struct loader *l, struct at at)
{
	struct model_password *pw = &l->p->password;
	const char *known[MODEL_PASSWORD_N + 3] = {"preset", "words"};
	struct at item = at;

	if (!check_kind(l, at, YAML_MAP, "password"))
		return;
	for (size_t i = 0; i < MODEL_PASSWORD_N; i++)
		known[i + 2] = keys[i].key;
	yaml_check_keys(at.doc, at.node, known, l->diag);
	item.node = yaml_get(at.node, "preset");
	if (!item.node) {
		loader_error(l, at, "'password' needs a 'preset'");
		return;
	}
	if (!read_preset(l, item, pw->v))
		return;
	pw->preset = loader_text(l, item.node->text);
	pw->where = loader_where(l, at);
	for (size_t i = 0; i < MODEL_PASSWORD_N; i++) {
		item.node = yaml_get(at.node, keys[i].key);
		if (item.node)
			read_number(l, item, i, pw);
	}
	item.node = yaml_get(at.node, "words");
	if (item.node)
		read_words(l, item, &pw->words);
}

/* ----------------------------------------------------------------- rules */

static bool without_mfa(const struct rules *rules)
{
	for (uint32_t i = 0; i < rules->n; i++)
		if (!rules->v[i].mfa || rules->v[i].mfa->accept == 0)
			return true;
	return false;
}

/* Where decisions are only watched, nobody is held to his second factor. */
static bool is_mfa_everywhere(const struct policy *p)
{
	return p->grants.n > 0 && !without_mfa(&p->grants) && !without_mfa(&p->glass) &&
	       !p->monitor_default && p->monitor.sets.n == 0 && p->monitor.vms.n == 0;
}

static uint32_t number(const struct model_password *pw, size_t key)
{
	return pw->v[key] > 0 ? (uint32_t)pw->v[key] : 0;
}

void policy_password(const struct policy *policy, struct password_rules *ret)
{
	const struct model_password *pw = &policy->password;
	unsigned of = pw->preset ? find_presets(pw->preset) : 0;
	bool mfa = is_mfa_everywhere(policy);

	*ret = (struct password_rules){.preset = pw->preset};
	if (!pw->preset)
		return;
	ret->mfa_everywhere = mfa;
	ret->min_length = number(pw, mfa ? MIN_LENGTH_MFA : MIN_LENGTH);
	ret->max_length = MAX_LENGTH;
	ret->classes = number(pw, CLASSES);
	ret->max_repeat = number(pw, MAX_REPEAT);
	ret->max_sequence = number(pw, MAX_SEQUENCE);
	ret->min_different = number(pw, MIN_DIFFERENT);
	for (size_t i = 0; i < ARRAY_SIZE(presets); i++) {
		if (!(of >> i & 1))
			continue;
		ret->blocklist = ret->blocklist || presets[i].blocklist;
		ret->dictionary = ret->dictionary || presets[i].dictionary;
		ret->whole_words = presets[i].whole_words;
	}
	ret->history = number(pw, HISTORY);
	ret->max_age_d = number(pw, mfa ? MAX_AGE_MFA_D : MAX_AGE_D);
	ret->min_age_d = number(pw, MIN_AGE_D);
	ret->warn_d = number(pw, WARN_D);
	ret->words = pw->words.v;
	ret->n_words = pw->words.n;
}

bool policy_password_number(const struct policy *policy, size_t i,
			    struct policy_password_number *ret)
{
	const struct model_password *pw = &policy->password;
	int32_t preset[MODEL_PASSWORD_N] = {0};

	if (!pw->preset || i >= MODEL_PASSWORD_N)
		return false;
	take_numbers(find_presets(pw->preset), preset);
	*ret = (struct policy_password_number){
		.name = keys[i].key,
		.days = keys[i].days,
		.forbidden = preset[i] == FORBIDDEN,
		.preset = preset[i] > 0 ? preset[i] : 0,
		.value = pw->v[i] > 0 ? pw->v[i] : 0,
		.less_is_stricter = keys[i].less_is_stricter,
	};
	return true;
}

/* ------------------------------------------------------------- enrolment */

static void read_enrolment(struct loader *l, struct at at, size_t i, size_t n)
{
	static const char *const known[] = {"to", "at_first_login", "until", "optional",
					    NULL};
	const struct yaml_node *first = yaml_get(at.node, "at_first_login");
	const struct yaml_node *optional = yaml_get(at.node, "optional");
	const struct yaml_node *until = yaml_get(at.node, "until");
	struct model_enrolment *e;

	if (!l->p->enrolments)
		l->p->enrolments = loader_alloc(l, n, sizeof(*l->p->enrolments));
	if (!l->p->enrolments)
		return;
	e = &l->p->enrolments[i];
	e->where = loader_where(l, at);
	yaml_check_keys(at.doc, at.node, known, l->diag);
	rules_read_to(l, at, &e->to);
	if (!first)
		loader_error(l, at, "the entry has no 'at_first_login'");
	else if (yaml_get_bool(at.doc, first, &e->at_first_login, l->diag) != 0)
		return;
	if (until)
		e->until_text =
			when_read_date(l, (struct at){at.doc, until}, &e->until_s);
	else if (e->at_first_login)
		loader_error(l, at,
			     "enrolment at the first login needs an end: 'until'");
	if (optional && yaml_get_bool(at.doc, optional, &e->optional, l->diag) == 0 &&
	    e->optional && !e->at_first_login)
		loader_error(l, (struct at){at.doc, optional},
			     "only what is offered can be put off: 'optional' needs "
			     "'at_first_login: true'");
}

static int compare_enrolments(const void *a, const void *b)
{
	const struct model_enrolment *x = a, *y = b;
	int c = index_list_compare(&x->to, &y->to);

	if (c == 0 && x->at_first_login != y->at_first_login)
		c = x->at_first_login ? 1 : -1;
	if (c == 0 && x->optional != y->optional)
		c = x->optional ? 1 : -1;
	if (c == 0 && x->until_s != y->until_s)
		c = x->until_s < y->until_s ? -1 : 1;
	return c;
}

void password_define_all(struct loader *l)
{
	struct policy *p = l->p;

	for (size_t i = 0; i < l->n_docs && l->err == 0; i++) {
		const struct yaml_node *n = yaml_get(yaml_root(l->docs[i]), "password");

		if (n)
			read_password(l, (struct at){l->docs[i], n});
	}
	p->n_enrolments = (uint32_t)bounds_each(l, "enrolment", read_enrolment);
	if (p->enrolments && p->n_enrolments > 1)
		qsort(p->enrolments, p->n_enrolments, sizeof(*p->enrolments),
		      compare_enrolments);
}

/* ----------------------------------------------------------------- print */

void password_print(const struct model_password *pw, FILE *out)
{
	if (!pw->preset)
		return;
	fprintf(out, "password: {preset: \"%s\"", pw->preset);
	for (size_t i = 0; i < MODEL_PASSWORD_N; i++)
		if (pw->given >> i & 1)
			fprintf(out, ", %s: %d%s", keys[i].key, pw->v[i],
				keys[i].days ? "d" : "");
	if (pw->words.n > 0) {
		fputs(", words: ", out);
		print_texts(out, &pw->words);
	}
	fputs("}\n", out);
}

bool policy_password_where(const struct policy *policy, struct policy_where *ret)
{
	if (policy->password.preset)
		*ret = policy->password.where;
	return policy->password.preset != NULL;
}
