/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_quality.c - passwords against every preset, with the reason expected of each;
 * then what depends on the current password, on lists and on settings.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "rbacd/password/blocklist_build.h"
#include "rbacd/password/quality.h"
#include "tests/unit/password/presets.h"

/* As the rules are asked for: NIST with and without MFA, PCI, CIS, PCI and CIS. */
#define N_PRESETS 5
static const char *const presets[N_PRESETS] = {"nist-800-63b-4", "nist-800-63b-4",
					       "pci-dss-4", "cis",
					       "strictest-of(pci-dss-4, cis)"};
static struct policy *policies[N_PRESETS];
static struct password_rules rules[N_PRESETS];
static struct blocklist *list;

/* One letter for each reason. */
static enum password_reason reason_of(char c)
{
	static const struct {
		char c;
		enum password_reason reason;
	} letters[] = {
		{'.', PASSWORD_FITS},	     {'e', PASSWORD_EMPTY},
		{'<', PASSWORD_TOO_SHORT},   {'>', PASSWORD_TOO_LONG},
		{'t', PASSWORD_BAD_TEXT},    {'c', PASSWORD_FEW_CLASSES},
		{'r', PASSWORD_REPEATS},     {'q', PASSWORD_SEQUENCE},
		{'s', PASSWORD_SAME_AS_OLD}, {'m', PASSWORD_TOO_SIMILAR},
		{'b', PASSWORD_BLOCKED},     {'d', PASSWORD_DICTIONARY},
		{'p', PASSWORD_PERSONAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].c == c)
			return letters[i].reason;
	fail_msg("no reason has the letter %c", c);
	return PASSWORD_UNCHECKED;
}

