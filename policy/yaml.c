/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.c - libyaml's events to a bounded tree of text; first stage of every reader. */
#include "policy/yaml.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <yaml.h>

#include "policy/arena.h"

#define SORT_FROM 8 /* smaller maps are compared pair by pair */

struct yaml_doc {
	struct arena arena;
	char *name; /* owned by the arena */
	char *text; /* owned by the arena; NUL-terminated source */
	size_t len;
	struct yaml_node *root; /* owned by the arena */
};

struct frame {
	struct yaml_node *node;
	struct yaml_node **tail; /* where the next item is linked */
	struct yaml_node *key;	 /* map: the key that waits for its value */
};

struct builder {
	struct yaml_doc *doc;
	struct diags *diag;
	const struct yaml_each *each; /* NULL: the whole tree is kept */
	struct arena item;	      /* the item of @each being read */
	struct frame stack[YAML_DEPTH_MAX];
	size_t depth;
	size_t cursor, cursor_index; /* byte and character position of the last event */
	bool done;
};

static const char *doc_line(const struct yaml_doc *doc, unsigned line)
{
	const char *p = doc->text;

	while (line > 1) {
		p = strchr(p, '\n');
		if (!p)
			return NULL;
		p++;
		line--;
	}
	return p;
}

static void add_at(const struct yaml_doc *doc, struct diags *diag, unsigned line,
		   unsigned column, const char *msg)
{
	/* Finding the line costs a scan: not for entries that are only counted. */
	const char *excerpt =
		diag->n < DIAG_MAX && line > 0 ? doc_line(doc, line) : NULL;

	diags_add(diag, doc->name, line, column, excerpt, "%s", msg);
}

static _printf_(5, 0) void vadd_at(const struct yaml_doc *doc, struct diags *diag,
				   unsigned line, unsigned column, const char *fmt,
				   va_list ap)
{
	_cleanup_free_ char *msg = NULL;

	if (vasprintf(&msg, fmt, ap) < 0)
		msg = NULL;
	add_at(doc, diag, line, column, msg ? msg : "out of memory");
}

void yaml_error(const struct yaml_doc *doc, const struct yaml_node *at,
		struct diags *diag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vadd_at(doc, diag, at->line, at->column, fmt, ap);
	va_end(ap);
}

void yaml_error_key(const struct yaml_doc *doc, const struct yaml_node *at,
		    struct diags *diag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (at->key)
		vadd_at(doc, diag, at->key_line, at->key_column, fmt, ap);
	else
		vadd_at(doc, diag, at->line, at->column, fmt, ap);
	va_end(ap);
}

/* ------------------------------------------------------------------ text */

/* Decodes one character. Return: its length, or 0 when it is not valid UTF-8. */
static size_t utf8_next(const unsigned char *s, size_t left, uint32_t *ret_char)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80	     ? 1
		     : (s[0] & 0xe0) == 0xc0 ? 2
		     : (s[0] & 0xf0) == 0xe0 ? 3
		     : (s[0] & 0xf8) == 0xf0 ? 4
					     : 0;
	uint32_t c;

	if (len == 0 || len > left)
		return 0;
	c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_char = c;
	return len;
}

/* Text that a person cannot see or that changes what he sees is refused. */
static const char *bad_char(uint32_t c)
{
	if (c == 0)
		return "a NUL byte";
	if (c == 0xfeff)
		return "a byte order mark";
	if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f ||
	    (c >= 0x80 && c < 0xa0) || c == 0x2028 || c == 0x2029)
		return "a control character";
	if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	    (c >= 0x200b && c <= 0x200f))
		return "an invisible or direction-changing character";
	if ((c & 0xfffe) == 0xfffe)
		return "a character that Unicode reserves";
	return NULL;
}

