/* SPDX-License-Identifier: Apache-2.0 */
/* set_back.c - the anchor's verdict at the start, and what follows from it. */
#include "rbacd/keys/set_back.h"

#include <errno.h>

#include "rbacd/keys/anchor.h"
#include "rbacd/log.h"
#include "rbacd/server.h"

static int record(struct server *s, const char *name, enum audit_sev sev,
		  const char *text)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	ev.ev = name;
	ev.sev = sev;
	ev.outcome = AUDIT_SUCCESS;
	ev.vm = s->config->vm;
	ev.reason_text = text;
	return audit_append(s->audit, &ev, server_now_us(), id);
}

static int set_back(struct server *s, const char *why, int64_t at_s)
{
	char text[200];
	int rc = store_burn(s->store, at_s > 0 ? at_s : server_now_s());

	(void)snprintf(text, sizeof(text),
		       "%s; codes that may have been used since are void", why);
	log_err("%s", text);
	return rc == 0 ? record(s, "state.set_back", AUDIT_ALERT, text) : rc;
}

/* An older version wrote none, and a restore takes it away. */
static int first_anchor(struct server *s)
{
	if (!s->anchor)
		return 0;
	return record(s, "state.anchored", AUDIT_WARNING,
		      "the database gets its first anchor: it is new, restored, or of "
		      "an older version");
}

int set_back_check(struct server *s)
{
	enum anchor_verdict verdict;
	const char *why = "";
	int64_t at_s = 0;
	int rc = anchor_check(s->anchor, s->store, s->seal, &verdict, &why, &at_s);

	if (rc == 0 && verdict == ANCHOR_FIRST)
		rc = first_anchor(s);
	else if (rc == 0 && verdict != ANCHOR_GOOD)
		rc = set_back(s, why, at_s);
	if (rc == 0)
		rc = anchor_note(s->anchor, s->store);
	return rc > 0 ? -EIO : rc;
}
