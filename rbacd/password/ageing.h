/* SPDX-License-Identifier: Apache-2.0 */
/* ageing.h - must a password be changed, may it be? Pure; time is a parameter. */
#pragma once

#include "policy/policy.h"
#include "rbacd/store/store.h"

/* Why a new one is demanded; kept in the database: values never change. */
enum ageing_why {
	AGEING_NONE = 0,
	AGEING_EXPIRED = 1,  /* older than max_age; never stored */
	AGEING_RESET = 2,    /* somebody else set it: for the first use only */
	AGEING_DEMANDED = 3, /* an administrator: breach, compromise */
};

struct ageing {
	enum ageing_why why;
	int64_t age_d;	/* -1: not known yet */
	int64_t left_d; /* until it expires; -1: it does not */
	bool warn;	/* say so */
};

/*
 * ageing_read() - what holds for a password now.
 * @p: NULL: nothing is known of it. A mark holds whatever the rules say.
 */
void ageing_read(const struct password_rules *rules, const struct store_password *p,
		 int64_t now_s, struct ageing *ret);

/* ageing_too_young() - changed less than min_age ago, and no change is demanded. */
bool ageing_too_young(const struct password_rules *rules,
		      const struct store_password *p, int64_t now_s);

/* ageing_reason() - the audit log's identifier: pw_expired, pw_reset, pw_demanded. */
const char *ageing_reason(enum ageing_why why);

/* ageing_text() - to the person: "Your password … ". Static. */
const char *ageing_text(enum ageing_why why);
