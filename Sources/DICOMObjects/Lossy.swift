import DICOM
import Numbers

/// Whether the pixels that were segmented, or that an image was made of, had been compressed with loss (C.7.6.1.1.5, C.8.20.2.2).
enum Lossy {
    /// Whether, how and how much, of the first source that says so or whose stream is lossy. Ratio and method are the source's own where
    /// these are legal, else what its stream tells; where neither tells, they are left away: nothing is invented.
    static func put(_ sources: [SourceInstance], into dataSet: inout DataSet) throws(ObjectFailure) {
        guard let source = sources.first(where: \.isLossy) else {
            dataSet.put(.lossyImageCompression, "00")
            return
        }
        dataSet.put(.lossyImageCompression, "01")
        var copy = SourceCopy(source.dataSet)
        try copy.copy([.lossyImageCompressionRatio, .lossyImageCompressionMethod], .type3, into: &dataSet)
        let syntax = source.file.transferSyntax
        // Where only the attribute says so, the loss happened before, and this stream's size tells nothing of it.
        guard syntax.isLossy || source.dataSet.string(.lossyImageCompression) != "01",
            case .fragments(_, let items)? = source.dataSet[.pixelData]?.value, let method = method(syntax)
        else { return }
        if !dataSet.has(.lossyImageCompressionRatio) {
            dataSet.put(.lossyImageCompressionRatio, DecimalString.text(ratio(source.pixels, items)) ?? "")
        }
        if !dataSet.has(.lossyImageCompressionMethod) { dataSet.put(.lossyImageCompressionMethod, method) }
    }

    /// Of a picture that was no DICOM; nil where nothing was lost. The method is nil where DICOM has no term for it.
    static func put(_ loss: (method: String?, ratio: Double)?, into dataSet: inout DataSet) {
        dataSet.put(.lossyImageCompression, loss == nil ? "00" : "01")
        guard let loss else { return }
        dataSet.put(.lossyImageCompressionRatio, decimals: [loss.ratio])
        if let method = loss.method { dataSet.put(.lossyImageCompressionMethod, method) }
    }

    /// Bytes of the pixels as they would be native, over bytes of the fragments; two decimals.
    private static func ratio(_ pixels: PixelDescription, _ fragments: [Range<Int>]) -> Double {
        let compressed = fragments.reduce(0) { $0 + $1.count }
        let native =
            Double(pixels.rows) * Double(pixels.columns)
            * Double(pixels.samples * pixels.frames * ((pixels.bitsAllocated + 7) / 8))
        return (native / Double(max(compressed, 1))).rounded(decimals: 2)
    }

    /// The defined term of the compression (C.7.6.1.1.5.1); nil for syntaxes that keep every bit.
    private static func method(_ syntax: TransferSyntax) -> String? {
        switch syntax.pixels {
        case .jpeg: "ISO_10918_1"
        case .jpegLS: "ISO_14495_1"
        case .jpeg2000: syntax.uid.contains(".4.20") ? "ISO_15444_15" : "ISO_15444_1"
        default: nil
        }
    }
}
