/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.c - the scripted daemon: one connection after the other, until its listener
 * ends. */
#include "tests/module/daemon.h"

#include <assert.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "rbacd/wire/client.h"
#include "rbacd/wire/msg.h"

#define NS_PER_S 1000000000u

const uint8_t daemon_handle[WIRE_HANDLE_LEN] = "handle-16-bytes";

struct turn {
	struct daemon *d;
	struct daemon_script s;
	struct wire_client c;
	struct wire_begin begin;
	enum wire_answer_kind kind; /* of the last answer; 0 when none */
	bool right;
};

static void send_message(struct turn *t, uint32_t turn, enum wire_style style,
			 const char *text)
{
	struct wire_prompt m = {.turn = turn,
				.style = style,
				.text = text,
				.text_len = strlen(text)};
	static _Thread_local uint8_t frame[WIRE_FRAME_MAX];
	size_t len;

	memcpy(m.nonce, t->begin.nonce, sizeof(m.nonce));
	if (turn > 0 && t->s.fault == DAEMON_PROMPT_NONCE)
		m.nonce[3] ^= 1;
	if (turn > 0 && t->s.fault == DAEMON_PROMPT_TURN)
		m.turn++;
	if (wire_encode_prompt(&m, frame, sizeof(frame), &len) == 0)
		(void)!wire_client_send(&t->c, frame, len);
}

static bool is_text(const struct secret *s, const char *text)
{
	return s->len == strlen(text) && memcmp(s->bytes, text, s->len) == 0;
}

static bool read_answer(struct turn *t)
{
	struct wire_frame frame;
	struct wire_answer a;

	if (wire_client_recv(&t->c, &frame) != 0 || wire_decode_answer(&frame, &a) != 0)
		return false;
	t->kind = a.kind;
	t->right =
		(a.kind == WIRE_ANSWER_CODE && is_text(&a.text, DAEMON_CODE)) ||
		(a.kind == WIRE_ANSWER_PASSWORD && is_text(&a.text, DAEMON_PASSWORD));
	(void)pthread_mutex_lock(&t->d->lock);
	if (t->d->seen.n_answers < DAEMON_ANSWERS_MAX)
		t->d->seen.answers[t->d->seen.n_answers++] = a;
	(void)pthread_mutex_unlock(&t->d->lock);
	return true;
}

static enum wire_result judge(const struct turn *t)
{
	bool noted =
		t->begin.op == WIRE_OP_PW_CHECK || t->begin.op == WIRE_OP_PW_CHANGED;

	if (!t->s.judge)
		return noted && t->s.by_op ? WIRE_RESULT_NOTED : t->s.result;
	if (t->begin.op == WIRE_OP_OPEN || t->begin.op == WIRE_OP_CLOSE || noted)
		return WIRE_RESULT_NOTED;
	if (t->kind == WIRE_ANSWER_FAILED)
		return WIRE_RESULT_CONV_FAILED;
	return t->right || t->s.n_prompts == 0 ? WIRE_RESULT_ALLOW
					       : WIRE_RESULT_AUTH_FAILED;
}

static void spoil_result(struct turn *t, uint8_t *frame, size_t *len)
{
	switch (t->s.fault) {
	case DAEMON_HALF_RESULT:
		*len -= 3;
		break;
	case DAEMON_TWO_RESULTS:
		memcpy(frame + *len, frame, *len);
		*len *= 2;
		break;
	case DAEMON_TRAILING_BYTE:
		frame[3] = (uint8_t)(frame[3] + 1);
		frame[(*len)++] = 0;
		break;
	case DAEMON_WRONG_TYPE:
		frame[5] = WIRE_ANSWER;
		break;
	case DAEMON_GARBAGE:
		memcpy(frame, "HTTP/1.1 200 OK\r\n\r\n", 19);
		*len = 19;
		break;
	case DAEMON_STALE_RESULT:
		if (t->d->last_result_len > 0) {
			*len = t->d->last_result_len;
			memcpy(frame, t->d->last_result, *len);
		}
		break;
	case DAEMON_HONEST:
	case DAEMON_CLOSES:
	case DAEMON_HANGS:
	case DAEMON_WRONG_NONCE:
	case DAEMON_PROMPT_NONCE:
	case DAEMON_PROMPT_TURN:
	case DAEMON_ZERO_RESULT:
	case DAEMON_NEAR_ALLOW:
	case DAEMON_DIES:
		break;
	}
}

