/* SPDX-License-Identifier: Apache-2.0 */
/* talk.c - relays what rbacd asks; every wait ends at one deadline. */
#include "pam_vmsec/talk.h"

#include <errno.h>

#include "pam_vmsec/person.h"
#include "rbacd/wire/client.h"
#include "rbacd/wire/msg.h"

/* sshd ends a connection that shows too much between two prompts. */
#define MESSAGES_MAX	4
#define MESSAGES_CHANGE 8 /* three tries, their reasons, and what is asked */
/* One frame toward us: the longest text and room for the other fields. */
#define REPLY_MAX (WIRE_TEXT_MAX + 1024)
/* ANSWER: header, six fields, the longest answer. */
#define ANSWER_FRAME_MAX (2 * SECRET_MAX + 256)

struct exchange {
	struct talk *talk;		/* borrowed */
	const struct wire_begin *begin; /* borrowed */
	struct wire_client client;
	bool heard; /* anything at all */
	unsigned n_messages;
	uint32_t turn; /* of the last prompt */
};

static int send_begin(struct exchange *x)
{
	uint8_t frame[WIRE_FRAME_MAX_IN];
	size_t len;
	int r;

	r = wire_encode_begin(x->begin, frame, sizeof(frame), &len);
	return r == 0 ? wire_client_send(&x->client, frame, len) : r;
}

struct answer_frame {
	uint8_t bytes[ANSWER_FRAME_MAX];
};

static void answer_frame_done(struct answer_frame *f)
{
	explicit_bzero(f, sizeof(*f));
}

/* Only this may be followed by ALLOW; a page that was read adds nothing to it. */
static void judge_answer(struct talk *t, enum wire_style style,
			 enum wire_answer_kind kind)
{
	t->asked = true;
	t->failed = kind == WIRE_ANSWER_FAILED;
	if (style != WIRE_STYLE_PAGE || t->failed)
		t->answered =
			kind == WIRE_ANSWER_CODE || kind == WIRE_ANSWER_RECOVERY ||
			kind == WIRE_ANSWER_PASSWORD ||
			(kind == WIRE_ANSWER_EMPTY && style == WIRE_STYLE_OPTIONAL);
}

/* What was typed before rbacd asked; there is nobody for a second question. */
static enum wire_answer_kind ready_answer(const struct exchange *x,
					  enum wire_style style, struct secret *ret)
{
	const struct secret *ready = x->talk->ready;

	if (x->turn != 0 || style == WIRE_STYLE_PAGE)
		return WIRE_ANSWER_FAILED;
	if (ready->len == 0)
		return WIRE_ANSWER_EMPTY;
	*ret = *ready;
	return WIRE_ANSWER_CODE;
}

static enum wire_answer_kind ask(const struct talk *t, const struct wire_prompt *prompt,
				 struct wire_answer *ret)
{
	enum person_token token = t->use_authtok ? PERSON_TOKEN_ONLY
				  : t->try_authtok && prompt->turn == 1
					  ? PERSON_TOKEN_FIRST
					  : PERSON_TOKEN_NONE;

	if (prompt->style == WIRE_STYLE_NEW_PASSWORD)
		return person_ask_password(t->pamh, prompt, token, ret);
	return person_ask(t->pamh, prompt, &ret->text);
}

/* Shows a prompt and sends what came of it. The person's time is not rbacd's. */
static int relay_prompt(struct exchange *x, const struct wire_prompt *prompt)
{
	_cleanup_(wire_answer_done) struct wire_answer answer = {.turn = prompt->turn};
	_cleanup_(answer_frame_done) struct answer_frame frame = {0};
	uint64_t asked_ns = wire_now_ns();
	size_t len;
	int r;

	answer.kind = x->talk->ready ? ready_answer(x, prompt->style, &answer.text)
				     : ask(x->talk, prompt, &answer);
	x->client.deadline_ns += wire_now_ns() - asked_ns;
	judge_answer(x->talk, prompt->style, answer.kind);
	x->turn = prompt->turn;
	memcpy(answer.nonce, x->begin->nonce, sizeof(answer.nonce));
	answer.deadline_ns = x->client.deadline_ns;
	r = wire_encode_answer(&answer, frame.bytes, sizeof(frame.bytes), &len);
	return r == 0 ? wire_client_send(&x->client, frame.bytes, len) : r;
}

