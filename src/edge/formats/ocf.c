#include "edge/formats/ocf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/base/varint.h"
#include "core/codec/avro_program.h"
#include "edge/formats/avro_schema.h"
#include "edge/formats/ocf_codec.h"
#include "edge/formats/ocf_lzma.h"

#define MAGIC          "Obj\x01"
#define MAGIC_SIZE     4
#define SYNC_SIZE      16
#define METADATA_MAX   (4U << 20)
#define ARENA_CHUNK    65536
#define BLOCK_SIZE     65536 /* what a writer gathers before it writes a block */
#define COMPRESSED_MAX (RF_OCF_BLOCK_MAX + RF_OCF_BLOCK_MAX / 4)

struct rf_ocf_reader {
    FILE *stream; /* owned */
    char *path;   /* owned */
    struct rf_arena arena;
    const struct rf_schema *schema;
    const char *schema_text;
    const struct rf_avro_skip *skip; /* finds where a datum ends */
    enum rf_ocf_codec codec;
    struct rf_ocf_lzma *lzma; /* owned; NULL: another codec */
    uint8_t sync[SYNC_SIZE];
    struct rf_buffer packed, block;
    size_t at;    /* in `block` */
    int64_t left; /* datums of the block that have not been given out */
    bool is_at_end;
};

static bool damaged(struct rf_ocf_reader *reader, const char *what, struct rf_error *err)
{
    reader->is_at_end = true;
    return rf_error_set(err, RF_ERROR_RECORD, 0, "%s: the file is damaged: %s", reader->path, what);
}

/* *end: the file ends where the integer would begin. */
static bool read_integer(FILE *stream, int64_t *number, bool *end)
{
    uint8_t bytes[RF_VARINT_SIZE_MAX];
    const uint8_t *at = bytes;
    size_t size = 0;
    int byte = 0;

    do {
        byte = getc(stream);
        *end = byte == EOF && size == 0;
        if (byte == EOF || size == sizeof bytes)
            return false;
        bytes[size++] = (uint8_t)byte;
    } while (byte >= 0x80);
    return rf_varint_read(&at, bytes + size, number);
}

static bool read_bytes(FILE *stream, int64_t size, struct rf_buffer *out)
{
    uint8_t *room = NULL;

    if (size < 0 || (uint64_t)size > out->size_max)
        return false;
    room = rf_buffer_reserve(out, (size_t)size + 1);
    if (room == NULL || fread(room, 1, (size_t)size, stream) != (size_t)size)
        return false;
    rf_buffer_advance(out, (size_t)size);
    return true;
}

static bool read_text(FILE *stream, struct rf_arena *arena, struct rf_buffer *room,
                      struct rf_bytes *text)
{
    int64_t size = 0;
    bool end = false;

    rf_buffer_clear(room);
    if (!read_integer(stream, &size, &end) || !read_bytes(stream, size, room))
        return false;
    *text = rf_arena_copy(arena, rf_buffer_bytes(room));
    return true;
}

/* What the metadata says, as far as it matters. */
struct metadata {
    struct rf_bytes schema;
    struct rf_bytes codec;
};

static bool read_entries(struct rf_ocf_reader *reader, int64_t count, struct metadata *metadata)
{
    struct rf_bytes key = {0};
    struct rf_bytes value = {0};

    for (; count > 0; count--) {
        if (reader->arena.reserved > 4 * METADATA_MAX)
            return false;
        if (!read_text(reader->stream, &reader->arena, &reader->packed, &key) ||
            !read_text(reader->stream, &reader->arena, &reader->packed, &value))
            return false;
        if (rf_bytes_equal(key, rf_bytes_of_text("avro.schema")))
            metadata->schema = value;
        if (rf_bytes_equal(key, rf_bytes_of_text("avro.codec")))
            metadata->codec = value;
    }
    return true;
}

static bool read_header(struct rf_ocf_reader *reader, struct metadata *metadata)
{
    char magic[MAGIC_SIZE];
    int64_t count = 0;
    int64_t size = 0;
    bool end = false;

    if (fread(magic, 1, sizeof magic, reader->stream) != sizeof magic ||
        memcmp(magic, MAGIC, sizeof magic) != 0)
        return false;
    do {
        if (!read_integer(reader->stream, &count, &end) || count == INT64_MIN)
            return false;
        if (count < 0 && !read_integer(reader->stream, &size, &end))
            return false;
        if (!read_entries(reader, count < 0 ? -count : count, metadata))
            return false;
    } while (count != 0);
    return fread(reader->sync, 1, SYNC_SIZE, reader->stream) == SYNC_SIZE;
}