static void send_result(struct turn *t)
{
	struct wire_result_msg m = {.result = judge(t),
				    .id = "T-1",
				    .has_handle = false};
	uint8_t frame[2048];
	size_t len;

	if (t->s.fault == DAEMON_ZERO_RESULT)
		m.result = WIRE_RESULT_NONE;
	if (t->s.fault == DAEMON_NEAR_ALLOW)
		m.result = (enum wire_result)(WIRE_RESULT_ALLOW ^ 0x10);
	memcpy(m.nonce, t->begin.nonce, sizeof(m.nonce));
	if (t->s.fault == DAEMON_WRONG_NONCE)
		m.nonce[0] ^= 1;
	if (t->s.text)
		memcpy(m.text, t->s.text, strlen(t->s.text) + 1);
	if (t->s.give_handle &&
	    (t->begin.op == WIRE_OP_AUTH || t->begin.op == WIRE_OP_PW_CHANGE)) {
		m.has_handle = true;
		memcpy(m.handle, daemon_handle, sizeof(m.handle));
	}
	if (wire_encode_result(&m, frame, sizeof(frame) / 2, &len) != 0)
		return;
	(void)pthread_mutex_lock(&t->d->lock);
	t->d->seen.n_allowed += m.result == WIRE_RESULT_ALLOW;
	spoil_result(t, frame, &len);
	if (t->s.fault == DAEMON_HONEST && len <= sizeof(t->d->last_result)) {
		memcpy(t->d->last_result, frame, len);
		t->d->last_result_len = len;
	}
	(void)pthread_mutex_unlock(&t->d->lock);
	(void)!wire_client_send(&t->c, frame, len);
}

static bool read_begin(struct turn *t)
{
	struct wire_frame frame;

	if (wire_client_recv(&t->c, &frame) != 0 ||
	    wire_decode_begin(&frame, &t->begin) != 0)
		return false;
	(void)pthread_mutex_lock(&t->d->lock);
	t->s = t->d->script;
	if (t->s.honest_check && t->begin.op == WIRE_OP_PW_CHECK)
		t->s.fault = DAEMON_HONEST;
	t->d->seen.n_connections++;
	t->d->seen.begin = t->begin;
	t->d->seen.n_answers = 0;
	(void)pthread_mutex_unlock(&t->d->lock);
	return true;
}

static void serve(struct daemon *d, int fd)
{
	uint8_t buf[WIRE_FRAME_MAX_IN];
	struct turn t = {.d = d,
			 .c = {.fd = fd,
			       .deadline_ns = wire_now_ns() + 10ull * NS_PER_S,
			       .buf = buf,
			       .cap = sizeof(buf)}};
	struct wire_frame frame;
	bool talking = read_begin(&t) && t.s.fault != DAEMON_CLOSES;
	bool change = t.begin.op == WIRE_OP_PW_CHANGE;
	bool asks =
		t.begin.op == WIRE_OP_AUTH || t.begin.op == WIRE_OP_ACCOUNT || change;

	for (unsigned i = 0; talking && asks && i < t.s.n_infos; i++)
		send_message(&t, 0, WIRE_STYLE_TEXT, t.s.info ? t.s.info : "note");
	for (unsigned i = 0; talking && asks && i < t.s.n_prompts; i++) {
		enum wire_style style = i < ARRAY_SIZE(t.s.styles) ? t.s.styles[i] : 0;

		if (!style)
			style = change ? WIRE_STYLE_NEW_PASSWORD : WIRE_STYLE_HIDDEN;
		send_message(&t, i + 1, style,
			     change ? "New password: " : "One-time code: ");
		talking = read_answer(&t);
		if (change && (t.right || t.kind == WIRE_ANSWER_FAILED))
			break;
	}
	if (talking && t.s.fault == DAEMON_HANGS)
		(void)!wire_client_recv(&t.c, &frame);
	else if (talking && t.s.fault != DAEMON_DIES)
		send_result(&t);
	wire_client_close(&t.c);
}

static void *daemon_thread(void *arg)
{
	struct daemon *d = arg;
	int fd;

	while ((fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		serve(d, fd);
	return NULL;
}

void daemon_start(struct daemon *d)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	memset(d, 0, sizeof(*d));
	memcpy(d->dir, "/run/vmsec-module-XXXXXX", 25);
	assert(mkdtemp(d->dir));
	(void)snprintf(d->socket, sizeof(d->socket), "%s/pam.sock", d->dir);
	memcpy(sa.sun_path, d->socket, strlen(d->socket));
	d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(d->listener >= 0);
	assert(bind(d->listener, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	assert(listen(d->listener, 128) == 0);
	assert(pthread_mutex_init(&d->lock, NULL) == 0);
	assert(pthread_create(&d->thread, NULL, daemon_thread, d) == 0);
}

void daemon_stop(struct daemon *d)
{
	(void)shutdown(d->listener, SHUT_RDWR); /* wakes accept */
	(void)pthread_join(d->thread, NULL);
	base_closep(&d->listener);
	(void)unlink(d->socket);
	(void)pthread_mutex_destroy(&d->lock);
	(void)rmdir(d->dir);
}

void daemon_script_set(struct daemon *d, const struct daemon_script *script)
{
	(void)pthread_mutex_lock(&d->lock);
	d->script = *script;
	memset(&d->seen, 0, sizeof(d->seen));
	(void)pthread_mutex_unlock(&d->lock);
}

struct daemon_seen daemon_seen_get(struct daemon *d)
{
	struct daemon_seen seen;

	(void)pthread_mutex_lock(&d->lock);
	seen = d->seen;
	(void)pthread_mutex_unlock(&d->lock);
	return seen;
}
