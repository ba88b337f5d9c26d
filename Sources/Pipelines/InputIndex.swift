import DICOM
import Records
import Storage

/// One file that was given to a run, as far as it is known.
struct Input: Sendable {
    /// Its place in the order of reading.
    let row: Int
    let path: String
    /// Of the bytes that count; nil when it could not be read.
    var contentSHA256: String?
    /// Names as in the folders.
    var study: String?
    var series: String?

    init(row: Int, path: String) {
        self.row = row
        self.path = path
    }
}

/// A file of a study.
struct StudyMember: Sendable {
    enum Content: Sendable {
        case instance(IndexedInstance)
        case raster(RasterSource)
        /// Its outcome was known when it was looked at.
        case settled(InputOutcome)
    }

    let input: Input
    let content: Content

    /// Of an image.
    var seriesInstanceUID: String? {
        switch content {
        case .instance(let instance): instance.seriesInstanceUID
        case .raster(let source): source.seriesInstanceUID
        case .settled: nil
        }
    }

    /// Of a DICOM image.
    var sopInstanceUID: String? { if case .instance(let instance) = content { instance.sopInstanceUID } else { nil } }
}

/// The files of one study.
struct StudyInputs: Sendable {
    let studyInstanceUID: String
    var members: [StudyMember] = []

    var name: String { StudyNames.study(studyInstanceUID) }

    /// Asks each image whether it is still the file that was read, and each sidecar.
    ///
    /// *Throws* `StorageFailure.changed`.
    func checkUnchanged() throws(StorageFailure) {
        for member in members {
            switch member.content {
            case .instance(let instance): try instance.file.checkUnchanged()
            case .raster(let source): try source.checkUnchanged()
            case .settled: break
            }
        }
    }

    /// The studies with every image refused whose series lies in several of them, as a whole or by the SOP Instance UID of one of its
    /// images: a volume of either part would look whole, and nobody knows whose it is.
    static func refusingShared(_ studies: [StudyInputs]) -> [StudyInputs] {
        let series = shared(studies) { $0.seriesInstanceUID }
        let instances = shared(studies) { $0.sopInstanceUID }
        guard !series.isEmpty || !instances.isEmpty else { return studies }
        let members = studies.flatMap(\.members)
        let ofInstances = Set(
            members.filter { $0.sopInstanceUID.map(instances.contains) == true }.compactMap(\.seriesInstanceUID))
        let cure = "Correct the studies at their source."
        let failures = (
            series: DICOMFailure.identity(
                "images of one series are in several studies: to which it belongs is uncertain.", cure: cure),
            instances: DICOMFailure.identity(
                "images of the series have the SOP Instance UIDs of images of another study: whose they are is uncertain.",
                cure: cure)
        )
        return studies.map { study in
            var study = study
            study.members = study.members.map { member in
                guard let uid = member.seriesInstanceUID, series.contains(uid) || ofInstances.contains(uid) else {
                    return member
                }
                let failure = series.contains(uid) ? failures.series : failures.instances
                return StudyMember(input: member.input, content: .settled(InputOutcome(failure)))
            }
            return study
        }
    }

    /// The UIDs that stand in more than one study.
    private static func shared(_ studies: [StudyInputs], _ uid: (StudyMember) -> String?) -> Set<String> {
        var homes: [String: String] = [:]
        var shared: Set<String> = []
        for study in studies {
            for uid in study.members.compactMap(uid) {
                if let home = homes.updateValue(study.studyInstanceUID, forKey: uid), home != study.studyInstanceUID {
                    shared.insert(uid)
                }
            }
        }
        return shared
    }

    /// Whether there is anything that may be segmented.
    var hasImages: Bool {
        members.contains { if case .settled = $0.content { false } else { true } }
    }

    /// Whether something of it was refused or failed when it was looked at.
    var hasLoss: Bool {
        members.contains { if case .settled(let outcome) = $0.content { outcome.isLoss } else { false } }
    }
}

/// Everything that was given to a run: each file once, with what it is.
struct InputIndex: Sendable {
    /// Files that belong to no study with images; their outcome is known.
    var settled: [(input: Input, outcome: InputOutcome)] = []
    /// Those with images, by Study Instance UID.
    var studies: [StudyInputs] = []
    /// Archives whose files are among the inputs: they are unpacked as long as this is.
    var archives: [ZipInput] = []
    /// Where the bytes of inputs lie that their paths do not lead to: of an archive's files where they were unpacked, of names that are
    /// no text by their bytes.
    var places: [String: FilePath] = [:]

    /// Where an input's bytes lie.
    func location(of path: String) -> FilePath { places[path] ?? FilePath(path) }

    var count: Int { settled.count + studies.reduce(0) { $0 + $1.members.count } }

    /// Every input's row of `run.json` in the order of reading. `results` are of `studies`, in their order.
    func records(_ results: [StudyResult]) -> [RunRecord.Input] {
        var rows = settled.map { (row: $0.input.row, record: $0.input.record($0.outcome)) }
        for (study, result) in zip(studies, results) {
            for (index, (member, outcome)) in zip(study.members, result.outcomes).enumerated() {
                var record = member.input.record(outcome)
                if result.images.indices.contains(index) { record.image = result.images[index] }
                rows.append((member.input.row, record))
            }
        }
        return rows.sorted { $0.row < $1.row }.map(\.record)
    }
}
