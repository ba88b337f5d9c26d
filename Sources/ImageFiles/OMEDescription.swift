/// What the OME-XML of a TIFF says about its pages.
///
/// *Source*: OME-TIFF specification, OME schema 2016-06.
struct OMEDescription {
    struct Image {
        var name = ""
        var columns = 0, rows = 0
        /// Type of the samples; empty where it is not said.
        var type = ""
        /// Bits that the samples use; nil where it is not said.
        var significantBits: Int?
        var channels = 1, slices = 1, times = 1
        /// The order in which planes follow one another: a permutation of `CZT`.
        var order = "CZT"
        /// Names of the channels that are described, and samples a pixel of each.
        var described: [(name: String, samples: Int)] = []
        /// Size of a pixel and distance of slices: number and unit.
        var sizes: [String: (value: Double, unit: String)] = [:]
        var blocks: [Block] = []
    }

    /// A run of planes in the pages of a file.
    struct Block {
        var page: Int?
        var count: Int?
        var first: [Character: Int] = [:]
        /// The file that holds them, where it may be another one.
        var uuid: String?
        var file: String?
    }

    private(set) var images: [Image] = []
    /// Of the file that the description stands in.
    private(set) var uuid: String?
    /// The description proper stands in another file.
    private(set) var isElsewhere = false
    /// Its last element is closed: nothing was cut off.
    private(set) var isWhole = false

    /// Nil for text that is no OME-XML.
    init?(_ text: String) {
        guard text.prefix(2000).contains("<OME") || text.prefix(2000).contains(":OME ") else { return nil }
        var scanner = XMLScanner(text)
        var isOME = false
        while let element = scanner.next() {
            if element.isEnd {
                if element.name == "OME" { isWhole = true }
                continue
            }
            let attributes = element.attributes
            func whole(_ name: String) -> Int? { attributes[name].flatMap { Int($0) } }
            switch element.name {
            case "OME":
                isOME = true
                uuid = attributes["UUID"]
            case "BinaryOnly":
                isElsewhere = true
                uuid = uuid ?? attributes["UUID"]
            case "Image":
                var image = Image()
                image.name = attributes["Name"] ?? ""
                images.append(image)
            case "Pixels":
                guard !images.isEmpty else { continue }
                let last = images.count - 1
                images[last].columns = whole("SizeX") ?? 0
                images[last].rows = whole("SizeY") ?? 0
                images[last].type = attributes["Type"] ?? ""
                images[last].significantBits = whole("SignificantBits")
                images[last].channels = whole("SizeC") ?? 1
                images[last].slices = whole("SizeZ") ?? 1
                images[last].times = whole("SizeT") ?? 1
                images[last].order = String((attributes["DimensionOrder"] ?? "XYCZT").dropFirst(2))
                for axis in ["X", "Y", "Z"] {
                    guard let value = attributes["PhysicalSize\(axis)"] else { continue }
                    // No number is no size.
                    images[last].sizes[axis] = (
                        Double(value.trimmed) ?? .nan, attributes["PhysicalSize\(axis)Unit"] ?? "µm"
                    )
                }
            case "Channel":
                guard !images.isEmpty else { continue }
                let samples = min(whole("SamplesPerPixel") ?? 1, 65_535)
                images[images.count - 1].described.append((attributes["Name"] ?? "", max(1, samples)))
            case "TiffData":
                guard !images.isEmpty else { continue }
                var block = Block(page: whole("IFD"), count: whole("PlaneCount"))
                for axis in "CZT" { block.first[axis] = whole("First\(axis)") }
                images[images.count - 1].blocks.append(block)
            case "UUID":
                guard !images.isEmpty, !images[images.count - 1].blocks.isEmpty else { continue }
                let image = images.count - 1, block = images[image].blocks.count - 1
                images[image].blocks[block].uuid = element.text
                images[image].blocks[block].file = attributes["FileName"]
            default: break
            }
        }
        guard isOME else { return nil }
    }

    /// Files that the planes of these images lie in, by their UUIDs in order; empty for a file that stands alone.
    var set: [String] {
        let files = Set(images.flatMap(\.blocks).compactMap(\.uuid))
        return files.count > 1 ? files.sorted() : []
    }
}

