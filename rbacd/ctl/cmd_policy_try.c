/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy_try.c - policy try and confirm: a new policy for a while, then for good.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#include "policy/diff.h"
#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/judge.h"
#include "rbacd/ctl/progress.h"
#include "rbacd/ctl/replace.h"
#include "rbacd/ctl/text.h"
#include "rbacd/directory/local.h"

#define TRY_DEFAULT   "5m"
#define TRY_MIN_S     5
#define TRY_MAX_S     86400
#define LOGINUID_PATH "/proc/self/loginuid"
#define NAMES_SHOWN   5

/* ------------------------------------------------------------------ the caller */

static bool uid_in(const struct snapshot *s, uint32_t uid, char ret[65])
{
	struct snapshot_account a;

	for (size_t i = 0; s && i < snapshot_account_count(s); i++) {
		snapshot_account_at(s, i, &a);
		if (a.uid != uid || (a.flags & SNAPSHOT_NO_UID))
			continue;
		(void)snprintf(ret, 65, "%s", a.login);
		return true;
	}
	return false;
}

/* Who logged in, whatever he became since: the kernel keeps it. False: nobody did. */
static bool find_caller(const struct population *pop, char ret[65])
{
	struct local_account local = {0};
	char text[16] = "";
	_cleanup_close_ int fd = open(LOGINUID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *end = text;
	unsigned long uid = n > 0 ? strtoul(text, &end, 10) : 0;

	if (end == text || *end || uid >= UINT32_MAX) /* (uid_t)-1: nobody logged in */
		return false;
	if (local_find("/etc/passwd", text, &local) == 0 && *local.login) {
		(void)snprintf(ret, 65, "%s", local.login);
		return true;
	}
	return uid_in(pop->people, (uint32_t)uid, ret);
}

/* ------------------------------------------------------------------ what is lost */

struct losses {
	const char *caller, *vm; /* borrowed */
	uint64_t people, lost, gained;
	char locked_out[64]; /* a privilege that the caller loses on this VM; "" none */
};

static int tell(void *arg, const struct policy_change *c)
{
	struct losses *l = arg;

	if (!c) {
		l->people++;
		return 0;
	}
	*(c->gained ? &l->gained : &l->lost) += c->where.n_vms;
	if (c->gained || !l->caller || !str_eq(c->login, l->caller))
		return 0;
	for (size_t i = 0; i < c->where.n_vms; i++)
		if (str_eq(c->where.vms[i], l->vm))
			(void)snprintf(l->locked_out, sizeof(l->locked_out), "%s",
				       c->privilege);
	return 0;
}

/* sudo, or becoming root; plain su stands for root where no rule names su:root. */
static bool administers(const struct judge *j, uint32_t privilege)
{
	const char *text = policy_privileges_at(j->privs, privilege)->text;

	if (policy_privileges_find(j->privs, "su:root") == SIZE_MAX &&
	    str_eq(text, "su"))
		return true;
	return str_eq(text, "sudo") || str_eq(text, "su:root");
}

/* *ret[class]: somebody administers its VMs. Owned by the caller. */
static int find_administered(const struct judge *j, bool **ret)
{
	bool *has = calloc(policy_reach_classes(j->reach) + 1, sizeof(*has));
	const struct policy_opening *open;
	size_t n;
	int r = has ? 0 : -ENOMEM;

	for (size_t i = 0; i < j->people.n && r == 0; i++) {
		r = policy_reach_subject(j->reach, &j->people.v[i], &open, &n);
		for (size_t k = 0; r == 0 && k < n; k++)
			if (administers(j, open[k].privilege))
				has[open[k].class] = true;
	}
	if (r != 0)
		free(has);
	else
		*ret = has;
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The VMs that somebody administers, by name. *ret: owned; the names are the policy's.
 */
static int list_administered(const struct judge *j, const char ***ret, size_t *ret_n)
{
	size_t count = policy_vm_count(j->policy), n = 0;
	_cleanup_free_ bool *has = NULL;
	const char **names;
	int r = find_administered(j, &has);

	if (r != 0)
		return r;
	names = calloc(count + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (has[policy_reach_class_of(j->reach, (uint32_t)i)])
			names[n++] = policy_vm_at(j->policy, i);
	qsort(names, n, sizeof(*names), compare_names);
	*ret = names;
	*ret_n = n;
	return 0;
}

/* Tells the VMs that only the old policy has an administrator on. */
static int check_administered(struct ctl *ctl, const struct judge *before,
			      const struct judge *after, size_t *ret_n)
{
	_cleanup_free_ const char **old = NULL, **new = NULL;
	size_t n_old, n_new, n = 0;

	if (list_administered(before, &old, &n_old) != 0 ||
	    list_administered(after, &new, &n_new) != 0)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	for (size_t i = 0; i < n_old; i++)
		if (!bsearch(&old[i], new, n_new, sizeof(*new), compare_names) &&
		    n++ < NAMES_SHOWN)
			(void)fprintf(ctl->err,
				      "%s: nobody would have sudo or su to root\n",
				      old[i]);
	if (n > NAMES_SHOWN)
		(void)fprintf(ctl->err, "… and %zu more\n", n - NAMES_SHOWN);
	*ret_n = n;
	return 0;
}

/* What stands against it is told; 0 when nothing does, or --force. */
static int check_losses(struct ctl *ctl, const struct ctl_args *args,
			const struct judge *before, const struct judge *after,
			const struct losses *l)
{
	size_t n_orphans = 0;
	const bool known = before->people.complete && after->people.complete;
	bool bad = !known || !l->caller || *l->locked_out;
	int r = check_administered(ctl, before, after, &n_orphans);

	if (r != 0)
		return r;
	if (!known)
		(void)fputs("not all people are known: who would lose what cannot be "
			    "told; --people FILE\n",
			    ctl->err);
	if (!l->caller)
		(void)fputs("who you are is not known (no login id): whether you would "
			    "be locked out cannot be told; --user LOGIN\n",
			    ctl->err);
	if (*l->locked_out)
		(void)fprintf(ctl->err, "%s: you (%s) would lose %s\n", l->vm,
			      l->caller, l->locked_out);
	if ((!bad && n_orphans == 0) || ctl_arg(args, "force"))
		return 0;
	return ctl_fail(ctl, CTL_NO,
			"not tried; with --force it would be. Nothing has changed.");
}

/* ------------------------------------------------------------------ try */

static int send_try(struct ctl *ctl, const char *path, int64_t within_s,
		    const struct judge *before, const struct judge *after,
		    const char *changes)
{
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	struct wire_call call;
	char seconds[24];
	int r;

	(void)snprintf(seconds, sizeof(seconds), "%" PRId64, within_s); /* fits */
	ctl_call_init(&call, "policy-try");
	ctl_call_add(&call, "path", path);
	ctl_call_add(&call, "sha256", policy_sha256(after->policy));
	ctl_call_add(&call, "before", policy_sha256(before->policy));
	ctl_call_add(&call, "changes", changes);
	ctl_call_add(&call, "within", seconds);
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0)
		return r;
	return ctl_show_policy(ctl, &answer);
}

static int judge_and_try(struct ctl *ctl, const struct ctl_args *args, const char *path,
			 int64_t within_s)
{
	_cleanup_judge_ struct judge before = {.pop = POPULATION_INIT};
	_cleanup_judge_ struct judge after = {.pop = POPULATION_INIT};
	struct losses l = {.caller = ctl_arg(args, "user")};
	struct policy_side sides[2];
	struct progress bar;
	char caller[65], changes[160];
	int r = judge_open(ctl, args, NULL, &before);

	if (r == 0)
		r = judge_open(ctl, args, path, &after);
	if (r != 0)
		return r;
	people_warn(ctl, &before.people);
	l.vm = ctl->config->vm;
	if (!l.caller && find_caller(&before.pop, caller))
		l.caller = caller;
	sides[0] =
		(struct policy_side){before.policy, before.people.v, before.people.n};
	sides[1] = (struct policy_side){after.policy, after.people.v, after.people.n};
	progress_begin(&bar, ctl, "diff");
	r = policy_diff_watched(sides, before.pop.now_s, tell, &l, &bar.watch);
	progress_clear(&bar);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	r = check_losses(ctl, args, &before, &after, &l);
	if (r != 0)
		return r;
	(void)snprintf(changes, sizeof(changes),
		       "lost %" PRIu64 ", gained %" PRIu64 ", %" PRIu64
		       " people of %zu%s%s",
		       l.lost, l.gained, l.people, before.people.n,
		       before.people.complete && after.people.complete ? "" : " known",
		       ctl_arg(args, "force") ? "; forced" : "");
	if (!ctl->json)
		(void)fprintf(ctl->out, "%s\n", changes);
	return send_try(ctl, path, within_s, &before, &after, changes);
}

int cmd_policy_try(struct ctl *ctl, const struct ctl_args *args)
{
	const char *life = ctl_arg(args, "confirm-within");
	char path[PATH_MAX];
	int64_t s;

	if (text_parse_duration(life ? life : TRY_DEFAULT, &s) != 0 || s < TRY_MIN_S ||
	    s > TRY_MAX_S)
		return ctl_fail(ctl, CTL_USAGE,
				"--confirm-within %s is not a time like 30s, 5m or 1h, "
				"from 5s to 1d.",
				life);
	if (!realpath(args->pos[0], path))
		return ctl_fail(ctl, CTL_NO, "%s: %m.", args->pos[0]);
	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	return judge_and_try(ctl, args, path, s);
}

/* ------------------------------------------------------------------ confirm */

/* What is tried, as rbacd tells it. */
static int ask_tried(struct ctl *ctl, struct ctl_answer *answer, const char **ret_path,
		     const char **ret_sha)
{
	struct wire_call call;
	int r;

	ctl_call_init(&call, "status");
	r = ctl_call(ctl, CTL_ADMIN, &call, answer);
	if (r != 0)
		return r;
	*ret_path = out_text(&answer->set, "policy", "tried");
	*ret_sha = out_text(&answer->set, "policy", "sha256");
	if (*ret_path && *ret_sha)
		return 0;
	return ctl_fail(ctl, CTL_NO, "no policy is being tried.");
}

/* Does the policy at @path say what is tried? No complaint when it cannot be read. */
static bool is_tried(struct ctl *ctl, const char *path, const char *sha)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_policy_ struct policy *policy = NULL;
	struct policy_host host = {.name = ctl->config->vm,
				   .labels = ctl->config->labels,
				   .n_labels = ctl->config->n_labels};

	return policy_load(path, &host, &policy, &diag) == 0 &&
	       str_eq(policy_sha256(policy), sha);
}

static int copy_bytes(int from, int to)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		int r = replace_write(to, buf, (size_t)n);

		if (r != 0)
			return r;
	}
	return n < 0 || fsync(to) != 0 ? -errno : 0;
}

