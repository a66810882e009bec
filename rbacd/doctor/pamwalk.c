/* SPDX-License-Identifier: Apache-2.0 */
/* pamwalk.c - breadth first over (line, impression, result, what we know). */
#include "rbacd/doctor/pamwalk.h"

#include <errno.h>
#include <security/_pam_types.h>
#include <stdlib.h>

#define STATES_MAX 60000
#define SUBLEVELS  4 /* deeper substacks are refused */
#define BUCKETS	   4096
#define NO_PARENT  UINT32_MAX

enum impression { UNDEF, POSITIVE, NEGATIVE };
enum ours { NOT_ASKED, GRANTED, REFUSED };

/* As libpam has it: POSITIVE and a status, kept for each level of substacks. */
struct verdict {
	uint8_t impression;
	uint8_t status;
};

struct state {
	uint16_t pos; /* index of the next line */
	uint8_t level;
	uint8_t ours;
	uint8_t proven; /* a first factor succeeded */
	uint8_t rescue;
	struct verdict now;
	struct verdict saved[SUBLEVELS + 1];
};

/* States are compared and hashed as bytes. */
_Static_assert(sizeof(struct state) == 8 + 2 * (SUBLEVELS + 1), "no padding");

struct node {
	struct state s;
	uint32_t parent;
	uint16_t line;
	uint8_t code;
	uint32_t next; /* in its bucket */
};

struct walk {
	const struct pamconf_stack *stack;
	const struct pamwalk_rules *rules;
	struct pamwalk *ret;
	struct node *nodes; /* owned */
	size_t n, cap;
	uint32_t bucket[BUCKETS];
};

bool pamwalk_is_ours(const struct pamconf_line *line)
{
	return pamconf_is_module(line, "pam_vmsec") &&
	       !pamconf_has_arg(line, "combined=split");
}

static bool is_console(const char *p, size_t len)
{
	static const char *const plain[] = {"console", "tty", "ttyS", "ttyAMA",
					    "ttysclp", "hvc", "xvc"};

	if (len > 5 && memcmp(p, "/dev/", 5) == 0) {
		p += 5;
		len -= 5;
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		size_t n = strlen(plain[i]);

		if (len < n || memcmp(p, plain[i], n) != 0)
			continue;
		if (len == n)
			return i == 0;
		if (strspn(p + n, "0123456789") >= len - n)
			return true;
	}
	return false;
}

/* The value of "tty in A:B:C" or of "tty = A"; NULL when there is none. */
static const char *tty_condition(const char *args)
{
	const char *p = strstr(args, "tty in ");

	if (p)
		return p + strlen("tty in ");
	p = strstr(args, "tty = ");
	return p ? p + strlen("tty = ") : NULL;
}

bool pamwalk_is_rescue(const struct pamconf_line *line, bool *ret_wide)
{
	const char *p;

	if (!pamconf_is_module(line, "pam_succeed_if"))
		return false;
	if (!strstr(line->args, "user = root") && !strstr(line->args, "uid = 0") &&
	    !strstr(line->args, "uid eq 0"))
		return false;
	*ret_wide = true;
	p = tty_condition(line->args);
	if (!p)
		return true;
	for (;;) {
		size_t len = strcspn(p, ": ");

		if (!is_console(p, len))
			return true;
		p += len;
		if (*p != ':')
			break;
		p++;
	}
	*ret_wide = false;
	return true;
}

