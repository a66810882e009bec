/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h - a policy as a picture: principals -> roles -> VM sets, by its grants. */
#pragma once

#include "policy/view.h"

/* policy_graph_dot() - the language of Graphviz. Return: 0; -EIO. */
_must_check_ int policy_graph_dot(const struct policy *policy, FILE *out);

/* policy_graph_svg() - three columns, laid out here; needs no program. 0;
 * -EIO.
 */
_must_check_ int policy_graph_svg(const struct policy *policy, FILE *out);
