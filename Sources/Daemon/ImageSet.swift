internal import Records

/// Which images the inputs of a run are, by what of them can reach a result where that is known, else by all of their bytes.
struct ImageSet: Sendable {
    /// The first 16 hexadecimal digits of the inputs' digests.
    private var digests: Set<String> = []
    /// What reaches a result, by SOP Instance UID, each as 16 hexadecimal digits.
    private var images: [String: Set<String>] = [:]

    init(_ record: RunRecord) {
        for input in record.inputs {
            if let digest = input.contentSHA256 { digests.insert(String(digest.prefix(16))) }
            if let (uid, image) = Self.parts(input.image) { images[uid, default: []].insert(image) }
        }
    }

    private static func parts(_ line: String?) -> (uid: String, image: String)? {
        guard let fields = line?.split(separator: " "), fields.count == 2 else { return nil }
        return (String(fields[0]), String(fields[1]))
    }

    private func holds(uid: String, _ image: String) -> Bool { images[uid]?.contains(image) ?? false }

    /// Whether an input of another run is among these.
    func holds(_ input: RunRecord.Input) -> Bool {
        guard let digest = input.contentSHA256 else { return true }
        return digests.contains(String(digest.prefix(16)))
            || Self.parts(input.image).map { holds(uid: $0.uid, $0.image) } ?? false
    }

    /// Whether all images of a result are among these.
    func holdsAll(of report: StudyRecord) -> Bool {
        guard report.contents != nil else {
            return report.instances.allSatisfy { digests.contains(String($0.prefix(16))) }
        }
        return report.imageContents.allSatisfy { content in
            digests.contains(content.digest) || content.image.map { holds(uid: content.uid, $0) } ?? false
        }
    }

    /// Whether an image of a result has the SOP Instance UID of one of these and other content. Results of versions that do not tell
    /// what reached them contradict none.
    func contradicts(_ report: StudyRecord) -> Bool {
        report.imageContents.contains { content in
            guard let image = content.image, let own = images[content.uid] else { return false }
            return !own.contains(image)
        }
    }

    /// Whether an input of another run has the SOP Instance UID of one of these and other content.
    func contradicts(_ input: RunRecord.Input) -> Bool {
        guard let (uid, image) = Self.parts(input.image), let own = images[uid] else { return false }
        return !own.contains(image)
    }
}
