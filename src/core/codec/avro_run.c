#include <string.h>

#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/base/varint.h"
#include "core/codec/avro_ops.h"
#include "core/codec/avro_program.h"
#include "core/codec/decimal.h"
#include "core/codec/unique_keys.h"

#define COLD                 __attribute__((noinline, cold))
#define LIKELY(condition)    __builtin_expect((condition), 1)

#define SECOND_MIN           (RF_MS_MIN / 1000)
#define SECOND_MAX           (RF_MS_MAX / 1000)
#define DURATION_SECONDS_MAX INT64_C(315576000000) /* CEL: ten thousand years */
#define DAY_SECONDS          INT64_C(86400)
#define NANOSECONDS          INT64_C(1000000000)

#define CUT_OFF              "it is cut off"
#define BAD_INTEGER          "an integer is cut off or too long"

/* One datum. Every reading function takes where it is and returns where it got to, NULL on failure. */
struct run {
    const uint8_t *end;
    struct rf_arena *arena;
    size_t depth_left;
    size_t items_left;
    size_t bytes_left;
    const uint8_t *failed_at;
    const char *failure;
    int64_t failed_target; /* the outermost reader field that was being read, -1: none */
};

static const uint8_t *run_ops(struct run *run, const struct rf_avro_op *ops, size_t count,
                              struct rf_value *values, const uint8_t *at);

COLD static const uint8_t *fail(struct run *run, const uint8_t *at, const char *failure)
{
    run->failed_at = at;
    run->failure = failure;
    return NULL;
}

static inline size_t left(const struct run *run, const uint8_t *at)
{
    return (size_t)(run->end - at);
}

/* What one datum may allocate is counted before it is asked for. */
static void *take(struct run *run, size_t count, size_t size)
{
    if (count > run->bytes_left / size)
        return NULL;
    run->bytes_left -= count * size;
    return rf_arena_alloc(run->arena, count * size);
}

COLD static const uint8_t *fail_memory(struct run *run, const uint8_t *at)
{
    return fail(run, at, "it would take more memory than a datum may");
}

/* Values are set member by member: built whole and then copied, each would wait for its own halves to
 * leave the store buffer. */

static inline void set_integer(struct rf_value *value, int64_t number)
{
    value->kind = RF_VALUE_INT;
    value->nanoseconds = 0;
    value->as.integer = number;
}

static inline void set_double(struct rf_value *value, double number)
{
    value->kind = RF_VALUE_DOUBLE;
    value->nanoseconds = 0;
    value->as.number = number;
}

static inline void set_text(struct rf_value *value, enum rf_value_kind kind, const uint8_t *data,
                            size_t size)
{
    value->kind = (uint8_t)kind;
    value->nanoseconds = 0;
    value->as.text.data = data;
    value->as.text.size = size;
}

