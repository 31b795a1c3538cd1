/* The codecs of container files. Of this room only. */
#pragma once
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

enum rf_ocf_codec {
    RF_OCF_NULL,
    RF_OCF_DEFLATE,
    RF_OCF_SNAPPY,
    RF_OCF_ZSTANDARD,
    RF_OCF_LZMA,
};

/* By the name in the metadata. */
bool rf_ocf_codec_find(struct rf_bytes name, enum rf_ocf_codec *codec);

/* Appends what `data` was before it was compressed; out's limit bounds it. Not for LZMA. Errors: RECORD. */
bool rf_ocf_decompress(enum rf_ocf_codec codec, struct rf_bytes data, struct rf_buffer *out,
                       struct rf_error *err) RF_MUST_CHECK;

/* NULL and DEFLATE. */
void rf_ocf_compress(enum rf_ocf_codec codec, struct rf_bytes data, struct rf_buffer *out);
