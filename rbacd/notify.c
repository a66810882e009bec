/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - the list of what people are told of, for events and records alike. */

#include "rbacd/notify.h"

/* All that is given must be there; NULL: anything. */
struct rule {
	const char *ev, *cred, *op;
	bool success;
};

static const struct rule rules[] = {
	{"enrol", NULL, NULL, true},
	{"admin.enrol_confirm", NULL, NULL, true},
	{"admin.enrol_key", NULL, NULL, true},
	{"admin.import", NULL, NULL, true},
	{"admin.remove_factor", NULL, NULL, true},
	{"admin.disable", NULL, NULL, true},
	{"admin.reset", NULL, NULL, true},
	{NULL, "recovery", NULL, true},
	{NULL, "bypass", NULL, true},
	{NULL, NULL, "factor_disabled", false},
};

bool notify_event(const struct audit_event *ev)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *r = &rules[i];

		if ((!r->ev || str_eq(r->ev, ev->ev)) &&
		    (!r->cred || str_eq(r->cred, ev->cred)) &&
		    (!r->op || str_eq(r->op, ev->op)) &&
		    (!r->success || ev->outcome == AUDIT_SUCCESS))
			return true;
	}
	return false;
}

bool notify_record(const struct audit_view *v)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct rule *r = &rules[i];

		if ((!r->ev || audit_is(v, AUDIT_EV, r->ev)) &&
		    (!r->cred || audit_is(v, AUDIT_CRED, r->cred)) &&
		    (!r->op || audit_is(v, AUDIT_OP, r->op)) &&
		    (!r->success || audit_is(v, AUDIT_OUTCOME, "success")))
			return true;
	}
	return false;
}