static void relay_info(struct exchange *x, const struct wire_prompt *info)
{
	int style = info->style == WIRE_STYLE_ERROR ? PAM_ERROR_MSG : PAM_TEXT_INFO;
	uint64_t told_ns = wire_now_ns();

	if (x->begin->flags & WIRE_FLAG_SILENT)
		return;
	person_tell(x->talk->pamh, style, info->text, info->text_len);
	x->client.deadline_ns += wire_now_ns() - told_ns;
}

/* PROMPT or INFO. */
static int on_message(struct exchange *x, const struct wire_frame *frame)
{
	const bool change = x->begin->op == WIRE_OP_PW_CHANGE;
	struct wire_prompt prompt;

	if (wire_decode_prompt(frame, &prompt) != 0 ||
	    x->n_messages == (change ? MESSAGES_CHANGE : MESSAGES_MAX) ||
	    memcmp(prompt.nonce, x->begin->nonce, sizeof(prompt.nonce)) != 0)
		return -EPROTO;
	x->n_messages++;
	if (prompt.turn == 0) {
		relay_info(x, &prompt);
		return 0;
	}
	/* a new password is asked for where one is changed, and nothing else is */
	if (prompt.turn != x->turn + 1 ||
	    (prompt.style == WIRE_STYLE_NEW_PASSWORD) != change)
		return -EPROTO;
	return relay_prompt(x, &prompt);
}

static int on_result(struct exchange *x, const struct wire_frame *frame,
		     struct wire_result_msg *ret)
{
	struct wire_result_msg m;

	if (wire_decode_result(frame, &m) != 0 || x->client.have != x->client.used ||
	    memcmp(m.nonce, x->begin->nonce, sizeof(m.nonce)) != 0)
		return -EPROTO;
	*ret = m;
	explicit_bzero(&m, sizeof(m));
	return 0;
}

static int follow(struct exchange *x, struct wire_result_msg *ret)
{
	struct wire_frame frame;
	int r;

	for (;;) {
		r = wire_client_recv(&x->client, &frame);
		x->heard |= r == 0 || x->client.have > 0;
		if (r != 0)
			return r;
		if (frame.type == WIRE_RESULT)
			return on_result(x, &frame, ret);
		r = on_message(x, &frame);
		if (r != 0)
			return r;
	}
}

static int attempt(struct exchange *x, uint8_t *buf, struct wire_result_msg *ret)
{
	int r = wire_client_open(&x->client, x->talk->socket, 0, x->begin->deadline_ns,
				 buf, REPLY_MAX);

	if (r != 0)
		return r;
	r = send_begin(x);
	if (r == 0)
		r = follow(x, ret);
	wire_client_close(&x->client);
	return r;
}

int talk_run(struct talk *t, struct wire_begin *begin, struct wire_result_msg *ret)
{
	_cleanup_free_ uint8_t *buf = malloc(REPLY_MAX);
	struct exchange x = {.talk = t, .begin = begin};
	int r;

	if (!buf)
		return -ENOMEM;
	begin->deadline_ns = wire_now_ns() + t->budget_ns;
	r = attempt(&x, buf, ret);
	/* A restart of rbacd closes what it had only just accepted. Not a byte came
	 * back, so the request is made again, once, to the same deadline. */
	if ((r == -ECONNRESET || r == -EPIPE) && !x.heard)
		r = attempt(&x, buf, ret);
	if (r != 0 && t->failed)
		return -ECANCELED;
	return r;
}

const char *talk_problem(int error)
{
	switch (-error) {
	case ENOENT:
		return "its socket is missing (is rbacd running?)";
	case ECONNREFUSED:
		return "connection refused (is rbacd running?)";
	case ETIMEDOUT:
		return "no answer in time";
	case ECONNRESET:
	case EPIPE:
		return "it closed the connection";
	case EPERM:
		return "its socket's folders or its user are not to be trusted";
	case EPROTO:
		return "malformed answer";
	case EINVAL:
		return "the request does not fit the protocol";
	case EMFILE:
	case ENFILE:
		return "no file descriptor is left";
	case EACCES:
		return "permission denied (is the caller root?)";
	default: /* errno is an open set, not an enum */
		return "system error";
	}
}
