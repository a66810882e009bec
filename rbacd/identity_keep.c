/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_keep.c - pipeline stage "identity": the last snapshot on disk, so that
 * people are known from boot on, directory or no directory.
 *
 * A file is a MAC and the block. A short-lived child writes it, because a flush of
 * 10 MB would hold every login. Base and change are files of their own; a change that
 * does not fit the base is of no use and is ignored.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rbacd/identity_internal.h"
#include "rbacd/log.h"
#include "rbacd/store/seal.h"

#define MAC_LEN	 32
#define SOON_MS	 200  /* from one writer to the next */
#define AGAIN_MS 5000 /* after one that could not write */

static const char *const file_names[] = {"directory.base", "directory.change"};

struct keep {
	struct identity *id; /* borrowed, as all here */
	const struct seal *seal;
	const char *dir;
	bool loading;		       /* what is taken now came from the files */
	bool wanted[2];		       /* base, change */
	bool writing[2];	       /* what the child writes */
	pid_t pid;		       /* 0: nobody writes */
	struct event *timer, *sigchld; /* owned */
};

static int mac_of(const struct keep *k, const char *name, const void *p, size_t len,
		  uint8_t ret[MAC_LEN])
{
	const struct seal_part parts[] = {{name, strlen(name)}, {p, len}};

	return seal_mac(k->seal, "directory snapshot", parts, ARRAY_SIZE(parts), ret);
}

/* ----------------------------------------------------------------- write */

static int write_all(int fd, const void *p, size_t len)
{
	const char *at = p;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int write_file(const struct keep *k, int dir, const char *name,
		      const struct snapshot *s)
{
	_cleanup_close_ int fd = -1;
	uint8_t mac[MAC_LEN];
	char temp[64];
	size_t len;
	const void *p = snapshot_bytes(s, &len);
	int r = mac_of(k, name, p, len, mac);

	if (r != 0)
		return r;
	(void)snprintf(temp, sizeof(temp), "%s.new", name);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, mac, sizeof(mac));
	if (r == 0)
		r = write_all(fd, p, len);
	if (r == 0 &&
	    (fsync(fd) != 0 || renameat(dir, temp, dir, name) != 0 || fsync(dir) != 0))
		r = -errno;
	return r;
}

/* Base first: a change is of use only to the base it names. */
static int write_files(const struct keep *k, const bool wanted[2])
{
	const struct whole *w = &k->id->whole;
	const struct snapshot *s[] = {w->base, w->change};
	_cleanup_close_ int dir = open(k->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? -errno : 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(s); i++)
		if (wanted[i] && s[i])
			r = write_file(k, dir, file_names[i], s[i]);
	return r;
}

static void plan(struct keep *k, int ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (evtimer_add(k->timer, &tv) != 0)
		log_err("stage=identity: out of memory; the directory is not kept");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct keep *k = arg;

	(void)fd;
	(void)what;
	if (!k->wanted[0] && !k->wanted[1])
		return;
	memcpy(k->writing, k->wanted, sizeof(k->writing));
	k->pid = fork();
	if (k->pid == 0) {
		/* Sockets and database are the parent's. */
		(void)close_range(3, ~0u, 0); /* none is ours to lose */
		_exit(write_files(k, k->writing) == 0 ? 0 : 1);
	}
	if (k->pid < 0) {
		k->pid = 0;
		log_err("stage=identity: cannot start the writer of the directory");
		plan(k, AGAIN_MS);
		return;
	}
	k->wanted[0] = k->wanted[1] = false;
}

/* What the writer did not manage is still wanted. */
static void writer_ended(struct keep *k, int status)
{
	k->pid = 0;
	if (status == 0)
		return;
	log_err("stage=identity: the last snapshot could not be written to %s", k->dir);
	for (size_t i = 0; i < ARRAY_SIZE(k->wanted); i++)
		k->wanted[i] = k->wanted[i] || k->writing[i];
}

static void on_sigchld(evutil_socket_t fd, short what, void *arg)
{
	struct keep *k = arg;
	int status = 0;

	(void)fd;
	(void)what;
	if (k->pid <= 0 || waitpid(k->pid, &status, WNOHANG) != k->pid)
		return;
	writer_ended(k, status);
	plan(k, status == 0 ? SOON_MS : AGAIN_MS);
}

