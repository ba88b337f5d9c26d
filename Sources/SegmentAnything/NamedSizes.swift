extension Configuration {
    /// SAM's encoder sizes, and `vit_t`, ours for the shipped models.
    ///
    /// *Source*: segment_anything/build_sam.py for `vit_b`, `vit_l`, `vit_h`.
    package enum NamedSize: String, Sendable, CaseIterable {
        case vitT = "vit_t"
        case vitB = "vit_b"
        case vitL = "vit_l"
        case vitH = "vit_h"
        /// For tests and phantoms: three hundred kilobytes of weights.
        case nano
    }

    /// Sets what the size says and leaves the rest.
    package mutating func apply(_ size: NamedSize) {
        window = 14
        decoderDim = 256
        switch size {
        case .vitT:
            (embedDim, depth, heads, globalBlocks) = (256, 8, 4, [1, 3, 5, 7])
            window = 8
            decoderDim = 128
        case .nano:
            (embedDim, depth, heads, globalBlocks) = (32, 4, 2, [1, 3])
            window = 3
            decoderDim = 32
        case .vitB: (embedDim, depth, heads, globalBlocks) = (768, 12, 12, [2, 5, 8, 11])
        case .vitL: (embedDim, depth, heads, globalBlocks) = (1024, 24, 16, [5, 11, 17, 23])
        case .vitH: (embedDim, depth, heads, globalBlocks) = (1280, 32, 16, [7, 15, 23, 31])
        }
    }

    /// The size whose encoder has this width, depth and heads, nil for another shape.
    package var namedSize: NamedSize? {
        NamedSize.allCases.first {
            var other = self
            other.apply($0)
            return (other.embedDim, other.depth, other.heads) == (embedDim, depth, heads)
        }
    }
}
