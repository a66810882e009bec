/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - escaping and cleaning; own tables, since <ctype.h> follows the host's
 * locale. */
#include "pam_vmsec/text.h"

#include "policy/base.h"

#define ESCAPE_LEN 4 /* \xNN */

void text_escape(char dst[TEXT_LOG_MAX], const char *src)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *src && n + ESCAPE_LEN < TEXT_LOG_MAX; src++) {
		unsigned char c = (unsigned char)*src;

		if (c >= ' ' && c <= '~' && c != '\'' && c != '\\') {
			dst[n++] = (char)c;
			continue;
		}
		dst[n++] = '\\';
		dst[n++] = 'x';
		dst[n++] = hex[c >> 4];
		dst[n++] = hex[c & 15];
	}
	dst[n] = 0;
}

/* Length of the UTF-8 sequence at @p and its code point; 0 when it is none (RFC 3629).
 */
static size_t utf8_next(const unsigned char *p, size_t left, uint32_t *ret_cp)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	uint32_t cp = p[0];

	if (n > 1) {
		if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
			return 0;
		cp &= 0x7fu >> n;
	}
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return n;
}

static bool harmful(uint32_t cp)
{
	if (cp < 0x20)
		return cp != '\n';
	return (cp >= 0x7f && cp <= 0x9f) || cp == 0x061c ||
	       (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

void text_clean(char *dst, const char *src, size_t len)
{
	size_t i = 0;
	uint32_t cp = 0;

	while (i < len) {
		size_t n = utf8_next((const unsigned char *)src + i, len - i, &cp);

		if (n == 0) {
			*dst++ = '?';
			i++;
			continue;
		}
		if (!harmful(cp)) {
			memcpy(dst, src + i, n);
			dst += n;
		}
		i += n;
	}
	*dst = 0;
}
