/* SPDX-License-Identifier: Apache-2.0 */
/* set_back.c - the anchor's verdict at the start, and what follows from it. */
#include "rbacd/keys/set_back.h"

#include <errno.h>

#include "rbacd/keys/anchor.h"
#include "rbacd/log.h"
#include "rbacd/server.h"

static int record(struct server *s, const char *why)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1], text[200];

	(void)snprintf(text, sizeof(text),
		       "%s; codes that may have been used since are void", why);
	log_err("%s", text);
	ev.ev = "state.set_back";
	ev.sev = AUDIT_ALERT;
	ev.outcome = AUDIT_SUCCESS;
	ev.vm = s->config->vm;
	ev.reason_text = text;
	return audit_append(s->audit, &ev, server_now_us(), id);
}

int set_back_check(struct server *s)
{
	enum anchor_verdict verdict;
	const char *why = "";
	int64_t at_s = 0;
	int rc = anchor_check(s->anchor, s->store, s->seal, &verdict, &why, &at_s);

	if (rc == 0 && verdict != ANCHOR_GOOD && verdict != ANCHOR_FIRST) {
		rc = store_burn(s->store, at_s > 0 ? at_s : server_now_s());
		if (rc == 0)
			rc = record(s, why);
	}
	if (rc == 0)
		rc = anchor_note(s->anchor, s->store);
	return rc > 0 ? -EIO : rc;
}
