import Imaging

/// Whether the grey values of a volume's frames mean the same: one frame without the rescale that the others have, or shown the other
/// way round, would be segmented as something else.
enum GreyConsistency {
    /// Frames in the volume's order.
    ///
    /// *Throws* `values` or `photometric` naming frame and attribute.
    static func check(_ frames: [SourceFrame]) throws(DICOMFailure) {
        guard let first = frames.first?.instance.pixels, first.samples == 1, first.photometric != .paletteColor else {
            return
        }
        if let odd = minority(frames.map(isInverse)) {
            throw .photometric(
                "\(Attribute.photometricInterpretation.keyword) \(Attribute.photometricInterpretation.tag) or \(Attribute.presentationLUTShape.keyword) of \(frames.name(odd)) turns black and white round, unlike the others: which is right is unknown.",
                cure: "Correct the series at its source.")
        }
        if let odd = minority(frames.map(\.instance.pixels.isSigned)) {
            throw .values(
                "\(Attribute.pixelRepresentation.keyword) \(Attribute.pixelRepresentation.tag) of \(frames.name(odd)) is unlike the others': its values cannot be compared with theirs.",
                cure: "Correct the series at its source.")
        }
        let transforms = frames.map { frame in
            ModalityTransform.applies(to: frame) ? frame.valueTransformation : DataSet()
        }
        try checkDepth(frames, transforms)
        for attribute in [Attribute.rescaleSlope, .rescaleIntercept] {
            let stated = transforms.map { $0.numbers(attribute, in: CheckedNumbers.Range.value) }
            for (index, numbers) in stated.enumerated() where !isUsable(numbers, attribute) {
                throw .values(
                    "\(attribute.keyword) \(attribute.tag) of \(frames.name(index)) is not one number that a scale can have: its values are unknown.",
                    cure: "Correct the series at its source.")
            }
            try checkPresence(stated.map { $0 != .absent }, attribute, frames)
        }
        // Where all slopes are 0, the values are unknown and a finding says so.
        try checkPresence(
            transforms.map { $0.number(.rescaleSlope, in: CheckedNumbers.Range.value) == 0 }, .rescaleSlope, frames,
            "0")
        let hasTable = transforms.map { !$0.items(.modalityLUTSequence).isEmpty }
        try checkPresence(hasTable, .modalityLUTSequence, frames)
        if let index = frames.indices.first(where: { hasTable[$0] && isRescaled(transforms[$0], of: frames[$0]) }) {
            throw .values(
                "both \(Attribute.modalityLUTSequence.keyword) \(Attribute.modalityLUTSequence.tag) and a rescale in \(frames.name(index)): which of them gives the values is unknown.",
                cure: "Correct the series at its source.")
        }
        if let index = frames.indices.first(where: { isUnusable(transforms[$0], of: frames[$0]) }) {
            throw .values(
                "\(Attribute.modalityLUTSequence.keyword) \(Attribute.modalityLUTSequence.tag) of \(frames.name(index)) is not one table of the length that its descriptor says: its values are unknown.",
                cure: "Correct the series at its source.")
        }
        try checkCounts(frames)
        let types = Set(transforms.map { $0.string(.rescaleType)?.uppercased() ?? "" })
        guard types.subtracting([""]).count < 2 else {
            throw .values(
                "\(Attribute.rescaleType.keyword) \(Attribute.rescaleType.tag) has \(types.count) values in one volume: its values cannot be compared with each other.",
                cure: "Correct the series at its source.")
        }
    }

    /// Of PET: becquerels beside counts, decay corrected to other times, of another tracer, and slices with and without correction of
    /// attenuation are values of other kinds.
    private static func checkCounts(_ frames: [SourceFrame]) throws(DICOMFailure) {
        guard frames[0].instance.modality == "PT", frames.count > 1 else { return }
        let dataSets = frames.map(\.instance.dataSet)
        for attribute in [Attribute.units, .suvType, .decayCorrection] {
            let count = Set(dataSets.compactMap { $0.string(attribute)?.uppercased() }).count
            guard count > 1 else { continue }
            throw .values(
                "\(attribute.keyword) \(attribute.tag) has \(count) values in one volume: its values cannot be compared with each other.",
                cure: "Correct the series at its source, or send its images as the series that they are.")
        }
        let tracers = dataSets.compactMap { dataSet in
            dataSet.item(.radiopharmaceuticalInformationSequence)?.string(.radiopharmaceutical)?.uppercased()
        }
        guard Set(tracers).count <= 1 else {
            throw .values(
                "\(Attribute.radiopharmaceutical.keyword) \(Attribute.radiopharmaceutical.tag) has \(Set(tracers).count) values in one volume: its slices show other things.",
                cure: "Correct the series at its source, or send its images as the series that they are.")
        }
        let corrections = dataSets.map { $0.strings(.correctedImage) }
        guard corrections.allSatisfy({ !$0.isEmpty }), let odd = minority(corrections.map { $0.contains("ATTN") })
        else { return }
        throw .values(
            "\(Attribute.correctedImage.keyword) \(Attribute.correctedImage.tag) of \(frames.name(odd)) differs from the others' in ATTN: its values cannot be compared with theirs.",
            cure: "Correct the series at its source, or send its images as the series that they are.")
    }

