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
	bool deny;
	unsigned groups, users, locals, roles, privs, targets, sets, vms, from;
	bool star;
	enum { MFA_DEFAULT, MFA_NONE, MFA_GIVEN } mfa;
	unsigned accept;	 /* 0: left out */
	int scalar_age;		 /* minutes; -1: no scalar */
	int age[N_PRIVS];	 /* minutes; -1: not in the map */
	int fresh[N_PRIVS];	 /* likewise */
	int from_day, until_day; /* -1: none */
};

struct m_policy {
	unsigned env[N_VMS], tier[N_VMS]; /* label values; 2: none */
	struct m_set sets[N_SETS];
	struct m_role roles[N_ROLES];
	struct m_rule rules[RULES_MAX];
	unsigned n_rules;
	bool defaults_none; /* defaults: {mfa: none} */
};

struct m_request {
	struct policy_subject subject;
	uint32_t groups[N_GROUPS], unknown[N_GROUPS]; /* indices of the policy */
	unsigned group_mask, unknown_mask;
	char login[16], id[16];
	struct policy_request req;
};

/* rng_below() - splitmix64. */
uint64_t rng_next(uint64_t *rng);
static inline unsigned rng_below(uint64_t *rng, unsigned n)
{
	return (unsigned)(rng_next(rng) % n);
}

void generate_policy(struct m_policy *m, uint64_t *rng);
void generate_rule(struct m_rule *r, bool deny, unsigned number, uint64_t *rng);
/* Everything but the subject's group indices, which depend on a loaded policy. */
void generate_request(struct m_request *q, uint64_t *rng);
void request_bind(struct m_request *q, const struct policy *p);

/* emit_head() - all but the rules; emit_rules() - those of @mask, in a random order. */
void emit_head(const struct m_policy *m, FILE *out);
void emit_rules(const struct m_policy *m, unsigned mask, uint64_t rng, FILE *out);

/* naive_decide() - reads like the specification; verdict, reason, rule, mfa_would_help.
 */
void naive_decide(const struct m_policy *m, const struct m_request *q,
		  struct policy_decision *ret);