static const struct row {
	const char *bytes;
	const char *want; /* NIST with MFA, NIST, PCI, CIS, PCI and CIS */
} table[] = {
	/* length: 8 or 15, 12, 14 */
	{"", "eeeee"},
	{"a", "<<<<<"},
	{"gT7#kW2", "<<<<<"},
	{"gT7#kW2!", ".<<<<"},
	{"gT7#kW2!p", ".<<<<"},
	{"gT7#kW2!pQ9", ".<<<<"},
	{"gT7#kW2!pQ9&", ".<.<<"},
	{"gT7#kW2!pQ9&m", ".<.<<"},
	{"gT7#kW2!pQ9&mZ", ".<..."},
	{"gT7#kW2!pQ9&mZx", "....."},
	{"gT7#kW2!pQ9&mZxV", "....."},

	/* what NIST shall not ask: no kinds of characters, no rules on their order */
	{"mfkqzwpt", ".<<<<"},
	{"mfkqzwptlbndhrv", "..ccc"},
	{"MFKQZWPTLBNDHRV", "..ccc"},
	{"840295710384615", "..ccc"},
	{"!#%&()*+,-./:;<", "..ccc"},
	{"               ", "..ccc"}, /* blanks are characters */
	{"correct horse battery", "..ccc"},
	{"five boxing wizards jump", "..ccc"},
	{"aaaaaaaaaaaaaaa", "..ccc"},
	{"abcdefghijklmno", "..ccc"},
	{"111111111111111", "..ccc"},
	{"zyxwvutsrqponml", "..ccc"},
	{"abcdefghijklmn1", "...cc"},
	{"12345678901234a", "...cc"},
	{"no rules of order here", "..ccc"},

	/* letter and digit; all four */
	{"mfkqzwptlbnd", ".<c<<"},
	{"840295710384", ".<c<<"},
	{"mfkqzwptlbn7", ".<.<<"},
	{"MFKQZWPTLBN7", ".<.<<"},
	{"7!!!!!!!!!!!a", ".<.<<"},
	{"!#%&()*+,-./7", ".<c<<"},
	{"!#%&()*+,-./x", ".<c<<"},
	{"mfkqzwptlbndhr7", "...cc"},
	{"MFKQZWPTLBNDHR7", "...cc"},
	{"mfkqzwptLBNDHR7", "...cc"}, /* no other */
	{"mfkqzwptlb!dhr7", "...cc"}, /* no capital */
	{"MFKQZWPTLB!DHR7", "...cc"}, /* no small one */
	{"mfkqzWPTLB!DHRv", "..ccc"}, /* no digit */
	{"mfkqzWPTLB!DHR7", "....."},
	{"mfkqz WPTLBDHR7", "....."}, /* the blank is the other */
	{"mfkqz\xc2\xa0WPTLBDHR7", "....."},
	{"mfkqz\xe2\x82\xacWPTLBDHR7", "....."}, /* euro */

	/* repeats, sequences, and what reads the same backwards */
	{"gT7#kWaapQ9&mZx", "....."},
	{"gT7#kWaaapQ9&mZ", "....."},
	{"gT7#kWaaaapQ9&m", "...rr"},
	{"gT7#kWaaaaapQ9&", "...rr"},
	{"gT7#kWAaAapQ9&m", "....."},
	{"gT7#kW    pQ9&m", "...rr"},
	{"gT7#kW1111pQ9&m", "...rr"},
	{"aaaagT7#kWpQ9&m", "...rr"},
	{"gT7#kWpQ9&maaaa", "...rr"},
	{"gT7#kWabcpQ9&mZ", "....."},
	{"gT7#kWabcdpQ9&m", "...qq"},
	{"gT7#kWdcbapQ9&m", "...qq"},
	{"gT7#kW1234pQ9&m", "...qq"},
	{"gT7#kW4321pQ9&m", "...qq"},
	{"gT7#kW123pQ9&mZ", "....."},
	{"gT7#kWABCDpQ9&m", "...qq"},
	{"gT7#kWaBcDpQ9&m", "....."},
	{"gT7#kW!\"#$pQ9&m", "...qq"}, /* in ASCII's order */
	{"aB3$kmzyzmk$3Ba", "...qq"},
	{"aB3$kmzyyzmk$3bA", "...qq"},
	{"gT7#kW\xd0\xb0\xd0\xb1\xd0\xb2\xd0\xb3pQ9&m", "...qq"}, /* a b v g */
	{"gT7#kW\xd0\xb3\xd0\xb2\xd0\xb1\xd0\xb0pQ9&m", "...qq"},
	{"gT7#kW\xd0\xb0\xd0\xb2\xd0\xb4\xd0\xb6pQ9&m", "....."}, /* a v d zh */
	{"gT7#kW\xd0\xb0\xd0\xb0\xd0\xb0\xd0\xb0pQ9&m", "...rr"},
	{"gT7#kW\xd0\xb0\xd0\xb0\xd0\xb0pQ9&mZ", "....."},
	{"gT7#kW\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80pQ9&m",
	 "...rr"},
	{"gT7#kWe\xcc\x81"
	 "e\xcc\x81"
	 "e\xcc\x81"
	 "e\xcc\x81pQ9&m",
	 "...rr"},
	{"gT7#kWe\xcc\x81\xc3\xa9"
	 "e\xcc\x81\xc3\xa9pQ9&m",
	 "...rr"},

	/* composed and decomposed: the same length */

	/* emoji */
	{"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\xe2"
	 "\x80"
	 "\x8d\xf0\x9f\x91\xa6",
	 "<<<<<"}, /* a family of seven code points */
	{"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\xe2"
	 "\x80"
	 "\x8d\xf0\x9f\x91\xa6!",
	 ".<<<<"},
	{"gT7#kW\xf0\x9f\x98\x80pQ9&mZx", ".<..."},
	{"mfkqzWPTLB7DHR\xf0\x9f\x98\x80", "....."},

	/* from right to left, and other scripts */
	{"\xd7\xa1\xd7\x99\xd7\xa1\xd7\x9e\xd7\x94\x20\xd7\x90\xd7\xa8\xd7\x95\xd7\x9b"
	 "\xd7"
	 "\x94\x20\xd7\x9e\xd7\x90\xd7\x95\xd7\x93",
	 "..ccc"}, /* Hebrew, 16 */
	{"\xd7\xa1\xd7\x99\xd7\xa1\xd7\x9e\xd7\x94\x37\x37\x37\x37\x37\x37\x37",
	 ".<.<<"}, /* Hebrew with digits, 12 */
	{"\xd9\x83\xd9\x84\xd9\x85\xd8\xa9\xd8\xa7\xd9\x84\xd8\xb3\xd8\xb1\xd9\xa1\xd9"
	 "\xa7"
	 "\xd9\xa3\xd9\xa9\xd9\xa5\xd9\xa0",
	 ".<.cc"}, /* Arabic with its own digits, 14 */
	{"\xd9\x83\xd9\x84\xd9\x85\xd8\xa9\xd8\xa7\xd9\x84\xd8\xb3\xd8\xb1", ".<<<<"},
	{"\xd0\xb4\xd0\xbb\xd0\xb8\xd0\xbd\xd0\xbd\xd1\x8b\xd0\xb9", "<<<<<"}, /* 7 */
	{"\xd0\xb4\xd0\xbb\xd0\xb8\xd0\xbd\xd0\xbd\xd1\x8b\xd0\xb9-", ".<<<<"},
	{"\xd0\x94\xd0\xbb\xd0\xb8\xd0\xbd\xd0\xbd\xd1\x8b\xd0\xb9-7xTw9z", ".<..."},
	{"\xe2\x80\xaegT7#kW2!pQ9&mZ", "....."}, /* right-to-left override */
	{"gT7#kW2!\xe2\x80\x8fpQ9&mZ", "....."}, /* right-to-left mark */
	{"gT7#kW2!\xef\xbb\xbfpQ9&mZ", "....."}, /* byte order mark */
	{"gT7#kW2!\xee\x80\x80pQ9&mZ", "....."}, /* private use */
	{"gT7#kW2!\xcd\xb8pQ9&mZ", "....."},	 /* not assigned yet */
	{"gT7#kW2!\xc2\xadpQ9&mZ", "....."},	 /* soft hyphen */
	{"\xc3\x9c"
	 "bergr\xc3\xb6\xc3\x9f"
	 "e-7xk!q",
	 "...cc"}, /* no capital of ASCII */

	/* no text: control bytes, NUL and what looks like it, broken UTF-8 */
	{"\x01gT7#kW2!pQ9&mZ", "ttttt"},
	{"gT7#kW2!pQ9&mZ\x1f", "ttttt"},
	{"gT7#kW2!\tpQ9&mZ", "ttttt"},
	{"gT7#kW2!pQ9&mZ\n", "ttttt"},
	{"gT7#kW2!pQ9&mZ\r", "ttttt"},
	{"gT7#kW2!\x1b[31mpQ9&", "ttttt"},
	{"gT7#kW2!pQ9&mZ\x7f", "ttttt"},
	{"gT7#kW2!\xc0\x80pQ9&mZ", "ttttt"},	 /* NUL in two bytes */
	{"gT7#kW2!\xe0\x80\x80pQ9&mZ", "ttttt"}, /* in three */
	{"gT7#kW2!\xc1\xa1pQ9&mZ", "ttttt"},	 /* a letter in two */
	{"gT7#kW2!\xc2\x80pQ9&mZ", "ttttt"},	 /* the other controls */
	{"gT7#kW2!\xc2\x85pQ9&mZ", "ttttt"},
	{"gT7#kW2!\xc2\x9bpQ9&mZ", "ttttt"},
	{"gT7#kW2!\xed\xa0\x80pQ9&mZ", "ttttt"}, /* half a pair */
	{"gT7#kW2!\xed\xbf\xbfpQ9&mZ", "ttttt"},
	{"gT7#kW2!\xf4\x90\x80\x80pQ9&mZ", "ttttt"}, /* beyond the last */
	{"gT7#kW2!\xf5\x80\x80\x80pQ9&mZ", "ttttt"},
	{"gT7#kW2!\xffpQ9&mZ", "ttttt"},
	{"gT7#kW2!\xfepQ9&mZ", "ttttt"},
	{"gT7#kW2!pQ9&mZx\xc3", "ttttt"}, /* cut off */
	{"gT7#kW2!pQ9&mZx\xf0\x9f\x98", "ttttt"},
	{"\x80gT7#kW2!pQ9&mZ", "ttttt"},
	{"gT7#kW2!\xe9pQ9&mZ", "ttttt"},	 /* Latin-1 */
	{"gT7#kW2!\xe2\x80\xa8pQ9&mZ", "ttttt"}, /* line separator */
	{"gT7#kW2!\xe2\x80\xa9pQ9&mZ", "ttttt"}, /* paragraph separator */
	{"gT7#kW2!\xef\xbf\xbepQ9&mZ", "ttttt"}, /* no characters */
	{"gT7#kW2!\xef\xb7\x90pQ9&mZ", "ttttt"},
	{"gT7#kW2!\xf0\x9f\xbf\xbfpQ9&mZ", "ttttt"},
	{"\b\n\r\177INCORRECT", "ttttt"}, /* what sshd sends for nobody */

	/* the blocklist: the whole password, in any case and form */
	{"password", "b<<<<"},
	{"PASSWORD", "b<<<<"},
	{"PassWord", "b<<<<"},
	{"password1", ".<<<<"}, /* whole, not in parts */
	{"correcthorsebatterystaple", "bbccc"},
	{"CorrectHorseBatteryStaple", "bbccc"},
	{"correct horse battery staple", "..ccc"},
	{"trustno1trustno1", "bbbcc"},
	{"TrustNo1TrustNo1", "bbbcc"},
	{"TrustNo1-TrustNo1", "....."},
	{"Rt6!mvQz#p90Lw", "b<b.b"}, /* cis asks for the dictionary alone */
	{"RT6!MVQZ#P90LW", "b<bcc"},
	{"Rt6!mvQz#p90Lw7", "....."},
	{"leaked-Xq7-by-hash", "bbb.b"},
	{"Leaked-Xq7-by-hash", "....."}, /* of a hash only the exact one is known */
	{"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"
	 "12345678",
	 "b<bcc"},
	{"\xd0\x9f\xd0\x90\xd0\xa0\xd0\x9e\xd0\x9b\xd0\xac"
	 "12345678",
	 "b<bcc"},
	{"Gehe\xc3\xafmn\xc3\xadsse7", "b<b<<"},
	{"Gehei\xcc\x88mni\xcc\x81sse7", "b<b<<"},
	{"gehe\xc3\xafmn\xc3\xadsse7", "b<b<<"},

	/* the dictionary */
	{"Extraordinary1!", "...dd"},
	{"1!Extraordinary", "...dd"},
	{"Extraordinary-7-Qm", "....."},

	/* names: alice, Alice Liddell, web01.prod.example, Wonderland, Rat Race */
	{"alice", "<<<<<"},
	{"Alice Liddell", "p<p<<"},
	{"alice liddell", "p<p<<"},
	{"ALICELIDDELL", "p<p<<"},
	{"--Alice.Liddell--", "ppppp"},
	{"aliceliddell1", ".<p<<"},
	{"web01.prod.example", "ppppp"},
	{"Web01ProdExample", "ppppp"},
	{"web01.prod.example.com", "..ppp"},
	{"Wonderland", "p<<<<"},
	{"wonderland!", "p<<<<"},
	{"wonderland-2024!", "..ppp"},
	{"WONDERLAND", "p<<<<"},
	{"x7-Liddell-Qm!2w", "..ppp"},
	{"x7-lleddiL-Qm!2w", "..ppp"}, /* backwards */
	{"x7-L.i.d.d.e.l.l-2w", "..ppp"},
	{"x7-Lidde-Qm!2wRr", "....."},
	{"gT7#kWalicepQ9&m", "..ppp"},
	{"gT7#kWecilapQ9&m", "..ppp"},
	{"gT7#kWalcepQ9&mZ", "....."},
	{"Rat-Race", "p<<<<"},
	{"gT7#RatRace!pQ9", "..ppp"},
	{"gT7#Rat!pQ9&mZx", "....."},
};

