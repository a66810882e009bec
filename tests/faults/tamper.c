/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tamper.c - random edits of a signed log: each is found, and the first record that is
 * not as it was is named. usage: tamper EDITS [SEED]
 */
#include <assert.h>

#include "tests/memlog/memlog.h"

#define RECORDS 24
#define EVERY	6 /* records a checkpoint: within its minute */

enum edit { FLIP, DELETE, SWAP, TRUNCATE, DUPLICATE, SPLICE, NOTE, EDITS };

static const char *const names[] = {"flip",	 "delete", "swap",	"truncate",
				    "duplicate", "splice", "checkpoint"};

static uint64_t state;

static size_t below(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)(state % n);
}

static void flip(char *p, size_t len)
{
	p[below(len)] ^= (char)(1u << below(8));
}

/* Everything from @from on moves by one, and is renumbered as a key, not as a record.
 */
static void duplicate(struct store *s, size_t from)
{
	memmove(&s->rec[from + 1], &s->rec[from], (s->n - from) * sizeof(s->rec[0]));
	s->n++;
	for (size_t i = from; i < s->n; i++)
		s->rec[i].seq = i + 1;
}

static void splice(struct store *s, const struct store *other, size_t at)
{
	size_t n = 1 + below(RECORDS - at);

	memcpy(&s->rec[at], &other->rec[at], n * sizeof(s->rec[0]));
	if (below(4) == 0) /* and their head with it */
		s->head = other->head;
	if (below(4) == 0)
		memcpy(s->checkpoint, other->checkpoint, sizeof(s->checkpoint));
}

static void change_note(struct store *s, size_t i)
{
	size_t k = below(s->n_checkpoints);

	switch (i % 3) {
	case 0:
		flip(s->checkpoint[k].note, s->checkpoint[k].len);
		return;
	case 1:
		s->n_checkpoints--;
		memmove(&s->checkpoint[k], &s->checkpoint[k + 1],
			(s->n_checkpoints - k) * sizeof(s->checkpoint[0]));
		return;
	default:
		s->checkpoint[k] = s->checkpoint[(k + 1) % s->n_checkpoints];
		s->checkpoint[k].seq = (k + 1) * EVERY;
	}
}

static void change(struct store *s, const struct store *other, enum edit what)
{
	size_t i = below(RECORDS), j = below(RECORDS);

	switch (what) {
	case FLIP:
		flip(s->rec[i].line, s->rec[i].len);
		return;
	case DELETE:
		memmove(&s->rec[i], &s->rec[i + 1], (RECORDS - i) * sizeof(s->rec[0]));
		s->n--;
		return;
	case SWAP: {
		struct store *t = malloc(sizeof(*t));

		assert(t);
		t->rec[0] = s->rec[i];
		s->rec[i] = s->rec[j];
		s->rec[j] = t->rec[0];
		s->rec[i].seq = i + 1;
		s->rec[j].seq = j + 1;
		free(t);
		return;
	}
	case TRUNCATE:
		s->n = i;
		return;
	case DUPLICATE:
		duplicate(s, i);
		return;
	case SPLICE:
		splice(s, other, i);
		return;
	case NOTE:
	case EDITS:
		change_note(s, i);
		return;
	}
}

/* The first record that is not as it was; 0: the records are. */
static uint64_t first_changed(const struct store *a, const struct store *b)
{
	for (size_t i = 0; i < a->n || i < b->n; i++)
		if (i >= a->n || i >= b->n || a->rec[i].seq != b->rec[i].seq ||
		    a->rec[i].len != b->rec[i].len ||
		    memcmp(a->rec[i].line, b->rec[i].line, a->rec[i].len) != 0)
			return i + 1;
	return 0;
}

/*
 * Named is the first record that changed. Where several did and nothing can tell them
 * apart, it is the one before, or the first that the next checkpoint covers, and it
 * says so; never a later one.
 */
static bool names_it(const struct store *was, const struct store *is,
		     const struct audit_verify *v, uint64_t changed)
{
	if (v->bad_seq == changed || changed == 0)
		return true;
	if (changed == 1) /* a whole beginning: it is named where it ends, ... */
		return v->bad_seq <= EVERY; /* ... before the first checkpoint does */
	if (memcmp(was->checkpoint, is->checkpoint, sizeof(was->checkpoint)) != 0)
		return v->bad_seq <= changed;
	if (strstr(v->why, "not those that the checkpoint"))
		return v->bad_seq <= changed && changed < v->bad_seq + EVERY;
	return v->bad_seq + 1 == changed && strstr(v->why, "or the next");
}

int main(int argc, char **argv)
{
	static const uint8_t master[32] = {9}, master2[32] = {8}, seed[32] = {3},
			     seed2[32] = {4};
	static struct store good, other, s;
	struct signer *signer = NULL, *theirs = NULL;
	struct seal *seal = NULL, *their_seal = NULL;
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	size_t missed = 0, misnamed = 0, done[EDITS] = {0};

	state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 88172645463325252u;
	assert(seal_new(master, &seal) == 0);
	assert(signer_new(seed, "vm7/vmsec", &signer) == 0);
	assert(signer_new(seed2, "vm7/vmsec", &theirs) == 0);
	memlog_make(&good, RECORDS, "alice", seal, signer, EVERY);
	assert(seal_new(master2, &their_seal) == 0);
	memlog_make(&other, RECORDS, "mallory", their_seal, theirs, EVERY);
	for (size_t i = 0; i < n; i++) {
		struct audit_verify_options opt = {.store = &s,
						   .seal = seal,
						   .vkey = signer_vkey(signer),
						   .every_signature = true};
		enum edit what = (enum edit)(i % EDITS);
		struct audit_verify out;
		uint64_t changed;
		int r;

		opt.now_us = (good.head.ts_s + 3600) * 1000000;
		s = good;
		change(&s, &other, what);
		if (memlog_same(&s, &good))
			continue; /* swapped with itself, and the like */
		done[what]++;
		r = audit_verify_log(&opt, &out);
		assert(r >= 0);
		changed = first_changed(&good, &s);
		missed += r == 0;
		misnamed += r == 1 && !names_it(&good, &s, &out, changed);
		if (r == 0 || !names_it(&good, &s, &out, changed))
			(void)printf("FAILED %s of record %llu: named %llu, %s\n",
				     names[what], (unsigned long long)changed,
				     (unsigned long long)out.bad_seq, out.why);
	}
	for (int k = 0; k < EDITS; k++)
		(void)printf("%s %zu\n", names[k], done[k]);
	(void)printf("tamper: %d passed, %d failed (%zu edits, %zu missed, %zu named "
		     "another record)\n",
		     missed + misnamed == 0, missed + misnamed != 0, n, missed,
		     misnamed);
	signer_free(signer);
	signer_free(theirs);
	seal_free(seal);
	seal_free(their_seal);
	return missed + misnamed != 0;
}
