/* Functions that are ringfold's own and not CEL's: dates, hashing, and the science of customers. */
#include <stdio.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/math.h"
#include "core/expr/function.h"
#include "core/expr/zone.h"

#define DAY_SECONDS 86400

/* date(t), date(t, zone): "1997-01-01" */
static struct rf_value date_text(struct rf_eval *eval, int64_t seconds)
{
    struct rf_civil civil;
    char text[48];
    int size = 0;

    rf_civil_from_seconds(seconds, 0, &civil);
    size = snprintf(text, sizeof text, "%04d-%02d-%02d", civil.year, civil.month, civil.day);
    return rf_eval_string(eval, rf_bytes_of(text, (size_t)size));
}

static struct rf_value date(struct rf_eval *eval, const struct rf_value *arguments)
{
    return date_text(eval, arguments[0].as.seconds);
}

static bool local(struct rf_eval *eval, const struct rf_value *arguments, int64_t *seconds,
                  struct rf_value *failure)
{
    struct rf_bytes zone = arguments[1].as.text;

    if (rf_zone_local(eval->zones, zone, arguments[0].as.seconds, seconds))
        return true;
    *failure =
        rf_failure(RF_FAILURE_ARGUMENT,
                   rf_arena_printf(eval->arena, "there is no time zone '%.*s'",
                                   zone.size > 60 ? 60 : (int)zone.size, (const char *)zone.data));
    return false;
}

static struct rf_value date_in(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t seconds = 0;
    struct rf_value failure;

    return local(eval, arguments, &seconds, &failure) ? date_text(eval, seconds) : failure;
}

static struct rf_value days(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return rf_value_int(rf_floor_div(arguments[0].as.seconds, DAY_SECONDS));
}

static struct rf_value days_in(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t seconds = 0;
    struct rf_value failure;

    if (!local(eval, arguments, &seconds, &failure))
        return failure;
    return rf_value_int(rf_floor_div(seconds, DAY_SECONDS));
}

/* Whole days from a to b, towards zero. */
static struct rf_value days_between(struct rf_eval *eval, const struct rf_value *arguments)
{
    int64_t seconds = arguments[1].as.seconds - arguments[0].as.seconds;
    int32_t nanoseconds = arguments[1].nanoseconds - arguments[0].nanoseconds;

    (void)eval;
    if (seconds > 0 && nanoseconds < 0)
        seconds--;
    else if (seconds < 0 && nanoseconds > 0)
        seconds++;
    return rf_value_int(seconds / DAY_SECONDS);
}

static struct rf_value hash(struct rf_eval *eval, const struct rf_value *arguments)
{
    if (!rf_eval_spend(eval, arguments[0].as.text.size / 64))
        return rf_eval_exhausted(eval);
    return rf_value_uint(rf_hash64(arguments[0].as.text));
}

/* P(alive): the probability that a customer with x repeat purchases, the last at age t_x, is still one at age
 * T. a is not negative, b, r and alpha are positive, 0 <= t_x <= T.
 *
 * BG/NBD: Fader, Hardie and Lee 2005, "Counting Your Customers" the Easy Way. In the form that does not
 * overflow: P = expit(-L), L = (r + x) ln((alpha + T) / (alpha + t_x)) + ln(a / (b + x - 1)); 1 where x = 0.
 * MBG/NBD (Batislam, Denizel and Filiztekin 2007) lets a customer leave before the first repeat purchase as
 * well: the last term is ln(a / (b + x)), for every x. */
static double expit_of_minus(double l)
{
    double e = 0;

    if (l <= 0)
        return 1 / (1 + rf_exp(l));
    e = rf_exp(-l);
    return e / (1 + e);
}

static struct rf_value p_alive(const struct rf_value *arguments, bool modified)
{
    double x = arguments[0].as.number;
    double t_x = arguments[1].as.number;
    double t = arguments[2].as.number;
    double r = arguments[3].as.number;
    double alpha = arguments[4].as.number;
    double a = arguments[5].as.number;
    double b = arguments[6].as.number;
    double growth = 0;

    if (!(x >= 0 && t_x >= 0 && t >= t_x && r > 0 && alpha > 0 && a >= 0 && b > 0))
        return rf_failure(RF_FAILURE_ARGUMENT,
                          "p_alive: needs x >= 0, 0 <= t_x <= T, a >= 0 and positive r, alpha, b");
    if (a == 0 || (!modified && x == 0))
        return rf_value_double(1);
    growth = (r + x) * rf_log((alpha + t) / (alpha + t_x));
    if (!modified && b + x - 1 <= 0)
        return rf_failure(RF_FAILURE_ARGUMENT, "p_alive: needs b + x > 1");
    return rf_value_double(expit_of_minus(growth + rf_log(a / (modified ? b + x : b + x - 1))));
}

static struct rf_value p_alive_bg(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return p_alive(arguments, false);
}

static struct rf_value p_alive_mbg(struct rf_eval *eval, const struct rf_value *arguments)
{
    (void)eval;
    return p_alive(arguments, true);
}

/* x is a count: it may be an int. */
static struct rf_value with_double(struct rf_eval *eval, const struct rf_value *arguments,
                                   bool modified)
{
    struct rf_value copies[7];

    (void)eval;
    memcpy(copies, arguments, sizeof copies);
    copies[0] = rf_value_double((double)arguments[0].as.integer);
    return p_alive(copies, modified);
}

static struct rf_value p_alive_bg_int(struct rf_eval *eval, const struct rf_value *arguments)
{
    return with_double(eval, arguments, false);
}

static struct rf_value p_alive_mbg_int(struct rf_eval *eval, const struct rf_value *arguments)
{
    return with_double(eval, arguments, true);
}

const struct rf_overload rf_functions_science[] = {
    {"date", false, "t", "s", date},
    {"date", false, "ts", "s", date_in},
    {"days", false, "t", "i", days},
    {"days", false, "ts", "i", days_in},
    {"days_between", false, "tt", "i", days_between},
    {"hash", false, "s", "u", hash},
    {"hash", false, "y", "u", hash},
    {"p_alive", false, "ddddddd", "d", p_alive_bg},
    {"p_alive", false, "idddddd", "d", p_alive_bg_int},
    {"p_alive_mbg", false, "ddddddd", "d", p_alive_mbg},
    {"p_alive_mbg", false, "idddddd", "d", p_alive_mbg_int},
    {NULL, false, NULL, NULL, NULL},
};