/* One text over and over. */
static const struct {
	const char *bytes, *want;
	unsigned times;
} repeated[] = {
	{"gT7#kW2!", ".....", 8},	      /* 64 */
	{"gT7#kW2!", ".....", 16},	      /* 128 */
	{"gT7#kW2!", ".....", 32},	      /* 256 */
	{"gT7#kW2!pQ9&mZxVdR5", ">>>>>", 14}, /* 266 */
	{"x", "..ccc", 64},
	{"x", "..ccc", 255},
	{"x", "..ccc", 256},
	{"x", ">>>>>", 257},
	{"x", ">>>>>", 511},
	{"x", ">>>>>", 512},
	{"x", ">>>>>", 4000},
	{"\xc3\xa9", "<<<<<", 7},
	{"\xc3\xa9", ".<<<<", 8},
	{"\xc3\xa9", "..ccc", 15},
	{"e\xcc\x81", "<<<<<", 7},
	{"e\xcc\x81", ".<<<<", 8},
	{"e\xcc\x81", ".<c<<", 12},
	{"e\xcc\x81", "..ccc", 15},
	{"o\xcc\x88\xcc\x84", "<<<<<", 7}, /* two marks, one letter */
	{"o\xcc\x88\xcc\x84", ".<<<<", 8},
	{"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "<<<<<", 7}, /* han of three jamo */
	{"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", ".<<<<", 8},
	{"\xed\x95\x9c", ".<<<<", 8}, /* han in one */
	{"x\xcc\x81", ".<<<<", 4},    /* no such letter: two code points */
	{"\xe2\x84\xab", "<<<<<", 7}, /* the sign for angstrom is a letter with ring */
	{"\xe2\x84\xab", ".<<<<", 8},
	{"\xc3\xa9", "..ccc", 255},
	{"\xc3\xa9", ">>>>>", 256}, /* more bytes than crypt(3) takes */
	{"e\xcc\x81", "..ccc", 170},
	{"\xf0\x9f\x98\x80", "<<<<<", 7},
	{"\xf0\x9f\x98\x80", ".<<<<", 8},
	{"\xf0\x9f\x98\x80", "..ccc", 15},
	{"\xf0\x9f\x98\x80", "..ccc", 64},
	{"\xf0\x9f\x98\x80", "..ccc", 127},
	{"\xf0\x9f\x98\x80", ">>>>>", 128},
	{"\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", ".<<<<", 4}, /* flags: two each */
	{"\xe2\x9d\xa4\xef\xb8\x8f", ".<<<<", 4}, /* with a variation selector */
	{"\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", ".<<<<", 4},     /* with a tone of skin */
	{"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "<<<<<", 2}, /* Japanese, 6 */
	{"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", "..ccc", 5},
};

/* With NUL in it. */
static const struct {
	const char *bytes, *want;
	size_t len;
} with_nul[] = {
	{"gT7#kW2!\0pQ9&mZ", "ttttt", 15},
	{"gT7#kW2!pQ9&mZx\0", "ttttt", 16},
	{"\0", "ttttt", 1},
};

static const char words[] =
	"password\n12345678\ncorrecthorsebatterystaple\ntrustno1trustno1\n"
	"Rt6!mvQz#p90Lw\n"
	"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"
	"12345678\n"
	"Gehe\xc3\xafmn\xc3\xadsse7\n"
	"D3BE5103291B10F5A20B29E8C713418BD3CB51A7:12\n"; /* leaked-Xq7-by-hash */

static const struct password_facts alice = {
	.user = "alice",
	.real_name = "Alice Liddell",
	.host = "web01.prod.example",
};

static int set_up(void **state)
{
	char path[] = "/tmp/test_quality.XXXXXX", file[64];
	_cleanup_builder_ struct blocklist_builder *b = NULL;
	struct diags diag = DIAGS_INIT;
	FILE *in = fmemopen((void *)(uintptr_t)words, sizeof(words) - 1, "r");
	int r;

	(void)state;
	if (!mkdtemp(path) || !in || blocklist_builder_new(&b) != 0)
		return -1;
	(void)snprintf(file, sizeof(file), "%s/list", path);
	r = blocklist_builder_read(b, in);
	(void)fclose(in); /* memory */
	if (r == 0)
		r = blocklist_builder_write(b, file);
	if (r == 0)
		r = blocklist_open(file, &list, &diag);
	(void)unlink(file); /* the mapping stays */
	(void)rmdir(path);
	for (size_t i = 0; i < N_PRESETS; i++)
		policies[i] = preset_load(presets[i], i == 0,
					  ", words: [Wonderland, Rat Race]", &rules[i]);
	return r;
}

static int drop(void **state)
{
	(void)state;
	blocklist_close(list);
	for (size_t i = 0; i < N_PRESETS; i++)
		policy_unref(policies[i]);
	return 0;
}

static void show(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && i < 80; i++)
		fprintf(stderr, bytes[i] >= 0x20 && bytes[i] < 0x7f ? "%c" : "\\x%02x",
			(unsigned char)bytes[i]);
}

static bool judge(size_t preset, const struct password_facts *facts, const char *bytes,
		  size_t len, char want)
{
	enum password_reason got = PASSWORD_UNCHECKED;
	char *copy = malloc(len + !len); /* so that a byte beyond is seen */
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	r = quality_check(&rules[preset], facts, copy, len, list, &got);
	free(copy);
	if (r == 0 && got == reason_of(want))
		return true;
	show(bytes, len);
	fprintf(stderr, ", %s (%zu): error %d, %s in place of %s\n", presets[preset],
		preset, r, got == PASSWORD_FITS ? "fits" : quality_reason_name(got),
		quality_reason_name(reason_of(want)));
	return false;
}

static size_t judge_all(const char *bytes, size_t len, const char *want)
{
	size_t n_wrong = 0;

	assert_int_equal(strlen(want), N_PRESETS);
	for (size_t k = 0; k < N_PRESETS; k++)
		n_wrong += !judge(k, &alice, bytes, len, want[k]);
	return n_wrong;
}

static void test_table(void **state)
{
	size_t n_wrong = 0;

	(void)state;
	assert_true(ARRAY_SIZE(table) >= 150);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		n_wrong += judge_all(table[i].bytes, strlen(table[i].bytes),
				     table[i].want);
	for (size_t i = 0; i < ARRAY_SIZE(with_nul); i++)
		n_wrong +=
			judge_all(with_nul[i].bytes, with_nul[i].len, with_nul[i].want);
	assert_int_equal(n_wrong, 0);
}

static void test_repeated(void **state)
{
	static char bytes[8192];
	size_t n_wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++) {
		size_t unit = strlen(repeated[i].bytes), len = unit * repeated[i].times;

		assert_true(len <= sizeof(bytes));
		for (size_t k = 0; k < repeated[i].times; k++)
			memcpy(bytes + k * unit, repeated[i].bytes, unit);
		n_wrong += judge_all(bytes, len, repeated[i].want);
	}
	assert_int_equal(n_wrong, 0);
}

