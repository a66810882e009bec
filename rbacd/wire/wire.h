/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - the protocol between vmsec's processes. This header IS the specification.
 *
 * Transport: AF_UNIX SOCK_STREAM. One connection carries one PAM entry point, one admin
 * call, or (dir.sock) the life of rbacd-dir. Numbers are big endian.
 *
 *   frame  := u32 length | u8 version = 1 | u8 type | u16 zero | field*
 *             length counts everything after itself: 4 .. WIRE_FRAME_MAX - 4, so that a
 *             whole frame fits a buffer of WIRE_FRAME_MAX bytes
 *   field  := u16 tag | u16 length | length bytes
 *
 * Fields of a frame come in ascending tag order; only tags marked "list" repeat. A
 * field that the frame's type does not know, a missing required field, a wrong length,
 * a NUL in text, or a byte left over makes the whole frame invalid and ends the
 * connection. A list is repeated fields, never joined text.
 *
 * Authority is SO_PEERCRED taken at accept; no field names the caller.
 */
#pragma once

#include <stdint.h>

#include "policy/base.h"

#define WIRE_VERSION	    1
#define WIRE_FRAME_MAX	    65536 /* toward clients, and from rbacd-dir */
#define WIRE_FRAME_MAX_IN   4096  /* toward rbacd on pam.sock, admin.sock, user.sock */
#define WIRE_HEADER_LEN	    8	  /* with the length itself */
#define WIRE_NONCE_LEN	    16
#define WIRE_HANDLE_LEN	    16
#define WIRE_NAME_MAX	    255 /* raw user names; a valid login is at most 64 */
#define WIRE_SERVICE_MAX    64
#define WIRE_TTY_MAX	    64
#define WIRE_RHOST_MAX	    255
#define WIRE_SSH_CONN_MAX   128
#define WIRE_AUTH_INFO_MAX  2048
#define WIRE_TEXT_MAX	    16384 /* a prompt with a QR code */
#define WIRE_ID_MAX	    32
#define WIRE_ANSWER_MAX	    64
#define WIRE_ARG_MAX	    1024
#define WIRE_ROW_FIELDS_MAX 64

/*
 * pam.sock. The module speaks first and the daemon drives:
 *
 *   module                         rbacd
 *   BEGIN                     ->
 *                             <-   INFO*            (text for the person; no answer)
 *                             <-   PROMPT           (turn 1, 2, …)
 *   ANSWER                    ->
 *                             <-   RESULT           (exactly one, then close)
 *
 * The nonce of BEGIN comes back in every frame of the transaction; a frame with another
 * nonce or turn is invalid. Deadlines are CLOCK_MONOTONIC nanoseconds of the same host;
 * rbacd drops a request whose deadline has passed, uncounted.
 *
 * admin.sock, user.sock:   CALL -> ROW* END
 * dir.sock (rbacd-dir connects): HELLO -> ; <- SNAPSHOT(fd) (the last ones, source
 *                                ldap), TARGETS(fd), LOOKUP, ORDER ; -> SNAPSHOT(fd),
 *                                ACCOUNT, PROBLEM, FACTS, NOTICE, CLOCK in any order
 */
enum wire_type {
	WIRE_BEGIN = 1,
	WIRE_ANSWER = 2,
	WIRE_PROMPT = 3,
	WIRE_INFO = 4,
	WIRE_RESULT = 5,
	WIRE_CALL = 16,
	WIRE_ROW = 17,
	WIRE_END = 18,
	WIRE_HELLO = 32,
	WIRE_TARGETS = 33,
	WIRE_SNAPSHOT = 34,
	WIRE_LOOKUP = 35,
	WIRE_ACCOUNT = 36,
	WIRE_PROBLEM = 37,
	WIRE_FACTS = 38,  /* ARG*: how following goes, for status */
	WIRE_NOTICE = 39, /* VERB event, one ARG "text=…": for the audit log */
	WIRE_ORDER = 40,  /* VERB: accept, reject */
	WIRE_CLOCK = 41,  /* STATE: 1 the kernel says that it is synchronised, 2 not */
};

/* Which pam_sm_* entry point asks. */
enum wire_op {
	WIRE_OP_AUTH = 1,
	WIRE_OP_ACCOUNT = 2,
	WIRE_OP_OPEN = 3,      /* session opened: a report, neither grants nor denies */
	WIRE_OP_CLOSE = 4,     /* session closed: a report */
	WIRE_OP_CRED = 5,      /* setcred: a report; not sent at present */
	WIRE_OP_PW_CHECK = 6,  /* chauthtok, first pass: may it be changed now? */
	WIRE_OP_PW_CHANGE = 7, /* second pass: is the new password good enough? */
	WIRE_OP_PW_CHANGED =
		8, /* argument confirm: it was changed; HANDLE of PW_CHANGE */
};

