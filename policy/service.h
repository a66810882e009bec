/* SPDX-License-Identifier: Apache-2.0 */
/* service.h - the PAM services whose privilege is known without a policy. */
#pragma once

/* service_builtin() - the privilege of a PAM service, or NULL. Return: static. */
const char *service_builtin(const char *service);

/* service_builtin_privilege() - the built-in privileges by number; NULL ends them. */
const char *service_builtin_privilege(unsigned index);