/* ------------------------------------------------------------- the current one */

static void test_old(void **state)
{
	static const struct {
		const char *old, *fresh, *want;
	} cases[] = {
		{"gT7#kW2!pQ9&mZx", "gT7#kW2!pQ9&mZx", "sssss"},
		{"gT7#kW2!pQ9&mZ\xc3\xa9", "gT7#kW2!pQ9&mZe\xcc\x81", "sssss"},
		{"gT7#kW2!pQ9&mZx", "gT7#kW2!pQ9&mZy", "...mm"}, /* one differs */
		{"gT7#kW2!pQ9&mZx", "gT7#kW2!pQ9&mYy", "....."}, /* two do */
		{"gT7#kW2!pQ9&mZx", "Gt7#Kw2!Pq9&Mzx", "...mm"}, /* only the case */
		{"gT7#kW2!pQ9&mZx", "mZxgT7#kW2!pQ9&", "...mm"}, /* turned round */
		{"gT7#kW2!pQ9&mZ\xc3\xa9", "gT7#kW2!pQ9&mZ\xc3\xa8", "...mm"},
		{"gT7#kW2!pQ9&mZ\xd0\xb0", "gT7#kW2!pQ9&mZ\xd0\xb1", "...mm"},
		{"gT7#kW2!pQ9&mZx", "vR4%nB8?xL3+cDs", "....."},
		{"", "gT7#kW2!pQ9&mZx", "....."},
		{"gT7#kW2!pQ9&mZ\xff", "gT7#kW2!pQ9&mZx", "....."}, /* no text */
		{"gT7#kW2!\xff", "gT7#kW2!\xff", "ttttt"},
		{"short", "short", "<<<<<"},
	};
	struct password_facts facts = alice;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t k = 0; k < N_PRESETS; k++) {
			facts.old = cases[i].old;
			assert_true(judge(k, &facts, cases[i].fresh,
					  strlen(cases[i].fresh), cases[i].want[k]));
		}
}

