#include "tiff_private.h"
#include <stdlib.h>
#include <string.h>

// MARK: What is handed to libtiff's decoders

/* Which forms are read, by compression (`docs/tiff-support.md`); everything else is refused before a decoder sees a byte of it. */
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
    g->bytes = ci_block_bytes(page, g->subsampled, g->width, g->height, page->samples / planes);
    tmsize_t room = g->tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    if (room <= 0 || (uint64_t)room != g->bytes) {
        return ci_fail(error, CI_CORRUPT, "has strips or tiles of an impossible size");
    }
    return CI_OK;
}

static ci_status read_blocks(ci_tiff *t, const ci_tiff_page *page, grid *g, uint8_t *pixels, const size_t *pixel_bytes,
                             ci_error *error) {
    double start = ci_thread_seconds();
    uint64_t impossible = 0;
    TIFF *tiff = t->tiff;
    uint16_t planes = page->planar ? page->samples : 1;
    block b = {.samples = page->samples / planes};
    b.stride = (size_t)ci_block_bytes(page, 0, g->width, 1, b.samples);
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
                if (ci_check_piece(t, piece, error) != CI_OK) break;
                if (page->compression == COMPRESSION_JBIG &&
                    ci_check_jbig(t, piece, g->width, g->tiled ? g->height : b.rows, error) != CI_OK) {
                    break;
                }
                t->said[0] = t->passed[0] = t->improper[0] = 0;
                t->jpeg_warned = 0;
                tmsize_t got = read_piece(tiff, g, piece, buffer);
                block at = b;
                at.row -= g->from;
                if (got < 0) {
                    ci_fail(error, CI_CODEC, "%s", t->said[0] ? t->said : "a strip cannot be decoded");
                } else if (ci_check_damage(t, page, piece, &b, start, error) != CI_OK) {
                    break;
                } else if (g->subsampled) {
                    ci_place_ycbcr(&at, (size_t)got, page, &g->how, g->width, pixels, &impossible, error);
                } else if ((size_t)got < b.stride * b.rows) {
                    ci_fail(error, CI_TRUNCATED, "a strip holds %lld bytes instead of %zu", (long long)got,
                            b.stride * b.rows);
                } else {
                    /* Samples of three bytes are packed bits, the highest first in files of either order; libtiff has turned
                       those of the other order round. */
                    ci_place(&at, page, !TIFFIsByteSwapped(tiff), pixels);
                    if (g->differences) ci_add_left(&at, page, pixels);
                    ci_check_time(&t->limits, start, error);
                }
            }
        }
    }
    free(buffer);
    if (error->status == CI_OK) ci_check_ycbcr(impossible, (uint64_t)page->columns * (g->to - g->from), error);
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
    b.stride = (size_t)ci_block_bytes(page, 0, page->columns, 1, b.samples);
    for (uint16_t plane = 0; plane < planes; plane++) {
        b.first = plane;
        b.bytes = buffer + b.stride * page->rows * plane;
        ci_place(&b, page, 1, pixels);
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
    *g = (grid){.subsampled = ycbcr && !jpeg, .slice = slice, .how = ci_page_colours(t->tiff), .to = page->rows};
    if (ycbcr && (jpeg ? !ci_is_jfif(&g->how) : !ci_makes_colours(&g->how))) {
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