    /// A picture of 8 bits that was made of a slice of 16 holds a window's grey levels: under the rescale of the others it means another
    /// thing. One whose steps are wider than theirs says what they are. More or fewer bits of cells of one size are what scanners store.
    private static func checkDepth(_ frames: [SourceFrame], _ transforms: [DataSet]) throws(DICOMFailure) {
        let pixels = frames.map(\.instance.pixels)
        guard let odd = minority(pixels.map { $0.bitsAllocated <= 8 }),
            transforms.allSatisfy({ $0.items(.modalityLUTSequence).isEmpty })
        else { return }
        let steps = transforms.map { ($0.number(.rescaleSlope, in: CheckedNumbers.Range.value) ?? 1).magnitude }
        let (narrow, wide) = (
            frames.indices.filter { pixels[$0].bitsAllocated <= 8 },
            frames.indices.filter { pixels[$0].bitsAllocated > 8 && pixels[$0].bitsStored > 8 }
        )
        guard let widest = wide.map({ steps[$0] }).max(), narrow.contains(where: { steps[$0] <= widest }) else {
            return
        }
        throw .values(
            "\(Attribute.bitsAllocated.keyword) \(Attribute.bitsAllocated.tag) is \(pixels[odd].bitsAllocated) in \(frames.name(odd)), unlike in the others, and its rescale does not say so: its values cannot be compared with theirs.",
            cure: "Correct the series at its source, or send such pictures as a series of their own.")
    }

    /// A table that says no values: more than one item, or one that is no table.
    private static func isUnusable(_ transform: DataSet, of frame: SourceFrame) -> Bool {
        let items = transform.items(.modalityLUTSequence)
        guard let first = items.first else { return false }
        return items.count > 1 || LookUpTable(first, signedInput: frame.instance.pixels.isSigned) == nil
    }

    /// A rescale beside a table. One that changes nothing says nothing against the table, but where values are Hounsfield units.
    private static func isRescaled(_ transform: DataSet, of frame: SourceFrame) -> Bool {
        let slope = transform.number(.rescaleSlope, in: CheckedNumbers.Range.value)
        let intercept = transform.number(.rescaleIntercept, in: CheckedNumbers.Range.value)
        if slope == nil, intercept == nil { return false }
        return frame.instance.modality == "CT" || (slope ?? 1) != 1 || (intercept ?? 0) != 0
    }

    /// Why nobody can say what a frame's grey values are: a scale that stands empty or is 0, a CT without one or of another unit. Nil
    /// where they are what is stated.
    static func unknownValues(_ frame: SourceFrame) -> Finding? {
        guard ModalityTransform.applies(to: frame), frame.instance.pixels.bitsAllocated > 1 else { return nil }
        let stated = frame.valueTransformation
        let isCT = frame.instance.modality == "CT"
        let type = stated.string(.rescaleType)?.uppercased() ?? ""
        let attributes = [Attribute.rescaleSlope, .rescaleIntercept]
        let reason: String
        if attributes.contains(where: {
            stated.has($0) && stated.numbers($0, in: CheckedNumbers.Range.value) == .absent
        }) {
            reason = "Rescale Slope or Intercept is empty"
        } else if isCT, stated.items(.modalityLUTSequence).isEmpty, !attributes.contains(where: { stated.has($0) }) {
            reason = "Rescale Slope or Intercept is missing"
        } else if stated.number(.rescaleSlope, in: CheckedNumbers.Range.value) == 0 {
            reason = "Rescale Slope is 0"
        } else if isCT, !type.isEmpty, !type.hasPrefix("HU") {
            reason = "Rescale Type names another unit"
        } else {
            return nil
        }
        return Finding(
            "VOL-VALUES", .warning,
            "\(reason): whether values are Hounsfield units is unknown, and no fixed window is applied to them.")
    }

    /// - Parameter what: what a flag says of an attribute, if it is not that it is there.
    private static func checkPresence(
        _ flags: [Bool], _ attribute: Attribute, _ frames: [SourceFrame], _ what: String? = nil
    ) throws(DICOMFailure) {
        guard let odd = minority(flags) else { return }
        let state = flags[odd] ? what ?? "there" : what.map { "not \($0)" } ?? "missing"
        throw .values(
            "\(attribute.keyword) \(attribute.tag) is \(state) in \(frames.name(odd)), unlike in the others: its values cannot be compared with theirs.",
            cure: "Correct the series at its source.")
    }

    /// Absent, or one number: zero (read as one) or of a magnitude that a scale can have.
    private static func isUsable(_ numbers: CheckedNumbers, _ attribute: Attribute) -> Bool {
        switch numbers {
        case .absent: return true
        case .invalid: return false
        case .valid(let values):
            // VM is 1: of two values nobody knows which holds.
            guard values.count == 1, let value = values.first else { return false }
            return attribute == .rescaleIntercept || value == 0 || CheckedNumbers.Range.scale.contains(value.magnitude)
        }
    }

    private static func isInverse(_ frame: SourceFrame) -> Bool {
        frame.instance.pixels.photometric == .monochrome1
            || frame.instance.dataSet.string(.presentationLUTShape) == "INVERSE"
    }

    /// The first index that is unlike most; nil when all are alike.
    private static func minority(_ flags: [Bool]) -> Int? {
        let count = flags.count(where: { $0 })
        guard count > 0, count < flags.count else { return nil }
        return flags.firstIndex(of: 2 * count <= flags.count)
    }
}