/* At once, so that a removal in use survives a crash; what comes within SOON_MS of the
 * last writer is written together. */
void keep_changed(struct keep *k, bool base)
{
	if (!k || k->loading)
		return;
	k->wanted[base ? 0 : 1] = true;
	if (k->pid == 0 && !evtimer_pending(k->timer, NULL))
		plan(k, 0);
}

void identity_keep_again(struct identity *id)
{
	if (!id->keep)
		return;
	keep_changed(id->keep, true);
	keep_changed(id->keep, false);
}

/* ------------------------------------------------------------------ read */

static int check_block(const struct keep *k, const char *name, const uint8_t *p,
		       size_t len, int *ret_fd)
{
	uint8_t mac[MAC_LEN], differ = 0;
	int r = mac_of(k, name, p + MAC_LEN, len - MAC_LEN, mac);

	for (size_t i = 0; i < MAC_LEN; i++)
		differ |= mac[i] ^ p[i];
	if (r != 0 || differ != 0)
		return r != 0 ? r : SEAL_E_FORGED;
	return snapshot_seal(p + MAC_LEN, len - MAC_LEN, ret_fd);
}

static int read_file(const struct keep *k, const char *name, int *ret_fd)
{
	_cleanup_close_ int dir = open(k->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd =
		dir < 0 ? -1
			: openat(dir, name,
				 O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	void *map;
	int r;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= MAC_LEN ||
	    st.st_size > (off_t)SNAPSHOT_BYTES_MAX)
		return SEAL_E_FORGED;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	r = check_block(k, name, map, (size_t)st.st_size, ret_fd);
	(void)munmap(map, (size_t)st.st_size); /* our own mapping */
	return r;
}

/* Return: true when the file was good. */
static bool load(struct keep *k, size_t i)
{
	struct snapshot *s;
	int fd = -1;
	int r = read_file(k, file_names[i], &fd);

	if (r == 0)
		r = snapshot_open_fd(fd, &s);
	/* All at once: nobody waits yet. */
	if (r == 0 && snapshot_check(s, SIZE_MAX) != 0) {
		snapshot_unref(s);
		r = SNAPSHOT_E_INVALID;
	}
	if (r == 0)
		r = whole_take(k->id, s, &fd);
	if (fd >= 0)
		(void)close(fd); /* a memfd */
	if (r != 0 && r != -ENOENT)
		log_err("stage=identity: %s/%s is not used: %s", k->dir, file_names[i],
			r == SEAL_E_FORGED ? "it was changed or made elsewhere"
					   : "it cannot be read");
	return r == 0;
}

/* ------------------------------------------------------------------ life */

int identity_keep(struct identity *id, const struct seal *seal, const char *dir)
{
	struct keep *k;

	if (id->config->source != CONFIG_SOURCE_LDAP)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->id = id;
	k->seal = seal;
	k->dir = dir;
	k->timer = evtimer_new(id->base, on_timer, k);
	k->sigchld = evsignal_new(id->base, SIGCHLD, on_sigchld, k);
	if (!k->timer || !k->sigchld || event_add(k->sigchld, NULL) != 0) {
		keep_free(k); /* nothing is wanted yet */
		return -ENOMEM;
	}
	id->keep = k;
	k->loading = true;
	if (load(k, 0) && load(k, 1))
		log_notice("stage=identity: the directory is known as of its last "
			   "change");
	k->loading = false;
	return 0;
}

void keep_free(struct keep *k)
{
	int status = 0;

	if (!k)
		return;
	/* The end: nobody waits any more. Two writers would mix their files. */
	if (k->pid > 0 && waitpid(k->pid, &status, 0) == k->pid)
		writer_ended(k, status);
	if ((k->wanted[0] || k->wanted[1]) && write_files(k, k->wanted) != 0)
		log_err("stage=identity: the last snapshot could not be written to %s",
			k->dir);
	if (k->timer)
		event_free(k->timer);
	if (k->sigchld)
		event_free(k->sigchld);
	free(k);
}
