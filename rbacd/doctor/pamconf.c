/* SPDX-License-Identifier: Apache-2.0 */
/* pamconf.c - lines of pam.d: assembled, split, controls made into actions. */
#include "rbacd/doctor/pamconf.h"

#include <errno.h>
#include <fcntl.h>
#include <security/_pam_types.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LINE_BYTES_MAX 4096

static const char *const code_names[PAMCONF_CODES] = {"success",
						      "open_err",
						      "symbol_err",
						      "service_err",
						      "system_err",
						      "buf_err",
						      "perm_denied",
						      "auth_err",
						      "cred_insufficient",
						      "authinfo_unavail",
						      "user_unknown",
						      "maxtries",
						      "new_authtok_reqd",
						      "acct_expired",
						      "session_err",
						      "cred_unavail",
						      "cred_expired",
						      "cred_err",
						      "no_module_data",
						      "conv_err",
						      "authtok_err",
						      "authtok_recover_err",
						      "authtok_lock_busy",
						      "authtok_disable_aging",
						      "try_again",
						      "ignore",
						      "abort",
						      "authtok_expired",
						      "module_unknown",
						      "bad_item",
						      "conv_again",
						      "incomplete"};

static const char *const type_names[PAMCONF_TYPES] = {"auth", "account", "password",
						      "session"};

const char *pamconf_code_name(int code)
{
	return code_names[code];
}

const char *pamconf_type_name(enum pamconf_type type)
{
	return type_names[type];
}

struct reader {
	const char *root;
	const char *text; /* of the service's own file; NULL: as it is on disk */
	struct pamconf *conf;
	struct diags *diag;
	bool fill[PAMCONF_TYPES];
};

static void line_done(struct pamconf_line *line)
{
	free(line->file);
	free(line->control);
	free(line->module);
	free(line->path);
	free(line->args);
	free(line->text);
}

void pamconf_done(struct pamconf *conf)
{
	for (int t = 0; t < PAMCONF_TYPES; t++) {
		for (size_t i = 0; i < conf->stack[t].n; i++)
			line_done(&conf->stack[t].v[i]);
		free(conf->stack[t].v);
	}
	*conf = (struct pamconf)PAMCONF_INIT;
}

bool pamconf_is_module(const struct pamconf_line *line, const char *name)
{
	const char *rest =
		line->kind == PAMCONF_MODULE ? str_after(line->module, name) : NULL;

	return rest && (str_eq(rest, ".so") || str_eq(rest, ""));
}

bool pamconf_has_arg(const struct pamconf_line *line, const char *arg)
{
	size_t len = strlen(arg);

	for (const char *p = line->args; p && *p; p = strchr(p, ' ')) {
		p += *p == ' ';
		if (strncmp(p, arg, len) == 0 && (p[len] == ' ' || !p[len]))
			return true;
	}
	return false;
}

/* One word of a line; "[a b]" is one, without its brackets. */
struct word {
	const char *p;
	size_t len;
	bool bracket;
};

static bool next_word(const char **pos, struct word *ret)
{
	const char *p = *pos + strspn(*pos, " \t");

	if (!*p)
		return false;
	*ret = (struct word){.p = p, .bracket = *p == '['};
	if (ret->bracket) {
		ret->p = ++p;
		while (*p && *p != ']')
			p += p[0] == '\\' && p[1] == ']' ? 2 : 1;
		ret->len = (size_t)(p - ret->p);
		*pos = p + (*p == ']');
		return true;
	}
	ret->len = strcspn(p, " \t");
	*pos = p + ret->len;
	return true;
}

static bool word_is(const struct word *w, const char *text)
{
	return w->len == strlen(text) && strncasecmp(w->p, text, w->len) == 0;
}

/* All actions at once, then the exceptions. */
static void set_actions(int actions[PAMCONF_CODES], int other, int good)
{
	for (int i = 0; i < PAMCONF_CODES; i++)
		actions[i] = other;
	actions[PAM_SUCCESS] = actions[PAM_NEW_AUTHTOK_REQD] = good;
}

