#include "tiff_private.h"
#include <stdlib.h>
#include <string.h>

/* Handlers a handle: the global ones would print, and would be shared between threads. 1 = dealt with. */
static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)module;
    ci_tiff *t = user;
    if (t->said[0] == 0) vsnprintf(t->said, sizeof t->said, format, arguments);
    return 1;
}

/* Warnings tell of pixels that are not those of the picture: lines of facsimile that are too long or too short, PackBits for more than
   there is room, too small a JPEG, and what libjpeg says of its data, which is looked at again (tiff_damage.c). Others are of tags. */
static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff;
    ci_tiff *t = user;
    if (module == NULL) return 1;
    if (strcmp(module, "JPEGLib") == 0) {
        t->jpeg_warned = 1;
    } else if (strcmp(module, "JPEGPreDecode") == 0) {
        if (strncmp(format, "Improper", 8) == 0) vsnprintf(t->improper, sizeof t->improper, format, arguments);
    } else if (t->passed[0] == 0 && (strncmp(module, "Fax", 3) == 0 || strcmp(module, "PackBitsDecode") == 0)) {
        vsnprintf(t->passed, sizeof t->passed, format, arguments);
    }
    return 1;
}

// MARK: The chain of directories

/* Room for one offset more. */
static int make_room(ci_tiff *t) {
    if (t->total < t->capacity) return 1;
    uint32_t capacity = t->capacity == 0 ? 16 : t->capacity * 2;
    uint64_t *grown = realloc(t->offsets, capacity * sizeof *grown);
    if (grown == NULL) return 0;
    t->offsets = grown;
    t->capacity = capacity;
    return 1;
}

/* Our own walk, because a loop must be told from an end and pages must be reached without counting from the first. */
static ci_status walk(ci_tiff *t, ci_error *error) {
    uint8_t head[16];
    if (!bytes_at(t, 0, head, 8)) return ci_fail(error, CI_TRUNCATED, "ends inside the TIFF header");
    int big_endian = head[0] == 'M';
    int is_big = number(head + 2, 2, big_endian) == 43;
    if (is_big && !bytes_at(t, 0, head, 16)) return ci_fail(error, CI_TRUNCATED, "ends inside the BigTIFF header");
    t->big_endian = big_endian;
    t->is_big = is_big;
    uint64_t offset = is_big ? number(head + 8, 8, big_endian) : number(head + 4, 4, big_endian);
    while (offset != 0) {
        for (uint32_t i = 0; i < t->count; i++) {
            if (t->offsets[i] == offset) {
                return ci_fail(error, CI_CORRUPT, "page %u leads back to page %u: its directories form a loop",
                               t->count, i + 1);
            }
        }
        if (t->count == t->limits.max_pages) return ci_fail(error, CI_LIMIT, "has more than %u pages", t->count);
        if (!make_room(t)) return ci_fail(error, CI_MEMORY, "no memory");
        uint8_t bytes[8];
        uint64_t entries, size = is_big ? 8 : 2, entry = is_big ? 20 : 12;
        if (!bytes_at(t, offset, bytes, size)) {
            return ci_fail(error, CI_TRUNCATED, "the directory of page %u lies outside the file", t->count + 1);
        }
        entries = number(bytes, (int)size, big_endian);
        if (entries > 65535) return ci_fail(error, CI_CORRUPT, "page %u claims %llu tags", t->count + 1,
                                            (unsigned long long)entries);
        t->offsets[t->count++] = offset;
        t->total = t->count;
        /* Files in the field leave the last link out: then this page is the last. */
        if (!bytes_at(t, offset + size + entries * entry, bytes, is_big ? 8 : 4)) break;
        offset = number(bytes, is_big ? 8 : 4, big_endian);
    }
    return t->count == 0 ? ci_fail(error, CI_CORRUPT, "has no page") : CI_OK;
}

// MARK: Opening

