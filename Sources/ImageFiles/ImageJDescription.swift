/// What ImageJ writes into the description of a TIFF's first page.
///
/// *Source*: ij/io/FileSaver.java, getDescriptionString; ij/io/TiffDecoder.java.
struct ImageJDescription {
    private let values: [String: String]

    /// Nil for other text.
    init?(_ text: String) {
        guard text.hasPrefix("ImageJ=") else { return nil }
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        self.values = values
    }

    private func count(_ key: String) -> Int? { values[key].flatMap { Int($0.trimmed) } }
    private func number(_ key: String) -> Double? { values[key].flatMap { Double($0.trimmed) } }

    /// Pictures of the stack; 1 where nothing is said.
    var images: Int { count("images") ?? 1 }

    /// Lengths of the axes; nil when they contradict the number of pictures.
    var axes: (channels: Int, slices: Int, times: Int)? {
        let stated = (count("channels"), count("slices"), count("frames"))
        let (channels, slices, times) = (stated.0 ?? 1, stated.1 ?? 1, stated.2 ?? 1)
        guard [channels, slices, times].allSatisfy({ (1...1_000_000).contains($0) }) else { return nil }
        if channels * slices * times == images { return (channels, slices, times) }
        // A plain stack says only how many pictures it has.
        return stated == (nil, nil, nil) ? (1, images, 1) : nil
    }

    /// - Parameter perUnit: pixels a unit, of rows and of columns.
    /// Nil when the description gives no unit.
    func calibration(rowsPerUnit: Double, columnsPerUnit: Double) -> PixelCalibration? {
        guard let unit = values["unit"] else { return nil }
        if PixelCalibration.isNone(unit) { return PixelCalibration() }
        guard let column = PixelCalibration.millimetres(unit) else {
            return PixelCalibration(notCalibratedBy: "ImageJ")
        }
        guard let row = values["yunit"].map({ PixelCalibration.millimetres($0) }) ?? column else {
            return PixelCalibration(notCalibratedBy: "ImageJ")
        }
        guard rowsPerUnit > 0, columnsPerUnit > 0 else { return PixelCalibration() }
        // Inches and centimetres are what a file has that nobody calibrated.
        let uncalibrated: PixelCalibration.Unit? =
            column == row ? (column == 25.4 ? .inch : column == 10 ? .centimetre : nil) : nil
        // Of a negative distance ImageJ takes the amount (ij/io/FileOpener.java, setCalibration).
        let slice = values["zunit"].map { PixelCalibration.millimetres($0) } ?? column
        let told = PixelCalibration(
            program: "ImageJ", rowMM: row / rowsPerUnit, columnMM: column / columnsPerUnit,
            sliceMM: number("spacing").flatMap { spacing in slice.map { abs(spacing) * $0 } })
        guard let uncalibrated else { return told }
        return told.judged(as: PixelCalibration(rows: rowsPerUnit, columns: columnsPerUnit, unit: uncalibrated))
    }

    /// `value = stored · slope + intercept`, where ImageJ shows calibrated values; nil for none. A straight line is the only function
    /// that is known here.
    var values16: (slope: Double, intercept: Double)? {
        guard values["cf"]?.trimmed == "0", let intercept = number("c0"), let slope = number("c1") else { return nil }
        return slope.isFinite && slope != 0 && intercept.isFinite ? (slope, intercept) : nil
    }

    /// A function of values other than a straight line.
    var hasOtherFunction: Bool { values["cf"].map { !["0", "20"].contains($0.trimmed) } ?? false }
}

/// What tifffile writes into the description of a file that is none of the others: the shape of the whole array.
struct ShapedDescription {
    /// Lengths of all axes, the slowest first.
    let shape: [Int]
    /// A letter an axis, where they are named.
    let axes: String?
    /// All pictures stand behind the first page.
    let isTruncated: Bool

    /// Nil for other text.
    init?(_ text: String) {
        if text.hasPrefix("shape=(") {
            shape = text.dropFirst(7).prefix { $0 != ")" }.split(separator: ",").compactMap { Int(String($0).trimmed) }
            axes = nil
            isTruncated = false
        } else {
            guard text.hasPrefix("{"), let start = text.firstRange(of: "\"shape\": [")?.upperBound else { return nil }
            shape = text[start...].prefix { $0 != "]" }.split(separator: ",").compactMap { Int(String($0).trimmed) }
            axes = text.firstRange(of: "\"axes\": \"").map { String(text[$0.upperBound...].prefix { $0 != "\"" }) }
            isTruncated = text.contains("\"truncated\": true")
        }
        guard !shape.isEmpty, shape.count <= 16, shape.allSatisfy({ (1...1_000_000_000).contains($0) }) else {
            return nil
        }
    }

    /// Axes before rows and columns, if the array ends with the picture of a page; nil when the page was changed since.
    ///
    /// - Parameter samples: of a page's pixel.
    func stack(rows: Int, columns: Int, samples: Int, isPlanar: Bool) -> [(axis: Character, count: Int)]? {
        let picture =
            samples == 1 ? [rows, columns] : isPlanar ? [samples, rows, columns] : [rows, columns, samples]
        var shape = shape
        if samples == 1, shape.last == 1, shape.count > 2 { shape.removeLast() }
        guard shape.count >= picture.count, Array(shape.suffix(picture.count)) == picture else { return nil }
        let names = axes.flatMap { $0.count == shape.count ? Array($0) : nil }
        return shape.dropLast(picture.count).enumerated().map { (names?[$0] ?? "Q", $1) }
    }
}
