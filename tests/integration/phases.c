/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phases.c - a caller like cron, systemd-user or a broken host: runs the PAM phases
 * named on its command line and prints what each returned. It never gives a
 * conversation.
 *
 * usage: phases SERVICE USER [KEY=VALUE]... PHASE...
 *   KEY: tty ruser rhost, or the name of a PAM environment variable in capitals
 *   PHASE: auth account cred open close
 */
#include <ctype.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int no_conversation(int n, const struct pam_message **msg,
			   struct pam_response **resp, void *data)
{
	(void)n;
	(void)msg;
	(void)resp;
	(void)data;
	return PAM_CONV_ERR;
}

static int set_item(pam_handle_t *h, const char *arg)
{
	static const struct {
		const char *name;
		int item;
	} items[] = {{"tty=", PAM_TTY}, {"ruser=", PAM_RUSER}, {"rhost=", PAM_RHOST}};

	if (isupper((unsigned char)*arg))
		return pam_putenv(h, arg);
	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
		size_t n = strlen(items[i].name);

		if (strncmp(arg, items[i].name, n) == 0)
			return pam_set_item(h, items[i].item, arg + n);
	}
	return PAM_BAD_ITEM;
}

static int run_phase(pam_handle_t *h, const char *phase)
{
	if (strcmp(phase, "auth") == 0)
		return pam_authenticate(h, 0);
	if (strcmp(phase, "account") == 0)
		return pam_acct_mgmt(h, 0);
	if (strcmp(phase, "cred") == 0)
		return pam_setcred(h, PAM_ESTABLISH_CRED);
	if (strcmp(phase, "open") == 0)
		return pam_open_session(h, 0);
	if (strcmp(phase, "close") == 0)
		return pam_close_session(h, 0);
	return PAM_SYSTEM_ERR;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	struct pam_conv conv = {.conv = no_conversation};
	pam_handle_t *h = NULL;
	int rc = PAM_SYSTEM_ERR;

	if (argc < 4 || pam_start(argv[1], argv[2], &conv, &h) != PAM_SUCCESS)
		return 2;
	for (int i = 3; i < argc; i++) {
		struct timespec start;

		if (strchr(argv[i], '=')) {
			if (set_item(h, argv[i]) != PAM_SUCCESS)
				return 2;
			continue;
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &start);
		rc = run_phase(h, argv[i]);
		printf("%s %d %.3f %s\n", argv[i], rc, seconds_since(&start),
		       pam_strerror(h, rc));
	}
	(void)pam_end(h, rc);
	return rc == PAM_SUCCESS ? 0 : 1;
}
