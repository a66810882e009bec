/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - a small random policy as bit masks, from which both a YAML text and a
 * deliberately naive evaluator are made. Nothing of policy/ but its public face is
 * used.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "policy/policy.h"
#include "policy/view.h"

#define N_GROUPS  6
#define N_USERS	  3
#define N_LOCALS  2
#define N_VMS	  5
#define N_SETS	  5
#define N_ROLES	  5
#define N_PRIVS	  6 /* batch console ssh su sudo vpn */
#define N_TARGETS 3
#define N_FROM	  6
#define RULES_MAX 16
#define EXPR_MAX  7
#define DAY0_S	  1767225600 /* 2026-01-01 UTC */
#define SPRING_S                                                                       \
	1774746000	    /* 2026-03-29 01:00 UTC: Berlin goes from 02:00 to 03:00   \
			     */
#define AUTUMN_S 1792890000 /* 2026-10-25 01:00 UTC: and from 03:00 to 02:00 */
#define N_SEPS	 2
#define N_LIMITS 2
#define N_LOCKS	 2

enum { P_BATCH, P_CONSOLE, P_SSH, P_SU, P_SUDO, P_VPN };

extern const char *const priv_names[N_PRIVS];
extern const char *const target_names[N_TARGETS];
extern const char *const from_texts[N_FROM];

enum m_kind { M_EVERY, M_LABEL, M_NAME, M_ALL, M_ANY, M_NOT, M_EMPTY };

struct m_expr {
	enum m_kind kind;
	unsigned key, values; /* label: env or tier, mask of two values */
	unsigned vm;	      /* name: a VM, N_VMS: the pattern v?.a */
	unsigned a, b;	      /* kids */
};

struct m_set {
	struct m_expr v[EXPR_MAX]; /* v[0] is the root; kids have larger numbers */
	unsigned n;
};

struct m_role {
	unsigned includes, privs, targets;
};

struct m_rule {
	char id[16];
	bool deny, glass;
	unsigned groups, users, locals, roles, privs, targets, sets, vms, from;
	bool star;
	enum { MFA_DEFAULT, MFA_NONE, MFA_GIVEN } mfa;
	unsigned accept;	 /* 0: left out */
	int scalar_age;		 /* minutes; -1: no scalar */
	int age[N_PRIVS];	 /* minutes; -1: not in the map */
	int fresh[N_PRIVS];	 /* likewise */
	int from_day, until_day; /* -1: none */
	unsigned days;		 /* time: bit 0 is Monday; 0: none */
	unsigned from_h, until_h;
	bool berlin;	   /* its zone; else UTC */
	unsigned review_d; /* days; 0: none */
	bool suspend;
};

struct m_limit {
	unsigned groups, users, locals;
	unsigned sessions, hours; /* both 0: no limit */
};

struct m_policy {
	unsigned env[N_VMS], tier[N_VMS]; /* label values; 2: none */
	struct m_set sets[N_SETS];
	struct m_role roles[N_ROLES];
	struct m_rule rules[RULES_MAX];
	unsigned n_rules;
	bool defaults_none;    /* defaults: {mfa: none} */
	unsigned seps[N_SEPS]; /* masks of roles; 0: none */
	struct m_limit limits[N_LIMITS];
	bool monitor_default;
	unsigned monitor_sets, monitor_vms;
};

struct m_request {
	struct policy_subject subject;
	uint32_t groups[N_GROUPS], unknown[N_GROUPS]; /* indices of the policy */
	unsigned group_mask, unknown_mask;
	char login[16], id[16];
	struct policy_state state;
	struct policy_lock locks[N_LOCKS];
	char lock_names[N_LOCKS][16];
	uint64_t lock_grants[N_LOCKS][1]; /* RULES_MAX bits */
	int64_t reviewed[RULES_MAX + 1];
	uint64_t review_seed;
	struct policy_request req;
};

/* review_of() - when a grant was last reviewed; 0: never. */
int64_t review_of(const char *id, uint64_t seed);

/* rng_below() - splitmix64. */
uint64_t rng_next(uint64_t *rng);
static inline unsigned rng_below(uint64_t *rng, unsigned n)
{
	return (unsigned)(rng_next(rng) % n);
}

void generate_policy(struct m_policy *m, uint64_t *rng);
void generate_rule(struct m_rule *r, bool deny, unsigned number, uint64_t *rng);
/* generate_glass() - an entry of break_glass. */
void generate_glass(struct m_rule *r, unsigned number, uint64_t *rng);
/* Everything but the subject's group indices, which depend on a loaded policy. */
void generate_request(struct m_request *q, uint64_t *rng);
void request_bind(struct m_request *q, const struct policy *p);

/* emit_head() - all but the rules; emit_rules() - those of @mask, in a random order. */
void emit_head(const struct m_policy *m, FILE *out);
void emit_rules(const struct m_policy *m, unsigned mask, uint64_t rng, FILE *out);

/* emit_bounds() - separation, limits and, with @mode, the mode. */
void emit_bounds(const struct m_policy *m, bool mode, FILE *out);

/* naive_carries() - the roles of the rule with all that they include. */
unsigned naive_carries(const struct m_policy *m, const struct m_rule *r);

/* naive_decide() - reads like the specification; verdict, reason, rule, mfa_would_help.
 */
void naive_decide(const struct m_policy *m, const struct m_request *q,
		  struct policy_decision *ret);
