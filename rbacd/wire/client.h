/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - the calling side of every rbacd socket: one absolute deadline, no signals
 * (MSG_NOSIGNAL), EINTR and EAGAIN handled, descriptor >= 3 and close-on-exec.
 */
#pragma once

#include "rbacd/wire/buf.h"

struct wire_client {
	int fd;		      /* owned; -1 when closed */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, absolute; 0: none (rbacctl) */
	uint8_t *buf;	      /* borrowed: room for one frame */
	size_t cap;
	size_t have; /* bytes of buf in use */
	size_t used; /* bytes of the frame handed out last */
};

/* wire_now_ns() - CLOCK_MONOTONIC. */
uint64_t wire_now_ns(void);

/*
 * wire_client_open() - connect to a unix socket whose folders nobody but root can write
 * and whose server has peer uid 0 or @server_uid.
 * @path:   absolute; every folder on the way must be root's and not writable by others
 *          (a sticky world-writable folder is refused too), no symbolic links.
 * A full backlog (EAGAIN, which poll() cannot wait for) is retried with jitter until
 * the deadline. Return: 0; -ETIMEDOUT; -ECONNREFUSED, -ENOENT …; -EPERM when the server
 * or a folder is not to be trusted.
 */
_must_check_ int wire_client_open(struct wire_client *c, const char *path,
				  uint32_t server_uid, uint64_t deadline_ns, void *buf,
				  size_t cap);
/* wire_client_send() - send one whole frame. Return: 0; -ETIMEDOUT; negative errno. */
_must_check_ int wire_client_send(struct wire_client *c, const void *frame, size_t len);
/*
 * wire_client_recv() - receive one frame; it stays valid until the next call.
 * Return: 0; -ETIMEDOUT; -ECONNRESET when the server closed; -EPROTO when malformed.
 */
_must_check_ int wire_client_recv(struct wire_client *c, struct wire_frame *ret_frame);
/* wire_client_close() - close and forget; wipes the buffer. */
void wire_client_close(struct wire_client *c);
