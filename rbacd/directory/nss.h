/* SPDX-License-Identifier: Apache-2.0 */
/* nss.h - source nss: one person at a time, groups by their number. */
#pragma once

#include <event2/event.h>

#include "rbacd/directory/snapshot.h"

struct nss;

struct nss_ops {
	/* @state: 1 answered, with @block; 2 failed; 3 timed out. */
	void (*answer)(void *arg, uint64_t ticket, uint8_t state, const void *block,
		       size_t len);
	void (*problem)(void *arg, const char *text); /* "": the last one is over */
};

_must_check_ int nss_new(struct event_base *base, int64_t max_stale_s,
			 const struct nss_ops *ops, void *arg, struct nss **ret);
void nss_free(struct nss *nss);
/* nss_set_local() - the accounts of /etc/passwd; takes a reference. */
void nss_set_local(struct nss *nss, struct snapshot *local);
/* nss_set_targets() - the groups that matter: the names in @targets; resolved anew. */
_must_check_ int nss_set_targets(struct nss *nss, const struct snapshot *targets);
/* nss_lookup() - ask for one login; the answer comes later, from the loop. */
_must_check_ int nss_lookup(struct nss *nss, uint64_t ticket, const char *login);
/* nss_forget() - the link is lost: nobody waits for answers any more. */
void nss_forget(struct nss *nss);
