package import DICOM
import Numbers

/// Where the images end before a segment does: what lies beyond is not measured.
package struct SegmentCut: Sendable, Equatable {
    /// It has pixels at a side of a picture.
    package var bySides = false
    /// It has pixels in the first or the last slice of a volume.
    package var bySlices = false
    /// Of its objects, those that have either.
    package var objects = 0

    package init(bySides: Bool = false, bySlices: Bool = false, objects: Int = 0) {
        (self.bySides, self.bySlices, self.objects) = (bySides, bySlices, objects)
    }

    /// Nil where the images show all of the segment.
    ///
    /// - Parameter count: of its objects; nil where the pipeline does not count them.
    package func finding(_ label: String, of count: Int?) -> Finding? {
        guard objects > 0 else { return nil }
        let isMany = count ?? 1 > 1
        let isOne = !isMany || objects == 1
        let ending = isOne ? "es" : ""
        let places = [
            bySides ? "touch\(ending) the edge of the picture" : nil,
            bySlices ? "reach\(ending) the first or last slice" : nil,
        ].compactMap { $0 }
        let meaning = isOne ? "its size is a lower bound." : "their sizes are lower bounds."
        let text =
            if isMany, let count {
                "\(label): \(NumberText.grouped(objects)) of \(NumberText.grouped(count)) objects \(places.joined(separator: " or ")): \(meaning)"
            } else {
                "\(label) \(places.joined(separator: " and ")): \(meaning)"
            }
        return Finding("QC-BORDER", .note, text)
    }
}
