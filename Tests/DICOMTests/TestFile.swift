import DICOM

/// DICOM files made in code, byte by byte and without any of the code under test.
struct TestFile {
    enum Syntax: String, CaseIterable, Sendable {
        case implicitLittle = "1.2.840.10008.1.2"
        case explicitLittle = "1.2.840.10008.1.2.1"
        case explicitBig = "1.2.840.10008.1.2.2"
        case deflated = "1.2.840.10008.1.2.1.99"
        case rle = "1.2.840.10008.1.2.5"
    }

    var syntax = Syntax.explicitLittle
    /// The data set's bytes, in ascending order of tags as the test adds them.
    var body: [UInt8] = []

    init(_ syntax: Syntax = .explicitLittle) { self.syntax = syntax }

    var isExplicit: Bool { syntax != .implicitLittle }
    var isBig: Bool { syntax == .explicitBig }

    /// Preamble, file meta group, data set; deflated by stored blocks.
    var bytes: [UInt8] {
        var meta = TestFile(.explicitLittle)
        meta.add(0x0002, 0x0010, "UI", text: syntax.rawValue)
        var all = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + meta.body
        if syntax == .deflated {
            for start in stride(from: 0, to: body.count, by: 65535) {
                let block = body[start..<min(start + 65535, body.count)]
                let count = UInt16(block.count)
                all.append(block.endIndex == body.count ? 1 : 0)
                all += Self.little(count) + Self.little(~count) + block
            }
        } else {
            all += body
        }
        return all
    }

    mutating func add(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: [UInt8], length: UInt32? = nil) {
        let length = length ?? UInt32(value.count)
        body += word(group) + word(element)
        if isExplicit {
            body += Array(vr.utf8)
            if ["OB", "OW", "OF", "OD", "OV", "SQ", "UN", "UT", "UC"].contains(vr) {
                body += [0, 0] + long(length)
            } else {
                body += word(UInt16(length))
            }
        } else {
            body += long(length)
        }
        body += value
    }

    mutating func add(_ group: UInt16, _ element: UInt16, _ vr: String, text: String) {
        var value = Array(text.utf8)
        if value.count % 2 == 1 { value.append(vr == "UI" ? 0 : 0x20) }
        add(group, element, vr, value)
    }

    /// Whether the bytes of the tag stand somewhere.
    func has(_ group: UInt16, _ element: UInt16) -> Bool {
        let tag = word(group) + word(element)
        return body.indices.dropLast(3).contains { body[$0..<$0 + 4].elementsEqual(tag) }
    }

    mutating func add(_ group: UInt16, _ element: UInt16, us values: UInt16...) {
        add(group, element, "US", values.flatMap { word($0) })
    }

    /// A sequence of items; each closure fills one item. `isOpen` uses undefined lengths.
    mutating func add(_ group: UInt16, _ element: UInt16, isOpen: Bool = false, items: [(inout TestFile) -> Void]) {
        var value: [UInt8] = []
        for fill in items {
            var item = TestFile(syntax)
            fill(&item)
            value += word(0xFFFE) + word(0xE000) + long(isOpen ? .max : UInt32(item.body.count)) + item.body
            if isOpen { value += word(0xFFFE) + word(0xE00D) + long(0) }
        }
        if isOpen { value += word(0xFFFE) + word(0xE0DD) + long(0) }
        add(group, element, "SQ", value, length: isOpen ? .max : nil)
    }

    /// Encapsulated Pixel Data.
    mutating func add(fragments: [[UInt8]], offsetTable: [UInt8] = []) {
        var value: [UInt8] = []
        for item in [offsetTable] + fragments { value += word(0xFFFE) + word(0xE000) + long(UInt32(item.count)) + item }
        value += word(0xFFFE) + word(0xE0DD) + long(0)
        add(0x7FE0, 0x0010, "OB", value, length: .max)
    }

    func word(_ value: UInt16) -> [UInt8] { isBig ? Self.little(value).reversed() : Self.little(value) }
    func long(_ value: UInt32) -> [UInt8] { isBig ? Self.little(value).reversed() : Self.little(value) }

    static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
}

/// A grey or colour image as a test wants it; everything has a value that works.
struct TestImage: Sendable {
    var syntax = TestFile.Syntax.explicitLittle
    var sopClass = "1.2.840.10008.5.1.4.1.1.2"
    var modality = "CT"
    var instance = "1.2.3.1"
    var series = "1.2.3"
    var frameOfReference: String? = "1.2.4"
    var imageType = "ORIGINAL\\PRIMARY\\AXIAL"
    var patient = "P"
    var number = 1
    var position: String? = "0\\0\\0"
    var orientation = "1\\0\\0\\0\\1\\0"
    var spacing = "0.5\\0.5"
    var echoTime: String?
    var contentDate: String?
    var contentTime: String?
    var frames: Int?
    var rows: UInt16 = 8
    var columns: UInt16 = 8
    var samples: UInt16 = 1
    var photometric = "MONOCHROME2"
    var planar: UInt16?
    var bits: (allocated: UInt16, stored: UInt16, high: UInt16) = (16, 16, 15)
    var isSigned = false
    var pixelVR = "OW"
    var pixels: [UInt8]?
    var fragments: [[UInt8]]?
    var offsetTable: [UInt8] = []
    /// Rescale Slope and Intercept as a CT image must have them.
    var hasScale = true
    /// Further elements of group 0018 behind Echo Time.
    var beforePlace: @Sendable (inout TestFile) -> Void = { _ in }
    /// Further elements between Instance Number and Image Position (Patient).
    var beforePosition: @Sendable (inout TestFile) -> Void = { _ in }
    /// Further elements of group 0020 behind Frame of Reference UID.
    var afterPlace: @Sendable (inout TestFile) -> Void = { _ in }
    /// Further elements, which must lie between (0028,0103) and the pixel data.
    var more: @Sendable (inout TestFile) -> Void = { _ in }