static bool plain_control(const struct word *w, int actions[PAMCONF_CODES])
{
	if (word_is(w, "required") || word_is(w, "requisite")) {
		set_actions(actions, word_is(w, "required") ? PAMCONF_BAD : PAMCONF_DIE,
			    PAMCONF_OK);
		actions[PAM_IGNORE] = PAMCONF_IGNORE;
		return true;
	}
	if (word_is(w, "optional") || word_is(w, "sufficient")) {
		set_actions(actions, PAMCONF_IGNORE,
			    word_is(w, "optional") ? PAMCONF_OK : PAMCONF_DONE);
		return true;
	}
	return false;
}

static bool parse_action(const char *p, size_t len, int *ret)
{
	static const struct {
		const char *name;
		int action;
	} known[] = {{"ignore", PAMCONF_IGNORE}, {"ok", PAMCONF_OK},
		     {"done", PAMCONF_DONE},	 {"bad", PAMCONF_BAD},
		     {"die", PAMCONF_DIE},	 {"reset", PAMCONF_RESET}};
	const struct word w = {.p = p, .len = len};
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (word_is(&w, known[i].name)) {
			*ret = known[i].action;
			return true;
		}
	for (size_t i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9' || n > PAMCONF_LINES_MAX)
			return false;
		n = n * 10 + (p[i] - '0');
	}
	*ret = n;
	return len > 0;
}

/* "success=ok new_authtok_reqd=1 default=die"; codes not named get the default. */
static bool bracket_control(const struct word *w, int actions[PAMCONF_CODES])
{
	bool set[PAMCONF_CODES] = {0};
	int other = PAMCONF_BAD, action;
	const char *p = w->p, *end = w->p + w->len;

	set_actions(actions, PAMCONF_BAD, PAMCONF_BAD);
	while (p < end) {
		size_t len, name;
		int code = 0;

		p += strspn(p, " \t");
		if (p >= end)
			break;
		len = strcspn(p, " \t]");
		name = strcspn(p, "=");
		if (name >= len || !parse_action(p + name + 1, len - name - 1, &action))
			return false;
		while (code < PAMCONF_CODES &&
		       !word_is(&(struct word){.p = p, .len = name}, code_names[code]))
			code++;
		if (code < PAMCONF_CODES) {
			actions[code] = action;
			set[code] = true;
		} else if (word_is(&(struct word){.p = p, .len = name}, "default")) {
			other = action;
		} else {
			return false;
		}
		p += len;
	}
	for (int i = 0; i < PAMCONF_CODES; i++)
		if (!set[i])
			actions[i] = other;
	return true;
}

struct where {
	const char *file, *text;
	unsigned line, level, depth;
	int only; /* one type, or -1 */
};

static struct pamconf_line *add_line(struct reader *r, enum pamconf_type type,
				     const struct where *at)
{
	struct pamconf_stack *s = &r->conf->stack[type];
	struct pamconf_line *v;

	if (s->n >= PAMCONF_LINES_MAX)
		return NULL;
	v = reallocarray(s->v, s->n + 1, sizeof(*v));
	if (!v)
		return NULL;
	s->v = v;
	v += s->n++;
	*v = (struct pamconf_line){.file = strdup(at->file),
				   .line = at->line,
				   .level = at->level,
				   .text = strdup(at->text)};
	return v->file && v->text ? v : NULL;
}

static char *join_args(const char *rest)
{
	char *args = malloc(strlen(rest) + 1), *end = args;
	struct word w;

	if (!args)
		return NULL;
	while (next_word(&rest, &w)) {
		if (end > args)
			*end++ = ' ';
		memcpy(end, w.p, w.len);
		end += w.len;
	}
	*end = '\0';
	return args;
}

static int read_file(struct reader *r, const char *name, int only, unsigned level,
		     unsigned depth, bool *ret_found);

static int must_fail(struct reader *r, const struct where *at, int type,
		     const char *why)
{
	struct pamconf_line *line;

	diags_add(r->diag, at->file, at->line, 0, NULL, "%s; libpam lets it fail", why);
	if (type < 0)
		type = at->only >= 0 ? at->only : PAMCONF_AUTH;
	line = add_line(r, (enum pamconf_type)type, at);
	if (!line)
		return -ENOMEM;
	line->kind = PAMCONF_MUST_FAIL;
	set_actions(line->actions, PAMCONF_BAD, PAMCONF_BAD);
	line->control = strdup("");
	line->module = strdup("");
	line->path = strdup("");
	line->args = strdup("");
	return line->control && line->module && line->path && line->args ? 0 : -ENOMEM;
}

