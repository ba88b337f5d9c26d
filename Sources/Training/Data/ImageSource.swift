import DICOM
import ImageFiles
import SegmentAnything
package import Storage

/// Where the picture of one case lies.
package enum ImageSource: Sendable, Equatable {
    /// A page (from 0) of a file; PNG and JPEG have one.
    case page(String, Int)
    /// Three grey files: red, green and blue; or one file that has as many channels as are named, three colours or one grey.
    case channels([String], of: Int)
    case dicom(DICOMPicture)

    package static func file(_ path: String) -> ImageSource { .page(path, 0) }

    /// The picture of a layout in which a file has one.
    ///
    /// *Throws* `TrainingFailure.layout` where it holds more.
    static func single(_ path: String) throws(TrainingFailure) -> ImageSource {
        let count = HeldPictures(path).count
        guard count == 1 else {
            throw .layout(path: path, reason: "it holds \(count) pictures, and a file of this layout has one")
        }
        return .file(path)
    }

    /// The file, the first of several: what messages name.
    package var path: String {
        switch self {
        case .page(let path, _): path
        case .channels(let paths, _): paths.first ?? ""
        case .dicom(let picture): picture.path
        }
    }

    /// Of the files' content and the page.
    package func digest() throws -> FileDigest {
        switch self {
        case .page(let path, 0): return try FileDigest(ofFile: path)
        case .page(let path, let page):
            var fields = CanonicalEncoding("hspsam page 1")
            fields.add("file", try FileDigest(ofFile: path).hex)
            fields.add("page", page)
            return fields.digest
        case .channels(let paths, _):
            if paths.count == 1 { return try FileDigest(ofFile: paths[0]) }
            var fields = CanonicalEncoding("hspsam channels 1")
            fields.add("files", try paths.map { try FileDigest(ofFile: $0).hex })
            return fields.digest
        case .dicom(let picture):
            if picture.frame == 1 { return picture.content }
            var fields = CanonicalEncoding("hspsam frame 1")
            fields.add("instance", picture.content.hex)
            fields.add("frame", picture.frame)
            return fields.digest
        }
    }

    /// Of the file alone, in which other pictures may be: pages and frames of one file are of one thing, and stay together.
    func fileDigest() throws -> FileDigest {
        switch self {
        case .page(let path, _): try FileDigest(ofFile: path)
        case .dicom(let picture): picture.content
        case .channels: try digest()
        }
    }

    /// Whether both are pages, or frames, of one file.
    func sharesFile(with other: ImageSource) -> Bool {
        switch (self, other) {
        case (.page, .page), (.dicom, .dicom): self != other && path == other.path
        default: false
        }
    }

    /// - Parameter aspect: how the network knows pixels; DICOM says how high theirs are.
    /// *Throws* `ImageFilesFailure`, `DICOMFailure`; `TrainingFailure.noPairs`, `.channels`, `.layout`.
    func read(_ aspect: TrainedInput.Aspect) throws -> SourcePicture {
        switch self {
        case .page(let path, let page): return .raster(try Self.page(page, of: try ImageFile.read(path), path: path))
        case .channels: return .raster(try channels())
        case .dicom(let picture):
            let (frame, voi, source) = try picture.read()
            guard aspect != .isotropic || abs(source.pixelAspect - 1) < 0.01 else {
                throw TrainingFailure.layout(
                    path: picture.path, reason: "its pixels are not square, and preprocess.aspect is isotropic")
            }
            return .dicom(frame, voi, source)
        }
    }

    /// Three grey pictures as one in colour, or the one that is.
    private func channels() throws -> RasterPage {
        switch self {
        case .page, .dicom: throw TrainingFailure.channels(path: path)
        case .channels(let paths, let named):
            let pages = try paths.map { try Self.page(0, of: try ImageFile.read($0), path: $0) }
            if named == 1, let only = pages.first {
                // Grey that programs wrote as three equal colours is one channel.
                guard only.samples == 1 || MaskColors(only).isGrey else {
                    throw TrainingFailure.layout(
                        path: path, reason: "it is a picture in colour, and dataset.json names one channel")
                }
                return only
            }
            if pages.count == 1, pages[0].samples == 3 { return pages[0] }
            guard let first = pages.first, pages.count == 3,
                pages.allSatisfy({ $0.samples == 1 && $0.bits == first.bits && $0.rows == first.rows })
            else { throw TrainingFailure.channels(path: path) }
            guard pages.allSatisfy({ $0.columns == first.columns }) else {
                throw TrainingFailure.channels(path: path)
            }
            let values = first.values.indices.flatMap { pixel in pages.map { $0.values[pixel] } }
            var page = RasterPage(
                rows: first.rows, columns: first.columns, samples: 3, bits: first.bits, values: values)
            page.findings = pages.flatMap(\.findings)
            return page
        }
    }

    /// *Throws* `TrainingFailure.severalChannels` where one of several would be read. *Cost*: no pixel is decoded.
    func confirmWhole() throws(TrainingFailure) {
        let paths: [String] =
            switch self {
            case .page(let path, _): [path]
            case .channels(let paths, _): paths
            case .dicom: []
            }
        for path in paths {
            let channels = HeldPictures(path).channels
            guard channels == 1 else { throw .severalChannels(path: path, count: channels) }
        }
    }

    static func page(_ index: Int, of pages: [RasterPage], path: String) throws -> RasterPage {
        guard pages.indices.contains(index) else {
            throw TrainingFailure.noPairs(path: path, reason: "the file holds no picture number \(index + 1)")
        }
        return pages[index]
    }
}