/* Checks the whole source once, so that libyaml's reader never meets bad bytes. */
static int check_source(const struct yaml_doc *doc, struct diags *diag)
{
	const unsigned char *s = (const unsigned char *)doc->text;
	unsigned line = 1, column = 1;
	const char *problem;
	uint32_t c;

	for (size_t i = 0, n; i < doc->len; i += n) {
		n = utf8_next(s + i, doc->len - i, &c);
		problem = n == 0 ? "invalid UTF-8" : bad_char(c);
		if (n > 0 && c == '\r' && i + 1 < doc->len && s[i + 1] == '\n')
			problem = NULL;
		if (problem) {
			diags_add(diag, doc->name, line, column,
				  n > 0 && c != 0 ? doc_line(doc, line) : NULL,
				  "%s is not allowed", problem);
			return YAML_E_INVALID;
		}
		column++;
		if (c == '\n') {
			line++;
			column = 1;
		}
	}
	return 0;
}

static bool scalar_ok(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_next(s + i, len - i, &c);
		if (n == 0 || bad_char(c))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ tree */

static int refuse(struct builder *b, const yaml_mark_t *mark, const char *msg)
{
	add_at(b->doc, b->diag, (unsigned)mark->line + 1, (unsigned)mark->column + 1,
	       msg);
	return YAML_E_INVALID;
}

/*
 * libyaml swallows the tag "!" without a trace, so the event's first byte is looked at.
 * Its marks count characters; events come in order, so one cursor walks along.
 */
static bool starts_with_tag(struct builder *b, const yaml_mark_t *mark)
{
	const char *s = b->doc->text;

	while (b->cursor_index < mark->index && b->cursor < b->doc->len) {
		b->cursor++;
		while (((unsigned char)s[b->cursor] & 0xc0) == 0x80)
			b->cursor++;
		b->cursor_index++;
	}
	return s[b->cursor] == '!';
}

static int compare_keys(const void *a, const void *b)
{
	const struct yaml_node *x = *(struct yaml_node *const *)a;
	const struct yaml_node *y = *(struct yaml_node *const *)b;
	int c = strcmp(x->key, y->key);

	if (c != 0)
		return c;
	if (x->key_line != y->key_line)
		return x->key_line < y->key_line ? -1 : 1;
	return x->key_column < y->key_column ? -1 : x->key_column > y->key_column;
}

static int check_duplicates(struct builder *b, const struct yaml_node *map)
{
	_cleanup_free_ const struct yaml_node **v = NULL;
	size_t n = 0;
	int r = 0;

	if (map->n_items < 2)
		return 0;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	v = reallocarray(NULL, map->n_items, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (const struct yaml_node *i = map->first; i; i = i->next)
		v[n++] = i;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): as above */
	qsort(v, n, sizeof(*v), compare_keys);
	for (size_t i = 1; i < n; i++) {
		if (!str_eq(v[i - 1]->key, v[i]->key))
			continue;
		yaml_error_key(b->doc, v[i], b->diag,
			       "the key '%s' is already given in line %u", v[i]->key,
			       v[i - 1]->key_line);
		r = YAML_E_INVALID;
	}
	return r;
}

/* Inside the list that is taken item by item? */
static bool in_each(const struct builder *b)
{
	const struct yaml_node *list = b->depth >= 2 ? b->stack[1].node : NULL;

	return b->each && list && list->kind == YAML_LIST && list->key &&
	       str_eq(list->key, b->each->key);
}

static struct arena *arena_of(struct builder *b)
{
	return in_each(b) ? &b->item : &b->doc->arena;
}

/* A whole item hangs in the list: it is taken off again. */
static int hand_over(struct builder *b)
{
	struct frame *f = &b->stack[1];
	int r;

	if (b->depth != 2 || !in_each(b) || !f->node->first)
		return 0;
	r = b->each->item(b->each->arg, b->doc, f->node->first);
	f->node->first = NULL;
	f->tail = &f->node->first;
	arena_reset(&b->item);
	return r;
}

/* Hangs a finished or opened node into the innermost collection. */
static int attach(struct builder *b, struct yaml_node *n)
{
	struct frame *f;

	if (b->depth == 0) {
		b->doc->root = n;
		return 0;
	}
	f = &b->stack[b->depth - 1];
	if (f->node->kind == YAML_MAP && !f->key) {
		if (n->kind != YAML_SCALAR) {
			yaml_error(b->doc, n, b->diag, "a key must be plain text");
			return YAML_E_INVALID;
		}
		if (str_eq(n->text, "<<")) {
			yaml_error(b->doc, n, b->diag, "merge keys are not allowed");
			return YAML_E_INVALID;
		}
		f->key = n;
		return 0;
	}
	if (f->node->kind == YAML_MAP) {
		n->key = f->key->text;
		n->key_line = f->key->line;
		n->key_column = f->key->column;
		f->key = NULL;
	}
	*f->tail = n;
	f->tail = &n->next;
	f->node->n_items++;
	return 0;
}

static int node_new(struct builder *b, const yaml_event_t *ev, enum yaml_kind kind,
		    struct yaml_node **ret)
{
	struct yaml_node *n;

	if (starts_with_tag(b, &ev->start_mark))
		return refuse(b, &ev->start_mark, "tags are not allowed");
	n = arena_alloc(arena_of(b), sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->kind = kind;
	n->line = (unsigned)ev->start_mark.line + 1;
	n->column = (unsigned)ev->start_mark.column + 1;
	*ret = n;
	return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *ev)
{
	const char *value = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct yaml_node *n;
	int r;

	if (ev->data.scalar.anchor)
		return refuse(b, &ev->start_mark, "anchors are not allowed");
	if (ev->data.scalar.tag)
		return refuse(b, &ev->start_mark, "tags are not allowed");
	if (!scalar_ok(value, len))
		return refuse(b, &ev->start_mark,
			      "this text holds a character that is not allowed");
	r = node_new(b, ev, YAML_SCALAR, &n);
	if (r != 0)
		return r;
	n->text = arena_strndup(arena_of(b), value, len);
	n->len = len;
	return n->text ? attach(b, n) : -ENOMEM;
}

static int on_start(struct builder *b, const yaml_event_t *ev, enum yaml_kind kind)
{
	bool map = kind == YAML_MAP;
	struct yaml_node *n;
	int r;

	if (map ? ev->data.mapping_start.anchor : ev->data.sequence_start.anchor)
		return refuse(b, &ev->start_mark, "anchors are not allowed");
	if (map ? ev->data.mapping_start.tag : ev->data.sequence_start.tag)
		return refuse(b, &ev->start_mark, "tags are not allowed");
	if (b->depth == YAML_DEPTH_MAX)
		return refuse(b, &ev->start_mark, "nested too deeply");
	r = node_new(b, ev, kind, &n);
	if (r == 0)
		r = attach(b, n);
	if (r != 0)
		return r;
	b->stack[b->depth++] = (struct frame){.node = n, .tail = &n->first};
	return 0;
}

static int on_end(struct builder *b)
{
	const struct yaml_node *n = b->stack[--b->depth].node;

	assert(n); /* on_start() put it there, and libyaml pairs starts and ends */
	return n->kind == YAML_MAP ? check_duplicates(b, n) : 0;
}

static int on_document(struct builder *b, const yaml_event_t *ev)
{
	if (b->doc->root)
		return refuse(b, &ev->start_mark, "a second document is not allowed");
	if (ev->data.document_start.version_directive ||
	    ev->data.document_start.tag_directives.start !=
		    ev->data.document_start.tag_directives.end)
		return refuse(b, &ev->start_mark, "directives are not allowed");
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_NO_EVENT:
		return 0;
	case YAML_STREAM_END_EVENT:
		b->done = true;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		return on_document(b, ev);
	case YAML_ALIAS_EVENT:
		return refuse(b, &ev->start_mark, "aliases are not allowed");
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, ev, YAML_LIST);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, ev, YAML_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b);
	}
	return refuse(b, &ev->start_mark, "this YAML construct is not allowed");
}

