/* SPDX-License-Identifier: Apache-2.0 */
/* ageing.c - days since the last change, and marks. */
#include "rbacd/password/ageing.h"

#define DAY_S INT64_C(86400)

/* Since the last change, or since the person was first seen. A time in the future is
 * now: the clock was set back. */
static int64_t age_s(const struct store_password *p, int64_t now_s)
{
	int64_t since_s = p->changed_s > 0 ? p->changed_s : p->seen_s;

	return since_s < now_s ? now_s - since_s : 0;
}

/* A mark that this version does not know is a mark. */
static enum ageing_why mark(const struct store_password *p)
{
	if (p->forced == AGEING_NONE)
		return AGEING_NONE;
	return p->forced == AGEING_RESET ? AGEING_RESET : AGEING_DEMANDED;
}

void ageing_read(const struct password_rules *rules, const struct store_password *p,
		 int64_t now_s, struct ageing *ret)
{
	*ret = (struct ageing){.age_d = -1, .left_d = -1};
	if (!p)
		return;
	ret->why = mark(p);
	ret->age_d = age_s(p, now_s) / DAY_S;
	if (rules->max_age_d == 0)
		return;
	ret->left_d = (int64_t)rules->max_age_d - ret->age_d;
	if (ret->left_d <= 0) {
		ret->left_d = 0;
		if (ret->why == AGEING_NONE)
			ret->why = AGEING_EXPIRED;
	}
	ret->warn = ret->why == AGEING_NONE && ret->left_d <= (int64_t)rules->warn_d;
}

bool ageing_too_young(const struct password_rules *rules,
		      const struct store_password *p, int64_t now_s)
{
	return p && p->changed_s > 0 && mark(p) == AGEING_NONE &&
	       age_s(p, now_s) < (int64_t)rules->min_age_d * DAY_S;
}

const char *ageing_reason(enum ageing_why why)
{
	switch (why) {
	case AGEING_NONE:
		return NULL;
	case AGEING_EXPIRED:
		return "pw_expired";
	case AGEING_RESET:
		return "pw_reset";
	case AGEING_DEMANDED:
		break;
	}
	return "pw_demanded";
}

const char *ageing_text(enum ageing_why why)
{
	switch (why) {
	case AGEING_NONE:
		return "";
	case AGEING_EXPIRED:
		return "Your password has expired: choose a new one now.";
	case AGEING_RESET:
		return "Your password was set by somebody else: choose your own now.";
	case AGEING_DEMANDED:
		break;
	}
	return "An administrator asks you to choose a new password now.";
}
