#include "private.h"
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* libpng leaves a failed call by longjmp to its own buffer; everything that must survive it lives in this struct. */
typedef struct {
    png_structp png;
    png_infop info;
    FILE *file;
    png_bytep *rows;
    ci_memory memory;
    const ci_limits *limits;
    int stored; /* indices and few bits as they are */
    double start;
    ci_error *error;
} state;

static void on_error(png_structp png, png_const_charp text) {
    state *s = png_get_error_ptr(png);
    if (s->error->status == CI_OK) {
        int ended = strstr(text, "Read Error") != NULL || strstr(text, "Not enough") != NULL;
        ci_fail(s->error, ended ? CI_TRUNCATED : CI_CORRUPT, "%s", text);
    }
    png_longjmp(png, 1);
}

/* Libpng passes over what it can do without. That is not a scale that is damaged or stands there twice, nor rows for which the picture
   has no room. */
static void on_warning(png_structp png, png_const_charp text) {
    if (strncmp(text, "pHYs:", 5) == 0 || strstr(text, "Too much image data") != NULL) on_error(png, text);
}

/* After each row of each pass. */
static void on_row(png_structp png, png_uint_32 row, int pass) {
    (void)row, (void)pass;
    state *s = png_get_error_ptr(png);
    if (ci_check_time(s->limits, s->start, s->error) != CI_OK) png_longjmp(png, 1);
}

/* Chunks that are not read are not unpacked either: each compressed text or profile could be 64 MiB of work. */
static const png_byte skipped_chunks[] =
    "bKGD\0cHRM\0cICP\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0sBIT\0sCAL\0sPLT\0sRGB\0sTER\0tEXt\0tIME\0zTXt";

static void copy_palette(png_structp png, png_infop info, ci_image *image) {
    png_colorp entries = NULL;
    int count = 0;
    if (png_get_color_type(png, info) != PNG_COLOR_TYPE_PALETTE || !png_get_PLTE(png, info, &entries, &count)) return;
    image->palette_entries = (uint16_t)count;
    for (int i = 0; i < count && i < 256; i++) {
        image->palette[3 * i] = entries[i].red;
        image->palette[3 * i + 1] = entries[i].green;
        image->palette[3 * i + 2] = entries[i].blue;
    }
}

/* Indices must be those of the palette (PNG, third edition, 11.2.2); libpng takes others for black. */
static void check_indices(state *s, const ci_image *image) {
    for (size_t i = 0; i < image->size; i++) {
        if (image->pixels[i] < image->palette_entries) continue;
        ci_fail(s->error, CI_CORRUPT, "has the index %u in a palette of %u colours", image->pixels[i], image->palette_entries);
        png_longjmp(s->png, 1);
    }
}

/* Indices to the colours of the palette. */
static void resolve_palette(state *s, ci_image *image) {
    uint8_t *colours = malloc(3 * image->size);
    if (colours == NULL) {
        ci_fail(s->error, CI_MEMORY, "no memory for %zu bytes of pixels", 3 * image->size);
        png_longjmp(s->png, 1);
    }
    for (size_t i = 0; i < image->size; i++) memcpy(colours + 3 * i, image->palette + 3 * image->pixels[i], 3);
    free(image->pixels);
    image->pixels = colours;
    image->size *= 3;
    image->samples = 3;
    image->palette_entries = 0;
}

/* What is drawn where in a picture with transparency: whether its colours alone say it. */
typedef struct {
    int coloured, transparent, opaque, coloured_transparent;
} coverage;

static void cover(coverage *c, int is_coloured, int is_transparent) {
    c->coloured |= is_coloured;
    c->transparent |= is_transparent;
    c->opaque |= !is_transparent;
    c->coloured_transparent |= is_coloured && is_transparent;
}

static int contradicts(const coverage *c) {
    return c->coloured_transparent || (!c->coloured && c->transparent && c->opaque);
}

static int is_zero(const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0) return 0;
    }
    return 1;
}

/* Takes the last sample of each pixel, alpha, away. */
static void split_alpha(ci_image *image) {
    size_t width = image->bits / 8, colours = (image->samples - 1) * width, stride = image->samples * width;
    uint8_t first[2] = {0};
    memcpy(first, image->pixels + colours, width);
    coverage found = {0};
    for (size_t i = 0; i * stride < image->size; i++) {
        const uint8_t *pixel = image->pixels + i * stride;
        image->alpha_differs |= memcmp(pixel + colours, first, width) != 0;
        cover(&found, !is_zero(pixel, colours), is_zero(pixel + colours, width));
        memmove(image->pixels + i * colours, pixel, colours);
    }
    image->alpha_contradicts = contradicts(&found);
    image->size = image->size / image->samples * (image->samples - 1);
    image->samples--;
}

