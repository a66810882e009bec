/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaky.c - a PAM module with three faults, each of which valgrind.py must find before
 * it believes that ours has none.
 */
#include <security/pam_modules.h>
#include <stdint.h>
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc,
			       const char **argv);
EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv);

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_AUTH_ERR;
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	volatile char *p = malloc(16), *volatile lost = malloc(24);
	volatile int sum = 0, beyond = 16; /* the compiler is not to know */

	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	if (!p || !lost)
		return PAM_BUF_ERR;
	if (p[3] == 'x') /* never written */
		sum = 1;
	sum += p[beyond];
	free((void *)(uintptr_t)p);
	lost = NULL;
	return sum == 7 ? PAM_BUF_ERR : PAM_PERM_DENIED;
}
