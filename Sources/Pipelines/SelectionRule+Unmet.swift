import DICOM
import Numbers

extension SelectionRule {
    /// The conditions that a volume does not meet, in words; empty when the rule takes it. Attributes that are no patient's values only.
    func unmet(by volume: Volume) -> [String] {
        let dataSet = volume.first.dataSet
        let description = dataSet.text(.seriesDescription) ?? ""
        let type = volume.first.imageType
        var unmet: [String] = []
        func check(_ name: String, _ list: [String], _ value: String) {
            guard !list.isEmpty, !list.contains(value) else { return }
            let wanted = list.map { $0.isEmpty ? "none" : $0 }.joined(separator: ", ")
            unmet.append("\(name) is \(value.isEmpty ? "absent" : value), the rule asks for \(wanted)")
        }
        check("modality", modality, volume.modality)
        check("sop_class", sopClass, volume.first.sopClassUID)
        check("body_part", bodyPart, (dataSet.string(.bodyPartExamined) ?? "").uppercased())
        check("origin", origin.map(\.rawValue), Self.origin(of: volume).rawValue)
        if let seriesDescription, !seriesDescription.matches(description) {
            unmet.append("the series description does not match \(seriesDescription.text)")
        }
        if let excludeDescription, excludeDescription.matches(description) {
            unmet.append("the series description matches \(excludeDescription.text), which the rule excludes")
        }
        let missing = imageTypeAll.filter { !type.contains($0) }, excluded = imageTypeNone.filter(type.contains)
        if !missing.isEmpty { unmet.append("the image type lacks \(missing.joined(separator: ", "))") }
        if !excluded.isEmpty { unmet.append("the image type holds \(excluded.joined(separator: ", "))") }
        if let minFrames, volume.frames.count < minFrames {
            unmet.append("\(NumberText.plural(volume.frames.count, "frame")), the rule asks for \(minFrames) or more")
        }
        if let maxSliceMM, let slice = volume.sliceSpacing, slice > maxSliceMM {
            unmet.append(
                "slices lie \(NumberText.length(mm: slice)) apart, the rule allows \(NumberText.length(mm: maxSliceMM))"
            )
        }
        if frames != .all {
            if volume.reachesOverSlices {
                unmet.append("its slices lie in space, and the rule chooses among frames")
            } else if frames.indices(of: volume.frames.count).isEmpty {
                unmet.append("it has none of the frames that the rule takes")
            }
        }
        return unmet
    }

    static func origin(of volume: Volume) -> Origin {
        volume.first.dataSet.uid(.instanceCreatorUID) == InstanceCreator.imports ? .tiff : .dicom
    }
}
