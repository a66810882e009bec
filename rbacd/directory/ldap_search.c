/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_search.c - messages, entries and whole searches of a connection. */

#include <errno.h>
#include <openldap.h>

#include "rbacd/directory/ldap_conn.h"

#define PAGE_SIZE  1000
#define PAGES_MAX  4096 /* a server that always promises one more */
#define ATTRS_MAX  64	/* attributes in one entry; more are not what we asked for */
#define TAGGED_MAX 32	/* with options, "uid;lang-en": whoever may write can add any */

/* ---------------------------------------------------------------- messages */

int ldap_conn_next(struct ldap_conn *c, int msgid, int wait_ms, LDAPMessage **ret)
{
	struct timeval tv = {.tv_sec = wait_ms / 1000,
			     .tv_usec = wait_ms % 1000 * 1000};
	LDAP *ld = ldap_conn_handle(c);
	LDAPMessage *m = NULL;
	int r, error = LDAP_SERVER_DOWN;

	ldap_conn_deadline(c, wait_ms + LDAP_CONN_STEP_MS);
	r = ldap_result(ld, msgid, LDAP_MSG_ONE, &tv, &m);
	ldap_conn_deadline(c, 0);
	if (r >= 0) {
		*ret = m; /* NULL when nothing came */
		return 0;
	}
	(void)ldap_get_option(ld, LDAP_OPT_RESULT_CODE, &error); /* else as set */
	return ldap_conn_fail(c, "reading", error);
}

/* ------------------------------------------------------------------ entries */

/* What one message says; the values are borrowed from it. */
struct parsed {
	BerElement *ber;
	char dn[LDAP_DN_MAX + 2];
	struct ldap_attr attrs[ATTRS_MAX];
	BerVarray vals[ATTRS_MAX];	      /* owned arrays of borrowed values */
	struct ldap_value *values[ATTRS_MAX]; /* owned */
	char names[ATTRS_MAX][LDAP_ATTR_MAX * 2];
	size_t n;
};

static void parsed_free(struct parsed *p)
{
	for (size_t i = 0; p && i < p->n; i++) {
		ber_memfree(p->vals[i]);
		free(p->values[i]);
	}
	if (p && p->ber)
		ber_free(p->ber, 0);
	free(p);
}

/*
 * Names with options are cut, and those after the first ones left away: no option that
 * we read is so long, and one that we do not is as good as many. So nobody's own
 * entry ends the connection or hides another attribute.
 * Return: 0; -ENOMEM; LDAP_CONN_E_REFUSED: it makes no sense.
 */
