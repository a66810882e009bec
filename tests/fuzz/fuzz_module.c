/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_module.c - the six entry points between a libPAM and a machine of our own
 * (kernel.c) and a rbacd that the input leads (peer.c). PAM_SUCCESS from auth,
 * account or chauthtok only when rbacd really said so, to this transaction, with
 * nothing broken on the way.
 */
#include <assert.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdarg.h>

#include "tests/fuzz/kernel.h"
#include "tests/fuzz/peer.h"

#define BUDGET_NS    (5 * UINT64_C(1000000000))
#define SESSION_NS   (1 * UINT64_C(1000000000))
#define SLACK_NS     (100 * UINT64_C(1000000))
#define CODE	     "123456"
#define CALLS_MAX    8
#define STRANGE_FLAG 0x100
/* Of RESULT, as the protocol's page has them. */
#define NEW_PASSWORD 5
#define NOTED	     7
#define ALLOW	     0x35c3691e

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum call {
	AUTH,
	ACCOUNT,
	OPEN,
	CLOSE,
	SETCRED,
	CHAUTHTOK, /* with neither pass or with both: no call that libpam makes */
	CHANGE_USER,
	CALLS,
	/* auth with combined=split, and with combined=verify */
	SPLIT,
	VERIFY,
	/* chauthtok: first pass, second pass, second pass of the line with confirm */
	PW_CHECK,
	PW_CHANGE,
	PW_CONFIRM
};

struct pam_handle {
	const char *service, *authtok, *ruser, *tty, *rhost, *ssh_connection;
	char *user;	 /* owned */
	char *auth_info; /* owned */
	char vmsec_id[64];
	struct pam_conv conv;
	char *split_authtok; /* owned: what the module made PAM_AUTHTOK, or NULL */
	struct slot {
		void *data;
		void (*cleanup)(pam_handle_t *, void *, int);
	} slots[3]; /* the transaction, the split answer, the ticket of a change */
};

static struct {
	struct input in;
	struct pam_handle pam;
	bool bad_args, verifying, changing;
	char *auth_user; /* owned: whom the last auth accepted; NULL: nobody */
} t;

/* ------------------------------------------------------------- libpam */

int pam_get_item(const pam_handle_t *pamh, int item, const void **ret)
{
	const void *v = NULL;

	if (kernel_fault())
		return PAM_SYSTEM_ERR;
	if (item == PAM_SERVICE)
		v = pamh->service;
	else if (item == PAM_USER)
		v = pamh->user;
	else if (item == PAM_RUSER)
		v = pamh->ruser;
	else if (item == PAM_TTY)
		v = pamh->tty;
	else if (item == PAM_RHOST)
		v = pamh->rhost;
	else if (item == PAM_AUTHTOK)
		v = pamh->authtok;
	else if (item == PAM_OLDAUTHTOK && t.changing)
		v = "hunter2-old";
	else if (item == PAM_CONV)
		v = &pamh->conv;
	else
		abort(); /* an item that is none of the module's business */
	*ret = v;
	return PAM_SUCCESS;
}

int pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	assert(!prompt);
	if (kernel_fault())
		return kernel_random() % 2 ? PAM_BUF_ERR : PAM_CONV_ERR;
	if (!pamh->user) {
		assert(pamh->conv.conv); /* libpam would call it */
		return PAM_CONV_ERR;
	}
	*user = pamh->user;
	return PAM_SUCCESS;
}

const char *pam_getenv(pam_handle_t *pamh, const char *name)
{
	if (strcmp(name, "SSH_CONNECTION") == 0)
		return pamh->ssh_connection;
	if (strcmp(name, "SSH_AUTH_INFO_0") == 0)
		return pamh->auth_info;
	assert(strcmp(name, "VMSEC_ID") == 0);
	return pamh->vmsec_id[0] ? pamh->vmsec_id : NULL;
}

int pam_putenv(pam_handle_t *pamh, const char *text)
{
	assert(strncmp(text, "VMSEC_ID=", 9) == 0);
	assert(strlen(text) < sizeof(pamh->vmsec_id));
	if (kernel_fault())
		return PAM_BUF_ERR;
	memcpy(pamh->vmsec_id, text + 9, strlen(text + 9) + 1);
	return PAM_SUCCESS;
}

