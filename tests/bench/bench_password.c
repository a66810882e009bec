/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_password.c - a candidate judged by each preset beside libpwquality alone,
 * sample by sample; the blocklist: how fast it is built, how large it is, how fast it
 * answers, how often wrongly. usage: bench_password FOLDER [ENTRIES]
 */
#include <inttypes.h>
#include <openssl/evp.h>
#include <pwquality.h>
#include <stdio.h>
#include <unistd.h>

#include "measure.h"
#include "rbacd/password/blocklist_build.h"
#include "rbacd/password/quality.h"
#include "tests/unit/password/presets.h"

#define ROUNDS	   4000
#define LOOKUPS	   2000000
#define LINE_BYTES 41

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 31) * UINT64_C(0x7fb5d329728ea185);
	x = (x ^ x >> 27) * UINT64_C(0x81dadef4bc2dd44d);
	return x ^ x >> 33;
}

/* The i-th entry's SHA-1, or a stranger's from @n on. */
static void hash_of(uint64_t i, uint8_t ret[BLOCKLIST_SHA1_LEN])
{
	uint64_t v[3] = {mix(2 * i + 1), mix(2 * i + 2), i};

	memcpy(ret, v, BLOCKLIST_SHA1_LEN);
}

/* ------------------------------------------------------------------- lists */

/* A list that is not on disk: @n lines. */
struct lines {
	uint64_t n, at;
	bool words;
	char line[LINE_BYTES + 2];
	size_t len, sent;
};

static void next_line(struct lines *l)
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t sha1[BLOCKLIST_SHA1_LEN];

	l->sent = 0;
	if (l->words) {
		l->len = (size_t)snprintf(l->line, sizeof(l->line),
					  "word%08" PRIx64 "x\n", mix(l->at) >> 20);
	} else {
		hash_of(l->at, sha1);
		for (size_t i = 0; i < 2 * BLOCKLIST_SHA1_LEN; i++)
			l->line[i] = digits[sha1[i / 2] >> (i % 2 ? 0 : 4) & 15];
		l->line[LINE_BYTES - 1] = '\n';
		l->len = LINE_BYTES;
	}
	l->at++;
}

static ssize_t read_lines(void *cookie, char *buf, size_t cap)
{
	struct lines *l = cookie;
	size_t n = 0;

	while (n < cap && (l->sent < l->len || l->at < l->n)) {
		size_t some;

		if (l->sent == l->len)
			next_line(l);
		some = l->len - l->sent < cap - n ? l->len - l->sent : cap - n;
		memcpy(buf + n, l->line + l->sent, some);
		l->sent += some;
		n += some;
	}
	return (ssize_t)n;
}

static void build(const char *path, uint64_t n, bool words)
{
	struct lines lines = {.n = n, .words = words};
	FILE *in =
		fopencookie(&lines, "r", (cookie_io_functions_t){.read = read_lines});
	_cleanup_builder_ struct blocklist_builder *b = NULL;
	uint64_t t0, t1, t2;

	if (!in || blocklist_builder_new(&b) != 0)
		die("out of memory");
	(void)setvbuf(in, NULL, _IOFBF, 1 << 16); /* or the buffer stays small */
	t0 = measure_now_ns();
	if (blocklist_builder_read(b, in) != 0)
		die("the list was not read");
	t1 = measure_now_ns();
	if (blocklist_builder_write(b, path) != 0)
		die("%s was not written", path);
	t2 = measure_now_ns();
	(void)fclose(in); /* not a file */
	printf("build from %" PRIu64 " %s: read %.2f million/s, sort and write %.2f "
	       "million/s, together %.1f s\n",
	       n, words ? "words" : "SHA-1", (double)n * 1e3 / (double)(t1 - t0),
	       (double)n * 1e3 / (double)(t2 - t1), (double)(t2 - t0) / 1e9);
}

/* ----------------------------------------------------------------- look-ups */

static double look_up(const struct blocklist *b, uint64_t from, uint64_t n,
		      uint64_t *ret_found)
{
	uint8_t(*sha1)[BLOCKLIST_SHA1_LEN] = calloc(LOOKUPS, sizeof(*sha1));
	uint64_t found = 0, t0;
	double each;

	if (!sha1)
		die("out of memory");
	for (uint64_t i = 0; i < LOOKUPS; i++)
		hash_of(from + mix(i) % n, sha1[i]);
	t0 = measure_now_ns();
	for (uint64_t i = 0; i < LOOKUPS; i++)
		found += blocklist_has(b, sha1[i]);
	each = (double)(measure_now_ns() - t0) / LOOKUPS;
	free(sha1);
	*ret_found = found;
	return each;
}

