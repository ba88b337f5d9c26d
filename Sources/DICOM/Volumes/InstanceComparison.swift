internal import Identification

/// Whether two instances with one SOP Instance UID are the same image: everything that can reach a result is equal.
///
/// Compared is every attribute that this program knows (the table of `Attribute`) but those of encoding, and the decoded pixels. So a
/// copy that was only compressed otherwise is a copy, and one with another rescale, window, spacing or patient is not.
package enum InstanceComparison {
    package enum Difference: Sendable {
        case attribute(Attribute)
        case pixels

        /// For messages: `RescaleSlope (0028,1053)`.
        package var words: String {
            switch self {
            case .attribute(let attribute): "\(attribute.keyword) \(attribute.tag)"
            case .pixels: "their pixels"
            }
        }
    }

    /// Nil when they are the same image. *Cost*: all frames of both are decoded unless the files are equal or an attribute differs.
    package static func difference(_ a: SourceInstance, _ b: SourceInstance) -> Difference? {
        if a.file.contentDigest == b.file.contentDigest, a.file.transferSyntax == b.file.transferSyntax { return nil }
        for attribute in StudyConsistency.identifying where !isSameIdentity(attribute, a.dataSet, b.dataSet) {
            return .attribute(attribute)
        }
        if let attribute = difference(a.dataSet, b.dataSet, isMain: true) { return .attribute(attribute) }
        if a.pixels.photometric != b.pixels.photometric, a.pixels.samples == 1 || b.pixels.samples == 1 {
            return .attribute(.photometricInterpretation)
        }
        for tag in DiffusionTags.all where !isEqual(a.dataSet[tag], b.dataSet[tag]) {
            return .attribute(.diffusionBValue)
        }
        return isSamePixels(a, b) ? nil : .pixels
    }

    /// Of encoding, not of the image; names of the patient and study are compared by meaning, colour by its decoded pixels.
    private static let notCompared: Set<Attribute> = [
        .specificCharacterSet, .instanceCreationDate, .instanceCreationTime, .instanceCreatorUID,
        .contributingEquipmentSequence,
        .planarConfiguration, .photometricInterpretation, .lossyImageCompression, .lossyImageCompressionRatio,
        .lossyImageCompressionMethod, .pixelData, .floatPixelData, .doubleFloatPixelData, .extendedOffsetTable,
        .extendedOffsetTableLengths,
        // Written by us or by whoever compressed the copy, read by nobody.
        .derivationDescription, .derivationImageSequence, .derivationCodeSequence, .sourceImageSequence,
        .conversionType,
        .burnedInAnnotation, .acquisitionContextSequence,
        // Only held against what the image shows, and against what others say or how many there are with it.
        .reconstructionDiameter, .numberOfTemporalPositions, .imagesInAcquisition, .numberOfSeriesRelatedInstances,
        .numberOfSlices, .viewCodeSequence, .viewModifierCodeSequence, .units, .decayCorrection, .correctedImage,
        .imageLaterality, .magneticFieldStrength, .repetitionTime, .scanningSequence, .sequenceName,
        .sequenceVariant, .scanOptions, .imagedNucleus, .reconstructionMethod, .suvType, .seriesType,
        .volumeBasedCalculationTechnique, .recommendedViewingMode,
        .radiopharmaceuticalInformationSequence, .radiopharmaceutical, .receiveCoilName, .sliceLocation,
        .distanceSourceToDetector, .distanceSourceToPatient, .frameAnatomySequence, .frameLaterality,
        .conversionSourceAttributesSequence, .energyWindowVector, .phaseVector, .timeSliceVector,
    ]
    static let compared: [Attribute] = Attribute.allCases.filter {
        $0.tag.group != 0x0002 && !notCompared.contains($0) && !StudyConsistency.identifying.contains($0)
    }
    static let comparedInItems = compared + StudyConsistency.identifying

    private static func difference(_ a: DataSet, _ b: DataSet, isMain: Bool) -> Attribute? {
        (isMain ? compared : comparedInItems).first { attribute in
            if attribute.vr == .SQ {
                let (one, two) = (a.items(attribute), b.items(attribute))
                return one.count != two.count || zip(one, two).contains { difference($0, $1, isMain: false) != nil }
            }
            return !isEqual(attribute, a, b)
        }
    }

    /// Texts are compared decoded, decimal strings as numbers: a copy may be written in another character set or with other zeros.
    private static func isEqual(_ attribute: Attribute, _ a: DataSet, _ b: DataSet) -> Bool {
        switch attribute.vr {
        case .DS, .IS:
            let (one, two) = (a.doubles(attribute), b.doubles(attribute))
            return one == two || a.text(attribute) == b.text(attribute)
        case _ where attribute.vr.isText:
            return a.text(attribute) == b.text(attribute)
                && (a.isDecodable(attribute) && b.isDecodable(attribute) || isEqual(a[attribute], b[attribute]))
        default: return isEqual(a[attribute], b[attribute])
        }
    }

    private static func isEqual(_ a: Element?, _ b: Element?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return a.isEqual(to: b)
    }

    private static func isSameIdentity(_ attribute: Attribute, _ a: DataSet, _ b: DataSet) -> Bool {
        guard let one = IdentityValue(a, attribute), let two = IdentityValue(b, attribute) else { return true }
        return one.merged(with: two) != nil
    }

    private static func isSamePixels(_ a: SourceInstance, _ b: SourceInstance) -> Bool {
        guard a.pixels.frames == b.pixels.frames else { return false }
        do {
            let readers = (try PixelReader(a.file, a.pixels), try PixelReader(b.file, b.pixels))
            for number in 1...a.pixels.frames {
                let frames = (try readers.0.frame(number), try readers.1.frame(number))
                guard frames.0.colour == frames.1.colour, frames.0.isSigned == frames.1.isSigned,
                    frames.0.canonicalBytes == frames.1.canonicalBytes
                else { return false }
            }
            return true
        } catch {
            return false
        }
    }
}
