extension StudyRecord {
    /// A line of `contents`: the first 16 hex digits each of three SHA-256, with blanks between.
    package struct Content: Sendable, Hashable {
        /// Of the SOP Instance UID.
        package var uid: String
        /// Of the instance, as in `instances`.
        package var digest: String
        /// Of what of it can reach a result; nil in records of versions that wrote none.
        package var image: String?

        package init(uid: String, digest: String, image: String?) {
            (self.uid, self.digest) = (String(uid.prefix(16)), String(digest.prefix(16)))
            self.image = image.map { String($0.prefix(16)) }
        }

        /// Nil for what is no such line.
        package init?(_ line: String) {
            let fields = line.split(separator: " ")
            guard (2...3).contains(fields.count), fields.allSatisfy({ $0.utf8.count == 16 }) else { return nil }
            self.init(
                uid: String(fields[0]), digest: String(fields[1]), image: fields.count == 3 ? String(fields[2]) : nil)
        }

        package var line: String { ([uid, digest] + [image].compactMap(\.self)).joined(separator: " ") }

        /// As `RunRecord.Input.image` says it; nil where nothing is known of what reaches a result.
        package var imageLine: String? { image.map { "\(uid) \($0)" } }

        /// Whether both are the same image: what can reach a result is equal where both say so, else all bytes are.
        package func isSame(as other: Content) -> Bool {
            if uid == other.uid, let image, let its = other.image { return image == its }
            return digest == other.digest
        }
    }

    /// The lines of `contents`.
    package var imageContents: [Content] { (contents ?? []).compactMap(Content.init) }
}
