internal import Records
internal import Storage

/// What each file of a result is, as its report says: nothing is concluded from a name.
struct ResultFiles {
    /// Relative to the result's folder, sorted.
    private let names: [String]
    private let results: [StudyRecord.Result]

    /// Parts of a result by the word that the report has for a kind of object.
    static let parts: [String: Destination.Part] = [
        "binary": .binary, "labelmap": .labelmap, "fractional": .fractional, "report": .sr, "captures": .sc,
        "structures": .rtstruct, "annotations": .annotations, "regular": .regular,
        "instances": .instances,
    ]

    init(_ result: OutboxResult) throws(StorageFailure) {
        names = try Folder.walk(result.folder).filter { $0.status.kind == .regular }.map(\.name)
        results = result.record.results
    }

    /// The files that a destination gets; for the digests of a folder see `Sender`.
    func files(for parts: [Destination.Part]) -> [String] {
        let (wanted, preferred) = (Set(parts), preferred)
        return names.filter { name in
            guard name != OutboxResult.sumsName else { return false }
            return wanted.contains(part(of: name)) || wanted.contains(.seg) && preferred.contains(name)
        }
    }

    /// By the LABELMAP's name that of its BINARY twin.
    var twins: [String: String] {
        var twins: [String: String] = [:]
        for objects in results.map(Self.objects) {
            let twin = objects.first { $0.kind == "binary" }?.file
            for labelmap in objects where labelmap.kind == "labelmap" { twins[labelmap.file] = twin }
        }
        return twins
    }

    private var preferred: Set<String> {
        Set(
            results.compactMap { result in
                let objects = Self.objects(result)
                return ["labelmap", "binary", "fractional"].lazy.compactMap { kind in
                    objects.first { $0.kind == kind }?.file
                }.first
            })
    }

    func part(of name: String) -> Destination.Part {
        for result in results {
            if let object = Self.objects(result).first(where: { $0.file == name }) {
                return Self.parts[object.kind] ?? .tables
            }
            if result.images.contains(name) { return .image }
        }
        return name == StudyRecord.fileName || name == "report.html" ? .report : .tables
    }

    /// A record of versions that wrote one object names it alone.
    private static func objects(_ result: StudyRecord.Result) -> [ObjectRecord] {
        result.objects.flatMap { $0.isEmpty ? nil : $0 } ?? result.file.map { [ObjectRecord(kind: "binary", file: $0)] }
            ?? []
    }
}
