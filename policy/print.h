/* SPDX-License-Identifier: Apache-2.0 */
/* print.h - the canonical form and its digest. */
#pragma once

#include "policy/model.h"

/* print_hash() - fill the policy's sha256. Return: 0 or negative errno. */
_must_check_ int print_hash(struct policy *p);

#define PRINT_NETWORK_MAX 64
/* print_network() - "10.20.0.0/16", or "local". */
void print_network(const struct model_from *f, char ret[PRINT_NETWORK_MAX]);

/* print_texts() - a list of texts as YAML. */
void print_texts(FILE *out, const struct text_list *list);
