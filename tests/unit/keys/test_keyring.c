/* SPDX-License-Identifier: Apache-2.0 */
/* test_keyring.c - which key counts, and everything under another one. */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <fcntl.h>

#include "rbacd/keys/keyring.h"
#include "rbacd/mfa/otp.h"
#include "rbacd/mfa/recovery.h"

#define NOW  INT64_C(1790000010)
#define CODE "ABCDEFGHIJKLMNOP"

struct keys {
	struct fixture *f;
	char file[96];
	struct seal *next;
};

static void put_file(const char *path, uint8_t fill, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	uint8_t bytes[32];

	memset(bytes, fill, sizeof(bytes));
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	(void)close(fd);
}

static void put_key(const struct keys *k, int which, uint8_t fill)
{
	char path[128];

	assert_int_equal(keyring_path(k->file, which, path, sizeof(path)), 0);
	put_file(path, fill, 32);
}

static struct seal *key_of(uint8_t fill)
{
	uint8_t bytes[32];
	struct seal *s;

	memset(bytes, fill, sizeof(bytes));
	assert_int_equal(seal_new(bytes, &s), 0);
	return s;
}

/* Key 'a' is FILE and in use; 'b' is the next one. */
static int setup(void **state)
{
	struct keys *k = calloc(1, sizeof(*k));

	k->f = fixture_new();
	(void)snprintf(k->file, sizeof(k->file), "%s/key", k->f->dir);
	seal_free(k->f->seal);
	k->f->seal = key_of('a');
	k->next = key_of('b');
	put_key(k, KEYRING_FILE, 'a');
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	struct keys *k = *state;

	seal_free(k->next);
	fixture_free(k->f);
	free(k);
	return 0;
}

/* What keyring_seal() says; the id of the key it took, "" when none. */
static int taken(const struct keys *k, char id[17])
{
	struct diags diag = DIAGS_INIT;
	struct seal *seal = NULL;
	int r = keyring_seal(k->file, 0, k->f->store, &seal, &diag);

	(void)snprintf(id, 17, "%s", seal ? seal_key_id(seal) : "");
	assert_int_equal(diags_failed(&diag), r != 0);
	seal_free(seal);
	diags_done(&diag);
	return r;
}

static void assert_takes(const struct keys *k, uint8_t fill)
{
	struct seal *want = key_of(fill);
	char id[17];

	assert_int_equal(taken(k, id), 0);
	assert_string_equal(id, seal_key_id(want));
	seal_free(want);
}

static void commit(struct store *store)
{
	assert_int_equal(store_commit(store), 0);
}

/* K7: FILE, FILE.next and FILE.old in every state that a rotation can be cut at. */
static void test_files(void **state)
{
	struct keys *k = *state;
	char path[128], id[17];

	assert_takes(k, 'a'); /* a database of before names no key */
	assert_int_equal(keyring_note(k->f->store, k->f->seal), 0);
	commit(k->f->store);
	assert_takes(k, 'a');
	put_key(k, KEYRING_NEXT, 'b'); /* prepared */
	assert_takes(k, 'a');
	assert_int_equal(keyring_note(k->f->store, k->next), 0); /* taken */
	commit(k->f->store);
	assert_takes(k, 'b');
	assert_int_equal(keyring_path(k->file, KEYRING_OLD, path, sizeof(path)), 0);
	assert_int_equal(rename(k->file, path), 0); /* first rename */
	assert_takes(k, 'b');
	assert_int_equal(keyring_path(k->file, KEYRING_NEXT, path, sizeof(path)), 0);
	assert_int_equal(rename(path, k->file), 0); /* second */
	assert_takes(k, 'b');
	put_file(path, 'x', 17); /* half a key beside it */
	assert_takes(k, 'b');
	put_file(k->file, 'b', 31); /* half a key in its place is told, not skipped */
	assert_true(taken(k, id) < 0);
}

/* K1: a database without its key is of no use, and says which one it wants. */
static void test_moved(void **state)
{
	struct keys *k = *state;
	char id[17];

	assert_int_equal(keyring_note(k->f->store, k->f->seal), 0);
	commit(k->f->store);
	put_key(k, KEYRING_FILE, 'z');
	put_key(k, KEYRING_NEXT, 'y');
	assert_int_equal(taken(k, id), -ENOKEY);
	assert_int_equal(unlink(k->file), 0);
	assert_int_equal(taken(k, id), -ENOKEY);
	assert_string_equal(id, "");
}

/* A look-up key that was put there by somebody else opens nothing. */
static void test_forged_lookup(void **state)
{
	struct keys *k = *state;
	uint8_t junk[80] = {1};
	char id[17];

	assert_int_equal(store_meta_put(k->f->store, "lookup-key", junk, sizeof(junk)),
			 0);
	commit(k->f->store);
	assert_int_equal(taken(k, id), STORE_E_CORRUPT);
	assert_int_equal(store_meta_put(k->f->store, "key-id", junk, 3), 0);
	commit(k->f->store);
	assert_int_equal(taken(k, id), STORE_E_CORRUPT);
}

