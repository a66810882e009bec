/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - collects; every value is a claim that rbacd weighs, none is checked here.
 */
#include "pam_vmsec/origin.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>

#define UNSET	      UINT32_MAX
#define FIRST_FREE_FD 3

/* Cuts to what fits: a name that long is refused by rbacd, with or without its end. */
static void copy_cut(char *dst, size_t cap, const char *src)
{
	size_t len = strnlen(src, cap - 1);

	memcpy(dst, src, len);
	dst[len] = 0;
}

static void copy_item(pam_handle_t *pamh, int item, char *dst, size_t cap)
{
	const void *value = NULL;

	if (pam_get_item(pamh, item, &value) == PAM_SUCCESS && value)
		copy_cut(dst, cap, value);
}

/*
 * A kernel number such as /proc/self/loginuid; UNSET when it cannot be read. The host
 * may have closed its standard streams: this descriptor must not pass for one of them.
 */
static uint32_t read_number(const char *path)
{
	_cleanup_close_ int fd =
		openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[16];
	uint64_t v = 0;
	ssize_t n;

	if (fd >= 0 && fd < FIRST_FREE_FD) {
		int low = fd;

		fd = fcntl(low, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
		(void)close(low); /* replaced by the duplicate */
	}
	if (fd < 0)
		return UNSET;
	n = read(fd, text, sizeof(text));
	if (n < 1 || n > 11)
		return UNSET;
	for (ssize_t i = 0; i < n && text[i] != '\n'; i++) {
		if (text[i] < '0' || text[i] > '9')
			return UNSET;
		v = v * 10 + (uint64_t)(text[i] - '0');
	}
	return v > UNSET ? UNSET : (uint32_t)v;
}

/*
 * SSH_AUTH_INFO_0 is one line a method: "publickey ssh-ed25519 AAAA…". Too much of it
 * is reduced to the methods; a line that no longer fits is left out whole, never cut.
 */
static void copy_auth_info(char *dst, size_t cap, const char *src)
{
	size_t used = 0;

	if (strnlen(src, cap) < cap) {
		copy_cut(dst, cap, src);
		return;
	}
	while (*src) {
		size_t word = strcspn(src, " \n");

		if (word > 0 && word + 1 < cap - used) {
			memcpy(dst + used, src, word);
			dst[used + word] = '\n';
			used += word + 1;
		}
		src += strcspn(src, "\n");
		src += *src == '\n';
	}
	dst[used] = 0;
}

static void copy_ssh(pam_handle_t *pamh, struct wire_begin *begin)
{
	const char *v = pam_getenv(pamh, "SSH_CONNECTION");

	/* half an address is another address */
	if (v &&
	    strnlen(v, sizeof(begin->ssh_connection)) < sizeof(begin->ssh_connection))
		copy_cut(begin->ssh_connection, sizeof(begin->ssh_connection), v);
	v = pam_getenv(pamh, "SSH_AUTH_INFO_0");
	if (v)
		copy_auth_info(begin->ssh_auth_info, sizeof(begin->ssh_auth_info), v);
}

const char *origin_decision_id(pam_handle_t *pamh)
{
	return pam_getenv(pamh, "VMSEC_ID");
}

int origin_fill(pam_handle_t *pamh, struct wire_begin *begin)
{
	const void *service = NULL;
	ssize_t n;

	if (pam_get_item(pamh, PAM_SERVICE, &service) != PAM_SUCCESS || !service)
		return -EINVAL;
	if (strnlen(service, sizeof(begin->service)) == sizeof(begin->service))
		return -EINVAL; /* cut short it could name another service */
	copy_cut(begin->service, sizeof(begin->service), service);
	/* without a seeded kernel pool a login is refused, never delayed */
	n = getrandom(begin->nonce, sizeof(begin->nonce), GRND_NONBLOCK);
	if (n != (ssize_t)sizeof(begin->nonce))
		return n < 0 ? -errno : -EIO;
	copy_item(pamh, PAM_RUSER, begin->ruser, sizeof(begin->ruser));
	copy_item(pamh, PAM_TTY, begin->tty, sizeof(begin->tty));
	copy_item(pamh, PAM_RHOST, begin->rhost, sizeof(begin->rhost));
	copy_ssh(pamh, begin);
	begin->session = read_number("/proc/self/sessionid");
	begin->loginuid = read_number("/proc/self/loginuid");
	begin->ruid = getuid();
	return 0;
}