static bool read_metadata(struct rf_ocf_reader *reader, struct rf_error *err)
{
    struct metadata metadata = {.codec = rf_bytes_of_text("null")};

    if (!read_header(reader, &metadata))
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "%s is no Avro object container file",
                            reader->path);
    if (!rf_ocf_codec_find(metadata.codec, &reader->codec))
        return rf_error_set(
            err, RF_ERROR_CONFIG, 0,
            "%s: the codec %.40s is not known (null, deflate, snappy, zstandard, lzma)",
            reader->path, (const char *)metadata.codec.data);
    if (metadata.schema.data == NULL)
        return rf_error_set(err, RF_ERROR_CONFIG, 0, "%s has no schema", reader->path);
    reader->schema_text = (const char *)metadata.schema.data; /* terminated by the arena's copy */
    if (!rf_avro_schema_parse(&reader->arena, metadata.schema, NULL, 0, &reader->schema, err))
        return rf_error_wrap(err, "%s: its schema", reader->path);
    if (!rf_avro_skip_compile(&reader->arena, reader->schema, &reader->skip, err)) {
        err->kind = RF_ERROR_CONFIG;
        return rf_error_wrap(err, "%s: its schema", reader->path);
    }
    return reader->codec != RF_OCF_LZMA ||
           rf_ocf_lzma_open(reader->path, reader->schema, &reader->lzma, err);
}

bool rf_ocf_open(const char *path, struct rf_ocf_reader **reader, struct rf_error *err)
{
    FILE *stream = fopen(path, "rb");
    struct rf_ocf_reader *made = NULL;

    if (stream == NULL)
        return rf_error_set(err, RF_ERROR_CONFIG, errno, "opening %s: %s", path, strerror(errno));
    made = calloc(1, sizeof *made);
    rf_assert(made != NULL);
    made->stream = stream;
    made->path = strdup(path);
    rf_assert(made->path != NULL);
    rf_arena_init(&made->arena, ARENA_CHUNK);
    rf_buffer_init(&made->packed, METADATA_MAX);
    rf_buffer_init(&made->block, RF_OCF_BLOCK_MAX);
    if (!read_metadata(made, err)) {
        rf_ocf_close(made);
        return false;
    }
    made->packed.size_max = COMPRESSED_MAX;
    *reader = made;
    return true;
}

void rf_ocf_close(struct rf_ocf_reader *reader)
{
    if (reader == NULL)
        return;
    fclose(reader->stream);
    rf_ocf_lzma_close(reader->lzma);
    rf_arena_deinit(&reader->arena);
    rf_buffer_deinit(&reader->packed);
    rf_buffer_deinit(&reader->block);
    free(reader->path);
    free(reader);
}

const struct rf_schema *rf_ocf_schema(const struct rf_ocf_reader *reader)
{
    return reader->schema;
}

const char *rf_ocf_schema_text(const struct rf_ocf_reader *reader)
{
    return reader->schema_text;
}

static bool read_block(struct rf_ocf_reader *reader, bool *end, struct rf_error *err)
{
    uint8_t sync[SYNC_SIZE];
    int64_t size = 0;
    bool is_cut = false;

    rf_buffer_clear(&reader->packed);
    rf_buffer_clear(&reader->block);
    reader->at = 0;
    if (!read_integer(reader->stream, &reader->left, end)) {
        if (*end && ferror(reader->stream) == 0)
            return true;
        return damaged(reader, "a block's count", err);
    }
    if (reader->left < 0 || reader->left > RF_OCF_BLOCK_MAX ||
        !read_integer(reader->stream, &size, &is_cut) ||
        !read_bytes(reader->stream, size, &reader->packed))
        return damaged(reader, "a block is cut off or larger than the limit", err);
    if (fread(sync, 1, SYNC_SIZE, reader->stream) != SYNC_SIZE ||
        memcmp(sync, reader->sync, SYNC_SIZE) != 0)
        return damaged(reader, "a block does not end with the file's sync marker", err);
    if (rf_ocf_decompress(reader->codec, rf_buffer_bytes(&reader->packed), &reader->block, err))
        return true;
    reader->is_at_end = true;
    return rf_error_wrap(err, "%s", reader->path);
}

/* The bytes of the next datum of the block: what the skipping program passes over. */
static bool cut_datum(struct rf_ocf_reader *reader, struct rf_bytes *datum, struct rf_error *err)
{
    struct rf_bytes block =
        reader->block.data == NULL ? rf_bytes_of("", 0) : rf_buffer_bytes(&reader->block);
    const uint8_t *start = block.data + reader->at;
    const uint8_t *at = start;

    if (!rf_avro_skip_run(reader->skip, &at, block.data + block.size))
        return damaged(reader, "a datum is cut off or malformed", err);
    *datum = rf_bytes_of(start, (size_t)(at - start));
    reader->at += datum->size;
    reader->left--;
    if (reader->left == 0 && reader->at != block.size)
        return damaged(reader, "bytes are left over in a block", err);
    return true;
}

bool rf_ocf_next(struct rf_ocf_reader *reader, struct rf_bytes *datum, bool *end,
                 struct rf_error *err)
{
    *end = reader->is_at_end;
    if (*end)
        return true;
    if (reader->lzma != NULL) {
        if (!rf_ocf_lzma_next(reader->lzma, &reader->block, end, err)) {
            reader->is_at_end = true;
            return rf_error_wrap(err, "%s", reader->path);
        }
        *datum = rf_buffer_bytes(&reader->block);
        reader->is_at_end = *end;
        return true;
    }
    while (reader->left == 0) {
        if (!read_block(reader, end, err))
            return false;
        reader->is_at_end = *end;
        if (*end)
            return true;
    }
    return cut_datum(reader, datum, err);
}

