/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_sync.c - messages of RFC 4533 as changes of the map. */

#include "rbacd/directory/ldap_sync.h"

#include <errno.h>

void ldap_sync_forget(struct ldap_sync *s)
{
	ber_memfree(s->cookie.bv_val);
	s->cookie = (struct berval){.bv_val = NULL};
}

/* Before the refresh is over a cookie promises more than the map holds: who resumes
 * with it never hears of what was deleted before. Without it he is told again. */
static int keep_cookie(struct ldap_sync *s, const struct berval *cookie)
{
	struct berval copy;

	if (!s->refreshed || !cookie->bv_val || cookie->bv_len == 0)
		return 0;
	if (!ber_dupbv(&copy, (struct berval *)(uintptr_t)cookie)) /* only read */
		return -ENOMEM;
	ldap_sync_forget(s);
	s->cookie = copy;
	return 0;
}

static int broken(struct ldap_conn *c, const char *what)
{
	return ldap_conn_fail(c, what, LDAP_DECODING_ERROR);
}

/* ------------------------------------------------------------------- start */

static BerElement *request_value(const struct ldap_sync *s)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	int r;

	if (!ber)
		return NULL;
	r = s->cookie.bv_val
		    ? ber_printf(ber, "{eOb}", LDAP_SYNC_REFRESH_AND_PERSIST,
				 &s->cookie, 0)
		    : ber_printf(ber, "{eb}", LDAP_SYNC_REFRESH_AND_PERSIST, 0);
	if (r >= 0)
		return ber;
	ber_free(ber, 1);
	return NULL;
}

int ldap_sync_start(struct ldap_sync *s, struct ldap_conn *c,
		    const struct ldap_search *search)
{
	char **attrs = (char **)(uintptr_t)search->attrs; /* libldap only reads them */
	LDAPControl control = {.ldctl_oid = (char *)(uintptr_t)LDAP_CONTROL_SYNC,
			       .ldctl_iscritical = 1};
	LDAPControl *controls[] = {&control, NULL};
	BerElement *ber = request_value(s);
	int r = LDAP_NO_MEMORY;

	s->resumed = s->cookie.bv_val != NULL;
	s->swept = s->refreshed = false;
	ldap_map_refresh_begin(s->map, s->kind);
	ldap_conn_deadline(c, LDAP_CONN_STEP_MS);
	if (ber && ber_flatten2(ber, &control.ldctl_value, 0) == 0)
		r = ldap_search_ext(ldap_conn_handle(c), search->base, search->scope,
				    search->filter, attrs, 0, controls, NULL, NULL,
				    LDAP_NO_LIMIT, &s->msgid);
	ldap_conn_deadline(c, 0);
	if (ber)
		ber_free(ber, 1);
	return r == LDAP_SUCCESS ? 0 : ldap_conn_fail(c, "sync search", r);
}

/* ------------------------------------------------------------------ entries */

struct state {
	ber_int_t what; /* LDAP_SYNC_PRESENT, ADD, MODIFY, DELETE */
	struct ldap_id id;
	struct berval cookie; /* owned */
};

static bool take_id(const struct berval *v, struct ldap_id *ret)
{
	if (v->bv_len != sizeof(ret->v))
		return false;
	memcpy(ret->v, v->bv_val, sizeof(ret->v));
	return true;
}

/* liblber follows the NULL of a value without bytes. */
static BerElement *open_value(const struct berval *value)
{
	return value && value->bv_len > 0
		       ? ber_init((struct berval *)(uintptr_t)value) /* only read */
		       : NULL;
}

static bool parse_state(const struct berval *value, struct state *ret)
{
	BerElement *ber = open_value(value);
	struct berval id = {.bv_val = NULL}, cookie = {.bv_val = NULL};
	ber_len_t len;
	bool ok = ber && ber_scanf(ber, "{em", &ret->what, &id) != LBER_ERROR &&
		  take_id(&id, &ret->id);

	if (ok && ber_peek_tag(ber, &len) == LDAP_TAG_SYNC_COOKIE)
		ok = ber_scanf(ber, "m", &cookie) != LBER_ERROR &&
		     (cookie.bv_len == 0 || ber_dupbv(&ret->cookie, &cookie));
	if (ber)
		ber_free(ber, 1);
	return ok && ret->what >= LDAP_SYNC_PRESENT && ret->what <= LDAP_SYNC_DELETE;
}