static unsigned slot_of(const char *name)
{
	if (strcmp(name, "vmsec_combined") == 0)
		return 1;
	if (strcmp(name, "vmsec_new_password") == 0)
		return 2;
	assert(strcmp(name, "vmsec_transaction") == 0);
	return 0;
}

static void slot_set(pam_handle_t *pamh, unsigned i, void *data,
		     void (*cleanup)(pam_handle_t *, void *, int))
{
	struct slot *s = &pamh->slots[i];

	if (s->cleanup)
		s->cleanup(pamh, s->data, PAM_DATA_REPLACE);
	*s = (struct slot){data, cleanup};
}

int pam_set_data(pam_handle_t *pamh, const char *name, void *data,
		 void (*cleanup)(pam_handle_t *, void *, int))
{
	if (data && kernel_fault()) {
		kernel.n_fatal++;
		return PAM_BUF_ERR;
	}
	slot_set(pamh, slot_of(name), data, cleanup);
	return PAM_SUCCESS;
}

/* libpam fails here only where there is nothing; the split's mark must be seen. */
int pam_get_data(const pam_handle_t *pamh, const char *name, const void **ret)
{
	unsigned i = slot_of(name);

	if (!pamh->slots[i].data || (i != 1 && kernel_fault()))
		return PAM_NO_MODULE_DATA;
	*ret = pamh->slots[i].data;
	return PAM_SUCCESS;
}

int pam_set_item(pam_handle_t *pamh, int item, const void *value)
{
	assert(item == PAM_AUTHTOK && (value || t.changing));
	if (kernel_fault())
		return PAM_BUF_ERR;
	free(pamh->split_authtok);
	pamh->split_authtok = value ? strdup(value) : NULL;
	pamh->authtok = pamh->split_authtok;
	return PAM_SUCCESS;
}

void pam_syslog(const pam_handle_t *pamh, int priority, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	assert(pamh && priority >= 0);
	va_start(ap, fmt);
	assert(vsnprintf(text, sizeof(text), fmt, ap) < (int)sizeof(text));
	va_end(ap);
	for (const char *p = text; *p; p++)
		assert(*p >= 0x20 && *p < 0x7f);
	assert(!strstr(text, "hunter2"));
}

/* ------------------------------------------------------------- the person */

static char *answer_text(struct input *in, uint8_t mode)
{
	char text[64];
	char *huge;

	if (mode == 7) /* for combined=split */
		return strdup("hunter2 split" CODE);
	if (mode == 1 && t.pam.authtok) {
		peer.typed_password = true;
		return strdup(t.pam.authtok);
	}
	if (mode == 2) {
		text[input_bytes(in, text, sizeof(text) - 1)] = 0;
		peer.typed_password = t.pam.authtok && strcmp(text, t.pam.authtok) == 0;
		return strdup(text);
	}
	if (mode == 3) {
		huge = calloc(1, 100001);
		assert(huge);
		memset(huge, '7', 100000);
		return huge;
	}
	peer.typed_password = t.pam.authtok && strcmp(CODE, t.pam.authtok) == 0;
	return strdup(CODE);
}

/* The host may do what it likes with its items while the module waits for it. */
static void swap_user(void)
{
	free(t.pam.user);
	t.pam.user = strdup("mallory");
}

static int converse(int n, const struct pam_message **msg, struct pam_response **resp,
		    void *data)
{
	uint8_t b = input_byte(&t.in), mode = b % 8;
	bool asks = msg[0]->msg_style == PAM_PROMPT_ECHO_OFF ||
		    msg[0]->msg_style == PAM_PROMPT_ECHO_ON;

	assert(n == 1 && data == &t && !(t.verifying && asks));
	peer.typed_password = false;
	for (const char *p = msg[0]->msg; *p; p++)
		assert((unsigned char)*p >= 0x20 ? *p != 0x7f : *p == '\n');
	kernel.now_ns += (uint64_t)b * 100000000; /* up to 25 s of thought */
	if (b == 0xff)
		swap_user();
	*resp = NULL;
	if (mode == 4 || !asks)
		return mode == 4 ? PAM_CONV_ERR : PAM_SUCCESS;
	if (mode == 5)
		return PAM_SUCCESS; /* and no answer */
	*resp = calloc(1, sizeof(**resp));
	assert(*resp);
	if (mode != 6)
		(*resp)->resp = answer_text(&t.in, mode);
	return PAM_SUCCESS;
}

