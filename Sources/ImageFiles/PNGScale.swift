import Storage

/// How large pixels of a PNG's subject are, by its chunk sCAL. It comes before pHYs, which is meant for screens and printers.
///
/// *Source*: Extensions to the PNG 1.2 specification, sCAL: a unit (1 metre, 2 radian), then width and height of a pixel as text.
enum PNGScale {
    /// Nil where the chunk is missing, or no calibration: `problem` says so.
    static func read(
        _ parts: [PictureBlock], of file: InputFile
    ) throws(StorageFailure) -> (calibration: PixelCalibration?, problem: String?) {
        let scales = parts.filter { $0.kind == .chunk(Array("sCAL".utf8)) }
        guard let part = scales.first else { return (nil, nil) }
        guard scales.count == 1 else { return (nil, "says its scale (sCAL) twice") }
        guard part.data.count <= 1024 else { return (nil, "has a damaged scale (sCAL)") }
        let chunk = try file.read(part.data.lowerBound - 4..<part.data.upperBound + 4)
        let sum = chunk.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let data = chunk.dropFirst(4).dropLast(4)
        let sizes = data.dropFirst().split(separator: 0, omittingEmptySubsequences: false).map {
            number(String(decoding: $0, as: UTF8.self))
        }
        guard Inflate.crc32(Array(chunk.dropLast(4))) == sum, let unit = data.first, 1...2 ~= unit, sizes.count == 2,
            let width = sizes[0], let height = sizes[1]
        else { return (nil, "has a damaged scale (sCAL)") }
        guard unit == 1 else { return (PixelCalibration(notCalibratedBy: "The chunk sCAL"), nil) }
        return (PixelCalibration(program: "The chunk sCAL", rowMM: height * 1000, columnMM: width * 1000), nil)
    }

    /// A positive number in decimal digits, perhaps with an exponent; nil for anything else.
    private static func number(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) || "+-.eE".utf8.contains($0) }), let number = Double(text),
            number.isFinite, number > 0
        else { return nil }
        return number
    }
}