/* Lines of another file, in place. @type -1: all types. */
static int include(struct reader *r, const struct where *at, int type,
		   const struct word *w, bool substack)
{
	_cleanup_free_ char *name = strndup(w->p, w->len);
	bool found = false;
	int e;

	if (!name)
		return -ENOMEM;
	if (type < 0)
		type = at->only;
	e = read_file(r, name, type, at->level + substack, at->depth + 1, &found);
	if (e == 0 && !found) {
		r->conf->refused = true;
		diags_add(r->diag, at->file, at->line, 0, NULL,
			  "'%s' cannot be read; libpam refuses the whole service",
			  name);
	}
	return e;
}

static int add_module(struct reader *r, const struct where *at, int type,
		      const struct word *control, const struct word *path,
		      const char *rest)
{
	struct pamconf_line *line;
	const char *slash;
	int actions[PAMCONF_CODES];

	if (!(control->bracket ? bracket_control(control, actions)
			       : plain_control(control, actions)))
		return must_fail(r, at, type, "this control word is unknown");
	line = add_line(r, (enum pamconf_type)type, at);
	if (!line)
		return -ENOMEM;
	memcpy(line->actions, actions, sizeof(actions));
	line->control = strndup(control->p, control->len);
	line->path = strndup(path->p, path->len);
	line->args = join_args(rest);
	if (!line->control || !line->path || !line->args)
		return -ENOMEM;
	slash = strrchr(line->path, '/');
	line->module = strdup(slash ? slash + 1 : line->path);
	return line->module ? 0 : -ENOMEM;
}

static int find_type(const struct word *w)
{
	struct word bare = *w;

	if (w->len > 0 && w->p[0] == '-') { /* no log line when it is not installed */
		bare.p++;
		bare.len--;
	}
	for (int t = 0; t < PAMCONF_TYPES; t++)
		if (word_is(&bare, type_names[t]))
			return t;
	return -1;
}

static int substack(struct reader *r, const struct where *at, int type,
		    const struct word *name)
{
	struct pamconf_line *line = add_line(r, (enum pamconf_type)type, at);

	if (!line)
		return -ENOMEM;
	line->kind = PAMCONF_SUBSTACK;
	line->control = strdup("substack");
	line->module = strndup(name->p, name->len);
	line->path = strdup("");
	line->args = strdup("");
	if (!line->control || !line->module || !line->path || !line->args)
		return -ENOMEM;
	return include(r, at, type, name, true);
}

static int read_line(struct reader *r, const struct where *at, const char *text)
{
	struct word type_word, control, path;
	int type;

	if (!next_word(&text, &type_word))
		return 0;
	if (word_is(&type_word, "@include")) {
		if (!next_word(&text, &path))
			return must_fail(r, at, -1, "this include names no file");
		return include(r, at, -1, &path, false);
	}
	type = find_type(&type_word);
	if (type < 0)
		return must_fail(r, at, -1, "this is no type of a line");
	if ((at->only >= 0 && type != at->only) || !r->fill[type])
		return 0;
	if (!next_word(&text, &control))
		return must_fail(r, at, type, "this line ends after its type");
	if (!next_word(&text, &path))
		return must_fail(r, at, type, "this line names no module");
	if (word_is(&control, "include"))
		return include(r, at, type, &path, false);
	if (word_is(&control, "substack"))
		return substack(r, at, type, &path);
	return add_module(r, at, type, &control, &path, text);
}

