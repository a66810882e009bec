/* SPDX-License-Identifier: Apache-2.0 */
/* rawclient.c - a client of pam.sock without libpam and without manners. */
#include "tests/bench/rawclient.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/measure.h"

int raw_connect(const char *socket_path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval tv = {.tv_sec = 30};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == 0 &&
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	rc = -errno;
	(void)close(fd);
	return rc;
}

void raw_begin(const struct raw_client *c, enum wire_op op, struct wire_begin *b)
{
	*b = (struct wire_begin){.op = op,
				 .flags = WIRE_FLAG_CAN_PROMPT,
				 .session = UINT32_MAX,
				 .loginuid = 100000 + c->number};
	if (getrandom(b->nonce, sizeof(b->nonce), 0) != sizeof(b->nonce))
		die("getrandom failed");
	b->deadline_ns = measure_now_ns() + c->budget_ns;
	(void)snprintf(b->service, sizeof(b->service), "%s", c->service);
	(void)snprintf(b->user, sizeof(b->user), "%s", c->person->login);
	(void)snprintf(b->ssh_connection, sizeof(b->ssh_connection),
		       "10.%u.%u.%u 40000 192.0.2.1 22", c->number >> 16 & 255,
		       c->number >> 8 & 255, c->number & 255);
	(void)snprintf(b->ssh_auth_info, sizeof(b->ssh_auth_info),
		       "publickey ssh-ed25519 AAAA\n");
}

static int send_all(int fd, const void *buf, size_t len)
{
	ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
}

int raw_send_begin(int fd, const struct wire_begin *begin)
{
	uint8_t frame[WIRE_FRAME_MAX_IN];
	size_t len;

	if (wire_encode_begin(begin, frame, sizeof(frame), &len) != 0)
		return -EINVAL;
	return send_all(fd, frame, len);
}

static int send_answer(int fd, const struct wire_prompt *p, const struct wire_begin *b,
		       const char *code)
{
	struct wire_answer a = {.turn = p->turn, .deadline_ns = b->deadline_ns};
	uint8_t frame[512];
	size_t len;

	a.kind = !code			      ? WIRE_ANSWER_FAILED
		 : b->op == WIRE_OP_PW_CHANGE ? WIRE_ANSWER_PASSWORD
					      : WIRE_ANSWER_CODE;
	if (code) {
		a.text.len = strlen(code);
		memcpy(a.text.bytes, code, a.text.len);
	}
	memcpy(a.nonce, b->nonce, sizeof(a.nonce));
	if (wire_encode_answer(&a, frame, sizeof(frame), &len) != 0)
		return -EINVAL;
	return send_all(fd, frame, len);
}

static int on_frame(int fd, const struct wire_frame *f, const struct wire_begin *b,
		    const char *code)
{
	struct wire_prompt prompt;

	if (wire_decode_prompt(f, &prompt) != 0)
		return -EPROTO;
	return prompt.turn ? send_answer(fd, &prompt, b, code) : 0;
}

/* Reads frames; stops after RESULT, or after the first prompt when @ret is NULL. */
static int follow(int fd, const struct wire_begin *b, const char *code,
		  struct wire_result_msg *ret)
{
	uint8_t buf[WIRE_TEXT_MAX + 1024];
	size_t have = 0, used;
	struct wire_frame frame;
	int rc;

	for (;;) {
		rc = wire_frame_split(buf, have, sizeof(buf), &frame, &used);
		if (rc == WIRE_E_INCOMPLETE) {
			ssize_t n = recv(fd, buf + have, sizeof(buf) - have, 0);

			if (n <= 0)
				return n < 0 ? -errno : -ECONNRESET;
			have += (size_t)n;
			continue;
		}
		if (rc != 0 || (!ret && frame.type == WIRE_RESULT))
			return -EPROTO;
		if (frame.type == WIRE_RESULT)
			return wire_decode_result(&frame, ret) == 0 ? 0 : -EPROTO;
		rc = on_frame(fd, &frame, b, code);
		if (rc != 0 || (!ret && frame.type == WIRE_PROMPT))
			return rc;
		memmove(buf, buf + used, have - used);
		have -= used;
	}
}

int raw_result(int fd, const struct wire_begin *b, const char *code,
	       struct wire_result_msg *ret)
{
	return follow(fd, b, code, ret);
}

int raw_answer(int fd, const struct wire_begin *b, const char *code)
{
	return follow(fd, b, code, NULL);
}

int raw_ask(const struct raw_client *c, enum wire_op op, const char *code,
	    const uint8_t *handle, struct wire_result_msg *ret)
{
	struct wire_begin b;
	int fd = raw_connect(c->socket), rc;

	if (fd < 0)
		return fd;
	raw_begin(c, op, &b);
	if (handle) {
		b.has_handle = true;
		memcpy(b.handle, handle, sizeof(b.handle));
	}
	rc = raw_send_begin(fd, &b);
	if (rc == 0)
		rc = raw_result(fd, &b, code, ret);
	(void)close(fd);
	return rc;
}

int raw_login(const struct raw_client *c, int64_t now_s, struct wire_result_msg *ret)
{
	uint8_t handle[WIRE_HANDLE_LEN];
	char code[7];

	people_code(c->person, now_s, code);
	if (raw_ask(c, WIRE_OP_AUTH, code, NULL, ret) != 0 ||
	    ret->result != WIRE_RESULT_ALLOW || !ret->has_handle)
		return 1;
	memcpy(handle, ret->handle, sizeof(handle));
	return raw_ask(c, WIRE_OP_ACCOUNT, NULL, handle, ret) != 0 ||
	       ret->result != WIRE_RESULT_ALLOW;
}
