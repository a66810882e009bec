/* SPDX-License-Identifier: Apache-2.0 */
/*
 * activation.c - LISTEN_FDS: what was passed, each under its own name and path; and
 * NOTIFY_SOCKET.
 */

#include "rbacd/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "rbacd/log.h"

#define FIRST_FD  3
#define N_SOCKETS 4

static const struct place {
	const char *name, *path; /* below the run folder */
	size_t at;		 /* in struct sockets */
} places[N_SOCKETS] = {
	{"pam", "pam/pam.sock", offsetof(struct sockets, pam)},
	{"admin", "admin.sock", offsetof(struct sockets, admin)},
	{"user", "user.sock", offsetof(struct sockets, user)},
	{"dir", "dir/dir.sock", offsetof(struct sockets, dir)},
};

static int *slot(struct sockets *s, const struct place *p)
{
	return (int *)(void *)((char *)s + p->at);
}

/* The environment is a parameter, and read here only. */
static const char *find(char *const *envp, const char *key)
{
	size_t len = strlen(key);

	for (; *envp; envp++)
		if (memcmp(*envp, key, strnlen(*envp, len)) == 0 &&
		    strnlen(*envp, len) == len && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

static bool is_number(const char *text, long number)
{
	char own[24];

	(void)snprintf(own, sizeof(own), "%ld", number); /* fits */
	return str_eq(text, own);
}

static int fail(struct diags *diag, const char *name, const char *what, int rc)
{
	diags_add(diag, NULL, 0, 0, NULL, "socket activation: %s: %s", name, what);
	return rc;
}

static bool listens_at(int fd, const char *run_dir, const struct place *p)
{
	struct sockaddr_un at = {0};
	socklen_t at_len = sizeof(at) - 1, len = sizeof(int);
	int listens = 0, type = 0;
	char path[sizeof(at.sun_path)];

	return snprintf(path, sizeof(path), "%s/%s", run_dir, p->path) <
		       (int)sizeof(path) &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	       listens && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM &&
	       getsockname(fd, (struct sockaddr *)&at, &at_len) == 0 &&
	       at.sun_family == AF_UNIX && str_eq(at.sun_path, path);
}

static const struct place *place_of(const char *name, size_t len)
{
	for (size_t i = 0; i < N_SOCKETS; i++)
		if (strlen(places[i].name) == len &&
		    memcmp(places[i].name, name, len) == 0)
			return &places[i];
	return NULL;
}

/* The next one of the colon-separated names. */
static int take_one(int fd, const char **names, const char *run_dir, struct sockets *s,
		    struct diags *diag)
{
	const char *name = *names;
	size_t len = strcspn(name, ":");
	const struct place *p = place_of(name, len);

	*names += len + (name[len] == ':');
	if (!p || *slot(s, p) >= 0)
		return fail(diag, name,
			    "is not one of pam, admin, user, dir, each once", -EINVAL);
	if (!listens_at(fd, run_dir, p))
		return fail(diag, p->name,
			    "does not listen at its path below the run folder",
			    -EINVAL);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return fail(diag, p->name, strerror(errno), -errno);
	*slot(s, p) = fd;
	return 0;
}

int activation_take(char *const *envp, const char *run_dir, struct sockets *ret,
		    struct diags *diag)
{
	const char *pid = find(envp, "LISTEN_PID"), *n = find(envp, "LISTEN_FDS");
	const char *names = find(envp, "LISTEN_FDNAMES");
	struct sockets s = SOCKETS_INIT;
	int rc = 0;

	if (!pid || !n || !is_number(pid, (long)getpid()))
		return 0;
	if (!names || !is_number(n, N_SOCKETS))
		return fail(diag, "LISTEN_FDS", "four sockets with names are needed",
			    -EINVAL);
	for (int fd = FIRST_FD; rc == 0 && fd < FIRST_FD + N_SOCKETS; fd++)
		rc = take_one(fd, &names, run_dir, &s, diag);
	if (rc != 0)
		return rc;
	*ret = s;
	return 1;
}

int activation_supervisor(char *const *envp)
{
	const char *path = find(envp, "NOTIFY_SOCKET");
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len;
	int fd;

	if (!path || strlen(path) >= sizeof(at.sun_path))
		return -1;
	memcpy(at.sun_path, path, strlen(path));
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (*path == '@') /* not in the file system */
		at.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, len) == 0)
		return fd;
	log_warning("%s: %s: nobody is told that rbacd is ready", path,
		    strerror(errno));
	return fd < 0 ? -1 : (close(fd), -1);
}

void activation_ready(int fd)
{
	static const char text[] = "READY=1";

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		log_warning("the supervisor was not told that rbacd is ready: %s",
			    strerror(errno));
	(void)close(fd);
}
