import DICOM
import Imaging
import Records

/// The objects of one segment, measured while the volume's frames pass by once more.
///
/// In a volume an object is a connected part that reaches over slices; pictures have their own each.
struct SegmentObjects {
    /// One object; sums become means when the frames have passed.
    struct Object: Sendable {
        /// Of its pixels' places, in pixels from 0.
        fileprivate var rowSum = 0.0
        fileprivate var columnSum = 0.0
        fileprivate var frameSum = 0.0
        fileprivate var position = Vector3(0, 0, 0)
        fileprivate var valueSum = 0.0
        fileprivate var valueCount = 0
        fileprivate var probabilitySum = 0.0
        fileprivate var probabilityCount = 0
        private(set) var pixels = 0
        /// The images end before it does.
        fileprivate(set) var isCut = false
        /// Of its largest frame.
        fileprivate(set) var largestFramePixels = 0
        fileprivate(set) var volumeMM3 = 0.0
        fileprivate(set) var diameters: MaskDiameters?

        var row: Double { rowSum / Double(pixels) }
        var column: Double { columnSum / Double(pixels) }
        /// From 0; between frames for an object of several.
        var frame: Double { frameSum / Double(pixels) }
        /// mm, in the patient's coordinates.
        var positionMM: Vector3 { position * (1 / Double(pixels)) }
        /// Of the values that are no padding; nil where there is none, and for colour.
        var meanValue: Double? { valueCount > 0 ? valueSum / Double(valueCount) : nil }
        /// 0…1; nil where probabilities were not kept.
        var confidence: Double? { probabilityCount > 0 ? probabilitySum / Double(probabilityCount) / 255 : nil }

        fileprivate mutating func add(_ row: Int, _ columns: Range<Int>, frame: Int) {
            let count = Double(columns.count)
            pixels += columns.count
            rowSum += Double(row) * count
            columnSum += Double(columns.lowerBound + columns.upperBound - 1) / 2 * count
            frameSum += Double(frame) * count
        }
    }

    /// In the order of their first pixels.
    private(set) var objects: [Object] = []
    private(set) var cut = SegmentCut()
    /// Sum, sum of squares and number of the segment's values, from the first of them on: so equal values have no deviation.
    private var sums = (value: 0.0, square: 0.0, count: 0)
    private var firstValue: Double?
    private let runs: [[(object: Int, pixels: Range<Int>)]]
    private let volume: Volume
    /// Of a picture.
    private let columns: Int

    /// *Shape*: `masks[picture]`.
    ///
    /// - Parameters:
    ///   - objects: of each picture; nil for a volume in space.
    ///   - areMeasured: whether the objects themselves are asked for; else only the values of the whole segment are.
    init(_ volume: Volume, masks: [Mask], _ objects: [MaskObjects]?, areMeasured: Bool) {
        self.volume = volume
        columns = masks.first?.columns ?? volume.columns
        var runs = [[(object: Int, pixels: Range<Int>)]](repeating: [], count: masks.count)
        var count = 0
        if let objects {
            for (picture, found) in objects.enumerated() {
                let first = count
                found.visit { number, pixels in runs[picture].append((first + number - 1, pixels)) }
                count += found.count
            }
        } else {
            let components = Components(of: masks)
            components.visit { runs[$1].append(($0 - 1, $2)) }
            count = components.count
        }
        self.runs = runs
        self.objects = [Object](repeating: Object(), count: count)
        findCut(pixels: masks.first.map { $0.rows * $0.columns } ?? 0)
        guard areMeasured else { return }
        for (frame, runs) in runs.enumerated() { addShapes(runs, frame) }
    }

    var count: Int { objects.count }

