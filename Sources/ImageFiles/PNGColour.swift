import Numbers
import Storage

/// What a PNG says of the light that its samples stand for. None of it is applied, as no model learned from colours that were; but samples that are
/// not those of a usual screen (sRGB, gamma 1/2.2) look otherwise in every program that does.
///
/// *Source*: PNG (third edition) 11.3.2 and 4.3: cICP comes before iCCP, that before sRGB, that before gAMA; ITU-T H.273, tables 3 and 4.
struct PNGColour {
    /// Of chunks by their names, the first of each.
    private let chunks: [String: [UInt8]]

    /// *Throws* `StorageFailure` when the file cannot be read.
    init(_ parts: [PictureBlock], of file: InputFile) throws(StorageFailure) {
        var chunks: [String: [UInt8]] = [:]
        for part in parts {
            guard case .chunk(let letters) = part.kind else { continue }
            let name = String(decoding: letters, as: UTF8.self)
            guard ["cICP", "iCCP", "sRGB", "gAMA"].contains(name), chunks[name] == nil else { continue }
            chunks[name] = try file.read(part.data.prefix(4))
        }
        self.chunks = chunks
    }

    /// What a person has to look at; nil for pictures of a usual screen, and those that say nothing.
    var problem: String? {
        let meaning = "the picture may look otherwise than it was meant"
        if let code = chunks["cICP"] {
            guard code.count == 4 else { return "what the picture says of its colours (cICP) is damaged: \(meaning)." }
            if code[2] != 0 { return "the picture's samples are no red, green and blue (cICP): \(meaning)." }
            if code[3] != 1 { return "the picture's samples do not use their whole range (cICP): \(meaning)." }
            // Linear, logarithmic, and those of high dynamic range.
            return [8, 9, 10, 16, 17, 18].contains(code[1])
                ? "the picture's brightness is not that of a usual screen (cICP, transfer \(code[1])): \(meaning)."
                : nil
        }
        guard chunks["iCCP"] == nil, chunks["sRGB"] == nil, let gamma = chunks["gAMA"] else { return nil }
        let value = Double(gamma.reduce(0) { $0 << 8 | Int($1) }) / 100_000
        // Screens of all makers; 1 is linear.
        return gamma.count == 4 && (0.35...0.7).contains(value)
            ? nil : "the picture's gamma is \(NumberText.short(value)), not that of a usual screen (gAMA): \(meaning)."
    }
}
