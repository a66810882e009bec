/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - the log's life: open, append with the turn, commit or fall back, public
 * ids. */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>
#include <openssl/crypto.h>

void audit_close(struct audit *audit)
{
	if (!audit)
		return;
	if (audit->store)
		store_seal_heads(audit->store, NULL, NULL);
	chain_free(audit->chain);
	sink_free(audit->sink);
	segment_close(audit->segment);
	coalesce_free(audit->co);
	free(audit->queue);
	free(audit);
}

static void closep(struct audit **audit)
{
	audit_close(*audit);
}

/* The head's MAC, the last line under it, and nothing after it. */
static int check_head(struct audit *audit, const char **ret_why)
{
	struct store_head *head = &audit->durable;
	uint8_t hash[AUDIT_HASH_LEN];
	size_t len = 0;
	int r;

	*ret_why = "the head cannot be read";
	r = store_audit_head(audit->store, head);
	if (r == 0 && head->seq > 0) {
		*ret_why = "the head is not signed with this master key";
		r = chain_head_check(audit->seal, head);
	}
	if (r == 0 && head->seq > 0) {
		*ret_why = "the last record is missing";
		r = store_audit_get(audit->store, head->seq, audit->line,
				    sizeof(audit->line), &len);
	}
	if (r == 0 && head->seq > 0)
		r = chain_hash(audit->chain, audit->line, len, hash);
	if (r == 0 && head->seq > 0 &&
	    CRYPTO_memcmp(hash, head->hash, sizeof(hash)) != 0) {
		*ret_why = "the last record was changed";
		r = STORE_E_CORRUPT;
	}
	if (r != 0)
		return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
	*ret_why = "there are records after the head";
	r = store_audit_get(audit->store, head->seq + 1, audit->line,
			    sizeof(audit->line), &len);
	return r == STORE_E_NONE ? 0 : r == 0 ? STORE_E_CORRUPT : r;
}

static int open_parts(struct audit *audit, const struct audit_options *opt)
{
	int r = chain_new(&audit->chain);

	if (r == 0)
		r = sink_new(opt->journal, opt->dev_log, &audit->sink);
	if (r == 0)
		r = coalesce_new(&audit->co);
	audit->signer = opt->signer;
	audit->dir = opt->dir;
	audit->keep = opt->retention;
	return r;
}

static int seal_head(void *arg, struct store_head *head)
{
	const struct audit *audit = arg;

	head->tree_len = merkle_nodes(audit->tree.size) * (size_t)AUDIT_HASH_LEN;
	memcpy(head->tree, audit->tree.node, head->tree_len);
	return chain_head_mac(audit->seal, head, head->mac);
}

int audit_open(struct store *store, const struct seal *seal,
	       const struct audit_options *opt, struct audit **ret, struct diags *diag)
{
	_cleanup_(closep) struct audit *audit = calloc(1, sizeof(*audit));
	const char *why = "out of memory";
	int r;

	if (!audit)
		return -ENOMEM;
	audit->store = store;
	audit->seal = seal;
	audit->host = opt->host;
	r = open_parts(audit, opt);
	if (r == 0)
		r = check_head(audit, &why);
	if (r == 0)
		r = checkpoint_check(audit, &why);
	if (r == 0 && opt->dir)
		r = segment_open(audit, &audit->segment);
	if (r == STORE_E_CORRUPT)
		diags_add(diag, store_path(store), 0, 0, NULL,
			  "the audit log was damaged or altered: %s; rbacd refuses to "
			  "start. See \"rbacctl audit verify\"; way back: \"rbacctl "
			  "restore "
			  "BACKUP\"",
			  why);
	else if (r != 0)
		diags_add(diag, store_path(store), 0, 0, NULL,
			  "cannot open the audit log: %s", r < 0 ? strerror(-r) : why);
	if (r != 0)
		return r;
	audit->pending = audit->durable;
	audit->durable_tree = audit->tree;
	audit->durable_signed = audit->signed_seq;
	audit->durable_unsigned_us = audit->first_unsigned_us;
	store_seal_heads(store, seal_head, audit);
	*ret = STEAL(audit);
	return 0;
}

