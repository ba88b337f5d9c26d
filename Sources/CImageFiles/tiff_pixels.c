#include "tiff_private.h"
#include <stdlib.h>
#include <string.h>

/* One decoded block of a page: a strip or a tile, of all samples or of one plane. */
typedef struct {
    const uint8_t *bytes;
    size_t stride;                      /* bytes of one of its rows */
    uint32_t row, column, rows, columns; /* where its visible part lies in the page */
    uint16_t first, samples;            /* which samples of a pixel it holds */
} block;

static size_t sample_bytes(uint16_t bits) { return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8; }

/* Packed bits come most significant first, whatever the byte order of the file (TIFF 6.0, section 8: FillOrder). */
static uint32_t bits_at(const uint8_t *bytes, size_t position, unsigned bits) {
    uint32_t value = 0;
    for (unsigned i = 0; i < bits; i++, position++) value = value << 1 | (bytes[position >> 3] >> (7 - (position & 7)) & 1);
    return value;
}

static void place(const block *b, const ci_tiff_page *page, int is_big_endian, uint8_t *pixels) {
    size_t each = sample_bytes(page->bits);
    int whole = page->bits == 8 * each;
    for (uint32_t row = 0; row < b->rows; row++) {
        const uint8_t *source = b->bytes + row * b->stride;
        uint8_t *target = pixels + ((size_t)(b->row + row) * page->columns + b->column) * page->samples * each;
        if (whole && b->samples == page->samples) {
            memcpy(target, source, (size_t)b->columns * b->samples * each);
            continue;
        }
        for (uint32_t column = 0; column < b->columns; column++) {
            for (uint16_t sample = 0; sample < b->samples; sample++) {
                size_t from = (size_t)column * b->samples + sample;
                uint8_t *to = target + ((size_t)column * page->samples + b->first + sample) * each;
                if (whole) {
                    memcpy(to, source + from * each, each);
                } else if (page->bits == 24) {
                    uint32_t value = (uint32_t)number(source + from * 3, 3, is_big_endian);
                    memcpy(to, &value, 4);
                } else if (each == 1) {
                    *to = (uint8_t)bits_at(source, from * page->bits, page->bits);
                } else {
                    uint16_t value = (uint16_t)bits_at(source, from * page->bits, page->bits);
                    memcpy(to, &value, 2);
                }
            }
        }
    }
}

/* Samples that are the differences from their left neighbour's (TIFF 6.0, section 14), as they were placed: modulo their bits. */
static void add_left(const block *b, const ci_tiff_page *page, uint8_t *pixels) {
    size_t each = sample_bytes(page->bits), pixel = page->samples * each;
    uint64_t mask = page->bits < 64 ? ((uint64_t)1 << page->bits) - 1 : UINT64_MAX;
    for (uint32_t row = 0; row < b->rows; row++) {
        uint8_t *first = pixels + ((size_t)(b->row + row) * page->columns + b->column) * pixel + b->first * each;
        for (uint32_t column = 1; column < b->columns; column++) {
            for (uint16_t sample = 0; sample < b->samples; sample++) {
                uint8_t *to = first + column * pixel + sample * each;
                uint64_t left = 0, value = 0;
                memcpy(&left, to - pixel, each);
                memcpy(&value, to, each);
                value = (value + left) & mask;
                memcpy(to, &value, each);
            }
        }
    }
}

static uint8_t clamp8(float value) { return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5f); }

/* YCbCrCoefficients and ReferenceBlackWhite (TIFF 6.0, sections 20 and 21). */
typedef struct {
    float red, green, blue;
    float black[3], white[3];
} colours;

static colours page_colours(TIFF *tiff) {
    colours c = {.299f, .587f, .114f, {0, 128, 128}, {255, 255, 255}};
    float *values = NULL;
    if (TIFFGetFieldDefaulted(tiff, TIFFTAG_YCBCRCOEFFICIENTS, &values) && values != NULL) {
        c.red = values[0], c.green = values[1], c.blue = values[2];
    }
    values = NULL;
    if (TIFFGetFieldDefaulted(tiff, TIFFTAG_REFERENCEBLACKWHITE, &values) && values != NULL) {
        for (int i = 0; i < 3; i++) c.black[i] = values[2 * i], c.white[i] = values[2 * i + 1];
    }
    return c;
}

static int near(float a, float b, float tolerance) { return a - b <= tolerance && b - a <= tolerance; }

