/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - one call to rbacd: connect, send, collect rows until END. */

#include <errno.h>
#include <stdarg.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/text.h"
#include "rbacd/directory/local.h"
#include "rbacd/wire/client.h"

int ctl_fail(struct ctl *ctl, int code, const char *fmt, ...)
{
	char text[sizeof(ctl->said)]; /* an argument may be the last one's */
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut message still tells */
	va_end(ap);
	memcpy(ctl->said, text, sizeof(text));
	text_line("rbacctl: ", text, ctl->err); /* nowhere to report a broken stderr */
	return code;
}

int ctl_need_config(struct ctl *ctl)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int r;

	if (ctl->config)
		return 0;
	r = config_load(ctl->config_path, &ctl->config, &diag);
	if (r == 0)
		return 0;
	diags_print(&diag, ctl->err);
	if (r > 0)
		return ctl_fail(ctl, CTL_NO,
				"the configuration %s is not valid; see above, or use "
				"--config FILE for another one.",
				ctl->config_path);
	return ctl_fail(
		ctl, CTL_NO,
		"the configuration %s could not be read%s. Use --config FILE for "
		"another one.",
		ctl->config_path, r == -EACCES ? ": run me as root" : "");
}

uint32_t ctl_rbacd_uid(const struct ctl *ctl)
{
	struct local_account user;

	return local_find("/etc/passwd", ctl->config->user, &user) == 0 ? user.uid : 0;
}

void ctl_answer_done(struct ctl_answer *a)
{
	out_set_done(&a->set);
	explicit_bzero(a->message, sizeof(a->message));
}

void ctl_call_init(struct wire_call *call, const char *verb)
{
	memset(call, 0, sizeof(*call));
	(void)snprintf(call->verb, sizeof(call->verb), "%s", verb); /* our own words */
}

void ctl_call_add(struct wire_call *call, const char *name, const char *value)
{
	size_t i = call->n_args;

	if (!value || i == WIRE_ARGS_MAX)
		return;
	(void)snprintf(call->args[i].name, sizeof(call->args[i].name), "%s",
		       name); /* ours */
	/* One byte too long is kept too long, so that encoding refuses instead of
	 * cutting. */
	if (strlen(value) > WIRE_ARG_MAX)
		memset(call->args[i].value, 'x', sizeof(call->args[i].value));
	else
		memcpy(call->args[i].value, value, strlen(value) + 1);
	call->n_args++;
}

/* ---------------------------------------------------------------- the connection */

static int tell_unreachable(struct ctl *ctl, const char *path, int error)
{
	if (error == -EACCES)
		return ctl_fail(ctl, CTL_UNREACHABLE,
				"%s is for administrators only: try sudo rbacctl.",
				path);
	if (error == -ENOENT || error == -ECONNREFUSED)
		return ctl_fail(
			ctl, CTL_UNREACHABLE,
			"rbacd does not answer on %s: is it running? Start it with "
			"systemctl start rbacd, or look at its log: journalctl -u "
			"rbacd",
			path);
	if (error == -EPERM)
		return ctl_fail(
			ctl, CTL_UNREACHABLE,
			"%s is not rbacd's: its folders must belong to root and be "
			"writable by nobody else, and the server must run as the user "
			"in %s. Nothing was sent.",
			path, ctl->config_path);
	if (error == -ETIMEDOUT)
		return ctl_fail(
			ctl, CTL_UNREACHABLE,
			"nobody answered on %s within %d s: rbacd is stopped, stuck "
			"or, where systemd holds its sockets, could not start. Look at "
			"its log: journalctl -u rbacd",
			path, CTL_CALL_MS / 1000);
	return ctl_fail(ctl, CTL_UNREACHABLE,
			"the connection to rbacd on %s broke: %s. Look at its log: "
			"journalctl -u rbacd",
			path, strerror(-error));
}

static int read_end(const struct wire_frame *frame, struct ctl_answer *ret)
{
	struct wire_reader reader;
	struct wire_field f;
	uint32_t code;
	int r;

	wire_reader_init(&reader, frame);
	if (wire_next(&reader, &f) != 0 || f.tag != WIRE_T_EXIT ||
	    wire_get_u32(&f, &code) != 0)
		return -EPROTO;
	r = wire_next(&reader, &f);
	if (r == 0) {
		if (f.tag != WIRE_T_MESSAGE ||
		    wire_get_text(&f, ret->message, sizeof(ret->message)) != 0)
			return -EPROTO;
		r = wire_next(&reader, &f);
	}
	/* A code that this rbacctl does not know is not a success. */
	ret->code = code <= CTL_INTEGRITY ? (int)code : CTL_NO;
	return r == WIRE_E_END ? 0 : -EPROTO;
}

static int collect(struct wire_client *client, struct ctl_answer *ret)
{
	struct wire_frame frame;
	int r;

	for (;;) {
		r = wire_client_recv(client, &frame);
		if (r != 0)
			return r;
		if (frame.type == WIRE_END)
			return read_end(&frame, ret);
		r = frame.type == WIRE_ROW ? out_add_frame(&ret->set, &frame) : -EPROTO;
		if (r != 0)
			return r;
	}
}

