import DICOM
import Numbers

extension SelectionRule {
    /// The conditions that a volume, or one of its images, does not meet, in words; empty when the rule takes it. Attributes that are no
    /// patient's values only.
    func unmet(by volume: Volume) -> [String] {
        var unmet: [String] = []
        for reason in ImageTraits.of(volume).flatMap(self.unmet) where !unmet.contains(reason) { unmet.append(reason) }
        return unmet + unmetByWhole(volume)
    }

    /// What the rule asks of each image and some of the volume's have and others have not; empty where all of them agree, or the rule does
    /// not take the volume in any case.
    func dividing(_ volume: Volume) -> [String] {
        guard unmetByWhole(volume).isEmpty else { return [] }
        let reasons = ImageTraits.of(volume).map(unmet)
        return reasons.contains(where: \.isEmpty) ? reasons.first { !$0.isEmpty } ?? [] : []
    }

    /// Conditions on a single image.
    private func unmet(by image: ImageTraits) -> [String] {
        var unmet: [String] = []
        func check(_ name: String, _ list: [String], _ value: String, shown: String) {
            guard !list.isEmpty, !list.contains(value) else { return }
            let wanted = list.map { $0.isEmpty ? "none" : $0 }.joined(separator: ", ")
            unmet.append("\(name) is \(shown), the rule asks for \(wanted)")
        }
        check("modality", modality, image.modality, shown: image.shownModality)
        check("sop_class", sopClass, image.sopClass, shown: image.sopClass)
        check("body_part", bodyPart, image.bodyPart, shown: image.shownBodyPart ?? "absent")
        check("origin", origin.map(\.rawValue), image.origin.rawValue, shown: image.origin.rawValue)
        if let seriesDescription, !seriesDescription.matches(image.description) {
            unmet.append("the series description does not match \(seriesDescription.text)")
        }
        if let excludeDescription, excludeDescription.matches(image.description) {
            unmet.append("the series description matches \(excludeDescription.text), which the rule excludes")
        }
        let missing = imageTypeAll.filter { !image.type.contains($0) }
        let excluded = imageTypeNone.filter(image.type.contains)
        if !missing.isEmpty { unmet.append("the image type lacks \(missing.joined(separator: ", "))") }
        if !excluded.isEmpty { unmet.append("the image type holds \(excluded.joined(separator: ", "))") }
        return unmet
    }

    /// Conditions on the volume as a whole.
    private func unmetByWhole(_ volume: Volume) -> [String] {
        var unmet: [String] = []
        if let minFrames, volume.frames.count < minFrames {
            unmet.append("\(NumberText.plural(volume.frames.count, "frame")), the rule asks for \(minFrames) or more")
        }
        if let maxSliceMM {
            if let slice = Self.sliceMM(of: volume) {
                if slice > maxSliceMM {
                    unmet.append(
                        "slices are \(NumberText.length(mm: slice)) apart or thick, the rule allows \(NumberText.length(mm: maxSliceMM))"
                    )
                }
            } else {
                unmet.append(
                    "nothing says how far apart or thick its slices are, the rule allows \(NumberText.length(mm: maxSliceMM))"
                )
            }
        }
        if frames != .all {
            if volume.reachesOverSlices {
                unmet.append("its slices lie in space, and the rule chooses among frames")
            } else if frames.indices(of: volume.pictures.count).isEmpty {
                unmet.append("it has none of the frames that the rule takes")
            }
        }
        return unmet
    }

    /// The distance of the slices, else the thickness of the thickest; nil where either is unknown.
    private static func sliceMM(of volume: Volume) -> Double? {
        if let spacing = volume.sliceSpacing { return spacing }
        let thicknesses = volume.frames.map(\.sliceThickness)
        return thicknesses.contains(nil) ? nil : thicknesses.compactMap { $0 }.max()
    }
}

/// What a rule asks of each image.
private struct ImageTraits: Hashable {
    let modality: String
    let sopClass: String
    let bodyPart: String
    /// As messages say them.
    let shownModality: String
    let shownBodyPart: String?
    let origin: SelectionRule.Origin
    let description: String
    let type: [String]

    /// Those that differ, in the order of the volume's images.
    static func of(_ volume: Volume) -> [ImageTraits] {
        var seen = Set<ImageTraits>()
        return volume.instances.map(ImageTraits.init).filter { seen.insert($0).inserted }
    }

    private init(_ instance: SourceInstance) {
        let dataSet = instance.dataSet
        modality = instance.modality
        sopClass = instance.sopClassUID
        bodyPart = (dataSet.string(.bodyPartExamined) ?? "").uppercased()
        shownModality = dataSet.shownModality ?? modality
        shownBodyPart = dataSet.shownBodyPart
        origin = dataSet.uid(.instanceCreatorUID) == InstanceCreator.imports ? .tiff : .dicom
        description = dataSet.text(.seriesDescription) ?? ""
        type = instance.imageType
    }
}
