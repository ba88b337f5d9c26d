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
    struct jpeg_decompress_struct decoder;
    FILE *file;
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

/* A warning is damage that libjpeg paints over with grey: an early end is not a picture any more. */
static void on_message(j_common_ptr common, int level) {
    state *s = (state *)common->err;
    if (level >= 0) return;
    int code = s->manager.msg_code;
    if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) leave(s, CI_TRUNCATED, "ends before its last row");
}

static void silent(j_common_ptr common) { (void)common; }

static void read_body(state *s, const ci_limits *limits, ci_image *image) {
    struct jpeg_decompress_struct *d = &s->decoder;
    jpeg_create_decompress(d);
    d->mem->max_memory_to_use = 512L << 20;
    jpeg_stdio_src(d, s->file);
    jpeg_read_header(d, TRUE);
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
    }
    if (ci_check_size(limits, image->rows, image->columns, image->samples, 1, &image->size, s->error)) {
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
    jpeg_finish_decompress(d);
}

ci_status ci_jpeg_read(const char *path, const ci_limits *limits, ci_image *image, ci_error *error) {
    memset(image, 0, sizeof *image);
    error->status = CI_OK;
    state *s = calloc(1, sizeof *s);
    if (s == NULL) return ci_fail(error, CI_MEMORY, "no memory");
    s->error = error;
    s->file = ci_open_regular(path, error);
    if (s->file != NULL) {
        s->decoder.err = jpeg_std_error(&s->manager);
        s->manager.error_exit = on_error;
        s->manager.emit_message = on_message;
        s->manager.output_message = silent;
        if (setjmp(s->back) == 0) read_body(s, limits, image);
        jpeg_destroy_decompress(&s->decoder);
        fclose(s->file);
    }
    free(s);
    if (error->status != CI_OK) ci_image_free(image);
    return error->status;
}
