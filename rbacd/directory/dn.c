/* SPDX-License-Identifier: Apache-2.0 */
/* dn.c - distinguished names: one strict reader, one normal form. */

#include "rbacd/directory/dn.h"

#include <strings.h>

#define TYPE_MAX 64
#define AVAS_MAX 8 /* values in one RDN */

/* ------------------------------------------------------------------- values */

/* The next character of UTF-8, strictly. Return: its length, 0 when it is none. */
static size_t utf8_next(const unsigned char *p, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n;
	uint32_t c;

	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len < n)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* Only what every server takes for the same letter: never two entries for one. */
static uint32_t small(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if ((c >= 0x100 && c <= 0x12e) || (c >= 0x132 && c <= 0x136) ||
	    (c >= 0x14a && c <= 0x176))
		return c | 1;
	if ((c >= 0x139 && c <= 0x147) || (c >= 0x179 && c <= 0x17d))
		return c + (c & 1);
	return c;
}

/* Small letters of @c; two bytes at most change, none gets longer. */
static size_t utf8_put(uint32_t c, const unsigned char *as_is, size_t n, char *ret)
{
	if (n == 1) {
		ret[0] = (char)c;
	} else if (n == 2) {
		ret[0] = (char)(0xc0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3f));
	} else {
		memcpy(ret, as_is, n);
	}
	return n;
}

size_t dn_fold(const char *text, size_t len, char *ret, size_t size)
{
	const unsigned char *p = (const unsigned char *)text;
	bool gap = false;
	size_t out = 0;

	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t n = utf8_next(p + i, len - i, &c);

		if (n == 0 || c == 0)
			return SIZE_MAX;
		i += n;
		if (c == ' ') {
			gap = out > 0;
			continue;
		}
		if (out + gap + n >= size)
			return SIZE_MAX;
		if (gap)
			ret[out++] = ' ';
		gap = false;
		out += utf8_put(small(c), p + i - n, n, ret + out);
	}
	if (out >= size)
		return SIZE_MAX;
	ret[out] = '\0';
	return out;
}

/* -------------------------------------------------------------------- types */

/* Types whose values compare by caseIgnoreMatch or a rule that it is equal to. */
static const char *const folded_types[][3] = {
	{"cn", "commonname", "2.5.4.3"},
	{"sn", "surname", "2.5.4.4"},
	{"serialnumber", "serialnumber", "2.5.4.5"},
	{"c", "countryname", "2.5.4.6"},
	{"l", "localityname", "2.5.4.7"},
	{"st", "stateorprovincename", "2.5.4.8"},
	{"street", "streetaddress", "2.5.4.9"},
	{"o", "organizationname", "2.5.4.10"},
	{"ou", "organizationalunitname", "2.5.4.11"},
	{"title", "title", "2.5.4.12"},
	{"givenname", "gn", "2.5.4.42"},
	{"uid", "userid", "0.9.2342.19200300.100.1.1"},
	{"mail", "rfc822mailbox", "0.9.2342.19200300.100.1.3"},
	{"dc", "domaincomponent", "0.9.2342.19200300.100.1.25"},
	{"nsuniqueid", "nsuniqueid", "2.16.840.1.113730.3.1.542"},
	{"ipauniqueid", "ipauniqueid", "2.16.840.1.113730.3.8.3.1"},
};

/* The short name in place of @type. Return: whether its values are folded. */
static bool type_known(char type[TYPE_MAX + 1])
{
	for (size_t i = 0; i < ARRAY_SIZE(folded_types); i++)
		for (size_t j = 0; j < ARRAY_SIZE(folded_types[i]); j++)
			if (str_eq(folded_types[i][j], type)) {
				memcpy(type, folded_types[i][0],
				       strlen(folded_types[i][0]) + 1);
				return true;
			}
	return false;
}

/* ------------------------------------------------------------------- reading */

struct cursor {
	const char *p, *end; /* borrowed */
};

static bool at(const struct cursor *c, char wanted)
{
	return c->p < c->end && *c->p == wanted;
}

