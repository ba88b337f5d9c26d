#include "private.h"
#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* libjpeg ends the process on an error unless told otherwise: it jumps back here. */
typedef struct {
    struct jpeg_error_mgr manager; /* first: libjpeg hands this pointer back */
    jmp_buf back;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct decoder;
    const ci_limits *limits;
    double start;
    const uint8_t *bytes; /* of the whole file */
    size_t size;
    ci_error *error;
} state;

static void leave(state *s, ci_status status, const char *text) {
    ci_fail(s->error, status, "%s", text);
    longjmp(s->back, 1);
}

static void on_error(j_common_ptr common) {
    state *s = (state *)common->err;
    char text[JMSG_LENGTH_MAX];
    s->manager.format_message(common, text);
    leave(s, CI_CORRUPT, text);
}

/* Bytes that belong to no segment. Before the first scan nothing of the picture is lost: cameras fill there. Behind it they are
   data that the picture has no room for, or that were skipped to find the way again, unless they are padding. */
static int is_harmless_gap(const state *s) {
    const struct jpeg_decompress_struct *d = &s->decoder;
    if (d->input_scan_number == 0) return 1;
    size_t count = (size_t)s->manager.msg_parm.i[0], at = (size_t)(d->src->next_input_byte - s->bytes);
    /* At the end of the file the decoder reads bytes of its own. */
    if (d->src->next_input_byte < s->bytes || at > s->size || count > at) return 0;
    return ci_is_padding(s->bytes + at - count, count);
}

/* A warning is damage that libjpeg paints over, with grey or with what it decodes from there on. These three alone are none: a
   colour transform or a revision that libjpeg does not know says nothing of the data, and baseline files with zeros for the
   parameters of a scan are decoded as if they had the only values that there are (jdhuff.c). */
static void on_message(j_common_ptr common, int level) {
    state *s = (state *)common->err;
    if (level >= 0) return;
    switch (s->manager.msg_code) {
    case JWRN_ADOBE_XFORM: case JWRN_JFIF_MAJOR: case JWRN_NOT_SEQUENTIAL: return;
    case JWRN_JPEG_EOF: case JWRN_HIT_MARKER: leave(s, CI_TRUNCATED, "ends before its last row"); break;
    case JWRN_EXTRANEOUS_DATA:
        if (is_harmless_gap(s)) return;
        break;
    default: break;
    }
    on_error(common);
}

/* Called before each row of blocks of each scan: a few bytes can say a thousand scans of a whole picture. */
static void on_progress(j_common_ptr common) {
    state *s = (state *)common->err;
    if (s->decoder.input_scan_number > (int)s->limits->max_scans) {
        ci_fail(s->error, CI_LIMIT, "has more than %u scans", s->limits->max_scans);
        longjmp(s->back, 1);
    }
    if (ci_check_time(s->limits, s->start, s->error) != CI_OK) longjmp(s->back, 1);
}

/* What libjpeg keeps of a picture of several scans: 64 coefficients of two bytes a block, whole units of all components. */
static uint64_t coefficient_bytes(const struct jpeg_decompress_struct *d) {
    uint64_t across = 8 * (uint64_t)d->max_h_samp_factor, down = 8 * (uint64_t)d->max_v_samp_factor, bytes = 0;
    uint64_t units = ((d->image_width + across - 1) / across) * ((d->image_height + down - 1) / down);
    for (int i = 0; i < d->num_components; i++) {
        bytes += units * (uint64_t)(d->comp_info[i].h_samp_factor * d->comp_info[i].v_samp_factor) * 128;
    }
    return bytes;
}

/* Each component has to come, and of a progressive picture each bit of each coefficient: what is missing is shown grey or blurred.
   T.81 (G.1.1) has them come one scan after the other, and no encoder leaves the last ones out. */
static void check_complete(state *s) {
    const struct jpeg_decompress_struct *d = &s->decoder;
    for (int i = 0; i < d->num_components; i++) {
        /* libjpeg keeps the table of a component from its first scan on. */
        if (d->comp_info[i].quant_table == NULL) leave(s, CI_TRUNCATED, "lacks a colour component");
        for (int k = 0; d->coef_bits != NULL && k < DCTSIZE2; k++) {
            if (d->coef_bits[i][k] != 0) leave(s, CI_TRUNCATED, "lacks scans of a progressive JPEG");
        }
    }
}

static void silent(j_common_ptr common) { (void)common; }

