/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_conn.c - connect, encrypt, bind; and searches that end. */

#include "rbacd/directory/ldap_conn.h"

#include <errno.h>
#include <openldap.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#include "rbacd/directory/ldap_connect.h"

#define CONNECT_MS   5000
#define SET_UP_MS    10000 /* TLS, bind and root entry, each */
#define WHOAMI_OID   "1.3.6.1.4.1.4203.1.11.3"
#define DEADLINE_SIG (SIGRTMIN + 1)

struct ldap_conn {
	LDAP *ld; /* owned */
	int fd;	  /* owned by ld once there is one */
	timer_t timer;
	bool has_timer;
	void (*beat)(void *arg);
	void *arg; /* borrowed */
	struct ldap_server server;
	char why[LDAP_CONN_WHY_MAX + 1];
};

/* -------------------------------------------------------------- the deadline */

/* The signal brings the descriptor along, so that no state is shared. shutdown() is
 * safe in a handler; a blocked read then returns as if the server had closed. */
static void on_deadline(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)sig;
	(void)context;
	(void)shutdown(info->si_value.sival_int, SHUT_RDWR); /* gone already: fine */
	errno = saved;
}

static int deadline_new(struct ldap_conn *c)
{
	struct sigaction sa = {.sa_sigaction = on_deadline,
			       .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = DEADLINE_SIG,
			      .sigev_value.sival_int = c->fd};

	if (sigaction(DEADLINE_SIG, &sa, NULL) != 0 ||
	    timer_create(CLOCK_MONOTONIC, &ev, &c->timer) != 0)
		return -errno;
	c->has_timer = true;
	return 0;
}

void ldap_conn_deadline(struct ldap_conn *c, int ms)
{
	struct itimerspec t = {
		.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}};

	(void)timer_settime(c->timer, 0, &t, NULL); /* a timer of ours, a valid time */
}

/* ------------------------------------------------------------------- errors */

int ldap_conn_fail(struct ldap_conn *c, const char *doing, int ldap_error)
{
	char *more = NULL;

	if (c->ld)
		(void)ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE,
				      &more); /* none: NULL */
	(void)snprintf(c->why, sizeof(c->why), "%s: %s%s%.100s", doing,
		       ldap_err2string(ldap_error), more && *more ? ": " : "",
		       more ? more : "");
	ldap_memfree(more);
	return LDAP_CONN_E_FAILED;
}

/* ------------------------------------------------------------------- set up */

static int set_options(struct ldap_conn *c)
{
	const int version = LDAP_VERSION3;
	const ber_len_t max = LDAP_CONN_MESSAGE_MAX;
	Sockbuf *sb = NULL;
	int deref = LDAP_DEREF_NEVER;

	if (ldap_set_option(c->ld, LDAP_OPT_PROTOCOL_VERSION, &version) != 0 ||
	    ldap_set_option(c->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) != 0 ||
	    ldap_set_option(c->ld, LDAP_OPT_DEREF, &deref) != 0 ||
	    ldap_set_option(c->ld, LDAP_OPT_RESTART, LDAP_OPT_ON) != 0 ||
	    ldap_get_option(c->ld, LDAP_OPT_SOCKBUF, &sb) != 0 || !sb ||
	    ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING,
			     (void *)(uintptr_t)&max) != 1)
		return ldap_conn_fail(c, "preparing the connection", LDAP_LOCAL_ERROR);
	return 0;
}

static bool set_text(struct ldap_conn *c, int option, const char *text)
{
	return !text || ldap_set_option(c->ld, option, text) == LDAP_OPT_SUCCESS;
}

/* Only what OpenSSL and GnuTLS builds of libldap both know. */
static int set_tls(struct ldap_conn *c, const struct config_ldap *config)
{
	const int hard = LDAP_OPT_X_TLS_HARD, client = 0;
	const int min = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;

	if (!set_text(c, LDAP_OPT_X_TLS_CACERTFILE, config->ca) ||
	    !set_text(c, LDAP_OPT_X_TLS_CERTFILE, config->cert) ||
	    !set_text(c, LDAP_OPT_X_TLS_KEYFILE, config->key) ||
	    ldap_set_option(c->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &hard) != 0 ||
	    ldap_set_option(c->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &min) != 0 ||
	    ldap_set_option(c->ld, LDAP_OPT_X_TLS_NEWCTX, &client) != 0)
		return ldap_conn_fail(c,
				      "preparing TLS (are tls: ca, cert and key "
				      "readable for rbacd-dir?)",
				      LDAP_LOCAL_ERROR);
	return 0;
}

/* GnuTLS ignores the minimum, so what was agreed is looked at: "TLS1.2", "TLSv1.3". */
static bool version_ok(const char *version)
{
	static const char *const good[] = {"TLS1.2", "TLSv1.2", "TLS1.3", "TLSv1.3"};

	for (size_t i = 0; version && i < ARRAY_SIZE(good); i++)
		if (str_eq(version, good[i]))
			return true;
	return false;
}

