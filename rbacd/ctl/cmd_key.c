/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_key.c - key: the key files around a rotation.
 *
 * FILE.next is whole before rbacd hears of it; only when rbacd's database is sealed
 * under it do the names change: FILE to FILE.old, FILE.next to FILE. rbacd starts at
 * any point in between, because its database names the key.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/text.h"
#include "rbacd/keys/keyring.h"

#define PATH_CAP 512
#define HEX_LEN	 64

struct key_files {
	char path[KEYRING_N][PATH_CAP];
	char id[KEYRING_N][17]; /* "": not there */
};

static int read_files(struct ctl *ctl, struct key_files *ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_keyring_ struct keyring ring = KEYRING_INIT;

	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	if (keyring_open(ctl->config->key_file, ctl_rbacd_uid(ctl), &ring, &diag) !=
	    0) {
		diags_print(&diag, ctl->err);
		return ctl_fail(ctl, CTL_NO, "the key cannot be read: run me as root.");
	}
	for (int i = 0; i < KEYRING_N; i++) {
		if (keyring_path(ctl->config->key_file, i, ret->path[i], PATH_CAP) != 0)
			return ctl_fail(ctl, CTL_NO, "the key's path is too long.");
		(void)snprintf(ret->id[i], sizeof(ret->id[i]), "%s",
			       ring.seal[i] ? seal_key_id(ring.seal[i]) : "");
	}
	return CTL_OK;
}

/* The key that the running rbacd's database is sealed under. */
static int key_in_use(struct ctl *ctl, struct ctl_answer *answer, const char **ret)
{
	struct wire_call call;
	int r;

	ctl_call_init(&call, "key-status");
	r = ctl_call(ctl, CTL_ADMIN, &call, answer);
	if (r != 0)
		return r;
	*ret = out_text(&answer->set, "key", "key");
	if (answer->code == CTL_OK && *ret)
		return CTL_OK;
	ctl_show_message(ctl, answer);
	return CTL_NO;
}

/* ---------------------------------------------------------------- files */

static int sync_folder(const char *path)
{
	_cleanup_free_ char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	_cleanup_close_ int fd =
		dir ? open(dir[0] ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
}

/* Whole under a name that nobody reads, then renamed: half a key never counts. */
static int write_key(const char *path, const char hex[HEX_LEN + 1])
{
	char temp[PATH_CAP + 8];
	_cleanup_close_ int fd = -1;

	(void)snprintf(temp, sizeof(temp), "%s.new", path); /* fits */
	if (unlink(temp) != 0 && errno != ENOENT)
		return -errno;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0 || write(fd, hex, HEX_LEN + 1) != HEX_LEN + 1 || fsync(fd) != 0 ||
	    rename(temp, path) != 0)
		return errno ? -errno : -EIO;
	return sync_folder(path);
}

static void put_hex(const struct secret *key, struct secret *ret)
{
	for (size_t i = 0; i < HEX_LEN / 2; i++)
		(void)snprintf((char *)ret->bytes + 2 * i, 3, "%02x",
			       key->bytes[i]); /* fits */
}

static int make_key(struct ctl *ctl, const char *path)
{
	_cleanup_secret_ struct secret key = SECRET_INIT, hex = SECRET_INIT;
	int r = seal_random(key.bytes, HEX_LEN / 2);

	put_hex(&key, &hex);
	hex.bytes[HEX_LEN] = '\n';
	if (r == 0)
		r = write_key(path, (const char *)hex.bytes);
	return r == 0 ? CTL_OK
		      : ctl_fail(ctl, CTL_NO, "%s cannot be written: %s.", path,
				 strerror(-r));
}

/* The database is sealed under FILE.next: the names follow. */
static int finish(struct ctl *ctl, const struct key_files *k)
{
	const char *file = k->path[KEYRING_FILE];

	if (k->id[KEYRING_FILE][0] && rename(file, k->path[KEYRING_OLD]) != 0)
		return ctl_fail(ctl, CTL_NO,
				"%s counts now, but %s could not be renamed: %s. Put "
				"the new key in its place by hand.",
				k->path[KEYRING_NEXT], file, strerror(errno));
	if (rename(k->path[KEYRING_NEXT], file) != 0 || sync_folder(file) != 0)
		return ctl_fail(ctl, CTL_NO,
				"%s counts now, but could not be renamed to %s: %s.",
				k->path[KEYRING_NEXT], file, strerror(errno));
	return ctl_done(ctl,
			"%s holds the new key. The one before is %s: backups of before "
			"need it. Move both copies out of reach of the backups.",
			file, k->path[KEYRING_OLD]);
}

