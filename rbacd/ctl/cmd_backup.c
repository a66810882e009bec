/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_backup.c - backup of the live database, restore into a stopped one. */

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/directory/local.h"
#include "rbacd/store/store.h"
#include "rbacd/wire/client.h"

static void store_closep(struct store **s)
{
	store_close(*s);
}

int cmd_backup(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_(store_closep) struct store *store = NULL;
	struct store_options opt = {.read_only = true};
	char path[4096];
	int r;

	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	opt.path = config_db_path(ctl->config, path, sizeof(path));
	r = store_open(&opt, &store, &diag);
	if (r == 0)
		r = store_backup(store, args->pos[0], &diag);
	diags_print(&diag, ctl->err);
	if (r != 0)
		return ctl_fail(ctl, r == STORE_E_CORRUPT ? CTL_INTEGRITY : CTL_NO,
				"no backup was made.");
	if (ctl->json)
		(void)fputs("{\"done\": true}\n",
			    ctl->out); /* main checks the stream */
	else
		(void)fprintf(
			ctl->out,
			"%s holds the database. The master key %s is not in it: keep "
			"that apart, without it the backup is useless.\n",
			args->pos[0], ctl->config->key_file);
	return CTL_OK;
}

/* Somebody who listens on admin.sock is enough; the store checks its lock as well. */
static bool daemon_runs(struct ctl *ctl)
{
	struct wire_client client = {.fd = -1};
	uint8_t buf[WIRE_HEADER_LEN];
	char path[512];
	int r;

	(void)snprintf(path, sizeof(path), "%s/admin.sock", ctl->config->run_dir);
	r = wire_client_open(&client, path, 0, wire_now_ns() + UINT64_C(1000000000),
			     buf, sizeof(buf));
	wire_client_close(&client);
	return r != -ENOENT && r != -ECONNREFUSED;
}

/* The new file must be rbacd's own, or rbacd could not open it. */
static int give_to_rbacd(struct ctl *ctl, const char *path)
{
	struct local_account user;

	if (local_find("/etc/passwd", ctl->config->user, &user) != 0 ||
	    lchown(path, user.uid, user.gid) != 0)
		return ctl_fail(
			ctl, CTL_NO,
			"the database is restored, but could not be given to %s: %m. "
			"Do it by hand: chown %s %s",
			ctl->config->user, ctl->config->user, path);
	return CTL_OK;
}

/* Else rbacd would take the backup for a database that somebody put back by hand, and
 * void all codes once more. Interrupted before this it does, which is the safe side. */
static int forget_anchor(struct ctl *ctl)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/anchor", ctl->config->anchor_dir);
	if (unlink(path) == 0 || errno == ENOENT)
		return CTL_OK;
	return ctl_fail(ctl, CTL_NO, "%s cannot be removed: %m. Remove it by hand.",
			path);
}

int cmd_restore(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	char path[4096];
	int r;

	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	if (daemon_runs(ctl))
		return ctl_fail(
			ctl, CTL_NO,
			"rbacd is running, or its sockets would start it. Stop both "
			"first: systemctl stop rbacd.target");
	(void)config_db_path(ctl->config, path, sizeof(path)); /* returns path */
	r = store_restore(path, args->pos[0], (int64_t)time(NULL), &diag);
	diags_print(&diag, ctl->err);
	if (r != 0)
		return ctl_fail(ctl, r == STORE_E_CORRUPT ? CTL_INTEGRITY : CTL_NO,
				"nothing was restored.");
	r = give_to_rbacd(ctl, path);
	if (r == CTL_OK)
		r = forget_anchor(ctl);
	if (r != CTL_OK)
		return r;
	if (ctl->json)
		(void)fputs("{\"done\": true}\n",
			    ctl->out); /* main checks the stream */
	else
		(void)fprintf(ctl->out,
			      "%s is restored. Codes that may have been used since the "
			      "backup "
			      "are void. Start rbacd now: systemctl start rbacd\n",
			      path);
	return CTL_OK;
}
