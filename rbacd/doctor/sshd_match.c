/* SPDX-License-Identifier: Apache-2.0 */
/* sshd_match.c - sshd_config's Match lines, and somebody whom each fits. */
#include "rbacd/doctor/sshd_match.h"

#include <ctype.h>
#include <glob.h>
#include <strings.h>

#define DEPTH_MAX 4 /* of Include */
#define WORD_MAX  128

/* What -C knows, with an answer where the block does not care. */
struct connection {
	char user[WORD_MAX], host[WORD_MAX], addr[WORD_MAX], laddr[WORD_MAX];
	char lport[WORD_MAX], rdomain[WORD_MAX];
	bool unknown; /* a criterion that nothing could be made up for */
};

static const struct connection anybody = {.user = "vmsec-doctor",
					  .host = "doctor.invalid",
					  .addr = "192.0.2.1",
					  .laddr = "192.0.2.2",
					  .lport = "22"};

/* The next word; quotes hold blanks together. NULL: none is left. */
static const char *next_word(const char **text, char ret[WORD_MAX])
{
	const char *p = *text + strspn(*text, " \t=");
	bool quoted = *p == '"';
	size_t len;

	p += quoted;
	len = strcspn(p, quoted ? "\"\n" : " \t=\n");
	if (len == 0 || *p == '#')
		return NULL;
	*text = p + len + (quoted && p[len] == '"');
	(void)snprintf(ret, WORD_MAX, "%.*s", (int)len, p);
	return ret;
}

/* The first alternative of a list of patterns that is not negated, as a literal. */
static bool literal(const char *patterns, const char *wild, char ret[WORD_MAX])
{
	for (const char *p = patterns; *p;) {
		size_t len = strcspn(p, ","), n = 0;

		for (size_t i = 0;
		     *p != '!' && i < len && p[i] != '/' && n < WORD_MAX - 1; i++)
			ret[n++] = p[i] == '*' || p[i] == '?' ? *wild : p[i];
		ret[n] = '\0';
		if (n > 0)
			return ret[strcspn(ret, "= ")] == '\0';
		p += len + (p[len] == ',');
	}
	return false;
}

/* A member that /etc/group itself names. */
static bool member_of(const char *root, const char *group, char ret[WORD_MAX])
{
	_cleanup_fclose_ FILE *in = NULL;
	char path[512], line[4096];
	size_t len = strlen(group);

	(void)snprintf(path, sizeof(path), "%s/etc/group", root);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		const char *members = strrchr(line, ':');

		if (strncmp(line, group, len) != 0 || line[len] != ':' || !members)
			continue;
		members++;
		len = strcspn(members, ",\n");
		(void)snprintf(ret, WORD_MAX, "%.*s", (int)len, members);
		return len > 0;
	}
	return false;
}

static void meet(const char *root, const char *key, const char *value,
		 struct connection *c)
{
	const struct {
		const char *key, *wild;
		char *to;
	} fields[] = {{"user", "x", c->user},	    {"host", "x", c->host},
		      {"address", "1", c->addr},    {"localaddress", "1", c->laddr},
		      {"localport", "1", c->lport}, {"rdomain", "x", c->rdomain}};
	char group[WORD_MAX];

	if (strcasecmp(key, "group") == 0) {
		if (!literal(value, "x", group) || !member_of(root, group, c->user))
			c->unknown = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcasecmp(key, fields[i].key) == 0) {
			if (!literal(value, fields[i].wild, fields[i].to))
				c->unknown = true;
			return;
		}
	c->unknown = true; /* a criterion of a newer sshd */
}

static void add_match(const char *root, const char *where, const char *criteria,
		      struct sshd_matches *ret)
{
	struct connection c = anybody;
	char key[WORD_MAX], value[WORD_MAX];
	struct sshd_match *m;

	if (ret->n == SSHD_MATCH_MAX) {
		ret->more = true;
		return;
	}
	m = &ret->v[ret->n++];
	(void)snprintf(m->where, sizeof(m->where), "%.160s Match %.*s", where,
		       (int)strcspn(criteria, "#\n"), criteria); /* cut: fine */
	m->spec[0] = '\0';
	while (next_word(&criteria, key)) {
		if (strcasecmp(key, "all") == 0)
			continue;
		if (next_word(&criteria, value))
			meet(root, key, value, &c);
		else
			c.unknown = true;
	}
	if (!c.unknown)
		(void)snprintf(m->spec, sizeof(m->spec),
			       "user=%s,host=%s,addr=%s,laddr=%s,lport=%s%s%s", c.user,
			       c.host, c.addr, c.laddr, c.lport,
			       *c.rdomain ? ",rdomain=" : "", c.rdomain);
}

static void read_file(const char *root, const char *path, int depth,
		      struct sshd_matches *ret);

static void read_included(const char *root, const char *pattern, int depth,
			  struct sshd_matches *ret)
{
	char full[1024];
	glob_t found = {0};

	(void)snprintf(full, sizeof(full), "%s%s%s", root,
		       pattern[0] == '/' ? "" : "/etc/ssh/", pattern);
	if (depth < DEPTH_MAX && glob(full, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_file(root, found.gl_pathv[i] + strlen(root), depth + 1,
				  ret);
	globfree(&found);
}

static void read_file(const char *root, const char *path, int depth,
		      struct sshd_matches *ret)
{
	_cleanup_fclose_ FILE *in = NULL;
	char full[1024], line[4096], key[WORD_MAX], where[512];
	unsigned n = 0;

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	in = fopen(full, "re");
	while (in && fgets(line, sizeof(line), in)) {
		const char *p = line;

		n++;
		if (!next_word(&p, key))
			continue;
		p += strspn(p, " \t=");
		(void)snprintf(where, sizeof(where), "%s:%u", path, n);
		if (strcasecmp(key, "match") == 0)
			add_match(root, where, p, ret);
		while (strcasecmp(key, "include") == 0 && next_word(&p, where))
			read_included(root, where, depth, ret);
	}
}

void sshd_match_read(const char *root, const char *path, struct sshd_matches *ret)
{
	*ret = (struct sshd_matches){.n = 0};
	read_file(root, path, 0, ret);
}
