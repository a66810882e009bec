/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - a database and a master key in a folder of their own, gone afterwards. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ftw.h>
#include <sys/stat.h>

#include "rbacd/store/seal.h"
#include "rbacd/store/store.h"

struct fixture {
	char dir[64];
	char path[96];
	struct store *store;
	struct seal *seal;
};

static inline int fixture_unlink(const char *path, const struct stat *st, int flag,
				 struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void fixture_open_store(struct fixture *f)
{
	struct store_options opt = {.path = f->path};
	struct diags diag = DIAGS_INIT;

	assert_int_equal(store_open(&opt, &f->store, &diag), 0);
	diags_done(&diag);
}

static inline struct fixture *fixture_new(void)
{
	static const uint8_t master[32] = {1, 2, 3};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/vmsec-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/state.db", f->dir);
	fixture_open_store(f);
	assert_int_equal(seal_new(master, &f->seal), 0);
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	store_close(f->store);
	seal_free(f->seal);
	(void)nftw(f->dir, fixture_unlink, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
}

static inline int fixture_setup(void **state)
{
	*state = fixture_new();
	return 0;
}

static inline int fixture_teardown(void **state)
{
	fixture_free(*state);
	return 0;
}
