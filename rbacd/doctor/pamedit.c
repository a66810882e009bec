/* SPDX-License-Identifier: Apache-2.0 */
/* pamedit.c - profiles, places, markers. */
#include "rbacd/doctor/pamedit.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/memtext.h"
#include "rbacd/doctor/pamedit_internal.h"
#include "rbacd/doctor/pamwalk.h"

#define CONTEXT 2

#define CONSOLES                                                                       \
	"tty1:tty2:tty3:tty4:tty5:tty6:ttyS0:hvc0:console:/dev/tty1:/dev/tty2:"        \
	"/dev/tty3:/dev/tty4:/dev/tty5:/dev/tty6:/dev/ttyS0:/dev/hvc0:/dev/console"
#define RESCUE(type)                                                                   \
	type "\t[success=1 default=ignore]\tpam_succeed_if.so quiet user = root tty "  \
	     "in " CONSOLES "\n"
#define AUTH	"auth\trequisite\tpam_vmsec.so first_factor=stack\n"
#define ACCOUNT "account\trequisite\tpam_vmsec.so\n"
#define SESSION "session\toptional\tpam_vmsec.so\n"
/*
 * sshd itself writes SSH_AUTH_INFO_0; a key that was completed stands first in it.
 * ignore=ignore is for setcred, where pam_exec has nothing to say: sshd would end
 * there.
 */
#define KEY(other)                                                                     \
	"auth\t[success=ignore ignore=ignore default=" other                           \
	"]\tpam_exec.so quiet /bin/sh -c [case "                                       \
	"$SSH_AUTH_INFO_0 in \"publickey \"*) exit 0;; esac; exit 1]\n"                \
	"auth\t[success=done default=die]\tpam_vmsec.so first_factor=stack\n"

/*
 * Texts are what stands between the markers; NULL: nothing there. One without any is
 * for new passwords.
 */
struct pamedit_profile {
	const char *service, *name;
	const char *first;   /* before every other auth line */
	const char *auth;    /* behind the password */
	const char *account; /* before every other account line */
	bool loginuid;	     /* the session line has to come behind pam_loginuid */
};

static const struct pamedit_profile profiles[] = {
	{"sshd", "either", KEY("1"), AUTH, ACCOUNT, true},
	{"sshd", "key", KEY("die"), NULL, ACCOUNT, true},
	{"sshd", "password", NULL, AUTH, ACCOUNT, true},
	{"login", "console", NULL, RESCUE("auth") AUTH, RESCUE("account") ACCOUNT,
	 true},
	{"sudo", "password", NULL, AUTH, ACCOUNT, false},
	{"su", "password", NULL, AUTH, ACCOUNT, false},
	{"cockpit", "password", NULL, AUTH, ACCOUNT, true},
	{"gdm-password", "password", NULL, AUTH, ACCOUNT, true},
	{"passwd", "rules", NULL, NULL, NULL, false},
	{"chpasswd", "rules", NULL, NULL, NULL, false},
	{"sshd", "rules", NULL, NULL, NULL, false},
	{"login", "rules", NULL, NULL, NULL, false},
	{"gdm-password", "rules", NULL, NULL, NULL, false},
};

int pamedit_find(const char *service, const char *name,
		 const struct pamedit_profile **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		if (!str_eq(profiles[i].service, service) ||
		    (name && !str_eq(profiles[i].name, name)))
			continue;
		*ret = &profiles[i];
		return 0;
	}
	return PAMEDIT_E_UNKNOWN;
}

bool pamedit_is_rules(const struct pamedit_profile *profile)
{
	return !profile->account;
}

const char *pamedit_names(const char *service)
{
	if (str_eq(service, "sshd"))
		return "either, key, password, rules";
	if (str_eq(service, "login"))
		return "console, rules";
	if (str_eq(service, "passwd") || str_eq(service, "chpasswd"))
		return "rules";
	return str_eq(service, "gdm-password") ? "password, rules" : "password";
}

