import Foundation
import ImageFiles
import SegmentAnything
import Storage

/// Where a data set lies, and in which of the layouts that data sets are published in.
package enum DataOrigin: Sendable, Equatable {
    /// A folder whose layout is found out.
    case folder(String)
    /// A folder of pictures and one of masks, which may be the same.
    case pairs(images: String, masks: String)
    /// A folder of pictures, and for each segment one of masks or more; sparse: an image may lack files of segments.
    case perSegment(images: String, masks: [SegmentMasks], takesLast: Bool, isSparse: Bool)
    /// A folder of pictures and a COCO annotation file.
    case annotations(images: String, file: String)
    /// DICOM images and segmentations of them below a folder; the segmentations may lie in a folder of their own.
    case dicom(images: String, segmentations: String?)
    /// DICOM images below a folder, to be learned from without segmentations.
    case dicomImages(String)

    /// What messages name.
    package var path: String {
        switch self {
        case .folder(let path), .pairs(let path, _), .perSegment(let path, _, _, _), .annotations(let path, _),
            .dicom(let path, _), .dicomImages(let path):
            path
        }
    }

    /// Everything that it is read from.
    package var places: [String] {
        switch self {
        case .folder(let path), .dicomImages(let path): [path]
        case .pairs(let images, let masks), .annotations(let images, let masks): [images, masks]
        case .perSegment(let images, let masks, _, _): [images] + masks.map(\.folder)
        case .dicom(let images, let segmentations): [images] + [segmentations].compactMap(\.self)
        }
    }

    /// A picture that may become a case.
    struct Candidate {
        let name: String
        let image: ImageSource
        /// Nil when none was found.
        let mask: MaskSource?
        /// Where it was looked for.
        let masks: String
        /// Where none was found: the name of a file that may be meant.
        var other: String?
    }

    /// Every picture, in the order of their names, what was left out, and what the masks' values mean where the layout says it.
    ///
    /// - Parameter names: further names of segments in DICOM segmentations.
    /// *Throws* `TrainingFailure.layout`, `.sameStem`; Storage's failures.
    func candidates(
        segments: Int, labels: [String]?, names: [String: [String]]
    ) throws -> (all: [Candidate], patients: [String: String], notes: [String], rule: MaskRule?) {
        if case .dicom(let images, let segmentations) = self {
            let (all, patients, notes) = try DICOMFolder(images, segmentations: segmentations).candidates(
                segments: segments, labels: labels, names: names)
            return (all, patients, notes, nil)
        }
        if case .dicomImages(let path) = self {
            let (all, patients, notes) = try DICOMFolder(path, segmentations: nil, needsTruth: false).pictures()
            return (all, patients, notes, nil)
        }
        if case .folder(let path) = self, FileStatus.exists(Folder.join(path, "dataset.json")) {
            let folder = try NNUNetFolder(path, segments: segments, labels: labels)
            let (all, notes) = try folder.candidates()
            return (all, [:], notes, folder.rule)
        }
        let (all, notes) = try pictures(segments: segments, labels: labels)
        return (all, [:], notes, nil)
    }

    private func pictures(segments: Int, labels: [String]?) throws -> (all: [Candidate], notes: [String]) {
        switch self {
        case .pairs(let images, let masks): return try Self.pairs(images, masks)
        case .perSegment(let images, let masks, let takesLast, let isSparse):
            return try Self.perSegment(images, masks, takesLast: takesLast, isSparse: isSparse)
        case .annotations(let images, let file): return try Self.annotated(images, file, segments, labels)
        case .dicom, .dicomImages: return ([], [])
        case .folder(let path):
            let folders = try CaseNames.list(path).filter { $0.status.kind == .directory }.map(\.name)
            if let (images, masks) = try Self.parts(folders, of: path) {
                return try Self.pairs(Folder.join(path, images), Folder.join(path, masks))
            }
            for inner in [path, Folder.join(path, "stage1_train")] {
                let cases = try Self.cases(inner)
                if !cases.isEmpty { return (cases, []) }
            }
            return try Self.pairs(path, path)
        }
    }

    // MARK: layouts

    private static func pairs(_ images: String, _ masks: String) throws -> ([Candidate], [String]) {
        let pictures = try ImageFolder(images)
        let isBeside = images == masks
        let truths = isBeside ? pictures : try ImageFolder(masks)
        if let inner = try innerPairs(pictures, truths) {
            throw TrainingFailure.layout(
                path: Folder.join(images, inner),
                reason:
                    "it holds images with masks, and would be left out: each such folder is an entry of data, or all lie in"
                    + " one folder")
        }
        let (stems, left) = pictures.images
        var all: [Candidate] = []
        var used: Set<String> = []
        // What has a mask is a picture, whatever it is called and whether it can be read: reading it tells why not.
        let lost = try pictures.unread.keys.sorted().filter {
            try pictures.files[$0] == nil && !truths.masks(of: $0, isBeside: isBeside).isEmpty
        }
        for stem in (stems + lost).sorted() {
            let found = try truths.masks(of: stem, isBeside: isBeside)
            used.formUnion(found)
            let image = Folder.join(images, pictures.files[stem] ?? pictures.unread[stem] ?? "")
            let pages = HeldPictures(image).count
            for page in 0..<pages {
                let mask: MaskSource? =
                    found.isEmpty ? nil : .pages(found.map { .init(path: $0, index: page, of: pages) })
                all.append(
                    Candidate(
                        name: pages == 1 ? stem : "\(stem)#\(page + 1)", image: .page(image, page), mask: mask,
                        masks: masks, other: truths.foreign))
            }
        }
        var notes = pictures.notes(besides: [masks])
        if !left.isEmpty {
            notes.append("\(left.count) masks and companions that lie among the pictures are no pictures of their own")
        }
        if !isBeside {
            notes += truths.notes(besides: [images])
            let spare = truths.files.filter { !used.contains(Folder.join(masks, $0.value)) }
            for (stem, file) in spare.sorted(by: { $0.key < $1.key }) {
                guard let whole = ImageFolder.whole(of: stem, among: pictures.files) else { continue }
                throw TrainingFailure.layout(
                    path: Folder.join(masks, file),
                    reason:
                        "it is the mask of no image, and called like a part of that of \(whole), which would be lost:"
                        + " several masks of one image are a_mask, a_mask_1, a_mask_2")
            }
            if !spare.isEmpty { notes.append("\(spare.count) masks are of no image") }
            for index in all.indices where all[index].mask == nil {
                all[index].other = truths.foreign ?? spare.values.min()
            }
        }
        return (all, notes)
    }

    /// A folder inside of those of the pictures and of their masks which holds such pairs itself.
    private static func innerPairs(_ pictures: ImageFolder, _ truths: ImageFolder) throws -> String? {
        func inner(_ folder: ImageFolder, _ name: String) throws -> ImageFolder {
            try ImageFolder(Folder.join(folder.path, name))
        }
        if pictures.path != truths.path {
            return try Set(pictures.folders).intersection(truths.folders).sorted().first { name in
                try !inner(pictures, name).files.isEmpty && !inner(truths, name).files.isEmpty
            }
        }
        // Beside pictures such a folder is another set.
        guard pictures.files.isEmpty else { return nil }
        return try pictures.folders.sorted().first { try !inner(pictures, $0).images.left.isEmpty }
    }

    private static func annotated(
        _ images: String, _ file: String, _ segments: Int, _ labels: [String]?
    ) throws -> ([Candidate], [String]) {
        let coco = try COCO(file, segments: segments, labels: labels)
        for picture in coco.pictures { try CaseNames.confirm(FilePath(picture.name), in: images) }
        let files = try CaseNames.list(images).filter { $0.status.kind == .regular }.map(\.name)
        // Programs write the folders of the place where a picture was annotated before its name.
        let ends = Dictionary(grouping: coco.pictures.map(\.name), by: Self.lastName)
        let places = coco.pictures.map { picture in
            let last = Self.lastName(picture.name)
            let isMeant = !FileStatus.exists(Folder.join(images, picture.name)) && ends[last]?.count == 1
            return isMeant && files.contains(last) ? last : picture.name
        }
        let all = try zip(coco.pictures, places).map { picture, place in
            Candidate(
                name: ImageFolder.stem(of: place) ?? place, image: try .single(Folder.join(images, place)),
                mask: .annotation(picture), masks: file)
        }
        var stems: [String: String] = [:]
        for (picture, candidate) in zip(coco.pictures, all) {
            if let other = stems.updateValue(picture.name, forKey: candidate.name) {
                throw TrainingFailure.sameStem(folder: images, one: other, other: picture.name)
            }
        }
        var notes: [String] = []
        if !coco.left.isEmpty {
            notes.append("objects of the categories \(coco.left.joined(separator: ", ")) are background")
        }
        if coco.pixelless > 0 {
            notes.append("\(coco.pixelless) objects are too small to hold the centre of a pixel, and have none")
        }
        if coco.crowds > 0 {
            notes.append("\(coco.crowds) groups of objects (iscrowd) are segment as single objects are")
        }
        let listed = Set(places)
        let others = files.filter {
            ImageFolder.stem(of: $0) != nil && !listed.contains($0) && !$0.hasPrefix(".")
        }
        if !others.isEmpty {
            notes.append("\(others.count) images that the annotation file does not list are no cases")
        }
        return (all.sorted { $0.name < $1.name }, notes)
    }

    private static func lastName(_ path: String) -> String {
        path.split { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? path
    }

    /// The folders of pictures and of masks among `folders`: `images` and `masks`, `labels` or DRIVE's `1st_manual`, or a challenge's `…_Data` and `…_GroundTruth`.
    private static func parts(_ folders: [String], of path: String) throws -> (images: String, masks: String)? {
        for (images, masks) in [("images", "masks"), ("images", "labels"), ("image", "mask"), ("images", "1st_manual")]
        where folders.contains(images) && folders.contains(masks) {
            return (images, masks)
        }
        let truths = folders.filter { $0.hasSuffix("_GroundTruth") && $0.contains("Training") }
        let data = folders.filter { ($0.hasSuffix("_Data") || $0.hasSuffix("_Input")) && $0.contains("Training") }
        guard let images = data.first, let masks = truths.first else { return nil }
        guard data.count == 1, truths.count == 1 else {
            throw TrainingFailure.layout(
                path: path,
                reason: "it holds \(data.count) folders of training data and \(truths.count) of their truth")
        }
        return (images, masks)
    }

    /// A folder a case, with `images/` of one picture and `masks/` of one file an object, as the Data Science Bowl 2018 has them.
    private static func cases(_ path: String) throws -> [Candidate] {
        guard FileStatus.exists(path) else { return [] }
        var all: [Candidate] = []
        for entry in try CaseNames.list(path) where entry.status.kind == .directory {
            let (images, masks) = (
                Folder.join(path, "\(entry.name)/images"), Folder.join(path, "\(entry.name)/masks")
            )
            guard FileStatus.exists(images), FileStatus.exists(masks) else { continue }
            let pictures = try ImageFolder(images)
            guard let image = pictures.files.first?.value, pictures.files.count == 1 else {
                throw TrainingFailure.layout(path: images, reason: "it holds \(pictures.files.count) pictures, not one")
            }
            let pages = try ImageFolder(masks).files.values.sorted().map {
                MaskSource.Page(path: Folder.join(masks, $0))
            }
            all.append(
                Candidate(
                    name: entry.name, image: try .single(Folder.join(images, image)),
                    mask: pages.isEmpty ? nil : .pages(pages), masks: masks))
        }
        return all.sorted { $0.name < $1.name }
    }
}