static void skip_blanks(struct cursor *c)
{
	while (at(c, ' '))
		c->p++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* numericoid: numbers without leading zeros, at least two, between dots. */
static bool oid_ok(const char *p)
{
	for (size_t n = 1;; n++) {
		size_t len = strspn(p, "0123456789");

		if (len == 0 || (len > 1 && *p == '0'))
			return false;
		p += len;
		if (!*p)
			return n > 1;
		if (*p++ != '.')
			return false;
	}
}

static bool read_type(struct cursor *c, char ret[TYPE_MAX + 1])
{
	size_t n = 0;

	for (; c->p < c->end; c->p++) {
		char ch = *c->p;

		if (!is_alpha(ch) && !is_digit(ch) && ch != '-' && ch != '.')
			break;
		if (n == TYPE_MAX)
			return false;
		ret[n++] = ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
	}
	ret[n] = '\0';
	if (n > 0 && is_alpha(ret[0]))
		return !strchr(ret, '.');
	return oid_ok(ret);
}

/* What a backslash stands for. Return: the byte, -1 when it is no escape. */
static int read_escape(struct cursor *c)
{
	int high, low;

	c->p++;
	if (c->p == c->end)
		return -1;
	if (strchr(" \"#+,;<=>\\", *c->p) && *c->p)
		return (unsigned char)*c->p++;
	if (c->end - c->p < 2)
		return -1;
	high = hex(c->p[0]);
	low = hex(c->p[1]);
	c->p += 2;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

struct value {
	size_t len;
	bool ber; /* from #hex */
	char bytes[DN_MAX];
};

static bool read_hex(struct cursor *c, struct value *ret)
{
	c->p++;
	while (c->end - c->p >= 2 && hex(c->p[0]) >= 0) {
		int low = hex(c->p[1]);

		if (low < 0)
			return false;
		ret->bytes[ret->len++] = (char)(hex(c->p[0]) << 4 | low);
		c->p += 2;
	}
	ret->ber = true;
	return ret->len > 0;
}

static bool read_value(struct cursor *c, struct value *ret)
{
	size_t keep = 0; /* blanks at the end count only when they are escaped */

	ret->len = 0;
	ret->ber = false;
	if (at(c, '#'))
		return read_hex(c, ret);
	while (c->p < c->end && *c->p != ',' && *c->p != '+') {
		int byte = (unsigned char)*c->p;
		bool escaped = byte == '\\';

		if (byte == '\0' || strchr("\";<>", byte))
			return false;
		if (escaped)
			byte = read_escape(c);
		else
			c->p++;
		if (byte < 0)
			return false;
		ret->bytes[ret->len++] = (char)byte;
		if (escaped || byte != ' ')
			keep = ret->len;
	}
	ret->len = keep;
	return true;
}

/* A string in BER with its length in one byte or two becomes the string. */
static void unwrap_ber(struct value *v)
{
	const unsigned char *b = (const unsigned char *)v->bytes;
	size_t head = v->len > 2 && b[1] == 0x81 ? 3 : 2;

	if (v->len < head || (head == 2 && b[1] > 0x7f) || v->len != head + b[head - 1])
		return;
	if (b[0] != 0x04 && b[0] != 0x0c && b[0] != 0x13 && b[0] != 0x16)
		return;
	v->len -= head;
	memmove(v->bytes, v->bytes + head, v->len);
	v->ber = false;
}

/* ------------------------------------------------------------------- writing */

struct ava {
	size_t len;
	char text[DN_NORMAL_MAX];
};

static void put_hex(struct ava *a, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	a->text[a->len++] = digits[byte >> 4];
	a->text[a->len++] = digits[byte & 15];
}

/* 3 bytes for each of the value at most: what dn_read() let in fits. */
static void put_value(struct ava *a, const char *v, size_t len, bool text)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)v[i];
		bool edge = i == 0 || i == len - 1;

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !text) ||
		    strchr("\"#+,;<=>\\", c) || (c == ' ' && edge)) {
			a->text[a->len++] = '\\';
			put_hex(a, c);
		} else {
			a->text[a->len++] = (char)c;
		}
	}
}

