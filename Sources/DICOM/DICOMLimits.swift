/// How much one file may ask of us before it is refused with `IN-LIMIT`.
///
/// *Source*: `docs/dicom-support.md`, "Files". Sizes out of a file are compared before anything is allocated.
package struct DICOMLimits: Sendable, Equatable {
    package var fileBytes = 16 << 30
    /// Inflated bytes may be this many times the deflated ones, beyond the first `inflateFreeBytes`.
    package var inflateRatio = 100
    package var inflateFreeBytes = 16 << 20
    /// Inflated data sets are held in memory.
    package var inflatedBytes = 2 << 30
    package var nestingDepth = 32
    package var itemsPerSequence = 200_000
    package var elementsPerItem = 20_000
    /// Of all levels together: each costs us about a hundred bytes of memory, but a file only eight.
    package var elements = 4_000_000
    /// Bytes of a header that are read at once.
    package var windowBytes = 64 << 10
    /// Longer values stay in the file.
    package var valueBytes = 64 << 10
    package var fragments = 4_000_000
    package var rowsOrColumns = 32_768
    package var frames = 20_000
    /// Tiles of one object of a slide.
    package var tiles = 1_000_000
    package var pixelsPerFrame = 1 << 30
    /// A decoded frame is held with 4 bytes a sample, so this is 1 GiB.
    package var samplesPerFrame = 1 << 28
    package var pixelsPerInstance = 1 << 35
    /// Memory and processor time of one frame while it is decoded: estimated from the stream's header, the time also measured.
    package var frameBytes = 2 << 30
    package var frameSeconds = 60.0
    /// Scans of a progressive JPEG; encoders write ten.
    package var jpegScans = 100

    package init() {}

    package static let standard = DICOMLimits()
}
