import DICOM
import DICOMObjects
import ImageFiles
import Records
import Storage
import Tensors

/// The instances of one study, those that its TIFF, PNG and JPEG files become among them, each with where it comes from.
struct StudySources {
    struct Source: Sendable {
        let instance: SourceInstance
        /// Which of the study's files.
        let member: Int
        /// Of the bytes that count: the data set's, or those of the TIFF and its sidecar that it was made of.
        let digest: String
        /// Of what of it can reach a result; nil where that cannot be read: whoever decodes it says why.
        let imageDigest: String?
        /// The file in the study's folder, of an image that was made here.
        let image: String?
        /// The file's own name, of an image that was made here.
        let name: String?
        /// Which choices of planes an image that was made here is the answer to; nil: all.
        let selections: Set<TIFFSelection>?
        /// What was decided when the image was made.
        let findings: [Finding]
    }

    private(set) var sources: [Source] = []
    private var byInstance: [ObjectIdentifier: Int] = [:]

    /// Reads the headers of the study's files, which are in memory as long as this is, and writes the images of TIFF files into
    /// `folder`; what cannot be read or made is noted in `outcomes`.
    ///
    /// - Parameter request: which planes of files with axes, and which levels of slides, the pipelines take.
    init(
        _ study: StudyInputs, in folder: RunFolder, _ request: RasterRequest, _ outcomes: inout StudyOutcomes
    ) {
        var indexed: [(member: Int, instance: IndexedInstance)] = []
        var rasters: [(member: Int, source: RasterSource)] = []
        for (member, file) in study.members.enumerated() {
            switch file.content {
            case .instance(let instance): indexed.append((member, instance))
            case .raster(let source): rasters.append((member, source))
            case .settled: break
            }
        }
        let headers = ThreadPool.map(indexed.count) { index in
            Result { () throws(DICOMFailure) in
                let instance = try indexed[index].instance.read(limits: request.limits.dicom)
                return (instance: instance, image: try? instance.imageDigest().hex)
            }
        }
        for (file, header) in zip(indexed, headers) {
            do {
                let (instance, image) = try header.get()
                add(
                    Source(
                        instance: instance, member: file.member, digest: file.instance.digest.hex, imageDigest: image,
                        image: nil, name: nil, selections: nil, findings: []))
            } catch {
                outcomes.stop(error, [file.member])
            }
        }
        // By content, so that instance numbers depend neither on names nor on the order of reading.
        rasters.sort { $0.source.digest < $1.source.digest }
        var surveys: [String: SampleSurvey] = [:]
        for (_, source) in rasters {
            // What cannot be read says so when its image is made.
            guard let survey = try? RasterStudy.survey(source, request) else { continue }
            surveys[source.seriesInstanceUID, default: SampleSurvey()].add(survey)
        }
        var numbers: [String: Int] = [:]
        var previous: String?
        for (member, source) in rasters where source.digest != previous {
            previous = source.digest
            do {
                let images = try RasterStudy.images(
                    of: source, request, survey: surveys[source.seriesInstanceUID] ?? SampleSurvey(),
                    in: folder.path, number: &numbers[source.seriesInstanceUID, default: 1])
                for image in images {
                    add(
                        Source(
                            instance: image.instance, member: member, digest: source.digest,
                            imageDigest: source.digest, image: Folder.split(image.instance.path).name,
                            name: source.file.path.name.text,
                            selections: image.selections, findings: image.findings))
                }
            } catch {
                outcomes.stop(error, [member])
            }
        }
    }

    private mutating func add(_ source: Source) {
        byInstance[ObjectIdentifier(source.instance)] = sources.count
        sources.append(source)
    }

    var instances: [SourceInstance] { sources.map(\.instance) }

    /// Where an instance of this study comes from.
    subscript(instance: SourceInstance) -> Source {
        guard let index = byInstance[ObjectIdentifier(instance)] else {
            preconditionFailure("StudySources: an instance of another study")
        }
        return sources[index]
    }

    /// Those of a volume, in its order.
    func of(_ volume: Volume) -> [Source] { volume.instances.map { self[$0] } }

    /// Whether a volume is of the planes that a pipeline takes.
    func isOf(_ selection: TIFFSelection, _ volume: Volume) -> Bool {
        of(volume).allSatisfy { $0.selections?.contains(selection) ?? true }
    }

    /// Of each of the study's files what `RunRecord.Input.image` says; nil for those that are no DICOM image.
    func images(_ study: StudyInputs) -> [String?] {
        var images = [String?](repeating: nil, count: study.members.count)
        for source in sources where source.image == nil {
            let content = StudyRecord.Content(
                uid: FileDigest(of: source.instance.sopInstanceUID).hex, digest: source.digest,
                image: source.imageDigest)
            images[source.member] = content.imageLine
        }
        return images
    }

    /// The files that a volume was made of.
    func members(of volume: Volume) -> [Int] { of(volume).map(\.member) }
}

extension [StudySources.Source] {
    /// What was decided when images were made, each once: a stack says the same of all of its pages, and a series of all of its files.
    var findings: [Finding] { flatMap(\.findings).reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
