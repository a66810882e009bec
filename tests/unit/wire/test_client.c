/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_client.c - the calling side against sockets of every kind (I3, I8, I9). Root
 * only: trusted folders are root's. Everything lives in a private folder below /run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "rbacd/wire/client.h"

#define MS 1000000u

struct fixture {
	char dir[64];
	char path[80];
	int listener;
};

static int listen_at(const char *path, int backlog)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && strlen(path) < sizeof(sa.sun_path));
	memcpy(sa.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static int setup(void **state)
{
	static struct fixture f;

	memcpy(f.dir, "/run/vmsec-client-XXXXXX", 25);
	assert_non_null(mkdtemp(f.dir));
	(void)snprintf(f.path, sizeof(f.path), "%s/s", f.dir);
	f.listener = listen_at(f.path, 8);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	base_closep(&f->listener);
	(void)unlink(f->path);
	return rmdir(f->dir);
}

static int try_open(const char *path, uint32_t uid, struct wire_client *c)
{
	static uint8_t buf[WIRE_FRAME_MAX_IN];

	return wire_client_open(c, path, uid, wire_now_ns() + 300 * MS, buf,
				sizeof(buf));
}

static void test_open_and_close(void **state)
{
	struct fixture *f = *state;
	struct wire_client c;

	assert_int_equal(try_open(f->path, 0, &c), 0);
	assert_true(c.fd > 2);
	assert_true(fcntl(c.fd, F_GETFD) & FD_CLOEXEC);
	wire_client_close(&c);
	assert_int_equal(c.fd, -1);
	wire_client_close(&c);
}

static void test_bad_paths(void **state)
{
	struct fixture *f = *state;
	struct wire_client c;
	char path[300];

	assert_int_equal(try_open("relative", 0, &c), -EINVAL);
	assert_int_equal(try_open("", 0, &c), -EINVAL);
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	assert_int_equal(try_open(path, 0, &c), -EINVAL);
	(void)snprintf(path, sizeof(path), "%s/none", f->dir);
	assert_int_equal(try_open(path, 0, &c), -ENOENT);
	assert_int_equal(c.fd, -1);
	base_closep(&f->listener);
	f->listener = -1;
	assert_int_equal(try_open(f->path, 0, &c), -ECONNREFUSED);
}

/* I3: a folder that somebody else could have filled. */
static void test_untrusted_folders(void **state)
{
	struct fixture *f = *state;
	struct wire_client c;
	char link[96];
	char path[112];

	assert_int_equal(chmod(f->dir, 0770), 0);
	assert_int_equal(try_open(f->path, 0, &c), -EPERM);
	assert_int_equal(chmod(f->dir, 01777), 0);
	assert_int_equal(try_open(f->path, 0, &c), -EPERM);
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(try_open(f->path, 0, &c), 0);
	wire_client_close(&c);
	assert_int_equal(chown(f->dir, 65534, 0), 0);
	assert_int_equal(try_open(f->path, 0, &c), -EPERM);
	assert_int_equal(chown(f->dir, 0, 0), 0);
	(void)snprintf(link, sizeof(link), "%s-link", f->dir);
	assert_int_equal(symlink(f->dir, link), 0);
	(void)snprintf(path, sizeof(path), "%s/s", link);
	assert_int_equal(try_open(path, 0, &c), -EPERM);
	assert_int_equal(unlink(link), 0);
}

/* I3: whoever called listen() must be root or the named uid. */
static void test_server_uid(void **state)
{
	struct fixture *f = *state;
	struct wire_client c;
	int ready[2];
	int done[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(pipe(ready) | pipe(done), 0);
	base_closep(&f->listener);
	f->listener = -1;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sockaddr_un sa = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		memcpy(sa.sun_path, f->path, strlen(f->path));
		if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
		    setuid(12345) != 0 || listen(fd, 8) != 0)
			_exit(1);
		(void)!write(ready[1], "r", 1);
		(void)close(done[1]);
		(void)!read(done[0], &byte, 1);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(try_open(f->path, 0, &c), -EPERM);
	assert_int_equal(try_open(f->path, 999, &c), -EPERM);
	assert_int_equal(try_open(f->path, 12345, &c), 0);
	wire_client_close(&c);
	(void)close(done[1]);
	(void)close(done[0]);
	(void)close(ready[0]);
	(void)close(ready[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* I9: a full backlog is retried until the deadline, not longer and not shorter. */
static void test_full_backlog(void **state)
{
	struct fixture *f = *state;
	struct wire_client waiting[4];
	struct wire_client c;
	uint64_t start;
	uint64_t took;

	base_closep(&f->listener);
	assert_int_equal(unlink(f->path), 0);
	f->listener = listen_at(f->path, 1);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(try_open(f->path, 0, &waiting[i]), 0);
	start = wire_now_ns();
	assert_int_equal(try_open(f->path, 0, &c), -ETIMEDOUT);
	took = wire_now_ns() - start;
	assert_true(took >= 295 * MS && took < 2000u * MS);
	assert_true(accept(f->listener, NULL, NULL) >= 0);
	assert_int_equal(try_open(f->path, 0, &c), 0);
	wire_client_close(&c);
	wire_client_close(&waiting[0]);
	wire_client_close(&waiting[1]);
}

static void pair_client(struct wire_client *c, int *ret_peer, uint8_t *buf, size_t cap)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, fds),
			 0);
	*c = (struct wire_client){.fd = fds[0],
				  .deadline_ns = wire_now_ns() + 200 * MS,
				  .buf = buf,
				  .cap = cap};
	*ret_peer = fds[1];
}

static const uint8_t two_frames[] = {0, 0, 0, 9, 1, 18, 0, 0,  0, 80, 0,
				     1, 7, 0, 0, 0, 4,	1, 17, 0, 0};

static void test_recv_two_frames(void **state)
{
	uint8_t buf[64];
	struct wire_client c;
	struct wire_frame frame;
	int peer;

	(void)state;
	pair_client(&c, &peer, buf, sizeof(buf));
	assert_int_equal(write(peer, two_frames, sizeof(two_frames)),
			 sizeof(two_frames));
	assert_int_equal(wire_client_recv(&c, &frame), 0);
	assert_int_equal(frame.type, WIRE_END);
	assert_int_equal(frame.len, 5);
	assert_int_equal(wire_client_recv(&c, &frame), 0);
	assert_int_equal(frame.type, WIRE_ROW);
	assert_int_equal(wire_client_recv(&c, &frame), -ETIMEDOUT);
	(void)close(peer);
	c.deadline_ns = 0;
	assert_int_equal(wire_client_recv(&c, &frame), -ECONNRESET);
	wire_client_close(&c);
}

static void test_recv_half_then_close(void **state)
{
	uint8_t buf[64];
	struct wire_client c;
	struct wire_frame frame;
	int peer;

	(void)state;
	for (size_t n = 0; n < 13; n++) {
		pair_client(&c, &peer, buf, sizeof(buf));
		assert_int_equal(write(peer, two_frames, n), n);
		(void)close(peer);
		assert_int_equal(wire_client_recv(&c, &frame), -ECONNRESET);
		wire_client_close(&c);
	}
}

static void test_recv_malformed(void **state)
{
	static const uint8_t bad[][8] = {
		{0, 0, 0, 61, 1, 18, 0, 0}, /* longer than the buffer holds */
		{0, 0, 0, 4, 2, 18, 0, 0},
		{'H', 'T', 'T', 'P', '/', '1', '.', '1'},
	};
	uint8_t buf[64];
	struct wire_client c;
	struct wire_frame frame;
	int peer;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		pair_client(&c, &peer, buf, sizeof(buf));
		assert_int_equal(write(peer, bad[i], 8), 8);
		assert_int_equal(wire_client_recv(&c, &frame), -EPROTO);
		wire_client_close(&c);
		(void)close(peer);
	}
}

