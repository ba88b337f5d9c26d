import Failures
import Foundation
import Pipelines
import Synchronization

/// How a run tells what it does.
protocol RunDisplay {
    /// *Throws* `Interruption` when nobody listens any more.
    func show(_ event: Run.Event) throws
    func end(_ record: RunRecord, out: String)
}

/// For a person: a line that is rewritten on a terminal, results at the end, reasons on standard error.
struct TextLines: RunDisplay {
    private let terminal = isatty(STDERR_FILENO) == 1

    func show(_ event: Run.Event) {
        guard terminal else { return }
        let text =
            switch event {
            case .reading(let files): "reading: \(files) files"
            case .read(let files, let studies): "read \(files) files of \(studies) studies"
            case .frame(let step):
                "study \(step.study) series \(step.series) \(step.pipeline): frame \(step.frame) of \(step.frames)"
            case .studyDone(_, let done, let of): "\(done) of \(of) studies"
            }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    func end(_ record: RunRecord, out: String) {
        if terminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        for result in record.results {
            let found = result.segments.filter { $0.pixels > 0 }.map { segment in
                let size =
                    segment.volumeML.map { String(format: "%.2f ml", $0) }
                    ?? segment.areaMM2.map { String(format: "%.1f mm²", $0) } ?? "\(segment.pixels) pixels"
                return "\(segment.label) \(size)"
            }
            print(
                "\(result.pipeline): \(found.isEmpty ? "nothing found" : found.joined(separator: ", "))  \(result.file.map { "\(out)/\($0)" } ?? "")"
            )
        }
        let worst = record.inputs.filter { $0.status == .failed } + record.inputs.filter { $0.status == .refused }
        let told = worst.isEmpty && record.exitStatus == .nothingProcessed ? record.inputs : worst
        let lines = Self.lines(told)
        for line in lines.prefix(20) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
        if lines.count > 20 {
            FileHandle.standardError.write(Data("and \(lines.count - 20) more reasons, in \(out)/run.json\n".utf8))
        }
        if record.inputs.isEmpty {
            FileHandle.standardError.write(
                Data(
                    "IN-NONE no file in what was given: nothing to segment. Give a file or a folder with files.\n".utf8)
            )
        }
        let counts = Outcome.allCases.map { status in
            "\(record.inputs.count { $0.status == status }) \(status.rawValue)"
        }
        print("\(counts.joined(separator: ", ")). Report: \(out)/index.html")
    }
}

extension TextLines {
    /// One line a reason: a series of a thousand slices that is refused is told once.
    private static func lines(_ inputs: [RunRecord.Input]) -> [String] {
        var order: [String] = []
        var groups: [String: [RunRecord.Input]] = [:]
        for input in inputs {
            let reason = "\(input.code ?? "") \(input.reason ?? "")"
            if groups[reason] == nil { order.append(reason) }
            groups[reason, default: []].append(input)
        }
        return order.map { reason in
            let group = groups[reason] ?? []
            let more = group.count > 1 ? " and \(group.count - 1) more" : ""
            return "\(group.first?.path ?? "")\(more): \(reason)"
        }
    }
}

/// For the service: one object a line, at least every five seconds, a summary last.
final class JSONLines: RunDisplay, Sendable {
    /// Only the keys that an event has are written.
    private struct Line: Encodable {
        var event: String
        var files, studies, frame, frames, done, of, results, processed, skipped, refused, failed: Int?
        var exit: Int32?
        var study, series, pipeline: String?
    }

    private struct State {
        var last = Line(event: "started")
        var isOver = false
    }

    private let state = Mutex(State())
    private let listenerIsGone = Atomic(false)

    init() {
        var status = stat()
        // Only a pipe can be held by the service; a terminal, a file or /dev/null ends nothing.
        if fstat(STDIN_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFIFO {
            Thread.detachNewThread { [self] in
                var byte: UInt8 = 0
                while read(STDIN_FILENO, &byte, 1) > 0 {}
                listenerIsGone.store(true, ordering: .relaxed)
            }
        }
        Thread.detachNewThread { [weak self] in
            while true {
                Thread.sleep(forTimeInterval: 4)
                guard let self, state.withLock({ !$0.isOver }) else { return }
                state.withLock { Self.write($0.last) }
            }
        }
    }

    func show(_ event: Run.Event) throws {
        if listenerIsGone.load(ordering: .relaxed) { throw Interruption() }
        let line =
            switch event {
            case .reading(let files): Line(event: "reading", files: files)
            case .read(let files, let studies): Line(event: "read", files: files, studies: studies)
            case .frame(let step):
                Line(
                    event: "frame", frame: step.frame, frames: step.frames, study: step.study, series: step.series,
                    pipeline: step.pipeline)
            case .studyDone(let study, let done, let of): Line(event: "study", done: done, of: of, study: study)
            }
        state.withLock {
            $0.last = line
            Self.write(line)
        }
    }

    func end(_ record: RunRecord, out: String) {
        func count(_ status: Outcome) -> Int { record.inputs.count { $0.status == status } }
        let line = Line(
            event: "finished", results: record.results.count, processed: count(.processed), skipped: count(.skipped),
            refused: count(.refused), failed: count(.failed), exit: record.exitStatus.rawValue)
        state.withLock {
            $0.isOver = true
            Self.write(line)
        }
    }

    private static func write(_ line: Line) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(line) else { return }
        FileHandle.standardOutput.write(data + Data("\n".utf8))
    }
}
