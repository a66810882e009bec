/* SPDX-License-Identifier: Apache-2.0 */
/* authz.c - pipeline stage "policy": a PAM request as facts that the policy knows. */

#include "rbacd/authz.h"

#include <arpa/inet.h>
#include <ctype.h>

static bool is_v4(const struct policy_origin *o)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(o->addr, mapped, sizeof(mapped)) == 0;
}

void authz_origin_text(const struct policy_origin *o, char buf[STORE_ORIGIN_MAX + 1])
{
	bool v4 = is_v4(o);

	if (o->kind == POLICY_ORIGIN_LOCAL)
		(void)snprintf(buf, STORE_ORIGIN_MAX + 1, "local");
	else if (o->kind != POLICY_ORIGIN_ADDR ||
		 !inet_ntop(v4 ? AF_INET : AF_INET6, o->addr + (v4 ? 12 : 0), buf,
			    STORE_ORIGIN_MAX + 1))
		(void)snprintf(buf, STORE_ORIGIN_MAX + 1, "unknown");
}

void authz_source_text(const struct policy_origin *o, char buf[STORE_ORIGIN_MAX + 1])
{
	struct policy_origin net = *o;
	size_t n;

	if (o->kind == POLICY_ORIGIN_ADDR && !is_v4(o)) {
		memset(net.addr + 8, 0, 8);
		authz_origin_text(&net, buf);
		n = strlen(buf);
		(void)snprintf(buf + n, STORE_ORIGIN_MAX + 1 - n, "/64");
	} else {
		authz_origin_text(o, buf);
	}
}

void authz_origin_parse(const char *text, struct policy_origin *ret)
{
	*ret = (struct policy_origin){.kind = POLICY_ORIGIN_UNKNOWN};
	if (str_eq(text, "local"))
		ret->kind = POLICY_ORIGIN_LOCAL;
	else if (policy_origin_parse(text, ret) != 0)
		ret->kind = POLICY_ORIGIN_UNKNOWN;
}

/* All of @text after @prefix is digits, at least one when @need_digit. */
static bool numbered(const char *text, const char *prefix, bool need_digit)
{
	size_t n = strlen(prefix);

	if (strlen(text) < n || memcmp(text, prefix, n) != 0)
		return false;
	if (text[n] == '\0')
		return !need_digit;
	for (const char *p = text + n; *p; p++)
		if (!isdigit((unsigned char)*p))
			return false;
	return true;
}

bool authz_console_tty(const char *tty)
{
	static const char *const serial[] = {"ttyS",	  "ttyAMA",  "ttymxc", "hvc",
					     "sclp_line", "ttysclp", "xvc"};

	if (strlen(tty) > 5 && memcmp(tty, "/dev/", 5) == 0)
		tty += 5;
	if (str_eq(tty, "console") || numbered(tty, "tty", true))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(serial); i++)
		if (numbered(tty, serial[i], true))
			return true;
	return false;
}

/* A line of SSH_AUTH_INFO_0 begins with the method that was completed. */
static bool auth_info_names(const char *info, bool with_password)
{
	static const char *const methods[] = {"publickey", "gssapi-with-mic",
					      "hostbased", "password"};
	size_t n = ARRAY_SIZE(methods) - !with_password;

	while (*info) {
		size_t word = strcspn(info, " \n");

		for (size_t i = 0; i < n; i++)
			if (strlen(methods[i]) == word &&
			    memcmp(info, methods[i], word) == 0)
				return true;
		info += strcspn(info, "\n");
		info += *info == '\n';
	}
	return false;
}

/* SSH_CONNECTION: "client-address client-port server-address server-port". */
static void origin_of_sshd(const char *connection, struct policy_origin *ret)
{
	char addr[WIRE_SSH_CONN_MAX + 1];
	size_t n = strcspn(connection, " ");

	memcpy(addr, connection, n);
	addr[n] = '\0';
	if (policy_origin_parse(addr, ret) != 0)
		ret->kind = POLICY_ORIGIN_UNKNOWN;
}

/* sudo and su inherit the audit session of the login, which only root can change. */
static void origin_of_session(struct server *server, uint32_t session,
			      struct policy_origin *ret)
{
	struct store_session s;

	if (session != AUTHZ_UNSET &&
	    store_session_get(server->store, server->boot_id, session, &s) == 0)
		authz_origin_parse(s.origin, ret);
}

static void read_origin(struct server *server, const struct wire_begin *b,
			struct authz_facts *f)
{
	f->origin = (struct policy_origin){.kind = POLICY_ORIGIN_UNKNOWN};
	if (f->from_sshd)
		origin_of_sshd(b->ssh_connection, &f->origin);
	else if (str_eq(f->privilege, "console") && !*b->rhost &&
		 authz_console_tty(b->tty))
		f->origin.kind = POLICY_ORIGIN_LOCAL;
	else if (str_eq(f->privilege, "sudo") || str_eq(f->privilege, "su"))
		origin_of_session(server, b->session, &f->origin);
	authz_origin_text(&f->origin, f->origin_text);
	authz_source_text(&f->origin, f->source_text);
}

/* A service in the administrator's list of sshd services. */
static bool is_sshd(const struct config *config, const char *service)
{
	for (size_t i = 0; i < config->n_sshd_services; i++)
		if (str_eq(config->sshd_services[i], service))
			return true;
	return false;
}

void authz_read(struct server *server, const struct wire_begin *b,
		struct authz_facts *f)
{
	const char *privilege;

	*f = (struct authz_facts){.subject = b->user};
	if (policy_service_privilege(server->policy, b->service, &privilege) == 0)
		(void)snprintf(f->privilege, sizeof(f->privilege), "%s", privilege);
	f->from_sshd = is_sshd(server->config, b->service);
	f->proven = (b->flags & WIRE_FLAG_FIRST_FACTOR) ||
		    (f->from_sshd && auth_info_names(b->ssh_auth_info, true));
	f->by_key = f->from_sshd && auth_info_names(b->ssh_auth_info, false);
	f->is_login = str_eq(f->privilege, "ssh") || str_eq(f->privilege, "console") ||
		      str_eq(f->privilege, "desktop") || str_eq(f->privilege, "web");
	f->can_step_up = (b->flags & WIRE_FLAG_CAN_PROMPT) &&
			 (str_eq(f->privilege, "sudo") || str_eq(f->privilege, "su") ||
			  str_eq(f->privilege, "console"));
	if (str_eq(f->privilege, "sudo")) {
		/* The invoker, also under sudo's rootpw and targetpw, which
		 * authenticate somebody else. sudo's real uid is 0 by now, so it tells
		 * nothing. */
		f->subject = *b->ruser ? b->ruser : b->user;
		f->by_root = str_eq(b->ruser, "root") && str_eq(b->user, "root");
	}
	if (str_eq(f->privilege, "su")) {
		uint32_t uid;

		f->subject = b->ruser;
		f->target = b->user;
		f->target_uid0 = str_eq(b->user, "root") ||
				 (identity_local_uid(server->identity, b->user, &uid) &&
				  uid == 0);
		f->by_root = b->ruid == 0;
	}
	if (b->op >= WIRE_OP_PW_CHECK) { /* whose password, whoever asks */
		f->subject = b->user;
		f->target = NULL;
	}
	read_origin(server, b, f);
}
