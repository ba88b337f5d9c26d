import DICOM
import Failures
import Identification
import Imaging
import Numbers
import SegmentAnything
import Storage

/// DICOM images with segmentations of them, below one folder or two: each frame of a series that a segmentation is of is a case.
struct DICOMFolder {
    private struct Image {
        let picture: DICOMPicture
        let series, instance: String
        let frameOfReference: String?
        let frame: SourceFrame
        let stem: String
    }

    private var images: [Image] = []
    /// By SOP Instance UID.
    private var instances: [String: SourceInstance] = [:]
    private var segmentations: [SegmentationFile] = []
    /// Files that are neither.
    private var left = 0
    /// Files that hold what another one holds.
    private var copies = 0
    private let path: String

    /// *Throws* `TrainingFailure.layout`, also for two files with one SOP Instance UID that are not the same; Storage's failures. A file
    /// that is no DICOM image, and copies, are left out and counted.
    ///
    /// - Parameter needsTruth: a folder without segmentations is none of this layout.
    init(_ path: String, segmentations other: String?, needsTruth: Bool = true) throws {
        self.path = path
        for folder in [path] + (other.map { [$0] } ?? []) {
            for entry in try Folder.walk(folder) where entry.status.kind != .directory {
                // A link to a file is the file; one to a folder is not gone through, as it may lead anywhere.
                let status = try? FileStatus(of: FilePath(folder).appending(entry.path), followingLinks: true)
                guard status?.kind == .regular else {
                    left += 1
                    continue
                }
                if !CaseNames.isText(entry.path) {
                    guard try Self.isDICOM(FilePath(folder).appending(entry.path)) else {
                        left += 1
                        continue
                    }
                    try CaseNames.confirm(entry.path, in: folder)
                }
                do {
                    try add(Folder.join(folder, entry.name))
                } catch let failure as TrainingFailure {
                    throw failure
                } catch {
                    throw FailureRecord(error).about(Folder.join(folder, entry.name))
                }
            }
        }
        guard !segmentations.isEmpty || !needsTruth else {
            throw TrainingFailure.layout(path: other ?? path, reason: "there is no DICOM segmentation in it")
        }
        guard !images.isEmpty || needsTruth else {
            throw TrainingFailure.layout(path: path, reason: "there is no DICOM image in it")
        }
    }

    private static func isDICOM(_ place: FilePath) throws -> Bool {
        let file = try InputFile(place)
        do throws(DICOMFailure) {
            _ = try DICOMFile(file)
            return true
        } catch {
            return error.kind != .skipped
        }
    }

    private mutating func add(_ path: String) throws {
        let file: DICOMFile
        do throws(DICOMFailure) {
            file = try DICOMFile(path: path)
        } catch {
            guard error.kind == .skipped else { throw error }
            left += 1
            return
        }
        if let segmentation = try SegmentationFile(file) {
            try add(segmentation)
            return
        }
        let instance: SourceInstance
        let frames: [SourceFrame]
        do throws(DICOMFailure) {
            instance = try SourceInstance(file)
            frames = try SourceFrame.frames(of: instance).frames
        } catch {
            guard error.kind == .skipped else { throw error }
            left += 1
            return
        }
        if let other = instances[instance.sopInstanceUID] {
            if let difference = InstanceComparison.difference(other, instance) {
                throw TrainingFailure.layout(
                    path: "\(other.path), \(path)",
                    reason:
                        "the two files have one SOP Instance UID and differ in \(difference.words): which one is right is unknown"
                )
            }
            copies += 1
            return
        }
        instances[instance.sopInstanceUID] = instance
        let stem = Folder.split(path).name
        for frame in frames {
            images.append(
                Image(
                    picture: DICOMPicture(path: path, frame: frame.number, content: file.digest),
                    series: instance.seriesInstanceUID, instance: instance.sopInstanceUID,
                    frameOfReference: instance.frameOfReferenceUID, frame: frame,
                    stem: instance.pixels.frames == 1 ? stem : "\(stem)#\(frame.number)"))
        }
    }

    private mutating func add(_ segmentation: SegmentationFile) throws(TrainingFailure) {
        for other in segmentations {
            if other.content == segmentation.content {
                copies += 1
                return
            }
            if let instance = other.instance, instance == segmentation.instance {
                throw .layout(
                    path: "\(other.path), \(segmentation.path)",
                    reason:
                        "the two segmentations have one SOP Instance UID and are not the same: which one is right is unknown"
                )
            }
        }
        segmentations.append(segmentation)
    }

