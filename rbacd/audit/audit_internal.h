/* SPDX-License-Identifier: Apache-2.0 */
/* audit_internal.h - what the files of audit/ share. Nobody outside audit/ includes it.
 */
#pragma once

#include <openssl/evp.h>

#include "rbacd/audit/audit.h"
#include "rbacd/audit/merkle.h"
#include "rbacd/audit/note.h"
#include "rbacd/audit/view.h"

#define AUDIT_STRANGERS_MAX 1024 /* (source, reason) keys; then one shared key */
#define AUDIT_STRANGER_US   (60 * INT64_C(1000000))
#define AUDIT_RESERVE_PCT   5 /* free space kept from strangers */
#define AUDIT_MESSAGE_MAX   512
#define AUDIT_MESSAGES_MAX  1024 /* queued in one turn; more are counted as dropped */

/* record.c: an event and what the log itself adds to it. */
struct audit_stamp {
	uint64_t seq;
	uint8_t prev[AUDIT_HASH_LEN];
	int64_t now_us;
	bool clock_back;     /* earlier than the record before */
	bool clock_unsynced; /* as the kernel says */
	const char *id;
	const char *host;
	const char *user_hash; /* 16 hex digits for unknown_user; NULL without */
};

/*
 * audit_render() - one canonical JSON line, without a newline, at most AUDIT_LINE_MAX.
 * Optional text is cut, at whole characters, until the line fits.
 * Return: 0; -EMSGSIZE: cannot happen with the caps of record.c, and denies if it does.
 */
_must_check_ int audit_render(const struct audit_event *ev,
			      const struct audit_stamp *st,
			      char buf[AUDIT_LINE_MAX + 1], size_t *ret_len);

/*
 * audit_escape() - @text as the inside of a JSON string: controls, quotes, invalid
 * UTF-8, bidi and invisible characters become \uXXXX. Cut at @cap bytes (with the NUL),
 * never inside a character. Return: bytes written without the NUL.
 */
size_t audit_escape(const char *text, size_t len, char *buf, size_t cap);

/* audit_time() - RFC 3339, UTC, microseconds. */
#define AUDIT_TIME_LEN 27
_must_check_ int audit_time(int64_t now_us, char ret[AUDIT_TIME_LEN + 1]);

/* audit_hex() - lower case, NUL-terminated. */
void audit_hex(const uint8_t *p, size_t len, char *ret);

/*
 * audit_utf8() - one character, strictly (no overlong, surrogate or beyond U+10FFFF).
 * Return: its bytes; 0: invalid.
 */
size_t audit_utf8(const uint8_t *p, size_t len, uint32_t *ret);
/* audit_put_utf8() - @c, at most U+10FFFF, as UTF-8. Return: bytes. */
size_t audit_put_utf8(uint32_t c, char out[4]);

/* chain.c: SHA-256 over raw lines, and the MAC of the head. */
struct chain;
_must_check_ int chain_new(struct chain **ret);
void chain_free(struct chain *chain);
_must_check_ int chain_hash(struct chain *chain, const char *line, size_t len,
			    uint8_t ret[AUDIT_HASH_LEN]);
/* chain_hash_tagged() - SHA-256(@tag || bytes): leaves (0) and nodes (1) of the tree.
 */
_must_check_ int chain_hash_tagged(struct chain *chain, uint8_t tag, const char *p,
				   size_t len, uint8_t ret[AUDIT_HASH_LEN]);
_must_check_ int chain_head_mac(const struct seal *seal, const struct store_head *head,
				uint8_t ret[32]);
/* chain_head_check() - 0; STORE_E_CORRUPT: the MAC is not ours. */
_must_check_ int chain_head_check(const struct seal *seal,
				  const struct store_head *head);

/* sink_syslog.c: lines to journald or syslog, never waiting. */
struct sink;
_must_check_ int sink_new(const char *journal, const char *dev_log, struct sink **ret);
void sink_free(struct sink *sink);
struct sink_message {
	enum audit_sev sev;
	int64_t now_us;
	char id[AUDIT_ID_MAX + 1];
	char text[AUDIT_MESSAGE_MAX];
};
/* sink_describe() - the text of a message; the head goes out with every line. */
void sink_describe(const struct audit_event *ev, const struct store_head *head,
		   struct sink_message *msg);
void sink_send(struct sink *sink, const struct sink_message *msg);
uint64_t sink_dropped(const struct sink *sink);
void sink_count_dropped(struct sink *sink, uint64_t n);

/* coalesce.c: counters of strangers' failures. */
struct coalesce;
_must_check_ int coalesce_new(struct coalesce **ret);
void coalesce_free(struct coalesce *co);

