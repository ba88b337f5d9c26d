#ifndef CI_TIFF_PRIVATE_H
#define CI_TIFF_PRIVATE_H

/* What the directories of a TIFF (tiff.c) and its pixels (tiff_pixels.c) have in common. */

#include "private.h"
#include <tiffio.h>

struct ci_tiff {
    ci_source source;
    uint64_t position; /* where libtiff reads next */
    TIFF *tiff;
    uint64_t *offsets;
    uint32_t count;    /* pages of the chain */
    uint32_t total;    /* with the directories below them, which stand behind them */
    uint32_t capacity; /* of offsets */
    int big_endian, is_big;
    ci_limits limits;
    char said[200]; /* the first thing libtiff complained of since it was cleared */
    char passed[200]; /* the first damage of pixels that a decoder of libtiff passed over with a warning since it was cleared */
};

static inline uint64_t number(const uint8_t *bytes, int size, int big_endian) {
    uint64_t value = 0;
    for (int i = 0; i < size; i++) value = value << 8 | bytes[big_endian ? i : size - 1 - i];
    return value;
}

static inline int bytes_at(ci_tiff *t, uint64_t offset, uint8_t *bytes, size_t size) {
    if (offset > t->source.size || size > t->source.size - offset) return 0;
    return t->source.read(t->source.context, offset, bytes, size);
}

/* The size of the file's header: no pixels can stand in it. */
static inline uint64_t header_bytes(const ci_tiff *t) { return t->is_big ? 16 : 8; }

static inline uint16_t field16(TIFF *tiff, uint32_t tag, uint16_t fallback) {
    uint16_t value = fallback;
    return TIFFGetFieldDefaulted(tiff, tag, &value) ? value : fallback;
}

#endif