static int id_check(const struct seal *seal, uint64_t seq, char ret[5])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t mac[32], be[8];
	const struct seal_part part = {be, sizeof(be)};
	int r;

	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)(seq >> (56 - 8 * i));
	r = seal_lookup(seal, "audit-id", &part, 1, mac);
	if (r != 0)
		return r;
	for (int i = 0; i < 4; i++)
		ret[i] = alphabet[mac[i] & 31];
	ret[4] = '\0';
	return 0;
}

static int make_id(const struct seal *seal, uint64_t seq, char ret[AUDIT_ID_MAX + 1])
{
	char check[5];
	int r = id_check(seal, seq, check);

	if (r == 0)
		(void)snprintf(ret, AUDIT_ID_MAX + 1, "%llu-%s",
			       (unsigned long long)seq,
			       check); /* 20 digits, '-', 4: fits */
	return r;
}

int audit_parse_id(const struct seal *seal, const char *id, uint64_t *ret_seq)
{
	char want[AUDIT_ID_MAX + 1];
	uint64_t seq = 0;
	size_t i = 0;
	int r;

	for (; i < 19 && id[i] >= '0' && id[i] <= '9'; i++)
		seq = seq * 10 + (uint64_t)(id[i] - '0');
	if (i == 0 || id[0] == '0')
		return -EINVAL;
	r = make_id(seal, seq, want);
	if (r != 0)
		return r;
	if (strlen(id) != strlen(want) || CRYPTO_memcmp(id, want, strlen(want)) != 0)
		return -EINVAL;
	*ret_seq = seq;
	return 0;
}

static int hash_user(const struct audit *audit, const char *name, char ret[17])
{
	const struct seal_part part = {name, strlen(name)};
	uint8_t mac[32];
	int r = seal_lookup(audit->seal, "audit-unknown-user", &part, 1, mac);

	if (r == 0)
		audit_hex(mac, 8, ret);
	return r;
}

static struct sink_message *queue_slot(struct audit *audit)
{
	struct sink_message *more;
	size_t cap;

	if (audit->n_queue == AUDIT_MESSAGES_MAX)
		return NULL;
	if (audit->n_queue == audit->cap_queue) {
		cap = audit->cap_queue ? 2 * audit->cap_queue : 4;
		more = reallocarray(audit->queue, cap, sizeof(*more));
		if (!more)
			return NULL;
		audit->queue = more;
		audit->cap_queue = cap;
	}
	return &audit->queue[audit->n_queue++];
}

static void queue_message(struct audit *audit, const struct audit_event *ev,
			  int64_t now_us, const char *id)
{
	struct sink_message *msg = queue_slot(audit);

	if (!msg) {
		audit->n_unqueued++;
		return;
	}
	msg->sev = ev->sev;
	msg->now_us = now_us;
	(void)snprintf(msg->id, sizeof(msg->id), "%s", id); /* same size */
	sink_describe(ev, &audit->pending, msg);
}

static int render(struct audit *audit, const struct audit_event *ev, int64_t now_us,
		  const char *id, size_t *ret_len)
{
	char user_hash[17];
	struct audit_stamp st = {
		.seq = audit->pending.seq + 1,
		.now_us = now_us,
		.clock_back = now_us / 1000000 < audit->pending.ts_s,
		.clock_unsynced = audit->clock_unsynced,
		.id = id,
		.host = audit->host,
	};
	int r;

	memcpy(st.prev, audit->pending.hash, sizeof(st.prev));
	if (ev->unknown_user && ev->unknown_user[0] != '\0') {
		r = hash_user(audit, ev->unknown_user, user_hash);
		if (r != 0)
			return r;
		st.user_hash = user_hash;
	}
	return audit_render(ev, &st, audit->line, ret_len);
}

