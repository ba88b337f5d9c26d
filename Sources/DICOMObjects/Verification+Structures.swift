package import DICOM
package import Imaging
import Numbers

extension Verification {
    /// The contours in the file, filled again, are exactly these masks: each contour lies in the plane of the frame that it names, and no
    /// two of one region overlap.
    ///
    /// *Shape*: `masks[region][frame]`. *Throws* `verify`.
    package static func structures(
        _ written: WrittenObject, _ volume: Volume, _ masks: [[Mask]], segments: [SegmentDescription]
    ) throws(ObjectFailure) {
        try patientAndStudy(written, volume)
        let dataSet = written.dataSet
        let frameOfReference = dataSet.item(.referencedFrameOfReferenceSequence)
        let series = frameOfReference?.item(.rtReferencedStudySequence)?.item(.rtReferencedSeriesSequence)
        let named = (series?.items(.contourImageSequence) ?? []).compactMap { $0.string(.referencedSOPInstanceUID) }
        guard series?.string(.seriesInstanceUID) == volume.seriesInstanceUID,
            Set(named) == Set(volume.instances.map(\.sopInstanceUID)), named.count == volume.instances.count
        else { throw .verify("the referenced series is not the source's") }
        let regions = dataSet.items(.structureSetROISequence)
        let contours = dataSet.items(.roiContourSequence)
        guard regions.count == masks.count, contours.count == masks.count,
            dataSet.items(.rtroiObservationsSequence).count == masks.count
        else { throw .verify("\(regions.count) regions of interest instead of \(masks.count)") }
        let sources = SourceFrames(volume)
        for (index, mask) in masks.enumerated() {
            guard regions[index].int(.roiNumber) == index + 1, contours[index].int(.referencedROINumber) == index + 1,
                regions[index].string(.roiName) == segments[index].label.trimmed,
                regions[index].string(.referencedFrameOfReferenceUID) == frameOfReference?.string(.frameOfReferenceUID)
            else { throw .verify("region \(index + 1) is another one") }
            try check(contours[index].items(.contourSequence), mask, index + 1, volume, sources)
        }
    }

    private static func check(
        _ contours: [DataSet], _ masks: [Mask], _ region: Int, _ volume: Volume, _ sources: SourceFrames
    ) throws(ObjectFailure) {
        var filled = [Mask](repeating: Mask(rows: volume.rows, columns: volume.columns), count: masks.count)
        let fill = EvenOddFill(rows: volume.rows, columns: volume.columns)
        for contour in contours {
            let image = contour.item(.contourImageSequence) ?? DataSet()
            guard let frame = sources.index(of: image), let plane = volume.frames[frame].plane,
                let spacing = volume.pixelSpacing
            else { throw .verify("a contour of region \(region) refers to no frame of the source") }
            let numbers = contour.doubles(.contourData)
            guard numbers.count % 3 == 0, numbers.count / 3 == contour.int(.numberOfContourPoints) else {
                throw .verify("a contour of region \(region) has another number of points than it says")
            }
            var polygon: [(x: Double, y: Double)] = []
            for at in stride(from: 0, to: numbers.count, by: 3) {
                let away = Vector3(numbers[at], numbers[at + 1], numbers[at + 2]) - plane.position
                guard abs(away.dot(plane.normal)) < 1e-3 else {
                    throw .verify("a contour of region \(region) does not lie in the plane of its frame")
                }
                polygon.append((away.dot(plane.rowCosine) / spacing.column, away.dot(plane.columnCosine) / spacing.row))
            }
            try fill.visit(polygon) { pixel throws(ObjectFailure) in
                guard !filled[frame][pixel] else { throw .verify("two contours of region \(region) overlap") }
                filled[frame][pixel] = true
            }
        }
        for (frame, mask) in masks.enumerated() {
            guard filled[frame] == mask else {
                throw .verify("the contours of region \(region) on frame \(frame + 1) do not hold the mask")
            }
        }
    }
}

/// The pixels whose middles lie inside of a closed polygon, by the even-odd rule: as other programs read contours.
struct EvenOddFill {
    let rows: Int
    let columns: Int

    /// *Units*: pixels; the middle of the first one is 0, 0.
    func visit(
        _ polygon: [(x: Double, y: Double)], _ body: (_ pixel: Int) throws(ObjectFailure) -> Void
    ) throws(ObjectFailure) {
        var crossings: [Int: [Double]] = [:]
        for (index, from) in polygon.enumerated() {
            let to = polygon[index + 1 == polygon.count ? 0 : index + 1]
            let (top, bottom) = from.y < to.y ? (from, to) : (to, from)
            let first = Int(rounding: top.y.rounded(.up), clampedTo: 0...rows)
            let end = Int(rounding: bottom.y.rounded(.up), clampedTo: 0...rows)
            for row in first..<max(first, end) {
                let part = (Double(row) - top.y) / (bottom.y - top.y)
                crossings[row, default: []].append(top.x + part * (bottom.x - top.x))
            }
        }
        for row in crossings.keys.sorted() {
            let sorted = (crossings[row] ?? []).sorted()
            for pair in stride(from: 0, to: sorted.count - 1, by: 2) {
                let first = Int(rounding: sorted[pair].rounded(.up), clampedTo: 0...columns)
                let end = Int(rounding: sorted[pair + 1].rounded(.up), clampedTo: 0...columns)
                for column in first..<max(first, end) { try body(row * columns + column) }
            }
        }
    }
}