/* A peer that sends a byte now and then does not move the deadline. */
static void test_recv_dribble(void **state)
{
	uint8_t buf[WIRE_FRAME_MAX_IN];
	uint8_t frame_bytes[2000] = {0, 0, 7, 0, 1, 18};
	struct wire_client c;
	struct wire_frame frame;
	uint64_t start = wire_now_ns();
	int peer;
	pid_t pid;

	(void)state;
	pair_client(&c, &peer, buf, sizeof(buf));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (size_t i = 0; i < sizeof(frame_bytes); i++) {
			if (send(peer, frame_bytes + i, 1, MSG_NOSIGNAL) != 1)
				break;
			(void)usleep(2000);
			if (wire_now_ns() - start > 1000u * MS)
				break;
		}
		_exit(0);
	}
	assert_int_equal(wire_client_recv(&c, &frame), -ETIMEDOUT);
	assert_true(wire_now_ns() - start < 900u * MS);
	wire_client_close(&c);
	(void)close(peer);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_send_to_nobody(void **state)
{
	static uint8_t big[1 << 20];
	uint8_t buf[64];
	struct wire_client c;
	int peer;

	(void)state;
	pair_client(&c, &peer, buf, sizeof(buf));
	assert_int_equal(wire_client_send(&c, big, sizeof(big)), -ETIMEDOUT);
	(void)close(peer); /* SIGPIPE would end this program */
	assert_int_equal(wire_client_send(&c, big, 1), -EPIPE);
	wire_client_close(&c);
}

static void test_close_wipes(void **state)
{
	uint8_t buf[64];
	struct wire_client c;
	struct wire_frame frame;
	int peer;

	(void)state;
	pair_client(&c, &peer, buf, sizeof(buf));
	assert_int_equal(write(peer, two_frames, sizeof(two_frames)),
			 sizeof(two_frames));
	assert_int_equal(wire_client_recv(&c, &frame), 0);
	wire_client_close(&c);
	(void)close(peer);
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0);
}

int main(void)
{
#define WITH_SOCKET(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_SOCKET(test_open_and_close),
		WITH_SOCKET(test_bad_paths),
		WITH_SOCKET(test_untrusted_folders),
		WITH_SOCKET(test_server_uid),
		WITH_SOCKET(test_full_backlog),
		cmocka_unit_test(test_recv_two_frames),
		cmocka_unit_test(test_recv_half_then_close),
		cmocka_unit_test(test_recv_malformed),
		cmocka_unit_test(test_recv_dribble),
		cmocka_unit_test(test_send_to_nobody),
		cmocka_unit_test(test_close_wipes),
	};

	if (geteuid() != 0) {
		puts("test_client: skipped, needs root");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
