/* SPDX-License-Identifier: Apache-2.0 */
/* lint_password.c - what `password:` comes to; which of a preset's numbers hold depends
 * on every rule. */
#include <inttypes.h>

#include "policy/lint_internal.h"

/* "never" or "after 90 days". */
static const char *say_age(uint32_t days, char *buf, size_t cap)
{
	if (days == 0)
		return "never";
	(void)snprintf(buf, cap, "after %" PRIu32 " days", days); /* three digits */
	return buf;
}

void lint_password(const struct lint *l)
{
	struct password_rules r;
	struct policy_where where;
	char age[32];

	if (!policy_password_where(l->in->policy, &where))
		return;
	policy_password(l->in->policy, &r);
	lint_say(l, POLICY_LINT_NOTE, "passwords", r.preset, &where,
		 "passwords follow %s, with %s: %" PRIu32
		 " characters or more, %" PRIu32
		 " of 4 kinds, none of the last %" PRIu32 ", %s%s%sexpire %s",
		 r.preset,
		 r.mfa_everywhere ? "MFA everywhere" : "some rule that asks for no MFA",
		 r.min_length, r.classes, r.history, r.blocklist ? "blocklist, " : "",
		 r.dictionary ? "dictionary, " : "",
		 r.whole_words ? "names whole, " : "names in any part, ",
		 say_age(r.max_age_d, age, sizeof(age)));
}
