/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_access.c - who-can and what-can: all that a policy opens, for one VM or one
 * person.
 */
#include "policy/reach.h"
#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/judge.h"
#include "rbacd/ctl/text.h"

static bool add(struct out_row *row, const char *name, const char *text)
{
	return !text || out_add_text(row, name, text, strlen(text)) == 0;
}

static bool add_opening(struct out_set *set, const struct judge *j, const char *login,
			const char *vm, const struct policy_opening *o)
{
	struct out_row *row = out_add_row(set, "access");

	return row && add(row, "user", login) && add(row, "vm", vm) &&
	       add(row, "privilege",
		   policy_privileges_at(j->privs, o->privilege)->text) &&
	       add(row, "grant", o->rule) && add(row, "through", o->group) &&
	       add(row, "role", o->role) && add(row, "mfa", o->mfa ? "yes" : "none") &&
	       (o->valid_until_s == 0 ||
		out_add_number(row, "until", WIRE_CELL_TIME, o->valid_until_s) == 0);
}

/* Incomplete people never look like "nobody": exit status 2, as in reports. */
static int finish(struct ctl *ctl, const struct judge *j, struct out_set *set, size_t n)
{
	if (ctl->json) {
		struct out_row *row = out_add_row(set, "result");

		if (!row ||
		    out_add_number(row, "complete", WIRE_CELL_BOOL,
				   j->people.complete) != 0 ||
		    !add(row, "missing", j->people.why))
			return ctl_fail(ctl, CTL_NO, "out of memory.");
		out_json_set(set, "access", ctl->out);
	} else if (ctl->csv) {
		out_print_csv(out_find(set, "access"), ctl->out);
	} else {
		out_print_table(out_find(set, "access"), ctl->out);
		if (n == 0)
			(void)fprintf(ctl->out, "Nobody and nothing.\n");
	}
	people_warn(ctl, &j->people);
	return j->people.complete ? CTL_OK : CTL_INCOMPLETE;
}

/* Batch of a local account needs no grant; it is shown where it was asked for. */
static bool wanted(const struct policy_opening *o, size_t privilege)
{
	return privilege == SIZE_MAX ? o->rule != NULL : o->privilege == privilege;
}

static int list_people(struct ctl *ctl, struct judge *j, size_t vm, size_t privilege)
{
	_cleanup_out_ struct out_set set = OUT_SET_INIT;
	const char *name = policy_vm_at(j->policy, vm);
	const struct policy_opening *o;
	size_t n, rows = 0;

	policy_reach_focus(j->reach, policy_reach_class_of(j->reach, (uint32_t)vm));
	for (size_t i = 0; i < j->people.n; i++) {
		const struct policy_subject *s = &j->people.v[i];

		if (policy_reach_subject(j->reach, s, &o, &n) != 0)
			return ctl_fail(ctl, CTL_NO, "out of memory.");
		for (size_t k = 0; k < n; k++) {
			if (!wanted(&o[k], privilege))
				continue;
			if (!add_opening(&set, j, s->login, name, &o[k]))
				return ctl_fail(ctl, CTL_NO, "out of memory.");
			rows++;
		}
	}
	return finish(ctl, j, &set, rows);
}

static int list_vms(struct ctl *ctl, struct judge *j, const struct policy_subject *s)
{
	_cleanup_out_ struct out_set set = OUT_SET_INIT;
	const struct policy_opening *o;
	size_t n, rows = 0;

	if (policy_reach_subject(j->reach, s, &o, &n) != 0)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	for (size_t k = 0; k < n; k++) {
		size_t n_vms;
		const uint32_t *vms = policy_reach_vms(j->reach, o[k].class, &n_vms);

		for (size_t i = 0; i < n_vms && wanted(&o[k], SIZE_MAX); i++, rows++)
			if (!add_opening(&set, j, s->login,
					 policy_vm_at(j->policy, vms[i]), &o[k]))
				return ctl_fail(ctl, CTL_NO, "out of memory.");
	}
	return finish(ctl, j, &set, rows);
}

int cmd_who_can(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_judge_ struct judge j = {0};
	size_t vm = 0, privilege = SIZE_MAX;
	int r = judge_open(ctl, args, ctl_arg(args, "policy"), &j);

	if (r != 0)
		return r;
	while (policy_vm_at(j.policy, vm) &&
	       !str_eq(policy_vm_at(j.policy, vm), args->pos[0]))
		vm++;
	if (!policy_vm_at(j.policy, vm))
		return ctl_fail(ctl, CTL_NO, "the policy has no VM %s.", args->pos[0]);
	if (args->n_pos > 1) {
		privilege = policy_privileges_find(j.privs, args->pos[1]);
		if (privilege == SIZE_MAX)
			return ctl_fail(ctl, CTL_NO,
					"the policy knows no privilege %s.",
					args->pos[1]);
	}
	return list_people(ctl, &j, vm, privilege);
}

int cmd_what_can(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_judge_ struct judge j = {0};
	const struct policy_subject *s;
	int r = judge_open(ctl, args, ctl_arg(args, "policy"), &j);

	if (r != 0)
		return r;
	s = people_find(&j.people, args->pos[0]);
	if (s)
		return list_vms(ctl, &j, s);
	people_warn(ctl, &j.people);
	return ctl_fail(ctl, j.people.complete ? CTL_NO : CTL_INCOMPLETE,
			"nobody called %s is known.", args->pos[0]);
}
