import DICOM
import Imaging
import Numbers

/// Where the frames of a segmentation lie, as the strings that go into the object.
///
/// Strings of the source are kept as they are (viewers compare them); one that is longer than DS allows is written anew.
struct FrameGeometry {
    let frameOfReferenceUID: String
    /// Row, column; mm.
    let pixelSpacing: [String]
    /// Measured distance of the slices, written as spacing and as thickness: some readers take either.
    let sliceSpacing: String
    /// One for each frame of the volume.
    let positions: [[String]]
    let orientations: [[String]]
    let isSynthetic: Bool

    /// The directions differ between frames, so each frame carries its own.
    let orientationPerFrame: Bool

    /// The volume's own; where it has none, a synthetic one if `synthetic` names its Frame of Reference, else nil.
    init?(_ volume: Volume, synthetic: String?, salt: String) {
        if let own = FrameGeometry(volume, salt: salt) {
            self = own
        } else if let synthetic {
            self.init(synthetic: volume, frameOfReferenceUID: synthetic)
        } else {
            return nil
        }
    }

    /// Directions up to this apart are one direction: noise of exports, 0.05 mm over half a metre.
    private static let orientationNoise = 1e-4

    /// Nil when the volume has no place in the patient.
    private init?(_ volume: Volume, salt: String) {
        guard volume.hasPlace, let spacing = volume.pixelSpacing else { return nil }
        let planes = volume.frames.compactMap(\.plane)
        guard planes.count == volume.frames.count, let first = planes.first else { return nil }
        frameOfReferenceUID = volume.resultFrameOfReferenceUID(salt: salt)
        positions = zip(volume.frames, planes).map { frame, plane in
            Self.strings(frame.imagePositionPatient, Self.components(plane.position))
        }
        orientations = zip(volume.frames, planes).map { frame, plane in
            Self.strings(
                frame.imageOrientationPatient, Self.components(plane.rowCosine) + Self.components(plane.columnCosine),
                tolerance: 0.02)
        }
        pixelSpacing = Self.strings(volume.frames[0].pixelSpacingStrings, [spacing.row, spacing.column])
        let between = volume.sliceSpacing ?? volume.frames[0].sliceThickness ?? 1
        sliceSpacing = DecimalString.text(between > 0 ? between.withoutNoise : 1) ?? "1"
        isSynthetic = false
        orientationPerFrame = planes.contains {
            ($0.rowCosine - first.rowCosine).length > Self.orientationNoise
                || ($0.columnCosine - first.columnCosine).length > Self.orientationNoise
        }
    }

    /// Of the slices of a regular grid.
    init?(_ grid: RegularGrid, of volume: Volume, salt: String) {
        guard let own = FrameGeometry(volume, salt: salt) else { return nil }
        frameOfReferenceUID = own.frameOfReferenceUID
        pixelSpacing = own.pixelSpacing
        sliceSpacing = DecimalString.text(grid.step) ?? own.sliceSpacing
        positions = grid.sources.indices.map { slice in
            Self.components(grid.position(slice)).map { DecimalString.text($0.rounded(decimals: 7)) ?? "0" }
        }
        orientations = grid.sources.map { _ in own.orientations[0] }
        isSynthetic = false
        orientationPerFrame = false
    }

    /// A geometry that says pixel to pixel and nothing of the patient: frame k lies at 0\0\k.
    private init(synthetic volume: Volume, frameOfReferenceUID: String) {
        self.frameOfReferenceUID = frameOfReferenceUID
        let spacing = volume.pictureSpacing ?? PixelSpacing(row: 1, column: 1)
        pixelSpacing = [spacing.row, spacing.column].map { DecimalString.text($0) ?? "1" }
        sliceSpacing = "1"
        positions = volume.frames.indices.map { ["0", "0", String($0)] }
        orientations = volume.frames.map { _ in ["1", "0", "0", "0", "1", "0"] }
        isSynthetic = true
        orientationPerFrame = false
    }

    /// Whether these frames are parallel planes at one distance, without shear: what a block of voxels is.
    func isBlock(_ frames: [Int]) -> Bool {
        guard !orientationPerFrame, frames.count > 1 else { return false }
        let places = frames.map { frame in positions[frame].map { Double($0) ?? 0 } }
        let directions = orientations[frames[0]].map { Double($0) ?? 0 }
        let row = Vector3(directions[0], directions[1], directions[2])
        let normal = row.cross(Vector3(directions[3], directions[4], directions[5]))
        let steps = zip(places, places.dropFirst()).map { Vector3($1[0] - $0[0], $1[1] - $0[1], $1[2] - $0[2]) }
        let gaps = steps.map { $0.dot(normal) }
        let median = gaps.sorted()[gaps.count / 2]
        guard median != 0 else { return false }
        return zip(steps, gaps).allSatisfy { step, gap in
            abs(gap - median) <= 0.01 * abs(median) && (step - normal * gap).length <= 0.002 * abs(median)
        }
    }

    private static func components(_ vector: Vector3) -> [Double] { [vector.x, vector.y, vector.z] }

    /// The strings of the source where they are decimals that say the numbers which were read (directions: up to their length);
    /// an attribute under a binary VR, or another one than was used, says something else.
    static func strings(_ original: [String], _ values: [Double], tolerance: Double = 0) -> [String] {
        let isUsable =
            original.count == values.count
            && zip(original, values).allSatisfy { text, value in
                ValueRules.isDecimal(text)
                    && Double(text).map { abs($0 - value) <= tolerance } == true
            }
        return isUsable ? original : values.map { DecimalString.text($0) ?? "0" }
    }
}

extension Volume {
    /// Frame of Reference UID of its results. A UID names one thing: where the source gives study and frame of reference the same one, the
    /// latter gets its own, which all results of that study share. Without one the series has its own.
    func resultFrameOfReferenceUID(salt: String) -> String {
        if let own = frameOfReferenceUID, own != studyInstanceUID { return own }
        return DerivedUID.uid(.frameOfReference, salt: salt, [frameOfReferenceUID ?? seriesInstanceUID])
    }
}