/* ---------------------------------------------------------------- rotate */

static int send_key(struct ctl *ctl, const struct ctl_args *args, const char *path,
		    struct ctl_answer *answer)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_secret_ struct secret key = SECRET_INIT, hex = SECRET_INIT;
	struct wire_call call;
	int r = seal_read_key(path, "master", ctl_rbacd_uid(ctl), &key, &diag);

	if (r != 0) {
		diags_print(&diag, ctl->err);
		return CTL_NO;
	}
	put_hex(&key, &hex);
	ctl_call_init(&call, "key-rotate");
	ctl_call_add(&call, "key", (const char *)hex.bytes);
	ctl_call_add(&call, "why", ctl_arg(args, "why"));
	r = ctl_call(ctl, CTL_ADMIN, &call, answer);
	explicit_bzero(&call, sizeof(call));
	if (r == 0 && !ctl->json)
		ctl_show_message(ctl, answer);
	return r == 0 ? answer->code : r;
}

/* There must be a FILE.next that is no other key of ours, and room for FILE.old. */
static int prepare(struct ctl *ctl, const struct key_files *k)
{
	if (k->id[KEYRING_OLD][0])
		return ctl_fail(ctl, CTL_NO,
				"%s of an earlier rotation is still there: keep it "
				"with the backups that need it, or delete it; then "
				"rotate again.",
				k->path[KEYRING_OLD]);
	if (k->id[KEYRING_NEXT][0])
		return CTL_OK; /* brought by somebody, or of a rotation cut short */
	return make_key(ctl, k->path[KEYRING_NEXT]);
}

int cmd_key_rotate(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_answer_ struct ctl_answer status = CTL_ANSWER_INIT;
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const char *used = "";
	struct key_files k = {.id = {""}};
	int r = read_files(ctl, &k);

	if (r == CTL_OK)
		r = key_in_use(ctl, &status, &used);
	if (r != CTL_OK)
		return r;
	if (str_eq(used, k.id[KEYRING_NEXT]))
		return finish(ctl, &k);
	if (!str_eq(used, k.id[KEYRING_FILE]))
		return ctl_fail(ctl, CTL_NO,
				"rbacd uses master key %s, and %s holds another one.",
				used, k.path[KEYRING_FILE]);
	r = prepare(ctl, &k);
	if (r == CTL_OK)
		r = send_key(ctl, args, k.path[KEYRING_NEXT], &answer);
	return r == CTL_OK ? finish(ctl, &k) : r;
}

/* ---------------------------------------------------------------- status */

static const char *to_do(const struct key_files *k, const char *used)
{
	if (str_eq(used, k->id[KEYRING_NEXT]))
		return "The database is sealed under FILE.next: finish with rbacctl "
		       "key "
		       "rotate, or put that key in the place of the key file.";
	if (str_eq(used, k->id[KEYRING_FILE]))
		return k->id[KEYRING_NEXT][0]
			       ? "A rotation is prepared: rbacctl key rotate."
			       : NULL;
	if (str_eq(used, k->id[KEYRING_OLD]))
		return "The database is of before the last rotation: rotate again, "
		       "after FILE.old has become the key file.";
	return "rbacd uses a key that is in none of the files: it will not start "
	       "again.";
}

int cmd_key_status(struct ctl *ctl, const struct ctl_args *args)
{
	static const char *const name[KEYRING_N] = {"file", "next", "old"};
	_cleanup_answer_ struct ctl_answer answer = CTL_ANSWER_INIT;
	const char *used = "", *next;
	struct out_row *row;
	struct key_files k = {.id = {""}};
	int r = read_files(ctl, &k);

	(void)args;
	if (r == CTL_OK)
		r = key_in_use(ctl, &answer, &used);
	if (r != CTL_OK)
		return r;
	next = to_do(&k, used);
	row = out_find(&answer.set, "key")->last;
	for (int i = 0; i < KEYRING_N; i++)
		if (k.id[i][0] && out_add_text(row, name[i], k.id[i], 16) != 0)
			return ctl_fail(ctl, CTL_NO, "out of memory.");
	if (ctl->json)
		ctl_show_json(ctl, &answer, "");
	else
		out_print_record(out_find(&answer.set, "key"), ctl->out);
	return next ? ctl_fail(ctl, CTL_NO, "%s", next) : CTL_OK;
}
