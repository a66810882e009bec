/* SPDX-License-Identifier: Apache-2.0 */
/* graph.c - writes the picture of a policy; names are quoted for each language. */
#include "policy/graph.h"

#include <errno.h>

#define ROW	 26 /* of the SVG, pixels */
#define BOX	 20
#define WIDTH	 240
#define GAP	 160
#define TEXT_MAX 34 /* bytes of a name that fit a box */

enum column { PRINCIPALS, ROLES, SETS, COLUMNS };

/* What a text of DOT (in quotes) or XML may not hold as it is. */
static void put_dot(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_xml(FILE *out, const char *text, size_t max)
{
	for (size_t i = 0; i < max && text[i]; i++) {
		if (strchr("<>&\"'", text[i]))
			fprintf(out, "&#%d;", text[i]);
		else
			fputc(text[i], out);
	}
}

/* ---------------------------------------------------------------- dot */

static void dot_node(FILE *out, char column, const char *name, const char *shape)
{
	fprintf(out, "  \"%c:", column);
	put_dot(out, name);
	fputs("\" [label=\"", out);
	put_dot(out, name);
	fprintf(out, "\", shape=%s];\n", shape);
}

static void dot_edge(FILE *out, char from, const char *a, char to, const char *b,
		     const char *grant)
{
	fprintf(out, "  \"%c:", from);
	put_dot(out, a);
	fprintf(out, "\" -> \"%c:", to);
	put_dot(out, b);
	fputs("\" [tooltip=\"", out);
	put_dot(out, grant);
	fputs("\"];\n", out);
}

static void dot_grant(FILE *out, const struct policy *p, const struct policy_rule *r)
{
	struct policy_role role;
	struct policy_set set;

	for (size_t k = 0; k < r->roles.n; k++) {
		if (!policy_role_at(p, r->roles.v[k], &role))
			continue;
		for (size_t i = 0; i < r->to.n; i++)
			dot_edge(out, 'p', policy_principal_at(p, r->to.v[i]), 'r',
				 role.name, r->id);
		for (size_t i = 0; i < r->sets.n; i++)
			if (policy_set_at(p, r->sets.v[i], &set))
				dot_edge(out, 'r', role.name, 's', set.name, r->id);
		for (size_t i = 0; i < r->vms.n; i++)
			dot_edge(out, 'r', role.name, 'v', r->vms.v[i], r->id);
	}
}

int policy_graph_dot(const struct policy *p, FILE *out)
{
	struct policy_rule r;
	struct policy_role role;
	struct policy_set set;

	fputs("digraph policy {\n  rankdir=LR;\n", out);
	for (size_t i = 0; i < policy_principal_count(p); i++)
		dot_node(out, 'p', policy_principal_at(p, i), "ellipse");
	for (size_t i = 0; policy_role_at(p, i, &role); i++)
		dot_node(out, 'r', role.name, "box");
	for (size_t i = 0; policy_set_at(p, i, &set); i++)
		dot_node(out, 's', set.name, "folder");
	for (size_t i = 0; policy_grant_at(p, i, &r); i++) {
		for (size_t k = 0; k < r.vms.n; k++)
			dot_node(out, 'v', r.vms.v[k], "box3d");
		dot_grant(out, p, &r);
	}
	fputs("}\n", out);
	return ferror(out) ? -EIO : 0;
}

/* ---------------------------------------------------------------- svg */

static void svg_box(FILE *out, enum column column, size_t row, const char *name)
{
	unsigned x = (unsigned)column * (WIDTH + GAP) + 10;
	size_t y = row * ROW + 40;

	fprintf(out, "<g><title>");
	put_xml(out, name, SIZE_MAX);
	fprintf(out,
		"</title><rect x=\"%u\" y=\"%zu\" width=\"%d\" height=\"%d\" rx=\"4\"/>"
		"<text x=\"%u\" y=\"%zu\">",
		x, y, WIDTH, BOX, x + 8, y + 14);
	put_xml(out, name, TEXT_MAX);
	fputs("</text></g>\n", out);
}

static void svg_edge(FILE *out, enum column from, size_t a, size_t b, const char *grant)
{
	unsigned x = (unsigned)from * (WIDTH + GAP) + 10 + WIDTH;
	size_t y = a * ROW + 40 + BOX / 2, z = b * ROW + 40 + BOX / 2;

	fprintf(out, "<path d=\"M%u %zuC%u %zu %u %zu %u %zu\"><title>", x, y,
		x + GAP / 2, y, x + GAP / 2, z, x + GAP, z);
	put_xml(out, grant, SIZE_MAX);
	fputs("</title></path>\n", out);
}

/* VMs that grants name stand below the sets. Their row: the sets, then one by one. */
static void svg_grant(FILE *out, const struct policy_rule *r, size_t first_vm)
{
	for (size_t k = 0; k < r->roles.n; k++) {
		for (size_t i = 0; i < r->to.n; i++)
			svg_edge(out, PRINCIPALS, r->to.v[i], r->roles.v[k], r->id);
		for (size_t i = 0; i < r->sets.n; i++)
			svg_edge(out, ROLES, r->roles.v[k], r->sets.v[i], r->id);
		for (size_t i = 0; i < r->vms.n; i++)
			svg_edge(out, ROLES, r->roles.v[k], first_vm + i, r->id);
	}
}

static size_t count_vms(const struct policy *p)
{
	struct policy_rule r;
	size_t n = 0;

	for (size_t i = 0; policy_grant_at(p, i, &r); i++)
		n += r.vms.n;
	return n;
}

static void svg_head(const struct policy *p, FILE *out)
{
	static const char *const titles[COLUMNS] = {"Who", "Roles", "VMs"};
	const size_t rows[COLUMNS] = {policy_principal_count(p), policy_role_count(p),
				      policy_set_count(p) + count_vms(p)};
	size_t most = 0;

	for (int i = 0; i < COLUMNS; i++)
		most = rows[i] > most ? rows[i] : most;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		"height=\"%zu\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<style>rect{fill:#eef3fa;stroke:#345}path{fill:none;stroke:#789}"
		"</style>\n<rect width=\"100%%\" height=\"100%%\" "
		"style=\"fill:#fff;stroke:none\"/>\n",
		COLUMNS * WIDTH + (COLUMNS - 1) * GAP + 20, most * ROW + 50);
	for (int i = 0; i < COLUMNS; i++)
		fprintf(out, "<text x=\"%d\" y=\"24\" font-weight=\"bold\">%s</text>\n",
			i * (WIDTH + GAP) + 10, titles[i]);
}

int policy_graph_svg(const struct policy *p, FILE *out)
{
	size_t vm = policy_set_count(p);
	struct policy_rule r;
	struct policy_role role;
	struct policy_set set;

	svg_head(p, out);
	for (size_t i = 0; policy_grant_at(p, i, &r); vm += r.vms.n, i++)
		svg_grant(out, &r, vm);
	for (size_t i = 0; i < policy_principal_count(p); i++)
		svg_box(out, PRINCIPALS, i, policy_principal_at(p, i));
	for (size_t i = 0; policy_role_at(p, i, &role); i++)
		svg_box(out, ROLES, i, role.name);
	for (size_t i = 0; policy_set_at(p, i, &set); i++)
		svg_box(out, SETS, i, set.name);
	vm = policy_set_count(p);
	for (size_t i = 0; policy_grant_at(p, i, &r); i++)
		for (size_t k = 0; k < r.vms.n; k++)
			svg_box(out, SETS, vm++, r.vms.v[k]);
	fputs("</svg>\n", out);
	return ferror(out) ? -EIO : 0;
}