static int syntax_error(struct builder *b, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	return refuse(b, &parser->problem_mark,
		      parser->problem ? parser->problem : "not valid YAML");
}

static int build_tree(struct builder *b)
{
	_cleanup_(yaml_parser_delete) yaml_parser_t parser;
	yaml_event_t ev;
	int r;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)b->doc->text,
				     b->doc->len);
	while (!b->done) {
		if (!yaml_parser_parse(&parser, &ev))
			return syntax_error(b, &parser);
		r = on_event(b, &ev);
		if (r == 0)
			r = hand_over(b);
		yaml_event_delete(&ev);
		if (r != 0)
			return r;
	}
	return 0;
}

static int doc_new(const char *name, const char *buf, size_t len,
		   struct yaml_doc **ret_doc)
{
	_cleanup_yaml_ struct yaml_doc *doc = calloc(1, sizeof(*doc));

	if (!doc)
		return -ENOMEM;
	doc->name = arena_strndup(&doc->arena, name, strlen(name));
	doc->text = arena_strndup(&doc->arena, buf, len);
	doc->len = len;
	if (!doc->name || !doc->text)
		return -ENOMEM;
	*ret_doc = STEAL(doc);
	return 0;
}

static int parse(const char *name, const char *buf, size_t len,
		 const struct yaml_each *each, struct yaml_doc **ret_doc,
		 struct diags *diag)
{
	_cleanup_yaml_ struct yaml_doc *doc = NULL;
	struct builder b = {.diag = diag, .each = each};
	int r;

