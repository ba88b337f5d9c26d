internal import Failures
internal import Foundation
internal import Logging
internal import Storage

// Questions about studies that are still coming in.

extension Sender {
    /// Asks the archive about each drop that the service asks about. Gives how many were answered.
    func answerQuestions() async throws -> Int {
        guard let rule = settings.arrival else { return 0 }
        var answered = 0
        for id in try DeliveryMail(paths).waiting(in: paths.arrivalQuestions) {
            let answer = Folder.join(paths.arrivalAnswers, id + ".json")
            if FileStatus.exists(answer) { continue }
            let asked = try? DurableFile.read(Folder.join(paths.arrivalQuestions, id + ".json"), limit: 1 << 24)
            // The service is not waiting for it any more.
            guard let asked, let question = try? JSONDecoder().decode(ArrivalQuestion.self, from: Data(asked)) else {
                continue
            }
            let found = try await look(question, rule)
            try DurableFile.write(Array(JSONEncoder().encode(found)), to: answer, mode: 0o640)
            log.notice("asked", metadata: ["code": found.isComplete ? "ARRIVAL-COMPLETE" : "ARRIVAL-WAITS"])
            answered += 1
        }
        return answered
    }

    private func look(_ question: ArrivalQuestion, _ rule: ArrivalRule) async throws -> ArrivalAnswer {
        var studies: [String: Set<String>] = [:]
        for folder in [question.folder] + question.earlier {
            // A drop may be taken, and an input moved, in this moment.
            for entry in (try? Folder.walk(folder)) ?? [] where entry.status.kind == .regular {
                guard let identity = identify(Folder.join(folder, entry.name)) else { continue }
                guard folder == question.folder || studies[identity.study] != nil else { continue }
                studies[identity.study, default: []].insert(identity.instance)
            }
        }
        var expected: Int? = studies.isEmpty ? nil : 0
        for study in studies.keys.sorted() {
            let count = try await StorageUser(peer: rule.peer, scratch: paths.deliveryScratch).images(ofStudy: study)
            expected = expected.flatMap { sum in count.map { sum + $0 } }
        }
        let arrived = studies.values.reduce(0) { $0 + $1.count }
        if let count = expected, arrived < count {
            expected = try await count - own(question, studies, rule, most: count - arrived)
        }
        return ArrivalAnswer(arrived: arrived, expected: expected)
    }

    /// How many of our own objects the archive counts among the images of the studies: nobody sends those to us.
    ///
    /// - Parameter most: afterwards it does not matter.
    private func own(
        _ question: ArrivalQuestion, _ studies: [String: Set<String>], _ rule: ArrivalRule, most: Int
    ) async throws -> Int {
        guard let folder = question.results else { return 0 }
        var objects: [String: Identity] = [:]
        for entry in (try? Folder.walk(folder)) ?? [] where entry.status.kind == .regular {
            guard let identity = identify(Folder.join(folder, entry.name)),
                studies[identity.study]?.contains(identity.instance) == false
            else { continue }
            objects[identity.instance] = identity
        }
        let asked = objects.values.sorted { $0.instance < $1.instance }
        return try await inScratch { scratch in
            let user = StorageUser(peer: rule.peer, scratch: scratch)
            let each = SignOfLife.give()
            var found = 0
            for object in asked where found < most {
                each()
                if try await user.has(object) { found += 1 }
            }
            return found
        }
    }
}
