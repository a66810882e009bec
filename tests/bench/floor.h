/* SPDX-License-Identifier: Apache-2.0 */
/* floor.h - the sizes of the floor daemon's messages: those of a BEGIN, a RESULT and an
 * audit line. */
#pragma once

#define FLOOR_REQUEST 256
#define FLOOR_REPLY   64
#define FLOOR_RECORD  768