/* ------------------------------------------------------------- the calls */

/* The manual names it. */
static bool has_code(const int *codes, size_t n, int code)
{
	for (size_t i = 0; i < n; i++)
		if (code == codes[i])
			return true;
	return false;
}

static void check_code(enum call call, int code)
{
	static const int auth[] = {PAM_SUCCESS,	    PAM_AUTH_ERR,	  PAM_MAXTRIES,
				   PAM_PERM_DENIED, PAM_AUTHINFO_UNAVAIL, PAM_CONV_ERR,
				   PAM_BUF_ERR,	    PAM_SYSTEM_ERR};
	static const int password[] = {PAM_SUCCESS,   PAM_AUTHTOK_ERR, PAM_PERM_DENIED,
				       PAM_TRY_AGAIN, PAM_SERVICE_ERR, PAM_CONV_ERR,
				       PAM_BUF_ERR,   PAM_SYSTEM_ERR};

	if (call == CHAUTHTOK)
		assert(code == PAM_SERVICE_ERR);
	if (call >= PW_CHECK) {
		assert(has_code(password, ARRAY_SIZE(password), code));
		return;
	}
	if (call == ACCOUNT && code == PAM_NEW_AUTHTOK_REQD)
		return;
	if (call == SPLIT)
		assert(!kernel.connected && code != PAM_MAXTRIES &&
		       code != PAM_PERM_DENIED);
	if (call == OPEN || call == CLOSE || call == SETCRED)
		assert(code == PAM_SUCCESS);
	if (call != AUTH && call != ACCOUNT && call != SPLIT && call != VERIFY)
		return;
	assert(has_code(auth, ARRAY_SIZE(auth), code));
}

/* What a grant needs; each of these is enough to refuse. */
static void check_grant(int flags, uint32_t result)
{
	assert(!t.bad_args && (flags & STRANGE_FLAG) == 0);
	assert(kernel.connected && kernel.n_fatal == 0);
	assert(kernel.server_uid == 0 && kernel.folder_uid == 0);
	assert(S_ISDIR(kernel.folder_mode) && (kernel.folder_mode & 022) == 0);
	assert(peer_said(result));
	assert(peer.n_answers == 0 || peer.answered);
}

/* Nothing failed, everything is in order and rbacd says yes at once. */
static bool must_grant(enum call call, int flags, bool split)
{
	if ((call == ACCOUNT && split) || (call == VERIFY && !split))
		return false;
	return !t.bad_args && (flags & STRANGE_FLAG) == 0 && kernel.n_faults == 0 &&
	       kernel.connected && kernel.server_uid == 0 && peer.plain_allow &&
	       peer.n_given == peer.n_out &&
	       (call != ACCOUNT || !t.auth_user || str_eq(t.auth_user, t.pam.user));
}

static void check_begin(enum call call, const char *user)
{
	if (!peer.begun)
		return;
	assert(peer.begin.op == (call >= PW_CHECK ? (enum wire_op)(call - PW_CHECK + 6)
				 : call == VERIFY ? WIRE_OP_AUTH
						  : (enum wire_op)(call + 1)));
	assert(strcmp(peer.begin.user, user) == 0);
	if (peer.begin.has_handle)
		assert(call == PW_CONFIRM ||
		       (call == ACCOUNT && t.auth_user && str_eq(t.auth_user, user)));
}

