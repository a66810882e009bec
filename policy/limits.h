/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - what bounds a policy; reaching one is a diagnostic, never a cut-off. */
#pragma once

#define POLICY_FILES_MAX      1000
#define POLICY_VMS_MAX	      200000
#define POLICY_ITEMS_MAX      100000 /* of each: groups, users, roles, sets, rules */
#define POLICY_PRIVILEGES_MAX 64     /* they are bits of one word */
#define POLICY_TEXT_MAX	      1000   /* bytes of why, owner, message, a pin */
#define POLICY_SET_DEPTH_MAX  5	     /* selectors inside selectors */
#define POLICY_WORK_MAX	      (256u << 20) /* steps: selectors; rules times VMs */
#define POLICY_PAIRS_MAX      (16u << 20)  /* entries of one index */
#define POLICY_LABELS_MAX     (2u << 20)   /* of all VMs together */
#define POLICY_SU_MAX	      (1u << 20)   /* su targets of all roles and rules */
#define POLICY_FROM_MAX	      4096	   /* networks of one rule */
#define POLICY_SEPARATED_MAX  1024	   /* distinct roles in separations */
#define POLICY_ZONES_MAX      64	   /* distinct time zones */
#define POLICY_TESTS_MAX      10000
