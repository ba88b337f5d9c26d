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

    /// Whether the magnification (AppMag) and the size of a pixel are none of one scanner: 40 times is about 0.25 µm, 20 times 0.5 µm. A
    /// camera's pixels behind one objective may be a few times larger or smaller than another's.
    static func magnificationContradicts(_ micrometres: Double, in text: String) -> Bool {
        let fields = text.split(separator: "|").map {
            $0.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
        }
        guard let field = fields.first(where: { $0.first == "AppMag" }), field.count == 2,
            let magnification = Double(field[1]), magnification > 0, micrometres.isFinite
        else { return false }
        return !(2...50).contains(magnification * micrometres)
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