static void add_person(struct keys *k, const char *id, const struct seal *seal)
{
	struct store_person p = {.created_s = NOW};
	struct store_factor f = {.name = "totp",
				 .kind = STORE_FACTOR_TOTP,
				 .status = STORE_FACTOR_ACTIVE,
				 .hash = STORE_SHA1,
				 .digits = 6,
				 .period_s = 30,
				 .last_step = 7,
				 .created_s = NOW};
	struct secret seed = {.len = 20, .bytes = "12345678901234567890"};

	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.login, sizeof(p.login), "%s", id);
	(void)snprintf(f.person, sizeof(f.person), "%s", id);
	assert_int_equal(store_person_put(k->f->store, &p), 0);
	assert_int_equal(otp_seal(seal, &f, &seed), 0);
	assert_int_equal(store_factor_put(k->f->store, &f), 0);
}

static int opens(struct keys *k, const char *id, const struct seal *seal)
{
	struct store_factor f[STORE_FACTORS_MAX];
	struct secret seed;
	size_t n;
	int r;

	assert_int_equal(store_factor_list(k->f->store, id, f, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(f[0].last_step, 7);
	r = otp_open(seal, &f[0], &seed);
	if (r == 0)
		assert_memory_equal(seed.bytes, "12345678901234567890", 20);
	return r;
}

static struct keyring_counts reseal(struct keys *k)
{
	struct keyring_counts n = {0};
	struct secret lookup = SECRET_INIT;

	seal_get_lookup(k->f->seal, &lookup);
	assert_int_equal(seal_set_lookup(k->next, &lookup), 0);
	assert_int_equal(keyring_reseal(k->f->store, k->f->seal, k->next, &n), 0);
	return n;
}

/* Seeds move to the new key; a row that never opened stays so, and is counted. */
static void test_reseal(void **state)
{
	struct keys *k = *state;
	struct seal *other = key_of('o');
	uint8_t before[32], after[32];
	struct keyring_counts n;

	add_person(k, "alice", k->f->seal);
	add_person(k, "bob", k->f->seal);
	add_person(k, "mallory", other);
	commit(k->f->store);
	assert_int_equal(recovery_mac(k->f->seal, "alice", CODE, 16, before), 0);
	n = reseal(k);
	assert_int_equal(n.n_factors, 2);
	assert_int_equal(n.n_foreign, 1);
	commit(k->f->store);
	assert_int_equal(opens(k, "alice", k->next), 0);
	assert_int_equal(opens(k, "alice", k->f->seal), SEAL_E_FORGED);
	assert_int_equal(opens(k, "mallory", k->next), SEAL_E_FORGED);
	assert_int_equal(keyring_count(k->f->store, k->next, &n), 0);
	assert_int_equal(n.n_factors, 2);
	assert_int_equal(n.n_foreign, 1);
	/* What exists only as a MAC is found again, in this process and the next. */
	assert_int_equal(recovery_mac(k->next, "alice", CODE, 16, after), 0);
	assert_memory_equal(before, after, 32);
	put_key(k, KEYRING_NEXT, 'b');
	seal_free(k->next);
	{
		struct diags diag = DIAGS_INIT;

		assert_int_equal(keyring_seal(k->file, 0, k->f->store, &k->next, &diag),
				 0);
		diags_done(&diag);
	}
	assert_int_equal(recovery_mac(k->next, "alice", CODE, 16, after), 0);
	assert_memory_equal(before, after, 32);
	seal_free(other);
}

/* A turn that is lost leaves all of it under the old key. */
static void test_lost_turn(void **state)
{
	struct keys *k = *state;

	add_person(k, "alice", k->f->seal);
	assert_int_equal(keyring_note(k->f->store, k->f->seal), 0);
	commit(k->f->store);
	(void)reseal(k);
	store_rollback(k->f->store);
	assert_int_equal(opens(k, "alice", k->f->seal), 0);
	put_key(k, KEYRING_NEXT, 'b');
	assert_takes(k, 'a');
}

/* The look-up key cannot change under values that were made with it. */
static void test_lookup_is_set_once(void **state)
{
	struct keys *k = *state;
	struct secret key = {.len = 32};
	uint8_t mac[32];

	assert_int_equal(recovery_mac(k->next, "alice", CODE, 16, mac), 0);
	assert_int_equal(seal_set_lookup(k->next, &key), -EINVAL);
	key.len = 31;
	assert_int_equal(seal_set_lookup(k->f->seal, &key), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files),  TEST(test_moved),	 TEST(test_forged_lookup),
		TEST(test_reseal), TEST(test_lost_turn), TEST(test_lookup_is_set_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
