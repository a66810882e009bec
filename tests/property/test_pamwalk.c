/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pamwalk.c - random stacks: does pamwalk return what libpam itself returns?
 *
 * Each stack is written to a folder and run by the libpam of this machine with modules
 * that answer a given code; the same files go through pamconf_read(). Also: whatever
 * libpam grants, the walk over all ways has found.
 * Arguments: pam_stage.so [number of stacks].
 */
#include <sched.h>
#include <security/pam_appl.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "rbacd/doctor/pamwalk.h"

#define LINES_MAX 9

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static unsigned draw(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static void put_control(FILE *out)
{
	static const char *const plain[] = {"required", "requisite", "sufficient",
					    "optional", "Required"};
	static const char *const action[] = {"ok",     "done", "bad", "die", "reset",
					     "ignore", "1",    "2",   "3",   "7"};

	if (draw(2) == 0) {
		(void)fputs(plain[draw(ARRAY_SIZE(plain))], out);
		return;
	}
	(void)fputc('[', out);
	for (unsigned n = draw(4); n > 0; n--)
		(void)fprintf(out, "%s=%s ",
			      pamconf_code_name((int)draw(PAMCONF_CODES - 1)),
			      action[draw(ARRAY_SIZE(action))]);
	(void)fprintf(out, "success=%s", action[draw(ARRAY_SIZE(action))]);
	if (draw(3) > 0)
		(void)fprintf(out, " default=%s", action[draw(ARRAY_SIZE(action))]);
	(void)fputs(draw(8) ? "]" : " ]", out);
}

static int draw_code(void)
{
	static const int likely[] = {PAM_SUCCESS,  PAM_SUCCESS,		 PAM_SUCCESS,
				     PAM_AUTH_ERR, PAM_NEW_AUTHTOK_REQD, PAM_IGNORE};

	return draw(5) ? likely[draw(ARRAY_SIZE(likely))]
		       : (int)draw(PAMCONF_CODES - 1);
}

/* One file of lines; deeper ones by @include, include and substack. */
static void put_file(const char *name, const char *module, unsigned depth)
{
	char path[512];
	FILE *out;

	(void)snprintf(path, sizeof(path), "/etc/pam.d/%s", name);
	out = fopen(path, "w");
	if (!out)
		abort();
	for (unsigned n = 1 + draw(depth == 0 ? LINES_MAX : 4); n > 0; n--) {
		char inner[40];

		if (depth < 2 && draw(7) == 0) {
			static const char *const how[] = {"@include", "account include",
							  "account substack"};

			(void)snprintf(inner, sizeof(inner), "%.20s%u", name, n);
			(void)fprintf(out, "%s %s\n", how[draw(ARRAY_SIZE(how))],
				      inner);
			put_file(inner, module, depth + 1);
			continue;
		}
		(void)fputs(draw(6) ? "account " : "-account\t", out);
		put_control(out);
		(void)fprintf(out,
			      draw(9) ? " %s answer=%d\n" : " \\\n %s answer=%d # x\n",
			      module, draw_code());
	}
	if (fclose(out) != 0)
		abort();
}

static int converse(int n, const struct pam_message **msg, struct pam_response **resp,
		    void *arg)
{
	(void)n;
	(void)msg;
	(void)resp;
	(void)arg;
	return PAM_CONV_ERR;
}

static int ask_libpam(void)
{
	const struct pam_conv conv = {converse, NULL};
	pam_handle_t *pamh = NULL;
	int r;

	r = pam_start("s", "nobody", &conv, &pamh);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(pamh, PAM_SILENT);
	if (pamh)
		(void)pam_end(pamh, r);
	return r == PAM_SUCCESS || r == PAM_NEW_AUTHTOK_REQD ? r : PAM_AUTH_ERR;
}

static int ask_us(struct pamwalk *walk, char *shown, size_t cap)
{
	_cleanup_pamconf_ struct pamconf conf = PAMCONF_INIT;
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const struct pamwalk_rules rules = {.type = PAMCONF_ACCOUNT};
	const struct pamconf_stack *s = &conf.stack[PAMCONF_ACCOUNT];
	int codes[PAMCONF_LINES_MAX] = {0};
	size_t used = 0;

	if (pamconf_read("", "s", &conf, &diag) != 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		const char *answer = str_after(s->v[i].args, "answer=");

		codes[i] = answer ? (int)strtol(answer, NULL, 10) : 0;
		used += (size_t)snprintf(shown + used, used < cap ? cap - used : 0,
					 "%u [%s] %d\n", s->v[i].level, s->v[i].control,
					 codes[i]);
		if (used >= cap)
			used = cap - 1;
	}
	if (diags_failed(&diag))
		diags_print(&diag, stdout);
	if (pamwalk_stack(s, &rules, walk) != 0)
		return -1;
	return pamwalk_replay(s, codes, NULL);
}

/* A pam.d of our own, gone with the process. libpam's includes know no other place. */
static bool private_pam_d(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/etc/pam.d", "tmpfs", 0, "mode=0755") == 0;
}

int main(int argc, char **argv)
{
	char shown[4096] = "";
	unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2000;
	unsigned passed = 0, failed = 0, granted = 0;

	if (argc < 2)
		return 2;
	if (!private_pam_d()) {
		printf("SKIP pamwalk: needs root and a mount namespace\n");
		return 0;
	}
	for (unsigned i = 0; i < n && failed < 5; i++) {
		struct pamwalk walk;
		int theirs, ours;

		put_file("s", argv[1], 0);
		theirs = ask_libpam();
		ours = ask_us(&walk, shown, sizeof(shown));
		granted += theirs != PAM_AUTH_ERR;
		/* No line is ours: what libpam grants is a way past us. */
		if (ours == theirs && (theirs == PAM_AUTH_ERR || walk.past.exists)) {
			passed++;
			continue;
		}
		failed++;
		printf("FAILED: libpam %d, ours %d, way %d\n%s\n", theirs, ours,
		       walk.past.exists, shown);
	}
	printf("pamwalk: %u random stacks, %u granted: %u passed, %u failed\n", n,
	       granted, passed, failed);
	return failed || granted < n / 20 ? 1 : 0;
}