static bool find_state(struct ldap_conn *c, LDAPMessage *m, struct state *ret)
{
	LDAPControl **controls = NULL, *found = NULL;
	bool ok = ldap_get_entry_controls(ldap_conn_handle(c), m, &controls) ==
			  LDAP_SUCCESS &&
		  controls;

	if (ok)
		found = ldap_control_find(LDAP_CONTROL_SYNC_STATE, controls, NULL);
	ok = found && parse_state(&found->ldctl_value, ret);
	ldap_controls_free(controls);
	return ok;
}

static int put_entry(void *arg, const struct ldap_entry *e)
{
	struct ldap_sync *s = arg;
	int r = ldap_map_put(s->map, s->kind, e);

	return r < 0 ? r : 0; /* dropped and full: the map keeps the reason */
}

static int apply(struct ldap_sync *s, struct ldap_conn *c, LDAPMessage *m,
		 const struct state *st)
{
	switch (st->what) {
	case LDAP_SYNC_ADD:
	case LDAP_SYNC_MODIFY:
		return ldap_conn_entry(c, m, &st->id, put_entry, s);
	case LDAP_SYNC_DELETE:
		return ldap_map_delete(s->map, s->kind, &st->id);
	default: /* LDAP_SYNC_PRESENT: checked in parse_state() */
		/* Unchanged, says the server, but nothing is known of it. */
		return ldap_map_present(s->map, s->kind, &st->id) ? 0
								  : LDAP_SYNC_E_RELOAD;
	}
}

static int take_entry(struct ldap_sync *s, struct ldap_conn *c, LDAPMessage *m)
{
	struct state st = {.what = -1};
	int r = find_state(c, m, &st) ? 0
				      : broken(c, "an entry without its sync state");

	if (r == 0)
		r = apply(s, c, m, &st);
	if (r == 0) {
		s->n_changes++;
		r = keep_cookie(s, &st.cookie);
	}
	ber_memfree(st.cookie.bv_val);
	return r;
}

/* ------------------------------------------------------------- intermediate */

/* What was not mentioned until now is gone. */
static int sweep(struct ldap_sync *s)
{
	if (s->swept)
		return 0;
	s->swept = true;
	return ldap_map_refresh_end(s->map, s->kind);
}

static int end_phase(struct ldap_sync *s, bool present, bool done)
{
	int r = 0;

	/* A first refresh lists everything, whatever its last message is called. */
	if (present || (done && !s->resumed))
		r = sweep(s);
	else if (done && !s->swept)
		ldap_map_refresh_keep(s->map, s->kind);
	s->refreshed = s->refreshed || done;
	return r;
}

static int take_ids(struct ldap_sync *s, BerVarray ids, bool deletes)
{
	struct ldap_id id;
	int r = 0;

	for (size_t i = 0; r == 0 && ids && ids[i].bv_val; i++) {
		if (!take_id(&ids[i], &id))
			return LDAP_SYNC_E_RELOAD;
		s->n_changes++;
		if (deletes)
			r = ldap_map_delete(s->map, s->kind, &id);
		else if (!ldap_map_present(s->map, s->kind, &id))
			r = LDAP_SYNC_E_RELOAD;
	}
	return r;
}

/* The tag of what follows, LBER_DEFAULT: nothing. Return: false when it is cut short.
 */
static bool peek(BerElement *ber, ber_tag_t *ret)
{
	ber_len_t len, rest = 0;

	*ret = ber_peek_tag(ber, &len);
	return *ret != LBER_DEFAULT ||
	       (ber_get_option(ber, LBER_OPT_BER_REMAINING_BYTES, &rest) == 0 &&
		rest == 0);
}

static bool scan_cookie(BerElement *ber, struct berval *ret)
{
	ber_tag_t tag;

	return peek(ber, &tag) &&
	       (tag != LDAP_TAG_SYNC_COOKIE || ber_scanf(ber, "m", ret) != LBER_ERROR);
}

static bool scan_flag(BerElement *ber, ber_tag_t tag, ber_int_t *ret)
{
	ber_tag_t found;

	return peek(ber, &found) &&
	       (found != tag || ber_scanf(ber, "b", ret) != LBER_ERROR);
}