    /// Every frame of every series in which a frame of a segmentation lies, in the order of the files' names.
    ///
    /// - Parameters:
    ///   - labels: of the model's segments; nil where the plan names none.
    ///   - names: as in `SegmentationFile.classes`.
    /// *Throws* `TrainingFailure.layout` for a segmentation of images that are not there, lie elsewhere, have other pixels or are another
    /// patient's, for one whose segments the model does not have, and for two of one image.
    func candidates(
        segments: Int, labels: [String]?, names: [String: [String]]
    ) throws -> (all: [DataOrigin.Candidate], patients: [String: String], notes: [String]) {
        var truths: [Int: SegmentationTruth] = [:]
        let byInstance = Dictionary(grouping: images.indices) { images[$0].instance }
        let bySeries = Dictionary(grouping: images.indices) { images[$0].series }
        var patients: [String: String] = [:]
        for segmentation in segmentations {
            let classes = try classes(of: segmentation, segments, labels, names)
            var marks: [Int: [SegmentationTruth.Mark]] = [:]
            for frame in segmentation.frames {
                let image = try image(of: frame, segmentation, byInstance)
                guard segmentation.isLabelMap || segmentation.segments[frame.segment] != nil else {
                    throw TrainingFailure.layout(
                        path: segmentation.path, reason: "frame \(frame.number) names a segment that there is not")
                }
                let segment = segmentation.isLabelMap ? 0 : classes[frame.segment]
                // A segment that the model does not have is background; its frame says still that the image was looked at.
                marks[image, default: []] +=
                    segment.map { [.init(frame: frame.number, number: frame.segment, segment: $0)] } ?? []
            }
            // What the segmentation only refers to, and no frame of it lies in, was not looked at: the other images of a PET/CT.
            for series in Set(marks.keys.map { images[$0].series }) {
                let own = bySeries[series] ?? []
                patients[series] = try patient(of: own, segmentation)
                for index in own {
                    let pixels = images[index].frame.instance.pixels
                    guard pixels.rows == segmentation.rows, pixels.columns == segmentation.columns else {
                        throw TrainingFailure.layout(
                            path: segmentation.path,
                            reason: "its frames do not have the size of the images that it is of")
                    }
                    let truth = SegmentationTruth(
                        path: segmentation.path, content: segmentation.content, rows: segmentation.rows,
                        columns: segmentation.columns, marks: marks[index] ?? [],
                        labels: segmentation.isLabelMap ? classes : [:], full: segmentation.full)
                    if let other = truths.updateValue(truth, forKey: index) {
                        throw TrainingFailure.layout(
                            path: "\(other.path), \(segmentation.path)",
                            reason: "both are segmentations of the same images: which one counts is not said")
                    }
                }
            }
        }
        let (all, known) = candidates(truths.keys.sorted(), patients) { truths[$0] }
        let note =
            "\(left) files that are no images, and \(images.count - truths.count) frames without segmentation, are left out"
        return (all, known, [note] + copyNotes)
    }

    /// Every frame of every image, whether there are segmentations or not.
    ///
    /// *Throws* `TrainingFailure.layout` for a series of two patients.
    func pictures() throws(TrainingFailure) -> (
        all: [DataOrigin.Candidate], patients: [String: String], notes: [String]
    ) {
        var patients: [String: String] = [:]
        for (series, own) in Dictionary(grouping: images.indices, by: { images[$0].series }).sorted(by: {
            $0.key < $1.key
        }) {
            patients[series] = try patient(of: own, nil)
        }
        let (all, known) = candidates(Array(images.indices), patients) { _ in nil }
        return (all, known, ["\(left + segmentations.count) files that are no images are left out"] + copyNotes)
    }

    private var copyNotes: [String] {
        copies > 0 ? ["\(copies) files are copies of others, and are left out"] : []
    }

    /// Some images as cases, in the order of their names, and whom each is of.
    private func candidates(
        _ some: [Int], _ patients: [String: String], _ truth: (Int) -> SegmentationTruth?
    ) -> (all: [DataOrigin.Candidate], patients: [String: String]) {
        var (all, known): ([DataOrigin.Candidate], [String: String]) = ([], [:])
        let stems = Dictionary(grouping: some) { images[$0].stem }
        for index in some {
            let image = images[index]
            // Equal names in different folders: the instance tells them apart.
            let name = stems[image.stem]?.count == 1 ? image.stem : "\(image.instance)#\(image.picture.frame)"
            let truth = truth(index)
            all.append(
                DataOrigin.Candidate(
                    name: name, image: .dicom(image.picture), mask: truth.map { .segmentation($0) },
                    masks: truth?.path ?? path))
            known[name] = patients[image.series]
        }
        return (all.sorted { $0.name < $1.name }, known)
    }

