/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.h - people and their policy groups as one flat, immutable block.
 *
 * rbacd-dir builds it, rbacd verifies every offset once and then reads it in place.
 * Numbers are host order (same machine), offsets count from the block's start, strings
 * lie in one pool and end with NUL. The same block with at most one account answers a
 * LOOKUP.
 */
#pragma once

#include "policy/base.h"

enum { SNAPSHOT_E_INVALID = 1, SNAPSHOT_E_MORE = 2 /* snapshot_check() goes on */ };

#define SNAPSHOT_BYTES_MAX  (256u << 20)
#define SNAPSHOT_LOGIN_MAX  64
#define SNAPSHOT_GROUP_MAX  255
#define SNAPSHOT_ID_MAX	    160
#define SNAPSHOT_DN_MAX	    1024
#define SNAPSHOT_SOURCE_MAX 15

enum snapshot_flag {
	SNAPSHOT_LOCAL = 1u << 0, /* in /etc/passwd */
	SNAPSHOT_DIRECTORY = 1u
			     << 1, /* from the directory: groups and user: may match */
	SNAPSHOT_DISABLED = 1u << 2,
	SNAPSHOT_NO_UID = 1u << 3, /* the directory gives no uid; uid is UINT32_MAX */
};

struct snapshot_account {
	const char *login; /* borrowed from the snapshot */
	const char *id;	   /* immutable id, e.g. "unix:1001:alice" */
	uint32_t uid;
	uint32_t flags;
	int64_t expires_s;	/* 0: never */
	const uint32_t *groups; /* sorted indices into the snapshot's groups */
	size_t n_groups;
};

/* A group of the policy, as asked for (name, dn, pin) and as found (id, n_members). */
struct snapshot_group {
	const char *name;
	const char *dn, *pin; /* of the policy: this object and no other; "": none */
	const char *id;	      /* immutable id of the object found; "": none */
	bool complete;	      /* its member list is usable */
	int64_t age_s;	      /* of the list at the snapshot's making */
	uint32_t n_members;   /* people in it; 0 where the source does not count */
};

struct snapshot; /* verified, counted */

/*
 * snapshot_from_fd() - map a sealed memfd (F_SEAL_SHRINK|GROW|WRITE required) and
 * verify: every offset, count, order (accounts by login, groups by name, lists
 * ascending), string end, flag, login alphabet; no byte unaccounted for.
 * snapshot_from_bytes() - the same for a copied block.
 * Return: 0 and *ret with one reference; SNAPSHOT_E_INVALID; negative errno.
 */
_must_check_ int snapshot_from_fd(int fd, struct snapshot **ret);
_must_check_ int snapshot_from_bytes(const void *p, size_t len, struct snapshot **ret);
/*
 * snapshot_open_fd() - as snapshot_from_fd(), but the accounts are still to be checked:
 * a large snapshot must not stop the loop. Nothing but snapshot_check() and
 * snapshot_unref() may touch it before snapshot_check() has returned 0.
 * snapshot_check() - the next @n accounts. Return: 0 it is good; SNAPSHOT_E_MORE;
 * SNAPSHOT_E_INVALID.
 */
_must_check_ int snapshot_open_fd(int fd, struct snapshot **ret);
_must_check_ int snapshot_check(struct snapshot *s, size_t n);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);

const char *snapshot_source(const struct snapshot *s);
int64_t snapshot_made_s(const struct snapshot *s);
/*
 * snapshot_serial(), snapshot_base() - a change (base not 0) holds the accounts that
 * differ from the snapshot whose serial is its base; an account with flags 0 is gone.
 * It has all groups. A whole snapshot has base 0.
 */
uint64_t snapshot_serial(const struct snapshot *s);
uint64_t snapshot_base(const struct snapshot *s);
/* snapshot_bytes() - the block itself, to be kept. */
const void *snapshot_bytes(const struct snapshot *s, size_t *ret_len);
size_t snapshot_account_count(const struct snapshot *s);
size_t snapshot_group_count(const struct snapshot *s);
void snapshot_group_at(const struct snapshot *s, size_t i, struct snapshot_group *ret);
void snapshot_account_at(const struct snapshot *s, size_t i,
			 struct snapshot_account *ret);
/* snapshot_find() - by exact login; false when absent. O(log n). */
bool snapshot_find(const struct snapshot *s, const char *login,
		   struct snapshot_account *ret);
/* snapshot_index() - the place of a login among the accounts; false when absent. */
bool snapshot_index(const struct snapshot *s, const char *login, size_t *ret);
/* snapshot_group_index() - the place of a group, by name, dn and pin; else false. */
bool snapshot_group_index(const struct snapshot *s, const struct snapshot_group *g,
			  uint32_t *ret);

/* snapshot_login_valid() - the alphabet of a login, as policy_login_valid(). */
bool snapshot_login_valid(const char *login);
/* snapshot_text_valid() - 1 to @max bytes without control characters. */
bool snapshot_text_valid(const char *text, size_t max);

#define SNAPSHOT_PEOPLE_MIN 1000 /* smaller uids are the system's */

/* snapshot_uid_reserved() - nobody and systemd's dynamic users: never a person. */
static inline bool snapshot_uid_reserved(uint32_t uid)
{
	return uid == 65534 || uid == UINT32_MAX || (uid >= 61184 && uid <= 65519);
}

static inline void snapshot_unrefp(struct snapshot **s)
{
	snapshot_unref(*s);
}

#define _cleanup_snapshot_ _cleanup_(snapshot_unrefp)

/*
 * The builder sorts, so groups and accounts may come in any order. Names are copied.
 * -EEXIST: the group or (found when building) the login was there already; -EINVAL:
 * what the reader would refuse.
 */
struct snapshot_builder;
_must_check_ int snapshot_builder_new(const char *source, int64_t made_s,
				      struct snapshot_builder **ret);
void snapshot_builder_free(struct snapshot_builder *b);
/* snapshot_builder_number() - serial and base, 0 and 0 unless set. */
void snapshot_builder_number(struct snapshot_builder *b, uint64_t serial,
			     uint64_t base);
_must_check_ int snapshot_add_group(struct snapshot_builder *b, const char *name,
				    bool complete, int64_t age_s, uint32_t *ret_index);
_must_check_ int snapshot_add_found(struct snapshot_builder *b,
				    const struct snapshot_group *g,
				    uint32_t *ret_index);
/* @groups: names' indices as snapshot_add_group() gave them, in any order. */
_must_check_ int snapshot_add_account(struct snapshot_builder *b,
				      const struct snapshot_account *a);
/* snapshot_seal() - a block as a sealed memfd. */
_must_check_ int snapshot_seal(const void *p, size_t len, int *ret_fd);
/* snapshot_build_bytes() - malloc'ed block; snapshot_build_fd() - a sealed memfd. */
_must_check_ int snapshot_build_bytes(struct snapshot_builder *b, void **ret,
				      size_t *ret_len);
_must_check_ int snapshot_build_fd(struct snapshot_builder *b, int *ret_fd);

/* snapshot_merge() - a base with its change as one snapshot. Return: 0; -EBADMSG: they
 * do not fit; other negative errno. */
_must_check_ int snapshot_merge(const struct snapshot *base,
				const struct snapshot *change, struct snapshot **ret);

static inline void snapshot_builder_freep(struct snapshot_builder **b)
{
	snapshot_builder_free(*b);
}

#define _cleanup_builder_ _cleanup_(snapshot_builder_freep)
