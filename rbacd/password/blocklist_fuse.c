/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocklist_fuse.c - finds the fingerprints of a filter. Each entry stands in three
 * places; a place where it stands alone takes it out, which leaves others alone. When
 * all are out, the last one out is written first, and each into the place that it was
 * alone in, so that nothing written later disturbs it. Source: as in blocklist.h.
 */
#include "rbacd/password/blocklist_fuse.h"

#include <errno.h>
#include <math.h>

#define TRIES_MAX 100 /* one is enough nine times in ten */

/* The paper's numbers for three places: large enough that a try seldom fails. */
static void choose_size(struct blocklist_shard *s, size_t n)
{
	double log_n = log((double)(n > 1 ? n : 2));
	double factor = fmax(1.125, 0.875 + 0.25 * log(1e6) / log_n);
	unsigned bits = (unsigned)floor(log_n / log(3.33) + 2.25);
	uint64_t places = (uint64_t)ceil((double)n * factor), n_segments;

	s->n = (uint32_t)n;
	s->segment = bits < 18 ? 1u << bits : BLOCKLIST_SEGMENT_MAX;
	n_segments = (places + s->segment - 1) / s->segment;
	s->n_segments = n_segments > 3 ? (uint32_t)n_segments - 2 : 1;
}

static int make_room(struct fuse *f, size_t places, size_t n)
{
	if (places <= f->cap_places && n <= f->cap_keys)
		return 0;
	fuse_done(f);
	f->prints = calloc(places, sizeof(*f->prints));
	f->hashes = calloc(places, sizeof(*f->hashes));
	f->counts = calloc(places, sizeof(*f->counts));
	f->queue = calloc(places, sizeof(*f->queue));
	f->order = calloc(n, sizeof(*f->order));
	f->which = calloc(n, sizeof(*f->which));
	if (!f->prints || !f->hashes || !f->counts || !f->queue || !f->order ||
	    !f->which)
		return -ENOMEM;
	f->cap_places = places;
	f->cap_keys = n;
	return 0;
}

void fuse_done(struct fuse *f)
{
	free(f->prints);
	free(f->hashes);
	free(f->counts);
	free(f->queue);
	free(f->order);
	free(f->which);
	*f = (struct fuse){.shard = f->shard};
}

/* Puts every entry into its three places; false when a count overflows. */
static bool fill(struct fuse *f, const uint64_t *keys, size_t n, size_t places)
{
	bool fits = true;

	memset(f->hashes, 0, places * sizeof(*f->hashes));
	memset(f->counts, 0, places);
	for (size_t i = 0; i < n; i++) {
		uint64_t h = blocklist_mix(keys[i], f->shard.seed);
		struct blocklist_places p = blocklist_places(&f->shard, h);

		for (uint8_t k = 0; k < 3; k++) {
			fits = fits && f->counts[p.at[k]] < 252;
			f->counts[p.at[k]] = (uint8_t)((f->counts[p.at[k]] + 4) ^ k);
			f->hashes[p.at[k]] ^= h;
		}
	}
	return fits;
}

/* Takes entries out as long as one stands alone. Returns how many came out. */
static size_t peel(struct fuse *f, size_t places)
{
	size_t n_queue = 0, n = 0;

	for (size_t i = 0; i < places; i++)
		if (f->counts[i] >> 2 == 1)
			f->queue[n_queue++] = (uint32_t)i;
	while (n_queue > 0) {
		uint32_t at = f->queue[--n_queue];
		uint64_t h = f->hashes[at];
		struct blocklist_places p;

		if (f->counts[at] >> 2 != 1)
			continue; /* it left through another place meanwhile */
		f->order[n] = h;
		f->which[n++] = f->counts[at] & 3;
		p = blocklist_places(&f->shard, h);
		for (uint8_t k = 0; k < 3; k++) {
			f->counts[p.at[k]] = (uint8_t)((f->counts[p.at[k]] - 4) ^ k);
			f->hashes[p.at[k]] ^= h;
			if (p.at[k] != at && f->counts[p.at[k]] >> 2 == 1)
				f->queue[n_queue++] = p.at[k];
		}
	}
	return n;
}

static void assign(struct fuse *f, size_t n, size_t places)
{
	memset(f->prints, 0, places * sizeof(*f->prints));
	while (n-- > 0) {
		struct blocklist_places p = blocklist_places(&f->shard, f->order[n]);
		uint32_t own = p.at[f->which[n]];

		/* Its own place is still empty: the three together give the print. */
		f->prints[own] =
			htole16((uint16_t)(p.print ^ le16toh(f->prints[p.at[0]]) ^
					   le16toh(f->prints[p.at[1]]) ^
					   le16toh(f->prints[p.at[2]])));
	}
}

int fuse_make(struct fuse *f, const uint64_t *keys, size_t n)
{
	size_t places;
	int r;

	f->shard = (struct blocklist_shard){0};
	if (n == 0)
		return 0;
	if (n > UINT32_MAX / 4)
		return -EFBIG;
	choose_size(&f->shard, n);
	places = (size_t)blocklist_shard_places(&f->shard);
	r = make_room(f, places, n);
	if (r != 0)
		return r;
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		f->shard.seed =
			blocklist_mix(i + 1, n); /* the same list, the same file */
		if (!fill(f, keys, n, places) || peel(f, places) != n)
			continue;
		assign(f, n, places);
		return 0;
	}
	return -EILSEQ;
}
