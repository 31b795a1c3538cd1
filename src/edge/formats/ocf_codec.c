#include "edge/formats/ocf_codec.h"

#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "core/base/assert.h"

#define RAW_DEFLATE   (-15) /* RFC 1951 without a header, a window of 2^15 */
#define MEMORY_LEVEL  8
#define CHUNK         65536
#define CHECKSUM_SIZE 4

bool rf_ocf_codec_find(struct rf_bytes name, enum rf_ocf_codec *codec)
{
    static const char *const names[] = {
        [RF_OCF_NULL] = "null",           [RF_OCF_DEFLATE] = "deflate", [RF_OCF_SNAPPY] = "snappy",
        [RF_OCF_ZSTANDARD] = "zstandard", [RF_OCF_LZMA] = "lzma",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (rf_bytes_equal(name, rf_bytes_of_text(names[i]))) {
            *codec = (enum rf_ocf_codec)i;
            return true;
        }
    }
    return false;
}

static bool too_large(const struct rf_buffer *out, struct rf_error *err)
{
    return rf_error_set(err, RF_ERROR_RECORD, 0, "the block unpacks to more than %zu bytes",
                        out->size_max);
}

/* zlib takes what it reads without const, though it does not write to it. */
static void set_input(z_stream *stream, struct rf_bytes data)
{
    const void *input = data.data;

    memcpy(&stream->next_in, &input, sizeof input);
    stream->avail_in = (uInt)data.size;
}

static bool inflate_all(struct rf_bytes data, struct rf_buffer *out, struct rf_error *err)
{
    z_stream stream = {0};
    int result = inflateInit2(&stream, RAW_DEFLATE);

    rf_assert(result == Z_OK);
    set_input(&stream, data);
    while (result == Z_OK) {
        uint8_t *room = rf_buffer_reserve(out, CHUNK);

        if (room == NULL)
            break;
        stream.next_out = room;
        stream.avail_out = CHUNK;
        result = inflate(&stream, Z_NO_FLUSH);
        rf_buffer_advance(out, CHUNK - stream.avail_out);
    }
    inflateEnd(&stream);
    if (out->overflow)
        return too_large(out, err);
    if (result != Z_STREAM_END)
        return rf_error_set(err, RF_ERROR_RECORD, result, "the block is not well-formed deflate");
    return true;
}

/* Snappy's bytes have the CRC-32 of what they unpack to behind them, big endian. */
static bool unsnap(struct rf_bytes data, struct rf_buffer *out, struct rf_error *err)
{
    const char *packed = (const char *)data.data;
    const uint8_t *sum = NULL;
    size_t packed_size = 0;
    size_t size = 0;
    uint8_t *room = NULL;

    if (data.size < CHECKSUM_SIZE)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the block has no room for its checksum");
    packed_size = data.size - CHECKSUM_SIZE;
    if (snappy_uncompressed_length(packed, packed_size, &size) != SNAPPY_OK)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the block is not well-formed snappy");
    room = rf_buffer_reserve(out, size + 1);
    if (room == NULL)
        return too_large(out, err);
    if (snappy_uncompress(packed, packed_size, (char *)room, &size) != SNAPPY_OK)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the block is not well-formed snappy");
    sum = data.data + packed_size;
    if (crc32(0, room, (uInt)size) !=
        ((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3]))
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "the block does not have the checksum it says");
    rf_buffer_advance(out, size);
    return true;
}

static bool unzstd(struct rf_bytes data, struct rf_buffer *out, struct rf_error *err)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer input = {.src = data.data, .size = data.size};
    size_t result = 1;
    bool is_stuck = false;

    rf_assert(context != NULL);
    while (!ZSTD_isError(result) && (input.pos < input.size || result > 0) && !is_stuck) {
        uint8_t *room = rf_buffer_reserve(out, CHUNK);
        ZSTD_outBuffer output = {.dst = room, .size = CHUNK};
        size_t before = input.pos;

        if (room == NULL)
            break;
        result = ZSTD_decompressStream(context, &output, &input);
        rf_buffer_advance(out, output.pos);
        is_stuck = output.pos == 0 && input.pos == before;
    }
    ZSTD_freeDCtx(context);
    if (out->overflow)
        return too_large(out, err);
    if (ZSTD_isError(result) || result > 0)
        return rf_error_set(err, RF_ERROR_RECORD, 0, "the block is not well-formed zstandard");
    return true;
}

bool rf_ocf_decompress(enum rf_ocf_codec codec, struct rf_bytes data, struct rf_buffer *out,
                       struct rf_error *err)
{
    switch (codec) {
    case RF_OCF_NULL:
        rf_buffer_append(out, data.data, data.size);
        return !out->overflow || too_large(out, err);
    case RF_OCF_DEFLATE:
        return inflate_all(data, out, err);
    case RF_OCF_SNAPPY:
        return unsnap(data, out, err);
    case RF_OCF_ZSTANDARD:
        return unzstd(data, out, err);
    case RF_OCF_LZMA:
        break;
    }
    rf_assert(false);
    return false;
}

static void deflate_all(struct rf_bytes data, struct rf_buffer *out)
{
    z_stream stream = {0};
    int result = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_DEFLATE, MEMORY_LEVEL,
                              Z_DEFAULT_STRATEGY);
    size_t bound = 0;
    uint8_t *room = NULL;

    rf_assert(result == Z_OK);
    bound = deflateBound(&stream, data.size);
    room = rf_buffer_reserve(out, bound);
    rf_assert(room != NULL);
    set_input(&stream, data);
    stream.next_out = room;
    stream.avail_out = (uInt)bound;
    result = deflate(&stream, Z_FINISH);
    rf_assert(result == Z_STREAM_END);
    rf_buffer_advance(out, bound - stream.avail_out);
    deflateEnd(&stream);
}

void rf_ocf_compress(enum rf_ocf_codec codec, struct rf_bytes data, struct rf_buffer *out)
{
    rf_assert(codec == RF_OCF_NULL || codec == RF_OCF_DEFLATE);
    if (codec == RF_OCF_DEFLATE)
        deflate_all(data, out);
    else
        rf_buffer_append(out, data.data, data.size);
}
