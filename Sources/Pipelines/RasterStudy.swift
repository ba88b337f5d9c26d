import DICOM
import DICOMObjects
import ImageFiles
import Numbers
import Storage

/// TIFF pages to DICOM objects in the study's folder: from then on they are sources like any other.
///
/// *Source*: the design page on DICOM, sections 5.1 and 5.2.
enum RasterStudy {
    private static let ending = ".image.dcm"

    /// Whether a file of a study's folder is such an image.
    static func isImage(_ name: String) -> Bool { name.hasSuffix(ending) }

    /// Larger pages are read from their pyramid.
    static let maxSide = 8192
    /// Of all pages of a file together: a stack becomes one object, held in memory once.
    static let maxSamples = 1 << 28

    /// Writes the images of one TIFF into `folder` and reads them again.
    ///
    /// - Parameter number: the next instance's number in its series; moved on.
    /// *Throws* `ImageFilesFailure`, `ObjectFailure`, `StorageFailure`, `DICOMFailure`.
    static func images(of source: RasterSource, in folder: String, number: inout Int) throws -> [SourceInstance] {
        let file = try TIFFFile(source.file)
        let pages = try pages(of: file)
        let isStack = pages.allSatisfy {
            ($0.rows, $0.columns, $0.samples, $0.bits) == (
                pages[0].rows, pages[0].columns, pages[0].samples, pages[0].bits
            )
        }
        var images: [SourceInstance] = []
        for stack in isStack ? [pages] : pages.map({ [$0] }) {
            var keys = source.keys
            keys.firstInstanceNumber = number
            let objects = try RasterObject.objects(
                stack.map(RasterPixels.init), identity: source.identity, keys: keys)
            for object in objects {
                let series = StudyNames.series(source.seriesInstanceUID)
                let path = Folder.join(folder, "\(series)-\(StudyNames.number(number, digits: 3))\(ending)")
                try ObjectFile.write(object.dataSet, to: path)
                images.append(try SourceInstance(try DICOMFile(path: path)))
                number += 1
            }
        }
        return images
    }

    /// The pictures that are segmented: pages of their own, or, of a picture too large, its largest copy that is not.
    private static func pages(of file: TIFFFile) throws -> [RasterPage] {
        let indices = try file.pictureIndices()
        var total = 0
        for index in indices {
            let tags = try file.tags(index)
            if max(tags.rows, tags.columns) > maxSide {
                guard indices.count == 1, let smaller = try largestCopy(file) else {
                    throw ImageFilesFailure(
                        path: file.path,
                        reason: .limit(
                            "has a page of \(tags.rows) × \(tags.columns) pixels and no copy within \(maxSide)"))
                }
                return [try file.page(smaller)]
            }
            total +=
                tags.rows * tags.columns
                * (tags.photometric == 2 || tags.photometric == 3 || tags.photometric == 6 ? 3 : 1)
            guard total <= maxSamples else {
                throw ImageFilesFailure(
                    path: file.path, reason: .limit("holds more than \(maxSamples) samples in its pages"))
            }
        }
        return try indices.map { try file.page($0) }
    }

    private static func largestCopy(_ file: TIFFFile) throws -> Int? {
        let copies = try (0..<file.pageCount).map { (index: $0, tags: try file.tags($0)) }
            .filter { $0.tags.isReduced && !$0.tags.isMask && max($0.tags.rows, $0.tags.columns) <= maxSide }
        return copies.max { $0.tags.rows * $0.tags.columns < $1.tags.rows * $1.tags.columns }?.index
    }
}

extension RasterPixels {
    /// A page as the object's writer takes it.
    init(_ page: RasterPage) {
        self.init(rows: page.rows, columns: page.columns, samples: page.samples, bits: page.bits, values: page.values)
        spacing = page.spacing
        pixelAspect = page.pixelAspect
        derivation = page.mapping.map { "stored = value * \($0.scale) + \($0.offset)" }
        lossy = page.loss.map { ($0.method, max(1, $0.ratio).rounded(decimals: 2)) }
        let digits = (page.dateTime ?? "").filter(\.isNumber)
        time = JobTime(date: String(digits.prefix(8)), time: String(digits.dropFirst(8).prefix(6)))
    }
}