static inline uint64_t load_little_endian(const uint8_t *at)
{
    uint64_t word = 0;

    memcpy(&word, at, sizeof word);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

/* Up to eight bytes at once: find the last one, then squeeze the eighth bits out. */
static inline const uint8_t *read_long_integer(struct run *run, const uint8_t *at, int64_t *number)
{
    const uint8_t *start = at;
    uint64_t word = 0;
    uint64_t stop = 0;

    if (left(run, at) >= sizeof word) {
        word = load_little_endian(at);
        stop = ~word & UINT64_C(0x8080808080808080);
    }
    if (stop == 0) {
        if (!rf_varint_read(&at, run->end, number))
            return fail(run, start, BAD_INTEGER);
        return at;
    }
    word &= (stop ^ (stop - 1)) & UINT64_C(0x7f7f7f7f7f7f7f7f);
    word = (word & UINT64_C(0x007f007f007f007f)) | (word & UINT64_C(0x7f007f007f007f00)) >> 1;
    word = (word & UINT64_C(0x00003fff00003fff)) | (word & UINT64_C(0x3fff00003fff0000)) >> 2;
    word = (word & UINT64_C(0x000000000fffffff)) | (word & UINT64_C(0x0fffffff00000000)) >> 4;
    *number = (int64_t)(word >> 1) ^ -(int64_t)(word & 1);
    return at + (unsigned)__builtin_ctzll(stop) / 8 + 1;
}

static inline const uint8_t *read_integer(struct run *run, const uint8_t *at, int64_t *number)
{
    if (LIKELY(at < run->end && *at < 0x80)) {
        *number = (int64_t)(*at >> 1) ^ -(int64_t)(*at & 1);
        return at + 1;
    }
    return read_long_integer(run, at, number);
}

static const uint8_t *read_boolean(struct run *run, const uint8_t *at, struct rf_value *value)
{
    if (at == run->end)
        return fail(run, at, CUT_OFF);
    if (*at > 1)
        return fail(run, at, "a boolean is neither 0 nor 1");
    value->kind = RF_VALUE_BOOL;
    value->nanoseconds = 0;
    value->as.boolean = *at == 1;
    return at + 1;
}

static inline const uint8_t *read_int(struct run *run, const uint8_t *at, struct rf_value *value)
{
    const uint8_t *start = at;
    int64_t number = 0;

    at = read_integer(run, at, &number);
    if (at == NULL)
        return NULL;
    if (number < INT32_MIN || number > INT32_MAX)
        return fail(run, start, "an int has more than 32 bits");
    set_integer(value, number);
    return at;
}

static inline const uint8_t *read_long(struct run *run, const uint8_t *at, struct rf_value *value)
{
    int64_t number = 0;

    at = read_integer(run, at, &number);
    if (at != NULL)
        set_integer(value, number);
    return at;
}

static const uint8_t *read_integer_to_double(struct run *run, const uint8_t *at,
                                             struct rf_value *value)
{
    int64_t number = 0;

    at = read_integer(run, at, &number);
    if (at != NULL)
        set_double(value, (double)number);
    return at;
}

static const uint8_t *read_float(struct run *run, const uint8_t *at, struct rf_value *value)
{
    uint32_t bits = 0;
    float number = 0;

    if (left(run, at) < sizeof bits)
        return fail(run, at, CUT_OFF);
    bits = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    memcpy(&number, &bits, sizeof number);
    set_double(value, (double)number);
    return at + sizeof bits;
}

static inline const uint8_t *read_double(struct run *run, const uint8_t *at, struct rf_value *value)
{
    uint64_t bits = 0;
    double number = 0;

    if (left(run, at) < sizeof bits)
        return fail(run, at, CUT_OFF);
    bits = load_little_endian(at);
    memcpy(&number, &bits, sizeof number);
    set_double(value, number);
    return at + sizeof bits;
}

/* A length and as many bytes. */
static inline const uint8_t *read_run(struct run *run, const uint8_t *at, struct rf_bytes *bytes)
{
    const uint8_t *start = at;
    int64_t size = 0;

    at = read_integer(run, at, &size);
    if (at == NULL)
        return NULL;
    if (size < 0 || size > run->end - at)
        return fail(run, start, size < 0 ? "a length is negative" : CUT_OFF);
    *bytes = rf_bytes_of(at, (size_t)size);
    return at + size;
}

/* Most texts are ASCII, and short. */
static inline bool is_ascii(struct rf_bytes text)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t seen = 0;
    size_t at = 0;

    if (text.size >= 8) {
        for (; at + 8 <= text.size; at += 8)
            seen |= load_little_endian(text.data + at);
        return ((seen | load_little_endian(text.data + text.size - 8)) & high) == 0;
    }
    for (; at < text.size; at++)
        seen |= text.data[at];
    return (seen & high) == 0;
}

static inline const uint8_t *read_text(struct run *run, const uint8_t *at, struct rf_value *value)
{
    const uint8_t *start = at;
    struct rf_bytes text = {0};

    at = read_run(run, at, &text);
    if (at == NULL)
        return NULL;
    if (!LIKELY(is_ascii(text)) && !rf_bytes_is_utf8(text))
        return fail(run, start, "a text is not well-formed UTF-8");
    set_text(value, RF_VALUE_STRING, text.data, text.size);
    return at;
}

static const uint8_t *read_bytes(struct run *run, const uint8_t *at, struct rf_value *value)
{
    struct rf_bytes bytes = {0};

    at = read_run(run, at, &bytes);
    if (at != NULL)
        set_text(value, RF_VALUE_BYTES, bytes.data, bytes.size);
    return at;
}

static const uint8_t *read_fixed(struct run *run, const uint8_t *at, size_t size,
                                 struct rf_value *value)
{
    if (left(run, at) < size)
        return fail(run, at, CUT_OFF);
    set_text(value, RF_VALUE_BYTES, at, size);
    return at + size;
}

static inline const uint8_t *read_enum(struct run *run, const uint8_t *at,
                                       const struct rf_avro_enumeration *enumeration,
                                       struct rf_value *value)
{
    const uint8_t *start = at;
    int64_t index = 0;

