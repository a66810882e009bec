/* SPDX-License-Identifier: Apache-2.0 */
/*
 * population_kept.c - source ldap: the people as rbacd keeps them on disk, a base and
 * what changed since. Each file carries a MAC under the master key; see
 * identity_keep.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include "rbacd/ctl/population.h"
#include "rbacd/store/seal.h"

#define MAC_LEN 32

static int check(const struct seal *seal, const char *name, const uint8_t *p,
		 size_t len, struct snapshot **ret)
{
	const struct seal_part parts[] = {{name, strlen(name)},
					  {p + MAC_LEN, len - MAC_LEN}};
	uint8_t mac[MAC_LEN];
	int r = seal_mac(seal, "directory snapshot", parts, ARRAY_SIZE(parts), mac);

	if (r == 0 && CRYPTO_memcmp(mac, p, MAC_LEN) != 0)
		r = -EBADMSG;
	if (r == 0)
		r = snapshot_from_bytes(p + MAC_LEN, len - MAC_LEN, ret);
	return r == SNAPSHOT_E_INVALID ? -EBADMSG : r;
}

static int read_kept(const char *dir, const char *name, const struct seal *seal,
		     struct snapshot **ret)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ uint8_t *buf = NULL;
	char path[4096];
	struct stat st;
	size_t at = 0;
	ssize_t n = 1;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= MAC_LEN ||
	    st.st_size > (off_t)SNAPSHOT_BYTES_MAX)
		return -EBADMSG;
	buf = malloc((size_t)st.st_size);
	if (!buf)
		return -ENOMEM;
	for (; at < (size_t)st.st_size && n > 0; at += n > 0 ? (size_t)n : 0)
		n = read(fd, buf + at, (size_t)st.st_size - at);
	if (n <= 0)
		return n < 0 ? -errno : -EBADMSG;
	return check(seal, name, buf, at, ret);
}

int population_kept(const char *dir, const struct seal *seal, struct snapshot **ret)
{
	_cleanup_snapshot_ struct snapshot *base = NULL, *change = NULL;
	int r = read_kept(dir, "directory.base", seal, &base);

	if (r == 0)
		r = read_kept(dir, "directory.change", seal, &change);
	if (r == -ENOENT && base) {
		*ret = STEAL(base);
		return 0;
	}
	if (r != 0)
		return r;
	/* A change of another base is of no use: rbacd ignores it, too. */
	if (snapshot_base(change) != snapshot_serial(base)) {
		*ret = STEAL(base);
		return 0;
	}
	return snapshot_merge(base, change, ret);
}