/* Of a palette some entries, of grey and RGB one colour may be transparent. Samples of fewer than 8 bits stand as they are stored, or,
   `scale` times as large, as they are shown. */
static void look_at_transparency(state *s, ci_image *image, unsigned scale) {
    png_bytep entries = NULL;
    png_color_16p colour = NULL;
    int count = 0;
    if (!png_get_tRNS(s->png, s->info, &entries, &count, &colour)) return;
    coverage found = {0};
    size_t stride = image->samples * (image->bits / 8);
    int begins_black = is_zero(image->palette, 3), first = -1;
    for (size_t i = 0; i * stride < image->size; i++) {
        const uint8_t *pixel = image->pixels + i * stride;
        int alpha = 255;
        if (image->palette_entries > 0) {
            int is_coloured = begins_black ? *pixel > 0 : !is_zero(image->palette + 3 * *pixel, 3);
            if (*pixel < count) alpha = entries[*pixel];
            cover(&found, is_coloured, alpha == 0);
        } else {
            int is_transparent = 1;
            const png_uint_16 wanted[3] = {image->samples == 1 ? colour->gray : colour->red, colour->green, colour->blue};
            for (uint16_t sample = 0; sample < image->samples; sample++) {
                uint16_t value = pixel[sample];
                if (image->bits == 16) memcpy(&value, pixel + 2 * sample, 2);
                is_transparent &= value == wanted[sample] * scale;
            }
            if (is_transparent) alpha = 0;
            cover(&found, !is_zero(pixel, stride), is_transparent);
        }
        if (first < 0) first = alpha;
        image->alpha_differs |= alpha != first;
    }
    image->alpha_contradicts = contradicts(&found);
}

static void read_body(state *s, const ci_limits *limits, ci_image *image) {
    png_structp png = s->png;
    png_infop info = s->info;
    png_init_io(png, s->file);
    // Our own limit is looked at below: libpng's would be told as damage.
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(png, 1u << 20);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped_chunks, sizeof skipped_chunks / 5);
    png_set_read_status_fn(png, on_row);
    png_read_info(png, info);
    size_t least = 0; /* bytes, before a row is made room for */
    if (ci_check_size(limits, png_get_image_height(png, info), png_get_image_width(png, info), 1, 1, &least, s->error)) {
        png_longjmp(png, 1);
    }

    int colour = png_get_color_type(png, info);
    image->alpha_dropped = (colour & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    int is_palette = colour == PNG_COLOR_TYPE_PALETTE, has_alpha = (colour & PNG_COLOR_MASK_ALPHA) != 0;
    unsigned scale = 1;
    if (s->stored || is_palette) {
        png_set_packing(png);
        copy_palette(png, info, image);
    } else {
        unsigned depth = png_get_bit_depth(png, info);
        if (depth < 8) {
            png_set_expand_gray_1_2_4_to_8(png);
            scale = 255 / ((1u << depth) - 1);
        }
    }
    if (png_get_bit_depth(png, info) == 16) png_set_swap(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);

    image->rows = png_get_image_height(png, info);
    image->columns = png_get_image_width(png, info);
    image->samples = png_get_channels(png, info);
    image->bits = png_get_bit_depth(png, info);
    image->rows_per_metre = png_get_y_pixels_per_meter(png, info);
    image->columns_per_metre = png_get_x_pixels_per_meter(png, info);
    png_uint_32 across = 0, down = 0;
    int unit = PNG_RESOLUTION_UNKNOWN;
    if (png_get_pHYs(png, info, &across, &down, &unit) != 0 && unit == PNG_RESOLUTION_UNKNOWN) {
        image->rows_per_unit = down;
        image->columns_per_unit = across;
    }
    int resolves = is_palette && !s->stored;
    uint16_t samples = resolves ? 3 : (uint16_t)(image->samples - has_alpha);
    size_t shown = 0; /* bytes of the picture that is given back */
    if (ci_check_size(limits, image->rows, image->columns, samples, image->bits / 8, &shown, s->error)) png_longjmp(png, 1);
    size_t stride = (size_t)image->columns * image->samples * (image->bits / 8);
    image->size = stride * image->rows;
    if (ci_check_memory(limits, image->size + (resolves ? shown : 0) + (uint64_t)image->rows * sizeof *s->rows, s->error)) {
        png_longjmp(png, 1);
    }
    if (png_get_rowbytes(png, info) != stride) png_error(png, "rows of an unexpected length");
    image->pixels = calloc(image->size, 1);
    s->rows = calloc(image->rows, sizeof *s->rows);
    if (image->pixels == NULL || s->rows == NULL) {
        ci_fail(s->error, CI_MEMORY, "no memory for %zu bytes of pixels", image->size);
        png_longjmp(png, 1);
    }
    for (size_t row = 0; row < image->rows; row++) s->rows[row] = image->pixels + row * stride;
    png_read_image(png, s->rows);
    png_read_end(png, NULL);
    if (is_palette) check_indices(s, image);
    if (has_alpha) split_alpha(image);
    look_at_transparency(s, image, scale);
    if (resolves) resolve_palette(s, image);
}