    at = read_integer(run, at, &index);
    if (at == NULL)
        return NULL;
    if (index < 0 || (uint64_t)index >= enumeration->count)
        return fail(run, start, "an enum's index is out of range");
    *value = enumeration->symbols[index];
    if (value->kind == RF_VALUE_NULL)
        return fail(run, start, "the reader's enum has neither this symbol nor a default");
    return at;
}

static inline const uint8_t *set_instant(struct run *run, const uint8_t *start, const uint8_t *at,
                                         int64_t seconds, struct rf_value *value)
{
    if (seconds < SECOND_MIN || seconds > SECOND_MAX)
        return fail(run, start, "an instant is outside the years 1 to 9999");
    value->kind = RF_VALUE_TIMESTAMP;
    value->as.seconds = seconds;
    return at;
}

/* Division by a constant is a multiplication: most instants are in milliseconds. */
static inline int64_t divide(int64_t number, int64_t units)
{
    return units == 1000 ? number / 1000 : number / units;
}

static inline int64_t nanoseconds_per(int64_t units)
{
    return units == 1000 ? 1000000 : NANOSECONDS / units;
}

static inline const uint8_t *read_instant(struct run *run, const uint8_t *at, int64_t units,
                                          struct rf_value *value)
{
    const uint8_t *start = at;
    int64_t number = 0;
    int64_t seconds = 0;
    int64_t rest = 0;

    at = read_integer(run, at, &number);
    if (at == NULL)
        return NULL;
    seconds = divide(number, units);
    rest = number - seconds * units;
    if (rest < 0) {
        rest += units;
        seconds--;
    }
    value->nanoseconds = (int32_t)(rest * nanoseconds_per(units));
    return set_instant(run, start, at, seconds, value);
}

static const uint8_t *read_date(struct run *run, const uint8_t *at, struct rf_value *value)
{
    const uint8_t *start = at;
    struct rf_value days = {0};

    at = read_int(run, at, &days);
    if (at == NULL)
        return NULL;
    value->nanoseconds = 0;
    return set_instant(run, start, at, days.as.integer * DAY_SECONDS, value);
}

static const uint8_t *read_time(struct run *run, const uint8_t *at, int64_t units,
                                struct rf_value *value)
{
    const uint8_t *start = at;
    int64_t number = 0;

    at = read_integer(run, at, &number);
    if (at == NULL)
        return NULL;
    if (number / units > DURATION_SECONDS_MAX || number / units < -DURATION_SECONDS_MAX)
        return fail(run, start, "a time of day is out of range");
    *value = rf_value_duration(number / units, (int32_t)(number % units * nanoseconds_per(units)));
    return at;
}

static const uint8_t *read_decimal(struct run *run, const uint8_t *at, const struct rf_avro_op *op,
                                   struct rf_value *value)
{
    const uint8_t *start = at;
    struct rf_value unscaled = {0};
    bool is_fixed = op->code == RF_AVRO_DECIMAL_FIXED;
    double number = 0;

    at = is_fixed ? read_fixed(run, at, op->as.decimal->size, &unscaled)
                  : read_bytes(run, at, &unscaled);
    if (at == NULL)
        return NULL;
    if (!rf_decimal_to_double(unscaled.as.text, is_fixed ? op->as.decimal->scale : op->as.scale,
                              &number))
        return fail(run, start, "a decimal has no digits or too many");
    set_double(value, number);
    return at;
}

static const uint8_t *read_record(struct run *run, const uint8_t *at,
                                  const struct rf_avro_block *block, struct rf_value *value)
{
    const uint8_t *start = at;
    struct rf_record *record = NULL;
    struct rf_value *fields = NULL;

    if (run->depth_left == 0)
        return fail(run, at, "it nests too deep");
    record = take(run, 1, sizeof *record);
    fields = take(run, block->type->field_count, sizeof *fields);
    if (record == NULL || fields == NULL)
        return fail_memory(run, start);
    run->depth_left--;
    at = run_ops(run, block->ops, block->op_count, fields, at);
    run->depth_left++;
    *record = (struct rf_record){.type = block->type, .fields = fields};
    *value = rf_value_record(record);
    return at;
}

