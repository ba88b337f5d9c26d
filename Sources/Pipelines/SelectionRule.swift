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

    /// Names that rules may use instead of UIDs.
    package static let sopClasses: [String: String] = {
        let storage = "1.2.840.10008.5.1.4.1.1."
        let numbers = [
            "CR": "1", "DX": "1.1", "MG": "1.2", "CT": "2", "EnhancedCT": "2.1", "LegacyConvertedEnhancedCT": "2.2",
            "USMultiframe": "3.1", "MR": "4", "EnhancedMR": "4.1", "LegacyConvertedEnhancedMR": "4.4", "US": "6.1",
            "SC": "7",
            "GrayscaleByteSC": "7.2", "GrayscaleWordSC": "7.3", "TrueColorSC": "7.4", "XA": "12.1", "XRF": "12.2",
            "NM": "20",
            "VLEndoscopic": "77.1.1", "VLMicroscopic": "77.1.2", "VLPhotographic": "77.1.4",
            "OphthalmicPhotography8Bit": "77.1.5.1",
            "DermoscopicPhotography": "77.1.7", "PET": "128", "EnhancedPET": "130",
        ]
        return numbers.mapValues { storage + $0 }
    }()
}
