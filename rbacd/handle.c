/* SPDX-License-Identifier: Apache-2.0 */
/* handle.c - auth-to-account handles; a set-associative table indexed by their own
 * bits. */

#include "rbacd/handle.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sys/random.h>

#include "rbacd/limits.h"

#define WAYS 8
#define SETS (LIMIT_HANDLES / WAYS)

struct entry {
	uint8_t handle[WIRE_HANDLE_LEN];
	uint64_t expires_ns; /* 0: empty */
	struct handle_facts facts;
};

struct handle_table {
	struct entry *sets[SETS]; /* owned; WAYS entries each, made when first needed */
};

int handle_table_new(struct handle_table **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void handle_table_free(struct handle_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < SETS; i++)
		free(t->sets[i]);
	free(t);
}

static size_t set_of(const uint8_t *handle)
{
	return ((size_t)handle[0] << 8 | handle[1]) % SETS;
}

int handle_issue(struct handle_table *t, const struct handle_facts *f, uint64_t now_ns,
		 uint8_t ret[WIRE_HANDLE_LEN])
{
	uint8_t handle[WIRE_HANDLE_LEN];
	struct entry *set, *e;

	if (getrandom(handle, sizeof(handle), 0) != sizeof(handle))
		return -EIO;
	if (!t->sets[set_of(handle)])
		t->sets[set_of(handle)] = calloc(WAYS, sizeof(*set));
	set = t->sets[set_of(handle)];
	if (!set)
		return -ENOMEM;
	e = set;
	for (size_t i = 1; i < WAYS; i++)
		if (set[i].expires_ns < e->expires_ns)
			e = &set[i];
	memcpy(e->handle, handle, sizeof(handle));
	e->expires_ns = now_ns + (uint64_t)LIMIT_HANDLE_S * 1000000000u;
	e->facts = *f;
	memcpy(ret, handle, sizeof(handle));
	return 0;
}

bool handle_redeem(struct handle_table *t, const uint8_t handle[WIRE_HANDLE_LEN],
		   const char *user, const char *service, int32_t pid, uint64_t now_ns,
		   struct handle_facts *ret)
{
	struct entry *set = t->sets[set_of(handle)];
	bool fits;

	for (size_t i = 0; set && i < WAYS; i++) {
		struct entry *e = &set[i];

		if (e->expires_ns == 0 ||
		    CRYPTO_memcmp(e->handle, handle, WIRE_HANDLE_LEN) != 0)
			continue;
		fits = e->expires_ns > now_ns && e->facts.pid == pid &&
		       str_eq(e->facts.user, user) && str_eq(e->facts.service, service);
		if (fits)
			*ret = e->facts;
		explicit_bzero(e, sizeof(*e));
		return fits;
	}
	return false;
}

void handle_forget(struct handle_table *t, const char *person)
{
	for (size_t i = 0; t && i < SETS; i++)
		for (size_t j = 0; t->sets[i] && j < WAYS; j++)
			if (t->sets[i][j].expires_ns != 0 &&
			    (!person || str_eq(t->sets[i][j].facts.person, person)))
				explicit_bzero(&t->sets[i][j], sizeof(t->sets[i][j]));
}