static int copy_beside(const char *from, const char *path, const char *temp)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_close_ int out = in < 0 ? -errno : replace_create(path, temp);

	return out < 0 ? out : copy_bytes(in, out);
}

/* Both names of the configured policy: what it will be, and what it was. */
struct places {
	const char *path; /* borrowed */
	char temp[PATH_MAX], old[PATH_MAX];
};

/* Puts the tried file in place of the configured one, which is kept as .old. */
static int put_in_place(struct ctl *ctl, const char *tried, const char *sha,
			const struct places *p)
{
	int r = copy_beside(tried, p->path, p->temp);

	if (r == 0 && !is_tried(ctl, p->temp, sha))
		r = -ESTALE;
	if (r == 0 && unlink(p->old) != 0 && errno != ENOENT)
		r = -errno;
	if (r == 0 && link(p->path, p->old) != 0)
		r = -errno;
	if (r == 0)
		r = replace_rename(p->temp, p->path);
	if (r == 0)
		return 0;
	if (r != -EEXIST)
		(void)unlink(p->temp); /* best effort: it is told anyway */
	if (r == -ESTALE)
		return ctl_fail(ctl, CTL_NO,
				"%s is no longer the policy that is being tried. "
				"Nothing was changed.",
				tried);
	return ctl_fail(ctl, CTL_NO, "%s could not be replaced: %s.", p->path,
			strerror(-r));
}

