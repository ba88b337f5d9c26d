#ifndef CI_TIFF_PRIVATE_H
#define CI_TIFF_PRIVATE_H

/* What the directories of a TIFF (tiff.c), its strips and tiles (tiff_pixels.c), the damage of these (tiff_damage.c) and where their
   samples go (tiff_place.c) have in common. */

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
    /* What decoders of strips and tiles warned of since it was cleared: the first damage of pixels that was passed over, a JPEG of
       another size than its strip or tile, anything that libjpeg said. */
    char passed[200], improper[200];
    int jpeg_warned;
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

static inline size_t sample_bytes(uint16_t bits) { return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8; }

static inline uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

// MARK: Samples (tiff_place.c)

/* One decoded block of a page: a strip or a tile, of all samples or of one plane. */
typedef struct {
    const uint8_t *bytes;
    size_t stride;                      /* bytes of one of its rows */
    uint32_t row, column, rows, columns; /* where its visible part lies in the page */
    uint16_t first, samples;            /* which samples of a pixel it holds */
} block;

/* Samples of a block as they are stored, each in whole bytes of native order, to their place in the page's pixels. */
void ci_place(const block *b, const ci_tiff_page *page, int is_big_endian, uint8_t *pixels);
/* Undoes the differences of samples that were placed (Predictor 2). */
void ci_add_left(const block *b, const ci_tiff_page *page, uint8_t *pixels);

/* YCbCrCoefficients and ReferenceBlackWhite (TIFF 6.0, sections 20 and 21). */
typedef struct {
    float red, green, blue;
    float black[3], white[3];
} colours;

colours ci_page_colours(TIFF *tiff);
/* Whether they are those that libjpeg converts by. */
int ci_is_jfif(const colours *c);
/* Whether colours can be made by them at all. */
int ci_makes_colours(const colours *c);
/* The `size` bytes of a block of subsampled YCbCr, `width` pixels wide, as RGB; adds to `impossible` how many pixels lie far outside of
   all colours. */
ci_status ci_place_ycbcr(const block *b, size_t size, const ci_tiff_page *page, const colours *how, uint32_t width,
                         uint8_t *pixels, uint64_t *impossible, ci_error *error);
/* Refuses samples of which a pixel in 32 is none of YCbCr: black, white and most greys of RGB are not. A few say too little. */
ci_status ci_check_ycbcr(uint64_t impossible, uint64_t pixels, ci_error *error);

// MARK: Damage (tiff_damage.c)

/* The bytes of a strip or tile of `rows` rows by our own arithmetic. */
uint64_t ci_block_bytes(const ci_tiff_page *page, int subsampled, uint32_t width, uint32_t rows, uint16_t samples);
/* Before libtiff is asked for a strip or tile: that it has bytes, and lies in the file. */
ci_status ci_check_piece(ci_tiff *t, uint32_t piece, ci_error *error);
/* The same of JBIG: that the strip's header is the page's. */
ci_status ci_check_jbig(ci_tiff *t, uint32_t piece, uint32_t width, uint32_t rows, ci_error *error);
/* What a decoder has passed over although it gave a strip or tile, of which `b` is seen; `start` is that of the time limit. */
ci_status ci_check_damage(ci_tiff *t, const ci_tiff_page *page, uint32_t piece, const block *b, double start, ci_error *error);

#endif
