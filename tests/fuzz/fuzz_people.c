/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_people.c - people.yaml and /etc/passwd: what is built of them verifies, and no
 * person of the file is one of the host's or has a number of the system's.
 */
#include <assert.h>
#include <fcntl.h>

#include "rbacd/directory/file.h"
#include "rbacd/directory/local.h"
#include "rbacd/directory/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct snapshot *targets, *host;

static struct snapshot *take(int fd)
{
	struct snapshot *s = NULL;

	assert(snapshot_from_fd(fd, &s) == 0);
	(void)close(fd);
	return s;
}

static void make_world(void)
{
	struct snapshot_account root = {.login = "root", .id = "local:root"};
	struct snapshot_builder *b = NULL;
	uint32_t index;
	int fd = -1;

	root.flags = SNAPSHOT_LOCAL;
	assert(snapshot_builder_new("fuzz", 1, &b) == 0);
	assert(snapshot_add_group(b, "admins", true, 0, &index) == 0);
	assert(snapshot_add_group(b, "ops", true, 0, &index) == 0);
	assert(snapshot_build_fd(b, &fd) == 0);
	targets = take(fd);
	snapshot_builder_free(b);
	assert(snapshot_builder_new("local", 1, &b) == 0);
	assert(snapshot_add_account(b, &root) == 0);
	assert(snapshot_build_fd(b, &fd) == 0);
	host = take(fd);
	snapshot_builder_free(b);
}

static void problem(void *arg, const char *text)
{
	(void)arg;
	assert(text[0]);
}

static void try_people(const char *path)
{
	struct file_input in = {.path = path,
				.targets = targets,
				.local = host,
				.now_s = 1790000000,
				.problem = problem};
	struct diags diag = DIAGS_INIT;
	struct snapshot_account a;
	struct snapshot *s;
	int fd = -1, r = file_build(&in, &fd, &diag);

	assert(r == 0 || fd == -1);
	assert(r <= 0 || diags_failed(&diag));
	diags_done(&diag);
	if (r != 0)
		return;
	s = take(fd);
	assert(!snapshot_find(s, "root", &a));
	for (size_t i = 0; i < snapshot_account_count(s); i++) {
		snapshot_account_at(s, i, &a);
		assert(a.uid >= SNAPSHOT_PEOPLE_MIN && !snapshot_uid_reserved(a.uid));
		assert((a.flags & SNAPSHOT_DIRECTORY) && !(a.flags & SNAPSHOT_LOCAL));
	}
	snapshot_unref(s);
}

static int count(const struct local_account *a, void *arg)
{
	assert(a->login[0] && strlen(a->login) < sizeof(a->login));
	++*(size_t *)arg;
	return 0;
}

static void try_passwd(const char *path)
{
	size_t n = 0, skipped = 0, skipped_too = 0;
	struct local_account a;
	struct snapshot *s;
	int fd = -1;

	if (local_each(path, count, &n, &skipped) != 0)
		return;
	(void)!local_find(path, "root", &a);
	(void)!local_find(path, "1000", &a);
	if (file_build_local(path, 1, &fd, &skipped_too) != 0)
		return;
	s = take(fd);
	assert(snapshot_account_count(s) <= n);
	snapshot_unref(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/dev/shm/vmsec-fuzz-people-XXXXXX";
	int fd;

	if (!targets)
		make_world();
	if (size < 1)
		return 0;
	fd = mkstemp(path);
	assert(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)size - 1);
	(void)close(fd);
	if (data[0] % 2)
		try_passwd(path);
	else
		try_people(path);
	(void)unlink(path);
	return 0;
}
