import Imaging
import Numbers

/// The frames of one instance with their planes and spacings.
extension SourceFrame {
    /// All frames in the order of the object; `oddity` says what made a plane unusable.
    ///
    /// *Throws* `position` for a position, direction or distance that no image of a patient has.
    package static func frames(
        of instance: SourceInstance
    ) throws(DICOMFailure) -> (frames: [SourceFrame], oddity: String?) {
        let dataSet = instance.dataSet
        var oddity: String?
        var frames: [SourceFrame] = []
        let calibration = try UltrasoundCalibration(instance)
        let slices = try nuclearSlices(instance)
        let isTomogram = slices != nil
        let (isClassic, hasGroups) = (instance.isClassic, instance.hasFunctionalGroups && !isTomogram)
        func group(_ macro: Attribute, _ number: Int) -> DataSet {
            SourceFrame.group(macro, of: dataSet, frame: number, isClassic: isClassic)
        }
        for number in 1...instance.pixels.frames {
            let measures = group(.pixelMeasuresSequence, number)
            var plane: Plane?
            if hasGroups || instance.pixels.frames == 1 {
                plane = try Self.plane(
                    group(.planePositionSequence, number), group(.planeOrientationSequence, number), oddity: &oddity)
            } else if let slices {
                plane = try nuclearPlane(dataSet, slice: slices[number - 1], oddity: &oddity)
            }
            let (pixelSpacing, origin) = try spacing(measures, calibration, dataSet, isPlaced: plane != nil)
            frames.append(
                SourceFrame(
                    instance: instance, number: number, plane: plane, pixelSpacing: pixelSpacing, spacingOrigin: origin,
                    calibratedRegions: calibration?.regions ?? []))
        }
        return (frames, oddity)
    }

    /// Nil when a value is missing, or the cosines are not two orthogonal unit vectors.
    private static func plane(
        _ positions: DataSet, _ orientations: DataSet, oddity: inout String?
    ) throws(DICOMFailure) -> Plane? {
        let position = positions.doubles(.imagePositionPatient)
        let orientation = orientations.doubles(.imageOrientationPatient)
        guard !position.isEmpty, !orientation.isEmpty else { return nil }
        guard position.count == 3, orientation.count == 6, !(position + orientation).contains(where: \.isNaN) else {
            oddity =
                "Image Position or Orientation (Patient) holds no usable numbers; taken as images without a position"
            return nil
        }
        guard position.allSatisfy(CheckedNumbers.Range.position.contains) else {
            throw impossible(
                .imagePositionPatient, "\(NumberText.short(position.max { $0.magnitude < $1.magnitude } ?? 0)) mm")
        }
        guard let (row, column) = directions(orientation) else {
            oddity =
                "Image Orientation (Patient) is no pair of orthogonal directions; taken as images without a position"
            return nil
        }
        return Plane(
            position: Vector3(position[0], position[1], position[2]), rowCosine: row * (1 / row.length),
            columnCosine: column * (1 / column.length))
    }

    /// The directions of rows and columns as they are written; nil unless they are two orthogonal unit vectors.
    static func directions(_ cosines: [Double]) -> (row: Vector3, column: Vector3)? {
        guard cosines.count == 6, cosines.allSatisfy(CheckedNumbers.Range.cosine.contains) else { return nil }
        let row = Vector3(cosines[0], cosines[1], cosines[2])
        let column = Vector3(cosines[3], cosines[4], cosines[5])
        guard abs(row.length - 1) < Tolerance.unit, abs(column.length - 1) < Tolerance.unit,
            abs(row.dot(column)) < Tolerance.unit
        else { return nil }
        return (row, column)
    }

    /// Which slice each frame of a reconstructed tomogram is, from 0: by the Slice Vector, else in the order of the frames. Of a gated one,
    /// where the moments of the heart take turns, by the vector alone. Nil of all other objects, and where nothing says it.
    ///
    /// *Throws* `position` where the vector names a slice of one moment twice, or not one for each frame, or none of the first slice, and
    /// what `checkSlices` throws.
    /// *Source*: PS3.3 C.8.4.8.1.
    private static func nuclearSlices(_ instance: SourceInstance) throws(DICOMFailure) -> [Int]? {
        let (dataSet, frames) = (instance.dataSet, instance.pixels.frames)
        let isGated = instance.imageType.contains("RECON GATED TOMO")
        guard SOPClass.of(instance.sopClassUID) == .nuclearMedicineImageStorage,
            isGated || instance.imageType.contains("RECON TOMO")
        else { return nil }
        let vector = dataSet.ints(.sliceVector)
        guard !vector.isEmpty else {
            guard !isGated else { return nil }
            try checkSlices(frames, of: dataSet, isGated: false)
            return Array(0..<frames)
        }
        let moments = isGated ? (1...frames).map { nuclearMoment(dataSet, frame: $0) } : []
        let places = zip(vector, isGated ? moments : vector.map { _ in "" }).map { "\($0) \($1)" }
        guard vector.count == frames, Set(places).count == frames, vector.allSatisfy((0...65535).contains),
            let first = vector.min()
        else {
            throw .position(
                "\(Attribute.sliceVector.keyword) \(Attribute.sliceVector.tag) names \(Set(places).count) slices for \(frames) frames: which frame lies where is unknown.",
                cure: "Export the object again, each volume by itself.")
        }
        try checkSlices(Set(vector).count, of: dataSet, isGated: isGated)
        // Image Position (Patient) is that of the first slice: of slices behind it nobody knows whether it is theirs.
        guard first <= 1 else {
            throw .position(
                "\(Attribute.sliceVector.keyword) \(Attribute.sliceVector.tag) begins with slice \(first): those before it are missing, and where the others lie is unknown.",
                cure: "Export the object again, with all of its slices.")
        }
        return vector.map { $0 - first }
    }

