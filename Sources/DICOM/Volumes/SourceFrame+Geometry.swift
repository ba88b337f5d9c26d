import Imaging

/// The frames of one instance with their planes and spacings.
extension SourceFrame {
    /// All frames in the order of the object; `oddity` says what made a place unusable.
    static func frames(of instance: SourceInstance) -> (frames: [SourceFrame], oddity: String?) {
        let dataSet = instance.dataSet
        let isEnhanced = dataSet.has(.sharedFunctionalGroupsSequence) || dataSet.has(.perFrameFunctionalGroupsSequence)
        var oddity: String?
        let frames = (1...instance.pixels.frames).map { number in
            let measures = SourceFrame.group(.pixelMeasuresSequence, of: dataSet, frame: number)
            var plane: Plane?
            if isEnhanced || instance.pixels.frames == 1 {
                plane = Self.plane(
                    position: SourceFrame.group(.planePositionSequence, of: dataSet, frame: number).doubles(
                        .imagePositionPatient),
                    orientation: SourceFrame.group(.planeOrientationSequence, of: dataSet, frame: number)
                        .doubles(.imageOrientationPatient), oddity: &oddity)
            } else if SOPClass.of(instance.sopClassUID) == .nuclearMedicineImageStorage,
                instance.imageType.contains("RECON TOMO")
            {
                plane = nuclearPlane(dataSet, number: number, oddity: &oddity)
            }
            // Without a Frame of Reference a position means nothing outside its own image.
            if instance.frameOfReferenceUID == nil { plane = nil }
            return SourceFrame(
                instance: instance, number: number, plane: plane,
                pixelSpacing: spacing(measures, [.pixelSpacing])
                    ?? spacing(dataSet, [.imagerPixelSpacing, .nominalScannedPixelSpacing]))
        }
        return (frames, oddity)
    }

    /// Nil when a value is missing, or the cosines are not two orthogonal unit vectors (within 1 %).
    static func plane(position: [Double], orientation: [Double], oddity: inout String?) -> Plane? {
        guard !position.isEmpty, !orientation.isEmpty else { return nil }
        guard position.count == 3, orientation.count == 6, (position + orientation).allSatisfy(\.isFinite) else {
            oddity = "Image Position or Orientation (Patient) holds no usable numbers; taken as images without a place"
            return nil
        }
        let row = Vector3(orientation[0], orientation[1], orientation[2])
        let column = Vector3(orientation[3], orientation[4], orientation[5])
        guard abs(row.length - 1) < 0.01, abs(column.length - 1) < 0.01, abs(row.dot(column)) < 0.01 else {
            oddity = "Image Orientation (Patient) is no pair of orthogonal directions; taken as images without a place"
            return nil
        }
        return Plane(
            position: Vector3(position[0], position[1], position[2]), rowCosine: row * (1 / row.length),
            columnCosine: column * (1 / column.length))
    }

    /// Reconstructed tomograms give the place of the first slice only (PS3.3 C.8.4.15).
    private static func nuclearPlane(_ dataSet: DataSet, number: Int, oddity: inout String?) -> Plane? {
        guard let detector = dataSet.item(.detectorInformationSequence),
            let step = dataSet.double(.spacingBetweenSlices), step != 0,
            var plane = plane(
                position: detector.doubles(.imagePositionPatient),
                orientation: detector.doubles(.imageOrientationPatient),
                oddity: &oddity)
        else { return nil }
        plane.position = plane.position + plane.normal * (step * Double(number - 1))
        return plane
    }

    private static func spacing(_ dataSet: DataSet, _ attributes: [Attribute]) -> PixelSpacing? {
        for attribute in attributes {
            let values = dataSet.doubles(attribute)
            if values.count == 2, values.allSatisfy({ $0.isFinite && $0 > 0 && $0 < 1e6 }) {
                return PixelSpacing(row: values[0], column: values[1])
            }
        }
        return nil
    }

    /// Height of a pixel divided by its width when no distance in mm is known (Pixel Aspect Ratio); 1 when nothing is
    /// said.
    var pixelAspect: Double {
        if let spacing = pixelSpacing { return spacing.row / spacing.column }
        let ratio = instance.dataSet.ints(.pixelAspectRatio)
        return ratio.count == 2 && ratio[0] > 0 && ratio[1] > 0 ? Double(ratio[0]) / Double(ratio[1]) : 1
    }
}
