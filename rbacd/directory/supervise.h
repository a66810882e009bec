/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervise.h - rbacd-dir's side of source ldap: keeps a follower (follow.h) alive,
 * kills it when it does not move, and keeps the last snapshot. Never calls libldap.
 */
#pragma once

#include <event2/event.h>

#include "rbacd/config.h"
#include "rbacd/directory/snapshot.h"
#include "rbacd/wire/buf.h"

#define SUPERVISE_WATCHDOG_S 40 /* no step forward for so long: the child is killed */

struct supervise;

struct supervise_ops {
	/* A frame for rbacd; @fd: -1 or owned by the callee. */
	void (*frame)(void *arg, const struct wire_frame *f, int fd);
	/* Something for the audit log: "offline", "online". */
	void (*notice)(void *arg, const char *event, const char *text);
};

/* @password: borrowed for the life of it. */
_must_check_ int supervise_new(struct event_base *base,
			       const struct config_ldap *config,
			       const struct secret *password,
			       const struct supervise_ops *ops, void *arg,
			       struct supervise **ret);
void supervise_free(struct supervise *s); /* kills the child; NULL is a no-op */

/* supervise_set_local(), supervise_set_targets() - as rbacd and /etc/passwd say; @fd:
 * its memfd, owned by the callee. The first targets start the follower. */
void supervise_set_local(struct supervise *s, struct snapshot *local, int fd);
void supervise_set_targets(struct supervise *s, struct snapshot *targets, int fd);
/* supervise_set_last() - what rbacd kept; taken only while nothing newer is there.
 * Return: 0; -EPROTO. */
_must_check_ int supervise_set_last(struct supervise *s, int fd);
/* supervise_order() - accept or reject what the guard holds. */
void supervise_order(struct supervise *s, const struct wire_frame *f);
/* supervise_resend() - rbacd is new: everything again. */
void supervise_resend(struct supervise *s);
