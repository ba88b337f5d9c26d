/// What Aperio's scanners write into the description of a page.
///
/// *Source*: Aperio, Digital Slides and Third-Party Data Interchange; files of ScanScope and GT 450.
enum AperioDescription {
    /// Micrometres a pixel of the scan (MPP); nil where it is not said, NaN where what is said is no number, or said twice and differently.
    static func pixelMicrometres(in text: String) -> Double? {
        let values = text.split(separator: "|").compactMap { field -> Double? in
            let parts = field.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard parts.first == "MPP" else { return nil }
            return parts.count == 2 ? Double(parts[1]) ?? .nan : .nan
        }
        guard let first = values.first else { return nil }
        return values.allSatisfy { $0 == first } ? first : .nan
    }

    /// Rows and columns of the scan and of the part of it that was kept, for both of which MPP holds; empty where nothing is said.
    ///
    /// `46920x33014 [0,100 46000x32914] (256x256) -> 11500x8228 JPEG/RGB Q=65|MPP = 0.4990`: sizes behind the arrow are those of a
    /// copy, and MPP is not.
    static func sizes(in text: String) -> [[Int]] {
        let words = text.prefix { $0 != "|" }.split { $0.isWhitespace || "[],".contains($0) }
        return words.prefix { $0 != "->" }.compactMap { word in
            let sides = word.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
            guard sides.count == 2, let columns = sides[0], let rows = sides[1] else { return nil }
            return [rows, columns]
        }
    }
}