/* libtiff reads through these, so that it sees the very file that was opened, and no mapping of it. */
static tmsize_t read_source(thandle_t handle, void *bytes, tmsize_t size) {
    ci_tiff *t = handle;
    if (size < 0) return -1;
    uint64_t left = t->position < t->source.size ? t->source.size - t->position : 0;
    size_t count = (uint64_t)size < left ? (size_t)size : (size_t)left;
    if (count > 0 && !t->source.read(t->source.context, t->position, bytes, count)) return -1;
    t->position += count;
    return (tmsize_t)count;
}

static tmsize_t write_nothing(thandle_t handle, void *bytes, tmsize_t size) { return (void)handle, (void)bytes, (void)size, -1; }

static toff_t seek_source(thandle_t handle, toff_t offset, int from) {
    ci_tiff *t = handle;
    t->position = from == SEEK_SET ? offset : from == SEEK_CUR ? t->position + offset : t->source.size + offset;
    return t->position;
}

static int close_nothing(thandle_t handle) { return (void)handle, 0; }
static toff_t size_source(thandle_t handle) { return ((ci_tiff *)handle)->source.size; }

ci_status ci_tiff_open(const ci_source *source, const ci_limits *limits, ci_tiff **tiff, ci_error *error) {
    error->status = CI_OK;
    ci_tiff *t = calloc(1, sizeof *t);
    if (t == NULL) return ci_fail(error, CI_MEMORY, "no memory");
    t->limits = *limits;
    t->source = *source;
    if (walk(t, error) != CI_OK) {
        ci_tiff_close(t);
        return error->status;
    }
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options != NULL) {
        TIFFOpenOptionsSetMaxSingleMemAlloc(options, 256 << 20);
        TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, t);
        TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, t);
        /* h: the first directory is read by describe, not here; m: no mapping. */
        t->tiff = TIFFClientOpenExt("image", "rhm", t, read_source, write_nothing, seek_source, close_nothing, size_source,
                                    NULL, NULL, options);
        TIFFOpenOptionsFree(options);
    }
    if (t->tiff == NULL) {
        ci_fail(error, CI_CORRUPT, "%s", t->said[0] ? t->said : "cannot be opened as a TIFF");
        ci_tiff_close(t);
        return error->status;
    }
    *tiff = t;
    return CI_OK;
}

void ci_tiff_close(ci_tiff *t) {
    if (t == NULL) return;
    if (t->tiff != NULL) TIFFClose(t->tiff);
    free(t->offsets);
    free(t);
}

uint32_t ci_tiff_count(const ci_tiff *t) { return t->count; }

// MARK: Tags

static double resolution(TIFF *tiff, uint32_t tag) {
    float value = 0;
    return TIFFGetField(tiff, tag, &value) && value > 0 && value < 1e9f ? value : 0;
}

ci_status ci_tiff_describe(ci_tiff *t, uint32_t index, ci_tiff_page *page, ci_error *error) {
    memset(page, 0, sizeof *page);
    error->status = CI_OK;
    t->said[0] = 0;
    if (index >= t->total || !TIFFSetSubDirectory(t->tiff, t->offsets[index])) {
        return ci_fail(error, CI_CORRUPT, "page %u: %s", index + 1, t->said[0] ? t->said : "no such directory");
    }
    TIFF *tiff = t->tiff;
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page->rows);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page->columns);
    TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &page->subfile);
    page->samples = field16(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    page->bits = field16(tiff, TIFFTAG_BITSPERSAMPLE, 1);
    page->format = field16(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    page->compression = field16(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    page->orientation = field16(tiff, TIFFTAG_ORIENTATION, 1);
    page->unit = field16(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    page->planar = field16(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
    page->has_photometric = TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page->photometric);
    page->x_resolution = resolution(tiff, TIFFTAG_XRESOLUTION);
    page->y_resolution = resolution(tiff, TIFFTAG_YRESOLUTION);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_YCBCRSUBSAMPLING, &page->subsampling_x, &page->subsampling_y);
    uint16_t extras = 0, *kinds = NULL;
    if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &extras, &kinds) && extras > 0 && kinds != NULL) page->alpha = kinds[0];
    const char *text = NULL;
    if (TIFFGetField(tiff, TIFFTAG_DATETIME, &text) && text != NULL) {
        snprintf(page->date_time, sizeof page->date_time, "%s", text);
    }
    page->depth = 1;
    TIFFGetField(tiff, TIFFTAG_IMAGEDEPTH, &page->depth);
    if (page->depth == 0) page->depth = 1;
    page->tiled = TIFFIsTiled(tiff);
    uint32_t pieces = TIFFIsTiled(tiff) ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
    for (uint32_t i = 0; i < pieces && i < 1u << 20; i++) {
        uint64_t bytes = TIFFGetStrileByteCount(tiff, i);
        if (bytes <= t->source.size) page->compressed_bytes += bytes;
    }
    return CI_OK;
}

