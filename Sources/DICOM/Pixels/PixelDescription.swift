/// What the pixel attributes of a data set say, checked and completed (PS3.3 C.7.6.3).
///
/// *Source*: `docs/dicom-support.md`, "Pixels".
package struct PixelDescription: Sendable, Equatable {
    package enum Photometric: String, Sendable {
        case monochrome1 = "MONOCHROME1"
        case monochrome2 = "MONOCHROME2"
        case paletteColor = "PALETTE COLOR"
        case rgb = "RGB"
        case ybrFull = "YBR_FULL"
        case ybrFull422 = "YBR_FULL_422"
        case ybrPartial422 = "YBR_PARTIAL_422"
        case ybrPartial420 = "YBR_PARTIAL_420"
        case ybrICT = "YBR_ICT"
        case ybrRCT = "YBR_RCT"

        /// One sample a pixel.
        package var isGrey: Bool { self == .monochrome1 || self == .monochrome2 || self == .paletteColor }
    }

    /// Which attribute holds the pixels.
    package enum Storage: Sendable { case integers, floats, doubles }

    package let rows: Int
    package let columns: Int
    package let frames: Int
    /// 1 or 3.
    package let samples: Int
    package let photometric: Photometric
    /// Native colour is stored plane by plane.
    package let isPlanar: Bool
    package let bitsAllocated: Int
    package let bitsStored: Int
    package let highBit: Int
    package let isSigned: Bool
    /// Bits of a cell that hold overlays: what stands in them is no part of a sample.
    let overlayBits: UInt32
    /// Bits of a sample are said to hold an overlay as well, which has no Overlay Data of its own.
    let hasOverlayInValues: Bool
    package let storage: Storage
    /// What was missing or odd and how it was taken.
    package let warnings: [String]

    /// Pixels of one frame.
    package var pixelCount: Int { rows * columns }
    /// Samples a native frame holds in the file: YBR_FULL_422 stores two chroma samples for two pixels.
    var storedSampleCount: Int { isSubsampled ? pixelCount * 2 : pixelCount * samples }
    /// Native pixels with shared chroma.
    var isSubsampled: Bool { photometric == .ybrFull422 || photometric == .ybrPartial422 }

    /// The attribute that holds the pixels.
    package var attribute: Attribute {
        switch storage {
        case .integers: .pixelData
        case .floats: .floatPixelData
        case .doubles: .doubleFloatPixelData
        }
    }

    /// Overlays in unused bits of Pixel Data, as objects were allowed to have them until 2004: Overlay Bit Position of each whose Overlay
    /// Bits Allocated are the pixels' (PS3.5-2003 8.1.2, PS3.3-2003 C.9.2).
    private static func overlayBits(_ dataSet: DataSet, allocated: Int, isEmbedded: Bool = false) -> UInt32 {
        func word(_ group: UInt16, _ element: UInt16) -> Int? {
            guard let bytes = dataSet.bytes(Tag(group, element)), bytes.count == 2 else { return nil }
            return Int(bytes[0]) | Int(bytes[1]) << 8
        }
        var bits: UInt32 = 0
        for group in stride(from: UInt16(0x6000), through: 0x601E, by: 2) {
            guard allocated > 1, word(group, 0x0100) == allocated, let position = word(group, 0x0102),
                (0..<allocated).contains(position), !isEmbedded || !dataSet.states(Tag(group, 0x3000))
            else { continue }
            bits |= 1 << UInt32(position)
        }
        return bits
    }

    /// Anything but an empty value.
    private static func holds(_ dataSet: DataSet, _ attribute: Attribute) -> Bool {
        switch dataSet[attribute]?.value {
        case .bytes(let bytes): !bytes.isEmpty
        case .inFile(_, let length): length > 0
        case .items, .fragments: true
        case nil: false
        }
    }

    /// *Throws*: `notImage` when there are no pixels, `pixelsTruncated` when an image has lost them; `pixelSize`, `bits`,
    /// `photometric`, `limit` when they cannot be decoded.
    package init(_ dataSet: DataSet, limits: DICOMLimits = .standard) throws(DICOMFailure) {
        var warnings: [String] = []
        let present = [Attribute.pixelData, .floatPixelData, .doubleFloatPixelData].filter { dataSet.has($0) }
        let holders = present.filter { Self.holds(dataSet, $0) }
        guard holders.count <= 1 else {
            throw .bits(
                "the object has \(holders.count) of Pixel Data, Float Pixel Data and Double Float Pixel Data: which of them is the image is unknown.",
                cure: "Export the image with Pixel Data alone.")
        }
        switch holders.first ?? present.first {
        case .pixelData?: storage = .integers
        case .floatPixelData?: storage = .floats
        case .doubleFloatPixelData?: storage = .doubles
        default:
            guard SOPClass.of(dataSet.uid(.sopClassUID) ?? "")?.isImage == true else {
                throw .notImage("no pixel data in it: nothing to segment.")
            }
            throw .pixelsTruncated("an image without pixel data: they were removed or lost.", cure: "Send it again.")
        }

        guard let rows = dataSet.int(.rows), let columns = dataSet.int(.columns), rows > 0, columns > 0 else {
            throw .pixelSize("Rows or Columns missing or 0: the image has no size.", cure: "Export it again.")
        }
        let frames: Int
        if dataSet.has(.numberOfFrames), let text = dataSet.string(.numberOfFrames) {
            guard let number = dataSet.int(.numberOfFrames), number >= 0 else {
                throw .pixelSize(
                    "Number of Frames is no number (\(text.utf8.count) characters): frames cannot be counted.",
                    cure: "Export it again.")
            }
            frames = max(1, number)
        } else {
            frames = 1
        }
        guard rows <= limits.rowsOrColumns, columns <= limits.rowsOrColumns else {
            throw .limit(
                "\(rows) × \(columns) pixels: more than \(limits.rowsOrColumns) in a direction.",
                cure: "Export it in smaller parts.")
        }
        let isSlide = dataSet.uid(.sopClassUID) == SOPClass.vlWholeSlideMicroscopyImageStorage.uid
        let mostFrames = isSlide ? limits.tiles : limits.frames
        guard frames <= mostFrames else {
            throw .limit("\(frames) frames: more than \(mostFrames).", cure: "Export it in smaller parts.")
        }
        let pixels = rows * columns
        guard pixels <= limits.pixelsPerFrame, pixels * frames <= limits.pixelsPerInstance else {
            throw .limit(
                "\(rows) × \(columns) pixels in \(frames) frames: too many.", cure: "Export it in smaller parts.")
        }
        self.rows = rows
        self.columns = columns
        self.frames = frames

        let name = dataSet.string(.photometricInterpretation)
        let stated = dataSet.int(.samplesPerPixel)
        if let name {
            guard let known = Photometric(rawValue: name) else {
                throw .photometric(
                    "an unknown or retired Photometric Interpretation: colours are unknown.", cure: "Export as RGB.")
            }
            photometric = known
        } else {
            photometric = stated == 3 ? .rgb : .monochrome2
            warnings.append("Photometric Interpretation missing, taken as \(photometric.rawValue)")
        }
        let samples = stated ?? (photometric.isGrey ? 1 : 3)
        if stated == nil { warnings.append("Samples per Pixel missing, taken as \(samples)") }
        guard samples == (photometric.isGrey ? 1 : 3) else {
            throw .photometric(
                "Samples per Pixel = \(samples) with \(photometric.rawValue): they contradict each other.",
                cure: "Export the image again.")
        }
        self.samples = samples
        guard pixels * samples <= limits.samplesPerFrame else {
            throw .limit(
                "\(rows) × \(columns) pixels of \(samples) samples in a frame: too many.",
                cure: "Export it in smaller parts.")
        }
        isPlanar = samples == 3 && dataSet.int(.planarConfiguration) == 1

        switch storage {
        case .floats, .doubles:
            guard samples == 1 else {
                throw .photometric("colour in floating point.", cure: "Export the image as integers.")
            }
            bitsAllocated = storage == .floats ? 32 : 64
            bitsStored = bitsAllocated
            highBit = bitsAllocated - 1
            isSigned = true
            overlayBits = 0
            hasOverlayInValues = false
        case .integers:
            guard let allocated = dataSet.int(.bitsAllocated) else {
                throw .bits("Bits Allocated missing: pixels cannot be told apart.", cure: "Export the image again.")
            }
            guard [1, 8, 16, 32].contains(allocated) else {
                throw .bits(
                    "Bits Allocated = \(allocated): only 1, 8, 16 and 32 are read.", cure: "Export the image again.")
            }
            let stored = dataSet.int(.bitsStored) ?? allocated
            guard (1...allocated).contains(stored) else {
                throw .bits(
                    "Bits Stored = \(stored) with Bits Allocated = \(allocated): impossible.",
                    cure: "Export the image again.")
            }
            let high = dataSet.int(.highBit) ?? stored - 1
            guard (stored - 1..<allocated).contains(high) else {
                throw .bits(
                    "High Bit = \(high) with Bits Stored = \(stored): impossible.", cure: "Export the image again.")
            }
            bitsAllocated = allocated
            bitsStored = stored
            highBit = high
            // Colours have no sign (PS3.3 C.7.6.3.1.2 and the IODs demand 0), and compressed ones are never read with one.
            let saysSigned = dataSet.int(.pixelRepresentation) == 1
            isSigned = saysSigned && samples == 1
            if saysSigned, samples > 1 { warnings.append("Pixel Representation = 1 with colour, taken as 0") }
            overlayBits = Self.overlayBits(dataSet, allocated: allocated)
            let embedded = Self.overlayBits(dataSet, allocated: allocated, isEmbedded: true)
            hasOverlayInValues = (high + 1 - stored...high).contains { embedded &>> UInt32($0) & 1 == 1 }
            if allocated == 1, samples != 1 { throw .bits("colour with 1 bit a sample.", cure: "Export with 8 bits.") }
        }
        self.warnings = warnings
    }
}
