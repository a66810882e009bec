/* SPDX-License-Identifier: Apache-2.0 */
/* config_internal.h - how config.c and config_directory.c read keys. */
#pragma once

#include "policy/yaml.h"
#include "rbacd/config.h"

struct config_reader {
	const struct yaml_doc *doc; /* borrowed, as all here */
	struct config *config;
	struct diags *diag;
	int error; /* -ENOMEM, sticky */
};

/* NULL, or what is wrong with the text. */
typedef const char *(*config_check_fn)(const char *text);
const char *config_bad_name(const char *text);
const char *config_bad_account(const char *text);
const char *config_bad_path(const char *text);
bool config_has_control(const char *text);

/* config_set_string() - @text copied in place of *@dst; failure is sticky. */
void config_set_string(struct config_reader *r, char **dst, const char *text);
bool config_want_kind(struct config_reader *r, const struct yaml_node *n,
		      enum yaml_kind kind);
bool config_list_fits(struct config_reader *r, const struct yaml_node *n,
		      enum yaml_kind kind, size_t max);
bool config_check_text(struct config_reader *r, const struct yaml_node *n,
		       config_check_fn bad);
/* config_read_text() - a missing key leaves the default. */
void config_read_text(struct config_reader *r, const struct yaml_node *map,
		      const char *key, config_check_fn bad, char **dst);
/* config_section() - the map under @key with known keys only; NULL: absent or bad. */
const struct yaml_node *config_section(struct config_reader *r,
				       const struct yaml_node *map, const char *key,
				       const char *const *known);
void config_print_quoted(FILE *out, const char *text);
void config_print_setting(FILE *out, const char *key, const char *text);

/* config_directory.c: the section `directory:`. */
void config_directory_defaults(struct config_reader *r);
void config_directory_read(struct config_reader *r, const struct yaml_node *root);
/* config_directory_finish() - what depends on several keys. */
void config_directory_finish(struct config_reader *r);
void config_directory_free(struct config *c);
void config_directory_print(const struct config *c, FILE *out);

/* config_audit.c: the section `audit:`. */
void config_audit_defaults(struct config_reader *r);
void config_audit_read(struct config_reader *r, const struct yaml_node *root);
void config_audit_finish(struct config_reader *r);
void config_audit_free(struct config *c);
void config_audit_print(const struct config *c, FILE *out);