int pamedit_split(const char *text, struct pamedit_lines *ret)
{
	ret->n = 0;
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (ret->n == PAMEDIT_LINES_MAX)
			return -E2BIG;
		len += text[len] == '\n';
		ret->p[ret->n] = text;
		ret->len[ret->n++] = len;
		text += len;
	}
	return 0;
}

/* What one line of the file brings, its includes among it. */
struct content {
	bool type[PAMCONF_TYPES];
	bool password; /* asks for one */
	bool loginuid;
};

static bool asks_password(const struct pamconf_stack *s)
{
	static const char *const names[] = {"pam_unix", "pam_sss", "pam_ldap",
					    "pam_krb5", "pam_winbind"};

	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (pamconf_is_module(&s->v[i], names[k]))
				return true;
	return false;
}

int pamedit_read_line(const char *root, const struct pamedit_lines *lines, size_t i,
		      struct pamconf *ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_free_ char *text = strndup(lines->p[i], lines->len[i]);

	if (!text)
		return -ENOMEM;
	if (!*text || text[strspn(text, " \t\n")] == '\0')
		return 0;
	return pamconf_read_text(root, "line", text, ret, &diag);
}

bool pamedit_brings(const struct pamconf *conf, enum pamconf_type type)
{
	return conf->stack[type].n > 0 && !conf->stack[type].from_other;
}

static int read_content(const char *root, const struct pamedit_lines *lines, size_t i,
			struct content *ret)
{
	_cleanup_pamconf_ struct pamconf conf = PAMCONF_INIT;
	const struct pamconf_stack *session = &conf.stack[PAMCONF_SESSION];
	int r = pamedit_read_line(root, lines, i, &conf);

	*ret = (struct content){0};
	if (r != 0)
		return r;
	for (int t = 0; t < PAMCONF_TYPES; t++)
		ret->type[t] = pamedit_brings(&conf, (enum pamconf_type)t);
	ret->password =
		ret->type[PAMCONF_AUTH] && asks_password(&conf.stack[PAMCONF_AUTH]);
	for (size_t k = 0; ret->type[PAMCONF_SESSION] && k < session->n; k++)
		ret->loginuid = ret->loginuid ||
				pamconf_is_module(&session->v[k], "pam_loginuid");
	return 0;
}

/* Before which lines ours go; n lines: at the end. */
struct places {
	size_t first, auth, account, session;
};

static void put_block(FILE *out, const char *block)
{
	if (block)
		(void)fprintf(out, "%s\n%s%s\n", PAMEDIT_BEGIN, block, PAMEDIT_END);
}

static int compose(const struct pamedit_lines *lines,
		   const struct pamedit_profile *profile, const struct places *at,
		   char **ret)
{
	_cleanup_memtext_ struct memtext m = MEMTEXT_INIT;
	size_t len = 0;
	FILE *out;

	if (memtext_open(&m) != 0)
		return -ENOMEM;
	out = m.out;
	for (size_t i = 0; i <= lines->n; i++) {
		if (i == lines->n && i > 0 &&
		    lines->p[i - 1][lines->len[i - 1] - 1] != '\n')
			(void)fputc('\n', out);
		if (i == at->first)
			put_block(out, profile->first);
		if (i == at->auth)
			put_block(out, profile->auth);
		if (i == at->account)
			put_block(out, profile->account);
		if (i == at->session)
			put_block(out, SESSION);
		if (i < lines->n)
			(void)fwrite(lines->p[i], 1, lines->len[i], out);
	}
	return memtext_take(&m, ret, &len);
}

