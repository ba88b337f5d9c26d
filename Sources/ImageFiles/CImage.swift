import CImageFiles
import Imaging

/// What is read at most.
package struct ImageLimits: Sendable, Equatable {
    /// Rows and columns.
    package var maxSide: Int
    /// Rows · columns · samples of one page; bounds memory (2²⁸ samples of 16 bits: 1.6 GB at the peak).
    package var maxSamples: Int
    package var maxPages: Int
    /// Memory of one picture while it is decoded, its samples included.
    package var maxBytes = 4 << 30
    /// Processor time of one picture or page; asked between rows, strips and scans.
    package var maxSeconds = 60.0
    /// Scans of a progressive JPEG; encoders write ten.
    package var maxScans = 100

    package init(maxSide: Int = 32_768, maxSamples: Int = 1 << 28, maxPages: Int = 10_000) {
        self.maxSide = maxSide
        self.maxSamples = maxSamples
        self.maxPages = maxPages
    }

    package static let standard = ImageLimits()

    var c: ci_limits {
        ci_limits(
            max_side: UInt32(clamping: maxSide), max_samples: UInt64(clamping: maxSamples),
            max_pages: UInt32(clamping: maxPages), max_bytes: UInt64(clamping: maxBytes), max_seconds: maxSeconds,
            max_scans: UInt32(clamping: maxScans))
    }
}

extension ImageFilesFailure {
    /// The shim's word as ours.
    init(path: String, _ error: ci_error) {
        var error = error
        let text = withUnsafeBytes(of: &error.text) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }.map { $0 < 32 || $0 > 126 ? 63 : $0 }, as: UTF8.self)
        }
        let reason: Reason =
            switch error.status {
            case CI_TRUNCATED: .truncated(text)
            case CI_LIMIT: .limit(text)
            case CI_UNSUPPORTED: .photometric(text)
            case CI_CODEC: .codec(text)
            case CI_MEMORY: .memory(text)
            default: .corrupt("has an error inside (\(text))")
            }
        self.init(path: path, reason: reason)
    }
}

/// Samples in the shim's form, 8 or 16 bits, from pages of at most as many. The caller's closure sees them while they live.
func withCImages<Result>(_ pages: [RasterPage], _ body: ([ci_image]) -> Result) -> Result {
    var images: [ci_image] = []
    defer {
        for image in images { image.pixels.deallocate() }
    }
    for page in pages {
        let wide = page.bits > 8
        let size = page.values.count * (wide ? 2 : 1)
        let pixels = UnsafeMutablePointer<UInt8>.allocate(capacity: max(size, 1))
        if wide {
            let top = UInt32((1 << page.bits) - 1)
            for (index, value) in page.values.enumerated() {
                let full = UInt16((min(UInt32(value), top) * 65535 + top / 2) / top)
                pixels[2 * index] = UInt8(truncatingIfNeeded: full)
                pixels[2 * index + 1] = UInt8(truncatingIfNeeded: full >> 8)
            }
        } else {
            for (index, value) in page.values.enumerated() { pixels[index] = UInt8(truncatingIfNeeded: value) }
        }
        var image = ci_image()
        (image.rows, image.columns) = (UInt32(page.rows), UInt32(page.columns))
        (image.samples, image.bits) = (UInt16(page.samples), wide ? 16 : 8)
        image.rows_per_metre = page.spacing.map { 1000 / $0.row } ?? 0
        image.columns_per_metre = page.spacing.map { 1000 / $0.column } ?? 0
        (image.pixels, image.size) = (pixels, size)
        images.append(image)
    }
    return body(images)
}
