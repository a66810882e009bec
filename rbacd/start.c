/* SPDX-License-Identifier: Apache-2.0 */
/* start.c - accounts, key and sockets, and then nobody's privileges. */

#include "rbacd/start.h"

#include <errno.h>

#include "rbacd/hook_process.h"
#include "rbacd/privilege.h"

#define PASSWD_PATH "/etc/passwd"

static int lookup_account(const char *name, const char *what, struct local_account *ret,
			  struct diags *diag)
{
	int rc = local_find(PASSWD_PATH, name, ret);

	if (rc == 0 && ret->uid != 0)
		return 0;
	diags_add(diag, PASSWD_PATH, 0, 0, NULL,
		  rc == 0 ? "%s '%s' is root: it must be an account of its own"
			  : "%s '%s' has no line here: make it with useradd --system",
		  what, name);
	return -ENOENT;
}

static int listen_at(const struct config *c, const char *name, uint32_t mode,
		     uint32_t owner, struct diags *diag)
{
	char path[256];

	if (snprintf(path, sizeof(path), "%s/%s", c->run_dir, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return privilege_listen(path, mode, owner, diag);
}

static int folder_at(const struct config *c, const char *name, uint32_t mode,
		     struct diags *diag)
{
	char path[256];

	if (snprintf(path, sizeof(path), "%s/%s", c->run_dir, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return privilege_folder(path, mode, 0, 0, diag);
}

static int open_sockets(const struct config *c, const struct local_account *dir,
			struct sockets *ret, struct diags *diag)
{
	int rc = privilege_folder(c->run_dir, 0755, 0, 0, diag);

	if (rc == 0)
		rc = folder_at(c, "pam", 0700, diag);
	if (rc == 0)
		rc = folder_at(c, "dir", 0711, diag);
	if (rc != 0)
		return rc;
	ret->pam = listen_at(c, "pam/pam.sock", 0600, 0, diag);
	ret->admin = listen_at(c, "admin.sock", c->n_admins ? 0666 : 0600, 0, diag);
	ret->user = listen_at(c, "user.sock", 0666, 0, diag);
	ret->dir = listen_at(c, "dir/dir.sock", 0600, dir->uid, diag);
	return ret->pam < 0 || ret->admin < 0 || ret->user < 0 || ret->dir < 0 ? -EIO
									       : 0;
}

static int look_up_accounts(const struct config *c, struct start *st,
			    struct diags *diag)
{
	int rc = lookup_account(c->user, "user", &st->self, diag);

	return rc == 0 ? lookup_account(c->directory_user, "directory user", &st->dir,
					diag)
		       : rc;
}

/* Without root only what somebody else has bound can be used. */
static int take_sockets(const struct config *c, struct start *st, struct diags *diag)
{
	int rc = activation_take(st->envp, c->run_dir, &st->sockets, diag);

	if (rc != 0)
		return rc > 0 ? 0 : rc;
	if (geteuid() == 0)
		return open_sockets(c, &st->dir, &st->sockets, diag);
	diags_add(diag, NULL, 0, 0, NULL,
		  "must be started as root, which binds the sockets, reads the key and "
		  "becomes '%s'; or as '%s' with the sockets passed on",
		  c->user, c->user);
	return -EPERM;
}

/* The folders may have to be made, which takes root; the drop is for all. */
static int become_user(const struct config *c, const struct start *st,
		       struct diags *diag)
{
	int rc = privilege_folder(c->state_dir, 0700, st->self.uid, st->self.gid, diag);

	if (rc == 0)
		rc = privilege_folder(c->anchor_dir, 0700, st->self.uid, st->self.gid,
				      diag);
	return rc == 0 ? privilege_drop(st->self.uid, st->self.gid, 0, diag) : rc;
}

int start_up(struct server *s, struct start *st, struct diags *diag)
{
	const struct config *c = s->config;
	int rc = look_up_accounts(c, st, diag);

	if (rc == 0)
		rc = privilege_harden(diag);
	if (rc == 0 && c->audit.hook)
		rc = hook_process_start(c->audit.hook, st->self.uid, st->self.gid,
					&s->hook);
	if (rc == 0 && c->notify)
		rc = hook_process_start(c->notify, st->self.uid, st->self.gid,
					&s->notify);
	if (rc == 0)
		rc = take_sockets(c, st, diag);
	if (rc == 0)
		st->supervisor = activation_supervisor(st->envp);
	if (rc == 0)
		rc = keyring_open(st->key_file, st->self.uid, &st->keys, diag);
	if (rc == 0 && !c->audit.make_key)
		rc = signer_open(c->audit.key, false, c->audit.origin, &s->signer,
				 diag);
	return rc == 0 ? become_user(c, st, diag) : rc;
}

void start_done(struct start *st)
{
	keyring_done(&st->keys);
}
