/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_connect.c - a connected descriptor of our own, so that we can end it. */

#include "rbacd/directory/ldap_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode_path(const char *text, char *ret, size_t cap)
{
	size_t n = 0;

	for (; *text; text++) {
		int c = (unsigned char)*text;

		if (c == '%') {
			if (hex(text[1]) < 0 || hex(text[2]) < 0)
				return false;
			c = hex(text[1]) * 16 + hex(text[2]);
			text += 2;
		}
		if (c == 0 || n + 1 >= cap)
			return false;
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return ret[0] == '/';
}

/* HOST, HOST:PORT, [V6], [V6]:PORT. */
static bool split_host(const char *text, struct ldap_place *ret)
{
	bool bracket = text[0] == '[';
	const char *host = text + (bracket ? 1 : 0);
	size_t len = strcspn(host, bracket ? "]" : ":");
	const char *rest = host + len;

	if (bracket) {
		if (*rest != ']')
			return false;
		rest++;
	}
	if (len == 0 || len >= sizeof(ret->host))
		return false;
	memcpy(ret->host, host, len);
	ret->host[len] = '\0';
	if (*rest == '\0')
		return true;
	if (*rest != ':' || rest[1] == '\0' || strlen(rest + 1) >= sizeof(ret->port) ||
	    rest[1 + strspn(rest + 1, "0123456789")] != '\0')
		return false;
	memcpy(ret->port, rest + 1, strlen(rest + 1) + 1);
	return true;
}

bool ldap_place_parse(const char *uri, struct ldap_place *ret)
{
	static const struct {
		const char *scheme, *port;
		bool local, tls_first;
	} kinds[] = {{"ldaps://", "636", false, true},
		     {"ldap://", "389", false, false},
		     {"ldapi://", "", true, false}};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].scheme);

		if (strlen(uri) <= n || memcmp(uri, kinds[i].scheme, n) != 0)
			continue;
		*ret = (struct ldap_place){.local = kinds[i].local,
					   .tls_first = kinds[i].tls_first};
		memcpy(ret->port, kinds[i].port, strlen(kinds[i].port) + 1);
		return ret->local ? decode_path(uri + n, ret->host, sizeof(ret->host))
				  : split_host(uri + n, ret);
	}
	return false;
}

/* Connects without blocking, then makes the descriptor a blocking one for libldap. */
static int connect_to(int fd, const struct sockaddr *addr, socklen_t len, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = 0, one = 1;
	socklen_t size = sizeof(error);

	if (connect(fd, addr, len) != 0 && errno != EINPROGRESS)
		return -errno;
	if (poll(&p, 1, wait_ms) != 1)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return -errno;
	if (error != 0)
		return -error;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
			 sizeof(one)); /* no TCP: fine */
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one,
			 sizeof(one)); /* the probe finds it, too */
	return fcntl(fd, F_SETFL, 0) == 0 ? 0 : -errno;
}

static int connect_family(int family, const struct sockaddr *addr, socklen_t len,
			  int wait_ms, int *ret_fd)
{
	_cleanup_close_ int fd =
		socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = connect_to(fd, addr, len, wait_ms);
	if (r != 0)
		return r;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int connect_local(const char *path, int wait_ms, int *ret_fd)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(un.sun_path))
		return -ENAMETOOLONG;
	memcpy(un.sun_path, path, strlen(path));
	return connect_family(AF_UNIX, (struct sockaddr *)&un, sizeof(un), wait_ms,
			      ret_fd);
}

int ldap_place_connect(const struct ldap_place *p, int wait_ms, int *ret_fd)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list = NULL;
	int r = -EHOSTUNREACH;

	if (p->local)
		return connect_local(p->host, wait_ms, ret_fd);
	if (getaddrinfo(p->host, p->port, &hints, &list) != 0)
		return -EHOSTUNREACH;
	for (const struct addrinfo *a = list; a && r != 0; a = a->ai_next)
		r = connect_family(a->ai_family, a->ai_addr, a->ai_addrlen, wait_ms,
				   ret_fd);
	freeaddrinfo(list);
	return r;
}