/* What JFIF has, and what libjpeg's conversion assumes: BT.601 over the full range. */
static int is_jfif(const colours *c) {
    return near(c->red, .299f, .002f) && near(c->green, .587f, .002f) && near(c->blue, .114f, .002f) &&
           near(c->black[0], 0, 1) && near(c->white[0], 255, 1) && near(c->black[1], 128, 1) && near(c->white[1], 255, 1) &&
           near(c->black[2], 128, 1) && near(c->white[2], 255, 1);
}

static int makes_colours(const colours *c) {
    float sum = c->red + c->green + c->blue;
    return c->red > 0 && c->green > 0 && c->blue > 0 && near(sum, 1, .01f) && c->white[0] > c->black[0] &&
           c->white[1] > c->black[1] && c->white[2] > c->black[2];
}

static void ycbcr_to_rgb(const colours *c, uint8_t y, uint8_t cb, uint8_t cr, uint8_t *rgb) {
    float luma = ((float)y - c->black[0]) * 255 / (c->white[0] - c->black[0]);
    float b = ((float)cb - c->black[1]) * 127 / (c->white[1] - c->black[1]);
    float r = ((float)cr - c->black[2]) * 127 / (c->white[2] - c->black[2]);
    float red = luma + (2 - 2 * c->red) * r, blue = luma + (2 - 2 * c->blue) * b;
    rgb[0] = clamp8(red);
    rgb[1] = clamp8((luma - c->red * red - c->blue * blue) / c->green);
    rgb[2] = clamp8(blue);
}

/* A strip or tile of subsampled YCbCr: units of h · v luma bytes, then Cb, Cr (TIFF 6.0, section 21). */
static ci_status place_ycbcr(const block *b, size_t size, const ci_tiff_page *page, const colours *how, uint32_t width,
                             uint8_t *pixels, ci_error *error) {
    uint32_t h = page->subsampling_x, v = page->subsampling_y;
    size_t unit = (size_t)h * v + 2, units = (width + h - 1) / h;
    if (((size_t)(b->rows + v - 1) / v) * units * unit > size) {
        return ci_fail(error, CI_TRUNCATED, "a strip of YCbCr ends too early");
    }
    for (uint32_t row = 0; row < b->rows; row++) {
        for (uint32_t column = 0; column < b->columns; column++) {
            const uint8_t *at = b->bytes + ((size_t)(row / v) * units + column / h) * unit;
            uint8_t *to = pixels + ((size_t)(b->row + row) * page->columns + b->column + column) * page->samples;
            ycbcr_to_rgb(how, at[(row % v) * h + column % h], at[h * v], at[h * v + 1], to);
        }
    }
    return CI_OK;
}

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

// MARK: What is handed to libtiff's decoders

/* Which forms are read, by compression (`dicom.md` 5.1); everything else is refused before a decoder sees a byte of it. */
static ci_status check_form(const ci_tiff_page *page, ci_error *error) {
    int bilevel = page->bits == 1 && page->samples == 1 && page->photometric <= PHOTOMETRIC_MINISBLACK;
    int bytes = page->bits == 8 && (page->format == SAMPLEFORMAT_UINT || page->format == SAMPLEFORMAT_VOID);
    int fits = 1;
    switch (page->compression) {
    case COMPRESSION_NONE: case COMPRESSION_LZW: case COMPRESSION_ADOBE_DEFLATE: case COMPRESSION_DEFLATE:
    case COMPRESSION_PACKBITS: case COMPRESSION_LZMA: case COMPRESSION_ZSTD:
        break;
    case COMPRESSION_CCITTRLE: case COMPRESSION_CCITTFAX3: case COMPRESSION_CCITTFAX4: case COMPRESSION_JBIG:
        fits = bilevel;
        break;
    case COMPRESSION_JPEG:
        fits = bytes && (page->samples == 1 || page->samples == 3);
        break;
    case COMPRESSION_WEBP:
        fits = bytes && !page->planar && (page->samples == 3 || page->samples == 4) && page->photometric == PHOTOMETRIC_RGB;
        break;
    case COMPRESSION_LERC:
        fits = page->photometric != PHOTOMETRIC_YCBCR;
        break;
    default:
        return ci_fail(error, CI_CODEC, "TIFF compression %u", page->compression);
    }
    if (!fits) {
        return ci_fail(error, CI_CODEC, "TIFF compression %u of %u samples of %u bits, Photometric %u",
                       page->compression, page->samples, page->bits, page->photometric);
    }
    if (page->photometric != PHOTOMETRIC_YCBCR) return CI_OK;
    uint16_t h = page->subsampling_x, v = page->subsampling_y;
    int known = (h == 1 || h == 2 || h == 4) && (v == 1 || v == 2 || v == 4);
    if (known && page->bits == 8 && page->samples == 3 && !page->planar) return CI_OK;
    return ci_fail(error, CI_UNSUPPORTED, "is YCbCr with %u × %u subsampling of %u%s samples of %u bits", h, v,
                   page->samples, page->planar ? " separate" : "", page->bits);
}