    /// What a segmentation's segments are of the model's. Where the plan names no segment and there is one on each side, they are one,
    /// as long as all segmentations call it alike.
    private func classes(
        of segmentation: SegmentationFile, _ segments: Int, _ labels: [String]?, _ names: [String: [String]]
    ) throws(TrainingFailure) -> [Int: UInt8] {
        guard labels == nil, segments == 1, names.isEmpty, let own = segmentation.onlySegment,
            let first = segmentations.first, let its = first.onlySegment
        else {
            return try segmentation.classes(labels ?? ModelDescription.numberedLabels(segments), names: names)
        }
        guard own.segment.isAlike(its.segment) else {
            throw .layout(
                path: "\(first.path), \(segmentation.path)",
                reason:
                    "they are of two things by their labels (\(its.segment.label), \(own.segment.label)) and codes, and nothing"
                    + " says which one the model learns: write model.segment_labels or segment_names, or take one out")
        }
        return [own.number: 1]
    }

    /// Whom a series is of, unreadable for people; nil where nothing says it.
    ///
    /// *Throws* `TrainingFailure.layout` where its images, or they and a segmentation of them, say two patients.
    private func patient(
        of series: [Int], _ segmentation: SegmentationFile?
    ) throws(TrainingFailure) -> String? {
        var known: (id: IdentityValue, path: String)?
        var text: String?
        for index in series {
            let image = images[index]
            let dataSet = image.frame.instance.dataSet
            guard let id = IdentityValue(dataSet, .patientID) else { continue }
            if let known, known.id.merged(with: id) == nil {
                throw .layout(
                    path: "\(known.path), \(image.picture.path)",
                    reason:
                        "the two images are of one series and have two Patient IDs (0010,0020): whose they are is uncertain"
                )
            }
            if known == nil { (known, text) = ((id, image.picture.path), dataSet.text(.patientID)) }
        }
        if let known, let segmentation, let id = segmentation.patientID, known.id.merged(with: id) == nil {
            throw .layout(
                path: "\(segmentation.path), \(known.path)",
                reason:
                    "the segmentation and the image that it is of have two Patient IDs (0010,0020): whose they are is uncertain"
            )
        }
        return text.map { String(FileDigest(of: $0).hex.prefix(16)) }
    }

    /// The image that a frame of a segmentation is of: the one that it names, where it does not lie elsewhere by its own place; else the
    /// one that lies where it does.
    private func image(
        of frame: SegmentationFile.Frame, _ segmentation: SegmentationFile, _ byInstance: [String: [Int]]
    ) throws(TrainingFailure) -> Int {
        if let source = frame.source, let all = byInstance[source.instance] {
            let named = all.filter { source.frame == nil || images[$0].picture.frame == source.frame }
            let fitting = named.filter { frame.place?.difference(from: images[$0].frame, isNamed: true) == nil }
            if let index = fitting.first, fitting.count == 1 {
                if let reference = segmentation.frameOfReference, let own = images[index].frameOfReference,
                    reference != own
                {
                    throw .layout(
                        path: "\(segmentation.path), \(images[index].picture.path)",
                        reason:
                            "frame \(frame.number) of the segmentation names this image, and the two differ in \(Attribute.frameOfReferenceUID.keyword)"
                            + " \(Attribute.frameOfReferenceUID.tag): whether they lie in one place is unknown")
                }
                return index
            }
            throw failure(of: frame, segmentation, named: named)
        }
        if let place = frame.place, let reference = segmentation.frameOfReference {
            var here = images.indices.filter {
                images[$0].frameOfReference == reference && images[$0].frame.plane != nil
                    && place.difference(from: images[$0].frame, isNamed: false) == nil
            }
            // Several series of one examination lie at one place; the segmentation says which of them it is of.
            let meant = here.filter { segmentation.references.contains(images[$0].instance) }
            if !meant.isEmpty { here = meant }
            if let index = here.first {
                guard here.count == 1 else {
                    throw .layout(
                        path: segmentation.path,
                        reason:
                            "frame \(frame.number) names no image, and \(here.count) images lie where it does: which one it is of is unknown"
                    )
                }
                return index
            }
        }
        throw .layout(
            path: segmentation.path,
            reason: "frame \(frame.number) is of an image that is not there, by its reference and by its place")
    }

    /// Why a frame is of none, or not of one, of the frames that it names.
    private func failure(
        of frame: SegmentationFile.Frame, _ segmentation: SegmentationFile, named: [Int]
    ) -> TrainingFailure {
        guard let index = named.first else {
            return .layout(
                path: segmentation.path,
                reason: "frame \(frame.number) names a frame of an image that has not so many")
        }
        let difference = frame.place?.difference(from: images[index].frame, isNamed: true)
        guard let difference else {
            return .layout(
                path: segmentation.path,
                reason: "frame \(frame.number) names an image of several frames, and not which of them it is of")
        }
        return .layout(
            path: "\(segmentation.path), \(images[index].picture.path)",
            reason:
                "frame \(frame.number) of the segmentation names this image, and does not lie on it: they differ in"
                + " \(difference.keyword) \(difference.tag)")
    }
}
