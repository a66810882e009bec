/* SPDX-License-Identifier: Apache-2.0 */
/* pamfile.c - read, rename, flush; pending changes. */
#include "rbacd/doctor/pamfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define LABEL	 "security.selinux"
#define PENDING	 ".pending"
#define PATH_CAP 512
#define BOOT_CAP 40

/* Of the file ".pending": one line of numbers, then one service a line. */
struct pending {
	struct pamfile_login login;
	int64_t until_s;
	char boot[BOOT_CAP];
	char service[PAMFILE_SERVICES_MAX][PAMFILE_SERVICE_MAX + 1];
	size_t n;
};

bool pamfile_service_valid(const char *service)
{
	size_t len = strlen(service);

	return len > 0 && len <= PAMFILE_SERVICE_MAX && service[0] != '-' &&
	       strspn(service, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int read_all(int fd, char **ret)
{
	_cleanup_free_ char *buf = malloc(PAMFILE_BYTES_MAX + 1);
	size_t len = 0;

	if (!buf)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(fd, buf + len, PAMFILE_BYTES_MAX + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > PAMFILE_BYTES_MAX)
			return -E2BIG;
	}
	buf[len] = '\0';
	if (strlen(buf) != len) /* a NUL would hide what follows it */
		return -EINVAL;
	*ret = STEAL(buf);
	return 0;
}

int pamfile_read(const struct pamfile_dirs *dirs, const char *service, char **ret,
		 struct diags *diag)
{
	char path[PATH_CAP];
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", dirs->pam, service);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ELOOP) {
		diags_add(diag, path, 0, 0, NULL,
			  "is a symbolic link (authselect?): edit what it points to");
		return PAMFILE_E_REFUSED;
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022) != 0) {
		diags_add(
			diag, path, 0, 0, NULL,
			"must be a regular file of root's that nobody else may write");
		return PAMFILE_E_REFUSED;
	}
	r = read_all(fd, ret);
	if (r == -E2BIG || r == -EINVAL) {
		diags_add(diag, path, 0, 0, NULL, "is no text of a sensible size");
		return PAMFILE_E_REFUSED;
	}
	return r;
}

static int write_all(int fd, const char *text)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a read gave it */
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) == 0 ? 0 : -errno;
}

/* As the old file is, so that neither SELinux nor a package's check complains. */
static int take_after(int fd, const char *path)
{
	char label[256];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (fchown(fd, st.st_uid, st.st_gid) != 0 || fchmod(fd, st.st_mode & 0777) != 0)
		return -errno;
	n = lgetxattr(path, LABEL, label, sizeof(label));
	if (n > 0 && fsetxattr(fd, LABEL, label, (size_t)n, 0) != 0)
		return -errno;
	return 0;
}

static int flush_folder(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
}

static int replace(const char *folder, const char *name, const char *text)
{
	char path[PATH_CAP], temp[PATH_CAP];
	_cleanup_close_ int fd = -1;
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	/* No service can have this name: a dot begins it. */
	(void)snprintf(temp, sizeof(temp), "%s/.%s.vmsec", folder, name);
	if (unlink(temp) != 0 && errno != ENOENT)
		return -errno;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	r = take_after(fd, path);
	if (r == 0)
		r = write_all(fd, text);
	if (r == 0 && rename(temp, path) != 0)
		r = -errno;
	if (r != 0) {
		(void)unlink(temp); /* the first error is the one to tell */
		return r;
	}
	return flush_folder(folder);
}

int pamfile_write(const struct pamfile_dirs *dirs, const char *service,
		  const char *text)
{
	return replace(dirs->pam, service, text);
}

struct pamfile_login pamfile_login_now(void)
{
	struct pamfile_login login = {.audit = UINT32_MAX, .sid = getsid(0)};
	_cleanup_fclose_ FILE *in = fopen("/proc/self/sessionid", "re");
	char text[16];

	if (in && fgets(text, sizeof(text), in))
		login.audit = (uint32_t)strtoul(text, NULL, 10);
	return login;
}

/* Which start of the machine this is: the end of a wait is counted from it. */
static void read_boot(char ret[BOOT_CAP])
{
	_cleanup_fclose_ FILE *in = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!in || !fgets(ret, BOOT_CAP, in))
		(void)snprintf(ret, BOOT_CAP, "-");
	ret[strcspn(ret, "\n")] = '\0';
}

