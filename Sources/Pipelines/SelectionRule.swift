package import DICOM

/// One rule of a pipeline's selection: all of its conditions must hold.
///
/// *Source*: the design page on DICOM, section 10.
package struct SelectionRule: Sendable, Equatable {
    package enum Origin: String, Sendable, CaseIterable { case dicom, tiff }

    /// Empty lists and nil ask for nothing.
    package var modality: [String] = []
    /// SOP Class UIDs.
    package var sopClass: [String] = []
    /// Upper case; "" is an absent Body Part Examined.
    package var bodyPart: [String] = []
    package var origin: [Origin] = []
    package var seriesDescription: LinearPattern?
    package var excludeDescription: LinearPattern?
    package var imageTypeAll: [String] = []
    package var imageTypeNone: [String] = []
    package var minFrames: Int?
    package var maxSliceMM: Double?

    package init() {}

    package func matches(_ volume: Volume) -> Bool {
        let dataSet = volume.first.dataSet
        let description = dataSet.text(.seriesDescription) ?? ""
        let type = volume.first.imageType
        func allows(_ list: [String], _ value: String) -> Bool { list.isEmpty || list.contains(value) }
        let origin: Origin = dataSet.uid(.instanceCreatorUID) == InstanceCreator.imports ? .tiff : .dicom
        return allows(modality, volume.modality)
            && allows(sopClass, volume.first.sopClassUID)
            && allows(bodyPart, (dataSet.string(.bodyPartExamined) ?? "").uppercased())
            && (self.origin.isEmpty || self.origin.contains(origin))
            && (seriesDescription?.matches(description) ?? true)
            && !(excludeDescription?.matches(description) ?? false)
            && imageTypeAll.allSatisfy(type.contains)
            && !imageTypeNone.contains(where: type.contains)
            && volume.frames.count >= minFrames ?? 0
            && (maxSliceMM.map { limit in (volume.sliceSpacing ?? 0) <= limit } ?? true)
    }
}