enum { max_value_bytes = 16 << 20 };

/* TIFF 6.0 section 2; 13 IFD, 16 LONG8, 17 SLONG8, 18 IFD8. */
static uint64_t type_bytes(uint16_t type) {
    static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
    return type < sizeof sizes ? sizes[type] : 0;
}

ci_status ci_tiff_tag(ci_tiff *t, uint32_t index, uint16_t tag, ci_tiff_value *value, ci_error *error) {
    memset(value, 0, sizeof *value);
    error->status = CI_OK;
    if (index >= t->total) return ci_fail(error, CI_CORRUPT, "page %u: no such directory", index + 1);
    uint8_t bytes[20];
    uint64_t offset = t->offsets[index], head = t->is_big ? 8 : 2, each = t->is_big ? 20 : 12;
    int wide = t->is_big ? 8 : 4;
    if (!bytes_at(t, offset, bytes, head)) return ci_fail(error, CI_TRUNCATED, "the directory of page %u ends", index + 1);
    uint64_t entries = number(bytes, (int)head, t->big_endian);
    for (uint64_t i = 0; i < entries; i++) {
        if (!bytes_at(t, offset + head + i * each, bytes, each)) break;
        if (number(bytes, 2, t->big_endian) != tag) continue;
        uint16_t type = (uint16_t)number(bytes + 2, 2, t->big_endian);
        uint64_t count = number(bytes + 4, wide, t->big_endian), size = type_bytes(type);
        if (size == 0 || count == 0) return CI_OK;
        if (count > max_value_bytes / size) {
            return ci_fail(error, CI_LIMIT, "tag %u of page %u holds more than %d MiB", tag, index + 1, max_value_bytes >> 20);
        }
        size *= count;
        uint8_t *copy = malloc(size);
        if (copy == NULL) return ci_fail(error, CI_MEMORY, "no memory");
        if (size <= (uint64_t)wide) {
            memcpy(copy, bytes + 4 + wide, size);
        } else if (!bytes_at(t, number(bytes + 4 + wide, wide, t->big_endian), copy, size)) {
            free(copy);
            return ci_fail(error, CI_TRUNCATED, "tag %u of page %u lies outside the file", tag, index + 1);
        }
        *value = (ci_tiff_value){.type = type, .big_endian = t->big_endian, .bytes = copy, .size = size};
        return CI_OK;
    }
    return CI_OK;
}

/* What an entry of a directory says: the bytes of its value, or where they stand. */
typedef struct {
    uint16_t tag, type;
    uint64_t count, size; /* of the value; 0: of an unknown type, or more than is looked at */
    uint8_t field[8];
} entry;

static entry entry_at(const ci_tiff *t, const uint8_t *bytes) {
    int wide = t->is_big ? 8 : 4;
    entry e = {.tag = (uint16_t)number(bytes, 2, t->big_endian), .type = (uint16_t)number(bytes + 2, 2, t->big_endian),
               .count = number(bytes + 4, wide, t->big_endian)};
    uint64_t one = type_bytes(e.type);
    e.size = one == 0 || e.count > max_value_bytes / one ? 0 : one * e.count;
    memcpy(e.field, bytes + 4 + wide, (size_t)wide);
    return e;
}