static bool both_files(const char *a, const char *b)
{
	struct stat st;

	return lstat(a, &st) == 0 && S_ISREG(st.st_mode) && lstat(b, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

static int make_configured(struct ctl *ctl, const char *tried, const char *sha,
			   struct places *p, bool *ret_moved)
{
	int r;

	if (is_tried(ctl, p->path, sha))
		return 0;
	if (!both_files(tried, p->path))
		return ctl_fail(ctl, CTL_NO,
				"%s and %s are not both one file: make %s say the same "
				"yourself, then: rbacctl policy confirm",
				tried, p->path, p->path);
	if (snprintf(p->temp, sizeof(p->temp), "%s.new", p->path) >= PATH_MAX ||
	    snprintf(p->old, sizeof(p->old), "%s.old", p->path) >= PATH_MAX)
		return ctl_fail(ctl, CTL_NO, "%s is too long a name.", p->path);
	r = put_in_place(ctl, tried, sha, p);
	*ret_moved = r == 0;
	return r;
}

int cmd_policy_confirm(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer status = CTL_ANSWER_INIT;
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const char *tried, *sha;
	struct wire_call call;
	struct places p;
	bool moved = false;
	int r;

	(void)args;
	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	r = ask_tried(ctl, &status, &tried, &sha);
	p.path = ctl->config->policy;
	if (r == 0)
		r = make_configured(ctl, tried, sha, &p, &moved);
	if (r != 0)
		return r;
	ctl_call_init(&call, "policy-confirm");
	r = ctl_call(ctl, CTL_ADMIN, &call, &answer);
	if (r != 0) /* it may have been confirmed: the new file is safe in both cases */
		return ctl_fail(ctl, r,
				"not known whether it is confirmed: rbacctl status");
	/* Too late, or refused: what the file says must be what runs. */
	if (answer.code != CTL_OK && moved && rename(p.old, p.path) != 0)
		(void)ctl_fail(ctl, CTL_NO, "%s could not be put back: %m.", p.path);
	return ctl_show_policy(ctl, &answer);
}