    /// A reconstructed tomogram has one frame for each slice, a gated one for each moment of the heart too, and nothing else takes turns.
    ///
    /// - Parameter slices: how many its frames are of.
    ///
    /// *Throws* `position`. *Source*: PS3.3 C.8.4.8.1.1.
    private static func checkSlices(_ slices: Int, of dataSet: DataSet, isGated: Bool) throws(DICOMFailure) {
        let single: [Attribute] = [.energyWindowVector, .phaseVector, .timeSliceVector]
        for attribute in single + (isGated ? [] : [.rRIntervalVector, .timeSlotVector]) {
            let count = Set(dataSet.ints(attribute)).count
            guard count > 1 else { continue }
            throw .position(
                "\(attribute.keyword) \(attribute.tag) has \(count) values in a tomogram that has one frame for each slice: which frames belong together is unknown.",
                cure: "Export the object again, each volume by itself.")
        }
        guard let count = dataSet.int(.numberOfSlices), count > 0, slices > count else { return }
        throw .position(
            "\(Attribute.numberOfSlices.keyword) \(Attribute.numberOfSlices.tag) is \(count) in a tomogram whose frames are \(slices) slices: which frame lies where is unknown.",
            cure: "Export the object again, each volume by itself.")
    }

    /// Which R-R interval and time slot of a heart a frame of a gated object is of; empty where nothing says it.
    static func nuclearMoment(_ dataSet: DataSet, frame number: Int) -> String {
        [Attribute.rRIntervalVector, .timeSlotVector].map { attribute in
            let vector = dataSet.ints(attribute)
            return number <= vector.count ? String(vector[number - 1]) : ""
        }.joined(separator: "/")
    }

    /// Reconstructed tomograms give the position of the first slice only (PS3.3 C.8.4.15).
    ///
    /// - Parameter slice: from 0.
    private static func nuclearPlane(
        _ dataSet: DataSet, slice: Int, oddity: inout String?
    ) throws(DICOMFailure) -> Plane? {
        guard let detector = dataSet.item(.detectorInformationSequence),
            let step = dataSet.double(.spacingBetweenSlices), step != 0
        else { return nil }
        guard CheckedNumbers.Range.distance.contains(step.magnitude) else {
            throw impossible(.spacingBetweenSlices, "\(NumberText.short(step)) mm")
        }
        guard var plane = try plane(detector, detector, oddity: &oddity) else { return nil }
        try checkDetectors(dataSet.items(.detectorInformationSequence))
        try checkTop(dataSet, first: plane, step: step)
        plane.position = plane.position + plane.normal * (step * Double(slice))
        return plane
    }

    /// Where a tomogram says at its top too where it lies, one of its slices lies there.
    private static func checkTop(_ dataSet: DataSet, first: Plane, step: Double) throws(DICOMFailure) {
        let place = dataSet.doubles(.imagePositionPatient)
        let cosines = dataSet.doubles(.imageOrientationPatient)
        let detector = dataSet.item(.detectorInformationSequence)?.doubles(.imageOrientationPatient) ?? []
        var odd: Attribute?
        if place.count == 3, !place.contains(where: \.isNaN) {
            let offset = Vector3(place[0], place[1], place[2]) - first.position
            let slice = (offset.dot(first.normal) / step).rounded()
            let lies = (offset - first.normal * (slice * step)).length <= Tolerance.copied.place
            if !lies || slice < 0 || slice >= Double(dataSet.int(.numberOfFrames) ?? 1) { odd = .imagePositionPatient }
        }
        if cosines.count == 6, !zip(cosines, detector).allSatisfy({ abs($0 - $1) <= Tolerance.copied.cosine }) {
            odd = .imageOrientationPatient
        }
        guard let odd else { return }
        throw .position(
            "\(odd.keyword) \(odd.tag) at the top of a tomogram is that of none of its slices by Detector Information Sequence: where they lie is unknown.",
            cure: "Export the object again.")
    }