/* Joins what ends in a backslash; cuts at '#'. False at the end. */
static bool assemble(FILE *in, char buf[LINE_BYTES_MAX], unsigned *line,
		     unsigned *ret_first)
{
	char part[LINE_BYTES_MAX];
	size_t used = 0;
	bool any = false;

	buf[0] = '\0';
	while (fgets(part, sizeof(part), in)) {
		bool comment;
		size_t len = strcspn(part, "#\n");

		++*line;
		comment = part[len] == '#';
		part[len] = '\0';
		while (len > 0 && strchr(" \t\r", part[len - 1]))
			part[--len] = '\0';
		if (!any)
			*ret_first = *line;
		any = true;
		if (!comment && len > 0 && part[len - 1] == '\\') {
			part[--len] = ' ';
			if (used + len + 1 < LINE_BYTES_MAX) {
				memcpy(buf + used, part, len + 1);
				used += len + 1;
				buf[used] = '\0';
			}
			continue;
		}
		if (used + len < LINE_BYTES_MAX)
			memcpy(buf + used, part, len + 1);
		return true;
	}
	return any;
}

static FILE *open_service(const char *root, const char *name, char *ret_shown,
			  size_t cap)
{
	static const char *const folders[] = {"etc/pam.d", "usr/lib/pam.d"};
	char path[4096];
	FILE *in;

	if (name[0] == '/') {
		(void)snprintf(ret_shown, cap, "%s", name);
		(void)snprintf(path, sizeof(path), "%s%s", root, name);
		return fopen(path, "re");
	}
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(ret_shown, cap, "/%s/%s", folders[i], name);
		(void)snprintf(path, sizeof(path), "%s%s", root, ret_shown);
		in = fopen(path, "re");
		if (in || errno != ENOENT)
			return in;
	}
	return NULL;
}

static FILE *open_text(const char *text, const char *name, char *ret_shown, size_t cap)
{
	(void)snprintf(ret_shown, cap, "/etc/pam.d/%s", name);
	/* "r" only reads; fmemopen has no const. An empty text cannot be opened. */
	return fmemopen((void *)(uintptr_t)text, strlen(text), "r");
}

static int read_file(struct reader *r, const char *name, int only, unsigned level,
		     unsigned depth, bool *ret_found)
{
	char text[LINE_BYTES_MAX], shown[512];
	_cleanup_fclose_ FILE *in = NULL;
	unsigned line = 0, first = 0;
	int e = 0;

	if (depth > PAMCONF_DEPTH_MAX) {
		r->conf->refused = true;
		diags_add(r->diag, name, 0, 0, NULL, "included in a circle");
		*ret_found = true;
		return 0;
	}
	in = r->text && depth == 0 ? open_text(r->text, name, shown, sizeof(shown))
				   : open_service(r->root, name, shown, sizeof(shown));
	if (!in && (errno == ENOMEM || errno == EMFILE || errno == ENFILE))
		return -errno; /* it may be there: libpam is another process */
	*ret_found = in != NULL;
	while (in && e == 0 && assemble(in, text, &line, &first))
		e = read_line(r,
			      &(struct where){.file = shown,
					      .text = text,
					      .line = first,
					      .level = level,
					      .depth = depth,
					      .only = only},
			      text);
	return e == 0 && in && ferror(in) ? -EIO : e;
}

int pamconf_read_text(const char *root, const char *service, const char *text,
		      struct pamconf *ret, struct diags *diag)
{
	_cleanup_pamconf_ struct pamconf conf = PAMCONF_INIT;
	struct reader r = {.root = root, .text = text, .conf = &conf, .diag = diag};
	bool found, any = false;
	int e;

	for (int t = 0; t < PAMCONF_TYPES; t++)
		r.fill[t] = true;
	e = read_file(&r, service, -1, 0, 0, &conf.found);
	if (e != 0)
		return e;
	r.text = NULL;
	/* libpam takes a type of which the service says nothing from "other". */
	for (int t = 0; t < PAMCONF_TYPES; t++) {
		r.fill[t] = conf.stack[t].n == 0;
		conf.stack[t].from_other = r.fill[t];
		any = any || r.fill[t];
	}
	e = any ? read_file(&r, "other", -1, 0, 0, &found) : 0;
	if (e != 0)
		return e;
	*ret = conf;
	conf = (struct pamconf)PAMCONF_INIT;
	return 0;
}

int pamconf_read(const char *root, const char *service, struct pamconf *ret,
		 struct diags *diag)
{
	return pamconf_read_text(root, service, NULL, ret, diag);
}
