import Foundation

/// What a phantom's pictures show, as `truth.json` says it.
struct PhantomTruth: Encodable {
    /// One picture or slice with its mask.
    struct Image: Encodable {
        var file: String
        var mask: String
        /// Inside the mask.
        var pixels: Int
        var sopInstanceUID: String?
        var nuclei: Int?
        /// Of the first pixel's centre, mm.
        var position: [Double]?

        enum CodingKeys: String, CodingKey {
            case file, mask, pixels, nuclei
            case sopInstanceUID = "sop_instance_uid"
            case position = "position_mm"
        }
    }

    /// Where a stack of slices lies.
    struct Stack: Encodable {
        var volume: Double
        var rows: Int
        var columns: Int
        /// Between rows, between columns.
        var pixelSpacing: [Double]
        var sliceSpacing: Double
        /// Direction cosines of a row and of a column.
        var orientation: [Double]

        enum CodingKeys: String, CodingKey {
            case rows, columns, orientation
            case volume = "volume_ml"
            case pixelSpacing = "pixel_spacing_mm"
            case sliceSpacing = "slice_spacing_mm"
        }
    }

    var kind: String
    /// As text: JSON's numbers do not hold every seed.
    var seed: String
    var images: [Image]
    var stack: Stack?

    private enum CodingKeys: String, CodingKey { case kind, seed, images }

    /// The stack's facts stand beside the others.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(seed, forKey: .seed)
        try container.encode(images, forKey: .images)
        try stack?.encode(to: encoder)
    }

    /// The same bytes for the same truth. *Throws* `EncodingError` for numbers that are not finite.
    var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self)) + [0x0A]
        }
    }
}