/* Whole texts of 256 foreign characters on both sides stay inside every table. */
static void test_many_characters(void **state)
{
	char fresh[512], old[512];
	struct password_facts facts = alice;
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 255; i++) { /* Cyrillic and Armenian, every second */
		unsigned cp = 0x400 + 2 * i;

		fresh[n] = (char)(0xc0 | cp >> 6);
		fresh[n + 1] = (char)(0x80 | (cp & 63));
		old[n] = (char)(0xc0 | (cp + 1) >> 6);
		old[n + 1] = (char)(0x80 | ((cp + 1) & 63));
		n += 2;
	}
	old[n] = '\0';
	facts.old = old;
	assert_true(judge(0, &facts, fresh, n, '.'));
	assert_true(judge(3, &facts, fresh, n, 'c'));
}

/* --------------------------------------------------------------- who is nobody */

static void test_no_facts(void **state)
{
	static const struct password_facts nothing;
	static const struct password_facts odd = {.user = "",
						  .real_name = " , ,,",
						  .host = "...",
						  .old = NULL};
	static const struct password_facts broken = {.user = "\xff\xfe\xfd\xfc",
						     .real_name = "\xf0\x9f\x98\x80",
						     .host = "\x01\x02\x03\x04"};

	(void)state;
	for (size_t k = 0; k < N_PRESETS; k++) {
		assert_true(judge(k, &nothing, "gT7#kWalicepQ9&m", 16, '.'));
		assert_true(judge(k, &odd, "gT7#kW2!pQ9&mZx", 15, '.'));
		assert_true(
			judge(k, &broken, "gT7#kW2!pQ9&mZ\xf0\x9f\x98\x80", 18, '.'));
	}
}

