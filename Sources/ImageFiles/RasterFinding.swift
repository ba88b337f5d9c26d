import Imaging
import Numbers

/// What was decided about a picture that its reader should know.
package struct RasterFinding: Sendable, Hashable {
    package enum Kind: String, Sendable {
        /// Which of several channels was taken.
        case channel = "RAS-CHANNEL"
        /// Why a distance that the file has is not believed, or which of two is.
        case scale = "RAS-SCALE"
        /// Which bits of a sample are shown, and how values of more than 16 bits are held.
        case depth = "RAS-DEPTH"
        /// Samples that are no measurements: a person has to look.
        case values = "PIX-NOTE"
        /// Everything else that was done to the samples: dropped alpha, turned upright.
        case picture = "RAS-PICTURE"
        /// Which of a picture's copies was taken, and why.
        case level = "RAS-LEVEL"
        /// Pages that are no pictures of their own.
        case pages = "RAS-PAGES"
    }

    package let kind: Kind
    /// Something was chosen that the file does not say.
    package let isWarning: Bool
    /// Parts of the picture are transparent: what is there is a question of what it is for.
    package let isTransparency: Bool
    /// One line for a person; no name of a file.
    package let text: String

    package init(_ kind: Kind, isWarning: Bool = false, isTransparency: Bool = false, _ text: String) {
        self.kind = kind
        self.isWarning = isWarning
        self.isTransparency = isTransparency
        self.text = text
    }
}

extension RasterFinding {
    /// A colour picture's profile (ICC) that is none, or another picture's; nil for others.
    static func profile(_ header: [UInt8], size: Int?) -> RasterFinding? {
        ColourProfile.problem(header, size: size).map { RasterFinding(.picture, isWarning: true, "\($0).") }
    }

    /// Colours leave their high bits empty.
    static func unusedBits(of bits: Int, used: Int) -> RasterFinding {
        RasterFinding(
            .depth, isWarning: true,
            "of \(bits) bits a colour only \(used) are used: the picture is shown by those \(used).")
    }
}