static int enter(enum call call, int flags, int argc, const char **argv)
{
	switch (call) {
	case SPLIT:
		argv[argc++] = "combined=split";
		argv[argc++] = "digits=6";
		return pam_sm_authenticate(&t.pam, flags, argc, argv);
	case VERIFY:
		argv[argc++] = "combined=verify";
		return pam_sm_authenticate(&t.pam, flags, argc, argv);
	case AUTH:
		return pam_sm_authenticate(&t.pam, flags, argc, argv);
	case ACCOUNT:
		return pam_sm_acct_mgmt(&t.pam, flags, argc, argv);
	case OPEN:
		return pam_sm_open_session(&t.pam, flags, argc, argv);
	case CLOSE:
		return pam_sm_close_session(&t.pam, flags, argc, argv);
	case SETCRED:
		return pam_sm_setcred(&t.pam, flags, argc, argv);
	case PW_CONFIRM:
		argv[argc++] = "confirm";
		return pam_sm_chauthtok(&t.pam, flags | PAM_UPDATE_AUTHTOK, argc, argv);
	case PW_CHANGE:
		if (input_byte(&t.in) % 4 == 0)
			argv[argc++] = "use_authtok";
		else if (input_byte(&t.in) % 4 == 0)
			argv[argc++] = "try_first_pass";
		return pam_sm_chauthtok(&t.pam, flags | PAM_UPDATE_AUTHTOK, argc, argv);
	case PW_CHECK:
		return pam_sm_chauthtok(&t.pam, flags | PAM_PRELIM_CHECK, argc, argv);
	case CHAUTHTOK:
		if (input_byte(&t.in) % 2)
			flags |= PAM_PRELIM_CHECK | PAM_UPDATE_AUTHTOK;
		break;
	case CHANGE_USER:
	case CALLS:
		break;
	}
	return pam_sm_chauthtok(&t.pam, flags, argc, argv);
}

/* What a change or its confirmation rests on, and what it leaves behind. */
static void check_change(enum call call, int flags, int code, bool had_ticket)
{
	bool ticket = t.pam.slots[2].data;

	if (call == PW_CONFIRM) /* a ticket is good for one */
		assert(!ticket || !kernel.connected);
	if (call == PW_CHANGE && code == PAM_SUCCESS)
		assert(ticket && peer.answered && t.pam.authtok);
	/* nobody behind us may use what was refused */
	if (call == PW_CHANGE && code != PAM_SUCCESS && kernel.connected &&
	    kernel.n_faults == 0)
		assert(!t.pam.authtok && !ticket);
	if (call == PW_CONFIRM && code == PAM_SUCCESS)
		assert(had_ticket && peer.begin.has_handle);
	if (code == PAM_SUCCESS)
		check_grant(flags, call == PW_CHANGE ? ALLOW : NOTED);
}

static void one_call(enum call call, int flags, int argc, const char **argv)
{
	_cleanup_free_ char *user = strdup(t.pam.user ? t.pam.user : "");
	bool split = t.pam.slots[1].data, ticket = t.pam.slots[2].data;
	int code;

	t.verifying = call == VERIFY;
	t.changing = call >= PW_CHECK;
	peer.typed_password = false;
	kernel_entry();
	code = enter(call, flags, argc, argv);
	check_code(call, code);
	if (kernel.connected)
		check_begin(call, user);
	assert(kernel.waited_ns <=
	       (call == OPEN || call == CLOSE ? SESSION_NS : BUDGET_NS) + SLACK_NS);
	t.verifying = false;
	if (call >= PW_CHECK)
		check_change(call, flags, code, ticket);
	if (call != AUTH && call != ACCOUNT && call != VERIFY)
		return;
	if (code == PAM_NEW_AUTHTOK_REQD) {
		check_grant(flags, NEW_PASSWORD);
		assert(call == ACCOUNT && !t.pam.slots[1].data);
	} else if (code == PAM_SUCCESS) {
		check_grant(flags, ALLOW);
		/* split, and not verified: account refuses */
		assert(call == AUTH || split == (call == VERIFY));
		assert(call == AUTH || !t.pam.slots[1].data);
	} else {
		assert(!must_grant(call, flags, split));
	}
	if (call != ACCOUNT) {
		free(t.auth_user);
		t.auth_user = code == PAM_SUCCESS ? STEAL(user) : NULL;
	}
}

/* ------------------------------------------------------------- one input */

