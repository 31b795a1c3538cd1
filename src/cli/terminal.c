#include "cli/terminal.h"

#include <stdlib.h>
#include <unistd.h>

bool rf_terminal_colour(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */

    return isatty(fileno(out)) != 0 && (no_colour == NULL || no_colour[0] == '\0');
}
