/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nss_worker.h - the child that calls NSS, one question at a time, and may hang or die.
 *
 * Parent and child are one program: messages are structs on a SOCK_SEQPACKET pair. The
 * parent checks every reply all the same, because modules of others run in the child.
 */
#pragma once

#include "policy/base.h"

#define NSS_NAME_MAX 255
#define NSS_GIDS_MAX 16384

enum nss_kind { NSS_USER = 1, NSS_GROUP = 2 };
enum nss_status { NSS_FOUND = 1, NSS_NOT_FOUND = 2, NSS_FAILED = 3, NSS_TIMED_OUT = 4 };

struct nss_job {
	uint32_t kind;
	char name[NSS_NAME_MAX + 1];
};

struct nss_reply {
	uint32_t kind, status;
	uint32_t uid, gid;	     /* group: gid only */
	char name[NSS_NAME_MAX + 1]; /* as the system spells it */
	uint32_t n_gids;
	uint32_t gids[NSS_GIDS_MAX]; /* only n_gids are sent */
};

/* nss_worker_run() - serve jobs on @fd until it closes; returns the exit status. */
int nss_worker_run(int fd);

/* nss_reply_ok() - @len bytes are a whole reply to @job, with every string ended. */
bool nss_reply_ok(const struct nss_reply *reply, size_t len, const struct nss_job *job);