static int start_tls(struct ldap_conn *c, const struct ldap_conn_options *o,
		     bool tls_first)
{
	char *version = NULL;
	bool ok;
	int r = set_tls(c, o->config);

	if (r != 0)
		return r;
	r = tls_first ? ldap_install_tls(c->ld) : ldap_start_tls_s(c->ld, NULL, NULL);
	if (r != LDAP_SUCCESS)
		return ldap_conn_fail(c, tls_first ? "TLS" : "StartTLS", r);
	if (ldap_tls_inplace(c->ld) != 1)
		return ldap_conn_fail(c, "TLS", LDAP_CONFIDENTIALITY_REQUIRED);
	(void)ldap_get_option(c->ld, LDAP_OPT_X_TLS_VERSION, &version); /* NULL: bad */
	ok = version_ok(version);
	ldap_memfree(version);
	return ok ? 0
		  : ldap_conn_fail(c, "TLS older than 1.2",
				   LDAP_CONFIDENTIALITY_REQUIRED);
}

static int bind_simple(struct ldap_conn *c, const struct ldap_conn_options *o)
{
	struct berval cred;

	/* RFC 4513, 5.1.2: a name without a password is an anonymous success. */
	if (!o->config->bind_dn || !*o->config->bind_dn || !o->password ||
	    o->password->len == 0)
		return ldap_conn_fail(c, "bind without a name or a password",
				      LDAP_INAPPROPRIATE_AUTH);
	cred.bv_val = (char *)(uintptr_t)o->password->bytes; /* only read */
	cred.bv_len = o->password->len;
	return ldap_sasl_bind_s(c->ld, o->config->bind_dn, LDAP_SASL_SIMPLE, &cred,
				NULL, NULL, NULL);
}

static int bind_server(struct ldap_conn *c, const struct ldap_conn_options *o)
{
	struct berval none = {.bv_val = NULL}, *answer = NULL;
	int r;

	if (o->config->bind == CONFIG_BIND_EXTERNAL) {
		r = ldap_sasl_bind_s(c->ld, NULL, "EXTERNAL", &none, NULL, NULL,
				     &answer);
		ber_bvfree(answer);
	} else {
		r = bind_simple(c, o);
		if (r == LDAP_CONN_E_FAILED && c->why[0])
			return r;
	}
	return r == LDAP_SUCCESS ? 0 : ldap_conn_fail(c, "bind", r);
}

/* A server that took the bind and still calls us nobody lets us read what it pleases.
 */
static int check_identity(struct ldap_conn *c)
{
	struct berval *who = NULL;
	bool somebody;
	int r;

	if (!c->server.whoami)
		return 0;
	r = ldap_whoami_s(c->ld, &who, NULL, NULL);
	somebody = r == LDAP_SUCCESS && who && who->bv_len > 0;
	ber_bvfree(who);
	return somebody ? 0
			: ldap_conn_fail(c, "the bind left us anonymous",
					 r == LDAP_SUCCESS ? LDAP_INAPPROPRIATE_AUTH
							   : r);
}

/* -------------------------------------------------------------- root entry */

static bool value_is(const struct ldap_value *v, const char *text)
{
	return v->len == strlen(text) && memcmp(v->p, text, v->len) == 0;
}