/* type=value in normal form. */
static bool normal_ava(struct cursor *c, struct ava *ret)
{
	char type[TYPE_MAX + 1], folded[DN_MAX + 1];
	struct value v;
	bool fold;

	skip_blanks(c);
	if (!read_type(c, type))
		return false;
	skip_blanks(c);
	if (!at(c, '='))
		return false;
	c->p++;
	skip_blanks(c);
	if (!read_value(c, &v))
		return false;
	skip_blanks(c);
	fold = type_known(type);
	if (v.ber && fold)
		unwrap_ber(&v);
	ret->len = strlen(type);
	memcpy(ret->text, type, ret->len);
	ret->text[ret->len++] = '=';
	if (v.ber) {
		ret->text[ret->len++] = '#';
		for (size_t i = 0; i < v.len; i++)
			put_hex(ret, (unsigned char)v.bytes[i]);
		return true;
	}
	if (fold) {
		v.len = dn_fold(v.bytes, v.len, folded, sizeof(folded));
		if (v.len == SIZE_MAX)
			return false;
	}
	put_value(ret, fold ? folded : v.bytes, v.len, fold);
	return true;
}

static int compare_avas(const void *a, const void *b)
{
	const struct ava *x = *(const struct ava *const *)a;
	const struct ava *y = *(const struct ava *const *)b;
	int r = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

	return r != 0 ? r : (x->len > y->len) - (x->len < y->len);
}

static bool append(struct dn *dn, const char *text, size_t len)
{
	if (len > DN_NORMAL_MAX - dn->len)
		return false;
	memcpy(dn->text + dn->len, text, len);
	dn->len += len;
	return true;
}

/* One RDN with its values sorted. @room: of AVAS_MAX. */
static bool normal_rdn(struct cursor *c, struct ava *room, struct dn *ret)
{
	const struct ava *sorted[AVAS_MAX];
	size_t n = 0;

	do {
		if (n > 0)
			c->p++; /* the plus */
		if (n == AVAS_MAX || !normal_ava(c, &room[n]))
			return false;
		sorted[n] = &room[n];
		n++;
	} while (at(c, '+'));
	qsort(sorted, n, sizeof(const struct ava *), compare_avas);
	for (size_t i = 0; i < n; i++)
		if ((i > 0 && !append(ret, "+", 1)) ||
		    !append(ret, sorted[i]->text, sorted[i]->len))
			return false;
	return true;
}

int dn_read(const char *text, size_t len, struct dn *ret)
{
	struct cursor c = {.p = text, .end = text + len};
	struct ava room[AVAS_MAX];
	size_t n = 0;

	ret->len = 0;
	ret->text[0] = '\0';
	if (len == 0)
		return 0;
	if (len > DN_MAX)
		return DN_E_INVALID;
	do {
		if (n > 0)
			c.p++; /* the comma */
		if (++n > DN_RDNS_MAX || (n > 1 && !append(ret, ",", 1)) ||
		    !normal_rdn(&c, room, ret))
			return DN_E_INVALID;
	} while (at(&c, ','));
	if (c.p != c.end)
		return DN_E_INVALID;
	ret->text[ret->len] = '\0';
	return 0;
}

int dn_read_unique(const char *text, size_t len, struct dn *ret)
{
	size_t n = len;

	/* ...#'0101'B; anything else after a # is part of the name, or wrong there */
	if (len >= 4 && text[len - 1] == 'B' && text[len - 2] == '\'') {
		n = len - 2;
		while (n > 0 && (text[n - 1] == '0' || text[n - 1] == '1'))
			n--;
		if (n < 2 || text[n - 1] != '\'' || text[n - 2] != '#')
			n = len + 2;
		n -= 2;
	}
	return dn_read(text, n, ret);
}

bool dn_is_below(const struct dn *dn, const struct dn *base)
{
	size_t cut;

	if (base->len == 0 || dn->len < base->len)
		return false;
	cut = dn->len - base->len;
	return memcmp(dn->text + cut, base->text, base->len) == 0 &&
	       (cut == 0 || dn->text[cut - 1] == ',');
}
