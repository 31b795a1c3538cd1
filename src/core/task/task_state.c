#include "core/task/task_state.h"

#include <string.h>

#include "core/base/assert.h"
#include "core/base/varint.h"
#include "core/codec/wire.h"
#include "core/model/format.h"

const char rf_task_state_schema[] =
    "{\"type\":\"record\",\"name\":\"TaskState\",\"namespace\":\"ringfold\","
    "\"doc\":\"The moment that a partition's changelog is of; written with every transaction.\",\"fields\":["
    "{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"the task: a partition of every source\"},"
    "{\"name\":\"stream_time\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},"
    "\"doc\":\"the greatest event time seen\"},"
    "{\"name\":\"changelog_offset\",\"type\":\"long\","
    "\"doc\":\"the changelog records of this transaction are at this offset or later\"},"
    "{\"name\":\"plan_version\",\"type\":\"string\",\"doc\":\"the configuration that folded it\"},"
    "{\"name\":\"positions\",\"type\":{\"type\":\"map\",\"values\":\"long\"},"
    "\"doc\":\"source topic to the next offset to be read\"},"
    "{\"name\":\"clock\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},"
    "\"default\":-62135596800000,\"doc\":\"everything due up to this instant has fired\"}]}";

/* CRC-64-AVRO of the schema's canonical form; tests/core/task/test_task_state.c computes it. */
#define FINGERPRINT           UINT64_C(0xe44e03693a48dffa)
#define FINGERPRINT_CLOCKLESS UINT64_C(0x762fdd8a99a044da) /* without its last field */

static void append_varint(struct rf_buffer *out, int64_t number)
{
    uint8_t bytes[RF_VARINT_SIZE_MAX];

    rf_buffer_append(out, bytes, rf_varint_write(bytes, number));
}

static void append_string(struct rf_buffer *out, struct rf_bytes text)
{
    append_varint(out, (int64_t)text.size);
    rf_buffer_append(out, text.data, text.size);
}

void rf_task_state_write(const struct rf_task_state *state, struct rf_buffer *out)
{
    struct rf_wire wire = {.format = RF_FORMAT_AVRO_OBJECT, .fingerprint = FINGERPRINT};

    rf_assert(state->position_count <= RF_SOURCES_MAX);
    rf_wire_write(out, &wire);
    append_varint(out, state->partition);
    append_varint(out, state->stream_time);
    append_varint(out, state->changelog_offset);
    append_string(out, rf_bytes_of_text(state->plan_version));
    if (state->position_count > 0) {
        append_varint(out, (int64_t)state->position_count);
        for (size_t i = 0; i < state->position_count; i++) {
            append_string(out, state->positions[i].topic);
            append_varint(out, state->positions[i].offset);
        }
    }
    append_varint(out, 0);
    append_varint(out, state->clock);
}

struct reading {
    const uint8_t *at;
    const uint8_t *end;
    bool ok;
};

static int64_t read_varint(struct reading *r)
{
    int64_t number = 0;

    r->ok = r->ok && rf_varint_read(&r->at, r->end, &number);
    return r->ok ? number : 0;
}

static struct rf_bytes read_string(struct reading *r)
{
    int64_t size = read_varint(r);
    struct rf_bytes text = {0};

    r->ok = r->ok && size >= 0 && size <= r->end - r->at;
    if (!r->ok)
        return text;
    text = rf_bytes_of(r->at, (size_t)size);
    r->at += size;
    return text;
}

static void read_positions(struct reading *r, struct rf_task_state *state)
{
    int64_t count = read_varint(r);

    r->ok = r->ok && count >= 0 && count <= RF_SOURCES_MAX;
    for (int64_t i = 0; r->ok && i < count; i++) {
        state->positions[i].topic = read_string(r);
        state->positions[i].offset = read_varint(r);
        state->position_count++;
    }
    if (r->ok && count > 0) {
        int64_t end = read_varint(r);

        r->ok = r->ok && end == 0;
    }
}

bool rf_task_state_read(struct rf_bytes bytes, struct rf_task_state *state, struct rf_error *err)
{
    struct rf_wire wire = {0};
    struct rf_bytes body = {0};
    struct rf_bytes version = {0};
    struct reading r = {.ok = true};

    memset(state, 0, sizeof *state);
    if (!rf_wire_read(RF_FORMAT_AVRO_OBJECT, bytes, &wire, &body, err) ||
        (wire.fingerprint != FINGERPRINT && wire.fingerprint != FINGERPRINT_CLOCKLESS)) {
        rf_error_clear(err);
        return rf_error_set(err, RF_ERROR_STATE, 0,
                            "a record of the tasks topic is of another schema");
    }
    r.at = body.data;
    r.end = body.data + body.size;
    state->partition = (int32_t)read_varint(&r);
    state->stream_time = read_varint(&r);
    state->changelog_offset = read_varint(&r);
    version = read_string(&r);
    read_positions(&r, state);
    state->clock = wire.fingerprint == FINGERPRINT ? read_varint(&r) : RF_MS_MIN;
    if (!r.ok || r.at != r.end || version.size >= sizeof state->plan_version)
        return rf_error_set(err, RF_ERROR_STATE, 0,
                            "a record of the tasks topic is cut off or damaged");
    memcpy(state->plan_version, version.data, version.size);
    return true;
}