/* The bytes of a strip or tile of `rows` rows by our own arithmetic. All factors are below 2^16 but for two below 2^32. */
static uint64_t block_bytes(const ci_tiff_page *page, int subsampled, uint32_t width, uint32_t rows, uint16_t samples) {
    if (subsampled) {
        uint64_t h = page->subsampling_x, v = page->subsampling_y;
        return ((width + h - 1) / h) * ((rows + v - 1) / v) * (h * v + 2);
    }
    return ((uint64_t)width * samples * page->bits + 7) / 8 * rows;
}

/* libjbig ends the process when it cannot have the memory that a JBIG header asks for: the header must be the strip's own
   (ISO 11544, 6.2.1: layers, planes, width and height in bytes 0 to 11). */
static ci_status check_jbig(ci_tiff *t, uint32_t piece, uint32_t width, uint32_t rows, ci_error *error) {
    uint8_t head[20];
    uint64_t offset = TIFFGetStrileOffset(t->tiff, piece);
    if (TIFFGetStrileByteCount(t->tiff, piece) < sizeof head || !bytes_at(t, offset, head, sizeof head)) {
        return ci_fail(error, CI_TRUNCATED, "a strip ends inside its JBIG header");
    }
    uint16_t order = field16(t->tiff, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB);
    if (order == FILLORDER_LSB2MSB) TIFFReverseBits(head, sizeof head);
    if (head[0] != 0 || head[1] != 0 || head[2] != 1 || number(head + 4, 4, 1) != width ||
        number(head + 8, 4, 1) != rows || number(head + 12, 4, 1) == 0 || number(head + 12, 4, 1) > rows) {
        return ci_fail(error, CI_CORRUPT, "has a JBIG strip that is not %u × %u pixels of one bit", rows, width);
    }
    return CI_OK;
}

/* Where the strips or tiles of a page lie, and what one of them holds. */
typedef struct {
    int tiled, subsampled;
    uint32_t width, height, depth; /* of a strip or tile; depth: slices that one tile holds */
    uint32_t slice;
    uint64_t bytes;                /* of one slice of it */
    uint32_t from, to;             /* the page's rows that are read: whole strips or tiles, but for its last */
    colours how;
    int differences;               /* uncompressed samples with a predictor, which libtiff leaves as they are */
} grid;

/* One strip or tile, or one slice of a tile that holds several, into `buffer`; the bytes it has, below 0 when it cannot be decoded. */
static tmsize_t read_piece(TIFF *tiff, const grid *g, uint32_t piece, uint8_t *buffer) {
    tmsize_t room = (tmsize_t)g->bytes;
    if (!g->tiled) return TIFFReadEncodedStrip(tiff, piece, buffer, room);
    if (g->depth == 1) return TIFFReadEncodedTile(tiff, piece, buffer, room);
    /* libtiff counts one slice a tile: the whole is decoded from its bytes, and one is kept. */
    tmsize_t size = (tmsize_t)TIFFGetStrileByteCount(tiff, piece), whole = room * g->depth;
    if (size < 0 || size > 2 * whole + 65536) return -1; /* nothing that is compressed so grows so far */
    uint8_t *raw = malloc(size > 0 ? (size_t)size : 1), *all = calloc(1, (size_t)whole);
    tmsize_t got = -1;
    if (raw != NULL && all != NULL && TIFFReadRawTile(tiff, piece, raw, size) == size &&
        TIFFReadFromUserBuffer(tiff, piece, raw, size, all, whole)) {
        memcpy(buffer, all + (size_t)room * (g->slice % g->depth), (size_t)room);
        got = room;
    }
    free(raw);
    free(all);
    return got;
}