/* The head of a block of items: how many, and where negative also how many bytes they take. */
static const uint8_t *read_count(struct run *run, const uint8_t *at, size_t *count, int64_t *size)
{
    const uint8_t *start = at;
    int64_t number = 0;

    *size = -1;
    at = read_integer(run, at, &number);
    if (at == NULL)
        return NULL;
    if (number < 0) {
        if (number == INT64_MIN)
            return fail(run, start, "a count is out of range");
        number = -number;
        at = read_integer(run, at, size);
        if (at == NULL)
            return NULL;
        if (*size < 0 || *size > run->end - at)
            return fail(run, start, "the size of a block of items is out of range");
    }
    *count = (size_t)number;
    return at;
}

/* Items that are being read, in room that doubles. */
struct gathered {
    struct rf_value *keys; /* NULL: an array */
    struct rf_value *values;
    size_t count;
    size_t capacity;
};

static bool make_room(struct run *run, bool has_keys, struct gathered *items, size_t more)
{
    size_t capacity = items->capacity == 0 ? more : 2 * items->capacity;
    struct rf_value *values = NULL;
    struct rf_value *keys = NULL;

    if (items->count + more <= items->capacity)
        return true;
    if (capacity < items->count + more)
        capacity = items->count + more;
    values = take(run, capacity, sizeof *values);
    keys = has_keys ? take(run, capacity, sizeof *keys) : NULL;
    if (values == NULL || (has_keys && keys == NULL))
        return false;
    if (items->count > 0)
        memcpy(values, items->values, items->count * sizeof *values);
    if (items->count > 0 && has_keys)
        memcpy(keys, items->keys, items->count * sizeof *keys);
    items->values = values;
    items->keys = keys;
    items->capacity = capacity;
    return true;
}

static const uint8_t *read_block_of_items(struct run *run, const uint8_t *at,
                                          const struct rf_avro_items *items, size_t count,
                                          struct gathered *gathered)
{
    if (count > run->items_left)
        return fail(run, at, "it has more items than a datum may");
    if (items->item_size_min > 0 && count > left(run, at) / items->item_size_min)
        return fail(run, at, CUT_OFF);
    run->items_left -= count;
    if (!make_room(run, items->has_keys, gathered, count))
        return fail_memory(run, at);
    for (size_t i = 0; at != NULL && i < count; i++) {
        size_t place = gathered->count + i;

        if (items->has_keys)
            at = read_text(run, at, &gathered->keys[place]);
        if (at != NULL)
            at = run_ops(run, &items->element, 1, gathered->values + place, at);
    }
    gathered->count += count;
    return at;
}

static const uint8_t *gather_items(struct run *run, const uint8_t *at,
                                   const struct rf_avro_items *items, struct gathered *gathered)
{
    int64_t size = 0;
    size_t count = 0;

    if (run->depth_left == 0)
        return fail(run, at, "it nests too deep");
    run->depth_left--;
    do {
        at = read_count(run, at, &count, &size);
        if (at != NULL && count > 0) {
            const uint8_t *start = at;

            at = read_block_of_items(run, at, items, count, gathered);
            if (at != NULL && size >= 0 && at - start != size)
                at = fail(run, start, "a block of items is not as long as it says");
        }
    } while (at != NULL && count > 0);
    run->depth_left++;
    return at;
}

static const uint8_t *read_items(struct run *run, const uint8_t *at,
                                 const struct rf_avro_items *items, struct rf_value *value)
{
    const uint8_t *start = at;
    struct gathered gathered = {0};
    struct rf_list *list = NULL;
    struct rf_map *map = NULL;

    at = gather_items(run, at, items, &gathered);
    if (at == NULL)
        return NULL;
    if (!items->has_keys) {
        list = take(run, 1, sizeof *list);
        if (list == NULL)
            return fail_memory(run, start);
        *list = (struct rf_list){.count = gathered.count, .items = gathered.values};
        *value = (struct rf_value){.kind = RF_VALUE_LIST, .as.list = list};
        return at;
    }
    map = take(run, 1, sizeof *map);
    if (map == NULL)
        return fail_memory(run, start);
    gathered.count = rf_unique_keys(run->arena, gathered.keys, gathered.values, gathered.count);
    *map =
        (struct rf_map){.count = gathered.count, .keys = gathered.keys, .values = gathered.values};
    *value = (struct rf_value){.kind = RF_VALUE_MAP, .as.map = map};
    return at;
}

