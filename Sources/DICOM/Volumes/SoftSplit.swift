/// Frames that share positions are several volumes: time points, echoes, diffusion weightings. The first attribute that
/// tells them apart splits them; nothing splits frames that do not collide (exposure or windows never do).
///
/// *Source*: the design page on DICOM, section 2.2; rordenlab/dcm2niix#468 shows what splitting too eagerly does.
enum SoftSplit {
    typealias Key = (name: String, value: @Sendable (SourceFrame) -> String)

    /// In the order in which they are tried.
    static let keys: [Key] = [
        ("Stack ID", { $0.group(.frameContentSequence).text(.stackID) ?? "" }),
        (
            "Temporal Position",
            {
                $0.group(.frameContentSequence).text(.temporalPositionIndex) ?? $0.classic(.temporalPositionIdentifier)
            }
        ),
        ("Trigger Time", { $0.classic(.triggerTime) }),
        ("Echo Number", { $0.classic(.echoNumbers) }),
        ("Echo Time", { $0.group(.mrEchoSequence).text(.effectiveEchoTime) ?? $0.classic(.echoTime) }),
        ("b-value", { $0.diffusionBValue }),
        ("Image Type", { $0.imageType.joined(separator: "\\") }),
        (
            "Acquisition Number",
            {
                $0.group(.frameContentSequence).text(.frameAcquisitionNumber) ?? $0.classic(.acquisitionNumber)
            }
        ),
        (
            "Acquisition Time",
            { frame in
                frame.group(.frameContentSequence).text(.frameAcquisitionDateTime)
                    ?? frame.instance.dataSet.text(.acquisitionDateTime)
                    ?? frame.classic(.acquisitionDate) + frame.classic(.acquisitionTime)
            }
        ),
        ("Content Time", { $0.classic(.contentTime) }),
    ]

    /// The parts in the order of their first frame; one part when nothing collides.
    ///
    /// *Throws*: `ambiguous` when no attribute and no pair of them tells the frames apart.
    static func parts(_ frames: [SourceFrame]) throws(DICOMFailure) -> [[SourceFrame]] {
        let multiplicity = SliceOrder(frames).multiplicity
        guard multiplicity > 1 else { return [frames] }
        let values = keys.map { key in frames.map(key.value) }
        let counts = values.map { Set($0).count }
        let useful = keys.indices.filter { counts[$0] > 1 }
        var candidates = useful.map { [$0] }
        for (index, first) in useful.enumerated() {
            for second in useful.dropFirst(index + 1) { candidates.append([first, second]) }
        }
        for candidate in candidates {
            var indices: [[String]: Int] = [:]
            var parts: [[SourceFrame]] = []
            for (index, frame) in frames.enumerated() {
                let value = candidate.map { values[$0][index] }
                if let part = indices[value] {
                    parts[part].append(frame)
                } else {
                    indices[value] = parts.count
                    parts.append([frame])
                }
            }
            // A key that tells every single frame apart explains nothing.
            guard parts.count <= 2 * multiplicity else { continue }
            if parts.allSatisfy({ SliceOrder($0).multiplicity == 1 }) { return parts }
        }
        let counted = useful.map { "\(keys[$0].name): \(counts[$0]) values" }.joined(separator: ", ")
        throw .ambiguous(
            "\(frames.count) frames, up to \(multiplicity) at one position, and no attribute that tells them apart (\(counted.isEmpty ? "all equal" : counted)): which belong together is unknown.",
            cure: "Send one volume a series.")
    }
}

extension SourceFrame {
    /// An attribute of the main data set as text; empty when absent.
    fileprivate func classic(_ attribute: Attribute) -> String { instance.dataSet.text(attribute) ?? "" }

    /// The standard's attribute, else where Siemens, GE and Philips keep it.
    fileprivate var diffusionBValue: String {
        if let value = group(.mrDiffusionSequence).text(.diffusionBValue) { return value }
        let dataSet = instance.dataSet
        if let siemens = dataSet.text(DiffusionTags.siemens) { return siemens }
        // GE adds 1e9 to mark processed values.
        if let ge = dataSet.int(DiffusionTags.ge) { return String(ge % 1_000_000_000) }
        return dataSet.double(DiffusionTags.philips).map { "\($0)" } ?? ""
    }
}

/// Where vendors keep the b-value of a diffusion weighting.
enum DiffusionTags {
    static let siemens = Tag(0x0019, 0x100C)
    static let ge = Tag(0x0043, 0x1039)
    static let philips = Tag(0x2001, 0x1003)
    static let all = [siemens, ge, philips]
}