struct coalesce_entry {
	bool used;
	bool closing; /* its count is in this turn's records */
	char ev[24];
	char src[64];
	const char *reason; /* static; NULL: the shared entry */
	int64_t since_us;
	int64_t count;	 /* not yet in any record */
	int64_t unsaved; /* in a record of the turn that is not committed */
};

/*
 * coalesce_find() - the entry of (source, reason), new or old; the shared entry when
 * the table is full. @ret_first: nothing of it was recorded in this minute.
 */
struct coalesce_entry *coalesce_find(struct coalesce *co, const struct audit_event *ev,
				     int64_t now_us, bool *ret_first);
/* coalesce_due() - next entry whose minute is over, after *@pos; NULL: none. */
struct coalesce_entry *coalesce_due(struct coalesce *co, int64_t now_us, size_t *pos);
void coalesce_committed(struct coalesce *co);
void coalesce_rolled_back(struct coalesce *co);

/* audit.c: the open log. */
#define AUDIT_SIGN_RECORDS 1000 /* a checkpoint covers at most that many more */
#define AUDIT_SIGN_US	   (60 * INT64_C(1000000)) /* recorded within that time */
#define AUDIT_HEARTBEAT_S  300

struct segment;
struct audit {
	struct store *store;	 /* borrowed */
	const struct seal *seal; /* borrowed */
	const char *host;	 /* borrowed */
	struct chain *chain;	 /* owned */
	struct sink *sink;	 /* owned */
	struct coalesce *co;	 /* owned */
	struct segment *segment; /* owned; NULL: no files */
	struct store_head durable;
	struct store_head pending; /* with the records of this turn */
	struct merkle durable_tree, tree;
	const struct signer *signer; /* borrowed; NULL: no checkpoints */
	const char *dir;	     /* borrowed; of segments and checkpoint; NULL */
	uint64_t durable_signed, signed_seq; /* size of the newest checkpoint */
	int64_t durable_unsigned_us, first_unsigned_us; /* of record signed_seq + 1 */
	char note[NOTE_MAX]; /* signed in this turn, published after */
	size_t note_len;
	bool migrated;	     /* the tree was built now, of a log without one */
	bool new_key;	     /* the last checkpoint was signed by another key */
	bool clock_unsynced; /* of the records from here on */
	const char *problem; /* static: why nothing is signed; NULL */
	struct audit_retention keep;
	int64_t retained_us;	    /* retention was looked at */
	struct sink_message *queue; /* owned; of this turn, sent after its commit */
	size_t n_queue, cap_queue;
	uint64_t n_unqueued;	   /* records of this turn without room in the queue */
	audit_observe_fn *observe; /* static; NULL */
	void *observe_arg;	   /* borrowed */
	char line[AUDIT_LINE_MAX + 1];
};

/* checkpoint.c: what was signed, and what is due. */
/*
 * checkpoint_check() - at start: the tree grew out of what was signed last, and what
 * was published is not ahead of it. Sets problem, new_key, migrated.
 * Return: 0; STORE_E_CORRUPT and *ret_why; negative errno.
 */
_must_check_ int checkpoint_check(struct audit *audit, const char **ret_why);
/* checkpoint_due() - sign the tree before a record of @now_us is appended to it. */
_must_check_ int checkpoint_due(struct audit *audit, int64_t now_us);
/* checkpoint_sign() - now; nothing new, or a problem: 0 and nothing is signed. */
_must_check_ int checkpoint_sign(struct audit *audit);
/* checkpoint_publish() - the file for another host, and the sinks; after the commit. */
void checkpoint_publish(struct audit *audit);

/* segment.c: the lines as files. */
_must_check_ int segment_open(struct audit *audit, struct segment **ret);
void segment_close(struct segment *segment);
/*
 * segment_advance() - copy durable lines to the open segment, at most a tick's worth;
 * close it when it is full or old, which is recorded.
 * Return: 0 (also when the disk is full: the next tick goes on); else the turn's error.
 */
_must_check_ int segment_advance(struct audit *audit, int64_t now_us);
uint64_t segment_seq(const struct segment *segment);   /* last line in a file */
uint64_t segment_first(const struct segment *segment); /* of the open one */

/* base.c: what came before the first record kept: the chain, the tree and the key
 * there. */
struct audit_base {
	uint64_t seq;
	uint8_t hash[AUDIT_HASH_LEN];
	int64_t ts_s;
	struct merkle tree;
};
/* audit_base_load() - zeroes when nothing was pruned. STORE_E_CORRUPT: not ours. */
_must_check_ int audit_base_load(struct store *store, const struct seal *seal,
				 struct audit_base *ret);
_must_check_ int audit_base_store(struct store *store, const struct seal *seal,
				  const struct audit_base *base);

/* retention.c: once a minute, drop what is old, in whole segments. */
_must_check_ int retention_tick(struct audit *audit, int64_t now_us);