/* Bits of wire_begin.flags. Unknown bits make the frame invalid. */
enum wire_flag {
	WIRE_FLAG_SILENT = 1u << 0,	     /* PAM_SILENT */
	WIRE_FLAG_NO_NULL_AUTHTOK = 1u << 1, /* PAM_DISALLOW_NULL_AUTHTOK */
	WIRE_FLAG_FIRST_FACTOR = 1u << 2,    /* argument first_factor=stack */
	WIRE_FLAG_CAN_PROMPT = 1u << 3,	     /* the host gave a conversation function */
	WIRE_FLAG_RESCUE =
		1u << 4,	   /* OPEN: a session whose account phase on this handle
				      never asked us (rescue line): raises the alert */
	WIRE_FLAG_PLAIN = 1u << 5, /* argument enrol=text: no pictures, words */
	WIRE_FLAG_EXPIRED = 1u << 6, /* PAM_CHANGE_EXPIRED_AUTHTOK: a forced change */
	WIRE_FLAG_TOKEN = 1u << 7,   /* use_authtok: a module before asked for it */
};

/* What became of the prompt. Only CODE, RECOVERY and PASSWORD carry text. */
enum wire_answer_kind {
	WIRE_ANSWER_CODE = 1, /* 6 or 8 digits, normalised */
	WIRE_ANSWER_RECOVERY =
		2, /* 16 characters of A-Z2-7, normalised, check char right */
	WIRE_ANSWER_BLIND = 3,	/* equals PAM_AUTHTOK or fits no grammar; never sent.
				   NEW_PASSWORD: typed twice, not the same */
	WIRE_ANSWER_EMPTY = 4,	/* nothing typed */
	WIRE_ANSWER_FAILED = 5, /* the conversation failed or was cancelled */
	WIRE_ANSWER_PASSWORD =
		6, /* to NEW_PASSWORD alone: the new one, and OLD if known */
};

enum wire_style {
	WIRE_STYLE_HIDDEN = 1,	/* PAM_PROMPT_ECHO_OFF */
	WIRE_STYLE_VISIBLE = 2, /* PAM_PROMPT_ECHO_ON */
	WIRE_STYLE_TEXT = 3,	/* INFO: PAM_TEXT_INFO */
	WIRE_STYLE_ERROR = 4,	/* INFO: PAM_ERROR_MSG */
	/* PROMPT, PAM_PROMPT_ECHO_OFF: an empty answer is one; ALLOW may follow it */
	WIRE_STYLE_OPTIONAL = 5,
	/* PROMPT, PAM_PROMPT_ECHO_ON: a page to read; what is typed is dropped and sent
	 * as EMPTY. It answers no question: ALLOW needs a code that came before it. */
	WIRE_STYLE_PAGE = 6,
	WIRE_STYLE_NEW_PASSWORD = 7, /* PW_CHANGE: PAM_AUTHTOK, or asked for twice */
};

/*
 * RESULT codes. Zero and unknown values deny; ALLOW is not reachable by a flipped bit.
 * pam_vmsec maps them through its one table.
 */
enum wire_result {
	WIRE_RESULT_NONE = 0,
	WIRE_RESULT_AUTH_FAILED = 1,  /* PAM_AUTH_ERR */
	WIRE_RESULT_LOCKED = 2,	      /* PAM_MAXTRIES; first factor proven only */
	WIRE_RESULT_FORBIDDEN = 3,    /* PAM_PERM_DENIED */
	WIRE_RESULT_UNAVAILABLE = 4,  /* PAM_AUTHINFO_UNAVAIL */
	WIRE_RESULT_NEW_PASSWORD = 5, /* PAM_NEW_AUTHTOK_REQD; ACCOUNT: a grant */
	WIRE_RESULT_CONV_FAILED = 6,  /* PAM_CONV_ERR */
	WIRE_RESULT_NOTED =
		7, /* OPEN, CLOSE, CRED, PW_CHANGED: recorded; PW_CHECK: go on */
	WIRE_RESULT_ALLOW = (int32_t)0x35c3691e,
};

