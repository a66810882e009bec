/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml.h - a bounded YAML tree in which every scalar is text with a position.
 *
 * Read with libyaml's event API. Refused, each with file:line:column: anchors, aliases,
 * tags, merge keys, duplicate keys, a second document, a BOM, invalid UTF-8, NUL,
 * nesting over 16, files over 16 MiB. Nothing is typed here: `no` is the text "no".
 */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

#define YAML_DEPTH_MAX 16
#define YAML_FILE_MAX  (16u << 20)

enum yaml_kind { YAML_SCALAR = 1, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	unsigned line, column; /* 1-based, of the node's first byte */
	const char *text;      /* scalar: NUL-terminated UTF-8, owned by the document */
	size_t len;	       /* scalar: bytes in text */
	struct yaml_node *first; /* list items, or map values, in file order */
	struct yaml_node *next;
	const char *key; /* in a map: the key's text */
	unsigned key_line, key_column;
	size_t n_items; /* list, map */
};

struct yaml_doc; /* owns the tree and the source text */

/*
 * yaml_parse() - parse one document from memory.
 * @name: file name for diagnostics; copied.
 * Return: 0 and *ret_doc; YAML_E_INVALID with diagnostics added; -ENOMEM.
 */
enum { YAML_E_INVALID = 1 };
_must_check_ int yaml_parse(const char *name, const char *buf, size_t len,
			    struct yaml_doc **ret_doc, struct diags *diag);

/*
 * yaml_read_file() - open (O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK), require a regular file
 * that group and others cannot write, that belongs to root or to this process and ends
 * with a line feed, read and parse it. Return: as yaml_parse(); what was wrong with the
 * file is a diagnostic too.
 */
_must_check_ int yaml_read_file(const char *path, struct yaml_doc **ret_doc,
				struct diags *diag);

/*
 * A list under a key of the root whose items are handed over one by one and forgotten
 * after, so that a long list costs the memory of one item. The tree then shows the list
 * empty, with its n_items.
 * @item: @doc for diagnostics, as it has no root yet; @item borrowed for the call.
 * Return: 0 to go on; anything else ends the reading and is its result.
 */
struct yaml_each {
	const char *key;
	int (*item)(void *arg, const struct yaml_doc *doc,
		    const struct yaml_node *item);
	void *arg;
};

/*
 * yaml_read_each() - yaml_read_file() with one list taken item by item. A later part of
 * the file may still be refused: what was taken counts only after 0.
 */
_must_check_ int yaml_read_each(const char *path, const struct yaml_each *each,
				struct yaml_doc **ret_doc, struct diags *diag);

const struct yaml_node *yaml_root(const struct yaml_doc *doc);
const char *yaml_name(const struct yaml_doc *doc);
/* yaml_doc_free() - NULL is a no-op. libyaml itself exports a yaml_free(). */
void yaml_doc_free(struct yaml_doc *doc);

/* yaml_get() - a map's value by key, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* yaml_error() - add a diagnostic at a node, with its source line. */
void yaml_error(const struct yaml_doc *doc, const struct yaml_node *at,
		struct diags *diag, const char *fmt, ...) _printf_(4, 5);

/* yaml_error_key() - the same at a map entry's key. */
void yaml_error_key(const struct yaml_doc *doc, const struct yaml_node *at,
		    struct diags *diag, const char *fmt, ...) _printf_(4, 5);

/*
 * yaml_check_keys() - every key of @map must be in @known (NULL-terminated); unknown
 * ones get a diagnostic with "did you mean …" by edit distance.
 */
void yaml_check_keys(const struct yaml_doc *doc, const struct yaml_node *map,
		     const char *const *known, struct diags *diag);

/*
 * Typed readers: 0 and *ret, or YAML_E_INVALID with a diagnostic at the node. A
 * duration is a whole number followed by s, m, h or d ("0" needs no unit); result in
 * seconds.
 */
_must_check_ int yaml_get_bool(const struct yaml_doc *doc, const struct yaml_node *n,
			       bool *ret, struct diags *diag);
_must_check_ int yaml_get_u64(const struct yaml_doc *doc, const struct yaml_node *n,
			      uint64_t max, uint64_t *ret, struct diags *diag);
_must_check_ int yaml_get_duration(const struct yaml_doc *doc,
				   const struct yaml_node *n, int64_t *ret_s,
				   struct diags *diag);

static inline void yaml_freep(struct yaml_doc **doc)
{
	yaml_doc_free(*doc);
}

#define _cleanup_yaml_ _cleanup_(yaml_freep)
