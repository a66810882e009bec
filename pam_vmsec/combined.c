/* SPDX-License-Identifier: Apache-2.0 */
/* combined.c - splits one answer into password and code; the only file that hands a
 * password on, and only to libpam. */
#include "pam_vmsec/combined.h"

#include <security/pam_ext.h>
#include <syslog.h>

#include "pam_vmsec/person.h"
#include "pam_vmsec/text.h"

#define DATA_NAME "vmsec_combined"

/* On the handle from split to a verify that was allowed. */
struct combined {
	struct secret code; /* empty: the answer had none, or it was taken */
};

static void combined_free(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status; /* a forked child frees its own copy */
	if (data)
		explicit_bzero(data, sizeof(struct combined));
	free(data);
}

static struct combined *combined_get(pam_handle_t *pamh)
{
	const void *data = NULL;

	if (pam_get_data(pamh, DATA_NAME, &data) != PAM_SUCCESS)
		return NULL;
	return (struct combined *)(uintptr_t)data; /* ours, so not const */
}

/* Moves the last @digits characters into @code; a password must be left. */
static void cut(struct secret *answer, unsigned digits, struct secret *code)
{
	uint8_t *tail;

	if (answer->len <= digits)
		return;
	tail = answer->bytes + answer->len - digits;
	for (unsigned i = 0; i < digits; i++)
		if (tail[i] < '0' || tail[i] > '9')
			return;
	memcpy(code->bytes, tail, digits);
	code->len = digits;
	explicit_bzero(tail, digits);
	answer->len -= digits;
}

int combined_split(pam_handle_t *pamh, unsigned digits)
{
	_cleanup_secret_ struct secret answer = SECRET_INIT;
	struct combined *c;
	int r;

	r = person_ask_whole(pamh, TEXT_COMBINED, &answer);
	if (r != PAM_SUCCESS)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return PAM_BUF_ERR;
	cut(&answer, digits, &c->code);
	if (pam_set_data(pamh, DATA_NAME, c, combined_free) != PAM_SUCCESS) {
		combined_free(pamh, c, 0);
		return PAM_BUF_ERR;
	}
	return pam_set_item(pamh, PAM_AUTHTOK, answer.bytes); /* libpam copies it */
}

bool combined_take(pam_handle_t *pamh, struct secret *ret)
{
	struct combined *c = combined_get(pamh);

	if (!c)
		return false;
	*ret = c->code;
	secret_done(&c->code);
	return true;
}

void combined_done(pam_handle_t *pamh)
{
	(void)pam_set_data(pamh, DATA_NAME, NULL, NULL); /* it is there: replaced */
}

bool combined_waits(pam_handle_t *pamh)
{
	return combined_get(pamh);
}
