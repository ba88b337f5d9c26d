#include "tiff_private.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The bytes of a strip or tile of `rows` rows by our own arithmetic. All factors are below 2^16 but for two below 2^32. */
uint64_t ci_block_bytes(const ci_tiff_page *page, int subsampled, uint32_t width, uint32_t rows, uint16_t samples) {
    if (subsampled) {
        uint64_t h = page->subsampling_x, v = page->subsampling_y;
        return ((width + h - 1) / h) * ((rows + v - 1) / v) * (h * v + 2);
    }
    return ((uint64_t)width * samples * page->bits + 7) / 8 * rows;
}

/* libjbig ends the process when it cannot have the memory that a JBIG header asks for: the header must be the strip's own
   (ISO 11544, 6.2.1: layers, planes, width and height in bytes 0 to 11). */
ci_status ci_check_jbig(ci_tiff *t, uint32_t piece, uint32_t width, uint32_t rows, ci_error *error) {
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

/* What a strip or tile has in the file: a decoder's word on too few bytes is not that of a file which ends. */
ci_status ci_check_piece(ci_tiff *t, uint32_t piece, ci_error *error) {
    uint64_t offset = TIFFGetStrileOffset(t->tiff, piece), count = TIFFGetStrileByteCount(t->tiff, piece);
    /* An offset into the header is that of no data, which sparse files leave out. */
    if (count == 0 || offset < header_bytes(t)) return ci_fail(error, CI_TRUNCATED, "a strip has no data");
    if (offset > t->source.size || count > t->source.size - offset) {
        return ci_fail(error, CI_TRUNCATED, "a strip lies beyond the end of the file");
    }
    return CI_OK;
}

// MARK: What a decoder has passed over

/* libjpeg tells the first of its warnings alone, which may be a harmless one: a strip or tile of which it told any is decoded again
   under the rules for files (jpeg.c), which see all of them. */
static ci_status check_jpeg(ci_tiff *t, uint32_t piece, ci_error *error) {
    uint64_t offset = TIFFGetStrileOffset(t->tiff, piece), size = TIFFGetStrileByteCount(t->tiff, piece);
    if (ci_check_memory(&t->limits, size, error) != CI_OK) return error->status;
    uint32_t table_bytes = 0;
    void *tables = NULL;
    if (!TIFFGetField(t->tiff, TIFFTAG_JPEGTABLES, &table_bytes, &tables) || tables == NULL) table_bytes = 0;
    uint8_t *bytes = malloc((size_t)size);
    if (bytes == NULL) return ci_fail(error, CI_MEMORY, "no memory for a strip of %llu bytes", (unsigned long long)size);
    if (bytes_at(t, offset, bytes, (size_t)size)) {
        ci_jpeg_check(tables, table_bytes, bytes, (size_t)size, &t->limits, error);
    } else {
        ci_fail(error, CI_TRUNCATED, "a strip cannot be read");
    }
    free(bytes);
    return error->status;
}

/* libtiff stops where a strip or tile is full, and then does not look at the checksum behind its data (Adler-32, RFC 1950): damage
   that makes them longer would pass. Data for more rows than the last strip has are none: some fill it up.
   Cost: about as long as decoding it. */
static ci_status check_deflate(ci_tiff *t, uint32_t piece, double start, ci_error *error) {
    enum { part = 1 << 16 };
    uint64_t offset = TIFFGetStrileOffset(t->tiff, piece), left = TIFFGetStrileByteCount(t->tiff, piece);
    int is_reversed = field16(t->tiff, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB) == FILLORDER_LSB2MSB;
    z_stream z = {0};
    uint8_t *packed = malloc(2 * part);
    if (packed == NULL || inflateInit(&z) != Z_OK) {
        free(packed);
        return ci_fail(error, CI_MEMORY, "no memory");
    }
    int result = Z_OK;
    while (result == Z_OK && ci_check_time(&t->limits, start, error) == CI_OK) {
        if (z.avail_in == 0 && left > 0) {
            size_t count = left < part ? (size_t)left : part;
            if (!bytes_at(t, offset, packed, count)) break;
            if (is_reversed) TIFFReverseBits(packed, (tmsize_t)count);
            offset += count, left -= count;
            z.next_in = packed, z.avail_in = (uInt)count;
        }
        z.next_out = packed + part, z.avail_out = part;
        result = inflate(&z, Z_NO_FLUSH);
    }
    inflateEnd(&z);
    free(packed);
    if (error->status != CI_OK || result == Z_STREAM_END) return error->status;
    if (result == Z_OK) return ci_fail(error, CI_TRUNCATED, "a strip cannot be read");
    if (result == Z_MEM_ERROR) return ci_fail(error, CI_MEMORY, "no memory");
    if (result == Z_BUF_ERROR) return ci_fail(error, CI_TRUNCATED, "the deflated data of a strip or tile end before their checksum");
    return ci_fail(error, CI_CORRUPT, "a strip or tile is not what was deflated: its checksum is wrong");
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

ci_status ci_check_damage(ci_tiff *t, const ci_tiff_page *page, uint32_t piece, const block *b, double start, ci_error *error) {
    if (t->said[0]) return ci_fail(error, CI_CODEC, "%s", t->said);
    if (t->passed[0]) return ci_fail(error, CI_CORRUPT, "%s", t->passed);
    unsigned long n[4];
    /* "Improper JPEG strip/tile size, expected %ux%u, got %ux%u": some write the last tiles as large as what is seen of them. */
    if (numbers_in(t->improper, "Improper JPEG", n, 4) && (n[2] < b->columns || n[3] < b->rows)) {
        return ci_fail(error, CI_TRUNCATED, "a strip or tile holds %lu x %lu pixels, and %u x %u of it are seen", n[3], n[2],
                       b->rows, b->columns);
    }
    switch (page->compression) {
    case COMPRESSION_JPEG: return t->jpeg_warned ? check_jpeg(t, piece, error) : CI_OK;
    case COMPRESSION_ADOBE_DEFLATE: case COMPRESSION_DEFLATE: return check_deflate(t, piece, start, error);
    default: return CI_OK;
    }
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
    uint64_t row = ci_block_bytes(&page, 0, width, 1, page.samples / planes), slack = row > 4 ? row : 4;
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
