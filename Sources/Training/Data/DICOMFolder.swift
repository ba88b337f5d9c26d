import DICOM
import Failures
import Imaging
import Numbers
import Storage

/// DICOM images with segmentations of them, below one folder or two: each frame of a series that a segmentation is of is a case.
struct DICOMFolder {
    /// Two planes closer than this are one, mm.
    private static let tolerance = 0.01

    private struct Image {
        let picture: DICOMPicture
        let series, instance: String
        let frameOfReference: String?
        let frame: SourceFrame
        let patient: String?
        let stem: String
    }

    private var images: [Image] = []
    private var segmentations: [SegmentationFile] = []
    /// Files that are neither.
    private var left = 0
    private let path: String

    /// *Throws* `TrainingFailure.layout`; Storage's failures. A file that is no DICOM image is left out and counted.
    init(_ path: String, segmentations other: String?) throws {
        self.path = path
        for folder in [path] + (other.map { [$0] } ?? []) {
            for entry in try Folder.walk(folder) where entry.status.kind == .regular {
                try add(Folder.join(folder, entry.name))
            }
        }
        guard !segmentations.isEmpty else {
            throw TrainingFailure.layout(path: other ?? path, reason: "there is no DICOM segmentation in it")
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
            segmentations.append(segmentation)
            return
        }
        do throws(DICOMFailure) {
            let instance = try SourceInstance(file)
            let patient = instance.dataSet.text(.patientID).map { String(FileDigest(of: $0).hex.prefix(16)) }
            for frame in try SourceFrame.frames(of: instance).frames {
                let stem = Folder.split(path).name
                images.append(
                    Image(
                        picture: DICOMPicture(path: path, frame: frame.number, content: file.digest),
                        series: instance.seriesInstanceUID, instance: instance.sopInstanceUID,
                        frameOfReference: instance.frameOfReferenceUID, frame: frame, patient: patient,
                        stem: instance.pixels.frames == 1 ? stem : "\(stem)#\(frame.number)"))
            }
        } catch {
            guard error.kind == .skipped else { throw error }
            left += 1
        }
    }

    /// Every frame of every series that a segmentation is of, in the order of the files' names.
    ///
    /// - Parameters labels, names: as in `SegmentationFile.classes`.
    /// *Throws* `TrainingFailure.layout` for a segmentation of images that are not there or have other pixels, and for two of one image.
    func candidates(
        labels: [String], names: [String: [String]]
    ) throws -> (all: [DataOrigin.Candidate], patients: [String: String], notes: [String]) {
        var truths: [Int: SegmentationTruth] = [:]
        let byInstance = Dictionary(grouping: images.indices) { images[$0].instance }
        for segmentation in segmentations {
            let classes = try segmentation.classes(labels, names: names)
            var marks: [Int: [SegmentationTruth.Mark]] = [:]
            for frame in segmentation.frames {
                let image = try image(of: frame, segmentation, byInstance)
                guard segmentation.isLabelMap || segmentation.segments[frame.segment] != nil else {
                    throw TrainingFailure.layout(
                        path: segmentation.path, reason: "frame \(frame.number) names a segment that there is not")
                }
                let segment = segmentation.isLabelMap ? 0 : classes[frame.segment]
                // A segment that the model does not have is background; its frame says still that the image was looked at.
                marks[image, default: []] += segment.map { [.init(frame: frame.number, segment: $0)] } ?? []
            }
            let series = Set(marks.keys.map { images[$0].series })
            for (index, image) in images.enumerated()
            where segmentation.references.contains(image.instance) || series.contains(image.series) {
                guard image.frame.instance.pixels.rows == segmentation.rows,
                    image.frame.instance.pixels.columns == segmentation.columns
                else {
                    throw TrainingFailure.layout(
                        path: segmentation.path, reason: "its frames do not have the size of the images that it is of")
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
        var (all, patients): ([DataOrigin.Candidate], [String: String]) = ([], [:])
        let stems = Dictionary(grouping: truths.keys) { images[$0].stem }
        for (index, truth) in truths {
            let image = images[index]
            // Equal names in different folders: the instance tells them apart.
            let name = stems[image.stem]?.count == 1 ? image.stem : "\(image.instance)#\(image.picture.frame)"
            all.append(
                DataOrigin.Candidate(
                    name: name, image: .dicom(image.picture), mask: .segmentation(truth), masks: truth.path))
            patients[name] = image.patient
        }
        let note =
            "\(left) files that are no images, and \(images.count - truths.count) frames without segmentation, are left out"
        return (all.sorted { $0.name < $1.name }, patients, [note])
    }

    /// The image that a frame of a segmentation is of: the one that it names, else the one that lies where it does.
    private func image(
        of frame: SegmentationFile.Frame, _ segmentation: SegmentationFile, _ byInstance: [String: [Int]]
    ) throws(TrainingFailure) -> Int {
        if let source = frame.source, let found = byInstance[source.instance] {
            if let index = found.first(where: { images[$0].picture.frame == source.frame }) { return index }
        }
        if let plane = frame.plane, let reference = segmentation.frameOfReference {
            let index = images.firstIndex { image in
                guard image.frameOfReference == reference, let own = image.frame.plane else { return false }
                return (own.position - plane.position).length < Self.tolerance
                    && own.rowCosine.dot(plane.rowCosine) > 0.9999 && own.columnCosine.dot(plane.columnCosine) > 0.9999
            }
            if let index { return index }
        }
        throw .layout(
            path: segmentation.path,
            reason: "frame \(frame.number) is of an image that is not there, by its reference and by its place")
    }
}
