/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_behaviour_cidr.c - the truth table of the-bastion's access lists: entries of
 * USER@NETWORK:PORT, where user and port may be left out, asked for each address with
 * user none/me/not and port none/12/80. Here the network is an origin, the user a
 * group, the port a privilege. Where the-bastion asks for a whole network, we ask for
 * its first and its last address: an origin is always one address.
 */
#include "tests/unit/policy/behaviour.h"

#define GRANT(id, to, role, from)                                                      \
	"  - {id: " id ", to: [" to "], roles: [" role                                 \
	"], vms: [every], when: {from: [\"" from "\"]}}\n"
/* "all" is everybody, "me" one of three; p12 one port, any every port. */
#define LIST(one, net0, two, net1, three, net2, four, net3)                            \
	"roles: {p12: {privileges: [ftp]}, any: {privileges: [ssh, ftp, telnet]}}\n"   \
	"grants:\n" GRANT("a", "me", "p12", one) GRANT("b", "me", "p12", net0)         \
		GRANT("c", "me", "any", two) GRANT("d", "me", "any", net1)             \
			GRANT("e", "all", "p12", three) GRANT("f", "all", "p12", net2) \
				GRANT("g", "all", "any", four)                         \
					GRANT("h", "all", "any", net3)

static const char v4[] =
	LIST("192.0.2.12", "198.51.100.0/28", "192.0.2.13", "198.51.100.16/28",
	     "192.0.2.22", "198.51.100.32/28", "192.0.2.23", "198.51.100.48/28");
static const char v6[] =
	LIST("2001:db8::c", "2001:db8:1::/124", "2001:db8::d", "2001:db8:1::10/124",
	     "2001:db8::16", "2001:db8:1::20/124", "2001:db8::17",
	     "2001:db8:1::30/124");

static const char *const users[] = {"all", "all,me", "all,not"};
static const char *const ports[] = {"sshd", "vsftpd", "xinetd"}; /* none, 12, 80 */

struct line {
	const char *from;
	char rule;	    /* of the entry that allows; '-': none */
	const char *answer; /* three ports for user none, me, not: Y or n */
};

static const struct line lines_v4[] = {
	{"192.0.2.12", 'a', "nnn nYn nnn"},
	{"198.51.100.4", 'b', "nnn nYn nnn"},
	{"192.0.2.13", 'c', "nnn YYY nnn"},
	{"198.51.100.19", 'd', "nnn YYY nnn"},
	{"192.0.2.22", 'e', "nYn nYn nYn"},
	{"198.51.100.35", 'f', "nYn nYn nYn"},
	{"192.0.2.23", 'g', "YYY YYY YYY"},
	{"198.51.100.49", 'h', "YYY YYY YYY"},
	{"198.51.100.4", 'b', "nnn nYn nnn"},
	{"198.51.100.7", 'b', "nnn nYn nnn"},
	{"198.51.100.20", 'd', "nnn YYY nnn"},
	{"198.51.100.23", 'd', "nnn YYY nnn"},
	{"198.51.100.36", 'f', "nYn nYn nYn"},
	{"198.51.100.39", 'f', "nYn nYn nYn"},
	{"198.51.100.52", 'h', "YYY YYY YYY"},
	{"198.51.100.55", 'h', "YYY YYY YYY"},
	{"192.0.2.255", '-', "nnn nnn nnn"},
	/* the edges of each network, and the same addresses mapped into IPv6 */
	{"198.51.99.255", '-', "nnn nnn nnn"},
	{"198.51.100.0", 'b', "nnn nYn nnn"},
	{"198.51.100.15", 'b', "nnn nYn nnn"},
	{"198.51.100.16", 'd', "nnn YYY nnn"},
	{"198.51.100.63", 'h', "YYY YYY YYY"},
	{"198.51.100.64", '-', "nnn nnn nnn"},
	{"::ffff:192.0.2.23", 'g', "YYY YYY YYY"},
	{"::192.0.2.23", '-', "nnn nnn nnn"},
	{"2001:db8::17", '-', "nnn nnn nnn"},
	{"local", '-', "nnn nnn nnn"},
	{NULL, '-', "nnn nnn nnn"},
};
static const struct line lines_v6[] = {
	{"2001:db8::c", 'a', "nnn nYn nnn"},
	{"2001:db8:1::4", 'b', "nnn nYn nnn"},
	{"2001:db8::d", 'c', "nnn YYY nnn"},
	{"2001:db8:1::13", 'd', "nnn YYY nnn"},
	{"2001:db8::16", 'e', "nYn nYn nYn"},
	{"2001:db8:1::23", 'f', "nYn nYn nYn"},
	{"2001:db8::17", 'g', "YYY YYY YYY"},
	{"2001:db8:1::31", 'h', "YYY YYY YYY"},
	{"2001:db8::ff", '-', "nnn nnn nnn"},
	{"2001:db8:1::f", 'b', "nnn nYn nnn"},
	{"2001:db8:1::10", 'd', "nnn YYY nnn"},
	{"2001:db8:1::3f", 'h', "YYY YYY YYY"},
	{"2001:db8:1::40", '-', "nnn nnn nnn"},
	{"2001:db8:2::31", '-', "nnn nnn nnn"},
	{"2001:db8::17%eth0", 'g', "YYY YYY YYY"},
	{"192.0.2.23", '-', "nnn nnn nnn"},
	{NULL, '-', "nnn nnn nnn"},
};
static void run(const char *policy, const struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct line *l = &lines[i];
		const char rule[2] = {l->rule};
		struct behaviour rows[9];

		for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
			bool yes = l->answer[k / 3 * 4 + k % 3] == 'Y';

			/* g and h hold every privilege for all: never "no grant" */
			rows[k] = (struct behaviour){
				.name = l->from ? l->from : "not known",
				.policy = k == 0 ? policy : NULL,
				.login = "eve",
				.groups = users[k / 3],
				.vm = "client1",
				.service = ports[k % 3],
				.from = l->from,
				.verdict = yes ? POLICY_ALLOW : POLICY_DENY,
				.rule = yes ? rule : NULL,
				.reason = yes ? NULL : "src_not_allowed"};
		}
		behaviour_run(rows, ARRAY_SIZE(rows));
	}
}

