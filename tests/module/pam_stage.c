/* SPDX-License-Identifier: Apache-2.0 */
/* pam_stage.c - a module for test stacks: authtok=X sets PAM_AUTHTOK, user=X renames,
 * answer=N returns N, want=X fails unless PAM_AUTHTOK is X. In password lines also
 * old=X sets PAM_OLDAUTHTOK; the first pass does that alone.
 */
#include <security/pam_modules.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static int compare(pam_handle_t *pamh, const char *want)
{
	const void *token = NULL;

	if (pam_get_item(pamh, PAM_AUTHTOK, &token) != PAM_SUCCESS || !token)
		return PAM_AUTHTOK_RECOVERY_ERR;
	return strlen(token) == strlen(want) && memcmp(token, want, strlen(want)) == 0
		       ? PAM_SUCCESS
		       : PAM_AUTH_ERR;
}

static int stage(pam_handle_t *pamh, int argc, const char **argv)
{
	int r = PAM_SUCCESS;

	for (int i = 0; r == PAM_SUCCESS && i < argc; i++) {
		if (memcmp(argv[i], "authtok=", 8) == 0)
			r = pam_set_item(pamh, PAM_AUTHTOK, argv[i] + 8);
		else if (memcmp(argv[i], "user=", 5) == 0)
			r = pam_set_item(pamh, PAM_USER, argv[i] + 5);
		else if (memcmp(argv[i], "want=", 5) == 0)
			r = compare(pamh, argv[i] + 5);
		else if (memcmp(argv[i], "answer=", 7) == 0)
			r = (int)strtol(argv[i] + 7, NULL, 10);
		else
			r = PAM_SYSTEM_ERR;
	}
	return r;
}

EXPORT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc,
			       const char **argv)
{
	(void)flags;
	return stage(pamh, argc, argv);
}

EXPORT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return stage(pamh, argc, argv);
}

EXPORT int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	if (argc == 1 && strncmp(argv[0], "old=", 4) == 0)
		return pam_set_item(pamh, PAM_OLDAUTHTOK, argv[0] + 4);
	if (flags & PAM_PRELIM_CHECK)
		return PAM_SUCCESS;
	return stage(pamh, argc, argv);
}