    /// Of objects that were measured: in mm³ where they reach over slices, else in µm², or in pixels without a spacing.
    ///
    /// - Parameters:
    ///   - spacing: nil where sizes in mm are not known.
    ///   - seenMM2: the area in which they were looked for; nil where objects reach over slices, or without a spacing.
    func sizes(spacing: PixelSpacing?, seenMM2: Double?) -> ObjectSizes? {
        if volume.reachesOverSlices {
            return spacing == nil
                ? nil : ObjectSizes(of: objects.map(\.volumeMM3), unit: .cubicMillimetres, perMM2: nil)
        }
        let pixelArea = spacing.map { $0.row * $0.column * 1e6 }
        return ObjectSizes(
            of: objects.map { Double($0.pixels) * (pixelArea ?? 1) },
            unit: pixelArea == nil ? .pixels : .squareMicrometres,
            perMM2: seenMM2.flatMap { $0 > 0 ? Double(count) / $0 : nil })
    }

    /// Mean and standard deviation of the segment's values; nil without any.
    var values: (mean: Double, deviation: Double)? {
        guard let firstValue, sums.count > 0 else { return nil }
        let mean = sums.value / Double(sums.count)
        return (firstValue + mean, max(0, sums.square / Double(sums.count) - mean * mean).squareRoot())
    }

    /// Grey values of a frame; padding counts for nothing. Colour has no values.
    mutating func add(_ frame: Frame, at index: Int) {
        guard frame.samples == 1 else { return }
        for (object, pixels) in runs[index] {
            for pixel in pixels where frame.padding.isEmpty || !frame.padding[pixel] {
                let value = Double(frame.values[pixel])
                guard value.isFinite else { continue }
                let first = firstValue ?? value
                firstValue = first
                let difference = value - first
                sums.value += difference
                sums.square += difference * difference
                sums.count += 1
                objects[object].valueSum += value
                objects[object].valueCount += 1
            }
        }
    }

    /// Probabilities of a frame, 255 is certain.
    mutating func add(probabilities: [UInt8], at index: Int) {
        for (object, pixels) in runs[index] {
            for pixel in pixels { objects[object].probabilitySum += Double(probabilities[pixel]) }
            objects[object].probabilityCount += pixels.count
        }
    }

    /// - Parameter pixels: of a picture.
    private mutating func findCut(pixels: Int) {
        for (picture, runs) in runs.enumerated() {
            let isEnd = volume.reachesOverSlices && (picture == 0 || picture + 1 == self.runs.count)
            for (object, run) in runs {
                let isAtSide =
                    run.lowerBound < columns || run.upperBound > pixels - columns
                    || run.lowerBound % columns == 0 || run.upperBound % columns == 0
                guard isEnd || isAtSide else { continue }
                objects[object].isCut = true
                if isEnd { cut.bySlices = true }
                if isAtSide { cut.bySides = true }
            }
        }
        cut.objects = objects.count(where: \.isCut)
    }

    private mutating func addShapes(_ runs: [(object: Int, pixels: Range<Int>)], _ frame: Int) {
        let spacing = volume.pixelSpacing ?? PixelSpacing(row: 1, column: 1)
        let weight = volume.sliceWeights.isEmpty ? 0 : volume.sliceWeights[frame] * spacing.row * spacing.column
        let plane = volume.hasPlace ? volume.frames[frame].plane : nil
        var rows: [Int: [MaskDiameters.RowExtent]] = [:]
        var counts: [Int: Int] = [:]
        for (object, pixels) in runs {
            let row = pixels.lowerBound / self.columns
            let columns = pixels.lowerBound - row * self.columns..<pixels.upperBound - row * self.columns
            objects[object].add(row, columns, frame: frame)
            objects[object].volumeMM3 += weight * Double(columns.count)
            if let plane {
                let middle = Double(columns.lowerBound + columns.upperBound - 1) / 2
                let place =
                    plane.position + plane.rowCosine * (middle * spacing.column)
                    + plane.columnCosine * (Double(row) * spacing.row)
                objects[object].position = objects[object].position + place * Double(columns.count)
            }
            rows[object, default: []].append(
                .init(row: row, first: columns.lowerBound, last: columns.upperBound - 1))
            counts[object, default: 0] += columns.count
        }
        for (object, count) in counts {
            objects[object].largestFramePixels = max(objects[object].largestFramePixels, count)
            guard let found = MaskDiameters(of: rows[object] ?? [], spacing: spacing) else { continue }
            if found.longest > objects[object].diameters?.longest ?? 0 { objects[object].diameters = found }
        }
    }
}