/* What a strip or tile has in the file: a decoder's word on too few bytes is not that of a file which ends. */
static ci_status check_piece(ci_tiff *t, uint32_t piece, ci_error *error) {
    uint64_t offset = TIFFGetStrileOffset(t->tiff, piece), count = TIFFGetStrileByteCount(t->tiff, piece);
    /* An offset into the header is that of no data, which sparse files leave out. */
    if (count == 0 || offset < header_bytes(t)) return ci_fail(error, CI_TRUNCATED, "a strip has no data");
    if (offset > t->source.size || count > t->source.size - offset) {
        return ci_fail(error, CI_TRUNCATED, "a strip lies beyond the end of the file");
    }
    return CI_OK;
}

/* Bytes that belong to no segment of a JPEG, and are not padding in front of its end, are pixels that were skipped. Those in front of
   what is no restart and no end stand in its header, which cameras fill. */
static int is_padded(ci_tiff *t, uint32_t piece, unsigned long count, unsigned long marker) {
    uint64_t offset = TIFFGetStrileOffset(t->tiff, piece), size = TIFFGetStrileByteCount(t->tiff, piece);
    if (marker < 0xD0 || marker > 0xD9) return 1;
    if (marker != 0xD9 || count >= size || size > t->limits.max_bytes) return 0;
    uint8_t *bytes = malloc((size_t)size);
    int is_padding = 0;
    if (bytes != NULL && bytes_at(t, offset, bytes, (size_t)size)) {
        size_t end = (size_t)size;
        while (end >= 2 && (bytes[end - 2] != 0xFF || bytes[end - 1] != marker)) end--;
        is_padding = end >= 2 + (size_t)count && ci_is_padding(bytes + end - 2 - count, count);
    }
    free(bytes);
    return is_padding;
}

/* The numbers in a text that begins with these words: 1 when it has as many. */
static int numbers_in(const char *text, const char *words, unsigned long *values, int count) {
    if (strncmp(text, words, strlen(words)) != 0) return 0;
    for (int i = 0; i < count; i++) {
        while (*text != 0 && (*text < '0' || *text > '9')) text++;
        if (*text == 0) return 0;
        char *end;
        values[i] = strtoul(text, &end, 0);
        text = end;
    }
    return 1;
}

/* What a decoder has passed over although it gave a strip or tile, of which `b` is seen. */
static ci_status check_damage(ci_tiff *t, uint32_t piece, const block *b, ci_error *error) {
    if (t->said[0]) return ci_fail(error, CI_CODEC, "%s", t->said);
    if (t->passed[0] == 0) return CI_OK;
    unsigned long n[4];
    /* "%u extraneous bytes before marker 0x%02x", "Improper JPEG strip/tile size, expected %ux%u, got %ux%u" */
    if (strstr(t->passed, "extraneous") != NULL && numbers_in(t->passed, "Corrupt JPEG data: ", n, 2) &&
        is_padded(t, piece, n[0], n[1])) {
        return CI_OK;
    }
    if (numbers_in(t->passed, "Improper JPEG", n, 4)) {
        /* Some write the last tiles as large as what is seen of them. */
        if (n[2] >= b->columns && n[3] >= b->rows) return CI_OK;
        return ci_fail(error, CI_TRUNCATED, "a strip or tile holds %lu x %lu pixels, and %u x %u of it are seen", n[3], n[2],
                       b->rows, b->columns);
    }
    int is_cut = strstr(t->passed, "remature end") != NULL;
    return ci_fail(error, is_cut ? CI_TRUNCATED : CI_CORRUPT, "%s", t->passed);
}

static ci_status measure_grid(ci_tiff *t, const ci_tiff_page *page, grid *g, ci_error *error) {
    TIFF *tiff = t->tiff;
    g->tiled = TIFFIsTiled(tiff);
    g->width = page->columns, g->height = page->rows, g->depth = 1;
    if (g->tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &g->width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &g->height);
        if (page->depth > 1) TIFFGetField(tiff, TIFFTAG_TILEDEPTH, &g->depth);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &g->height);
        g->height = smaller(g->height, page->rows);
    }
    if (g->width == 0 || g->height == 0 || g->depth == 0) {
        return ci_fail(error, CI_CORRUPT, "has strips or tiles without size");
    }
    /* A strip is as wide as its page, whose size is judged by whoever makes room for it. */
    if ((g->tiled && (g->width > t->limits.max_side || g->height > t->limits.max_side)) || g->depth > t->limits.max_pages) {
        return ci_fail(error, CI_LIMIT, "has strips or tiles of %u rows of %u columns (limit: %u a side)", g->height,
                       g->width, t->limits.max_side);
    }
    if (page->depth > 1 && (!g->tiled || page->compression == COMPRESSION_JPEG || page->compression == COMPRESSION_JBIG)) {
        return ci_fail(error, CI_CODEC, "a volume of %u slices in one page, in strips or with compression %u", page->depth,
                       page->compression);
    }
    uint16_t planes = page->planar ? page->samples : 1;
    g->bytes = block_bytes(page, g->subsampled, g->width, g->height, page->samples / planes);
    tmsize_t room = g->tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    if (room <= 0 || (uint64_t)room != g->bytes) {
        return ci_fail(error, CI_CORRUPT, "has strips or tiles of an impossible size");
    }
    return CI_OK;
}

