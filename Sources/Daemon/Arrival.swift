internal import Foundation
internal import Storage

/// Whom to ask how many images a study has that comes by C-STORE, and how long to wait for all of them.
package struct ArrivalRule: Sendable, Equatable {
    package let peer: DICOMPeer
    /// Afterwards what has come is worked on, and a person is told.
    package let wait: Duration
    /// Between two questions about the same drop.
    package let every: Duration

    package init(peer: DICOMPeer, wait: Duration, every: Duration) {
        self.peer = peer
        self.wait = wait
        self.every = every
    }
}

/// Whether all of a study is there: what the service asks of the process that has a network.
struct ArrivalQuestion: Sendable, Codable {
    /// Of the drop.
    let folder: String
    /// That hold images of the same study, and perhaps of others.
    let earlier: [String]
    /// That holds the study's results, whose objects the archive may have got since; nil where there are none, or of older versions.
    let results: String?
}

/// How many images came, and how many there are.
struct ArrivalAnswer: Sendable, Equatable, Codable {
    let arrived: Int
    /// Nil when the archive does not know the study, or was not reached.
    let expected: Int?

    /// An archive that knows of no image has not been sent the study yet.
    var isComplete: Bool { expected.map { $0 > 0 && arrived >= $0 } ?? false }

    /// What a person should know of a study that was not waited for any longer.
    static func remark(_ answer: ArrivalAnswer?) -> JobReason {
        guard let answer, let expected = answer.expected else {
            return JobReason(
                .partial, code: "ARRIVAL-UNKNOWN",
                text:
                    "the archive did not say how many images its study has, or nobody asked it (hspsam-deliver does). Look whether images are missing."
            )
        }
        return JobReason(
            .partial, code: "ARRIVAL-FEWER",
            text:
                "\(answer.arrived) of the \(expected) images that the archive has came. Send the rest; the result is made anew then."
        )
    }
}

/// The service's side: which drops were asked about, and what is known of them.
actor Arrivals {
    private struct Asked {
        var fingerprint: String
        /// The open question's name.
        var question: String?
        var asked: ContinuousClock.Instant
        let begun: ContinuousClock.Instant
        var answer: ArrivalAnswer?
    }

    /// What may be done with a drop.
    enum Verdict: Equatable {
        case wait
        /// It is taken; with something that a person should know, if anything.
        case take(JobReason?)
    }

    private let paths: ServicePaths
    private var drops: [FilePath: Asked] = [:]

    init(paths: ServicePaths) { self.paths = paths }

    /// Asks, listens, and decides. Called at each look at a drop that has settled.
    ///
    /// - Parameter earlier: inputs of jobs that hold other images of the study.
    func verdict(
        _ name: FilePath, fingerprint: String, _ rule: ArrivalRule, earlier: [String]
    ) throws(StorageFailure) -> Verdict {
        let now = ContinuousClock.now
        var state = drops[name] ?? Asked(fingerprint: fingerprint, question: nil, asked: now - rule.every, begun: now)
        if let question = state.question, let answer = try answer(question) {
            (state.question, state.answer) = (nil, answer)
            // More has come since it was asked.
            if state.fingerprint != fingerprint { state.asked = now - rule.every }
        }
        let isCurrent = state.fingerprint == fingerprint
        if isCurrent, state.answer?.isComplete == true {
            drops[name] = nil
            return .take(nil)
        }
        if now - state.begun >= rule.wait {
            if let question = state.question { try remove(question) }
            drops[name] = nil
            return .take(ArrivalAnswer.remark(isCurrent ? state.answer : nil))
        }
        if state.question == nil, now - state.asked >= rule.every {
            let id = Identifier.make()
            let question = ArrivalQuestion(
                folder: FilePath(paths.inbox).appending(name).text, earlier: earlier, results: results(name))
            let bytes = (try? JSONEncoder().encode(question)).map { Array($0) } ?? []
            try DurableFile.write(bytes, to: Folder.join(paths.arrivalQuestions, id + ".json"), mode: 0o640)
            (state.question, state.asked, state.fingerprint) = (id, now, fingerprint)
        }
        drops[name] = state
        return .wait
    }

    private func results(_ name: FilePath) -> String? {
        ReceivedDrop.study(name).map { Folder.join(paths.outbox, $0) }.flatMap { FileStatus.exists($0) ? $0 : nil }
    }

    /// What has changed again, or is gone, is asked about anew when it has settled.
    func forget(except settled: Set<FilePath>) throws(StorageFailure) {
        for (name, state) in drops where !settled.contains(name) {
            if let question = state.question { try remove(question) }
            drops[name] = nil
        }
    }

    private func answer(_ question: String) throws(StorageFailure) -> ArrivalAnswer? {
        let path = Folder.join(paths.arrivalAnswers, question + ".json")
        guard FileStatus.exists(path) else { return nil }
        let bytes = try DurableFile.read(path, limit: 1 << 20)
        try remove(question)
        return (try? JSONDecoder().decode(ArrivalAnswer.self, from: Data(bytes)))
            ?? ArrivalAnswer(arrived: 0, expected: nil)
    }

    private func remove(_ question: String) throws(StorageFailure) {
        try Folder.remove(Folder.join(paths.arrivalQuestions, question + ".json"))
        try Folder.remove(Folder.join(paths.arrivalAnswers, question + ".json"))
    }
}
