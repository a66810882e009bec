/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - the application side of the tests. */
#include "tests/module/host.h"

#include <assert.h>
#include <dirent.h>
#include <poll.h>

#define HUGE_LEN (1u << 20)

const char *host_module;
const char *host_stage;

static char *conv_text(const struct host *h)
{
	unsigned i = h->n_prompts - 1;
	char *p;

	if (i < ARRAY_SIZE(h->answers) && h->answers[i])
		return strdup(h->answers[i]);

	if (h->mode == CONV_NULL_TEXT)
		return NULL;
	if (h->mode != CONV_HUGE)
		return strdup(h->answer ? h->answer : "");
	p = malloc(HUGE_LEN + 1);
	memset(p, '1', HUGE_LEN);
	p[HUGE_LEN] = 0;
	return p;
}

static int conv_prompt(struct host *h, struct pam_response **resp)
{
	h->n_prompts++;
	if (h->cancels &&
	    (h->n_prompts == ARRAY_SIZE(h->answers) || !h->answers[h->n_prompts]))
		return PAM_CONV_ERR;
	switch (h->mode) {
	case CONV_ERR:
	case CONV_NONE:
		return PAM_CONV_ERR;
	case CONV_BUF:
		return PAM_BUF_ERR;
	case CONV_AGAIN:
		return PAM_CONV_AGAIN;
	case CONV_NO_RESP:
		return PAM_SUCCESS;
	case CONV_SLOW:
		(void)usleep(1500000);
		break;
	case CONV_GOOD:
	case CONV_NULL_TEXT:
	case CONV_HUGE:
		break;
	}
	*resp = calloc(1, sizeof(**resp));
	if (!*resp)
		return PAM_BUF_ERR; /* test_faults.c reaches this too */
	(*resp)->resp = conv_text(h);
	return PAM_SUCCESS;
}

static int converse(int n, const struct pam_message **msg, struct pam_response **resp,
		    void *data)
{
	struct host *h = data;

	h->n_calls++;
	h->many |= n != 1;
	(void)snprintf(h->last_text, sizeof(h->last_text), "%s", msg[0]->msg);
	*resp = NULL;
	if (msg[0]->msg_style == PAM_PROMPT_ECHO_OFF ||
	    msg[0]->msg_style == PAM_PROMPT_ECHO_ON) {
		if (msg[0]->msg_style == PAM_PROMPT_ECHO_ON)
			h->echoes |= 1u << h->n_prompts;
		return conv_prompt(h, resp);
	}
	h->n_texts++;
	return PAM_SUCCESS; /* *resp NULL, as sshd does */
}

void host_conf(const struct daemon *d, const char *service, const char *text)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", d->dir, service);
	f = fopen(path, "we");
	assert(f);
	for (; *text; text++) {
		if (text[0] == '%' && text[1] == 'M') {
			(void)fprintf(f, "%s socket=%s", host_module, d->socket);
			text++;
		} else if (text[0] == '%' && text[1] == 'S') {
			(void)fputs(host_stage, f);
			text++;
		} else {
			(void)fputc(*text, f);
		}
	}
	assert(fflush(f) == 0);
}

void host_conf_drop(const struct daemon *d, const char *service)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", d->dir, service);
	(void)unlink(path);
}

pam_handle_t *host_start(const struct daemon *d, const char *service, const char *user,
			 struct host *host)
{
	struct pam_conv conv = {.conv = host->mode == CONV_NONE ? NULL : converse,
				.appdata_ptr = host};
	pam_handle_t *pamh = NULL;

	assert(pam_start_confdir(service, user, &conv, d->dir, &pamh) == PAM_SUCCESS);
	return pamh;
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

unsigned host_count_fds(void)
{
	unsigned least = count_fds();

	/* the daemon's thread closes its end of a connection a moment after ours */
	for (int i = 0; i < 20; i++) {
		unsigned n;

		(void)poll(NULL, 0, 2);
		n = count_fds();
		least = n < least ? n : least;
	}
	return least;
}
