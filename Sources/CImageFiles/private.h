#ifndef CI_PRIVATE_H
#define CI_PRIVATE_H

#define _POSIX_C_SOURCE 200809L /* before the first system header: C11 alone hides fmemopen and clock_gettime */

#include "CImageFiles.h"
#include <stdio.h>

ci_status ci_fail(ci_error *error, ci_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The source's bytes in memory, which the caller frees; NULL and a filled error otherwise. */
uint8_t *ci_read_source(const ci_source *source, const ci_limits *limits, ci_error *error);
/* The source's bytes in memory and a stream over them, which the caller closes before it frees the bytes; NULL and a filled error
   otherwise. */
FILE *ci_open_source(const ci_source *source, const ci_limits *limits, uint8_t **bytes, ci_error *error);
/* Checks sizes against the limits; gives the bytes of the page in `size`. */
ci_status ci_check_size(
    const ci_limits *limits, uint64_t rows, uint64_t columns, uint64_t samples, uint64_t bytes_each, size_t *size,
    ci_error *error);

/* Refuses a picture that needs more memory than the limit while it is decoded. */
ci_status ci_check_memory(const ci_limits *limits, uint64_t bytes, ci_error *error);

/* Whether bytes that a JPEG decoder passed over are what encoders fill with: zeros, or bits that are all set. */
int ci_is_padding(const uint8_t *bytes, size_t count);

/* Decodes a JPEG and keeps nothing: refuses the damage that ci_jpeg_read refuses. `tables` come before it, where an abbreviated
   stream has them elsewhere (T.81, B.4). */
ci_status ci_jpeg_check(const uint8_t *tables, size_t table_bytes, const uint8_t *bytes, size_t size, const ci_limits *limits,
                        ci_error *error);

/* Seconds of processor time that this thread has used. */
double ci_thread_seconds(void);
/* CI_LIMIT when the thread has used more than the limit since `start`. Decoders ask it between rows, strips or scans. */
ci_status ci_check_time(const ci_limits *limits, double start, ci_error *error);

/* A growing block of memory that the encoders write to. */
typedef struct {
    uint8_t *bytes;
    size_t size, capacity, position;
} ci_memory;

/* 1 when the bytes lie at `position` now, 0 when there is no memory for them. */
int ci_memory_write(ci_memory *memory, const void *bytes, size_t size);

#endif
