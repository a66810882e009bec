/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdings.h - what everybody can reach, as few exact lines: a person, what opens it
 * (grant, group, role), the privileges, and the group of VMs on which just these are
 * open this way.
 */
#pragma once

#include "policy/reach.h"
#include "rbacd/report/reports.h"

struct holding {
	uint32_t person;		 /* in state.people */
	uint32_t vms;			 /* group of VMs: holdings_vms() */
	const char *rule, *group, *role; /* borrowed from the policy */
	const char *privileges;		 /* "ssh, sudo" */
	bool mfa, privileged;
	int64_t valid_until_s;
	int64_t first_used_s, last_used_s; /* 0: not in the period */
	uint64_t n_used, n_strong;
};

struct holdings {
	struct holding *v; /* owned; in order of person, grant, role */
	size_t n, cap;
	uint64_t n_pairs; /* (person, VM, privilege) that are open */
	struct index texts, groups, vm_names; /* vm_names: as policy_vm_at() */
	uint64_t *vm_sums; /* owned; by group; NULL: there is no snapshot before */
	struct policy_privileges *privs;
	struct policy_reach *reach;
	const struct report_input *in; /* borrowed */
};

/* holdings_make() - all of them, or those that the filters leave. 0; -ENOMEM; -ENOENT:
 * a filter names what does not exist. */
_must_check_ int holdings_make(const struct report_input *in, struct holdings *ret);
void holdings_done(struct holdings *h);
#define _cleanup_holdings_ _cleanup_(holdings_done)

/* holdings_wanted() - the filters leave this person, this role. */
bool holdings_wanted_person(const struct report_input *in, const char *login);
bool holdings_wanted_role(const struct report_input *in, const char *role);
/* holdings_check() - -ENOENT when a filter names nobody, no VM or no role. */
_must_check_ int holdings_check(const struct report_input *in);

/* holdings_vms() - a group of VMs: its classes; holdings_vm_count() - its VMs. */
const uint32_t *holdings_vms(const struct holdings *h, uint32_t group, size_t *ret_n);
size_t holdings_vm_count(const struct holdings *h, uint32_t group);
/* holdings_vm_sum() - of the names of a group's VMs: alike in any two snapshots where
 * the VMs are the same. Only where a snapshot before is there to compare with. */
uint64_t holdings_vm_sum(const struct holdings *h, uint32_t group);
/* holdings_vm_text() - "web1", "all 12 VMs", or "G3 (7 VMs)"; kept by @r. */
const char *holdings_vm_text(const struct holdings *h, struct report *r,
			     uint32_t group);
/* holdings_list_vms() - the section that spells all groups of VMs out. */
void holdings_list_vms(const struct holdings *h, struct report *r);

/* holdings_privileged() - sudo, su and su:ACCOUNT make other people's rights usable. */
bool holdings_privileged(const char *privilege);

/* holdings_known() - a privilege as it was used, as the policy knows it: su to an
 * account that nobody names is plain su. */
const char *holdings_known(const struct policy_privileges *privs, const char *used);

/* holdings_people() - people who hold anything; in the order of state.people. */
size_t holdings_people(const struct holdings *h);
