/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_enrol.c - enrol: show the secrets once, then prove with a code that they arrived.
 */

#include <langinfo.h>
#include <locale.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/prompt.h"
#include "rbacd/ctl/text.h"
#include "rbacd/enrol/qr.h"
#include "rbacd/wire/code.h"

#define CODE_TRIES 3

/* Half blocks need a terminal that draws, and UTF-8. */
static bool draws_blocks(const struct ctl *ctl)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool utf8 = locale && str_eq(nl_langinfo_l(CODESET, locale), "UTF-8");

	if (locale)
		freelocale(locale);
	return utf8 && ctl->draws;
}

static void show_qr(struct ctl *ctl, const struct ctl_args *args, const char *uri)
{
	enum qr_style style = ctl_arg(args, "ascii") ? QR_ASCII
			      : ctl->color	     ? QR_COLOR
						     : QR_BLOCKS;
	_cleanup_qr_ struct qr_picture *qr = malloc(sizeof(*qr));

	if (ctl_arg(args, "text"))
		return;
	if (style != QR_ASCII && !draws_blocks(ctl)) {
		(void)fputs("This terminal draws no QR code (--ascii tries).\n",
			    ctl->out);
		return;
	}
	if (qr && qr_draw(uri, style, QR_QUIET, qr) == 0)
		(void)fwrite(qr->text, 1, qr->len, ctl->out);
	else
		(void)ctl_fail(
			ctl, CTL_NO,
			"the QR code could not be drawn; type the secret of the URI "
			"into the app."); /* the URI follows */
}

