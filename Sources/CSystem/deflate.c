#include "CSystem.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

size_t cs_deflate_bound(size_t count) { return count + count / 100 + (count >> 12) + 64; }

int cs_deflate(const uint8_t *in, size_t count, uint8_t *out, size_t capacity, size_t *written) {
    *written = 0;
    // One call each way: what is packed here are pictures, far below what zlib counts in.
    if (count > UINT_MAX || capacity > UINT_MAX) return CS_DEFLATE_TOO_LARGE;
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 9, Z_RLE) != Z_OK) return CS_DEFLATE_NO_MEMORY;
    stream.next_in = (Bytef *)in;
    stream.avail_in = (uInt)count;
    stream.next_out = out;
    stream.avail_out = (uInt)capacity;
    int status = deflate(&stream, Z_FINISH);
    *written = capacity - stream.avail_out;
    deflateEnd(&stream);
    return status == Z_STREAM_END ? CS_DEFLATE_DONE : CS_DEFLATE_NO_MEMORY;
}