static inline const uint8_t *read_branch(struct run *run, const uint8_t *at,
                                         const struct rf_avro_choice *choice, size_t *index)
{
    const uint8_t *start = at;
    int64_t number = 0;

    at = read_integer(run, at, &number);
    if (at == NULL)
        return NULL;
    if (number < 0 || (uint64_t)number >= choice->count)
        return fail(run, start, "a union's branch is out of range");
    *index = (size_t)number;
    return at;
}

static const uint8_t *read_union(struct run *run, const uint8_t *at,
                                 const struct rf_avro_choice *choice, struct rf_value *value)
{
    size_t index = 0;

    at = read_branch(run, at, choice, &index);
    if (at == NULL)
        return NULL;
    return run_ops(run, &choice->branches[index], 1, value, at);
}

static inline const uint8_t *skip_size(struct run *run, const uint8_t *at, size_t size)
{
    if (left(run, at) < size)
        return fail(run, at, CUT_OFF);
    return at + size;
}

static inline const uint8_t *skip_bytes(struct run *run, const uint8_t *at)
{
    struct rf_bytes passed = {0};

    return read_run(run, at, &passed);
}

static inline const uint8_t *skip_integers(struct run *run, const uint8_t *at, size_t count)
{
    int64_t number = 0;

    for (; at != NULL && count > 0; count--)
        at = read_integer(run, at, &number);
    return at;
}

static const uint8_t *skip_ops(struct run *run, const struct rf_avro_block *block,
                               const uint8_t *at)
{
    struct rf_value nothing = {0};

    if (run->depth_left == 0)
        return fail(run, at, "it nests too deep");
    run->depth_left--;
    at = run_ops(run, block->ops, block->op_count, &nothing, at);
    run->depth_left++;
    return at;
}

/* Passes over items that do not say how many bytes they take. Each takes at least one, or it is an error
 * of depth; those that take none, and those of one size, are not looked at. */
static const uint8_t *skip_counted(struct run *run, const uint8_t *at,
                                   const struct rf_avro_items *items, size_t count)
{
    const struct rf_avro_block *block = &items->block;

    if (!items->has_keys && block->op_count == 0)
        return at;
    if (!items->has_keys && block->op_count == 1 && block->ops[0].code == RF_AVRO_SKIP_SIZE) {
        if (count > left(run, at) / block->ops[0].as.size)
            return fail(run, at, CUT_OFF);
        return at + count * block->ops[0].as.size;
    }
    for (; at != NULL && count > 0; count--) {
        if (items->has_keys)
            at = skip_bytes(run, at);
        if (at != NULL)
            at = skip_ops(run, block, at);
    }
    return at;
}

static const uint8_t *skip_items(struct run *run, const uint8_t *at,
                                 const struct rf_avro_items *items)
{
    int64_t size = 0;
    size_t count = 0;

    do {
        at = read_count(run, at, &count, &size);
        if (at != NULL && size >= 0)
            at += size;
        else if (at != NULL)
            at = skip_counted(run, at, items, count);
    } while (at != NULL && count > 0);
    return at;
}

/* `value` is nobody's: the branches of a union that is skipped need a place to name. */
static const uint8_t *run_skip(struct run *run, const struct rf_avro_op *op, struct rf_value *value,
                               const uint8_t *at)
{
    switch (op->code) {
    case RF_AVRO_SKIP_ITEMS:
        return skip_items(run, at, op->as.items);
    case RF_AVRO_SKIP_BLOCK:
        return skip_ops(run, op->as.block, at);
    case RF_AVRO_SKIP_UNION:
        return read_union(run, at, op->as.choice, value);
    default:
        rf_assert(false);
        return NULL;
    }
}

static const uint8_t *run_rare(struct run *run, const struct rf_avro_op *op, struct rf_value *value,
                               const uint8_t *at)
{
    switch (op->code) {
    case RF_AVRO_NULL:
        value->kind = RF_VALUE_NULL;
        return at;
    case RF_AVRO_INTEGER_TO_DOUBLE:
        return read_integer_to_double(run, at, value);
    case RF_AVRO_FLOAT:
        return read_float(run, at, value);
    case RF_AVRO_BYTES:
        return read_bytes(run, at, value);
    case RF_AVRO_FIXED:
        return read_fixed(run, at, op->as.size, value);
    case RF_AVRO_DATE:
        return read_date(run, at, value);
    case RF_AVRO_TIME:
        return read_time(run, at, op->as.units, value);
    case RF_AVRO_DECIMAL:
    case RF_AVRO_DECIMAL_FIXED:
        return read_decimal(run, at, op, value);
    case RF_AVRO_RECORD:
        return read_record(run, at, op->as.block, value);
    case RF_AVRO_ARRAY:
    case RF_AVRO_MAP:
        return read_items(run, at, op->as.items, value);
    case RF_AVRO_REJECT:
        return fail(run, at, op->as.reason);
    default:
        return run_skip(run, op, value, at);
    }
}