/* Is the text as a whole right? */
static int judge(const char *root, const char *service, const char *text, bool *ret)
{
	_cleanup_pamconf_ struct pamconf conf = PAMCONF_INIT;
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct pamwalk_rules rules = {.type = PAMCONF_AUTH,
				      .console = str_eq(service, "login"),
				      .su = str_eq(service, "su"),
				      .sshd = str_eq(service, "sshd")};
	struct pamwalk auth, account;
	int r = pamconf_read_text(root, service, text, &conf, &diag);

	*ret = false;
	if (r != 0 || conf.refused)
		return r;
	r = pamwalk_stack(&conf.stack[PAMCONF_AUTH], &rules, &auth);
	rules.type = PAMCONF_ACCOUNT;
	if (r == 0)
		r = pamwalk_stack(&conf.stack[PAMCONF_ACCOUNT], &rules, &account);
	if (r == 0)
		*ret = auth.opens && !auth.past.exists && !auth.dropped.exists &&
		       !auth.unproven.exists && account.opens && !account.past.exists &&
		       !account.dropped.exists && !account.ends.exists;
	return r == -E2BIG ? 0 : r;
}

static int find_places(const char *root, const struct pamedit_lines *lines,
		       const struct pamedit_profile *profile, struct places *ret)
{
	struct places at = {lines->n, lines->n, lines->n, lines->n};
	bool session = false;

	for (size_t i = 0; i < lines->n; i++) {
		struct content c;
		int r = read_content(root, lines, i, &c);

		if (r != 0)
			return r;
		if (c.type[PAMCONF_AUTH] && at.first == lines->n)
			at.first = i;
		if (c.password)
			at.auth = i + 1;
		if (c.type[PAMCONF_ACCOUNT] && at.account == lines->n)
			at.account = i;
		if (profile->loginuid ? c.loginuid
				      : c.type[PAMCONF_SESSION] && !session) {
			at.session = profile->loginuid ? i + 1 : i;
			session = true;
		}
	}
	*ret = at;
	return 0;
}

/* Lines of ours in the service's own file, of the kind that the profile has. */
static int find_ours(const char *root, const char *service, const char *text,
		     bool rules, bool *ret)
{
	_cleanup_pamconf_ struct pamconf conf = PAMCONF_INIT;
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	char own[64];
	int r = pamconf_read_text(root, service, text, &conf, &diag);

	(void)snprintf(own, sizeof(own), "/etc/pam.d/%s", service); /* known: short */
	*ret = false;
	for (int t = 0; r == 0 && t < PAMCONF_TYPES; t++)
		for (size_t i = 0; i < conf.stack[t].n; i++)
			if (rules == (t == PAMCONF_PASSWORD) &&
			    pamconf_is_module(&conf.stack[t].v[i], "pam_vmsec") &&
			    (rules || str_eq(conf.stack[t].v[i].file, own)))
				*ret = true;
	return r;
}

static int add_stages(const char *root, const char *service,
		      const struct pamedit_profile *profile, const char *text,
		      char **ret)
{
	struct pamedit_lines lines;
	struct places at;
	int r = pamedit_split(text, &lines);

	if (r == 0)
		r = find_places(root, &lines, profile, &at);
	if (r != 0)
		return r;
	/* Behind the password, but perhaps behind a pam_deny that belongs to it. */
	for (; at.auth <= lines.n; at.auth++) {
		_cleanup_free_ char *made = NULL;
		bool good = false;

		r = compose(&lines, profile, &at, &made);
		if (r == 0)
			r = judge(root, service, made, &good);
		if (r != 0)
			return r;
		if (good) {
			*ret = STEAL(made);
			return 0;
		}
	}
	return PAMEDIT_E_NO_PLACE;
}

int pamedit_add(const char *root, const char *service,
		const struct pamedit_profile *profile, const char *text, char **ret,
		struct diags *diag)
{
	const bool rules = pamedit_is_rules(profile);
	bool ours;
	int r = find_ours(root, service, text, rules, &ours);

	if (r == 0 && ours)
		return PAMEDIT_E_THERE;
	if (r == 0)
		r = rules ? pamedit_add_rules(root, service, text, ret)
			  : add_stages(root, service, profile, text, ret);
	if (r == PAMEDIT_E_NO_PLACE)
		diags_add(diag, service, 0, 0, NULL,
			  rules ? "no place in this file makes our lines judge every "
				  "new password and hear of every change: see "
				  "pam_vmsec(8)"
				: "no place in this file makes our lines the last "
				  "word behind a password: other lines of it lead "
				  "past them. Start from the example in "
				  "/usr/share/doc/vmsec");
	return r;
}