/* Field tags; ascending inside a frame. r = required. */
enum wire_tag {
	/* BEGIN */
	WIRE_T_NONCE = 1,      /* r 16 bytes, all pam.sock frames */
	WIRE_T_OP = 2,	       /* r u8 */
	WIRE_T_DEADLINE = 3,   /* r u64 ns, BEGIN and ANSWER */
	WIRE_T_FLAGS = 4,      /* r u32 */
	WIRE_T_SERVICE = 5,    /* r text */
	WIRE_T_USER = 6,       /* r bytes, raw: any byte but NUL */
	WIRE_T_RUSER = 7,      /* bytes */
	WIRE_T_TTY = 8,	       /* bytes */
	WIRE_T_RHOST = 9,      /* bytes; text for the log, decides nothing */
	WIRE_T_SSH_CONN = 10,  /* bytes: SSH_CONNECTION of the PAM environment */
	WIRE_T_AUTH_INFO = 11, /* bytes: SSH_AUTH_INFO_0 of the PAM environment */
	WIRE_T_SESSION = 12,   /* r u32 /proc/self/sessionid, 0xffffffff unset */
	WIRE_T_LOGINUID = 13,  /* r u32 /proc/self/loginuid, 0xffffffff unset */
	WIRE_T_RUID = 14,      /* r u32 getuid() of the host process */
	WIRE_T_HANDLE = 15,    /* 16 bytes: the transaction of the auth phase */
	WIRE_T_VMSEC_ID = 16,  /* text: OPEN, CLOSE: the decision id */
	/* ANSWER: NONCE DEADLINE then */
	WIRE_T_TURN = 32,	 /* r u32, PROMPT and ANSWER */
	WIRE_T_ANSWER_KIND = 33, /* r u8 */
	WIRE_T_ANSWER = 34,	 /* bytes; CODE, RECOVERY and PASSWORD only, secret */
	WIRE_T_OLD = 35,	 /* bytes; PASSWORD: the current one, secret */
	/* PROMPT, INFO, RESULT: NONCE then */
	WIRE_T_STYLE = 48,  /* r u8, PROMPT and INFO */
	WIRE_T_TEXT = 49,   /* r text in PROMPT and INFO, optional in RESULT */
	WIRE_T_RESULT = 50, /* r u32 */
	WIRE_T_ID = 51,	    /* text: public decision id (VMSEC_ID) */
	/* RESULT may carry HANDLE (accepted): tag 52 to stay ascending */
	WIRE_T_NEW_HANDLE = 52,
	/* CALL: one VERB, then ARG_NAME ARG_VALUE pairs */
	WIRE_T_VERB = 64, /* r text, e.g. "status" */
	WIRE_T_ARG = 65,  /* list: text "name=value", value may be empty */
	/* ROW: a table's name, then its cells in column order */
	WIRE_T_TABLE = 72, /* r text */
	WIRE_T_CELL = 73,  /* list: u8 kind, u8 name length, name, value */
	/* END */
	WIRE_T_EXIT = 80,    /* r u32: exit status for rbacctl; 0 done */
	WIRE_T_MESSAGE = 81, /* text for the person: what, where, what to do next */
	/* dir.sock */
	WIRE_T_SOURCE = 96, /* HELLO r text: "nss", "file", "ldap" */
	WIRE_T_TICKET = 97, /* LOOKUP, ACCOUNT r u64 */
	WIRE_T_LOGIN = 98,  /* LOOKUP r text, a valid login */
	WIRE_T_BYTES = 99,  /* ACCOUNT: a snapshot of 0 or 1 accounts (snapshot.h) */
	WIRE_T_STATE =
		100, /* ACCOUNT r u8: 1 answered, 2 failed, 3 timed out; CLOCK r u8 */
	WIRE_T_PROBLEM = 101, /* PROBLEM r text: for status and the log; "": over */
};

/* Cell kinds of a ROW. */
enum wire_cell_kind {
	WIRE_CELL_TEXT = 1,
	WIRE_CELL_INT = 2,  /* value: i64 */
	WIRE_CELL_BOOL = 3, /* value: u8 0 or 1 */
	WIRE_CELL_NULL = 4,
	WIRE_CELL_JSON =
		5, /* value: one JSON document, passed through (audit records) */
	WIRE_CELL_TIME = 6, /* value: i64 seconds UTC */
};

struct wire_begin {
	uint8_t nonce[WIRE_NONCE_LEN];
	enum wire_op op;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	uint32_t flags;	      /* enum wire_flag */
	char service[WIRE_SERVICE_MAX + 1];
	char user[WIRE_NAME_MAX + 1];
	char ruser[WIRE_NAME_MAX + 1]; /* "" when unset, as all below */
	char tty[WIRE_TTY_MAX + 1];
	char rhost[WIRE_RHOST_MAX + 1];
	char ssh_connection[WIRE_SSH_CONN_MAX + 1];
	char ssh_auth_info[WIRE_AUTH_INFO_MAX + 1];
	uint32_t session;
	uint32_t loginuid;
	uint32_t ruid;
	bool has_handle;
	uint8_t handle[WIRE_HANDLE_LEN];
	char vmsec_id[WIRE_ID_MAX + 1];
};

struct wire_answer {
	uint8_t nonce[WIRE_NONCE_LEN];
	uint64_t deadline_ns;
	uint32_t turn;
	enum wire_answer_kind kind;
	struct secret text; /* wiped by its holder, as old */
	struct secret old;
};

/* wire_answer_done() - wipe the secrets of an answer. */
static inline void wire_answer_done(struct wire_answer *m)
{
	secret_done(&m->text);
	secret_done(&m->old);
}

struct wire_prompt { /* also INFO, where turn is 0 and absent on the wire */
	uint8_t nonce[WIRE_NONCE_LEN];
	uint32_t turn;
	enum wire_style style;
	const char
		*text; /* encode: borrowed; decode: borrowed from the frame, in place */
	size_t text_len;
};

struct wire_result_msg {
	uint8_t nonce[WIRE_NONCE_LEN];
	enum wire_result result;
	char text[512];		  /* "" when none */
	char id[WIRE_ID_MAX + 1]; /* "" when none */
	bool has_handle;
	uint8_t handle[WIRE_HANDLE_LEN];
};
