import ImageFiles
import Storage

/// Where the masks of one segment lie, in a data set that has a file a segment: `masks: {left: FOLDER, vessels: "FOLDER/*_vessels"}`.
package struct SegmentMasks: Sendable, Equatable {
    /// Of the model, from 1.
    let segment: UInt8
    let folder: String
    /// The stem of a mask, with `*` for that of its image; nil: as in a folder of masks.
    let pattern: String?

    /// - Parameter place: a folder, or one and a pattern of stems behind it.
    init(segment: Int, place: String) {
        self.segment = UInt8(clamping: segment)
        let parts = Folder.split(place)
        (folder, pattern) = parts.name.contains("*") ? (parts.folder, parts.name) : (place, nil)
    }

    /// The files of the segment on an image, which are several where they are numbered.
    fileprivate func masks(of stem: String, in folder: ImageFolder) throws(TrainingFailure) -> [String] {
        guard let pattern else { return try folder.masks(of: stem, isBeside: false) }
        let name = pattern.replacing("*", with: stem)
        return [folder.files[name] ?? folder.files[ImageFolder.stem(of: name) ?? name]].compactMap(\.self).map {
            Folder.join(self.folder, $0)
        }
    }
}

/// The masks of one image, of which each file marks one segment.
package struct SegmentFiles: Sendable, Equatable {
    struct File: Sendable, Equatable {
        let path: String
        /// Of the model, from 1.
        let segment: UInt8
    }

    /// By the segments' order.
    let files: [File]
    /// A pixel that several segments mark is of the last of them; otherwise that is refused.
    let takesLast: Bool

    var path: String { files.first?.path ?? "" }

    /// Of the files' content and what they mean.
    func digest() throws -> FileDigest {
        var fields = CanonicalEncoding("hspsam segment files 1")
        try fields.add("files", files.map { "\(try FileDigest(ofFile: $0.path).hex) \($0.segment)" })
        fields.add("last", takesLast ? 1 : 0)
        return fields.digest
    }

    /// The class of each pixel. What marks in a file it says itself: all but 0, or what is brighter than half.
    ///
    /// *Throws* `TrainingFailure.maskValues` for a file that is not of one segment, `.sizesDiffer`, `.layout` where two segments mark a pixel;
    /// `ImageFilesFailure`.
    func classes() throws -> (rows: Int, columns: Int, values: [UInt8]) {
        var (rows, columns, values): (Int, Int, [UInt8]) = (0, 0, [])
        for file in files {
            let page = try ImageSource.page(0, of: try ImageFile.readStored(file.path), path: file.path)
            if values.isEmpty {
                (rows, columns) = (page.rows, page.columns)
                values = [UInt8](repeating: 0, count: rows * columns)
            }
            guard page.rows == rows, page.columns == columns else {
                throw TrainingFailure.sizesDiffer(
                    image: path, imageSize: "\(columns)×\(rows)", mask: file.path,
                    maskSize: "\(page.columns)×\(page.rows)", isTurned: false)
            }
            let marks = try Self.marks(page, file.path)
            for pixel in values.indices where marks[pixel] > 0 {
                guard takesLast || values[pixel] == 0 || values[pixel] == file.segment else {
                    throw TrainingFailure.layout(
                        path: file.path,
                        reason:
                            "it marks what a mask of another segment marks, and a pixel has one class in training:"
                            + " overlap: last gives it to the segment that comes last in model.segment_labels")
                }
                values[pixel] = file.segment
            }
        }
        return (rows, columns, values)
    }

    private static func marks(_ page: RasterPage, _ path: String) throws(TrainingFailure) -> [UInt8] {
        var census = MaskCensus()
        census.add(page, path: path)
        let rule = try MaskRule.decided(census, segments: 1, masks: path)
        let shares = census.shares(rule)
        guard shares.edge < 1 || shares.all == 1 else {
            throw .maskValues(
                masks: path,
                found:
                    "its segment takes the whole edge of the picture and background lies in it: black and white may be exchanged",
                cure: .masks("Invert it."))
        }
        return try rule.classes(of: page, path: path, segments: 1)
    }
}

extension DataOrigin {
    /// - Parameter isSparse: where a segment has no file on an image, nothing of it is there.
    /// *Throws* `TrainingFailure.sameStem`, `.layout`; Storage's failures.
    static func perSegment(
        _ images: String, _ masks: [SegmentMasks], takesLast: Bool, isSparse: Bool
    ) throws -> (all: [Candidate], notes: [String]) {
        let pictures = try ImageFolder(images)
        let folders = try masks.map { try ImageFolder($0.folder) }
        var used: Set<String> = []
        var lacking = 0
        let all = try pictures.files.keys.sorted().map { stem in
            let found = try zip(masks, folders).map { try $0.masks(of: stem, in: $1) }
            used.formUnion(found.joined())
            let files = zip(masks, found).flatMap { place, paths in
                paths.map { SegmentFiles.File(path: $0, segment: place.segment) }
            }
            let absent = zip(masks, found).first { $1.isEmpty }?.0
            if absent != nil, !files.isEmpty, isSparse { lacking += 1 }
            let isWhole = !files.isEmpty && (absent == nil || isSparse)
            return Candidate(
                name: stem, image: try .single(Folder.join(images, pictures.files[stem] ?? "")),
                mask: isWhole ? .perSegment(SegmentFiles(files: files, takesLast: takesLast)) : nil,
                masks: absent?.folder ?? images)
        }
        // Masks may lie beside the images.
        let own = all.filter { !used.contains($0.image.path) }
        let places = Set(masks.map(\.folder))
        var notes = pictures.notes(besides: Array(places))
        let spare = folders.flatMap { folder in folder.files.values.map { Folder.join(folder.path, $0) } }
            .filter { !used.contains($0) && Folder.split($0).folder != images }
        if !spare.isEmpty { notes.append("\(Set(spare).count) masks are of no image") }
        if lacking > 0 { notes.append("\(lacking) images have no file of some segments: nothing of these is there") }
        return (own, notes)
    }
}
