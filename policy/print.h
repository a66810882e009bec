/* SPDX-License-Identifier: Apache-2.0 */
/* print.h - the canonical form and its digest. */
#pragma once

#include "policy/model.h"

/* print_hash() - fill the policy's sha256. Return: 0 or negative errno. */
_must_check_ int print_hash(struct policy *p);

#define PRINT_NETWORK_MAX 64
/* print_network() - "10.20.0.0/16", or "local". */
void print_network(const struct model_from *f, char ret[PRINT_NETWORK_MAX]);

/* print_texts() - a list of texts as YAML; so are all below. */
void print_texts(FILE *out, const struct text_list *list);
/* print_names() - those of @names that @list holds. */
void print_names(FILE *out, const struct index_list *list, const char **names);
/* print_vms() - what a rule names as its VMs. */
void print_vms(const struct policy *p, const struct rule *r, FILE *out);
/* print_accept() - methods; @accept: enum policy_method bits. */
void print_accept(unsigned accept, FILE *out);
/* print_from(), print_time() - of `when`, without their keys. */
void print_from(const struct rule *r, FILE *out);
void print_time(const struct model_time *t, FILE *out);
