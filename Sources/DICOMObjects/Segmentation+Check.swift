package import DICOM

extension Segmentation {
    /// Whether an object of this volume can be composed, whatever its masks will be: to be asked before the first frame is inferred.
    ///
    /// The object is composed with every segment and every frame, encoded and read back; only the pixels are missing. What passes here
    /// fails in `init` and `write` only for masks of another shape, and when the disk fails.
    /// *Throws* `source` (what the source lacks or no result can carry), `pipeline` (a text or code that its attribute cannot hold),
    /// `size` (more than an object can hold, should every segment be found on every frame).
    /// *Cost*: some milliseconds for a hundred frames.
    package static func check(
        _ volume: Volume, segments: [SegmentDescription], producer: Producer, options: Options
    ) throws(ObjectFailure) {
        guard !segments.isEmpty else { throw .mismatch("no segments") }
        let grid = try FrameGrid(volume, options)
        try checkSize(grid, segments: segments.count, options)
        let draft = try SegmentationDraft(
            volume, on: grid, segments: segments, producer: producer, options: options)
        // An item of ours stands in that of the object unless it declares its own.
        let characterSet = draft.header.text.characterSet
        var items = 0
        for (index, segment) in segments.enumerated() {
            let item = draft.item(number: index + 1, segment)
            try blame(part: "segment \(segment.key)", item, RequiredAttributes.segment, characterSet: characterSet)
            // The longest that an object of it may have.
            let number = InstanceSegmentation.largestCount
            let longest = options.isOfObjects ? draft.item(number: number, segment.instance(number)) : item
            items = max(items, 16 + (try DataSetEncoder.length(longest, characterSet: characterSet)))
        }
        let selection = FrameSelection(
            everyFrameOnceOf: segments.count, frames: Self.sample(of: volume, grid),
            isLabelmap: options.type == .labelmap)
        var dataSet = draft.dataSet(selection, pixels: [0, 0], overlap: false)
        let ownTexts: [(Attribute, String)] = [
            (.contentLabel, "outputs.seg.label"), (.seriesNumber, "outputs.series_number.seg"),
        ]
        for (attribute, part) in ownTexts {
            var one = DataSet()
            one[attribute] = dataSet[attribute]
            try blame(part: part, one, RequiredAttributes(type1: [attribute]), characterSet: characterSet)
        }
        try checkSize(
            grid, segments: segments.count, options,
            attributes: try attributes(
                dataSet, frames: frames(grid, segments: segments.count, options.type),
                kept: draft.header.kept)
                + (options.isOfObjects ? items * InstanceSegmentation.largestCount : 0))
        dataSet.put(.sopInstanceUID, draft.uids.instance(.segmentationInstance, []))
        let bytes = try DataSetEncoder.file(dataSet, kept: draft.header.kept)
        let written = try WrittenObject(bytes)
        try written.checkWithDCMTK()
        try Verification.same(written, dataSet)
        try Verification.identity(written, volume)
        try Verification.segments(written, segments, options.type)
    }

    /// Should every segment be found on every frame, with `attributes` bytes beside the pixels: nothing of a length field's limit is left
    /// to the masks.
    private static func checkSize(
        _ grid: FrameGrid, segments: Int, _ options: Segmentation.Options, attributes: Int = 0
    ) throws(ObjectFailure) {
        let frames = frames(grid, segments: segments, options.type)
        let bits = SegmentationPixels.bits(
            options.type, segments: options.isOfObjects ? InstanceSegmentation.largestCount : segments)
        let (pixels, isTooMany) = grid.framePixels.multipliedReportingOverflow(by: frames)
        guard segments <= 65535, grid.rows <= 65535, grid.columns <= 65535, frames <= Int(Int32.max), !isTooMany,
            pixels / 8 <= DataSetEncoder.maximumLength,
            pixels / 8 * bits + bits + attributes + 16 <= DataSetEncoder.maximumLength
        else {
            let place = "on \(grid.sources.count) frames of \(grid.rows)×\(grid.columns)"
            guard !options.isOfObjects else {
                throw .size("a segment for each object (outputs.instances) \(place)", cure: InstanceLabels.cure)
            }
            throw .size("\(segments) segments \(place)")
        }
    }

    /// Of an object in which every segment is found on every frame.
    private static func frames(_ grid: FrameGrid, segments: Int, _ type: SegmentationType) -> Int {
        type == .labelmap ? grid.sources.count : segments * grid.sources.count
    }

    /// Frames that are composed for the check: all, but of a slide only some of its thousands of tiles, which differ in numbers alone.
    private static func sample(of volume: Volume, _ grid: FrameGrid) -> Range<Int> {
        0..<(volume.slide == nil ? grid.sources.count : min(64, grid.sources.count))
    }

    /// Bytes of the attributes of an object of so many frames; `dataSet` has some of them.
    private static func attributes(
        _ dataSet: DataSet, frames: Int, kept: Set<Tag>
    ) throws(ObjectFailure) -> Int {
        let groups = dataSet.items(.perFrameFunctionalGroupsSequence)
        var largest = 0
        for group in groups { largest = max(largest, 8 + (try DataSetEncoder.length(group))) }
        return try DataSetEncoder.length(dataSet, kept: kept) + largest * (frames - groups.count)
    }

    /// A value that we were given and cannot write is the pipeline's fault, not a defect of ours.
    ///
    /// - Parameter characterSet: of the object in which the data set is to stand.
    private static func blame(
        part: String, _ dataSet: DataSet, _ required: RequiredAttributes, characterSet: String
    ) throws(ObjectFailure) {
        do throws(ObjectFailure) {
            _ = try DataSetEncoder.length(dataSet, characterSet: characterSet)
            try required.check(dataSet)
        } catch {
            if case .illegal(_, let keyword, let what) = error {
                throw .pipeline(part: part, keyword: keyword, what: what)
            }
            throw error
        }
    }
}

extension FrameSelection {
    /// All segments, and each source frame once, with the last segment: the same attributes as any selection has, in fewer frames.
    fileprivate init(everyFrameOnceOf segments: Int, frames: Range<Int>, isLabelmap: Bool) {
        self.init(
            segments: Array(0..<segments),
            frames: frames.map { Frame(segment: isLabelmap ? 0 : segments, source: $0) })
    }
}
