/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.c - the lines as files: audit-<first seq>.jsonl, closed ones and one that
 * grows.
 *
 * A segment is a copy of what the database made durable, written once a second and
 * outside any login. So a crash or a full disk costs nothing: a torn last line is cut
 * and written again.
 */
#include "rbacd/audit/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rbacd/audit/audit_internal.h"

#define SEGMENT_LINES 32768
#define SEGMENT_US    (7 * 86400 * INT64_C(1000000))
#define TICK_LINES    4096
#define BUFFER_BYTES  (256u << 10)

struct segment {
	int dir, fd;	  /* fd -1: none is open */
	uint64_t first;	  /* of the open one */
	uint64_t seq;	  /* last line in any file */
	off_t bytes;	  /* whole lines in the open one */
	int64_t first_us; /* time of its first line; 0: not known yet */
	char *buf;	  /* owned; lines on their way */
	size_t len;
};

void segment_close(struct segment *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		(void)close(s->fd); /* a copy: what is missing is written again */
	if (s->dir >= 0)
		(void)close(s->dir);
	free(s->buf);
	free(s);
}

static void closep(struct segment **s)
{
	segment_close(*s);
}

uint64_t segment_seq(const struct segment *s)
{
	return s->seq;
}

uint64_t segment_first(const struct segment *s)
{
	return s->first;
}

/* ---------------------------------------------------------------- at start */

/* Whole lines, that the database holds too, or has dropped by now. */
struct reading {
	struct audit *audit;
	uint64_t seq;
	off_t bytes;
	bool differs;
};

static bool line_is_ours(struct audit *audit, uint64_t seq, const char *line,
			 size_t len)
{
	size_t n = 0;
	int r = store_audit_get(audit->store, seq, audit->line, sizeof(audit->line),
				&n);

	if (r == STORE_E_NONE)
		return seq <= audit->durable.seq;
	return r == 0 && n == len && memcmp(audit->line, line, len) == 0;
}

static void read_lines(struct reading *rd, FILE *in)
{
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, in)) > 0 && line[n - 1] == '\n') {
		if (!line_is_ours(rd->audit, rd->seq + 1, line, (size_t)n - 1)) {
			rd->differs = true;
			return;
		}
		rd->seq++;
		rd->bytes += n;
	}
}

