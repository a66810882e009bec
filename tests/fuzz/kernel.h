/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel.h - a machine of its own for the module under the fuzzer: clock, descriptors,
 * folders, memory and one connection, all without a system call, and all of them
 * failing now and then. Included by force before every file of the module
 * (KERNEL_RENAME), whose calls then end here instead of in libc.
 */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int kernel_connect(int fd, const struct sockaddr *sa, socklen_t len);
ssize_t kernel_send(int fd, const void *buf, size_t len, int flags);
ssize_t kernel_recv(int fd, void *buf, size_t len, int flags);
int kernel_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int kernel_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int kernel_socket(int domain, int type, int protocol);
int kernel_fcntl(int fd, int cmd, int arg);
int kernel_close(int fd);
int kernel_lstat(const char *path, struct stat *st);
int kernel_openat(int dir, const char *path, int flags);
ssize_t kernel_read(int fd, void *buf, size_t len);
ssize_t kernel_getrandom(void *buf, size_t len, unsigned flags);
int kernel_clock_gettime(clockid_t clock, struct timespec *ts);
void *kernel_malloc(size_t size);
void *kernel_calloc(size_t n, size_t size);

#ifdef KERNEL_RENAME
#define connect	      kernel_connect
#define send	      kernel_send
#define recv	      kernel_recv
#define poll	      kernel_poll
#define getsockopt    kernel_getsockopt
#define socket	      kernel_socket
#define fcntl	      kernel_fcntl
#define close	      kernel_close
#define lstat	      kernel_lstat
#define openat	      kernel_openat
#define read	      kernel_read
#define getrandom     kernel_getrandom
#define clock_gettime kernel_clock_gettime
#define malloc	      kernel_malloc
#define calloc	      kernel_calloc
#else

#define KERNEL_FDS 16

struct kernel {
	/* set by the test */
	uint64_t rng;
	unsigned one_in; /* a call fails once in so many; 0: never */
	int first_fd;
	uid_t server_uid, folder_uid;
	mode_t folder_mode;
	/* for the test to look at */
	uint64_t now_ns, waited_ns;
	unsigned n_faults; /* all */
	unsigned n_fatal;  /* those that no answer can make good again */
	unsigned n_lost;   /* of those: on the connection that is open now */
	bool connected;
	bool open[KERNEL_FDS];
	int sock; /* the connected descriptor */
};

extern struct kernel kernel;

/* kernel_fault() - is it this call's turn to fail? */
bool kernel_fault(void);
uint64_t kernel_random(void);
/* kernel_entry() - a new call into the module: counters to zero, nothing may be open.
 */
void kernel_entry(void);
#endif