/* Modules that have asked the person for something when they say success. */
static bool is_first_factor(const struct pamconf_line *line,
			    const struct pamwalk_rules *rules)
{
	static const char *const names[] = {"pam_unix",	   "pam_sss",
					    "pam_ldap",	   "pam_krb5",
					    "pam_winbind", "pam_radius_auth",
					    "pam_pkcs11",  "pam_u2f",
					    "pam_fprintd", "pam_ssh_agent_auth",
					    "pam_tacplus", "pam_gss"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (pamconf_is_module(line, names[i]))
			return true;
	return rules->sshd && pamconf_is_module(line, "pam_exec") &&
	       strstr(line->args, "SSH_AUTH_INFO_0");
}

/* Modules that know nothing of passwords cannot say that one has expired. */
static bool never_expires(const struct pamconf_line *line)
{
	static const char *const names[] = {
		"pam_rootok",	 "pam_succeed_if", "pam_exec",	    "pam_nologin",
		"pam_faildelay", "pam_env",	   "pam_localuser", "pam_faillock",
		"pam_access",	 "pam_time",	   "pam_limits",    "pam_securetty",
		"pam_selinux",	 "pam_keyinit",	   "pam_group",	    "pam_cap",
		"pam_wheel",	 "pam_listfile",   "pam_echo",	    "pam_warn",
		"pam_debug",	 "pam_shells",	   "pam_usertype",  "pam_tally2"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (pamconf_is_module(line, names[i]))
			return true;
	return false;
}

/* Can this line return @code at all? What is not known can return anything. */
static bool can_return(const struct pamconf_line *line,
		       const struct pamwalk_rules *rules, int code)
{
	static const int ours[] = {PAM_SUCCESS,	     PAM_AUTH_ERR,
				   PAM_PERM_DENIED,  PAM_AUTHINFO_UNAVAIL,
				   PAM_MAXTRIES,     PAM_SYSTEM_ERR,
				   PAM_SERVICE_ERR,  PAM_CONV_ERR,
				   PAM_USER_UNKNOWN, PAM_BUF_ERR,
				   PAM_ABORT,	     PAM_OPEN_ERR,
				   PAM_SYMBOL_ERR,   PAM_MODULE_UNKNOWN};

	if (line->kind == PAMCONF_MUST_FAIL)
		return code == PAM_PERM_DENIED;
	if (pamconf_is_module(line, "pam_permit"))
		return code == PAM_SUCCESS;
	if (pamconf_is_module(line, "pam_deny"))
		return code == PAM_AUTH_ERR || code == PAM_ACCT_EXPIRED;
	if (code == PAM_NEW_AUTHTOK_REQD && never_expires(line))
		return false;
	if (code == PAM_IGNORE && is_first_factor(line, rules) &&
	    !strstr(line->args, "ignore_"))
		return false;
	if (!pamwalk_is_ours(line))
		return code != PAM_INCOMPLETE;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (ours[i] == code)
			return true;
	return false;
}

static uint32_t hash_state(const struct state *s)
{
	const uint8_t *p = (const uint8_t *)s;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(*s); i++)
		h = (h ^ p[i]) * 16777619u;
	return h % BUCKETS;
}

/* A state that was there already is left out. */
static int push(struct walk *w, const struct state *s, uint32_t parent, size_t line,
		int code)
{
	uint32_t h = hash_state(s);

	for (uint32_t i = w->bucket[h]; i != NO_PARENT; i = w->nodes[i].next)
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): i < w->n */
		if (memcmp(&w->nodes[i].s, s, sizeof(*s)) == 0)
			return 0;
	if (w->n == STATES_MAX)
		return -E2BIG;
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 256;
		struct node *nodes = reallocarray(w->nodes, cap, sizeof(*nodes));

		if (!nodes)
			return -ENOMEM;
		w->nodes = nodes;
		w->cap = cap;
	}
	w->nodes[w->n] = (struct node){.s = *s,
				       .parent = parent,
				       .line = (uint16_t)line,
				       .code = (uint8_t)code,
				       .next = w->bucket[h]};
	w->bucket[h] = (uint32_t)w->n++;
	return 0;
}

