/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_data.h - roles, VMs and people to decide about, the same for every engine.
 * Each role binds about 5 groups to about 50 VMs with about 3 of 12 privileges; a
 * person is in about 5 groups, low numbers more often.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define N_PRIVS	  12
#define N_QUERIES 20000
#define LIST_MAX  80

extern const char *const data_privs[N_PRIVS];

struct list {
	uint32_t v[LIST_MAX]; /* ascending */
	uint32_t n;
};

struct data {
	uint32_t n_roles, n_vms, n_users, n_groups;
	struct list *groups, *vms, *what; /* of each role; owned, as all here */
	struct list *member;		  /* groups of each person */
	char (*vm_name)[16], (*user_name)[16], (*group_name)[16];
};

struct query {
	uint32_t user, vm, priv;
};

/* data_generate() - the same data for the same numbers. */
struct data data_generate(uint32_t n_roles, uint32_t n_vms, uint32_t n_users);
void data_done(struct data *d);

/* data_queries() - N_QUERIES; half of them about something the person may do. */
void data_queries(const struct data *d, struct query *q);

/* data_yaml() - as a policy; every grant has conditions. The caller frees it. */
char *data_yaml(const struct data *d, size_t *ret_len);

/* data_json() - everything and the first @n queries with their answers, for engines in
 * other languages. */
void data_json(const struct data *d, const struct query *q, const bool *answers,
	       size_t n, FILE *out);

/* data_must() - @p, or the end of the program when memory is short. */
void *data_must(void *p);