static int is_same(ci_tiff *t, const entry *a, const entry *b) {
    size_t wide = t->is_big ? 8 : 4;
    if (a->count != b->count) return 0;
    /* One whole number (BYTE, SHORT, LONG, LONG8) is the same in any type. */
    static const uint8_t whole[] = {0, 1, 0, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8};
    int one_size = a->type < sizeof whole ? whole[a->type] : 0, other_size = b->type < sizeof whole ? whole[b->type] : 0;
    if (a->count == 1 && one_size > 0 && other_size > 0 && one_size <= (int)wide && other_size <= (int)wide) {
        return number(a->field, one_size, t->big_endian) == number(b->field, other_size, t->big_endian);
    }
    if (a->type != b->type) return 0;
    if (memcmp(a->field, b->field, a->size > 0 && a->size < wide ? (size_t)a->size : wide) == 0) return 1;
    if (a->size <= wide) return 0;
    uint64_t one = number(a->field, (int)wide, t->big_endian), two = number(b->field, (int)wide, t->big_endian);
    for (uint64_t at = 0; at < a->size; at += 512) {
        uint8_t first[512], second[512];
        size_t part = a->size - at < sizeof first ? (size_t)(a->size - at) : sizeof first;
        if (!bytes_at(t, one + at, first, part) || !bytes_at(t, two + at, second, part)) return 0;
        if (memcmp(first, second, part) != 0) return 0;
    }
    return 1;
}

/* Tags that say what a picture is, where its pixels lie, what they mean and how large they are. */
static int is_decisive(uint16_t tag) {
    static const uint16_t tags[] = {
        TIFFTAG_SUBFILETYPE, TIFFTAG_IMAGEWIDTH, TIFFTAG_IMAGELENGTH, TIFFTAG_BITSPERSAMPLE, TIFFTAG_COMPRESSION,
        TIFFTAG_PHOTOMETRIC, TIFFTAG_FILLORDER, TIFFTAG_IMAGEDESCRIPTION, TIFFTAG_STRIPOFFSETS, TIFFTAG_ORIENTATION,
        TIFFTAG_SAMPLESPERPIXEL, TIFFTAG_ROWSPERSTRIP, TIFFTAG_STRIPBYTECOUNTS, TIFFTAG_XRESOLUTION, TIFFTAG_YRESOLUTION,
        TIFFTAG_PLANARCONFIG, TIFFTAG_GROUP3OPTIONS, TIFFTAG_GROUP4OPTIONS, TIFFTAG_RESOLUTIONUNIT, TIFFTAG_PAGENUMBER,
        TIFFTAG_PREDICTOR, TIFFTAG_COLORMAP, TIFFTAG_TILEWIDTH, TIFFTAG_TILELENGTH, TIFFTAG_TILEOFFSETS,
        TIFFTAG_TILEBYTECOUNTS, TIFFTAG_SUBIFD, TIFFTAG_EXTRASAMPLES, TIFFTAG_SAMPLEFORMAT, TIFFTAG_JPEGTABLES,
        TIFFTAG_YCBCRCOEFFICIENTS, TIFFTAG_YCBCRSUBSAMPLING, TIFFTAG_YCBCRPOSITIONING, TIFFTAG_REFERENCEBLACKWHITE,
        TIFFTAG_IMAGEDEPTH, TIFFTAG_TILEDEPTH, TIFFTAG_GDAL_NODATA,
    };
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (tags[i] == tag) return 1;
    }
    return 0;
}

/* The entries of a directory, of which `count` stand in the file, at once; the caller frees them. NULL: there are none, or no memory. */
static uint8_t *read_entries(ci_tiff *t, uint64_t directory, uint64_t *count) {
    uint8_t bytes[8];
    uint64_t head = t->is_big ? 8 : 2, each = t->is_big ? 20 : 12;
    *count = 0;
    if (!bytes_at(t, directory, bytes, (size_t)head)) return NULL;
    uint64_t left = (t->source.size - directory - head) / each, entries = number(bytes, (int)head, t->big_endian);
    if (entries > left) entries = left;
    if (entries == 0 || entries > 65535) return NULL;
    uint8_t *all = malloc((size_t)(entries * each));
    if (all != NULL && bytes_at(t, directory + head, all, (size_t)(entries * each))) {
        *count = entries;
        return all;
    }
    free(all);
    return NULL;
}