/* The key alone, in groups of four: what an app without a camera asks for. */
static void show_key(struct ctl *ctl, const char *uri)
{
	const char *key = strstr(uri, "secret=");
	size_t len = key ? strspn(key + 7, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") : 0;

	if (len == 0)
		return;
	(void)fprintf(ctl->out, "or type this key (%s-based):\n ",
		      str_after(uri, "otpauth://hotp/") ? "counter" : "time");
	for (size_t i = 0; i < len; i++) {
		if (i % 4 == 0)
			(void)fputc(' ', ctl->out);
		(void)fputc(key[7 + i], ctl->out);
	}
	(void)fputc('\n', ctl->out);
}

static void show_enrolment(struct ctl *ctl, const struct ctl_args *args,
			   const struct out_set *set)
{
	const char *uri = out_text(set, "enrolment", "uri");
	const struct out_table *codes = out_find(set, "recovery");
	unsigned n = 0;

	if (uri) {
		show_qr(ctl, args, uri);
		(void)fputs("\nScan this with the phone's app, or open:\n  ", ctl->out);
		(void)text_print(uri, strlen(uri), ctl->out);
		(void)fputc('\n', ctl->out);
		show_key(ctl, uri);
	}
	if (!codes)
		return; /* a further factor: those that the person has stay good */
	(void)fputs(
		"\nRecovery codes, each good for one login without the phone. They are "
		"shown only now;\nkeep them on paper, apart from the phone:\n",
		ctl->out);
	for (const struct out_row *r = codes->first; r; r = r->next) {
		const struct out_cell *c = out_cell(r, "code");

		(void)fputs(n % 3 == 0 ? "  " : "   ", ctl->out);
		if (c && c->text)
			(void)text_print(c->text, c->len, ctl->out);
		n++;
		(void)fputs(n % 3 == 0 || !r->next ? "\n" : "", ctl->out);
	}
}

static int begin(struct ctl *ctl, const struct ctl_args *args,
		 struct ctl_answer *answer)
{
	static const char *const passed[] = {"algorithm", "digits", "period",
					     "issuer",	  "name",   "kind"};
	struct wire_call call;

	ctl_call_init(&call, "enrol-begin");
	ctl_call_add(&call, "user", args->pos[0]);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		ctl_call_add(&call, passed[i], ctl_arg(args, passed[i]));
	return ctl_call(ctl, CTL_ADMIN, &call, answer);
}

/* Return: as ctl_call(); -1: what was typed is not a code. */
static int confirm_once(struct ctl *ctl, const char *user, char *line,
			struct ctl_answer *answer)
{
	_cleanup_secret_ struct secret code = SECRET_INIT;
	struct wire_call call;
	char digits[16] = "";
	int r;

	line[strcspn(line, "\r\n")] = '\0';
	if (code_classify(line, strlen(line), &code) != WIRE_ANSWER_CODE ||
	    code.len >= sizeof(digits))
		return -1;
	memcpy(digits, code.bytes, code.len);
	ctl_call_init(&call, "enrol-confirm");
	ctl_call_add(&call, "user", user);
	ctl_call_add(&call, "code", digits);
	r = ctl_call(ctl, CTL_ADMIN, &call, answer);
	explicit_bzero(digits, sizeof(digits));
	explicit_bzero(&call, sizeof(call));
	return r;
}

static int still_pending(struct ctl *ctl, const char *user)
{
	return ctl_fail(
		ctl, CTL_NO,
		"%s is not enrolled yet; what was shown stays valid. Go on with: "
		"rbacctl enrol %s --confirm",
		user, user);
}

static int confirm(struct ctl *ctl, const char *user)
{
	char line[128];
	int r = -1;

	for (int i = 0; i < (ctl->in_tty ? CODE_TRIES : 1); i++) {
		_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;

		if (!prompt_read(ctl->in, ctl->json ? ctl->err : ctl->out,
				 ctl->in_tty ? "\nCode that the app shows now: " : "",
				 true, line, sizeof(line)))
			break;
		r = confirm_once(ctl, user, line, &answer);
		explicit_bzero(line, sizeof(line));
		if (r > 0)
			return r;
		if (r == 0 && ctl->json) {
			ctl_show_json(ctl, &answer, "");
			return answer.code;
		}
		if (r == 0)
			ctl_show_message(ctl, &answer);
		else
			(void)ctl_fail(ctl, CTL_NO,
				       "a code is 6 or 8 digits."); /* again */
		if (r == 0 && answer.code == CTL_OK)
			return CTL_OK;
	}
	return still_pending(ctl, user);
}

/* The first line of a public key's file, as it is; rbacd looks into it. */
static int enrol_key(struct ctl *ctl, const struct ctl_args *args, const char *path)
{
	static const char *const codes_only[] = {"algorithm", "digits", "period",
						 "issuer",    "kind",	"confirm"};
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char line[WIRE_ARG_MAX - 8];
	struct wire_call call;

	for (size_t i = 0; i < ARRAY_SIZE(codes_only); i++)
		if (ctl_arg(args, codes_only[i]))
			return ctl_fail(ctl, CTL_USAGE,
					"--%s is for codes, not for a security key.",
					codes_only[i]);
	if (!f || !fgets(line, sizeof(line), f))
		return ctl_fail(ctl, CTL_NO, "%s cannot be read.", path);
	line[strcspn(line, "\r\n")] = '\0';
	ctl_call_init(&call, "enrol-key");
	ctl_call_add(&call, "user", args->pos[0]);
	ctl_call_add(&call, "key", line);
	ctl_call_add(&call, "name", ctl_arg(args, "name"));
	return ctl_call_told(ctl, &call);
}

int cmd_enrol(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const char *user = args->pos[0];
	int r;

	if (ctl_arg(args, "security-key"))
		return enrol_key(ctl, args, ctl_arg(args, "security-key"));
	if (ctl_arg(args, "confirm"))
		return confirm(ctl, user);
	if (!ctl->json && !ctl->out_tty)
		return ctl_fail(
			ctl, CTL_USAGE,
			"the key and the codes are secrets: run me on a terminal, or "
			"say --json.");
	r = begin(ctl, args, &answer);
	if (r != 0)
		return r;
	if (ctl->json) {
		ctl_show_json(ctl, &answer, "recovery");
		return answer.code;
	}
	if (answer.code != CTL_OK) {
		ctl_show_message(ctl, &answer);
		return answer.code;
	}
	show_enrolment(ctl, args, &answer.set);
	ctl_answer_done(&answer);
	return confirm(ctl, user);
}
