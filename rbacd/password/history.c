/* SPDX-License-Identifier: Apache-2.0 */
/* history.c - yescrypt with one fixed cost, so that no stored string sets another. */
#include "rbacd/password/history.h"

#include <crypt.h>
#include <errno.h>

#define PREFIX	    "$y$j9T$" /* N = 4096, r = 32: 16 MiB */
#define SALT_LEN    22
#define HASH_LEN    43
#define SETTING_LEN (sizeof(PREFIX) - 1 + SALT_LEN)

static bool is_ours(const char *hash)
{
	const char *salt = str_after(hash, PREFIX);

	return salt && strlen(salt) == SALT_LEN + 1 + HASH_LEN && salt[SALT_LEN] == '$';
}

static bool same_salt(const char *a, const char *b)
{
	return memcmp(a, b, SETTING_LEN + 1) == 0;
}

static void work_free(struct crypt_data **work)
{
	if (*work)
		explicit_bzero(*work, sizeof(**work));
	free(*work);
}

/* @setting: a salt, or a hash, whose salt is taken. */
static int make(const char *setting, const struct secret *candidate,
		char ret[STORE_CRYPT_MAX + 1])
{
	_cleanup_(work_free) struct crypt_data *work = calloc(1, sizeof(*work));
	_cleanup_secret_ struct secret text = *candidate;
	const char *hash;

	if (!work)
		return -ENOMEM;
	if (text.len == 0 || text.len >= SECRET_MAX || memchr(text.bytes, 0, text.len))
		return -EINVAL;
	text.bytes[text.len] = '\0';
	hash = crypt_r((const char *)text.bytes, setting, work);
	if (!hash || !is_ours(hash))
		return -EINVAL;
	memcpy(ret, hash, strlen(hash) + 1);
	return 0;
}

static int new_salt(char ret[CRYPT_GENSALT_OUTPUT_SIZE])
{
	if (!crypt_gensalt_rn("$y$", 5, NULL, 0, ret, CRYPT_GENSALT_OUTPUT_SIZE))
		return -errno;
	return str_after(ret, PREFIX) && strlen(ret) == SETTING_LEN ? 0 : -EINVAL;
}

int history_check(const struct store_old *former, size_t n,
		  const struct secret *candidate, enum password_reason *ret,
		  char ret_hash[STORE_CRYPT_MAX + 1])
{
	char hash[STORE_CRYPT_MAX + 1] = "", first[STORE_CRYPT_MAX + 1] = "";
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	enum password_reason reason = PASSWORD_FITS;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!is_ours(former[i].hash))
			return -EBADMSG;
		if (i == 0 || !same_salt(hash, former[i].hash))
			r = make(former[i].hash, candidate, hash);
		if (r == 0 && i == 0)
			memcpy(first, hash, sizeof(first));
		if (r == 0 && str_eq(hash, former[i].hash))
			reason = PASSWORD_IN_HISTORY;
	}
	if (r == 0 && n == 0)
		r = new_salt(salt);
	if (r == 0 && n == 0)
		r = make(salt, candidate, first);
	if (r != 0)
		return r;
	*ret = reason;
	memcpy(ret_hash, first, sizeof(first));
	return 0;
}
