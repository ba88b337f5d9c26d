/// DCMTK and OpenJPEG behind plain C: codecs over bytes in memory, character sets, the data dictionary, and one whole-file
/// check. No clinical rule lives here, and no file of a user is parsed here: `DICOM/FileWalk.swift` has done that before.
///
/// Every function that can fail returns a `cd_status` and fills the caller's `cd_error`. No C++ exception leaves. All
/// functions may be called from several threads at once.
#ifndef CDICOM_H
#define CDICOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define CD_NOEXCEPT noexcept
#else
#define CD_NOEXCEPT
#endif

typedef enum cd_status {
    CD_OK = 0,
    /// The codec or the converter gave up; the text is its own.
    CD_FAILED = 1,
    /// The stream ends too early.
    CD_TRUNCATED = 2,
    /// The stream says another size, precision or component count than the caller.
    CD_MISMATCH = 3,
    CD_NO_MEMORY = 4,
    /// The data dictionary of DCMTK is not installed.
    CD_NO_DICTIONARY = 5
} cd_status;

/// Why a function failed: one line of plain text without values out of a data set.
typedef struct cd_error {
    char text[240];
} cd_error;

/// What the frame must be; a stream that says otherwise is `CD_MISMATCH`.
typedef struct cd_frame {
    uint32_t rows, columns, samples;
    uint32_t bits_allocated, bits_stored;
    int32_t is_signed;
} cd_frame;

/// What a stream turned out to be.
typedef struct cd_stream {
    uint32_t precision;
    int32_t is_signed;
    /// JPEG 2000: a multiple component transform was undone, so the samples are RGB.
    int32_t colour_transformed;
    /// JPEG 2000: the irreversible 9-7 wavelet.
    int32_t is_irreversible;
} cd_stream;

/// Silences DCMTK's log (it may quote values) and checks the data dictionary. Call it first; later calls cost nothing.
cd_status cd_initialize(cd_error *error) CD_NOEXCEPT;

/// The value representation of a standard attribute as two letters and NUL: "UN" when the dictionary does not have it;
/// "xs" (US or SS), "ox" (OB or OW) and "lt" (US, SS or OW) where pixel attributes decide.
void cd_value_representation(uint16_t group, uint16_t element, char vr[3]) CD_NOEXCEPT;

/// Text to UTF-8. `character_set` is the value of Specific Character Set; `delimiters` are the characters that end ISO 2022
/// designations besides CR, LF, FF and HT. `*length` is the need, also when `capacity` is smaller (then nothing is written).
cd_status cd_to_utf8(const char *character_set, const char *delimiters, const uint8_t *bytes, size_t count, uint8_t *out,
                     size_t capacity, size_t *length, cd_error *error) CD_NOEXCEPT;

/// One JPEG image (baseline, extended, progressive, lossless; 8 to 16 bit) into `out`, by pixel, without colour conversion:
/// one byte a sample up to a precision of 8, two (little endian) above. `capacity` must be rows · columns · samples · that.
/// `cornell` works around a Huffman table defect of old encoders. Damage that the decoder would paint over fails; `skipped` are bytes that it
/// passed over because they belong to no segment, padding or not.
cd_status cd_decode_jpeg(const uint8_t *stream, size_t count, const cd_frame *frame, uint32_t precision, int32_t cornell,
                         uint8_t *out, size_t capacity, uint64_t *skipped, cd_error *error) CD_NOEXCEPT;

/// One JPEG-LS image into `out`, by pixel, one or two bytes a sample by `bits_allocated`.
cd_status cd_decode_jpeg_ls(const uint8_t *stream, size_t count, const cd_frame *frame, uint8_t *out, size_t capacity,
                            cd_error *error) CD_NOEXCEPT;

/// Seconds of processor time that the calling thread has used.
double cd_thread_seconds(void) CD_NOEXCEPT;

/// One JPEG 2000 or HTJ2K code stream, without the boxes of a JP2 file, into `out` (rows · columns · samples values, by pixel), as the code stream has them.
cd_status cd_decode_jpeg2000(const uint8_t *stream, size_t count, const cd_frame *frame, int32_t *out, size_t capacity,
                             cd_stream *found, cd_error *error) CD_NOEXCEPT;

/// Parses a whole DICOM file, given as its bytes, with DCMTK, as another reader would, and checks that SOP Class and SOP Instance UID are
/// there.
cd_status cd_check_file(const uint8_t *bytes, size_t count, cd_error *error) CD_NOEXCEPT;

/// A DICOM node: its address, its application entity title and ours.
typedef struct cd_peer {
    const char *host;
    uint16_t port;
    const char *called, *calling;
} cd_peer;

typedef enum cd_commitment_state { CD_UNANSWERED = 0, CD_COMMITTED = 1, CD_NOT_COMMITTED = 2 } cd_commitment_state;

/// An object that a peer was sent, and what it says of it.
typedef struct cd_commitment {
    const char *sop_class, *sop_instance;
    cd_commitment_state state;
    /// Failure Reason (0008,1197) of an object that is not committed.
    uint16_t reason;
} cd_commitment;

/// Asks a peer to answer for objects (Storage Commitment Push Model, PS3.4 J.3) and waits `patience` seconds at most for its report,
/// which comes on the same association or on one that the peer opens to our port `listen`; 0: on the same one. Objects without a
/// report stay `CD_UNANSWERED`. `CD_MISMATCH`: the peer knows no storage commitment; `CD_FAILED`: nobody there, or not taken.
cd_status cd_commit(const cd_peer *peer, uint16_t listen, uint32_t patience, cd_commitment *items, size_t count,
                    cd_error *error) CD_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
