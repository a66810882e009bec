/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - what somebody who enrols at a login gets to read; fits 80 x 24. */
#pragma once

#include "rbacd/mfa/mfa.h"

#define ENROL_PAGE_MAX 8192

/* All borrowed. */
struct enrol_page {
	const char *login, *vm;
	const char *uri;	    /* otpauth://…; secret */
	const char *optional_until; /* may be put off until then; NULL: may not */
	bool again;		    /* the last answer was not the code */
};

/*
 * enrol_page_picture() - a QR code in half blocks with the key beside it, and the
 * question for a code. Return: 0 and the text in @buf; -EMSGSIZE: it does not fit the
 * screen; negative errno.
 */
_must_check_ int enrol_page_picture(const struct enrol_page *p,
				    char buf[ENROL_PAGE_MAX]);
/* enrol_page_text() - the same in words, for what draws no pictures. -EMSGSIZE. */
_must_check_ int enrol_page_text(const struct enrol_page *p, char buf[ENROL_PAGE_MAX]);
/* enrol_page_codes() - the recovery codes, shown once. -EMSGSIZE. */
_must_check_ int enrol_page_codes(const struct mfa_enrolment *e,
				  char buf[ENROL_PAGE_MAX]);
