import DICOM

extension Verification {
    /// The file holds exactly these measurements, each with its segment, and refers to the segmentation and the volume alone.
    ///
    /// *Throws* `verify`.
    static func report(
        _ written: WrittenObject, _ volume: Volume, _ groups: [MeasurementReport.Group], of segmentation: Segmentation?
    ) throws(ObjectFailure) {
        try patientAndStudy(written, volume)
        let dataSet = written.dataSet
        let evidence = dataSet.items(.currentRequestedProcedureEvidenceSequence)
            .flatMap { $0.items(.referencedSeriesSequence) }.flatMap { $0.items(.referencedSOPSequence) }
            .compactMap { $0.string(.referencedSOPInstanceUID) }
        let wanted = volume.instances.map(\.sopInstanceUID) + (segmentation.map { [$0.sopInstanceUID] } ?? [])
        guard Set(evidence) == Set(wanted), evidence.count == wanted.count else {
            throw .verify("the evidence is not the source and its segmentation")
        }
        let containers =
            dataSet.items(.contentSequence).first { concept($0) == "126010" }?.items(.contentSequence) ?? []
        guard containers.count == groups.count else {
            throw .verify("\(containers.count) measurement groups instead of \(groups.count)")
        }
        for (index, (container, group)) in zip(containers, groups).enumerated() {
            try check(container.items(.contentSequence), group, index, segmentation)
        }
    }

    private static func check(
        _ items: [DataSet], _ group: MeasurementReport.Group, _ index: Int, _ segmentation: Segmentation?
    ) throws(ObjectFailure) {
        let finding = items.first { concept($0) == "121071" }?.item(.conceptCodeSequence)
        guard (finding?.string(.codeValue) ?? finding?.string(.longCodeValue)) == group.segment.type.value else {
            throw .verify("measurement group \(index + 1) is of another finding")
        }
        let numbers = items.filter { $0.string(.valueType) == "NUM" }
        // A segmentation may also describe segments in which nothing was found.
        let isFound =
            !group.measurements.isEmpty && segmentation.map { $0.selection.segments.contains(index) } ?? false
        guard numbers.count == (isFound ? group.measurements.count : 0) else {
            throw .verify("measurement group \(index + 1) has \(numbers.count) measurements")
        }
        for (item, measurement) in zip(numbers, group.measurements) {
            let value = item.item(.measuredValueSequence)
            let unit = value?.item(.measurementUnitsCodeSequence)?.string(.codeValue)
            guard concept(item) == measurement.concept.value, unit == measurement.unit.value,
                let read = value?.doubles(.numericValue).first,
                abs(read - measurement.value) <= 1e-9 * abs(measurement.value)
            else { throw .verify("measurement group \(index + 1) holds another value than measured") }
        }
        guard isFound, let segmentation, let number = segmentation.selection.segments.firstIndex(of: index) else {
            let presence = items.first { concept($0) == ReportCode.presence.value }?.item(.conceptCodeSequence)
            guard presence?.string(.codeValue) == ReportCode.absent.value,
                !items.contains(where: { $0.string(.valueType) == "IMAGE" })
            else { throw .verify("measurement group \(index + 1) does not say that nothing was found") }
            return
        }
        let reference = items.first { ["121191", "121214"].contains(concept($0)) }?.item(.referencedSOPSequence)
        let frames = (reference?.ints(.referencedFrameNumber) ?? []).map { $0 - 1 }
        guard reference?.string(.referencedSOPInstanceUID) == segmentation.sopInstanceUID,
            reference?.int(.referencedSegmentNumber) == number + 1
                || !frames.isEmpty && frames == segmentation.frames(of: number)
        else { throw .verify("measurement group \(index + 1) refers to another segment") }
    }

    private static func concept(_ item: DataSet) -> String? {
        item.item(.conceptNameCodeSequence)?.string(.codeValue)
    }
}
