/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock.c - Landlock by raw system calls: glibc has no wrappers, and the kernel's
 * header of the build machine says nothing about the kernel that runs. The numbers are
 * those of the kernel's user interface (landlock(7)).
 */

#include "rbacd/sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define CALL_CREATE   444 /* the same on every architecture */
#define CALL_ADD      445
#define CALL_RESTRICT 446

#define ASK_VERSION 1u

enum { RULE_PATH = 1, RULE_PORT = 2 };

#define FS_EXECUTE     (UINT64_C(1) << 0)
#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR    (UINT64_C(1) << 7)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_TRUNCATE    (UINT64_C(1) << 14)
#define FS_READ	       (FS_READ_FILE | FS_READ_DIR)
#define FS_ONLY_FOLDERS                                                                \
	(FS_READ_DIR | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG)
#define FS_WRITE                                                                       \
	(FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |      \
	 FS_MAKE_REG | FS_TRUNCATE)

#define NET_BIND    (UINT64_C(1) << 0)
#define NET_CONNECT (UINT64_C(1) << 1)

#define SCOPE_ABSTRACT (UINT64_C(1) << 0)
#define SCOPE_SIGNAL   (UINT64_C(1) << 1)

/* An older kernel takes the beginning of it. */
struct ruleset {
	uint64_t files, net, scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed, port;
};

/* What the kernel can refuse: everything it knows of. Return: the struct's size. */
static size_t ruleset_of(int version, const struct sandbox *box, struct ruleset *ret)
{
	/* 1: 13 rights; 2: refer; 3: truncate; 5: ioctl of devices */
	unsigned n_rights = version == 1   ? 13
			    : version == 2 ? 14
			    : version <= 4 ? 15
					   : 16;

	*ret = (struct ruleset){.files = (UINT64_C(1) << n_rights) - 1};
	if (version >= 4 && !box->any_port)
		ret->net = NET_BIND | NET_CONNECT;
	if (version >= 6)
		ret->scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return version >= 6   ? sizeof(*ret)
	       : version >= 4 ? offsetof(struct ruleset, scoped)
			      : offsetof(struct ruleset, net);
}

static int add_path(int set, const char *path, uint64_t allowed)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_rule rule = {.allowed = allowed, .fd = fd};
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= ~FS_ONLY_FOLDERS;
	return syscall(CALL_ADD, set, RULE_PATH, &rule, 0) == 0 ? 0 : -errno;
}

static int add_ports(int set, const uint16_t *ports)
{
	for (size_t i = 0; i < SANDBOX_PORTS_MAX && ports[i] != 0; i++) {
		struct port_rule rule = {.allowed = NET_CONNECT, .port = ports[i]};

		if (syscall(CALL_ADD, set, RULE_PORT, &rule, 0) != 0)
			return -errno;
	}
	return 0;
}

int landlock_install(const struct sandbox *box)
{
	_cleanup_close_ int set = -1;
	struct ruleset rules;
	size_t len;
	int version = (int)syscall(CALL_CREATE, NULL, 0, ASK_VERSION);
	int rc = 0;

	if (version <= 0)
		return 0;
	len = ruleset_of(version, box, &rules);
	set = (int)syscall(CALL_CREATE, &rules, len, 0);
	if (set < 0)
		return -errno;
	for (size_t i = 0; rc == 0 && i < SANDBOX_PATHS_MAX && box->read[i]; i++)
		rc = add_path(set, box->read[i], FS_READ & rules.files);
	for (size_t i = 0; rc == 0 && i < SANDBOX_PATHS_MAX && box->write[i]; i++)
		rc = add_path(set, box->write[i], FS_WRITE & rules.files);
	if (rc == 0 && rules.net != 0)
		rc = add_ports(set, box->ports);
	if (rc == 0 && syscall(CALL_RESTRICT, set, 0) != 0)
		rc = -errno;
	return rc == 0 ? version : rc;
}
