/* SPDX-License-Identifier: Apache-2.0 */
/* log_files.c - the database, the segments and the keys of the audit log, for reading.
 */
#include "rbacd/ctl/log_files.h"

#include <errno.h>
#include <time.h>

#include "rbacd/audit/note.h"
#include "rbacd/keys/keyring.h"

void log_files_close(struct log_files *log)
{
	store_close(log->store);
	seal_free(log->seal);
}

int log_files_vkey(struct ctl *ctl, char *buf, size_t cap)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct signer *signer = NULL;
	int r;

	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	r = signer_open(ctl->config->audit.key, false, ctl->config->audit.origin,
			&signer, &diag);
	if (r != 0) {
		diags_print(&diag, ctl->err);
		return ctl_fail(ctl, CTL_NO, "the audit key could not be read%s.",
				r == -EACCES   ? ": run me as root"
				: r == -ENOENT ? "; rbacd makes it when it first starts"
					       : "");
	}
	(void)snprintf(buf, cap, "%s", signer_vkey(signer)); /* callers: its size */
	signer_free(signer);
	return 0;
}

int log_files_open(struct ctl *ctl, bool with_key, struct log_files *ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct store_options opt = {.read_only = true};
	char path[4096];
	int r;

	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	opt.path = config_db_path(ctl->config, path, sizeof(path));
	ret->dir = ctl->config->audit.dir;
	r = store_open(&opt, &ret->store, &diag);
	if (r == 0 && with_key)
		r = keyring_seal(ctl->config->key_file, ctl_rbacd_uid(ctl), ret->store,
				 &ret->seal, &diag);
	if (r == 0 && with_key)
		return log_files_vkey(ctl, ret->vkey, sizeof(ret->vkey));
	if (r == 0)
		return 0;
	diags_print(&diag, ctl->err);
	if (r == STORE_E_CORRUPT)
		return ctl_fail(ctl, CTL_INTEGRITY, "%s is damaged.", path);
	return ctl_fail(ctl, CTL_NO, "the audit log in %s could not be opened%s.", path,
			r == -EACCES ? ": run me as root" : "");
}

struct audit_verify_options log_files_options(const struct log_files *log)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail on Linux */
	return (struct audit_verify_options){
		.store = log->store,
		.seal = log->seal,
		.dir = log->dir,
		.vkey = log->vkey[0] ? log->vkey : NULL,
		.now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
	};
}

int log_read_number(struct ctl *ctl, const char *what, const char *text, uint64_t *ret)
{
	char *end = NULL;
	uint64_t v = 0;

	errno = 0;
	if (text && *text >= '0' && *text <= '9')
		v = strtoull(text, &end, 10);
	if (!end || *end || errno != 0 || v == 0 || v > INT64_MAX)
		return ctl_fail(ctl, CTL_USAGE, "%s needs a number from 1.", what);
	*ret = v;
	return 0;
}
