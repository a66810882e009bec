/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.c - signing the tree: when it is due, and never one that is smaller than,
 * or did not grow out of, what was signed before.
 *
 * A checkpoint and the records it covers commit together; it is published afterwards.
 * The rule that a verifier can check: no checkpoint covers more than 1,000 new records,
 * nor records further apart than a minute.
 */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>

#define META_SIGNED "audit-signed" /* size, frontier */
#define META_VKEY   "audit-vkey"
#define PUBLISHED   "checkpoint"

/* ---------------------------------------------------------------- signing */

static int remember_signed(struct audit *audit)
{
	uint8_t buf[8 + STORE_TREE_MAX];
	size_t len = merkle_nodes(audit->tree.size) * (size_t)AUDIT_HASH_LEN;
	const char *vkey = signer_vkey(audit->signer);
	int r;

	for (int i = 0; i < 8; i++)
		buf[i] = (uint8_t)(audit->tree.size >> (56 - 8 * i));
	memcpy(buf + 8, audit->tree.node, len);
	r = store_meta_put(audit->store, META_SIGNED, buf, 8 + len);
	return r == 0 ? store_meta_put(audit->store, META_VKEY, vkey, strlen(vkey)) : r;
}

int checkpoint_sign(struct audit *audit)
{
	struct checkpoint cp = {.size = audit->tree.size};
	char note[NOTE_MAX];
	size_t len = 0;
	int r;

	if (!audit->signer || audit->problem || cp.size == audit->signed_seq)
		return 0;
	if (cp.size < audit->signed_seq)
		return -EINVAL; /* a smaller tree: never */
	r = store_begin(audit->store);
	if (r == 0)
		r = merkle_root(audit->chain, &audit->tree, cp.root);
	if (r == 0)
		r = note_sign(audit->signer, &cp, note, &len);
	if (r == 0)
		r = store_checkpoint_put(audit->store, cp.size, note, len);
	if (r == 0)
		r = remember_signed(audit);
	if (r != 0)
		return r;
	memcpy(audit->note, note, len);
	audit->note_len = len;
	audit->signed_seq = cp.size;
	return 0;
}

int checkpoint_due(struct audit *audit, int64_t now_us)
{
	int64_t waited_us = now_us - audit->first_unsigned_us;

	if (audit->tree.size == audit->signed_seq)
		return 0;
	if (audit->tree.size - audit->signed_seq < AUDIT_SIGN_RECORDS &&
	    waited_us >= 0 && waited_us < AUDIT_SIGN_US)
		return 0;
	return checkpoint_sign(audit);
}

/* ---------------------------------------------------------------- publishing */