void audit_clock_unsynced(struct audit *audit, bool unsynced)
{
	audit->clock_unsynced = unsynced;
}

void audit_observe(struct audit *audit, audit_observe_fn *fn, void *arg)
{
	audit->observe = fn;
	audit->observe_arg = arg;
}

static int observe(struct audit *audit, const struct audit_event *ev, int64_t now_us)
{
	int r = audit->observe ? audit->observe(audit->observe_arg, ev, now_us) : 0;

	return r == 0 || r == STORE_E_FULL || r < 0 ? r : -EIO;
}

int audit_append(struct audit *audit, const struct audit_event *ev, int64_t now_us,
		 char ret_id[AUDIT_ID_MAX + 1])
{
	struct store_head head = {.seq = audit->pending.seq + 1,
				  .ts_s = now_us / 1000000};
	uint8_t leaf[AUDIT_HASH_LEN];
	char id[AUDIT_ID_MAX + 1];
	size_t len = 0;
	int r = store_begin(audit->store);

	if (r == 0)
		r = checkpoint_due(audit, now_us);
	if (r == 0)
		r = make_id(audit->seal, head.seq, id);
	if (r == 0)
		r = render(audit, ev, now_us, id, &len);
	if (r == 0)
		r = chain_hash(audit->chain, audit->line, len, head.hash);
	if (r == 0)
		r = merkle_leaf(audit->chain, audit->line, len, leaf);
	if (r == 0)
		r = store_audit_append(audit->store, head.seq, audit->line, len, &head);
	if (r == 0)
		r = merkle_add(audit->chain, &audit->tree, leaf);
	if (r != 0)
		return r == STORE_E_FULL || r < 0 ? r : -EIO;
	if (head.seq == audit->signed_seq + 1)
		audit->first_unsigned_us = now_us;
	audit->pending = head;
	queue_message(audit, ev, now_us, id);
	r = observe(audit, ev, now_us);
	if (r == 0)
		memcpy(ret_id, id, sizeof(id));
	return r;
}

int audit_append_stranger(struct audit *audit, const struct audit_event *ev,
			  int64_t now_us, char ret_id[AUDIT_ID_MAX + 1])
{
	bool first;
	struct coalesce_entry *e = coalesce_find(audit->co, ev, now_us, &first);
	int r;

	ret_id[0] = '\0';
	if (!first || store_free_percent(audit->store) < AUDIT_RESERVE_PCT) {
		e->count++;
		return observe(audit, ev, now_us);
	}
	r = audit_append(audit, ev, now_us, ret_id);
	if (r != 0)
		e->count++; /* owed; the caller denies and rolls the turn back */
	else
		e->unsaved++;
	return r;
}

static int append_count(struct audit *audit, struct coalesce_entry *e, int64_t now_us)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];
	int r;

	ev.ev = e->ev;
	ev.src = e->src;
	ev.reason = e->reason ? e->reason : "rate_limited";
	ev.sev = AUDIT_WARNING;
	ev.count = e->count;
	r = audit_append(audit, &ev, now_us, id);
	if (r != 0)
		return r;
	e->unsaved += e->count;
	e->count = 0;
	return 0;
}

static int append_counts(struct audit *audit, int64_t now_us)
{
	struct coalesce_entry *e;
	size_t pos = 0;
	int r;

	while ((e = coalesce_due(audit->co, now_us, &pos))) {
		if (e->count == 0 && e->unsaved == 0) {
			e->used = false;
			continue;
		}
		/* Into the reserve no stranger writes: go on counting. */
		if (store_free_percent(audit->store) < AUDIT_RESERVE_PCT)
			return 0;
		if (e->count > 0) {
			r = append_count(audit, e, now_us);
			if (r != 0)
				return r;
		}
		e->closing = true;
	}
	return 0;
}