static void read_body(state *s, ci_image *image) {
    struct jpeg_decompress_struct *d = &s->decoder;
    jpeg_create_decompress(d);
    d->progress = &s->progress;
    jpeg_mem_src(d, s->bytes, (unsigned long)s->size);
    jpeg_read_header(d, TRUE);
    if (d->arith_code) leave(s, CI_UNSUPPORTED, "is a JPEG with arithmetic coding");
    if (d->data_precision != 8) leave(s, CI_UNSUPPORTED, "is a JPEG of other than 8 bits");
    if (d->num_components != 1 && d->num_components != 3) {
        ci_fail(s->error, CI_UNSUPPORTED, "has %d colour components", d->num_components);
        longjmp(s->back, 1);
    }
    d->out_color_space = d->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    image->rows = d->image_height;
    image->columns = d->image_width;
    image->samples = (uint16_t)d->num_components;
    image->bits = 8;
    if (d->saw_JFIF_marker && d->density_unit != 0) {
        double metre = d->density_unit == 1 ? 1 / 0.0254 : 100;
        image->rows_per_metre = d->Y_density * metre;
        image->columns_per_metre = d->X_density * metre;
    } else if (d->saw_JFIF_marker) {
        image->rows_per_unit = d->Y_density;
        image->columns_per_unit = d->X_density;
    }
    if (ci_check_size(s->limits, image->rows, image->columns, image->samples, 1, &image->size, s->error) ||
        ci_check_memory(s->limits, image->size + (jpeg_has_multiple_scans(d) ? coefficient_bytes(d) : 0), s->error)) {
        longjmp(s->back, 1);
    }
    image->pixels = calloc(image->size, 1);
    if (image->pixels == NULL) leave(s, CI_MEMORY, "no memory for the pixels");
    jpeg_start_decompress(d);
    size_t stride = (size_t)image->columns * image->samples;
    while (d->output_scanline < d->output_height) {
        JSAMPROW row = image->pixels + d->output_scanline * stride;
        jpeg_read_scanlines(d, &row, 1);
    }
    check_complete(s);
    jpeg_finish_decompress(d);
}

static void check_body(state *s, const uint8_t *tables, size_t table_bytes) {
    struct jpeg_decompress_struct *d = &s->decoder;
    jpeg_create_decompress(d);
    d->progress = &s->progress;
    if (table_bytes > 0) {
        jpeg_mem_src(d, tables, (unsigned long)table_bytes);
        if (jpeg_read_header(d, FALSE) != JPEG_HEADER_TABLES_ONLY) leave(s, CI_CORRUPT, "has JPEG tables that are a picture");
    }
    jpeg_mem_src(d, s->bytes, (unsigned long)s->size);
    jpeg_read_header(d, TRUE);
    d->out_color_space = d->jpeg_color_space;
    if (jpeg_has_multiple_scans(d) && ci_check_memory(s->limits, coefficient_bytes(d), s->error)) longjmp(s->back, 1);
    jpeg_start_decompress(d);
    JSAMPARRAY row = d->mem->alloc_sarray((j_common_ptr)d, JPOOL_IMAGE, d->output_width * (JDIMENSION)d->output_components, 1);
    while (d->output_scanline < d->output_height) jpeg_read_scanlines(d, row, 1);
    check_complete(s);
    jpeg_finish_decompress(d);
}

/* A decoder's state whose errors jump back; NULL and a filled error without memory. */
static state *new_state(const uint8_t *bytes, size_t size, const ci_limits *limits, ci_error *error) {
    state *s = calloc(1, sizeof *s);
    if (s == NULL) {
        ci_fail(error, CI_MEMORY, "no memory");
        return NULL;
    }
    s->bytes = bytes;
    s->size = size;
    s->limits = limits;
    s->error = error;
    s->start = ci_thread_seconds();
    s->progress.progress_monitor = on_progress;
    s->decoder.err = jpeg_std_error(&s->manager);
    s->manager.error_exit = on_error;
    s->manager.emit_message = on_message;
    s->manager.output_message = silent;
    return s;
}

ci_status ci_jpeg_check(const uint8_t *tables, size_t table_bytes, const uint8_t *bytes, size_t size, const ci_limits *limits,
                        ci_error *error) {
    state *s = new_state(bytes, size, limits, error);
    if (s == NULL) return error->status;
    if (setjmp(s->back) == 0) check_body(s, tables, table_bytes);
    jpeg_destroy_decompress(&s->decoder);
    free(s);
    return error->status;
}

ci_status ci_jpeg_read(const ci_source *source, const ci_limits *limits, ci_image *image, ci_error *error) {
    memset(image, 0, sizeof *image);
    error->status = CI_OK;
    uint8_t *bytes = ci_read_source(source, limits, error);
    if (bytes == NULL) return error->status;
    state *s = new_state(bytes, (size_t)source->size, limits, error);
    if (s != NULL) {
        if (setjmp(s->back) == 0) read_body(s, image);
        jpeg_destroy_decompress(&s->decoder);
    }
    free(s);
    free(bytes);
    if (error->status != CI_OK) ci_image_free(image);
    return error->status;
}