	if (len > YAML_FILE_MAX) {
		diags_add(diag, name, 0, 0, NULL, "the file is larger than %u bytes",
			  YAML_FILE_MAX);
		return YAML_E_INVALID;
	}
	r = doc_new(name, buf, len, &doc);
	if (r != 0)
		return r;
	r = check_source(doc, diag);
	if (r != 0)
		return r;
	b.doc = doc;
	r = build_tree(&b);
	arena_done(&b.item);
	if (r != 0)
		return r;
	if (!doc->root) {
		diags_add(diag, name, 0, 0, NULL, "the file is empty");
		return YAML_E_INVALID;
	}
	*ret_doc = STEAL(doc);
	return 0;
}

int yaml_parse(const char *name, const char *buf, size_t len, struct yaml_doc **ret_doc,
	       struct diags *diag)
{
	return parse(name, buf, len, NULL, ret_doc, diag);
}

/* ------------------------------------------------------------------ file */

static int file_error(const char *path, struct diags *diag, const char *msg)
{
	diags_add(diag, path, 0, 0, NULL, "%s", msg);
	return YAML_E_INVALID;
}

static int check_file(int fd, const char *path, size_t *ret_size, struct diags *diag)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return file_error(path, diag, "cannot be examined");
	if (!S_ISREG(st.st_mode))
		return file_error(path, diag, "is not a regular file");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return file_error(path, diag, "must belong to root");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return file_error(path, diag,
				  "must not be writable by group or others");
	if (st.st_size > (off_t)YAML_FILE_MAX)
		return file_error(path, diag, "is too large");
	*ret_size = (size_t)st.st_size;
	return 0;
}

int yaml_read_file(const char *path, struct yaml_doc **ret_doc, struct diags *diag)
{
	return yaml_read_each(path, NULL, ret_doc, diag);
}

int yaml_read_each(const char *path, const struct yaml_each *each,
		   struct yaml_doc **ret_doc, struct diags *diag)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *buf = NULL;
	size_t size, len = 0;
	ssize_t n = 1;
	int r;

	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		diags_add(diag, path, 0, 0, NULL, "cannot be opened: %s",
			  errno == ELOOP ? "it is a symbolic link"
					 : strerrordesc_np(errno));
		return YAML_E_INVALID;
	}
	r = check_file(fd, path, &size, diag);
	if (r != 0)
		return r;
	buf = malloc(size + 1);
	if (!buf)
		return -ENOMEM;
	while (len <= size && n != 0) {
		n = read(fd, buf + len, size + 1 - len);
		if (n < 0 && errno != EINTR)
			return file_error(path, diag, "cannot be read");
		len += n > 0 ? (size_t)n : 0;
	}
	if (len != size) /* half of a change is not a policy */
		return file_error(path, diag, "changed while it was read; try again");
	/* Cut inside a line it could read well, with a shorter name. */
	if (len > 0 && buf[len - 1] != '\n')
		return file_error(path, diag,
				  "does not end with a line feed; is it whole?");
	return parse(path, buf, len, each, ret_doc, diag);
}

const struct yaml_node *yaml_root(const struct yaml_doc *doc)
{
	return doc->root;
}

const char *yaml_name(const struct yaml_doc *doc)
{
	return doc->name;
}

void yaml_doc_free(struct yaml_doc *doc)
{
	if (!doc)
		return;
	arena_done(&doc->arena);
	free(doc);
}