static ci_status read_blocks(ci_tiff *t, const ci_tiff_page *page, grid *g, uint8_t *pixels, const size_t *pixel_bytes,
                             ci_error *error) {
    double start = ci_thread_seconds();
    TIFF *tiff = t->tiff;
    uint16_t planes = page->planar ? page->samples : 1;
    block b = {.samples = page->samples / planes};
    b.stride = (size_t)block_bytes(page, 0, g->width, 1, b.samples);
    /* The compressed bytes of a strip are held beside the unpacked ones. */
    if (ci_check_memory(&t->limits, *pixel_bytes + 2 * g->bytes * g->depth, error) != CI_OK) return error->status;
    uint8_t *buffer = calloc((size_t)g->bytes, 1);
    if (buffer == NULL) return ci_fail(error, CI_MEMORY, "no memory for a strip of %llu bytes", (unsigned long long)g->bytes);
    b.bytes = buffer;
    for (uint16_t plane = 0; plane < planes && error->status == CI_OK; plane++) {
        b.first = plane;
        for (b.row = g->from; b.row < g->to && error->status == CI_OK; b.row += g->height) {
            b.rows = smaller(g->height, page->rows - b.row);
            for (b.column = 0; b.column < page->columns && error->status == CI_OK; b.column += g->width) {
                b.columns = smaller(g->width, page->columns - b.column);
                uint32_t piece = g->tiled ? TIFFComputeTile(tiff, b.column, b.row, g->slice, plane)
                                          : TIFFComputeStrip(tiff, b.row, plane);
                if (check_piece(t, piece, error) != CI_OK) break;
                if (page->compression == COMPRESSION_JBIG &&
                    check_jbig(t, piece, g->width, g->tiled ? g->height : b.rows, error) != CI_OK) {
                    break;
                }
                t->said[0] = t->passed[0] = 0;
                tmsize_t got = read_piece(tiff, g, piece, buffer);
                block at = b;
                at.row -= g->from;
                if (got < 0) {
                    ci_fail(error, CI_CODEC, "%s", t->said[0] ? t->said : "a strip cannot be decoded");
                } else if (check_damage(t, piece, &b, error) != CI_OK) {
                    break;
                } else if (g->subsampled) {
                    place_ycbcr(&at, (size_t)got, page, &g->how, g->width, pixels, error);
                } else if ((size_t)got < b.stride * b.rows) {
                    ci_fail(error, CI_TRUNCATED, "a strip holds %lld bytes instead of %zu", (long long)got,
                            b.stride * b.rows);
                } else {
                    /* Samples of three bytes are packed bits, the highest first in files of either order; libtiff has turned
                       those of the other order round. */
                    place(&at, page, !TIFFIsByteSwapped(tiff), pixels);
                    if (g->differences) add_left(&at, page, pixels);
                    ci_check_time(&t->limits, start, error);
                }
            }
        }
    }
    free(buffer);
    return error->status;
}

// MARK: What pieces hold against what the page says

static int are_zeros(ci_tiff *t, uint64_t offset, uint64_t count) {
    uint8_t bytes[4096];
    while (count > 0) {
        size_t part = count < sizeof bytes ? (size_t)count : sizeof bytes;
        if (!bytes_at(t, offset, bytes, part)) return 0;
        for (size_t i = 0; i < part; i++) {
            if (bytes[i] != 0) return 0;
        }
        offset += part;
        count -= part;
    }
    return 1;
}

/* The i-th number of a tag of counts or offsets; `otherwise` where it has none. */
static uint64_t number_of(const ci_tiff *t, const ci_tiff_value *value, uint64_t i, uint64_t otherwise) {
    int each = value->type == 3 ? 2 : value->type == 4 ? 4 : value->type == 16 ? 8 : 0;
    if (each == 0 || (i + 1) * (uint64_t)each > value->size) return otherwise;
    return number(value->bytes + i * (uint64_t)each, each, t->big_endian);
}

