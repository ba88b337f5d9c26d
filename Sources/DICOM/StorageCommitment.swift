import CDICOM

/// The question whether an archive answers for objects that it was sent. *Source*: PS3.4 Annex J (Push Model).
package enum StorageCommitment {
    package enum Answer: Sendable, Equatable {
        case committed
        /// With the Failure Reason (0008,1197).
        case denied(UInt16)
        /// No report came in time.
        case unanswered
        /// Nobody there, or it knows no storage commitment.
        case notAsked
    }

    /// Asks for all objects at once; an answer for each. Blocks the calling thread for as long as the report takes.
    ///
    /// - Parameter reportPort: our port, on which the peer opens an association for its report; nil: it comes on the same one.
    /// - Parameter patience: seconds that the report is waited for.
    package static func ask(
        host: String, port: UInt16, called: String, calling: String, reportPort: UInt16?, patience: UInt32,
        about objects: [(sopClass: String, sopInstance: String)]
    ) -> [Answer] {
        // C reads the texts until the call returns.
        var texts: [CChar] = []
        var starts: [Int] = []
        for text in [host, called, calling] + objects.flatMap({ [$0.sopClass, $0.sopInstance] }) {
            starts.append(texts.count)
            texts += text.utf8CString
        }
        var error = cd_error()
        var items: [cd_commitment] = []
        let status = texts.withUnsafeBufferPointer { buffer in
            func text(_ index: Int) -> UnsafePointer<CChar>? { buffer.baseAddress.map { $0 + starts[index] } }
            items = objects.indices.map { index in
                cd_commitment(
                    sop_class: text(3 + 2 * index), sop_instance: text(4 + 2 * index), state: CD_UNANSWERED, reason: 0)
            }
            var peer = cd_peer(host: text(0), port: port, called: text(1), calling: text(2))
            return cd_commit(&peer, reportPort ?? 0, patience, &items, items.count, &error)
        }
        guard status == CD_OK else { return objects.map { _ in .notAsked } }
        return items.map { item in
            switch item.state {
            case CD_COMMITTED: .committed
            case CD_NOT_COMMITTED: .denied(item.reason)
            default: .unanswered
            }
        }
    }
}
