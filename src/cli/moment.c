#include "cli/moment.h"

#include "edge/sys/clock.h"

bool rf_moment_parse(const char *text, rf_ms *instant)
{
    rf_span_ms span = 0;

    if (rf_time_parse_ms(rf_bytes_of_text(text), instant))
        return true;
    if (!rf_span_parse(rf_bytes_of_text(text), &span) || span < 0)
        return false;
    *instant = rf_clock_wall_ms() - span;
    return true;
}
