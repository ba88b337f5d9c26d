import Numbers

/// How many images there are by what they say themselves: slices that are missing at an end leave no gap.
///
/// More than there should be are no contradiction: what is told holds for one acquisition, volume or time.
enum CountedImages {
    /// - Parameters:
    ///   - volume: in any order.
    ///   - series: all images of their series.
    ///   - study: all images of their study.
    static func finding(
        _ volume: [SourceFrame], among series: [SourceInstance], of study: [SourceInstance]
    ) -> Finding? {
        guard let first = volume.first?.instance, volume.count > 1 || first.pixels.frames > 1 else { return nil }
        return slices(volume, among: series) ?? images(volume, among: series, of: study)
            ?? times(volume, among: series, of: study)
    }

    /// Objects that an archive made of some frames of others, as it was asked to: what was looked for in them is not all.
    ///
    /// *Source*: PS3.3 C.12.3.
    static func extracted(_ series: [SourceInstance]) -> Finding? {
        let count = series.count { $0.dataSet.has(.frameExtractionSequence) }
        guard count > 0 else { return nil }
        return Finding(
            "VOL-PARTS", .warning,
            "\(NumberText.plural(count, "object")) of the series \(count == 1 ? "holds" : "hold") only some frames of another one (\(Attribute.frameExtractionSequence.keyword) \(Attribute.frameExtractionSequence.tag)): nothing was looked for in the others."
        )
    }

    /// Slices of a volume of PET or of a tomogram of nuclear medicine, which have to say how many they are.
    ///
    /// *Source*: PS3.3 C.8.9.1, C.8.4.9. Some write the slices of all times together there.
    private static func slices(_ volume: [SourceFrame], among series: [SourceInstance]) -> Finding? {
        let first = volume[0].instance
        let isTold: Bool =
            switch SOPClass.of(first.sopClassUID) {
            case .positronEmissionTomographyImageStorage: isFirst(first)
            case .nuclearMedicineImageStorage: first.holdsSlices
            default: false
            }
        guard isTold, let count = one(.numberOfSlices, of: volume.instances), volume.count < count else { return nil }
        let all = series.filter { $0.sopClassUID == first.sopClassUID }.reduce(0) { $0 + $1.pixels.frames }
        guard all % count != 0 else { return nil }
        return missing("\(NumberText.plural(volume.count, "slice")) of \(count)", .numberOfSlices)
    }

    /// Images of one acquisition, and of a series as an archive counted them.
    private static func images(
        _ volume: [SourceFrame], among series: [SourceInstance], of study: [SourceInstance]
    ) -> Finding? {
        if let count = one(.numberOfSeriesRelatedInstances, of: series), series.count < count {
            return missing("\(series.count) of \(count) images of the series", .numberOfSeriesRelatedInstances)
        }
        guard series.allSatisfy({ $0.isSingleSlice && isFirst($0) }),
            let count = one(.imagesInAcquisition, of: series)
        else { return nil }
        let others = study.filter { $0.dataSet.int(.imagesInAcquisition) == count }.count
        guard max(series.count, others) < count else { return nil }
        return missing("\(series.count) of \(count) images of an acquisition", .imagesInAcquisition)
    }

    /// Time points, where each image says which it is of.
    private static func times(
        _ volume: [SourceFrame], among series: [SourceInstance], of study: [SourceInstance]
    ) -> Finding? {
        guard series.allSatisfy(isFirst), let count = one(.numberOfTemporalPositions, of: series)
        else { return nil }
        let own = series.compactMap { $0.dataSet.int(.temporalPositionIdentifier) }
        guard own.count == series.count, Set(own).count > 1 else { return nil }
        let times = Set(
            study.filter { $0.dataSet.int(.numberOfTemporalPositions) == count }
                .compactMap { $0.dataSet.int(.temporalPositionIdentifier) } + own)
        guard times.count < count else { return nil }
        return Finding(
            "VOL-PARTS", .warning,
            "\(times.count) of \(count) time points (\(Attribute.numberOfTemporalPositions.keyword) \(Attribute.numberOfTemporalPositions.tag)): the others are missing."
        )
    }

    /// Images that were computed of others, or reconstructed again after the examination (SECONDARY), repeat what the first ones say of
    /// themselves.
    ///
    /// *Source*: PS3.3 C.7.6.1.1.2.
    private static func isFirst(_ instance: SourceInstance) -> Bool {
        instance.imageType.first == "ORIGINAL" && instance.imageType.dropFirst().first != "SECONDARY"
    }

    /// What all images say; nil where one says nothing or another number.
    private static func one(_ attribute: Attribute, of instances: [SourceInstance]) -> Int? {
        guard let first = instances.first?.dataSet.int(attribute), first > 0,
            instances.allSatisfy({ $0.dataSet.int(attribute) == first })
        else { return nil }
        return first
    }

    private static func missing(_ what: String, _ attribute: Attribute) -> Finding {
        Finding(
            "VOL-GAP", .warning,
            "\(what) (\(attribute.keyword) \(attribute.tag)): slices may be missing at an end. They count with nothing in the volume."
        )
    }
}