/* The newest segment: how far it goes. One of another past is put aside. */
static int resume(struct audit *audit, struct segment *s, uint64_t first)
{
	struct reading rd = {.audit = audit, .seq = first - 1};
	char name[SEGMENT_NAME_MAX], aside[SEGMENT_NAME_MAX + 32];
	_cleanup_close_ int fd = -1;
	FILE *in;

	segment_name(first, name);
	fd = openat(s->dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	in = fd >= 0 ? fdopen(dup(fd), "r") : NULL;
	if (!in)
		return -errno;
	read_lines(&rd, in);
	(void)fclose(in); /* only read */
	if (rd.differs) {
		(void)snprintf(aside, sizeof(aside), "%s.set-back-%lld", name,
			       (long long)audit->durable.ts_s); /* fits */
		return renameat(s->dir, name, s->dir, aside) == 0 ? -ESTALE : -errno;
	}
	if (ftruncate(fd, rd.bytes) != 0)
		return -errno;
	s->fd = fd;
	fd = -1;
	s->first = first;
	s->seq = rd.seq;
	s->bytes = rd.bytes;
	return 0;
}

static int find_newest(struct audit *audit, struct segment *s)
{
	_cleanup_free_ uint64_t *v = NULL;
	uint64_t oldest = 0;
	size_t n = 0;
	int r = segment_list(audit->dir, &v, &n);

	if (r == 0)
		r = store_audit_first(audit->store, &oldest);
	s->seq = oldest > 0 ? oldest - 1 : audit->durable.seq;
	for (r = r == 0 && n > 0 ? -ESTALE : r; r == -ESTALE && n > 0; n--)
		r = resume(audit, s, v[n - 1]);
	return r == -ESTALE ? 0 : r;
}

int segment_open(struct audit *audit, struct segment **ret)
{
	_cleanup_(closep) struct segment *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->fd = s->dir = -1;
	s->buf = malloc(BUFFER_BYTES);
	if (!s->buf)
		return -ENOMEM;
	if (mkdir(audit->dir, 0700) != 0 && errno != EEXIST)
		return -errno;
	s->dir = open(audit->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s->dir < 0)
		return -errno;
	r = find_newest(audit, s);
	if (r == 0)
		*ret = STEAL(s);
	return r;
}

/* ---------------------------------------------------------------- growing */

static int begin_file(struct segment *s)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(s->seq + 1, name);
	s->fd = openat(s->dir, name,
		       O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return -errno;
	s->first = s->seq + 1;
	s->bytes = 0;
	s->first_us = 0;
	return 0;
}

/* All of the buffer or nothing of it. */
static int flush_lines(struct segment *s, uint64_t upto)
{
	ssize_t n;

	if (s->len == 0)
		return 0;
	n = pwrite(s->fd, s->buf, s->len, s->bytes);
	if (n != (ssize_t)s->len) {
		n = n < 0 ? -errno : -ENOSPC;
		s->len = 0;
		return ftruncate(s->fd, s->bytes) == 0 ? (int)n : -EIO;
	}
	s->bytes += n;
	s->seq = upto;
	s->len = 0;
	return 0;
}

struct copying {
	struct segment *s;
	uint64_t seq, last; /* in the buffer; stop after */
	int error;
};

static int copy_line(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct copying *c = arg;
	struct segment *s = c->s;

	if (seq != c->seq + 1 || seq > c->last)
		return 1;
	if (s->len + len + 1 > BUFFER_BYTES)
		c->error = flush_lines(s, c->seq);
	if (c->error != 0)
		return 1;
	memcpy(s->buf + s->len, line, len);
	s->buf[s->len + len] = '\n';
	s->len += len + 1;
	c->seq = seq;
	return 0;
}

static int64_t line_time(struct audit *audit, uint64_t seq)
{
	struct audit_view view;
	const char *why;
	size_t len = 0;

	if (store_audit_get(audit->store, seq, audit->line, sizeof(audit->line),
			    &len) != 0 ||
	    audit_view_parse(audit->line, len, &view, &why) != 0)
		return 0;
	return view.ts_us;
}

/* Closed means flushed: from here on its lines may leave the database. */
static int close_file(struct audit *audit, struct segment *s, int64_t now_us)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char name[SEGMENT_NAME_MAX], id[AUDIT_ID_MAX + 1], head[65];
	uint8_t hash[AUDIT_HASH_LEN];
	size_t len = 0;
	int r;

	if (fsync(s->fd) != 0 || fsync(s->dir) != 0)
		return 0; /* stays open; the next tick tries again */
	segment_name(s->first, name);
	r = store_audit_get(audit->store, s->seq, audit->line, sizeof(audit->line),
			    &len);
	if (r == 0)
		r = chain_hash(audit->chain, audit->line, len, hash);
	if (r != 0)
		return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
	audit_hex(hash, sizeof(hash), head);
	ev.ev = "log.segment";
	ev.outcome = AUDIT_SUCCESS;
	ev.object = name;
	ev.after_sha = head;
	ev.count = (int64_t)(s->seq - s->first + 1);
	r = audit_append(audit, &ev, now_us, id);
	if (r != 0)
		return r;
	(void)close(s->fd); /* flushed above */
	s->fd = -1;
	return 0;
}

static bool is_done(struct audit *audit, struct segment *s, int64_t now_us)
{
	if (s->fd < 0 || s->seq < s->first)
		return false;
	if (s->first_us == 0)
		s->first_us = line_time(audit, s->first);
	return s->seq - s->first + 1 >= SEGMENT_LINES ||
	       (s->first_us > 0 && now_us - s->first_us >= SEGMENT_US);
}

int segment_advance(struct audit *audit, int64_t now_us)
{
	struct segment *s = audit->segment;
	struct copying c = {.s = s, .seq = s->seq, .last = audit->durable.seq};
	int r;

	if (is_done(audit, s, now_us))
		return close_file(audit, s, now_us);
	if (c.seq == c.last)
		return 0;
	if (s->fd < 0 && begin_file(s) != 0)
		return 0; /* no room, or no folder: the database has the lines */
	if (c.last - c.seq > TICK_LINES)
		c.last = c.seq + TICK_LINES;
	if (c.last >= s->first + SEGMENT_LINES)
		c.last = s->first + SEGMENT_LINES - 1;
	r = store_audit_each(audit->store, c.seq + 1, copy_line, &c);
	if (c.error == 0)
		c.error = flush_lines(s, c.seq);
	return r < 0 || r == STORE_E_CORRUPT ? r : 0;
}