/* Compares a decisive tag that stands there again with its first entry. */
static int is_repeated(ci_tiff *t, const uint8_t *entries, const entry *again) {
    size_t each = t->is_big ? 20 : 12;
    entry first = entry_at(t, entries);
    while (first.tag != again->tag) first = entry_at(t, entries += each);
    return is_same(t, &first, again);
}

ci_status ci_tiff_check_tags(ci_tiff *t, uint32_t index, ci_error *error) {
    ci_tiff_page page;
    if (ci_tiff_describe(t, index, &page, error) != CI_OK) return error->status;
    uint64_t count, each = t->is_big ? 20 : 12;
    uint8_t *entries = read_entries(t, t->offsets[index], &count), *times = calloc(65536, 1);
    if (times == NULL) ci_fail(error, CI_MEMORY, "no memory");
    int is_palette = 0;
    for (uint64_t i = 0; i < count && error->status == CI_OK; i++) {
        entry e = entry_at(t, entries + i * each);
        if (e.tag == TIFFTAG_PHOTOMETRIC && e.type == 3 && number(e.field, 2, t->big_endian) == PHOTOMETRIC_PALETTE) {
            is_palette = 1;
        }
        if (!is_decisive(e.tag)) continue;
        times[e.tag]++;
        if (times[e.tag] > 2) {
            ci_fail(error, CI_CORRUPT, "page %u has tag %u again and again", index + 1, e.tag);
        } else if (times[e.tag] == 2 && !is_repeated(t, entries, &e)) {
            ci_fail(error, CI_CORRUPT, "page %u has tag %u twice, with different values", index + 1, e.tag);
        }
    }
    free(entries);
    free(times);
    if (error->status != CI_OK) return error->status;
    /* Libtiff takes such a page for grey. */
    if (is_palette && page.photometric != PHOTOMETRIC_PALETTE) {
        return ci_fail(error, CI_CORRUPT, "page %u is a palette picture without a colour map", index + 1);
    }
    return CI_OK;
}

/* Whether a directory can begin there, and is not one of the pages. */
static int is_new_directory(ci_tiff *t, uint64_t offset) {
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->offsets[i] == offset) return 0;
    }
    uint8_t bytes[8];
    int size = t->is_big ? 8 : 2;
    if (offset == 0 || !bytes_at(t, offset, bytes, (size_t)size)) return 0;
    uint64_t entries = number(bytes, size, t->big_endian);
    return entries > 0 && entries <= 65535;
}

ci_status ci_tiff_subdirectories(ci_tiff *t, uint32_t index, uint32_t *first, uint32_t *count, ci_error *error) {
    *first = t->total;
    *count = 0;
    ci_tiff_value value;
    if (ci_tiff_tag(t, index, TIFFTAG_SUBIFD, &value, error) != CI_OK) return error->status;
    int size = (int)type_bytes(value.type);
    if (size >= 4) {
        for (size_t at = 0; at + (size_t)size <= value.size; at += (size_t)size) {
            uint64_t offset = number(value.bytes + at, size, t->big_endian);
            if (!is_new_directory(t, offset)) continue;
            if (t->total >= t->limits.max_pages) {
                ci_fail(error, CI_LIMIT, "has more than %u pages and directories below them", t->limits.max_pages);
                break;
            }
            if (!make_room(t)) {
                ci_fail(error, CI_MEMORY, "no memory");
                break;
            }
            t->offsets[t->total++] = offset;
            *count += 1;
        }
    }
    free(value.bytes);
    return error->status;
}

ci_status ci_tiff_palette(ci_tiff *t, uint32_t index, uint16_t *map, size_t entries, ci_error *error) {
    ci_tiff_page page;
    if (ci_tiff_describe(t, index, &page, error) != CI_OK) return error->status;
    uint16_t *red, *green, *blue;
    if (page.bits > 16 || entries != (size_t)1 << page.bits ||
        !TIFFGetField(t->tiff, TIFFTAG_COLORMAP, &red, &green, &blue)) {
        return ci_fail(error, CI_CORRUPT, "page %u is a palette picture without a colour map", index + 1);
    }
    memcpy(map, red, entries * 2);
    memcpy(map + entries, green, entries * 2);
    memcpy(map + 2 * entries, blue, entries * 2);
    return CI_OK;
}
