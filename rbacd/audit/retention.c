/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention.c - what is old leaves: first the database, where closed segments have it,
 * later the segments themselves.
 *
 * A segment is dropped whole. The chain and the tree at its end are kept as the base
 * that the rest is verified from, and a record, which the next checkpoint signs, names
 * both; only then the file goes. A crash in between leaves a file too many, which goes
 * at the next start.
 */
#include "rbacd/audit/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include "rbacd/audit/audit_internal.h"
#include "rbacd/audit/segment.h"

#define META_HOLD   "audit-hold"
#define EVERY_US    (60 * INT64_C(1000000))
#define PRUNE_LINES 2048 /* of the database, a tick */

/* ---------------------------------------------------------------- the hold */

int audit_hold_set(struct store *store, bool hold)
{
	return store_meta_put(store, META_HOLD, hold ? "1" : "0", 1);
}

bool audit_hold_get(struct store *store)
{
	char c = '1';
	size_t len = 0;
	int r = store_meta_get(store, META_HOLD, &c, 1, &len);

	return r != STORE_E_NONE &&
	       (r != 0 || len != 1 || c != '0'); /* unknown: held */
}

/* ---------------------------------------------------------------- segments */

static int64_t first_time(const char *dir, uint64_t first)
{
	char line[AUDIT_LINE_MAX + 2];
	_cleanup_fclose_ FILE *in = NULL;
	struct audit_view view;
	const char *why;
	size_t len;

	in = segment_file(dir, first);
	if (!in || !fgets(line, sizeof(line), in))
		return INT64_MAX;
	len = strcspn(line, "\n");
	return audit_view_parse(line, len, &view, &why) == 0 ? view.ts_us : INT64_MAX;
}

static int add_line(struct audit *audit, struct audit_base *b, const char *line,
		    size_t len)
{
	uint8_t leaf[AUDIT_HASH_LEN];
	struct audit_view view;
	const char *why;
	int r;

	if (audit_view_parse(line, len, &view, &why) != 0 || view.seq != b->seq + 1 ||
	    CRYPTO_memcmp(view.prev, b->hash, AUDIT_HASH_LEN) != 0)
		return STORE_E_CORRUPT;
	r = merkle_leaf(audit->chain, line, len, leaf);
	if (r == 0)
		r = merkle_add(audit->chain, &b->tree, leaf);
	if (r == 0)
		r = chain_hash(audit->chain, line, len, b->hash);
	b->seq = view.seq;
	b->ts_s = view.ts_us / 1000000;
	return r;
}

/* The base behind one whole segment; what is damaged is never dropped. */
static int read_segment(struct audit *audit, uint64_t first, uint64_t next,
			struct audit_base *b)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_fclose_ FILE *in = NULL;
	size_t cap = 0;
	ssize_t n;
	int r = 0;

	in = segment_file(audit->dir, first);
	if (!in)
		return -errno;
	while (r == 0 && (n = getline(&line, &cap, in)) > 0)
		r = line[n - 1] == '\n' ? add_line(audit, b, line, (size_t)n - 1)
					: STORE_E_CORRUPT;
	return r == 0 && b->seq != next - 1 ? STORE_E_CORRUPT : r;
}

static int record_prune(struct audit *audit, const struct audit_base *b, uint64_t first,
			int64_t now_us)
{
	struct audit_event ev = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1], object[48], root_hex[65], hash_hex[65];
	uint8_t root[AUDIT_HASH_LEN];
	int r = merkle_root(audit->chain, &b->tree, root);

	if (r != 0)
		return r;
	audit_hex(root, sizeof(root), root_hex);
	audit_hex(b->hash, sizeof(b->hash), hash_hex);
	(void)snprintf(object, sizeof(object), "%llu-%llu", (unsigned long long)first,
		       (unsigned long long)b->seq); /* fits */
	ev.ev = "log.prune";
	ev.sev = AUDIT_NOTICE;
	ev.outcome = AUDIT_SUCCESS;
	ev.op = "prune";
	ev.object = object;
	ev.before_sha = root_hex;
	ev.after_sha = hash_hex;
	ev.count = (int64_t)(b->seq - first + 1);
	return audit_append(audit, &ev, now_us, id);
}

