import DICOM

/// Whether the pixels that were segmented had been compressed with loss (C.8.20.2.2).
enum Lossy {
    static func put(_ sources: [SourceInstance], into dataSet: inout DataSet) {
        guard let source = sources.first(where: isLossy) else {
            dataSet.put(.lossyImageCompression, "00")
            return
        }
        dataSet.put(.lossyImageCompression, "01")
        let ratios = source.dataSet.strings(.lossyImageCompressionRatio)
        let methods = source.dataSet.strings(.lossyImageCompressionMethod)
        let usable = !ratios.isEmpty && ratios.allSatisfy { ValueRules.isDecimal($0) }
        dataSet.put(.lossyImageCompressionRatio, usable ? ratios : [DecimalString.text(measuredRatio(source)) ?? "1"])
        dataSet.put(.lossyImageCompressionMethod, methods.isEmpty ? [method(source.file.transferSyntax.uid)] : methods)
    }

    private static func isLossy(_ source: SourceInstance) -> Bool {
        source.dataSet.string(.lossyImageCompression) == "01" || source.file.transferSyntax.isLossy
    }

    /// Bytes of the pixels as they would be native, over bytes of the fragments; two decimals.
    private static func measuredRatio(_ source: SourceInstance) -> Double {
        guard case .fragments(_, let items)? = source.dataSet[.pixelData]?.value else { return 1 }
        let compressed = items.reduce(0) { $0 + $1.count }
        let pixels = source.pixels
        let native =
            Double(pixels.rows) * Double(pixels.columns)
            * Double(pixels.samples * pixels.frames * ((pixels.bitsAllocated + 7) / 8))
        return (native / Double(max(compressed, 1)) * 100).rounded() / 100
    }

    private static func method(_ syntax: String) -> String {
        if syntax.hasSuffix("4.81") { return "ISO_14495_1" }
        if syntax.contains("4.9") { return "ISO_15444_1" }
        return syntax.contains("4.20") ? "ISO_15444_15" : "ISO_10918_1"
    }
}