/* The way to @node, and of it the last line that ended or skipped something. */
static void note(struct walk *w, struct pamwalk_way *way, uint32_t node, int result)
{
	size_t n = 0;
	bool blamed = false;

	if (way->exists)
		return;
	*way = (struct pamwalk_way){.exists = true, .result = result};
	for (uint32_t i = node; w->nodes[i].parent != NO_PARENT; i = w->nodes[i].parent)
		n++;
	way->n = n < PAMWALK_WAY_MAX ? n : PAMWALK_WAY_MAX;
	n = way->n;
	for (uint32_t i = node; n > 0; i = w->nodes[i].parent) {
		const struct node *at = &w->nodes[i];
		int action = w->stack->v[at->line].actions[at->code];

		way->step[--n] = (struct pamwalk_step){at->line, at->code};
		if (!blamed && (action == PAMCONF_DONE || action > 0)) {
			way->blame = at->line;
			blamed = true;
		}
		if (!blamed && n + 1 == way->n)
			way->blame = at->line;
	}
}

/*
 * An expired password is told even by a stack that failed, and in the account phase
 * sshd goes on with it as if it were a success.
 */
static bool grants(const struct verdict *v, enum pamconf_type type)
{
	if (v->status == PAM_NEW_AUTHTOK_REQD)
		return type == PAMCONF_ACCOUNT || v->impression == POSITIVE;
	return v->impression == POSITIVE && v->status == PAM_SUCCESS;
}

static void judge_end(struct walk *w, uint32_t node)
{
	const struct state *s = &w->nodes[node].s;

	if (!grants(&s->now, w->rules->type))
		return;
	if (s->ours == REFUSED)
		note(w, &w->ret->dropped, node, s->now.status);
	else if (s->ours == GRANTED)
		w->ret->opens = true;
	else if (s->rescue)
		w->ret->rescue = true;
	else
		note(w, &w->ret->past, node, s->now.status);
}

/* What the line's answer tells us, before libpam looks at it. */
static void learn(struct walk *w, struct state *s, const struct pamconf_line *line,
		  int code)
{
	bool wide;

	if (pamwalk_is_ours(line) && s->ours != REFUSED)
		s->ours = code == PAM_SUCCESS ? GRANTED : REFUSED;
	if (is_first_factor(line, w->rules) &&
	    (code == PAM_SUCCESS || code == PAM_NEW_AUTHTOK_REQD))
		s->proven = 1;
	if (code != PAM_SUCCESS)
		return;
	if (w->rules->console && pamwalk_is_rescue(line, &wide) && !wide)
		s->rescue = 1;
	if (w->rules->su && w->rules->type == PAMCONF_AUTH &&
	    pamconf_is_module(line, "pam_rootok"))
		s->rescue = s->proven = 1;
}

static size_t skip_level(const struct pamconf_stack *stack, size_t i, unsigned level)
{
	while (i < stack->n && stack->v[i].level > level)
		i++;
	return i;
}

/* libpam's jump: a substack counts as one line. False: more than there are, all gone.
 */
static bool jump(const struct pamconf_stack *stack, size_t *pos, unsigned level, int by)
{
	for (; by > 0; by--) {
		if (*pos >= stack->n || stack->v[*pos].level < level)
			return false;
		*pos = skip_level(stack, *pos + 1, level);
	}
	return true;
}

/* Of the codes that refuse, one is as good as the other: fewer states. */
static uint8_t status_of(int code)
{
	return code == PAM_SUCCESS || code == PAM_NEW_AUTHTOK_REQD ? (uint8_t)code
								   : PAM_AUTH_ERR;
}

static void apply_ok(struct verdict *now, int code)
{
	if (now->impression == UNDEF ||
	    (now->impression == POSITIVE && now->status == PAM_SUCCESS))
		*now = (struct verdict){POSITIVE, status_of(code)};
}

static void apply_bad(struct verdict *now, int code)
{
	if (now->impression != NEGATIVE)
		*now = (struct verdict){NEGATIVE, status_of(code)};
}

