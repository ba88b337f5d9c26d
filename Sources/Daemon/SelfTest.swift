internal import Failures
internal import Foundation
internal import Numbers
package import Processes
internal import Records
internal import Storage

/// Proof that this installation still gives what it should, before a night's work: a phantom of known volume goes the way of a
/// study, through a worker of its own, and its volume must come out right.
package struct SelfTest: Sendable {
    /// The shipped pipeline that takes phantoms; where it is not installed nothing can be proven.
    private static let pipeline = "phantom-body"
    private static let seed = 20_261
    /// Of the true volume: wide enough for another pipeline's model, narrow enough to see a picture that was read wrongly.
    private static let tolerance = 0.1

    /// Bytes that it takes, generously.
    private static let room = 32 << 20

    private let settings: ServiceSettings
    private let folder: String

    package init(_ settings: ServiceSettings) {
        self.settings = settings
        folder = Folder.join(settings.state, "self-test")
    }

    package var isPossible: Bool {
        settings.selfTest && FileStatus.exists(Folder.join(settings.pipelines, "\(Self.pipeline)/pipeline.yaml"))
    }

    /// What was proven when: another program is proven anew.
    package func mark(now: Int64 = Moment.now) -> String { "\(settings.version) \(now)" }

    /// Whether a proof is old, or another program's. Nights begin at nearly the same time: twenty hours are a day.
    package func isDue(_ mark: String?, now: Int64 = Moment.now) -> Bool {
        guard isPossible else { return false }
        let words = mark?.split(separator: " ") ?? []
        guard words.count == 2, words[0] == settings.version, let at = Int64(words[1]) else { return true }
        return !(now - 20 * 3_600_000...now).contains(at)
    }

    /// Nil when all is well, or when it was asked to stop before it knew.
    package func run(_ stop: StopRequest, each: @escaping @Sendable () -> Void) async throws -> JobReason? {
        defer { try? Folder.remove(folder) }
        do {
            try Folder.remove(folder)
            try Folder.make(folder, mode: 0o750)
            let (input, output) = (Folder.join(folder, "phantom"), Folder.join(folder, "out"))
            let made = ["phantom", "body", "--seed", "\(Self.seed)", "--out", input]
            guard try await succeeds(made, stop, each) else { return failed(stop, "no phantom could be made") }
            let segmented = [
                "run", input, "--out", output, "--pipelines", settings.pipelines, "--pipeline", Self.pipeline, "--json",
            ]
            guard try await succeeds(segmented, stop, each) else {
                return failed(stop, "the phantom was not segmented")
            }
            guard let truth = try Self.trueVolume(Folder.join(folder, "phantom.truth/truth.json")) else {
                return failed(stop, "the phantom's true volume is not told")
            }
            let found = try RunRecord.read(output: output).results.flatMap(\.segments).compactMap(\.volumeML)
                .reduce(0, +)
            guard abs(found - truth) <= truth * Self.tolerance else {
                return failed(
                    stop, "a phantom of \(NumberText.short(truth)) ml was measured as \(NumberText.short(found)) ml")
            }
            return nil
        } catch let failure as any Failure {
            return JobReason(.waiting, code: failure.code, text: "the self-test could not be made.")
        }
    }

    private func failed(_ stop: StopRequest, _ what: String) -> JobReason? {
        if stop.isAsked { return nil }
        // No fault of the installation's.
        if let room = try? Folder.freeRoom(settings.state), room.bytes < Self.room {
            return JobReason(
                .waiting, code: "DISK-FULL",
                text: "\(what), as the disk of places.state has hardly any room: free some; work goes on by itself.")
        }
        return JobReason(
            .waiting, code: "SELF-TEST",
            text: "\(what): no study is worked on until that comes out right. Look at: hspsam doctor.")
    }

    private static func trueVolume(_ path: String) throws(StorageFailure) -> Double? {
        let bytes = try DurableFile.read(path, limit: 16 << 20)
        let truth = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        return truth?["volume_ml"] as? Double
    }

    private func succeeds(
        _ arguments: [String], _ stop: StopRequest, _ each: @escaping @Sendable () -> Void
    ) async throws -> Bool {
        guard let child = try? Child(program: settings.program, arguments: arguments) else {
            throw DaemonFailure.workerNotStarted
        }
        let deadline = ContinuousClock.now + settings.wallBase
        while await !child.ends(within: .seconds(1), each: each) {
            if stop.isAsked || ContinuousClock.now > deadline { break }
        }
        child.signal(SIGKILL)
        _ = await child.ends(within: .seconds(5))
        await child.close()
        return child.ending == .exited(0)
    }
}
