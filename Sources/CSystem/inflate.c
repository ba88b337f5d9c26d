#include "CSystem.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

// zlib counts in unsigned int: larger buffers are handed over in pieces of at most this many bytes.
static const size_t PIECE = 1u << 30;

static size_t at_most(size_t count, size_t limit) { return count < limit ? count : limit; }

int cs_inflate(const uint8_t *in, size_t count, uint8_t *out, size_t capacity, size_t *written, size_t *consumed) {
    *written = 0;
    *consumed = 0;
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return CS_INFLATE_NO_MEMORY;
    uint8_t spare;  // with no room left zlib cannot see the end of the stream: one byte tells "ended" from "more"
    int result;
    for (;;) {
        size_t give = at_most(count - *consumed, PIECE), room = at_most(capacity - *written, PIECE);
        stream.next_in = (Bytef *)(in + *consumed);
        stream.avail_in = (uInt)give;
        stream.next_out = room ? out + *written : &spare;
        stream.avail_out = room ? (uInt)room : 1;
        int status = inflate(&stream, Z_NO_FLUSH);
        size_t taken = give - stream.avail_in, made = (room ? room : 1) - stream.avail_out;
        *consumed += taken;
        if (!room && made) {
            result = CS_INFLATE_FULL;
            break;
        }
        *written += made;
        if (status == Z_STREAM_END) {
            result = CS_INFLATE_DONE;
            break;
        }
        if (status == Z_MEM_ERROR) {
            result = CS_INFLATE_NO_MEMORY;
            break;
        }
        if (status != Z_OK && status != Z_BUF_ERROR) {
            result = CS_INFLATE_BROKEN;
            break;
        }
        if (taken == 0 && made == 0) {  // no progress: only missing input can be the reason, room was given
            result = CS_INFLATE_SHORT;
            break;
        }
    }
    inflateEnd(&stream);
    return result;
}

uint32_t cs_crc32(const uint8_t *bytes, size_t count) {
    return (uint32_t)crc32_z(0, bytes, count);
}
