package import DICOM
package import Imaging

extension Verification {
    /// Each group of the file holds exactly the objects of its segment: each outline, filled again, is its object with its holes filled; a
    /// point lies between its object's ends; areas are those of the pixels.
    ///
    /// *Shape*: `objects[segment]`, of one picture. *Throws* `verify`.
    package static func annotations(
        _ written: WrittenObject, _ volume: Volume, picture: Int, _ objects: [MaskObjects],
        _ graphic: BulkAnnotations.Graphic
    ) throws(ObjectFailure) {
        try patientAndStudy(written, volume)
        let dataSet = written.dataSet
        let named = dataSet.items(.referencedImageSequence).compactMap { $0.string(.referencedSOPInstanceUID) }
        let wanted =
            volume.slide == nil
            ? [volume.frames[picture].instance.sopInstanceUID] : volume.instances.map(\.sopInstanceUID)
        guard named == wanted else { throw .verify("the annotations refer to other images") }
        let groups = dataSet.items(.annotationGroupSequence)
        let found = objects.filter { $0.count > 0 }
        guard groups.count == found.count else {
            throw .verify("\(groups.count) groups of annotations instead of \(found.count)")
        }
        for (number, (group, objects)) in zip(groups, found).enumerated() {
            try check(group, objects, number + 1, graphic, volume.spacing(of: objects), written)
        }
    }

    private static func check(
        _ group: DataSet, _ objects: MaskObjects, _ number: Int, _ graphic: BulkAnnotations.Graphic,
        _ spacing: PixelSpacing?,
        _ written: WrittenObject
    ) throws(ObjectFailure) {
        let sizes = objects.sizes
        guard group.int(.numberOfAnnotations) == sizes.count else {
            throw .verify("group \(number) has another number of objects than \(sizes.count)")
        }
        let values = group.item(.measurementsSequence)?.item(.measurementValuesSequence) ?? DataSet()
        let areas = try floats(values[.floatingPointValues], written)
        let unit = spacing.map { $0.row * $0.column * 1e6 } ?? 1
        let code: Code = spacing == nil ? .pixels : .squareMicrometre
        let unitCode = group.item(.measurementsSequence)?.item(.measurementUnitsCodeSequence)?.string(.codeValue)
        guard unitCode == code.value else { throw .verify("group \(number) tells areas in another unit") }
        guard areas.count == sizes.count,
            zip(areas, sizes).allSatisfy({ abs(Double($0) - Double($1) * unit) <= 1e-6 * Double($1) * unit })
        else { throw .verify("group \(number) holds other areas than its objects have") }
        let coordinates = try floats(group[.pointCoordinatesData], written)
        guard graphic == .polygon else {
            try checkPoints(coordinates, objects, number)
            return
        }
        let starts = try words(group[.longPrimitivePointIndexList], written).map { Int($0) - 1 }
        guard starts.count == sizes.count, starts.first == 0 else {
            throw .verify("group \(number) has another number of outlines than objects")
        }
        try objects.visitMasks { object, mask, row, column throws(ObjectFailure) in
            let (start, end) = (starts[object - 1], object < starts.count ? starts[object] : coordinates.count)
            guard start + 6 <= end, end <= coordinates.count, (end - start) % 2 == 0 else {
                throw .verify("outline \(object) of group \(number) is none")
            }
            // From corners to middles of pixels, of the rectangle around the object.
            let (left, top) = (Double(column) + 0.5, Double(row) + 0.5)
            let polygon = stride(from: start, to: end, by: 2).map { at -> (x: Double, y: Double) in
                (Double(coordinates[at]) - left, Double(coordinates[at + 1]) - top)
            }
            let (width, height) = (Double(mask.columns), Double(mask.rows))
            let isWithin = polygon.allSatisfy { $0.x >= -0.5 && $0.x <= width && $0.y >= -0.5 && $0.y <= height }
            var filled = Mask(rows: mask.rows, columns: mask.columns)
            if isWithin {
                try EvenOddFill(rows: mask.rows, columns: mask.columns).visit(polygon) { pixel throws(ObjectFailure) in
                    filled[pixel] = true
                }
            }
            guard filled == Components.fillingHoles(in: mask) else {
                throw .verify("outline \(object) of group \(number) does not hold its object")
            }
        }
    }

    private static func checkPoints(
        _ coordinates: [Float], _ objects: MaskObjects, _ number: Int
    ) throws(ObjectFailure) {
        var bounds: [Int: (rows: ClosedRange<Int>, columns: ClosedRange<Int>)] = [:]
        objects.visit { object, pixels in
            let (row, column) = pixels.lowerBound.quotientAndRemainder(dividingBy: objects.columns)
            let old = bounds[object] ?? (row...row, column...column)
            bounds[object] = (
                old.rows.lowerBound...row,
                min(old.columns.lowerBound, column)...max(old.columns.upperBound, column + pixels.count - 1)
            )
        }
        guard coordinates.count == 2 * bounds.count else {
            throw .verify("group \(number) has another number of points")
        }
        for (object, bound) in bounds {
            let (x, y) = (Double(coordinates[2 * object - 2]), Double(coordinates[2 * object - 1]))
            guard x >= Double(bound.columns.lowerBound), x <= Double(bound.columns.upperBound + 1),
                y >= Double(bound.rows.lowerBound), y <= Double(bound.rows.upperBound + 1)
            else { throw .verify("point \(object) of group \(number) lies outside of its object") }
        }
    }

    private static func floats(_ element: Element?, _ written: WrittenObject) throws(ObjectFailure) -> [Float] {
        try words(element, written).map { Float(bitPattern: $0) }
    }

    private static func words(_ element: Element?, _ written: WrittenObject) throws(ObjectFailure) -> [UInt32] {
        guard let element else { return [] }
        let bytes = Array(try written.value(of: element))
        return stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { at in
            (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
        }
    }
}