ci_status ci_tiff_check_counts(ci_tiff *t, uint32_t index, ci_error *error) {
    ci_tiff_page page;
    if (ci_tiff_describe(t, index, &page, error) != CI_OK) return error->status;
    uint16_t planes = page.planar ? page.samples : 1;
    if (page.compression != COMPRESSION_NONE || page.photometric == PHOTOMETRIC_YCBCR || page.depth > 1 || planes == 0 ||
        page.columns == 0 || page.rows == 0) {
        return CI_OK;
    }
    uint32_t width = page.columns, stated = page.rows;
    /* As they stand in the file: libtiff cuts a long strip into several, and replaces counts that it does not believe. */
    ci_tiff_value counts = {0}, offsets = {0};
    if (page.tiled) {
        TIFFGetField(t->tiff, TIFFTAG_TILEWIDTH, &width);
        TIFFGetField(t->tiff, TIFFTAG_TILELENGTH, &stated);
    } else {
        ci_tiff_value rows = {0};
        if (ci_tiff_tag(t, index, TIFFTAG_ROWSPERSTRIP, &rows, error) != CI_OK) return error->status;
        uint64_t each = number_of(t, &rows, 0, UINT32_MAX);
        stated = each > t->limits.max_side ? page.rows : (uint32_t)each; /* 2^32 − 1: all in one */
        free(rows.bytes);
    }
    if (width == 0 || stated == 0) return CI_OK; /* refused when it is read */
    uint32_t height = page.tiled ? stated : smaller(stated, page.rows), down = (page.rows + height - 1) / height;
    uint64_t row = block_bytes(&page, 0, width, 1, page.samples / planes), slack = row > 4 ? row : 4;
    uint64_t pieces = page.tiled ? TIFFNumberOfTiles(t->tiff) : (uint64_t)down * planes;
    if (ci_tiff_tag(t, index, page.tiled ? TIFFTAG_TILEBYTECOUNTS : TIFFTAG_STRIPBYTECOUNTS, &counts, error) != CI_OK ||
        ci_tiff_tag(t, index, page.tiled ? TIFFTAG_TILEOFFSETS : TIFFTAG_STRIPOFFSETS, &offsets, error) != CI_OK) {
        free(counts.bytes);
        return error->status;
    }
    for (uint64_t i = 0; i < pieces && error->status == CI_OK; i++) {
        uint64_t count = number_of(t, &counts, i, 0);
        uint32_t rows = !page.tiled && i % down == down - 1 ? page.rows - (down - 1) * height : height;
        uint64_t expected = row * rows, full = row * stated, offset = number_of(t, &offsets, i, UINT64_MAX);
        /* A count of nothing, or of more than the file has, tells nothing: whether the data are there is seen when they are read. */
        if (count == 0 || offset > t->source.size || count > t->source.size - offset) continue;
        if (count < expected && expected - count >= slack) {
            ci_fail(error, CI_TRUNCATED, "a strip or tile holds %llu bytes instead of %llu", (unsigned long long)count,
                    (unsigned long long)expected);
        } else if (count > expected && count - expected >= slack) {
            /* The last strip may be written as long as the others, its end empty. */
            int is_filled = rows < stated && count >= full && count - full < slack;
            if (is_filled && are_zeros(t, offset + expected, full - expected)) continue;
            ci_fail(error, CI_CORRUPT, "has a strip or tile of %llu bytes, and its %u rows of %u columns have %llu",
                    (unsigned long long)count, rows, width, (unsigned long long)expected);
        }
    }
    free(counts.bytes);
    free(offsets.bytes);
    return error->status;
}

// MARK: Pictures that follow one another without directories

/* Bytes of one picture whose strips stand one behind the other as the page says; 0 for anything else. */
static uint64_t contiguous_bytes(ci_tiff *t, const ci_tiff_page *page) {
    if (page->compression != COMPRESSION_NONE || TIFFIsTiled(t->tiff) || page->depth > 1 || page->bits % 8 != 0 ||
        page->bits == 0 || page->photometric == PHOTOMETRIC_YCBCR) {
        return 0;
    }
    if (page->columns == 0 || page->rows == 0 || page->samples == 0 || page->columns > t->limits.max_side ||
        page->rows > t->limits.max_side) {
        return 0;
    }
    uint64_t each = (uint64_t)page->columns * page->samples * (page->bits / 8), bytes = each * page->rows;
    uint32_t strips = TIFFNumberOfStrips(t->tiff);
    uint64_t at = TIFFGetStrileOffset(t->tiff, 0), first = at;
    for (uint32_t i = 0; i < strips; i++) {
        if (TIFFGetStrileOffset(t->tiff, i) != at) return 0;
        at += TIFFGetStrileByteCount(t->tiff, i);
    }
    /* ImageJ counts the whole stack as the one strip. */
    if (at - first != bytes && !(strips == 1 && at - first > bytes && (at - first) % bytes == 0)) return 0;
    return bytes;
}

