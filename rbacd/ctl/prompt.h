/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h - one line from the person at the terminal. */
#pragma once

#include <stdio.h>

#include "policy/base.h"

/*
 * prompt_read() - print @prompt and read a line into @line, without its end.
 * @echo: false: what is typed is not shown, where @in is a terminal.
 * Return: false at the end of the input. The caller wipes @line.
 */
_must_check_ bool prompt_read(FILE *in, FILE *out, const char *prompt, bool echo,
			      char *line, size_t cap);