/// Where the truth of one case lies.
package enum MaskSource: Sendable, Equatable {
    /// Pages of files; of several, what any of them marks.
    case pages([Page])
    /// A file a segment.
    case perSegment(SegmentFiles)
    /// Outlines and runs of an annotation file.
    case annotation(COCO.Picture)
    /// Frames of a DICOM segmentation.
    case segmentation(SegmentationTruth)
    /// Of an image that is learned from without its mask.
    case unread

    package struct Page: Sendable, Equatable {
        package let path: String
        package let index: Int
        /// Pictures of the image's file, and so of this one.
        package let count: Int

        package init(path: String, index: Int = 0, of count: Int = 1) {
            (self.path, self.index, self.count) = (path, index, count)
        }
    }

    package static func file(_ path: String) -> MaskSource { .pages([Page(path: path)]) }

    /// The file, the first of several: what messages name.
    package var path: String {
        switch self {
        case .pages(let pages): pages.first?.path ?? ""
        case .perSegment(let files): files.path
        case .annotation(let picture): picture.file
        case .segmentation(let truth): truth.path
        case .unread: ""
        }
    }

    /// Of the files' content and the pages.
    package func digest() throws -> FileDigest {
        switch self {
        case .pages(let pages):
            if pages.count == 1, pages[0].index == 0 { return try FileDigest(ofFile: pages[0].path) }
            var fields = CanonicalEncoding("hspsam masks 1")
            try fields.add("files", pages.map { "\(try FileDigest(ofFile: $0.path).hex) \($0.index)" })
            return fields.digest
        case .perSegment(let files): return try files.digest()
        case .annotation(let picture): return picture.digest
        case .segmentation(let truth): return truth.digest
        case .unread: return CanonicalEncoding("hspsam no mask 1").digest
        }
    }

    /// It says itself which segment is where: no rule of values has an effect on it.
    var namesSegments: Bool {
        switch self {
        case .perSegment, .annotation, .segmentation: true
        case .pages, .unread: false
        }
    }

    /// Of an annotation file: each object of it.
    var outlines: COCO.Picture? { if case .annotation(let picture) = self { picture } else { nil } }

    /// What has classes of its own and needs no rule; nil for pictures of values.
    func classes() throws -> (rows: Int, columns: Int, values: [UInt8])? {
        switch self {
        case .pages, .unread: nil
        case .perSegment(let files): try files.classes()
        case .annotation(let picture): (picture.rows, picture.columns, picture.classes())
        case .segmentation(let truth): (truth.rows, truth.columns, try truth.classes())
        }
    }

    /// *Throws* `TrainingFailure.pageCounts`, `.severalChannels` where a file holds more than is read. *Cost*: no pixel is decoded.
    func confirmWhole() throws(TrainingFailure) {
        let pages: [Page] =
            switch self {
            case .pages(let pages): pages
            case .perSegment(let files): files.files.map { Page(path: $0.path) }
            case .annotation, .segmentation, .unread: []
            }
        for page in pages {
            let file = HeldPictures(page.path)
            guard file.count <= page.count else {
                throw .pageCounts(mask: page.path, masks: file.count, images: page.count)
            }
            guard file.channels == 1 else { throw .severalChannels(path: page.path, count: file.channels) }
        }
    }

    /// The pictures of values, as they are stored; empty for what has classes.
    func read() throws -> [(page: RasterPage, path: String)] {
        guard case .pages(let pages) = self else { return [] }
        return try pages.map {
            (try ImageSource.page($0.index, of: try ImageFile.readStored($0.path), path: $0.path), $0.path)
        }
    }
}
