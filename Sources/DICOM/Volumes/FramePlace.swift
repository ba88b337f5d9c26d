package import Imaging

/// Where an object that is of images, a segmentation, says that a frame of it lies, and how large its pixels are.
///
/// *Source*: PS3.3 2024e, C.7.6.16.2.1 (Pixel Measures), C.7.6.16.2.3 and .4 (Plane Position and Plane Orientation (Patient)).
package struct FramePlace: Sendable {
    package let plane: Plane
    /// Nil where it is not said.
    package let spacing: PixelSpacing?

    /// By the frame's functional groups or the shared ones; nil without a position and an orientation that a frame can have.
    ///
    /// - Parameter number: of the frame, from 1.
    package init?(of dataSet: DataSet, frame number: Int) {
        let position = SourceFrame.group(.planePositionSequence, of: dataSet, frame: number).doubles(
            .imagePositionPatient)
        let orientation = SourceFrame.group(.planeOrientationSequence, of: dataSet, frame: number).doubles(
            .imageOrientationPatient)
        guard position.count == 3, position.allSatisfy(CheckedNumbers.Range.position.contains),
            let (row, column) = SourceFrame.directions(orientation)
        else { return nil }
        plane = Plane(
            position: Vector3(position[0], position[1], position[2]), rowCosine: row * (1 / row.length),
            columnCosine: column * (1 / column.length))
        let measures = SourceFrame.group(.pixelMeasuresSequence, of: dataSet, frame: number)
        guard case .valid(let spacing) = measures.numbers(.pixelSpacing, in: CheckedNumbers.Range.distance),
            spacing.count == 2
        else {
            self.spacing = nil
            return
        }
        self.spacing = PixelSpacing(row: spacing[0], column: spacing[1])
    }

    /// What says that the frame does not lie on an image; nil where it lies there, or the image says no place of its own.
    ///
    /// - Parameter isNamed: the frame names the image: then its pixels only have to lie on the same ones; else its place alone says
    ///   which image it is of.
    package func difference(from image: SourceFrame, isNamed: Bool) -> Attribute? {
        guard let own = image.plane else { return nil }
        let turns = [plane.rowCosine - own.rowCosine, plane.columnCosine - own.columnCosine]
        guard turns.allSatisfy({ max(abs($0.x), abs($0.y), abs($0.z)) <= Tolerance.cosine }) else {
            return .imageOrientationPatient
        }
        let pixel = image.pixelSpacing.map { min($0.row, $0.column) } ?? 0
        let bound = isNamed ? max(Tolerance.place, Tolerance.samePixel * pixel) : Tolerance.place
        guard (plane.position - own.position).length <= bound else { return .imagePositionPatient }
        if let spacing, let its = image.pixelSpacing, !spacing.isAlike(its) { return .pixelSpacing }
        return nil
    }
}