/* Files behind the base, which a crash may have left. */
static void drop_files(struct audit *audit, const uint64_t *v, size_t n, uint64_t base)
{
	char path[600], name[SEGMENT_NAME_MAX];

	for (size_t i = 0; i + 1 < n && v[i + 1] <= base + 1; i++) {
		segment_name(v[i], name);
		(void)snprintf(path, sizeof(path), "%s/%s", audit->dir, name);
		(void)unlink(path); /* tried again a minute later */
	}
}

/* The oldest segment, when it is closed, too old, and no longer in the database. */
static int prune_segment(struct audit *audit, const uint64_t *v, size_t n,
			 struct audit_base *b, int64_t now_us)
{
	uint64_t oldest = 0;
	int r = store_audit_first(audit->store, &oldest);
	size_t i = 0;

	while (i < n && v[i] <= b->seq)
		i++;
	if (r != 0 || i + 1 >= n || v[i] != b->seq + 1 || audit->keep.keep_s == 0 ||
	    oldest < v[i + 1] ||
	    first_time(audit->dir, v[i + 1]) >=
		    now_us - audit->keep.keep_s * INT64_C(1000000))
		return r;
	r = read_segment(audit, v[i], v[i + 1], b);
	if (r == 0)
		r = record_prune(audit, b, v[i], now_us);
	if (r == 0)
		r = audit_base_store(audit->store, audit->seal, b);
	/* A damaged segment stays for the verifier to name; nobody is refused for it.
	 */
	return r == STORE_E_CORRUPT ? 0 : r;
}

/* Lines that closed segments hold, and that are too old to be kept at hand. */
static int prune_database(struct audit *audit, const uint64_t *v, size_t n,
			  int64_t now_us)
{
	int64_t online_s = audit->keep.online_s;
	uint64_t oldest = 0, upto = 0;
	int r = store_audit_first(audit->store, &oldest);

	if (r != 0 || online_s == 0)
		return r;
	for (size_t i = 0; i + 1 < n; i++)
		if (v[i + 1] > oldest && v[i + 1] <= segment_first(audit->segment) &&
		    first_time(audit->dir, v[i + 1]) <
			    now_us - online_s * INT64_C(1000000))
			upto = v[i + 1];
		else if (v[i + 1] > oldest)
			break;
	if (upto == 0)
		return 0;
	return store_audit_prune(audit->store, upto - oldest > PRUNE_LINES
						       ? oldest + PRUNE_LINES
						       : upto);
}

/* By a clock that jumped ahead all of the log would be too old at once. */
static bool is_unsure(const struct audit *audit)
{
	bool open = true;

	return audit->keep.unsure_alert &&
	       (store_alert_open(audit->store, audit->keep.unsure_alert, &open) != 0 ||
		open);
}

int retention_tick(struct audit *audit, int64_t now_us)
{
	_cleanup_free_ uint64_t *v = NULL;
	struct audit_base base;
	size_t n = 0;
	int r;

	if (now_us - audit->retained_us < EVERY_US && now_us >= audit->retained_us)
		return 0;
	audit->retained_us = now_us;
	r = audit_base_load(audit->store, audit->seal, &base);
	if (r == 0 && segment_list(audit->dir, &v, &n) != 0)
		return 0;
	if (r != 0)
		return r;
	drop_files(audit, v, n, base.seq);
	if (audit_hold_get(audit->store) || is_unsure(audit))
		return 0;
	r = prune_database(audit, v, n, now_us);
	return r == 0 ? prune_segment(audit, v, n, &base, now_us) : r;
}
