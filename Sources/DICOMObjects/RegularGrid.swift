package import DICOM
package import Imaging
import Numbers

/// Parallel slices at one distance, without shear, over the box that an uneven or tilted volume fills: what readers expect that build a block
/// of voxels.
///
/// Pixels are as large as the source's and run in its directions from the first slice's first pixel; the distance is the source's median or,
/// where slices that lie closer together would be on none of the grid's, its smallest, evened out so that the last slice lies where the
/// source's last one does. Every slice of the source is on the grid. Each voxel is that of the source which lies nearest: for masks that is
/// what linear interpolation with a threshold of one half gives along the slices' normal. It lies at most half a pixel and half of the gap
/// between its neighbours away.
package struct RegularGrid: Sendable {
    package let rows: Int
    package let columns: Int
    /// For each slice the frame of the volume that lies nearest.
    package let sources: [Int]
    /// The first slice.
    package let plane: Plane
    /// *Units*: mm.
    package let step: Double
    /// Row and column at which a frame of the volume begins.
    private let shifts: [(row: Int, column: Int)]

    /// A grid of more voxels has to have no more than this many for each of the source's.
    private static let mostVoxelsEach = 64
    /// What a grid of few slices may have whatever the source has.
    private static let freeVoxels = 1 << 28

    /// Nil for a volume that is such a grid already, for a single slice, and for frames without a place.
    ///
    /// - Parameter evenToo: the grid of a volume that is one is given, too.
    /// *Throws* `place` for slices that lie so unevenly that only a grid of very many slices would hold them all.
    package init?(_ volume: Volume, evenToo: Bool = false) throws(ObjectFailure) {
        guard volume.hasPlace, volume.slide == nil, let spacing = volume.pixelSpacing, let median = volume.sliceSpacing,
            median > 0, let geometry = FrameGeometry(volume, synthetic: nil, salt: ""),
            evenToo || !geometry.isBlock(Array(volume.frames.indices))
        else { return nil }
        let planes = volume.frames.compactMap(\.plane)
        guard planes.count == volume.frames.count, planes.count > 1 else { return nil }
        let first = planes[0]
        // Frames that are turned against the first by a little are placed by their middles.
        let middles = planes.map { plane in
            plane.position + plane.rowCosine * (Double(volume.columns - 1) / 2 * spacing.column)
                + plane.columnCosine * (Double(volume.rows - 1) / 2 * spacing.row)
        }
        let away = middles.map { $0 - middles[0] }
        let places = away.map { $0.dot(first.normal) }
        guard let last = places.last, last > 0 else { return nil }
        let rowShifts = away.compactMap { Int(rounding: $0.dot(first.columnCosine) / spacing.row) }
        let columnShifts = away.compactMap { Int(rounding: $0.dot(first.rowCosine) / spacing.column) }
        let smallest = zip(places, places.dropFirst()).map { $1 - $0 }.min() ?? 0
        guard rowShifts.count == planes.count, columnShifts.count == planes.count, smallest > 0 else {
            throw Self.tooUneven
        }
        let (top, left) = (rowShifts.min() ?? 0, columnShifts.min() ?? 0)
        let (rows, columns) = (
            volume.rows + (rowShifts.max() ?? 0) - top, volume.columns + (columnShifts.max() ?? 0) - left
        )
        let (area, overflow) = rows.multipliedReportingOverflow(by: columns)
        let voxels = max(Self.freeVoxels, planes.count * volume.rows * volume.columns * Self.mostVoxelsEach)
        let candidates = [last / median, (last / smallest * (1 - 1e-6)).rounded(.up)].lazy.map { steps -> [Int]? in
            let steps = max(1, Int(rounding: steps) ?? .max)
            return overflow || steps >= voxels / area ? nil : Self.nearest(places, steps: steps)
        }
        guard let found = candidates.compactMap(\.self).first(where: { Set($0).count == places.count }) else {
            throw Self.tooUneven
        }
        (self.rows, self.columns, sources) = (rows, columns, found)
        shifts = zip(rowShifts, columnShifts).map { ($0 - top, $1 - left) }
        step = last / Double(found.count - 1)
        plane = Plane(
            position: first.position + first.rowCosine * (Double(left) * spacing.column)
                + first.columnCosine * (Double(top) * spacing.row),
            rowCosine: first.rowCosine, columnCosine: first.columnCosine)
    }

    /// For each of `steps + 1` even places from the first to the last of `places` the one that lies nearest.
    private static func nearest(_ places: [Double], steps: Int) -> [Int] {
        let step = places[places.count - 1] / Double(steps)
        var nearest = 0
        return (0...steps).map { slice in
            let place = Double(slice) * step
            while nearest + 1 < places.count, abs(places[nearest + 1] - place) < abs(places[nearest] - place) {
                nearest += 1
            }
            return nearest
        }
    }

    private static var tooUneven: ObjectFailure {
        .place(
            "the slices lie so unevenly that a regular grid which holds each of them would be many times as large as the series",
            cure: "Use a pipeline without outputs.seg.resample, and no --also nifti, for such images.")
    }

    /// Where the first pixel of a slice lies.
    package func position(_ slice: Int) -> Vector3 { plane.position + plane.normal * (Double(slice) * step) }

    /// Masks of the volume's frames on this grid. *Shape*: `[frame]` to `[slice]`.
    package func resampled(_ masks: [Mask]) -> [Mask] {
        sources.map { source in
            let mask = masks[source]
            var slice = Mask(rows: rows, columns: columns)
            if mask.isEmpty { return slice }
            for row in 0..<mask.rows {
                slice.copy(
                    mask, from: row * mask.columns, count: mask.columns,
                    to: (row + shifts[source].row) * columns + shifts[source].column)
            }
            return slice
        }
    }
}