/* ----------------------------------------------------------------- refusals */

static void test_no_list(void **state)
{
	static const int want[N_PRESETS] = {-ENOENT, -ENOENT, -ENOENT, 0, -ENOENT};

	(void)state;
	for (size_t k = 0; k < N_PRESETS; k++) {
		enum password_reason got = PASSWORD_UNCHECKED;

		assert_int_equal(quality_check(&rules[k], &alice, "gT7#kW2!pQ9&mZx", 15,
					       NULL, &got),
				 want[k]);
		assert_int_equal(got,
				 want[k] == 0 ? PASSWORD_FITS : PASSWORD_UNCHECKED);
	}
}

static void test_no_rules(void **state)
{
	static const struct password_rules none;
	enum password_reason got = PASSWORD_UNCHECKED;

	(void)state;
	assert_int_equal(quality_check(&none, &alice, "gT7#kW2!pQ9&mZx", 15, list,
				       &got),
			 -EINVAL);
	assert_int_equal(got, PASSWORD_UNCHECKED);
}

/* -------------------------------------------------------------- keys of its own */

static void test_stricter(void **state)
{
	struct password_rules r = rules[2], kept = rules[2];
	static const struct {
		size_t at; /* in struct password_rules */
		uint32_t v;
		const char *bytes;
		char want;
	} cases[] = {
		{offsetof(struct password_rules, min_length), 16, "gT7#kW2!pQ9&mZx",
		 '<'},
		{offsetof(struct password_rules, classes), 3, "mfkqzwptlbndhr7", 'c'},
		{offsetof(struct password_rules, classes), 3, "mfkqzwptlbnd-r7", '.'},
		{offsetof(struct password_rules, classes), 3, "!F(Q)W:T!B=D?R;", 'c'},
		{offsetof(struct password_rules, max_repeat), 1, "gT7#kWaapQ9&mZx",
		 'r'},
		{offsetof(struct password_rules, max_sequence), 2, "gT7#kWabcQ9&mZx",
		 'q'},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy((char *)&rules[2] + cases[i].at, &cases[i].v, sizeof(uint32_t));
		assert_true(judge(2, &alice, cases[i].bytes, strlen(cases[i].bytes),
				  cases[i].want));
		rules[2] = kept;
	}
	assert_memory_equal(&r, &rules[2], sizeof(r));
}