static int parse_attr(struct parsed *p, const struct berval *name, BerVarray vals)
{
	const size_t max = sizeof(p->names[0]) - 1;
	bool tagged = memchr(name->bv_val, ';', name->bv_len);
	struct ldap_value *v;
	size_t n = 0;

	if ((tagged ? p->n >= TAGGED_MAX : p->n == ATTRS_MAX || name->bv_len > max) ||
	    memchr(name->bv_val, '\0', name->bv_len)) {
		ber_memfree(vals);
		return tagged ? 0 : LDAP_CONN_E_REFUSED;
	}
	while (vals && vals[n].bv_val)
		n++;
	v = calloc(n + 1, sizeof(*v));
	if (!v) {
		ber_memfree(vals);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = (struct ldap_value){.p = vals[i].bv_val, .len = vals[i].bv_len};
	memcpy(p->names[p->n], name->bv_val, name->bv_len < max ? name->bv_len : max);
	p->vals[p->n] = vals;
	p->values[p->n] = v;
	p->attrs[p->n] =
		(struct ldap_attr){.name = p->names[p->n], .values = v, .n_values = n};
	p->n++;
	return 0;
}

static int parse_entry(LDAP *ld, LDAPMessage *m, struct parsed *p)
{
	struct berval dn, name;
	BerVarray vals = NULL;
	int r = ldap_get_dn_ber(ld, m, &p->ber, &dn);

	/* A DN that is too long stays too long for the map, which drops and counts it.
	 */
	if (r != LDAP_SUCCESS || (dn.bv_len && memchr(dn.bv_val, '\0', dn.bv_len)))
		return LDAP_CONN_E_REFUSED;
	memcpy(p->dn, dn.bv_val ? dn.bv_val : "",
	       dn.bv_len < sizeof(p->dn) ? dn.bv_len : sizeof(p->dn) - 1);
	for (;;) {
		r = ldap_get_attribute_ber(ld, m, p->ber, &name, &vals);
		if (r != LDAP_SUCCESS || !name.bv_val)
			return r == LDAP_SUCCESS ? 0 : LDAP_CONN_E_REFUSED;
		r = parse_attr(p, &name, vals);
		if (r != 0)
			return r;
	}
}

int ldap_conn_entry(struct ldap_conn *c, LDAPMessage *m, const struct ldap_id *id,
		    ldap_entry_fn fn, void *arg)
{
	struct parsed *p = calloc(1, sizeof(*p));
	struct ldap_entry e;
	int r;

	if (!p)
		return -ENOMEM;
	r = parse_entry(ldap_conn_handle(c), m, p);
	e = (struct ldap_entry){.dn = p->dn,
				.id = id,
				.attrs = p->attrs,
				.n_attrs = p->n};
	if (r == 0)
		r = fn(arg, &e);
	else if (r > 0)
		r = ldap_conn_fail(c, "an entry that cannot be read",
				   LDAP_DECODING_ERROR);
	parsed_free(p);
	return r;
}

/* ----------------------------------------------------------------- searches */

/* The cookie of the next page; empty at the last one. */
static int next_page(struct ldap_conn *c, LDAPControl **controls, struct berval *cookie)
{
	LDAPControl *page =
		ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	struct berval next = {.bv_val = NULL};
	ber_int_t estimate;

	ber_memfree(cookie->bv_val);
	*cookie = (struct berval){.bv_val = NULL};
	if (!page) /* the server sent everything in one */
		return 0;
	if (ldap_parse_pageresponse_control(ldap_conn_handle(c), page, &estimate,
					    &next) != LDAP_SUCCESS)
		return ldap_conn_fail(c, "a page", LDAP_DECODING_ERROR);
	*cookie = next;
	return 0;
}

static int end_of_page(struct ldap_conn *c, LDAPMessage *m, struct berval *cookie)
{
	LDAPControl **controls = NULL;
	int error = LDAP_OTHER;
	int r = ldap_parse_result(ldap_conn_handle(c), m, &error, NULL, NULL, NULL,
				  &controls, 0);

	if (r != LDAP_SUCCESS)
		r = ldap_conn_fail(c, "an answer", r);
	else if (error == LDAP_NO_SUCH_OBJECT)
		r = LDAP_CONN_E_NONE;
	else if (error != LDAP_SUCCESS)
		r = ldap_conn_fail(c, "search", error) != 0 ? LDAP_CONN_E_REFUSED : 0;
	else
		r = next_page(c, controls, cookie);
	ldap_controls_free(controls);
	return r;
}

/* Return: PAGE_GOES_ON, 0 at the end of the page, else what ends the search. */
enum { PAGE_GOES_ON = 100 };

static int take_message(struct ldap_conn *c, LDAPMessage *m, struct berval *cookie,
			ldap_entry_fn fn, void *arg)
{
	int type = ldap_msgtype(m);

	if (type == LDAP_RES_SEARCH_ENTRY) {
		int r = ldap_conn_entry(c, m, NULL, fn, arg);

		return r == 0 ? PAGE_GOES_ON : r;
	}
	if (type == LDAP_RES_SEARCH_RESULT)
		return end_of_page(c, m, cookie);
	if (type == LDAP_RES_SEARCH_REFERENCE) /* another server is never followed */
		return PAGE_GOES_ON;
	return ldap_conn_fail(c, "an answer of another kind", LDAP_PROTOCOL_ERROR);
}

static int read_page(struct ldap_conn *c, int msgid, struct berval *cookie,
		     ldap_entry_fn fn, void *arg)
{
	int r = PAGE_GOES_ON;

	while (r == PAGE_GOES_ON) {
		LDAPMessage *m = NULL;

		r = ldap_conn_next(c, msgid, LDAP_CONN_STEP_MS, &m);
		if (r == 0 && !m)
			r = ldap_conn_fail(c, "waiting for an answer", LDAP_TIMEOUT);
		if (r == 0)
			r = take_message(c, m, cookie, fn, arg);
		ldap_msgfree(m);
		ldap_conn_beat(c);
	}
	if (r != 0)
		(void)ldap_abandon_ext(ldap_conn_handle(c), msgid, NULL,
				       NULL); /* best effort */
	return r;
}

static int send_page(struct ldap_conn *c, const struct ldap_search *s,
		     struct berval *cookie, int *ret_msgid)
{
	char **attrs = (char **)(uintptr_t)s->attrs; /* libldap only reads them */
	LDAPControl *page = NULL, *controls[2] = {NULL, NULL};
	LDAP *ld = ldap_conn_handle(c);
	int r = LDAP_SUCCESS;

	if (ldap_conn_server(c)->paged && s->scope != LDAP_SCOPE_BASE)
		r = ldap_create_page_control(ld, PAGE_SIZE,
					     cookie->bv_val ? cookie : NULL, 1, &page);
	controls[0] = page;
	ldap_conn_deadline(c, LDAP_CONN_STEP_MS);
	if (r == LDAP_SUCCESS)
		r = ldap_search_ext(ld, s->base, s->scope, s->filter, attrs, 0,
				    page ? controls : NULL, NULL, NULL, LDAP_NO_LIMIT,
				    ret_msgid);
	ldap_conn_deadline(c, 0);
	ldap_control_free(page);
	return r == LDAP_SUCCESS ? 0 : ldap_conn_fail(c, "search", r);
}

int ldap_conn_search(struct ldap_conn *c, const struct ldap_search *s, ldap_entry_fn fn,
		     void *arg)
{
	struct berval cookie = {.bv_val = NULL};
	int msgid = -1, r;
	size_t n = 0;

	do {
		if (n++ == PAGES_MAX) {
			r = ldap_conn_fail(c, "pages without end", LDAP_PROTOCOL_ERROR);
			break;
		}
		r = send_page(c, s, &cookie, &msgid);
		if (r == 0)
			r = read_page(c, msgid, &cookie, fn, arg);
	} while (r == 0 && cookie.bv_val && cookie.bv_len > 0);
	ber_memfree(cookie.bv_val);
	return r;
}
