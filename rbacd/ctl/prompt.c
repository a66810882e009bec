/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.c - asks, with or without an echo. */
#include "rbacd/ctl/prompt.h"

#include <termios.h>

bool prompt_read(FILE *in, FILE *out, const char *prompt, bool echo, char *line,
		 size_t cap)
{
	struct termios before, quiet;
	bool hidden = !echo && tcgetattr(fileno(in), &before) == 0, read;

	if (hidden) { /* before the prompt: who waits for that may type at once */
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(fileno(in), TCSAFLUSH, &quiet);
	}
	(void)fputs(prompt, out);
	(void)fflush(out); /* a prompt that is lost is asked again */
	read = fgets(line, (int)cap, in) != NULL;
	if (read)
		line[strcspn(line, "\n")] = '\0';
	if (hidden) {
		(void)tcsetattr(fileno(in), TCSAFLUSH, &before);
		(void)fputc('\n', out);
	}
	return read;
}