static void bench_list(const char *path, uint64_t n)
{
	struct diags diag = DIAGS_INIT;
	struct blocklist *b = NULL;
	struct blocklist_info info;
	uint64_t t0 = measure_now_ns(), opened, found, strangers = 0, t1;
	double in, out;
	bool listed;

	if (blocklist_open(path, &b, &diag) != 0)
		die("%s does not open", path);
	opened = measure_now_ns() - t0;
	blocklist_info(b, &info);
	printf("%" PRIu64 " entries: %.3f bytes an entry, opened in %.0f us\n",
	       info.n_entries, (double)info.n_bytes / (double)info.n_entries,
	       (double)opened / 1e3);
	(void)look_up(b, 0, n, &found); /* the pages come in */
	in = look_up(b, 0, n, &found);
	if (found != LOOKUPS)
		die("%" PRIu64 " entries were not found", LOOKUPS - found);
	out = look_up(b, n, n, &strangers);
	printf("look-up: %.0f ns of an entry, %.0f ns of a stranger; wrongly found: 1 "
	       "in "
	       "%.0f\n",
	       in, out, strangers ? (double)LOOKUPS / (double)strangers : 0);
	t1 = measure_now_ns();
	for (unsigned i = 0; i < 100000; i++)
		if (quality_listed(b, "gT7#kW2!pQ9&mZx", 15, &listed) != 0)
			die("not looked up");
	printf("a password in three forms, with its hashes: %.0f ns\n",
	       (double)(measure_now_ns() - t1) / 1e5);
	blocklist_close(b);
	diags_done(&diag);
}

/* ------------------------------------------------------------------- checks */

static const char *const candidates[] = {
	"gT7#kW2!pQ9&mZx",  "vR4%nB8?xL3+cDs",	      "Correct-Horse-7-Battery",
	"Rt6!mvQz#p90Lw7",  "five Boxing wizards 8!", "Uq2-mondlicht-Eule",
	"9Kd.wPz+fhT4rQ_m", "Nebel&Tasse31knarzt",
};
static const char old[] = "aZ5$rtYu8_HbnM1";

/* As pam_pwquality would: a fresh set of settings for each password. */
static void check_alone(const struct password_rules *r, const char *candidate,
			int dictionary)
{
	pwquality_settings_t *s = pwquality_default_settings();
	void *more = NULL;

	if (!s ||
	    pwquality_set_int_value(s, PWQ_SETTING_MIN_LENGTH, (int)r->min_length) ||
	    pwquality_set_int_value(s, PWQ_SETTING_MIN_CLASS, (int)r->classes) ||
	    pwquality_set_int_value(s, PWQ_SETTING_MAX_REPEAT, (int)r->max_repeat) ||
	    pwquality_set_int_value(s, PWQ_SETTING_MAX_SEQUENCE,
				    (int)r->max_sequence) ||
	    pwquality_set_int_value(s, PWQ_SETTING_DIFF_OK, (int)r->min_different) ||
	    pwquality_set_int_value(s, PWQ_SETTING_DICT_CHECK, dictionary) ||
	    pwquality_check(s, candidate, old, "alice", &more) < 0)
		die("libpwquality refuses %s", candidate);
	pwquality_free_settings(s);
}

static void check_ours(const struct password_rules *r, const char *candidate,
		       const char *list)
{
	static const struct password_facts facts = {.user = "alice",
						    .real_name = "Alice Liddell",
						    .host = "web01.prod.example",
						    .old = old};
	struct diags diag = DIAGS_INIT;
	struct blocklist *b = NULL;
	enum password_reason reason = PASSWORD_UNCHECKED;

	/* The worker opens the list for each password. */
	if (r->blocklist && blocklist_open(list, &b, &diag) != 0)
		die("%s does not open", list);
	if (quality_check(r, &facts, candidate, strlen(candidate), b, &reason) != 0 ||
	    reason != PASSWORD_FITS)
		die("ours refuses %s: %s", candidate, quality_reason_name(reason));
	blocklist_close(b);
	diags_done(&diag);
}

static void bench_checks(const char *list)
{
	static const char *const presets[] = {"nist-800-63b-4", "pci-dss-4", "cis",
					      "strictest-of(pci-dss-4, cis)"};

	for (size_t i = 0; i < ARRAY_SIZE(presets); i++) {
		struct samples ours = {0}, alone = {0}, bare = {0};
		struct password_rules rules;
		struct policy *policy = preset_load(presets[i], false, "", &rules);
		double a, b, o;

		for (unsigned k = 0; k < ROUNDS; k++) {
			const char *c = candidates[k % ARRAY_SIZE(candidates)];
			uint64_t t0 = measure_now_ns(), t1;

			check_alone(&rules, c, 1);
			t1 = measure_now_ns();
			samples_add(&alone, t1 - t0);
			check_alone(&rules, c, 0);
			t0 = measure_now_ns();
			samples_add(&bare, t0 - t1);
			t1 = measure_now_ns();
			check_ours(&rules, c, list);
			samples_add(&ours, measure_now_ns() - t1);
		}
		a = (double)samples_quantile(&alone, 0.5) / 1e3;
		o = (double)samples_quantile(&ours, 0.5) / 1e3;
		b = (double)samples_quantile(&bare, 0.5) / 1e3;
		printf("check, %s: %.1f us; libpwquality %.1f us: %.2f (goal 2); "
		       "without "
		       "its dictionary %.1f us\n",
		       presets[i], o, a, o / a, b);
		samples_done(&bare);
		samples_done(&ours);
		samples_done(&alone);
		policy_unref(policy);
	}
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
	char path[512];

	if (argc < 2 || n < 1000)
		die("usage: bench_password FOLDER [ENTRIES]");
	(void)snprintf(path, sizeof(path), "%s/list", argv[1]);
	build(path, n / 10, true);
	build(path, n, false);
	bench_list(path, n);
	bench_checks(path);
	(void)unlink(path); /* the folder goes as well */
	return 0;
}
