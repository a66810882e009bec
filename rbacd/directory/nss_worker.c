/* SPDX-License-Identifier: Apache-2.0 */
/* nss_worker.c - the only code of vmsec that calls NSS; runs in a child of rbacd-dir.
 */

#include "rbacd/directory/nss_worker.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#define BUFFER_FIRST 16384
#define BUFFER_MAX   (1u << 20)

static size_t reply_size(uint32_t n_gids)
{
	return offsetof(struct nss_reply, gids) + n_gids * sizeof(uint32_t);
}

static bool text_ended(const char *text, size_t cap)
{
	return memchr(text, '\0', cap) != NULL;
}

bool nss_reply_ok(const struct nss_reply *r, size_t len, const struct nss_job *job)
{
	if (len < reply_size(0) || r->n_gids > NSS_GIDS_MAX ||
	    len != reply_size(r->n_gids))
		return false;
	if (r->kind != job->kind || r->status < NSS_FOUND || r->status > NSS_FAILED)
		return false;
	return text_ended(r->name, sizeof(r->name));
}

/* Doubles the buffer for ERANGE; an entry over 1 MiB is an error. */
static bool bigger(char **buf, size_t *len)
{
	size_t next = *len ? *len * 2 : BUFFER_FIRST;
	char *p;

	if (next > BUFFER_MAX)
		return false;
	p = realloc(*buf, next);
	if (!p)
		return false;
	*buf = p;
	*len = next;
	return true;
}

/*
 * 0 without an entry is "not found"; every error number is "failed", although some
 * modules say ENOENT for an unknown name: a failure keeps what was known before.
 */
static uint32_t status_of(int rc, bool found)
{
	if (rc != 0)
		return NSS_FAILED;
	return found ? NSS_FOUND : NSS_NOT_FOUND;
}

static uint32_t copy_name(const char *name, char ret[NSS_NAME_MAX + 1])
{
	size_t len = strlen(name);

	if (len > NSS_NAME_MAX)
		return NSS_FAILED;
	memcpy(ret, name, len + 1);
	return NSS_FOUND;
}

static uint32_t find_gids(const char *name, gid_t gid, struct nss_reply *r)
{
	int n = NSS_GIDS_MAX;

	_Static_assert(sizeof(gid_t) == sizeof(uint32_t),
		       "gids are copied as they are");
	if (getgrouplist(name, gid, r->gids, &n) < 0 || n < 0 || n > NSS_GIDS_MAX)
		return NSS_FAILED;
	r->n_gids = (uint32_t)n;
	return NSS_FOUND;
}

static void find_user(const struct nss_job *job, struct nss_reply *r)
{
	_cleanup_free_ char *buf = NULL;
	struct passwd pw, *found = NULL;
	size_t len = 0;
	int rc = ERANGE;

	while (rc == ERANGE && bigger(&buf, &len))
		rc = getpwnam_r(job->name, &pw, buf, len, &found);
	r->status = status_of(rc, found != NULL);
	if (r->status != NSS_FOUND)
		return;
	r->uid = pw.pw_uid;
	r->gid = pw.pw_gid;
	r->status = copy_name(pw.pw_name, r->name);
	if (r->status == NSS_FOUND)
		r->status = find_gids(pw.pw_name, pw.pw_gid, r);
}

static void find_group(const struct nss_job *job, struct nss_reply *r)
{
	_cleanup_free_ char *buf = NULL;
	struct group gr, *found = NULL;
	size_t len = 0;
	int rc = ERANGE;

	while (rc == ERANGE && bigger(&buf, &len))
		rc = getgrnam_r(job->name, &gr, buf, len, &found);
	r->status = status_of(rc, found != NULL);
	if (r->status != NSS_FOUND)
		return;
	r->gid = gr.gr_gid;
	r->status = copy_name(gr.gr_name, r->name);
}

int nss_worker_run(int fd)
{
	struct nss_reply *r = calloc(1, sizeof(*r));
	struct nss_job job;
	ssize_t n;

	if (!r)
		return 1;
	for (;;) {
		n = recv(fd, &job, sizeof(job), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof(job) || !text_ended(job.name, sizeof(job.name)))
			break;
		memset(r, 0, reply_size(0));
		r->kind = job.kind;
		r->status = NSS_FAILED;
		if (job.kind == NSS_USER)
			find_user(&job, r);
		else if (job.kind == NSS_GROUP)
			find_group(&job, r);
		if (send(fd, r, reply_size(r->n_gids), MSG_NOSIGNAL) < 0)
			break;
	}
	free(r);
	return 0;
}