    /// Several detectors of one tomogram say one place, or none.
    private static func checkDetectors(_ detectors: [DataSet]) throws(DICOMFailure) {
        let bounds = [
            (Attribute.imagePositionPatient, Tolerance.place), (.imageOrientationPatient, Tolerance.cosine),
        ]
        for detector in detectors.dropFirst() {
            for (attribute, bound) in bounds where detector.text(attribute) != nil {
                let (one, other) = (detectors[0].doubles(attribute), detector.doubles(attribute))
                guard one.count == other.count, zip(one, other).allSatisfy({ abs($0 - $1) <= bound }) else {
                    throw .position(
                        "\(attribute.keyword) \(attribute.tag) differs between the items of Detector Information Sequence: where the slices lie is unknown.",
                        cure: "Export the object again.")
                }
            }
        }
    }

    /// The first that is given: calibrated regions (ultrasound), the patient's plane, the detector's, the scanned medium's.
    ///
    /// - Parameter isPlaced: the frame has a plane in the patient, whose distances Pixel Spacing gives.
    ///
    /// *Source*: PS3.3 C.8.5.5.1, 10.7.1.1, C.8.7.10.
    private static func spacing(
        _ measures: DataSet, _ calibration: UltrasoundCalibration?, _ dataSet: DataSet, isPlaced: Bool
    ) throws(DICOMFailure) -> (PixelSpacing?, SpacingOrigin) {
        let stated = try spacing(measures, .pixelSpacing)
        if let calibration {
            guard let spacing = calibration.spacing else { return (nil, .regionsDiffer) }
            let isContradicted = stated.map { !spacing.isAlike($0) } ?? false
            return (spacing, isContradicted ? .regionAgainstPixelSpacing : .plane)
        }
        // Without a calibration Pixel Spacing repeats the spacing of the detector or of the scanned medium.
        func repeats(_ attribute: Attribute) -> Bool {
            let values = dataSet.doubles(attribute)
            return values.count == 2 && stated?.isAlike(PixelSpacing(row: values[0], column: values[1])) == true
        }
        let isCalibrated = isPlaced || dataSet.string(.pixelSpacingCalibrationType) != nil
        if let stated, isCalibrated || !repeats(.imagerPixelSpacing) {
            if !isPlaced, let detector = try spacing(dataSet, .imagerPixelSpacing) {
                if stated.isLarger(than: detector) { return (stated, .largerThanDetector) }
                if Magnification(dataSet).contradicts(stated, detector) { return (stated, .againstMagnification) }
            }
            return (stated, !isCalibrated && repeats(.nominalScannedPixelSpacing) ? .medium : .plane)
        }
        // What lies in the patient has no film's and no detector's distances.
        if isPlaced { return (nil, .plane) }
        if let detector = try spacing(dataSet, .imagerPixelSpacing) {
            let magnification = Magnification(dataSet)
            guard let factor = magnification.factor else {
                return (detector, magnification.isDoubtful ? .magnified : .detector)
            }
            return (
                PixelSpacing(row: detector.row / factor, column: detector.column / factor),
                magnification.isDoubtful ? .magnified : .plane
            )
        }
        let medium = try spacing(dataSet, .nominalScannedPixelSpacing)
        return (medium, medium == nil ? .plane : .medium)
    }

    /// Row and column; zero is how some writers say that it is unknown.
    private static func spacing(_ dataSet: DataSet, _ attribute: Attribute) throws(DICOMFailure) -> PixelSpacing? {
        let values = dataSet.doubles(attribute)
        let checked = dataSet.numbers(attribute, in: CheckedNumbers.Range.distance)
        if checked == .absent || values.contains(0) { return nil }
        guard values.count == 2, !values.contains(where: \.isNaN) else {
            throw .position(
                "\(attribute.keyword) \(attribute.tag) holds no two usable numbers: distances are unknown.",
                cure: "Correct the series at its source.")
        }
        guard checked != .invalid else {
            throw impossible(attribute, values.map(NumberText.short).joined(separator: " × ") + " mm")
        }
        return PixelSpacing(row: values[0], column: values[1])
    }

    private static func impossible(_ attribute: Attribute, _ value: String) -> DICOMFailure {
        .position(
            "\(attribute.keyword) \(attribute.tag) = \(value): no image of a patient lies or measures so.",
            cure: "Correct the series at its source.")
    }

    /// Height of a pixel divided by its width when no distance in mm is known (Pixel Aspect Ratio); 1 when nothing is
    /// said.
    package var pixelAspect: Double {
        if let spacing = pixelSpacing { return spacing.row / spacing.column }
        let ratio = instance.dataSet.ints(.pixelAspectRatio)
        return ratio.count == 2 && ratio[0] > 0 && ratio[1] > 0 ? Double(ratio[0]) / Double(ratio[1]) : 1
    }
}