/* Writing. */

struct rf_ocf_writer {
    FILE *stream; /* owned */
    char *path;   /* owned */
    enum rf_ocf_codec codec;
    uint8_t sync[SYNC_SIZE];
    struct rf_buffer block, packed;
    int64_t count; /* datums in `block` */
};

static void append_integer(struct rf_buffer *out, int64_t number)
{
    uint8_t bytes[RF_VARINT_SIZE_MAX];

    rf_buffer_append(out, bytes, rf_varint_write(bytes, number));
}

static void append_text(struct rf_buffer *out, const char *text)
{
    append_integer(out, (int64_t)strlen(text));
    rf_buffer_append_text(out, text);
}

static void append_header(struct rf_ocf_writer *writer, const char *schema_text, const char *codec)
{
    struct rf_hash128 hash = rf_hash128(rf_bytes_of_text(schema_text));
    struct rf_buffer *out = &writer->packed;

    memcpy(writer->sync, &hash.high, sizeof hash.high);
    memcpy(writer->sync + sizeof hash.high, &hash.low, sizeof hash.low);
    rf_buffer_append(out, MAGIC, MAGIC_SIZE);
    append_integer(out, 2);
    append_text(out, "avro.schema");
    append_text(out, schema_text);
    append_text(out, "avro.codec");
    append_text(out, codec);
    append_integer(out, 0);
    rf_buffer_append(out, writer->sync, SYNC_SIZE);
}

static bool write_out(struct rf_ocf_writer *writer, struct rf_error *err)
{
    struct rf_buffer *out = &writer->packed;

    rf_assert(!out->overflow);
    if (out->size > 0 && fwrite(out->data, 1, out->size, writer->stream) != out->size)
        return rf_error_set(err, RF_ERROR_CONFIG, errno, "writing %s: %s", writer->path,
                            strerror(errno));
    rf_buffer_clear(out);
    return true;
}

static bool write_block(struct rf_ocf_writer *writer, struct rf_error *err)
{
    struct rf_buffer data;

    rf_buffer_init(&data, SIZE_MAX / 4);
    rf_ocf_compress(writer->codec, rf_buffer_bytes(&writer->block), &data);
    append_integer(&writer->packed, writer->count);
    append_integer(&writer->packed, (int64_t)data.size);
    rf_buffer_append(&writer->packed, data.data, data.size);
    rf_buffer_append(&writer->packed, writer->sync, SYNC_SIZE);
    rf_buffer_deinit(&data);
    rf_buffer_clear(&writer->block);
    writer->count = 0;
    return write_out(writer, err);
}

static void free_writer(struct rf_ocf_writer *writer)
{
    rf_buffer_deinit(&writer->block);
    rf_buffer_deinit(&writer->packed);
    free(writer->path);
    free(writer);
}

bool rf_ocf_create(const char *path, const char *schema_text, const char *codec,
                   struct rf_ocf_writer **writer, struct rf_error *err)
{
    enum rf_ocf_codec known = RF_OCF_NULL;
    FILE *stream = NULL;
    struct rf_ocf_writer *made = NULL;

    if (!rf_ocf_codec_find(rf_bytes_of_text(codec), &known) || known > RF_OCF_DEFLATE)
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "the codec %s is not one to write with (null, deflate)", codec);
    stream = fopen(path, "wb");
    if (stream == NULL)
        return rf_error_set(err, RF_ERROR_CONFIG, errno, "creating %s: %s", path, strerror(errno));
    made = calloc(1, sizeof *made);
    rf_assert(made != NULL);
    made->stream = stream;
    made->path = strdup(path);
    rf_assert(made->path != NULL);
    made->codec = known;
    rf_buffer_init(&made->block, RF_OCF_BLOCK_MAX);
    rf_buffer_init(&made->packed, SIZE_MAX / 4);
    append_header(made, schema_text, codec);
    *writer = made;
    return true;
}

bool rf_ocf_append(struct rf_ocf_writer *writer, struct rf_bytes datum, struct rf_error *err)
{
    rf_buffer_append(&writer->block, datum.data, datum.size);
    if (writer->block.overflow)
        return rf_error_set(err, RF_ERROR_CONFIG, 0,
                            "writing %s: a datum of %zu bytes is too large", writer->path,
                            datum.size);
    writer->count++;
    return writer->block.size < BLOCK_SIZE || write_block(writer, err);
}

bool rf_ocf_finish(struct rf_ocf_writer *writer, struct rf_error *err)
{
    bool ok = writer->count == 0 ? write_out(writer, err) : write_block(writer, err);

    if (fclose(writer->stream) != 0 && ok)
        ok = rf_error_set(err, RF_ERROR_CONFIG, errno, "writing %s: %s", writer->path,
                          strerror(errno));
    free_writer(writer);
    return ok;
}
