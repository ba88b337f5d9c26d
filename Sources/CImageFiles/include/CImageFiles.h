/* libtiff, libpng and libjpeg behind plain functions: libtiff's are variadic, libpng and libjpeg return by longjmp, and
   neither can be called from Swift. Nothing of the three libraries shows here.

   Every function that can fail returns a ci_status and fills a ci_error; the text never holds a file's name. Memory that
   is given back is freed by ci_image_free or ci_free. One handle, one thread at a time. */
#ifndef CIMAGEFILES_H
#define CIMAGEFILES_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    CI_OK = 0,
    CI_CORRUPT,     /* bytes that make no sense */
    CI_CODEC,       /* pixels that cannot be decoded */
    CI_TRUNCATED,   /* ends too early */
    CI_LIMIT,       /* larger than the caller allows */
    CI_UNSUPPORTED, /* a form that is not read */
    CI_MEMORY
} ci_status;

typedef struct {
    ci_status status;
    char text[200];
} ci_error;

/* Samples interleaved by pixel, rows from the top; one byte a sample to 8 bits, two (native order) above. */
typedef struct {
    uint32_t rows, columns;
    uint16_t samples; /* 1 grey, 3 RGB */
    uint16_t bits;    /* 8 or 16 */
    double rows_per_metre, columns_per_metre; /* 0: not said */
    double rows_per_unit, columns_per_unit;   /* of a unit that is not said: the shape of pixels alone; 0: not said */
    int alpha_dropped;
    int alpha_differs;        /* some pixels are more transparent than others */
    int alpha_contradicts;    /* transparent pixels have a colour, or all are black and some are transparent */
    uint16_t palette_entries; /* of ci_png_read_stored alone; 0: there is no palette */
    uint8_t palette[768];     /* red, green, blue of each entry */
    uint8_t *pixels;
    size_t size;
} ci_image;

typedef struct {
    uint32_t max_side;    /* rows, columns */
    uint64_t max_samples; /* rows · columns · samples of one page */
    uint32_t max_pages;
    uint64_t max_bytes;   /* that one picture may take while it is decoded, its pixels included */
    double max_seconds;   /* of this thread's processor time, one picture or page */
    uint32_t max_scans;   /* of a progressive JPEG */
} ci_limits;

/* A file's bytes, which the caller reads at any place, as often as it is asked. */
typedef struct {
    void *context;
    uint64_t size;
    /* 1 when all `count` bytes from `offset` stand in `bytes`, 0 for whatever reason; never asked beyond `size`. */
    int (*read)(void *context, uint64_t offset, void *bytes, size_t count);
} ci_source;

void ci_free(void *memory);
void ci_image_free(ci_image *image);

ci_status ci_png_read(const ci_source *source, const ci_limits *limits, ci_image *image, ci_error *error);
/* Palette indices and grey of few bits as they are stored, one byte a sample: for masks, whose values are classes. */
ci_status ci_png_read_stored(const ci_source *source, const ci_limits *limits, ci_image *image, ci_error *error);
ci_status ci_png_encode(const ci_image *image, uint8_t **bytes, size_t *size, ci_error *error);
ci_status ci_jpeg_read(const ci_source *source, const ci_limits *limits, ci_image *image, ci_error *error);

/* One page as its tags say, before anything is decoded. */
typedef struct {
    uint32_t rows, columns, subfile;
    uint16_t samples, bits, format, photometric, compression, orientation, unit;
    uint16_t subsampling_x, subsampling_y;
    uint16_t alpha;           /* first extra sample: 0 none or unspecified, 1 associated, 2 unassociated */
    int has_photometric, planar;
    double x_resolution, y_resolution; /* 0: not said */
    uint64_t compressed_bytes;
    char date_time[20];       /* tag 306, empty when absent */
    uint32_t depth;           /* pictures of one volume in this page (SGI's ImageDepth); 1 elsewhere */
    int tiled;
} ci_tiff_page;

/* A tag's value as it stands in the file. */
typedef struct {
    uint16_t type;  /* of TIFF 6.0 section 2, and 13, 16 to 18 of BigTIFF */
    int big_endian;
    uint8_t *bytes; /* freed by ci_free */
    size_t size;
} ci_tiff_value;

typedef struct ci_tiff ci_tiff;

/* Walks the chain of directories itself (loops and limits), then hands the source to libtiff; it must outlive the handle. */
ci_status ci_tiff_open(const ci_source *source, const ci_limits *limits, ci_tiff **tiff, ci_error *error);
void ci_tiff_close(ci_tiff *tiff);
uint32_t ci_tiff_count(const ci_tiff *tiff);
ci_status ci_tiff_describe(ci_tiff *tiff, uint32_t index, ci_tiff_page *page, ci_error *error);
/* Whether pages of that compression, photometric interpretation and sample type are handed to a decoder. */
ci_status ci_tiff_is_read(const ci_tiff_page *page, ci_error *error);
/* Any tag of a page, also of those that libtiff does not know; `bytes` is NULL when the page has none. At most 16 MiB. */
ci_status ci_tiff_tag(ci_tiff *tiff, uint32_t index, uint16_t tag, ci_tiff_value *value, ci_error *error);
/* Samples as stored, interleaved, each in 1, 2, 4 or 8 bytes of native order; YCbCr comes as RGB. `slice`, from 0, is one of the
   page's `depth`; of other pages those above 0 are the pictures that follow the first without directories of their own. */
ci_status ci_tiff_pixels(ci_tiff *tiff, uint32_t index, uint32_t slice, uint8_t **pixels, size_t *size, ci_error *error);
/* The same for some of a page's rows, from one that a strip or tile begins with (a multiple of ci_tiff_piece_rows) on: memory of
   these and of one strip or tile. */
ci_status ci_tiff_rows(ci_tiff *tiff, uint32_t index, uint32_t first, uint32_t count, uint8_t **pixels, size_t *size,
                       ci_error *error);
/* Rows of one strip or tile of a page. */
ci_status ci_tiff_piece_rows(ci_tiff *tiff, uint32_t index, uint32_t *rows, ci_error *error);
/* The directories below a page (SubIFDs, tag 330): `count` of them, which are pages from `first` on for every function here. Those that
   are pages of the chain are left out. Asked once a page. */
ci_status ci_tiff_subdirectories(ci_tiff *tiff, uint32_t index, uint32_t *first, uint32_t *count, ci_error *error);
/* How many uncompressed pictures like the page's stand in the file from its first on, itself included, were they written without
   directories of their own; 1 for pages that cannot be followed so. */
ci_status ci_tiff_following(ci_tiff *tiff, uint32_t index, uint64_t *count, ci_error *error);
/* Refuses a page of uncompressed strips or tiles whose byte counts are a row or more from what its sides and samples make. Not
   for a page that others follow without directories: programs count those, too. */
ci_status ci_tiff_check_counts(ci_tiff *tiff, uint32_t index, ci_error *error);
/* Refuses a page that has a tag twice with different values, of those that decide what is seen, and a palette picture without a
   colour map: libtiff takes the first of both, and the indices for grey. */
ci_status ci_tiff_check_tags(ci_tiff *tiff, uint32_t index, ci_error *error);
/* The colour map, `[3, 2^bits]`; `entries` is 2^bits. */
ci_status ci_tiff_palette(ci_tiff *tiff, uint32_t index, uint16_t *map, size_t entries, ci_error *error);
/* A TIFF of uncompressed pages of one strip each. */
ci_status ci_tiff_encode(
    const ci_image *pages, size_t count, uint8_t **bytes, size_t *size, ci_error *error);

#endif