/* Silence would look the same as a log that somebody holds back. */
static int heartbeat(struct audit *audit, int64_t now_us)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	if (audit->pending.seq == 0 ||
	    now_us / 1000000 - audit->pending.ts_s < AUDIT_HEARTBEAT_S)
		return 0;
	ev.ev = "log.heartbeat";
	ev.outcome = AUDIT_SUCCESS;
	return audit_append(audit, &ev, now_us, id);
}

int audit_tick(struct audit *audit, int64_t now_us)
{
	int r = append_counts(audit, now_us);

	if (r == 0)
		r = checkpoint_due(audit, now_us);
	if (r == 0)
		r = heartbeat(audit, now_us);
	if (r == 0 && audit->segment)
		r = segment_advance(audit, now_us);
	if (r == 0 && audit->segment)
		r = retention_tick(audit, now_us);
	return r;
}

static int record_event(struct audit *audit, const char *ev_name, enum audit_sev sev,
			const char *object, const char *text, int64_t now_us)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	ev.ev = ev_name;
	ev.sev = sev;
	ev.outcome = sev == AUDIT_ALERT ? AUDIT_FAILURE : AUDIT_SUCCESS;
	ev.object = object;
	ev.reason_text = text;
	return audit_append(audit, &ev, now_us, id);
}

int audit_start(struct audit *audit, int64_t now_us)
{
	int r = checkpoint_sign(audit); /* so that what is told next comes after it */

	if (r == 0 && audit->migrated)
		r = record_event(audit, "log.tree", AUDIT_NOTICE, NULL,
				 "the tree begins to be signed here", now_us);
	if (r == 0 && audit->new_key)
		r = record_event(audit, "log.key", AUDIT_NOTICE,
				 signer_vkey(audit->signer), NULL, now_us);
	if (r == 0 && audit->new_key)
		r = checkpoint_sign(audit);
	if (r == 0 && audit->problem)
		r = record_event(audit, "log.unsigned", AUDIT_ALERT, NULL,
				 audit->problem, now_us);
	audit->new_key = audit->migrated = false;
	return r;
}

int audit_stop(struct audit *audit)
{
	return checkpoint_sign(audit);
}

void audit_committed(struct audit *audit)
{
	if (audit->note_len > 0)
		checkpoint_publish(audit);
	audit->durable_signed = audit->signed_seq;
	audit->durable_unsigned_us = audit->first_unsigned_us;
	if (audit->pending.seq == audit->durable.seq)
		return;
	audit->durable = audit->pending;
	audit->durable_tree = audit->tree;
	coalesce_committed(audit->co);
	for (size_t i = 0; i < audit->n_queue; i++)
		sink_send(audit->sink, &audit->queue[i]);
	sink_count_dropped(audit->sink, audit->n_unqueued);
	audit->n_queue = 0;
	audit->n_unqueued = 0;
}

void audit_rolled_back(struct audit *audit)
{
	audit->pending = audit->durable;
	audit->tree = audit->durable_tree;
	audit->signed_seq = audit->durable_signed;
	audit->first_unsigned_us = audit->durable_unsigned_us;
	audit->note_len = 0;
	coalesce_rolled_back(audit->co);
	audit->n_queue = 0;
	audit->n_unqueued = 0;
}

uint64_t audit_seq(const struct audit *audit)
{
	return audit->durable.seq;
}

uint64_t audit_appended_seq(const struct audit *audit)
{
	return audit->pending.seq;
}

uint64_t audit_dropped(const struct audit *audit)
{
	return sink_dropped(audit->sink);
}

void audit_status(const struct audit *audit, struct audit_status *ret)
{
	*ret = (struct audit_status){
		.seq = audit->durable.seq,
		.signed_seq = audit->durable_signed,
		.segment_seq = audit->segment ? segment_seq(audit->segment) : 0,
		.ts_s = audit->durable.ts_s,
		.dropped = sink_dropped(audit->sink),
		.unsigned_us = audit->durable.seq > audit->durable_signed
				       ? audit->durable_unsigned_us
				       : 0,
		.problem = audit->problem,
	};
}
