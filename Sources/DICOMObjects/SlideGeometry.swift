import DICOM
import Imaging

/// Where the frames of a segmentation lie on a slide, as it goes into the object.
///
/// *Source*: PS3.3 2024e, C.7.6.16.2.1, C.8.12.6.1 (Plane Position (Slide)), C.8.12.14.
struct SlideGeometry {
    let frameOfReferenceUID: String
    private let matrix: SlideMatrix
    private let spacing: PixelSpacing
    private let spacingStrings: [String]
    private let thickness: String

    /// Nil for other images than slides. *Throws* `place` for a slide that does not say how large its pixels are.
    init?(_ volume: Volume, salt: String) throws(ObjectFailure) {
        guard let slide = volume.slide else { return nil }
        guard let spacing = volume.pixelSpacing else {
            throw .place(
                "the slide has no Pixel Spacing (0028,0030), and the tiles of a segmentation are placed on it in mm",
                cure: "State the spacing at the source.")
        }
        matrix = slide
        frameOfReferenceUID = volume.resultFrameOfReferenceUID(salt: salt)
        self.spacing = spacing
        spacingStrings = FrameGeometry.strings(volume.frames[0].pixelSpacingStrings, [spacing.row, spacing.column])
        thickness = DecimalString.text(volume.frames[0].sliceThickness ?? 0.001) ?? "0.001"
    }

    /// What is said of the whole object: the matrix, and that its tiles are placed one by one.
    func put(into dataSet: inout DataSet) {
        dataSet.put(.dimensionOrganizationType, "TILED_SPARSE")
        matrix.put(into: &dataSet)
    }

    /// The shared group.
    var measures: DataSet {
        DataSet(composing: {
            $0.put(.pixelSpacing, spacingStrings)
            $0.put(.sliceThickness, thickness)
            $0.put(.spacingBetweenSlices, thickness)
        })
    }

    /// The group of a frame of the volume.
    func place(_ frame: Int) -> DataSet {
        matrix.place(frame, spacing: spacing)
    }

    /// The ranks from 1 of the rows and of the columns at which the used frames' tiles begin: Dimension Index Values have no gaps.
    func ranks(_ used: some Sequence<Int>) -> (row: [Int: Int], column: [Int: Int]) {
        func ranks(_ values: Set<Int>) -> [Int: Int] {
            Dictionary(uniqueKeysWithValues: values.sorted().enumerated().map { ($1, $0 + 1) })
        }
        let origins = used.map { matrix.origins[$0] }
        return (ranks(Set(origins.map(\.row))), ranks(Set(origins.map(\.column))))
    }

    func origin(_ frame: Int) -> SlideMatrix.Origin { matrix.origins[frame] }
}

extension SlideMatrix {
    /// Size, place and directions of the whole matrix (C.8.12.4).
    func put(into dataSet: inout DataSet) {
        dataSet.put(.totalPixelMatrixColumns, columns)
        dataSet.put(.totalPixelMatrixRows, rows)
        dataSet.put(.totalPixelMatrixFocalPlanes, 1)
        dataSet.put(
            .totalPixelMatrixOriginSequence,
            item: DataSet(composing: {
                $0.put(.xOffsetInSlideCoordinateSystem, decimals: [position.x])
                $0.put(.yOffsetInSlideCoordinateSystem, decimals: [position.y])
            }))
        let (row, column) = (rowCosine, columnCosine)
        dataSet.put(.imageOrientationSlide, decimals: [row.x, row.y, row.z, column.x, column.y, column.z])
    }

    /// Plane Position (Slide) of a frame's tile.
    func place(_ frame: Int, spacing: PixelSpacing) -> DataSet {
        let origin = origins[frame]
        let place = position(ofFrame: frame, spacing: spacing)
        return DataSet(composing: {
            $0.put(.xOffsetInSlideCoordinateSystem, decimals: [place.x])
            $0.put(.yOffsetInSlideCoordinateSystem, decimals: [place.y])
            $0.put(.zOffsetInSlideCoordinateSystem, decimals: [place.z])
            $0.put(.columnPositionInTotalImagePixelMatrix, origin.column + 1)
            $0.put(.rowPositionInTotalImagePixelMatrix, origin.row + 1)
        })
    }
}