static int set_args(const char **argv, uint8_t b)
{
	static const char *const good[] = {"first_factor=stack", "timeout=5",
					   "socket=/run/rbacd/pam/other.sock"};
	static const char *const bad[] = {"timeout=0", "timeout=55", "socket=rbacd",
					  "alwaysok", "first_factor"};
	int n = 0;

	for (int i = 0; i < 3; i++)
		if (b & 1 << i)
			argv[n++] = good[i];
	t.bad_args = b >= 0xf0;
	if (t.bad_args)
		argv[n++] = bad[b % 5];
	return n;
}

static void set_person(uint8_t b)
{
	static const char *const users[] = {"alice", "root", "", "al\x1b[2Jice\n"};
	static const char *const authtoks[] = {NULL, "hunter2-password", CODE,
					       "ABCDEFGHIJKLMNOP"};
	char text[4096];

	t.pam.service = b & 1 ? "sshd" : "login";
	t.pam.user = b & 2 ? strdup(users[b / 4 % 4]) : strdup("alice");
	if (b == 0xff) { /* none at all */
		free(t.pam.user);
		t.pam.user = NULL;
	}
	t.pam.authtok = authtoks[b / 16 % 4];
	t.pam.ruser = b & 4 ? "bob" : NULL;
	t.pam.tty = b & 8 ? "/dev/pts/3" : NULL;
	t.pam.rhost = b & 16 ? "host.example" : NULL;
	t.pam.ssh_connection = b & 32 ? "192.0.2.1 5 192.0.2.2 22" : NULL;
	if (b & 64) {
		size_t n = input_bytes(&t.in, text, 255), len = n * 15;

		for (size_t i = n; i < len; i++)
			text[i] = text[i - n];
		text[len] = 0;
		t.pam.auth_info = strdup(text);
	}
}

static void set_machine(uint8_t b)
{
	static const unsigned rates[] = {0, 0, 0, 400, 400, 400, 50, 8};

	kernel = (struct kernel){.one_in = rates[b % 8],
				 .rng = 0x9e3779b97f4a7c15,
				 .first_fd = b & 8 ? 0 : 3,
				 .now_ns = 1000000000,
				 .folder_mode = S_IFDIR | 0755};
	for (int i = 0; i < 4; i++)
		kernel.rng ^= (uint64_t)input_byte(&t.in) << 8 * i;
	if (b >= 0xf0)
		kernel.folder_mode |= b & 16 ? 0002 : 0020;
	else if (b >= 0xe0)
		kernel.folder_uid = 1000;
	else if (b >= 0xd0)
		kernel.server_uid = 1000;
	else if (b >= 0xc0)
		kernel.folder_mode = S_IFLNK | 0777;
}

static void change_user(void)
{
	free(t.pam.user);
	t.pam.user = strdup(input_byte(&t.in) % 2 ? "alice" : "bob");
}

static void end(void)
{
	slot_set(&t.pam, 0, NULL, NULL);
	slot_set(&t.pam, 1, NULL, NULL);
	slot_set(&t.pam, 2, NULL, NULL);
	free(t.pam.split_authtok);
	free(t.pam.user);
	free(t.pam.auth_info);
	free(t.auth_user);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *argv[6];
	int argc, flags;
	uint8_t b;

	memset(&t, 0, sizeof(t));
	t.in = (struct input){data, size};
	peer_start(&t.in);
	argc = set_args(argv, input_byte(&t.in));
	set_machine(input_byte(&t.in));
	b = input_byte(&t.in);
	flags = b & 1 ? PAM_SILENT : 0;
	flags |= b & 2 ? PAM_DISALLOW_NULL_AUTHTOK : 0;
	flags |= b >= 0xf0 ? STRANGE_FLAG : 0;
	if (b % 32 != 31)
		t.pam.conv = (struct pam_conv){converse, &t};
	set_person(input_byte(&t.in));
	for (int i = 0; i < CALLS_MAX && t.in.n > 0; i++) {
		uint8_t c = input_byte(&t.in);
		enum call call = c >= 0xf0   ? (c & 1 ? VERIFY : SPLIT)
				 : c >= 0xb0 ? PW_CHECK + c % 3
					     : c % CALLS;

		if (call == CHANGE_USER)
			change_user();
		else
			one_call(call, flags, argc, argv);
	}
	end();
	return 0;
}