static void copy_value(const struct ldap_value *v, char *ret, size_t cap)
{
	size_t n = v->len < cap - 1 ? v->len : cap - 1;

	memcpy(ret, v->p, n);
	ret[n] = '\0';
	for (char *p = ret; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void read_number(const struct ldap_value *v, uint64_t *ret)
{
	uint64_t n = 0;
	const char *p = v->p;

	for (size_t i = 0; i < v->len && i < 19; i++) {
		if (p[i] < '0' || p[i] > '9')
			return;
		n = n * 10 + (uint64_t)(p[i] - '0');
	}
	*ret = n;
}

static void read_feature(struct ldap_server *s, const char *attr,
			 const struct ldap_value *v)
{
	if (strcasecmp(attr, "supportedControl") == 0) {
		s->sync = s->sync || value_is(v, LDAP_CONTROL_SYNC);
		s->paged = s->paged || value_is(v, LDAP_CONTROL_PAGEDRESULTS);
	} else if (strcasecmp(attr, "supportedExtension") == 0) {
		s->whoami = s->whoami || value_is(v, WHOAMI_OID);
	} else if (strcasecmp(attr, "supportedCapabilities") == 0) {
		if (value_is(v, "1.2.840.113556.1.4.800"))
			(void)snprintf(s->kind, sizeof(s->kind), "Active Directory");
	} else if (strcasecmp(attr, "vendorName") == 0 && !*s->kind) {
		copy_value(v, s->kind, sizeof(s->kind));
	} else if (strcasecmp(attr, "objectClass") == 0) {
		if (value_is(v, "OpenLDAProotDSE"))
			(void)snprintf(s->kind, sizeof(s->kind), "OpenLDAP");
	} else if (strcasecmp(attr, "highestCommittedUSN") == 0) {
		read_number(v, &s->usn);
	} else if (strcasecmp(attr, "dsServiceName") == 0) {
		copy_value(v, s->dsa, sizeof(s->dsa));
	}
}

static int read_root(void *arg, const struct ldap_entry *e)
{
	struct ldap_conn *c = arg;

	for (size_t i = 0; i < e->n_attrs; i++)
		for (size_t j = 0; j < e->attrs[i].n_values; j++)
			read_feature(&c->server, e->attrs[i].name,
				     &e->attrs[i].values[j]);
	return 0;
}

static int ask_root(struct ldap_conn *c)
{
	static const char *const attrs[] = {
		"objectClass",		 "vendorName",
		"supportedControl",	 "supportedExtension",
		"supportedCapabilities", "highestCommittedUSN",
		"dsServiceName",	 NULL};
	const struct ldap_search s = {.base = "",
				      .filter = "(objectClass=*)",
				      .scope = LDAP_SCOPE_BASE,
				      .attrs = attrs};
	int r = ldap_conn_search(c, &s, read_root, c);

	if (!*c->server.kind)
		(void)snprintf(c->server.kind, sizeof(c->server.kind), "LDAP server");
	return r == 0 || r == LDAP_CONN_E_FAILED
		       ? r
		       : ldap_conn_fail(c, "reading the root entry", LDAP_OTHER);
}

/* -------------------------------------------------------------------- open */

static int open_stages(struct ldap_conn *c, const struct ldap_conn_options *o,
		       const struct ldap_place *place)
{
	int r = ldap_init_fd(c->fd, place->local ? LDAP_PROTO_IPC : LDAP_PROTO_TCP,
			     o->uri, &c->ld);

	if (r != LDAP_SUCCESS) {
		(void)close(c->fd); /* nothing was sent */
		c->fd = -1;
		return ldap_conn_fail(c, "libldap", r);
	}
	r = set_options(c);
	ldap_conn_deadline(c, SET_UP_MS);
	if (r == 0 && !place->local)
		r = start_tls(c, o, place->tls_first);
	c->beat(c->arg);
	ldap_conn_deadline(c, SET_UP_MS);
	if (r == 0)
		r = bind_server(c, o);
	c->beat(c->arg);
	if (r == 0)
		r = ask_root(c);
	ldap_conn_deadline(c, SET_UP_MS);
	if (r == 0)
		r = check_identity(c);
	ldap_conn_deadline(c, 0);
	return r;
}

int ldap_conn_open(const struct ldap_conn_options *o, struct ldap_conn **ret,
		   char why[LDAP_CONN_WHY_MAX + 1])
{
	struct ldap_conn *c = calloc(1, sizeof(*c));
	struct ldap_place place;
	int r;

	if (!c)
		return -ENOMEM;
	c->fd = -1;
	c->beat = o->beat;
	c->arg = o->arg;
	r = ldap_place_parse(o->uri, &place) ? 0 : -EINVAL;
	if (r == 0)
		r = ldap_place_connect(&place, CONNECT_MS, &c->fd);
	c->beat(c->arg);
	if (r == 0)
		r = deadline_new(c);
	if (r < 0)
		(void)snprintf(c->why, sizeof(c->why), "connect: %s",
			       strerrordesc_np(-r));
	if (r == 0)
		r = open_stages(c, o, &place);
	if (r == 0) {
		*ret = c;
		return 0;
	}
	memcpy(why, c->why, sizeof(c->why));
	ldap_conn_close(c);
	return LDAP_CONN_E_FAILED;
}

void ldap_conn_close(struct ldap_conn *c)
{
	if (!c)
		return;
	/* unbind writes; a server that does not read must not hold us. */
	if (c->fd >= 0)
		(void)shutdown(c->fd, SHUT_RDWR); /* gone already: fine */
	if (c->has_timer)
		(void)timer_delete(c->timer); /* ours */
	if (c->ld)
		(void)ldap_unbind_ext(c->ld, NULL, NULL); /* frees whatever happens */
	else if (c->fd >= 0)
		(void)close(c->fd); /* nothing was sent */
	free(c);
}

const struct ldap_server *ldap_conn_server(const struct ldap_conn *c)
{
	return &c->server;
}

LDAP *ldap_conn_handle(const struct ldap_conn *c)
{
	return c->ld;
}

void ldap_conn_beat(struct ldap_conn *c)
{
	c->beat(c->arg);
}

int ldap_conn_fd(const struct ldap_conn *c)
{
	return c->fd;
}

const char *ldap_conn_why(const struct ldap_conn *c)
{
	return c->why;
}
