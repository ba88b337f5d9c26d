import Failures
import Foundation
import Numbers
import Pipelines
import Processes
import Records
import Synchronization

/// How a run shows what it does.
protocol RunDisplay {
    /// *Throws* `Interruption` when nobody listens any more, `OutputClosed`, `OutputFailure`.
    func show(_ event: Run.Event) throws
    /// - Parameter inputs: as they were given.
    func end(_ record: RunRecord, inputs: [String], out: String) throws
}

/// For a person: a line that is rewritten on a terminal, results at the end, reasons on standard error.
struct TextLines: RunDisplay {
    private static let eraseLine = "\r\u{1B}[K"
    /// Reasons shown at most.
    private static let limit = 20

    func show(_ event: Run.Event) throws {
        if StandardOutput.isAbandoned { throw OutputClosed() }
        guard StandardError.isTerminal else { return }
        let text =
            switch event {
            case .reading(let files): "reading: \(files) files"
            case .read(let files, let studies): "read \(files) files of \(studies) studies"
            case .frame(let step):
                "study \(step.study) series \(step.series) \(step.pipeline): frame \(step.frame) of \(step.frames)"
            case .studyDone(_, let done, let of): "\(done) of \(of) studies"
            }
        StandardError.write(Self.eraseLine + text)
    }

    func end(_ record: RunRecord, inputs: [String], out: String) throws {
        if StandardError.isTerminal { StandardError.write(Self.eraseLine) }
        for result in record.results { try StandardOutput.line(Self.line(result, out: out)) }
        let reasons = Self.reasons(record)
        for line in reasons.prefix(Self.limit) { StandardError.line(line) }
        if reasons.count > Self.limit {
            StandardError.line("and \(reasons.count - Self.limit) more reasons, in \(out)/run.json")
        }
        if record.inputs.isEmpty {
            let why =
                record.shard.map {
                    "nothing in it is of part \($0), so there is nothing to segment. Run the other parts."
                }
                ?? "no file in it (results in the output folder do not count), so there is nothing to segment. Give a file or a folder with files."
            StandardError.line("IN-NONE \(inputs.joined(separator: ", ")): \(why)")
        }
        let outdated = record.outdatedStudies(in: out)
        if !outdated.isEmpty {
            StandardError.line(
                "OUT-OLDER \(out): \(outdated.joined(separator: ", ")) of it are of earlier runs, and may be results of files that gave none now. Remove what is out of date, or give a folder of its own."
            )
        }
        if let omission = record.omission { StandardError.line("\(omission.code) \(omission.text)") }
        let counts = Outcome.allCases.map { "\(record.count($0)) \($0.rawValue)" }
        try StandardOutput.line("\(counts.joined(separator: ", ")). Report: \(out)/index.html")
    }

    private static func line(_ result: RunRecord.Result, out: String) -> String {
        let found = result.segments.filter { $0.pixels > 0 }.map { segment in
            let size =
                segment.volumeML.map { $0 >= 0.01 ? "\(NumberText.fixed($0, 2)) ml" : NumberText.volume(ml: $0) }
                ?? segment.areaMM2.map { $0 >= 0.1 ? "\(NumberText.fixed($0, 1)) mm²" : NumberText.area(mm2: $0) }
                ?? "\(segment.pixels) pixels"
            return "\(segment.countedLabel) \(size)"
        }
        let what = found.isEmpty ? "nothing found" : found.joined(separator: ", ")
        return "\(result.pipeline): \(what)  \(result.file.map { "\(out)/\($0)" } ?? "")"
    }

    /// Why files gave no result, failures first; one line a reason, with how many files it stopped: a series of a thousand slices that
    /// is refused is named once.
    private static func reasons(_ record: RunRecord) -> [String] {
        let inputs = [Outcome.failed, .refused, .skipped].flatMap { status in
            record.inputs.filter { $0.status == status }
        }
        var order: [String] = []
        var groups: [String: [RunRecord.Input]] = [:]
        for input in inputs {
            let reason = "\(input.code ?? "") \(input.subject.map { "\($0): " } ?? "")\(input.reason ?? "")"
            if groups[reason] == nil { order.append(reason) }
            groups[reason, default: []].append(input)
        }
        return order.map { reason in
            let group = groups[reason] ?? []
            let more = group.count > 1 ? " and \(group.count - 1) more (\(group.count) files)" : ""
            return "\(group.first?.path ?? "")\(more): \(reason)"
        }
    }
}

/// For the service: one object a line, at least every five seconds, a summary last.
final class JSONLines: RunDisplay, Sendable {
    private struct State {
        var last = ProgressLine(.started)
        var isOver = false
    }

    private let state = Mutex(State())
    private let listenerIsGone = Atomic(false)

    init() {
        var status = stat()
        // Only a pipe can be held by the service; a terminal, a file or /dev/null ends nothing.
        if unsafe fstat(STDIN_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFIFO {
            Thread.detachNewThread { [self] in
                var byte: UInt8 = 0
                while unsafe read(STDIN_FILENO, &byte, 1) > 0 {}
                listenerIsGone.store(true, ordering: .relaxed)
            }
        }
        Thread.detachNewThread { [weak self] in
            while true {
                Thread.sleep(forTimeInterval: 4)
                guard let self else { return }
                let isOver = state.withLock { state in
                    if !state.isOver { self.repeatLast(state.last) }
                    return state.isOver
                }
                if isOver { return }
            }
        }
    }

    /// Nobody can be told here that the pipe is closed: the next event is.
    private func repeatLast(_ line: ProgressLine) {
        do {
            try Self.write(line)
        } catch {
            listenerIsGone.store(true, ordering: .relaxed)
        }
    }

    func show(_ event: Run.Event) throws {
        if listenerIsGone.load(ordering: .relaxed) { throw Interruption() }
        let line =
            switch event {
            case .reading(let files): ProgressLine.reading(files: files)
            case .read(let files, let studies): ProgressLine.read(files: files, studies: studies)
            case .frame(let step):
                ProgressLine.frame(
                    step.frame, of: step.frames, study: step.study, series: step.series, pipeline: step.pipeline)
            case .studyDone(let study, let done, let of): ProgressLine.study(study, done: done, of: of)
            }
        try state.withLock {
            $0.last = line
            try Self.write(line)
        }
    }

    func end(_ record: RunRecord, inputs: [String], out: String) throws {
        try state.withLock {
            $0.isOver = true
            try Self.write(.finished(record))
        }
    }

    private static func write(_ line: ProgressLine) throws {
        try StandardOutput.write(String(decoding: line.json(), as: UTF8.self))
    }
}