static void test_v4(void **state)
{
	(void)state;
	run(v4, lines_v4, ARRAY_SIZE(lines_v4));
}

static void test_v6(void **state)
{
	(void)state;
	run(v6, lines_v6, ARRAY_SIZE(lines_v6));
}

#define ALL(net)                                                                       \
	"roles: {any: {privileges: [ssh]}}\ngrants:\n" GRANT("a", "all", "any", net)
#define ASK(...)                                                                       \
	.login = "eve", .groups = "all", .vm = "client1", .service = "sshd", __VA_ARGS__
#define YES .verdict = POLICY_ALLOW, .rule = "a"
#define NO  .reason = "src_not_allowed"

static void test_whole(void **state)
{
	static const struct behaviour cases[] = {
		{"all of IPv4", ALL("0.0.0.0/0"), ASK(YES, .from = "0.0.0.0")},
		{"the last address", ASK(YES, .from = "255.255.255.255")},
		{"mapped into IPv6", ASK(YES, .from = "::ffff:10.1.1.1")},
		{"is no IPv6", ASK(NO, .from = "::1")},
		{"is no console", ASK(NO, .from = "local")},
		{"is not what nobody knows", ASK(NO)},
		{"all of IPv6", ALL("::/0"), ASK(YES, .from = "2001:db8::1")},
		{"is no IPv4", ASK(NO, .from = "192.0.2.1")},
		{"is no mapped IPv4", ASK(NO, .from = "::ffff:192.0.2.1")},
		{"the console alone", ALL("local"), ASK(YES, .from = "local")},
		{"the console is no loopback", ASK(NO, .from = "127.0.0.1")},
		{"bits behind the prefix", ALL("192.0.2.12/24"), .refused = "bits set"},
		{"prefix too long", ALL("192.0.2.0/33"),
		 .refused = "must be an address"},
		{"prefix too long", ALL("2001:db8::/129"),
		 .refused = "must be an address"},
		{"no prefix", ALL("192.0.2.0/"), .refused = "must be an address"},
		{"signed prefix", ALL("192.0.2.0/+8"), .refused = "must be an address"},
		{"padded prefix", ALL("192.0.2.0/08"), .refused = "must be an address"},
		{"netmask", ALL("192.0.2.0/255.255.255.0"),
		 .refused = "must be an address"},
		{"short form", ALL("10/8"), .refused = "must be an address"},
		{"octal", ALL("010.0.0.0/8"), .refused = "must be an address"},
		{"hexadecimal", ALL("0x0a000001"), .refused = "must be an address"},
		{"mapped network", ALL("::ffff:0:0/96"),
		 .refused = "must be an address"},
		{"scope", ALL("fe80::1%eth0"), .refused = "must be an address"},
		{"blank", ALL("192.0.2.1 "), .refused = "must be an address"},
		{"name", ALL("localhost"), .refused = "must be an address"},
	};

	(void)state;
	behaviour_run(cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