static int take_phase(struct ldap_sync *s, struct ldap_conn *c, BerElement *ber,
		      bool present)
{
	struct berval cookie = {.bv_val = NULL};
	ber_int_t done = 1; /* DEFAULT TRUE */
	int r;

	if (ber_scanf(ber, "{") == LBER_ERROR || !scan_cookie(ber, &cookie) ||
	    !scan_flag(ber, LDAP_TAG_REFRESHDONE, &done))
		return broken(c, "the end of a refresh");
	r = end_phase(s, present, done != 0);
	return r == 0 ? keep_cookie(s, &cookie) : r;
}

static int take_id_set(struct ldap_sync *s, struct ldap_conn *c, BerElement *ber)
{
	struct berval cookie = {.bv_val = NULL};
	ber_int_t deletes = 0; /* DEFAULT FALSE */
	BerVarray ids = NULL;
	int r;

	if (ber_scanf(ber, "{") == LBER_ERROR || !scan_cookie(ber, &cookie) ||
	    !scan_flag(ber, LDAP_TAG_REFRESHDELETES, &deletes) ||
	    ber_scanf(ber, "[W]", &ids) == LBER_ERROR)
		return broken(c, "a set of ids");
	r = take_ids(s, ids, deletes != 0);
	ber_bvarray_free(ids);
	return r == 0 ? keep_cookie(s, &cookie) : r;
}

static int take_info(struct ldap_sync *s, struct ldap_conn *c, BerElement *ber)
{
	struct berval cookie = {.bv_val = NULL};
	ber_len_t len;

	switch (ber_peek_tag(ber, &len)) {
	case LDAP_TAG_SYNC_NEW_COOKIE:
		if (ber_scanf(ber, "m", &cookie) == LBER_ERROR)
			return broken(c, "a cookie");
		return keep_cookie(s, &cookie);
	case LDAP_TAG_SYNC_REFRESH_DELETE:
		return take_phase(s, c, ber, false);
	case LDAP_TAG_SYNC_REFRESH_PRESENT:
		return take_phase(s, c, ber, true);
	case LDAP_TAG_SYNC_ID_SET:
		return take_id_set(s, c, ber);
	default: /* not an enum: whatever else the server may send */
		return broken(c, "an unknown sync message");
	}
}

static int take_intermediate(struct ldap_sync *s, struct ldap_conn *c, LDAPMessage *m)
{
	struct berval *value = NULL;
	char *oid = NULL;
	BerElement *ber = NULL;
	int r = ldap_parse_intermediate(ldap_conn_handle(c), m, &oid, &value, NULL, 0);

	if (r != LDAP_SUCCESS)
		r = ldap_conn_fail(c, "an intermediate message", r);
	else if (str_eq(oid, LDAP_SYNC_INFO))
		r = (ber = open_value(value))
			    ? take_info(s, c, ber)
			    : broken(c, "a sync message without a value");
	if (ber)
		ber_free(ber, 1);
	ldap_memfree(oid);
	ber_bvfree(value);
	return r;
}

/* ------------------------------------------------------------------- result */

/* A persistent search ends only when the server gives it up. One that was to go on from
 * a cookie may do so without it: a server that was restored from a backup is older than
 * the cookie, and calls that "unwilling". */
static int take_result(const struct ldap_sync *s, struct ldap_conn *c, LDAPMessage *m)
{
	int error = LDAP_OTHER;
	int r = ldap_parse_result(ldap_conn_handle(c), m, &error, NULL, NULL, NULL,
				  NULL, 0);

	if (r == LDAP_SUCCESS && error == LDAP_UNAVAILABLE_CRITICAL_EXTENSION)
		return LDAP_SYNC_E_NONE;
	if (r == LDAP_SUCCESS &&
	    (error == LDAP_SYNC_REFRESH_REQUIRED || (s->resumed && !s->refreshed)))
		return LDAP_SYNC_E_RELOAD;
	return ldap_conn_fail(c, "the server ended the sync search",
			      r == LDAP_SUCCESS ? error : r);
}

int ldap_sync_take(struct ldap_sync *s, struct ldap_conn *c, LDAPMessage *m)
{
	switch (ldap_msgtype(m)) {
	case LDAP_RES_SEARCH_ENTRY:
		return take_entry(s, c, m);
	case LDAP_RES_INTERMEDIATE:
		return take_intermediate(s, c, m);
	case LDAP_RES_SEARCH_RESULT:
		return take_result(s, c, m);
	case LDAP_RES_SEARCH_REFERENCE: /* another server is never followed */
		return 0;
	default: /* not an enum */
		return broken(c, "a message of another kind");
	}
}
