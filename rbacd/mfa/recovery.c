/* SPDX-License-Identifier: Apache-2.0 */
/* recovery.c - recovery and bypass codes: made, shown once, kept as a keyed MAC. */
#include "rbacd/mfa/recovery.h"

#include "rbacd/wire/code.h"

#define BODY_LEN 15 /* 5 random bits each: 75 */

int recovery_make(char ret[MFA_CODE_TEXT])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	_cleanup_secret_ struct secret code = SECRET_INIT;
	char *body = (char *)code.bytes;
	int r = seal_random(code.bytes, BODY_LEN);

	if (r != 0)
		return r;
	for (size_t i = 0; i < BODY_LEN; i++)
		body[i] = alphabet[code.bytes[i] & 31];
	body[BODY_LEN] = code_check_char(body);
	(void)snprintf(ret, MFA_CODE_TEXT, "%.4s-%.4s-%.4s-%.4s", body, body + 4,
		       body + 8, body + 12); /* 19 characters and the NUL */
	return 0;
}

/* The person is part of the MAC: a code found in one row opens no other person's. */
int recovery_mac(const struct seal *seal, const char *person, const char *code,
		 size_t len, uint8_t ret[32])
{
	const struct seal_part part[] = {{person, strlen(person)}, {code, len}};

	return seal_lookup(seal, "recovery-code", part, ARRAY_SIZE(part), ret);
}

int recovery_store(struct store *store, const struct seal *seal, const char *person,
		   enum store_code_kind kind, const char *text, uint32_t uses,
		   int64_t expires_s, int64_t now_s)
{
	_cleanup_secret_ struct secret norm = SECRET_INIT;
	uint8_t mac[32];
	int r;

	for (const char *p = text; *p; p++)
		if (*p != '-')
			norm.bytes[norm.len++] = (uint8_t)*p;
	r = recovery_mac(seal, person, (const char *)norm.bytes, norm.len, mac);
	return r != 0 ? r
		      : store_code_add(store, person, kind, mac, uses, expires_s,
				       now_s);
}