    var bytes: [UInt8] {
        var file = TestFile(syntax)
        file.add(0x0008, 0x0008, "CS", text: imageType)
        file.add(0x0008, 0x0016, "UI", text: sopClass)
        file.add(0x0008, 0x0018, "UI", text: instance)
        if let contentDate { file.add(0x0008, 0x0023, "DA", text: contentDate) }
        if let contentTime { file.add(0x0008, 0x0033, "TM", text: contentTime) }
        file.add(0x0008, 0x0060, "CS", text: modality)
        file.add(0x0010, 0x0020, "LO", text: patient)
        if let echoTime { file.add(0x0018, 0x0081, "DS", text: echoTime) }
        beforePlace(&file)
        file.add(0x0020, 0x000D, "UI", text: "1.2")
        file.add(0x0020, 0x000E, "UI", text: series)
        file.add(0x0020, 0x0013, "IS", text: "\(number)")
        beforePosition(&file)
        if let position {
            file.add(0x0020, 0x0032, "DS", text: position)
            file.add(0x0020, 0x0037, "DS", text: orientation)
        }
        if let frameOfReference { file.add(0x0020, 0x0052, "UI", text: frameOfReference) }
        afterPlace(&file)
        file.add(0x0028, 0x0002, us: samples)
        file.add(0x0028, 0x0004, "CS", text: photometric)
        if let planar { file.add(0x0028, 0x0006, us: planar) }
        if let frames { file.add(0x0028, 0x0008, "IS", text: "\(frames)") }
        file.add(0x0028, 0x0010, us: rows)
        file.add(0x0028, 0x0011, us: columns)
        file.add(0x0028, 0x0030, "DS", text: spacing)
        file.add(0x0028, 0x0100, us: bits.allocated)
        file.add(0x0028, 0x0101, us: bits.stored)
        file.add(0x0028, 0x0102, us: bits.high)
        file.add(0x0028, 0x0103, us: isSigned ? 1 : 0)
        more(&file)
        // A test that says it otherwise, or empties it, is left alone.
        let scale: [UInt16] = [0x1052, 0x1053, 0x3000]
        if hasScale, sopClass == "1.2.840.10008.5.1.4.1.1.2", samples == 1,
            !scale.contains(where: { file.has(0x0028, $0) })
        {
            file.add(0x0028, 0x1052, "DS", text: "0")
            file.add(0x0028, 0x1053, "DS", text: "1")
        }
        if let fragments {
            file.add(fragments: fragments, offsetTable: offsetTable)
        } else {
            let count = Int(rows) * Int(columns) * Int(samples) * Int(bits.allocated) / 8 * (frames ?? 1)
            file.add(0x7FE0, 0x0010, pixelVR, pixels ?? [UInt8](repeating: 7, count: count))
        }
        return file.bytes
    }

    func file() throws -> DICOMFile { try DICOMFile(bytes: bytes) }
    func source() throws -> SourceInstance { try SourceInstance(try file()) }

    /// Stored values of one frame.
    func stored(_ number: Int = 1) throws -> [Int] {
        let file = try file()
        let frame = try PixelReader(file, try PixelDescription(file.dataSet)).frame(number)
        guard case .integers(let values) = frame.values else { return [] }
        return values.map(Int.init)
    }
}

/// The code of what `body` throws; "none" when it throws nothing.
func code(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "none"
    } catch let failure as DICOMFailure {
        return failure.code
    } catch {
        return "\(error)"
    }
}

/// Slice `number` of one series, 3 mm apart.
func slice(_ number: Int, _ more: @escaping @Sendable (inout TestFile) -> Void = { _ in }) -> TestImage {
    var image = TestImage(instance: "1.2.3.\(number)", number: number, position: "0\\0\\\(3 * number)")
    image.more = more
    return image
}

/// A slice at `z` mm with its own UID; `number` is its Instance Number.
func slice(at z: Double, number: Int, y: Double = 0, _ change: (inout TestImage) -> Void = { _ in }) -> TestImage {
    var image = TestImage(instance: "1.2.3.\(number)", number: number, position: "0\\\(y)\\\(z)")
    change(&image)
    return image
}

/// Slices at these places with the Instance Numbers 1, 2, 3 …; `change` is given the index of each.
func stack(_ places: [Double], _ change: (Int, inout TestImage) -> Void) -> [TestImage] {
    places.enumerated().map { index, place in slice(at: place, number: index + 1) { change(index, &$0) } }
}

/// What instances of such images give.
func volumes(_ images: [TestImage]) throws -> VolumeBuilder.Result {
    VolumeBuilder.volumes(of: try images.map { try $0.source() })
}