static ci_status read_png(const ci_source *source, const ci_limits *limits, int stored, ci_image *image, ci_error *error) {
    memset(image, 0, sizeof *image);
    error->status = CI_OK;
    state *s = calloc(1, sizeof *s);
    if (s == NULL) return ci_fail(error, CI_MEMORY, "no memory");
    s->error = error;
    s->limits = limits;
    s->stored = stored;
    s->start = ci_thread_seconds();
    uint8_t *bytes;
    s->file = ci_open_source(source, limits, &bytes, error);
    if (s->file != NULL) {
        s->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
        s->info = s->png ? png_create_info_struct(s->png) : NULL;
        if (s->info == NULL) {
            ci_fail(error, CI_MEMORY, "no memory");
        } else if (setjmp(png_jmpbuf(s->png)) == 0) {
            read_body(s, limits, image);
        }
        png_destroy_read_struct(&s->png, &s->info, NULL);
        fclose(s->file);
    }
    free(bytes);
    free(s->rows);
    free(s);
    if (error->status != CI_OK) ci_image_free(image);
    return error->status;
}

ci_status ci_png_read(const ci_source *source, const ci_limits *limits, ci_image *image, ci_error *error) {
    return read_png(source, limits, 0, image, error);
}

ci_status ci_png_read_stored(const ci_source *source, const ci_limits *limits, ci_image *image, ci_error *error) {
    return read_png(source, limits, 1, image, error);
}

static void write_bytes(png_structp png, png_bytep bytes, png_size_t size) {
    state *s = png_get_io_ptr(png);
    if (!ci_memory_write(&s->memory, bytes, size)) png_error(png, "no memory");
}

static void flush_bytes(png_structp png) { (void)png; }

static void write_body(state *s, const ci_image *image) {
    png_structp png = s->png;
    png_set_write_fn(png, s, write_bytes, flush_bytes);
    // Pictures of a report are most of what is written: half the time of zlib's own level, and a page is 7 to 15 % larger.
    png_set_compression_level(png, 3);
    png_set_IHDR(png, s->info, image->columns, image->rows, image->bits,
                 image->samples == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (image->rows_per_metre > 0 && image->columns_per_metre > 0) {
        png_set_pHYs(png, s->info, (png_uint_32)(image->columns_per_metre + 0.5),
                     (png_uint_32)(image->rows_per_metre + 0.5), PNG_RESOLUTION_METER);
    }
    png_write_info(png, s->info);
    if (image->bits == 16) png_set_swap(png);
    size_t stride = (size_t)image->columns * image->samples * (image->bits / 8);
    for (size_t row = 0; row < image->rows; row++) png_write_row(png, image->pixels + row * stride);
    png_write_end(png, NULL);
}

ci_status ci_png_encode(const ci_image *image, uint8_t **bytes, size_t *size, ci_error *error) {
    error->status = CI_OK;
    state *s = calloc(1, sizeof *s);
    if (s == NULL) return ci_fail(error, CI_MEMORY, "no memory");
    s->error = error;
    s->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
    s->info = s->png ? png_create_info_struct(s->png) : NULL;
    if (s->info == NULL) {
        ci_fail(error, CI_MEMORY, "no memory");
    } else if (setjmp(png_jmpbuf(s->png)) == 0) {
        write_body(s, image);
    }
    png_destroy_write_struct(&s->png, &s->info);
    if (error->status == CI_OK) {
        *bytes = s->memory.bytes;
        *size = s->memory.size;
    } else {
        free(s->memory.bytes);
    }
    free(s);
    return error->status;
}