/* ------------------------------------------------------------------- in words */

static void test_texts(void **state)
{
	char buf[QUALITY_TEXT_MAX], other[QUALITY_TEXT_MAX];

	(void)state;
	for (size_t k = 0; k < N_PRESETS; k++) {
		for (unsigned i = 0; i <= PASSWORD_REASON_N; i++) {
			quality_reason_text(i, &rules[k], buf);
			assert_true(strlen(buf) > 10 && strlen(buf) < 200);
			assert_int_equal(buf[strlen(buf) - 1], '.');
			for (unsigned j = 1; j < i && i < PASSWORD_REASON_N; j++) {
				quality_reason_text(j, &rules[k], other);
				assert_string_not_equal(buf, other);
				assert_string_not_equal(quality_reason_name(i),
							quality_reason_name(j));
			}
		}
		quality_guidance(&rules[k], buf);
		assert_true(strlen(buf) < QUALITY_TEXT_MAX - 20); /* nothing is cut */
		assert_int_equal(buf[strlen(buf) - 1], '.');
	}
	quality_reason_text(PASSWORD_TOO_SHORT, &rules[1], buf);
	assert_string_equal(
		buf, "The password is too short: it needs 15 characters or more.");
	quality_guidance(&rules[0], buf);
	assert_string_equal(buf, "At least 8 characters of any kind, blanks too.\n"
				 "No common password, name.");
	quality_guidance(&rules[3], buf);
	assert_non_null(strstr(buf, "At least 14 characters, with small letters, "));
	assert_non_null(strstr(buf, "none of the last 24."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_old),
		cmocka_unit_test(test_no_facts),
		cmocka_unit_test(test_many_characters),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_no_rules),
		cmocka_unit_test(test_stricter),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, set_up, drop);
}