static int talk(const char *path, uint32_t server_uid, const struct wire_call *call,
		uint8_t *buf, struct ctl_answer *ret)
{
	struct wire_client client = {.fd = -1};
	uint8_t frame[WIRE_FRAME_MAX_IN];
	size_t len = 0;
	int r = wire_encode_call(call, frame, sizeof(frame), &len);

	if (r != 0)
		return r;
	r = wire_client_open(&client, path, server_uid,
			     wire_now_ns() + CTL_CALL_MS * UINT64_C(1000000), buf,
			     WIRE_FRAME_MAX);
	if (r == 0)
		r = wire_client_send(&client, frame, len);
	if (r == 0)
		r = collect(&client, ret);
	explicit_bzero(frame, sizeof(frame)); /* a code may be in it */
	wire_client_close(&client);
	return r;
}

/*
 * Where rbacd is and as whom it runs. A broken configuration must not hide a running
 * rbacd from those who want to know what is wrong: then it is looked for where it runs
 * by default. Its account and the owner of the folders are checked all the same.
 * Return: 0; CTL_NO when the file was asked for by name.
 */
static int find_server(struct ctl *ctl, const char **ret_user, const char **ret_run)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	int r = 0;

	if (!str_eq(ctl->config_path, CONFIG_PATH))
		r = ctl_need_config(ctl);
	else if (!ctl->config && config_load(CONFIG_PATH, &ctl->config, &diag) != 0)
		ctl->config = NULL;
	if (r != 0)
		return r;
	*ret_user = ctl->config ? ctl->config->user : CONFIG_USER;
	*ret_run = ctl->config ? ctl->config->run_dir : VMSEC_RUNDIR;
	if (ctl->config || ctl->warned)
		return 0;
	ctl->warned = true;
	diags_print(&diag, ctl->err);
	(void)ctl_fail(
		ctl, CTL_NO, /* only told: the call goes on */
		"warning: %s cannot be used, see above; asking the rbacd of user "
		"%s in %s.",
		ctl->config_path, *ret_user, *ret_run);
	return 0;
}

int ctl_call(struct ctl *ctl, enum ctl_socket which, const struct wire_call *call,
	     struct ctl_answer *ret)
{
	_cleanup_free_ uint8_t *buf = NULL;
	struct local_account server = {.uid = 0};
	const char *user, *run_dir;
	char path[512];
	int r;

	r = find_server(ctl, &user, &run_dir);
	if (r != 0)
		return r;
	r = local_find("/etc/passwd", user, &server);
	if (r != 0)
		return ctl_fail(
			ctl, CTL_NO,
			"rbacd's user %s (in %s) is not in /etc/passwd: make it with "
			"useradd --system",
			user, ctl->config_path);
	(void)snprintf(path, sizeof(path), "%s/%s.sock", run_dir,
		       which == CTL_ADMIN ? "admin" : "user"); /* cut: not found */
	buf = malloc(WIRE_FRAME_MAX);
	if (!buf)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	r = talk(path, server.uid, call, buf, ret);
	if (r == -EMSGSIZE || r == -EINVAL)
		return ctl_fail(ctl, CTL_USAGE, "an argument is too long.");
	return r == 0 ? 0 : tell_unreachable(ctl, path, r);
}

/* ---------------------------------------------------------------- showing */

const char *ctl_bold(const struct ctl *ctl)
{
	return ctl->color ? "\033[1m" : "";
}

const char *ctl_red(const struct ctl *ctl)
{
	return ctl->color ? "\033[1;31m" : "";
}

const char *ctl_plain(const struct ctl *ctl)
{
	return ctl->color ? "\033[0m" : "";
}

void ctl_show_message(struct ctl *ctl, const struct ctl_answer *a)
{
	if (!*a->message)
		return;
	if (a->code != CTL_OK) {
		(void)ctl_fail(ctl, a->code, "%s",
			       a->message); /* the caller returns it */
		return;
	}
	text_line("", a->message, ctl->out);
}

static void show_result(struct ctl *ctl, int code, const char *text)
{
	(void)fprintf(ctl->out, "{\n\"result\": {\"exit\": %d, \"message\": ", code);
	text_json(text, strlen(text), ctl->out);
	(void)fputs("}\n}\n", ctl->out);
}

void ctl_show_failure(struct ctl *ctl, int code)
{
	show_result(ctl, code, *ctl->said ? ctl->said : "the command line is wrong.");
}

int ctl_done(struct ctl *ctl, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* a cut sentence still tells */
	va_end(ap);
	if (ctl->json) {
		show_result(ctl, CTL_OK, text);
		return CTL_OK;
	}
	text_line("", text, ctl->out);
	return CTL_OK;
}

void ctl_show_json(struct ctl *ctl, struct ctl_answer *a, const char *lists)
{
	struct out_row *row = out_add_row(&a->set, "result");

	if (!row || out_add_number(row, "exit", WIRE_CELL_INT, a->code) != 0 ||
	    out_add_text(row, "message", a->message, strlen(a->message)) != 0) {
		(void)ctl_fail(ctl, CTL_NO,
			       "out of memory."); /* no JSON is no success */
		a->code = CTL_NO;
		return;
	}
	out_json_set(&a->set, lists, ctl->out);
}

int ctl_call_told(struct ctl *ctl, const struct wire_call *call)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	int r = ctl_call(ctl, CTL_ADMIN, call, &answer);

	if (r != 0)
		return r;
	if (ctl->json)
		ctl_show_json(ctl, &answer, "");
	else
		ctl_show_message(ctl, &answer);
	return answer.code;
}
