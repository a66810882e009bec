/* SPDX-License-Identifier: Apache-2.0 */
/* args.h - the options of a pam_vmsec line in /etc/pam.d. */
#pragma once

#include <security/pam_modules.h>

#include "policy/base.h"

enum args_combined { ARGS_SEPARATE = 0, ARGS_SPLIT, ARGS_VERIFY };

struct args {
	enum args_combined combined; /* combined=split, combined=verify */
	unsigned digits;    /* digits=6 or 8; only with split, and there a must */
	bool first_factor;  /* first_factor=stack */
	bool plain;	    /* enrol=text: the terminal draws no pictures */
	bool use_authtok;   /* password: never ask, a module before us did */
	bool try_authtok;   /* try_first_pass: ask if that one is refused */
	bool confirm;	    /* password: the stack has changed it */
	const char *socket; /* borrowed from argv, or static */
	uint64_t budget_ns; /* longest wait for rbacd in one entry point */
};

/*
 * args_parse() - read the options; an unknown or malformed one is logged by name.
 * Return: 0; -EINVAL.
 */
_must_check_ int args_parse(pam_handle_t *pamh, int argc, const char **argv,
			    struct args *ret);