/* What of the line stays; ours give way to those that they stood for. */
static const char *kept(const char *line, bool inside)
{
	return inside ? str_after(line, PAMEDIT_WAS) : line;
}

int pamedit_remove(const char *text, char **ret)
{
	_cleanup_free_ char *made = malloc(strlen(text) + 1);
	char *end = made;
	struct pamedit_lines lines;
	bool inside = false, any = false;
	int r = pamedit_split(text, &lines);

	if (!made)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < lines.n; i++) {
		const char *line = lines.p[i], *keep = kept(line, inside);

		if (str_after(line, PAMEDIT_BEGIN "\n")) {
			inside = any = true;
		} else if (str_after(line, PAMEDIT_END "\n")) {
			inside = false;
		} else if (keep) {
			size_t len = lines.len[i] - (size_t)(keep - line);

			memcpy(end, keep, len);
			end += len;
		}
	}
	if (r != 0)
		return r;
	if (!any || inside) /* an end is missing: nothing is taken away by guess */
		return PAMEDIT_E_NOT_THERE;
	*end = '\0';
	*ret = STEAL(made);
	return 0;
}

static bool same_line(const struct pamedit_lines *a, size_t i,
		      const struct pamedit_lines *b, size_t k)
{
	return i < a->n && k < b->n && a->len[i] == b->len[k] &&
	       memcmp(a->p[i], b->p[k], a->len[i]) == 0;
}

static void put_line(FILE *out, char mark, const struct pamedit_lines *lines, size_t i)
{
	(void)fprintf(out, "%c%.*s", mark, (int)lines->len[i], lines->p[i]);
	if (lines->p[i][lines->len[i] - 1] != '\n')
		(void)fputs("\n\\ No newline at end of file\n", out);
}

/* How many lines of each to pass until both agree again, or both end. */
static void find_change(const struct pamedit_lines *a, size_t i,
			const struct pamedit_lines *b, size_t k, size_t *ret_gone,
			size_t *ret_new)
{
	for (size_t both = 0;; both++)
		for (size_t gone = 0; gone <= both; gone++) {
			*ret_gone = gone;
			*ret_new = both - gone;
			if (same_line(a, i + gone, b, k + *ret_new) ||
			    (i + gone == a->n && k + *ret_new == b->n))
				return;
		}
}

static void put_change(FILE *out, const struct pamedit_lines *a, size_t i, size_t gone,
		       const struct pamedit_lines *b, size_t k, size_t fresh,
		       size_t context)
{
	/* An empty range is named by the line before it. */
	(void)fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n",
		      i - context + (context + gone > 0), context + gone,
		      k - context + (context + fresh > 0), context + fresh);
	for (size_t c = context; c > 0; c--)
		put_line(out, ' ', a, i - c);
	for (size_t c = 0; c < gone; c++)
		put_line(out, '-', a, i + c);
	for (size_t c = 0; c < fresh; c++)
		put_line(out, '+', b, k + c);
}

void pamedit_diff(const char *path, const char *before, const char *after, FILE *out)
{
	struct pamedit_lines a, b;
	size_t i = 0, k = 0, shown = 0;

	if (pamedit_split(before, &a) != 0 || pamedit_split(after, &b) != 0)
		return;
	(void)fprintf(out, "--- %s\n+++ %s\n", path, path);
	while (i < a.n || k < b.n) {
		size_t gone, fresh;

		find_change(&a, i, &b, k, &gone, &fresh);
		if (gone + fresh == 0) {
			i++;
			k++;
			continue;
		}
		put_change(out, &a, i, gone, &b, k, fresh,
			   i - shown < CONTEXT ? i - shown : CONTEXT);
		i += gone;
		k += fresh;
		shown = i;
	}
}
