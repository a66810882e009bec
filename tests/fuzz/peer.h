/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer.h - the other end of the module's connection, led by the fuzzer's input: honest,
 * hostile or silent. It keeps what it was sent and what it gave, for the test to judge.
 */
#pragma once

#include "rbacd/wire/wire.h"

/* The input, eaten byte by byte; 0 when nothing is left. */
struct input {
	const uint8_t *p;
	size_t n;
};
uint8_t input_byte(struct input *in);
size_t input_bytes(struct input *in, void *buf, size_t max); /* a count, then bytes */

struct peer {
	struct input *in; /* borrowed */
	bool begun;
	struct wire_begin begin;
	uint8_t old_nonce[WIRE_NONCE_LEN]; /* of the transaction before */
	uint32_t turn;			   /* of the last prompt given */
	uint32_t n_answers;
	bool answered;	     /* the last question, so that ALLOW may follow */
	bool typed_password; /* the last thing that the person typed is PAM_AUTHTOK */
	bool plain_allow;    /* the first thing given is ALLOW, and nothing else */
	bool closed;
	int wakes_ms; /* -1: never */
	size_t chunk; /* most bytes given at once; 0: all */
	unsigned n_steps;
	size_t n_got, n_out, n_given; /* bytes of the buffers in use */
	uint8_t got[8192];
	uint8_t out[2 * WIRE_FRAME_MAX]; /* everything ever given or waiting */
};

extern struct peer peer;

void peer_start(struct input *in);
void peer_accept(void);
void peer_take(const void *buf, size_t len);
bool peer_ready(void);
size_t peer_give(void *buf, size_t len);
int peer_wakes_ms(void);
void peer_wake(void);
/* peer_said() - what was given is: whole frames, the first RESULT among them @result
 * with the right nonce. Reads the bytes by itself, without rbacd/wire. */
bool peer_said(uint32_t result);
