/* SPDX-License-Identifier: Apache-2.0 */
/* privilege.c - folders, sockets and the drop, while rbacd is still root. */

#include "rbacd/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "rbacd/limits.h"

static int fail(struct diags *diag, const char *path, const char *what, int err)
{
	diags_add(diag, path, 0, 0, NULL, "%s: %s", what, strerror(err));
	return -err;
}

int privilege_folder(const char *path, uint32_t mode, uint32_t uid, uint32_t gid,
		     struct diags *diag)
{
	_cleanup_close_ int fd = -1;
	bool made = mkdir(path, 0700) == 0;
	struct stat st;

	if (!made && errno != EEXIST)
		return fail(diag, path, "cannot make the folder", errno);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return fail(diag, path, "cannot open the folder", errno);
	if (made && (fchown(fd, uid, gid) != 0 || fchmod(fd, mode) != 0))
		return fail(diag, path, "cannot set owner and mode", errno);
	if (made)
		return 0;
	if (st.st_uid != uid || (st.st_mode & 07777 & ~mode) != 0) {
		diags_add(diag, path, 0, 0, NULL,
			  "must belong to uid %u with mode %04o at most; it has uid %u "
			  "mode "
			  "%04o (chown %u, chmod %o)",
			  uid, mode, st.st_uid, st.st_mode & 07777, uid, mode);
		return -EPERM;
	}
	return 0;
}

/* Somebody listens there: taking the path away would leave him deaf and everybody shut
 * out. A socket of a process that has ended refuses. */
static bool in_use(const struct sockaddr_un *addr)
{
	_cleanup_close_ int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 &&
	       (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
		errno == EAGAIN);
}

static int bind_listen(int fd, const struct sockaddr_un *addr, uint32_t mode,
		       uint32_t owner)
{
	/* The folder is root's alone, so nobody can get in between these steps. */
	if (in_use(addr))
		return -EADDRINUSE;
	if (unlink(addr->sun_path) != 0 && errno != ENOENT)
		return -errno;
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0)
		return -errno;
	if (chmod(addr->sun_path, mode) != 0 || chown(addr->sun_path, owner, 0) != 0)
		return -errno;
	return listen(fd, LIMIT_BACKLOG) == 0 ? 0 : -errno;
}

int privilege_listen(const char *path, uint32_t mode, uint32_t owner,
		     struct diags *diag)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	int rc, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return fail(diag, path, "socket path too long", ENAMETOOLONG);
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(diag, path, "socket", errno);
	rc = bind_listen(fd, &addr, mode, owner);
	if (rc != 0)
		return fail(diag, path, "cannot listen", -rc);
	ret = fd;
	fd = -1;
	return ret;
}

static void best_effort(void)
{
	struct rlimit rl;
	int fd;

	/* Enough for every table in limits.h; where the hard limit is lower, conn.c
	 * scales its table to what there is. */
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < 8192) {
		rl.rlim_cur = 8192;
		if (rl.rlim_max < 8192)
			rl.rlim_max = 8192;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "-900", 4); /* a container may refuse */
		(void)close(fd);
	}
}

int privilege_harden(struct diags *diag)
{
	struct rlimit none = {0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		return fail(diag, NULL, "cannot switch core dumps off", errno);
	best_effort();
	return 0;
}

/* A service manager has done it already, and its filter may refuse to do it again. */
static bool is_already(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	return getresuid(&u[0], &u[1], &u[2]) == 0 && u[0] == uid && u[1] == uid &&
	       u[2] == uid && getresgid(&g[0], &g[1], &g[2]) == 0 && g[0] == gid &&
	       g[1] == gid && g[2] == gid;
}

int privilege_drop(uint32_t uid, uint32_t gid, uint32_t reads, struct diags *diag)
{
	const gid_t others[] = {reads};

	if (uid == 0 || gid == 0)
		return fail(diag, NULL, "refusing to run on as root", EPERM);
	if (!is_already(uid, gid) &&
	    (setgroups(reads != 0, others) != 0 || setresgid(gid, gid, gid) != 0 ||
	     setresuid(uid, uid, uid) != 0))
		return fail(diag, NULL, "cannot drop privileges", errno);
	if (setresuid(0, 0, 0) == 0 || setresgid(0, 0, 0) == 0 || !is_already(uid, gid))
		return fail(diag, NULL, "privileges came back after the drop", EPERM);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) /* a uid change resets it */
		return fail(diag, NULL, "cannot give up new privileges", errno);
	return 0;
}