extension OMEDescription.Image {
    /// Where each plane of this image lies that is in the file: page, and its place on the axes. Nil for a description that
    /// contradicts itself.
    ///
    /// - Parameter samples: of one page's pixel that are channels of their own; 1 for grey and for colour.
    func planes(pages: Int, samples: Int, isOwn: (OMEDescription.Block) -> Bool) -> [TIFFPlane]? {
        guard Set(order) == Set("CZT"), order.count == 3 else { return nil }
        guard [channels, slices, times].allSatisfy({ (1...1_000_000).contains($0) }) else { return nil }
        let counts: [Character: Int] = ["C": channelPlanes(samples: samples), "Z": slices, "T": times]
        let total = counts.values.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        guard total > 0, total <= 10_000_000 else { return nil }
        var planes: [TIFFPlane] = []
        let own = blocks.isEmpty ? [OMEDescription.Block(page: 0, count: min(total, pages))] : blocks.filter(isOwn)
        for block in own {
            // Blocks of the same pages again and again.
            guard planes.count <= ContentsReader.mostPlanes else { return nil }
            let start = block.page ?? 0
            let count = block.count ?? (block.page == nil && block.first.values.isEmpty ? min(total, pages) : 1)
            guard start >= 0, count >= 0, start <= pages, count <= pages - start else { return nil }
            var at: [Character: Int] = ["C": 0, "Z": 0, "T": 0]
            for axis in "CZT" { at[axis] = block.first[axis] ?? 0 }
            for page in start..<start + count {
                guard "CZT".allSatisfy({ (at[$0] ?? 0) < (counts[$0] ?? 0) && (at[$0] ?? 0) >= 0 }) else { return nil }
                planes += TIFFPlane.planes(
                    page: page, channel: at["C"] ?? 0, slice: at["Z"] ?? 0, time: at["T"] ?? 0, samples: samples)
                for axis in order {
                    at[axis, default: 0] += 1
                    if at[axis] ?? 0 < counts[axis] ?? 1 { break }
                    at[axis] = 0
                }
            }
        }
        // Each plane stands in one place, and each place holds one plane.
        let isOnce =
            Set(planes.map { [$0.channel, $0.slice, $0.time] }).count == planes.count
            && Set(planes.map { [$0.page, $0.sample ?? 0] }).count == planes.count
        return isOnce ? planes : nil
    }

    /// Whether pages of such samples can hold what the description calls them (Pixels, Type): as wide at most, with a sign or without, whole
    /// or not. Words that OME does not have say nothing.
    ///
    /// *Source*: OME schema 2016-06, PixelType; TIFF 6.0, section 19, SampleFormat.
    func samplesAre(bits: Int, format: Int) -> Bool {
        let types: [String: (format: Int, bits: Int)] = [
            "bit": (1, 8), "uint8": (1, 8), "uint16": (1, 16), "uint32": (1, 32), "int8": (2, 8), "int16": (2, 16),
            "int32": (2, 32), "float": (3, 32), "double": (3, 64), "complex": (6, 64), "double-complex": (6, 128),
        ]
        guard let stated = types[type.lowercased()] else { return true }
        // 4: of no said kind.
        return format == 4 || format == stated.format && bits <= stated.bits
    }

    /// Planes along the channel axis: a channel of several samples is one, and so are channels that are samples of one page.
    func channelPlanes(samples: Int) -> Int {
        let isWhole = !described.isEmpty && described.reduce(0) { $0 + $1.samples } == channels
        if isWhole { return samples > 1 && described.count == channels ? max(1, channels / samples) : described.count }
        return max(1, samples > 1 ? channels / samples : channels)
    }

    var calibration: PixelCalibration {
        func mm(_ axis: String) -> Double?? {
            guard let size = sizes[axis] else { return .some(nil) }
            if PixelCalibration.isNone(size.unit) { return .some(nil) }
            return PixelCalibration.millimetres(size.unit).map { .some($0 * size.value) }
        }
        guard let row = mm("Y"), let column = mm("X") else {
            return PixelCalibration(notCalibratedBy: "The OME description")
        }
        return PixelCalibration(program: "The OME description", rowMM: row, columnMM: column, sliceMM: mm("Z") ?? nil)
    }
}