static const uint8_t *run_ops(struct run *run, const struct rf_avro_op *ops, size_t count,
                              struct rf_value *values, const uint8_t *at)
{
    for (const struct rf_avro_op *op = ops; op < ops + count; op++) {
        struct rf_value *value = values + op->target;

        switch (op->code) {
        case RF_AVRO_BOOLEAN:
            at = read_boolean(run, at, value);
            break;
        case RF_AVRO_INT:
            at = read_int(run, at, value);
            break;
        case RF_AVRO_LONG:
            at = read_long(run, at, value);
            break;
        case RF_AVRO_DOUBLE:
            at = read_double(run, at, value);
            break;
        case RF_AVRO_STRING:
            at = read_text(run, at, value);
            break;
        case RF_AVRO_ENUM:
            at = read_enum(run, at, op->as.enumeration, value);
            break;
        case RF_AVRO_INSTANT:
            at = read_instant(run, at, op->as.units, value);
            break;
        case RF_AVRO_UNION:
            at = read_union(run, at, op->as.choice, value);
            break;
        case RF_AVRO_CONSTANT:
            *value = *op->as.value;
            break;
        case RF_AVRO_SKIP_SIZE:
            at = skip_size(run, at, op->as.size);
            break;
        case RF_AVRO_SKIP_INTEGER:
            at = skip_integers(run, at, op->as.size);
            break;
        case RF_AVRO_SKIP_BYTES:
            at = skip_bytes(run, at);
            break;
        default:
            at = run_rare(run, op, value, at);
            break;
        }
        if (at == NULL) {
            run->failed_target = op->code <= RF_AVRO_REJECT ? (int64_t)op->target : -1;
            return NULL;
        }
    }
    return at;
}

COLD static bool fail_decode(const struct rf_avro_program *program, const struct run *run,
                             struct rf_bytes body, struct rf_error *err)
{
    size_t position = (size_t)(run->failed_at - body.data);

    if (run->failed_target < 0 || (size_t)run->failed_target >= program->reader->count)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "%s, byte %zu of %zu: %s",
                            program->reader->name, position, body.size, run->failure);
    return rf_error_set(err, RF_ERROR_RECORD, 0, "%s, field %s, byte %zu of %zu: %s",
                        program->reader->name, program->reader->fields[run->failed_target].name,
                        position, body.size, run->failure);
}

bool rf_avro_decode(const struct rf_avro_program *program, struct rf_bytes body,
                    struct rf_arena *arena, struct rf_value *fields, struct rf_error *err)
{
    const struct rf_avro_op *entry = &program->entry;
    const uint8_t *at = NULL;
    size_t index = 0;
    struct run run = {
        .arena = arena,
        .depth_left = program->limits.depth_max - 1,
        .items_left = program->limits.items_max,
        .bytes_left = program->limits.bytes_max,
        .failed_target = -1,
    };

    if (body.data == NULL)
        body = rf_bytes_of("", 0);
    at = body.data;
    run.end = body.data + body.size;
    if (entry->code == RF_AVRO_UNION) {
        at = read_branch(&run, at, entry->as.choice, &index);
        if (at == NULL)
            return fail_decode(program, &run, body, err);
        entry = &entry->as.choice->branches[index];
    }
    if (entry->code == RF_AVRO_REJECT)
        at = fail(&run, at, entry->as.reason);
    else
        at = run_ops(&run, entry->as.block->ops, entry->as.block->op_count, fields, at);
    if (at != NULL && at != run.end) {
        run.failed_target = -1;
        at = fail(&run, at, "bytes are left over behind the datum");
    }
    if (at == NULL)
        return fail_decode(program, &run, body, err);
    return true;
}

bool rf_avro_skip_run(const struct rf_avro_skip *skip, const uint8_t **at, const uint8_t *end)
{
    struct run run = {.end = end, .depth_left = RF_SCHEMA_DEPTH_MAX};
    const uint8_t *after = skip_ops(&run, &skip->block, *at);

    if (after == NULL)
        return false;
    *at = after;
    return true;
}