/* One line answered @code: the state behind it. */
static void apply(const struct pamconf_stack *stack, struct state *s,
		  const struct pamconf_line *line, int code)
{
	int action = line->actions[code];
	size_t pos = s->pos;
	bool decided = false;

	if (action == PAMCONF_RESET) {
		s->now = s->saved[s->level];
	} else if (action == PAMCONF_OK || action == PAMCONF_DONE) {
		apply_ok(&s->now, code);
		decided = action == PAMCONF_DONE && s->now.impression == POSITIVE;
	} else if (action == PAMCONF_BAD || action == PAMCONF_DIE) {
		apply_bad(&s->now, code);
		decided = action == PAMCONF_DIE;
	} else if (action > 0 && !jump(stack, &pos, line->level, action)) {
		s->now = (struct verdict){NEGATIVE, PAM_PERM_DENIED};
	}
	while (decided && pos < stack->n && stack->v[pos].level >= line->level)
		pos++;
	s->pos = (uint16_t)pos;
}

/* Enter and leave levels as the next line has it; substack lines are only marks. */
static void settle(const struct pamconf_stack *stack, struct state *s)
{
	while (s->pos < stack->n) {
		unsigned level = stack->v[s->pos].level;

		if (level > SUBLEVELS)
			level = SUBLEVELS;
		while (s->level > level)
			memset(&s->saved[s->level--], 0, sizeof(s->saved[0]));
		while (s->level < level)
			s->saved[++s->level] = s->now;
		if (stack->v[s->pos].kind != PAMCONF_SUBSTACK)
			return;
		s->pos++;
	}
}

/* Our line grants and the lines behind it are never run. */
static bool ends_with(const struct pamconf_stack *stack, size_t i, int code)
{
	const struct pamconf_line *line = &stack->v[i];

	return pamwalk_is_ours(line) && code == PAM_SUCCESS && line->level == 0 &&
	       line->actions[code] == PAMCONF_DONE && i + 1 < stack->n;
}

static int run_line(struct walk *w, uint32_t node)
{
	const size_t i = w->nodes[node].s.pos;
	const struct pamconf_line *line = &w->stack->v[i];
	int e = 0;

	for (int code = 0; code < PAMCONF_CODES && e == 0; code++) {
		struct state s = w->nodes[node].s;

		if (!can_return(line, w->rules, code))
			continue;
		learn(w, &s, line, code);
		s.pos++;
		apply(w->stack, &s, line, code);
		settle(w->stack, &s);
		e = push(w, &s, node, i, code);
		if (e == 0 && ends_with(w->stack, i, code)) {
			note(w, &w->ret->ends, node, code);
			w->ret->ends.blame = i;
		}
	}
	return e;
}

int pamwalk_stack(const struct pamconf_stack *stack, const struct pamwalk_rules *rules,
		  struct pamwalk *ret)
{
	struct walk w = {.stack = stack, .rules = rules, .ret = ret};
	struct state first = {0};
	int e;

	*ret = (struct pamwalk){0};
	for (size_t i = 0; i < stack->n; i++)
		if (stack->v[i].level > SUBLEVELS)
			return -E2BIG;
	memset(w.bucket, 0xff, sizeof(w.bucket));
	settle(stack, &first);
	e = push(&w, &first, NO_PARENT, 0, 0);
	for (uint32_t i = 0; i < w.n && e == 0; i++) {
		const struct state *s = &w.nodes[i].s;

		if (s->pos >= stack->n) {
			judge_end(&w, i);
			continue;
		}
		if (pamwalk_is_ours(&stack->v[s->pos]) && !s->proven)
			note(&w, &ret->unproven, i, 0);
		e = run_line(&w, i);
	}
	free(w.nodes);
	return e;
}

int pamwalk_replay(const struct pamconf_stack *stack, const int *codes, bool *ret_ran)
{
	struct state s = {0};

	for (size_t i = 0; ret_ran && i < stack->n; i++)
		ret_ran[i] = false;
	settle(stack, &s);
	while (s.pos < stack->n) {
		size_t i = s.pos++;

		if (ret_ran)
			ret_ran[i] = true;
		apply(stack, &s, &stack->v[i],
		      stack->v[i].kind == PAMCONF_MUST_FAIL ? PAM_PERM_DENIED
							    : codes[i]);
		settle(stack, &s);
	}
	return grants(&s.now, PAMCONF_ACCOUNT) ? s.now.status : PAM_AUTH_ERR;
}
