/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - one end of dir.sock: frames with descriptors, never blocking, bounded queue.
 *
 * TARGETS and SNAPSHOT carry exactly one descriptor, other frames none; anything else,
 * and every malformed frame, ends the link.
 */
#pragma once

#include <event2/event.h>

#include "rbacd/wire/buf.h"

struct link;

struct link_ops {
	/* One frame. @fd: descriptor or -1; set to -1 to keep it. Return 0, or non-zero
	 * to end the link (then lost() is called). */
	int (*frame)(void *arg, const struct wire_frame *f, int *fd);
	/* Called once, from the loop; frees the link. @why: static. */
	void (*lost)(void *arg, const char *why);
};

/* link_new() - take over the connected, non-blocking socket @fd in any case. */
_must_check_ int link_new(struct event_base *base, int fd, const struct link_ops *ops,
			  void *arg, struct link **ret);
void link_free(struct link *link); /* NULL is a no-op; lost() is not called */

/*
 * link_send() - queue one frame; @fd (-1: none) is owned from here on in any case.
 * Return: 0; -ENOBUFS when the peer reads too slowly; -ENOMEM.
 */
_must_check_ int link_send(struct link *link, const void *frame, size_t len, int fd);
