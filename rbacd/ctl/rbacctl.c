/* SPDX-License-Identifier: Apache-2.0 */
/* rbacctl.c - the administrator's command line: parse, run one command, check the
 * output. */

#include <signal.h>
#include <stdio_ext.h>

#include "rbacd/ctl/ctl.h"

int cmd_version(struct ctl *ctl, const struct ctl_args *args)
{
	(void)args;
	if (ctl->json)
		(void)fprintf(ctl->out, "{\"version\": \"%s\"}\n", VMSEC_VERSION);
	else
		(void)fprintf(ctl->out, "rbacctl %s\n",
			      VMSEC_VERSION); /* main checks */
	return CTL_OK;
}

int cmd_completion(struct ctl *ctl, const struct ctl_args *args)
{
	if (str_eq(args->pos[0], "bash"))
		ctl_complete_bash(&ctl_root, ctl->out);
	else
		ctl_complete_zsh(&ctl_root, ctl->out);
	return CTL_OK;
}

/* The one place that reads the environment. */
static void read_environment(struct ctl *ctl)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	ctl->logname = getenv("LOGNAME");
	ctl->draws = term && *term && !str_eq(term, "dumb") && !str_eq(term, "unknown");
	ctl->color = ctl->out_tty && ctl->draws && !ctl->json && !ctl->csv &&
		     !(no_color && *no_color);
}

static int run(struct ctl *ctl, const struct ctl_args *args)
{
	const char *config = ctl_arg(args, "config");

	if (args->help) {
		ctl_help(args, ctl->out);
		return CTL_OK;
	}
	ctl->config_path = config ? config : CONFIG_PATH;
	ctl->json = ctl_arg(args, "json") != NULL;
	ctl->csv = ctl_arg(args, "csv") != NULL;
	ctl->in_tty = isatty(STDIN_FILENO) == 1;
	ctl->out_tty = isatty(STDOUT_FILENO) == 1;
	read_environment(ctl);
	if (ctl->json && ctl->csv)
		return ctl_fail(ctl, CTL_USAGE, "--json and --csv exclude each other.");
	if (ctl->json && ctl_leaf(args)->text_only)
		return ctl_fail(ctl, CTL_USAGE, "%s has no form in JSON.",
				ctl_leaf(args)->name);
	return ctl_leaf(args)->run(ctl, args);
}

int main(int argc, char **argv)
{
	struct ctl ctl = {.in = stdin, .out = stdout, .err = stderr};
	char buffer[BUFSIZ]; /* standard output's, so that it can be wiped */
	struct ctl_args args;
	int code;

	(void)signal(SIGPIPE,
		     SIG_IGN); /* a closed pipe shows up as a write error below */
	(void)setvbuf(stdout, buffer, _IOFBF,
		      sizeof(buffer)); /* else unbuffered: fine */
	code = ctl_parse(&ctl_root, argc, argv, stderr, &args);
	if (code == 0)
		code = run(&ctl, &args);
	/* Programs get JSON also when there was nothing to say but that it failed. */
	if (code != CTL_OK && ctl_arg(&args, "json") && !ctl_arg(&args, "csv") &&
	    __fpending(stdout) == 0 && !ferror(stdout))
		ctl_show_failure(&ctl, code);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)ctl_fail(&ctl, CTL_NO,
			       "the output could not be written: %m"); /* code */
		code = code == CTL_OK ? CTL_NO : code;
	}
	config_free(ctl.config);
	(void)setvbuf(stdout, NULL, _IONBF, 0); /* the buffer ends with this function */
	explicit_bzero(buffer, sizeof(buffer));
	return code;
}