static int lock_folder(const struct pamfile_dirs *dirs)
{
	int fd;

	if (mkdir(dirs->save, 0700) != 0 && errno != EEXIST)
		return -errno;
	fd = open(dirs->save, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX) != 0) {
		int e = -errno;

		(void)close(fd);
		return e;
	}
	return fd;
}

static int read_pending(const struct pamfile_dirs *dirs, struct pending *ret)
{
	char path[PATH_CAP], line[128];
	_cleanup_fclose_ FILE *in = NULL;

	*ret = (struct pending){0};
	(void)snprintf(path, sizeof(path), "%s/%s", dirs->save, PENDING);
	in = fopen(path, "re");
	if (!in)
		return errno == ENOENT ? PAMFILE_E_NONE : -errno;
	if (!fgets(line, sizeof(line), in) ||
	    /* NOLINTNEXTLINE(cert-err34-c): root's own, as pamfile_begin() wrote it */
	    sscanf(line, "%" SCNu32 " %" SCNd32 " %" SCNd64 " %39s", &ret->login.audit,
		   &ret->login.sid, &ret->until_s, ret->boot) != 4)
		return -EPROTO;
	while (ret->n < PAMFILE_SERVICES_MAX && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (!pamfile_service_valid(line))
			return -EPROTO;
		memcpy(ret->service[ret->n++], line, strlen(line) + 1);
	}
	return 0;
}

int pamfile_begin(const struct pamfile_dirs *dirs, const struct pamfile_change *change,
		  size_t n, const struct pamfile_login *login, int64_t until_s)
{
	char text[128 + PAMFILE_SERVICES_MAX * (PAMFILE_SERVICE_MAX + 2)];
	char boot[BOOT_CAP];
	_cleanup_close_ int lock = lock_folder(dirs);
	struct pending old;
	size_t used;
	int r;

	if (lock < 0)
		return lock;
	if (n > PAMFILE_SERVICES_MAX)
		return -E2BIG;
	r = read_pending(dirs, &old);
	if (r != PAMFILE_E_NONE)
		return r == 0 ? PAMFILE_E_PENDING : r;
	read_boot(boot);
	used = (size_t)snprintf(text, sizeof(text),
				"%" PRIu32 " %" PRId32 " %" PRId64 " %s\n",
				login->audit, login->sid, until_s, boot);
	for (size_t i = 0; i < n; i++) {
		r = replace(dirs->save, change[i].service, change[i].before);
		if (r != 0)
			return r;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n",
					 change[i].service);
	}
	return replace(dirs->save, PENDING, text);
}

static int forget(const struct pamfile_dirs *dirs)
{
	char path[PATH_CAP];

	(void)snprintf(path, sizeof(path), "%s/%s", dirs->save, PENDING);
	if (unlink(path) != 0)
		return -errno;
	return flush_folder(dirs->save);
}

int pamfile_confirm(const struct pamfile_dirs *dirs, const struct pamfile_login *login)
{
	_cleanup_close_ int lock = lock_folder(dirs);
	struct pending p;
	int r;

	if (lock < 0)
		return lock;
	r = read_pending(dirs, &p);
	if (r != 0)
		return r;
	/* Where the kernel counts logins, that decides; a new terminal is none. */
	if (login->audit != UINT32_MAX ? login->audit == p.login.audit
				       : login->sid == p.login.sid)
		return PAMFILE_E_SAME_LOGIN;
	return forget(dirs);
}

int pamfile_revert(const struct pamfile_dirs *dirs, int64_t until_s)
{
	_cleanup_close_ int lock = lock_folder(dirs);
	const struct pamfile_dirs saved = {.pam = dirs->save};
	char boot[BOOT_CAP];
	struct pending p;
	int r, worst = 0;

	if (lock < 0)
		return lock;
	r = read_pending(dirs, &p);
	if (r != 0)
		return r;
	read_boot(boot);
	if ((until_s >= 0 && until_s != p.until_s) ||
	    (until_s == PAMFILE_OTHER_BOOT && str_eq(boot, p.boot)))
		return PAMFILE_E_NONE;
	for (size_t i = 0; i < p.n; i++) {
		_cleanup_diags_ struct diags diag = DIAGS_INIT;
		_cleanup_free_ char *text = NULL;

		r = pamfile_read(&saved, p.service[i], &text, &diag);
		if (r == 0)
			r = pamfile_write(dirs, p.service[i], text);
		if (r != 0)
			worst = r < 0 ? r : -EIO;
	}
	return worst != 0 ? worst : forget(dirs);
}
