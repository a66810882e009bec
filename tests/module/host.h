/* SPDX-License-Identifier: Apache-2.0 */
/* host.h - a PAM application for tests: a conversation that misbehaves on demand. */
#pragma once

#include <security/pam_appl.h>

#include "tests/module/daemon.h"

enum conv_mode {
	CONV_GOOD = 0, /* answers every prompt with .answer */
	CONV_NONE,     /* no function */
	CONV_ERR,
	CONV_BUF,
	CONV_AGAIN,
	CONV_NO_RESP,	/* PAM_SUCCESS, *resp NULL */
	CONV_NULL_TEXT, /* PAM_SUCCESS, resp[0].resp NULL */
	CONV_HUGE,	/* 1 MiB of digits */
	CONV_SLOW,	/* answers after 1.5 s */
};

struct host {
	enum conv_mode mode;
	const char *answer;
	const char *answers[8]; /* of the prompts, one by one; NULL: .answer */
	bool cancels;		/* the last of .answers fails */
	unsigned echoes;	/* bit i: prompt i was shown with echo */
	unsigned n_calls;
	unsigned n_prompts;
	unsigned n_texts;
	bool many; /* a call with more than one message was seen */
	char last_text[512];
};

extern const char *host_module; /* absolute path of pam_vmsec.so */
extern const char *host_stage;	/* absolute path of pam_stage.so */

/* host_conf() - writes @service of @d's folder; %M and %S stand for the two modules. */
void host_conf(const struct daemon *d, const char *service, const char *text);
void host_conf_drop(const struct daemon *d, const char *service);
/* host_start() - a handle on that service. */
pam_handle_t *host_start(const struct daemon *d, const char *service, const char *user,
			 struct host *host);
/* host_count_fds() - open descriptors once the daemon is idle. */
unsigned host_count_fds(void);