ci_status ci_tiff_following(ci_tiff *t, uint32_t index, uint64_t *count, ci_error *error) {
    ci_tiff_page page;
    *count = 1;
    if (ci_tiff_describe(t, index, &page, error) != CI_OK) return error->status;
    uint64_t bytes = contiguous_bytes(t, &page), offset = TIFFGetStrileOffset(t->tiff, 0);
    /* What is a directory is no picture. */
    uint64_t end = t->source.size;
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->offsets[i] > offset && t->offsets[i] < end) end = t->offsets[i];
    }
    if (bytes > 0 && offset < end) *count = (end - offset) / bytes;
    if (*count == 0) *count = 1;
    return CI_OK;
}

static ci_status read_following(ci_tiff *t, const ci_tiff_page *page, uint32_t slice, uint8_t *pixels, ci_error *error) {
    uint64_t bytes = contiguous_bytes(t, page);
    if (bytes == 0) return ci_fail(error, CI_CODEC, "pictures behind the first of a page that is compressed or in tiles");
    uint64_t offset = TIFFGetStrileOffset(t->tiff, 0) + bytes * slice;
    if (offset - bytes * slice < header_bytes(t)) return ci_fail(error, CI_TRUNCATED, "a strip has no data");
    if (ci_check_memory(&t->limits, 2 * bytes, error) != CI_OK) return error->status;
    uint8_t *buffer = malloc((size_t)bytes);
    if (buffer == NULL) return ci_fail(error, CI_MEMORY, "no memory for a picture of %llu bytes", (unsigned long long)bytes);
    if (!bytes_at(t, offset, buffer, (size_t)bytes)) {
        free(buffer);
        return ci_fail(error, CI_TRUNCATED, "picture %u of a stack lies beyond the end of the file", slice + 1);
    }
    if (TIFFIsByteSwapped(t->tiff)) {
        if (page->bits == 16) TIFFSwabArrayOfShort((uint16_t *)(void *)buffer, (tmsize_t)(bytes / 2));
        if (page->bits == 32) TIFFSwabArrayOfLong((uint32_t *)(void *)buffer, (tmsize_t)(bytes / 4));
        if (page->bits == 64) TIFFSwabArrayOfLong8((uint64_t *)(void *)buffer, (tmsize_t)(bytes / 8));
    }
    uint16_t planes = page->planar ? page->samples : 1;
    block b = {.samples = page->samples / planes, .rows = page->rows, .columns = page->columns};
    b.stride = (size_t)block_bytes(page, 0, page->columns, 1, b.samples);
    for (uint16_t plane = 0; plane < planes; plane++) {
        b.first = plane;
        b.bytes = buffer + b.stride * page->rows * plane;
        place(&b, page, 1, pixels);
    }
    free(buffer);
    return CI_OK;
}

ci_status ci_tiff_is_read(const ci_tiff_page *page, ci_error *error) {
    error->status = CI_OK;
    if (page->bits == 0 || (page->bits > 16 && page->bits != 24 && page->bits != 32 && page->bits != 64)) {
        return ci_fail(error, CI_UNSUPPORTED, "has %u bits a sample", page->bits);
    }
    if (check_form(page, error) != CI_OK) return error->status;
    if (!TIFFIsCODECConfigured(page->compression)) return ci_fail(error, CI_CODEC, "TIFF compression %u", page->compression);
    return CI_OK;
}

enum { max_band_side = 1 << 20 };

/* Libtiff knows predictors of compressed samples alone; others are undone here. */
static ci_status check_predictor(ci_tiff *t, uint32_t index, uint32_t slice, const ci_tiff_page *page, grid *g, ci_error *error) {
    ci_tiff_value value;
    if (ci_tiff_tag(t, index, TIFFTAG_PREDICTOR, &value, error) != CI_OK) return error->status;
    if (value.bytes == NULL) return CI_OK;
    uint64_t predictor = value.size >= 2 ? number(value.bytes, 2, t->big_endian) : value.bytes[0];
    free(value.bytes);
    if (predictor == PREDICTOR_NONE) return CI_OK;
    g->differences = 1;
    if (predictor == PREDICTOR_HORIZONTAL && page->bits >= 8 && page->photometric != PHOTOMETRIC_YCBCR && slice == 0) return CI_OK;
    return ci_fail(error, CI_CODEC, "predictor %u on uncompressed samples of %u bits", (unsigned)predictor, page->bits);
}

