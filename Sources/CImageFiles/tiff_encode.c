#include "private.h"
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

/* libtiff writes through these to memory; a file becomes visible only when whole, and that is another room's work. */
static tmsize_t read_memory(thandle_t handle, void *bytes, tmsize_t size) {
    ci_memory *m = handle;
    size_t left = m->position < m->size ? m->size - m->position : 0;
    size_t count = (size_t)size < left ? (size_t)size : left;
    memcpy(bytes, m->bytes + m->position, count);
    m->position += count;
    return (tmsize_t)count;
}

static tmsize_t write_memory(thandle_t handle, void *bytes, tmsize_t size) {
    return ci_memory_write(handle, bytes, (size_t)size) ? size : -1;
}

static toff_t seek_memory(thandle_t handle, toff_t offset, int from) {
    ci_memory *m = handle;
    m->position = from == SEEK_SET ? offset : from == SEEK_CUR ? m->position + offset : m->size + offset;
    return m->position;
}

static int close_memory(thandle_t handle) { (void)handle; return 0; }
static toff_t size_memory(thandle_t handle) { return ((ci_memory *)handle)->size; }

static int quiet(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)user, (void)module, (void)format, (void)arguments;
    return 1;
}

static int write_page(TIFF *tiff, const ci_image *page) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page->columns);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page->rows);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, page->samples);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, page->bits);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, page->rows);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, page->samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    if (page->rows_per_metre > 0 && page->columns_per_metre > 0) {
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, page->columns_per_metre / 100);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, page->rows_per_metre / 100);
    }
    return TIFFWriteEncodedStrip(tiff, 0, page->pixels, (tmsize_t)page->size) == (tmsize_t)page->size &&
           TIFFWriteDirectory(tiff);
}

ci_status ci_tiff_encode(const ci_image *pages, size_t count, uint8_t **bytes, size_t *size, ci_error *error) {
    error->status = CI_OK;
    ci_memory memory = {0};
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) return ci_fail(error, CI_MEMORY, "no memory");
    TIFFOpenOptionsSetErrorHandlerExtR(options, quiet, NULL);
    TIFFOpenOptionsSetWarningHandlerExtR(options, quiet, NULL);
    TIFF *tiff = TIFFClientOpenExt("image", "wlm", &memory, read_memory, write_memory, seek_memory, close_memory,
                                   size_memory, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    if (tiff == NULL) return ci_fail(error, CI_MEMORY, "no memory");
    for (size_t i = 0; i < count && error->status == CI_OK; i++) {
        if (!write_page(tiff, &pages[i])) ci_fail(error, CI_MEMORY, "page %zu cannot be written", i + 1);
    }
    TIFFClose(tiff);
    if (error->status != CI_OK) {
        free(memory.bytes);
        return error->status;
    }
    *bytes = memory.bytes;
    *size = memory.size;
    return CI_OK;
}
