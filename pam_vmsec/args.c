/* SPDX-License-Identifier: Apache-2.0 */
/* args.c - options; anything not understood refuses the login instead of being skipped.
 */
#include "pam_vmsec/args.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <syslog.h>

#include "pam_vmsec/text.h"

#define NS_PER_S 1000000000u

static const char *value_of(const char *arg, const char *name)
{
	size_t len = strlen(name);

	return strlen(arg) >= len && memcmp(arg, name, len) == 0 ? arg + len : NULL;
}

static bool parse_one(const char *arg, struct args *args)
{
	const struct {
		const char *text;
		bool *on;
	} words[] = {{"first_factor=stack", &args->first_factor},
		     {"enrol=text", &args->plain},
		     {"use_authtok", &args->use_authtok},
		     {"try_first_pass", &args->try_authtok},
		     {"confirm", &args->confirm}};
	const char *v;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(arg, words[i].text)) {
			*words[i].on = true;
			return true;
		}
	if (str_eq(arg, "combined=split") || str_eq(arg, "combined=verify")) {
		args->combined = arg[9] == 's' ? ARGS_SPLIT : ARGS_VERIFY;
		return true;
	}
	if (str_eq(arg, "digits=6") || str_eq(arg, "digits=8")) {
		args->digits = (unsigned)(arg[7] - '0');
		return true;
	}
	v = value_of(arg, "socket=");
	if (v) {
		args->socket = v;
		return v[0] == '/';
	}
	v = value_of(arg, "timeout=");
	if (!v || v[0] < '1' || v[0] > '5' || v[1])
		return false;
	args->budget_ns = (uint64_t)(v[0] - '0') * NS_PER_S;
	return true;
}

int args_parse(pam_handle_t *pamh, int argc, const char **argv, struct args *ret)
{
	struct args args = {.socket = VMSEC_RUNDIR "/pam/pam.sock",
			    .budget_ns = (uint64_t)5 * NS_PER_S};
	char shown[TEXT_LOG_MAX];

	for (int i = 0; i < argc; i++) {
		if (parse_one(argv[i], &args))
			continue;
		text_escape(shown, argv[i]);
		pam_syslog(pamh, LOG_ERR, "bad option '%s': refusing", shown);
		return -EINVAL;
	}
	if ((args.combined == ARGS_SPLIT) != (args.digits != 0)) {
		pam_syslog(pamh, LOG_ERR,
			   "combined=split and digits= need each other: refusing");
		return -EINVAL;
	}
	*ret = args;
	return 0;
}
