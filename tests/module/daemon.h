/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.h - a scripted rbacd: a thread that plays one side of pam.sock, well or badly.
 */
#pragma once

#include <pthread.h>

#include "rbacd/wire/wire.h"

#define DAEMON_ANSWERS_MAX 8
#define DAEMON_CODE	   "123456"
#define DAEMON_PASSWORD	   "correct horse \xc3\xa9"

/* What the daemon does wrong. */
enum daemon_fault {
	DAEMON_HONEST = 0,
	DAEMON_CLOSES,	      /* after BEGIN */
	DAEMON_HANGS,	      /* after BEGIN, until the client closes */
	DAEMON_WRONG_NONCE,   /* in RESULT */
	DAEMON_STALE_RESULT,  /* replays the RESULT of the transaction before */
	DAEMON_PROMPT_NONCE,  /* in PROMPT */
	DAEMON_PROMPT_TURN,   /* PROMPT with turn 2 first */
	DAEMON_GARBAGE,	      /* bytes that are no frame */
	DAEMON_HALF_RESULT,   /* RESULT cut short, then close */
	DAEMON_TWO_RESULTS,   /* two RESULT frames in one write */
	DAEMON_TRAILING_BYTE, /* inside RESULT */
	DAEMON_WRONG_TYPE,    /* an ANSWER toward the client */
	DAEMON_ZERO_RESULT,   /* result 0 */
	DAEMON_NEAR_ALLOW,    /* ALLOW with one bit changed */
	DAEMON_DIES,	      /* closes after the last answer */
};

struct daemon_script {
	enum daemon_fault fault;
	unsigned n_infos;
	unsigned n_prompts;
	enum wire_style styles[4]; /* of the prompts; 0: hidden */
	bool judge; /* ALLOW after DAEMON_CODE or no prompt, else a fitting refusal */
	enum wire_result result; /* without judge */
	const char *text;
	const char *info; /* NULL: "note" */
	bool give_handle;
	bool by_op;	   /* PW_CHECK and PW_CHANGED are NOTED whatever .result */
	bool honest_check; /* no fault there either */
};

/* What it saw of the last transaction. */
struct daemon_seen {
	unsigned n_connections; /* since daemon_script_set() */
	unsigned n_allowed;	/* RESULT ALLOW sent, since then */
	struct wire_begin begin;
	unsigned n_answers;
	struct wire_answer answers[DAEMON_ANSWERS_MAX];
};

struct daemon {
	char dir[64];
	char socket[96];
	int listener;
	pthread_t thread;
	pthread_mutex_t lock;
	struct daemon_script script; /* under lock, as all below */
	struct daemon_seen seen;
	uint8_t last_result[1024];
	size_t last_result_len;
};

extern const uint8_t daemon_handle[WIRE_HANDLE_LEN];

/* daemon_start() - a private folder below /run, a socket, a thread. */
void daemon_start(struct daemon *d);
/* daemon_stop() - ends the thread and removes all of it. */
void daemon_stop(struct daemon *d);
void daemon_script_set(struct daemon *d, const struct daemon_script *script);
struct daemon_seen daemon_seen_get(struct daemon *d);