/* Describes a page and how it is read, all of its rows; everything that can be refused before its pixels are looked at is. */
static ci_status prepare(ci_tiff *t, uint32_t index, uint32_t slice, ci_tiff_page *page, grid *g, ci_error *error) {
    if (ci_tiff_describe(t, index, page, error) != CI_OK) return error->status;
    if (ci_tiff_is_read(page, error) != CI_OK) return error->status;
    int ycbcr = page->photometric == PHOTOMETRIC_YCBCR, jpeg = page->compression == COMPRESSION_JPEG;
    *g = (grid){.subsampled = ycbcr && !jpeg, .slice = slice, .how = page_colours(t->tiff), .to = page->rows};
    if (ycbcr && (jpeg ? !is_jfif(&g->how) : !makes_colours(&g->how))) {
        return ci_fail(error, CI_UNSUPPORTED, "is YCbCr of other coefficients or another range than its decoder knows");
    }
    if (page->compression == COMPRESSION_NONE && check_predictor(t, index, slice, page, g, error) != CI_OK) return error->status;
    if (ycbcr && jpeg) TIFFSetField(t->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    return CI_OK;
}

/* A picture behind that of the page, without a directory of its own. */
static int follows(const ci_tiff_page *page, const grid *g) { return g->slice > 0 && page->depth == 1; }

/* The rows that `g`, which has been measured, names; or the picture that follows. */
static ci_status read_rows(ci_tiff *t, const ci_tiff_page *page, grid *g, uint8_t **pixels, size_t *size, ci_error *error) {
    *pixels = calloc(*size, 1); /* untouched pages of a lying header cost nothing */
    if (*pixels == NULL) return ci_fail(error, CI_MEMORY, "no memory for %zu bytes of pixels", *size);
    ci_status status = follows(page, g) ? read_following(t, page, g->slice, *pixels, error)
                                        : read_blocks(t, page, g, *pixels, size, error);
    if (status == CI_OK) return CI_OK;
    free(*pixels);
    *pixels = NULL;
    return status;
}

ci_status ci_tiff_pixels(ci_tiff *t, uint32_t index, uint32_t slice, uint8_t **pixels, size_t *size, ci_error *error) {
    ci_tiff_page page;
    grid g;
    if (prepare(t, index, slice, &page, &g, error) != CI_OK) return error->status;
    if (ci_check_size(&t->limits, page.rows, page.columns, page.samples, sample_bytes(page.bits), size, error)) {
        return error->status;
    }
    if (!follows(&page, &g) && measure_grid(t, &page, &g, error) != CI_OK) return error->status;
    return read_rows(t, &page, &g, pixels, size, error);
}

ci_status ci_tiff_piece_rows(ci_tiff *t, uint32_t index, uint32_t *rows, ci_error *error) {
    ci_tiff_page page;
    grid g;
    if (prepare(t, index, 0, &page, &g, error) != CI_OK || measure_grid(t, &page, &g, error) != CI_OK) return error->status;
    *rows = smaller(g.height, page.rows);
    return CI_OK;
}

ci_status ci_tiff_rows(ci_tiff *t, uint32_t index, uint32_t first, uint32_t count, uint8_t **pixels, size_t *size,
                       ci_error *error) {
    ci_tiff_page page;
    grid g;
    if (prepare(t, index, 0, &page, &g, error) != CI_OK || measure_grid(t, &page, &g, error) != CI_OK) return error->status;
    if (first >= page.rows || count == 0 || count > page.rows - first || first % g.height != 0 ||
        ((first + count) % g.height != 0 && first + count != page.rows)) {
        return ci_fail(error, CI_CORRUPT, "has no strips or tiles of rows %u to %u", first, first + count);
    }
    g.from = first;
    g.to = first + count;
    /* Slides are wider than any picture that is held as a whole. */
    ci_limits limits = t->limits;
    limits.max_side = max_band_side;
    if (ci_check_size(&limits, count, page.columns, page.samples, sample_bytes(page.bits), size, error)) {
        return error->status;
    }
    return read_rows(t, &page, &g, pixels, size, error);
}