static int write_file(int dir, const char *name, const char *text, size_t len)
{
	_cleanup_close_ int fd =
		openat(dir, "checkpoint.new",
		       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		return -ENOSPC;
	return renameat(dir, "checkpoint.new", dir, name) == 0 ? 0 : -errno;
}

/* One line for the journal, where it is out of reach of who holds this disk. */
static void send_note(struct audit *audit)
{
	struct sink_message msg = {.sev = AUDIT_INFO,
				   .now_us = audit->pending.ts_s * 1000000,
				   .id = "checkpoint"};
	size_t n = 0;

	n = (size_t)snprintf(msg.text, sizeof(msg.text), "checkpoint ");
	for (size_t i = 0; i < audit->note_len && n + 2 < sizeof(msg.text); i++) {
		if (audit->note[i] == '\n')
			msg.text[n++] = '\\';
		msg.text[n++] = audit->note[i] == '\n' ? 'n' : audit->note[i];
	}
	msg.text[n] = '\0';
	sink_send(audit->sink, &msg);
}

void checkpoint_publish(struct audit *audit)
{
	_cleanup_close_ int dir = -1;

	send_note(audit);
	if (audit->dir)
		dir = open(audit->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The store has it, and the next one follows within a minute. */
	if (dir >= 0)
		(void)write_file(dir, PUBLISHED, audit->note, audit->note_len);
	audit->note_len = 0;
}

/* ---------------------------------------------------------------- at start */

static int add_line(uint64_t seq, const char *line, size_t len, void *arg)
{
	struct audit *audit = arg;
	uint8_t leaf[AUDIT_HASH_LEN];
	struct audit_view view;
	const char *why;
	int r;

	if (seq != audit->tree.size + 1)
		return STORE_E_CORRUPT;
	if (seq == audit->signed_seq + 1 &&
	    audit_view_parse(line, len, &view, &why) == 0)
		audit->first_unsigned_us = view.ts_us;
	r = merkle_leaf(audit->chain, line, len, leaf);
	return r == 0 ? merkle_add(audit->chain, &audit->tree, leaf) : r;
}

/* audit->tree grown by the stored lines up to the head, and it is the head's tree. */
static int grow_to_head(struct audit *audit)
{
	const struct store_head *head = &audit->durable;
	int r = store_audit_each(audit->store, audit->tree.size + 1, add_line, audit);

	if (r == 0 && audit->tree.size != head->seq)
		return STORE_E_CORRUPT;
	if (r == 0 && head->tree_len > 0 &&
	    (head->tree_len != merkle_nodes(head->seq) * (size_t)AUDIT_HASH_LEN ||
	     CRYPTO_memcmp(head->tree, audit->tree.node, head->tree_len) != 0))
		return STORE_E_CORRUPT;
	return r;
}

/* The frontier at the newest checkpoint, which its root proves. */
static int load_signed(struct audit *audit, struct merkle *ret)
{
	uint8_t buf[8 + STORE_TREE_MAX];
	uint64_t size = 0;
	size_t len = 0;
	int r = store_meta_get(audit->store, META_SIGNED, buf, sizeof(buf), &len);

	if (r != 0)
		return r;
	if (len < 8)
		return STORE_E_CORRUPT;
	for (int i = 0; i < 8; i++)
		size = size << 8 | buf[i];
	return merkle_load(size, buf + 8, len - 8, ret) == 0 ? 0 : STORE_E_CORRUPT;
}

static int check_note(struct audit *audit, const struct merkle *tree)
{
	char note[STORE_NOTE_MAX], vkey[NOTE_VKEY_MAX] = "";
	uint8_t root[AUDIT_HASH_LEN];
	struct checkpoint cp = {0};
	struct verifier v;
	uint64_t seq = 0;
	size_t len = 0, n = 0;
	int r = store_checkpoint_last(audit->store, UINT64_MAX, &seq, note,
				      sizeof(note), &len);

	if (r == 0)
		r = store_meta_get(audit->store, META_VKEY, vkey, sizeof(vkey) - 1, &n);
	if (r == 0)
		r = merkle_root(audit->chain, tree, root);
	if (r != 0)
		return r == STORE_E_NONE ? STORE_E_CORRUPT : r;
	audit->new_key = !str_eq(vkey, signer_vkey(audit->signer));
	if (verifier_parse(vkey, &v) != 0 || note_open(&v, note, len, &cp) != 0 ||
	    cp.size != tree->size || seq != cp.size ||
	    CRYPTO_memcmp(cp.root, root, sizeof(root)) != 0)
		return STORE_E_CORRUPT;
	audit->signed_seq = cp.size;
	return 0;
}

static size_t read_published(const struct audit *audit, char buf[NOTE_MAX])
{
	_cleanup_close_ int dir = -1, fd = -1;
	ssize_t n;

	if (!audit->dir)
		return 0;
	dir = open(audit->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		fd = openat(dir, PUBLISHED, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	n = fd >= 0 ? read(fd, buf, NOTE_MAX - 1) : 0;
	return n > 0 ? (size_t)n : 0;
}

/*
 * A checkpoint of ours that this log does not hold was signed for another past: the
 * database was put back. Signing on would make two histories under one key.
 */
static int check_published(struct audit *audit)
{
	char note[NOTE_MAX], stored[STORE_NOTE_MAX];
	size_t len = read_published(audit, note), n = 0;
	struct checkpoint cp = {0};
	struct verifier v;
	uint64_t seq = 0;
	int r;

	if (len == 0 || verifier_parse(signer_vkey(audit->signer), &v) != 0 ||
	    note_open(&v, note, len, &cp) != 0)
		return 0;
	r = store_checkpoint_last(audit->store, cp.size, &seq, stored, sizeof(stored),
				  &n);
	if (r < 0 || r == STORE_E_CORRUPT)
		return r;
	if (cp.size > audit->durable.seq || r == STORE_E_NONE || seq != cp.size ||
	    n != len || memcmp(stored, note, len) != 0)
		audit->problem = "the log was set back behind its published "
				 "checkpoint: begin a new key with \"rbacctl audit "
				 "key --renew\"";
	return 0;
}

int checkpoint_check(struct audit *audit, const char **ret_why)
{
	int r = load_signed(audit, &audit->tree);

	*ret_why = "the tree is not the one that was signed";
	audit->migrated = audit->durable.seq > 0 && audit->durable.tree_len == 0;
	audit->new_key = audit->signer && r == STORE_E_NONE;
	if (r == STORE_E_NONE && audit->durable.seq > 0 && !audit->migrated) {
		/* Kept without a signer until now: the head's own MAC vouches for it.
		 */
		r = merkle_load(audit->durable.seq, audit->durable.tree,
				audit->durable.tree_len, &audit->tree);
		return r == 0 ? 0 : STORE_E_CORRUPT;
	}
	if (r == 0 && audit->signer)
		r = check_note(audit, &audit->tree);
	if (r == 0 || r == STORE_E_NONE)
		r = grow_to_head(audit);
	if (r == 0 && audit->signer)
		r = check_published(audit);
	return r;
}
