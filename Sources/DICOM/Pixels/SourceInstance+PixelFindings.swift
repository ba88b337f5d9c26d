import Imaging

extension SourceInstance {
    /// What of the object as a whole a person has to look at, or should know, beside its frames; asked once.
    ///
    /// *Throws* `changed`, `unreadable`.
    func pixelFindings() throws(DICOMFailure) -> [Finding] {
        let doubts = [
            file.hasBytesBehind
                ? "the file has bytes behind the end of its data set: part of it, or another image, may be lost" : nil,
            try profileProblem(),
            dataSet.string(.recommendedViewingMode) == "SUB"
                ? "the frames are to be shown as their difference from a mask (\(Attribute.recommendedViewingMode.keyword) \(Attribute.recommendedViewingMode.tag) = SUB), and were taken as they stand: other programs show another picture"
                : nil,
        ]
        return doubts.compactMap { $0 }.map { Finding("PIX-NOTE", .warning, $0) }
            + [presentation].compactMap { $0 }
    }

    /// MONOCHROME1 has INVERSE and MONOCHROME2 IDENTITY (PS3.3 C.8.11.3.1). Hounsfield units are never turned round.
    private var presentation: Finding? {
        let photometric = pixels.photometric
        guard photometric == .monochrome1 || photometric == .monochrome2, modality != "CT",
            let shape = dataSet.string(.presentationLUTShape), ["INVERSE", "IDENTITY"].contains(shape),
            shape != (photometric == .monochrome1 ? "INVERSE" : "IDENTITY")
        else { return nil }
        let names = "Photometric Interpretation = \(photometric.rawValue) and Presentation LUT Shape = \(shape)"
        // Radiography devices that write IDENTITY into everything are known, and their Photometric Interpretation is right. Beside it
        // IDENTITY means that nothing else is done.
        if photometric == .monochrome1, ["CR", "DX", "MG", "IO", "PX"].contains(modality) {
            return Finding("PIX-NOTE", .note, "\(names): the first holds, black and white were exchanged")
        }
        return Finding(
            "PIX-NOTE", .warning,
            "\(names) contradict each other: black and white were exchanged, and other programs may show the image the other way round"
        )
    }

    private func profileProblem() throws(DICOMFailure) -> String? {
        guard pixels.samples == 3 else { return nil }
        for dataSet in [dataSet] + dataSet.items(.opticalPathSequence) {
            guard let element = dataSet[.iCCProfile] else { continue }
            let (header, size): ([UInt8], Int)
            switch element.value {
            case .bytes(let bytes): (header, size) = (Array(bytes.prefix(ColourProfile.headerBytes)), bytes.count)
            case .inFile(let offset, let length):
                let end = offset + min(length, ColourProfile.headerBytes)
                (header, size) = (try file.source.opened(limits).bytes(offset..<end), length)
            case .items, .fragments: (header, size) = ([], 1)
            }
            if size > 0, let problem = ColourProfile.problem(header, size: size) { return problem }
        }
        return nil
    }
}
