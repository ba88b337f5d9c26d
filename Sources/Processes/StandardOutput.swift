package import Failures
internal import Foundation

/// Standard output: what was asked for. Writing to it never traps and never kills.
///
/// A reader that has gone away (`| head`, a closed terminal, `>&-`) is no defect: `OutputClosed` is thrown, work under way is
/// discarded as after Ctrl-C, and the program ends with status 130 without a line.
package enum StandardOutput {
    /// Writes all of `text`.
    ///
    /// *Throws* `OutputClosed` when nobody reads any more, `OutputFailure` when the system refuses (a full disk).
    package static func write(_ text: String) throws { try writeAll(Array(text.utf8), to: STDOUT_FILENO) }

    /// Writes `text` and the end of its line.
    package static func line(_ text: String) throws { try write(text + "\n") }

    package static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether a write would find no reader: lets long work end as soon as nobody waits for it.
    package static var isAbandoned: Bool { isWithoutReader(STDOUT_FILENO) }

    /// To be called once, before anything is written and any file is opened.
    ///
    /// A write to a pipe without a reader then is an error, not the end of the process, and a standard stream that was closed
    /// before the start is occupied: the next file that is opened would get its number, and our lines.
    package static func prepare() {
        // A handler, not "ignore": children get the default back.
        signal(SIGPIPE) { _ in }
        // Beyond `ulimit -f` a write then fails, and is told as one.
        signal(SIGXFSZ) { _ in }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // Open for reading, so that a write is refused as it was before. The lowest free number is this one.
            unsafe _ = open("/dev/null", O_RDONLY)
        }
    }
}

/// Standard error: progress and reasons for a person. When they cannot be told, the exit status still tells.
package enum StandardError {
    package static func write(_ text: String) { try? writeAll(Array(text.utf8), to: STDERR_FILENO) }

    package static func line(_ text: String) { write(text + "\n") }

    package static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

/// Nobody reads the output any more: the program ends quietly with status 130.
package struct OutputClosed: Error {
    package init() {}
}

/// The system refused to take output.
package enum OutputFailure: Failure, Equatable {
    case refused(errno: Int32)

    package var kind: FailureKind { .failed }
    package var code: String { "STDOUT-IO" }
    package var message: FailureMessage {
        switch self {
        case .refused(let number):
            FailureMessage(
                "standard output cannot be written (\(errorText(number))): what was to be shown is cut.",
                cure: "Free space on its disk, or send it elsewhere.")
        }
    }
}

/// Writes all of `bytes`: in pieces where the receiver takes pieces, waiting where it would block.
///
/// *Throws* `OutputClosed`, `OutputFailure`.
package func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
    var done = 0
    while done < bytes.count {
        let written = unsafe bytes[done...].withUnsafeBytes {
            unsafe Foundation.write(descriptor, $0.baseAddress, $0.count)
        }
        if written > 0 {
            done += written
            continue
        }
        switch errno {
        case EINTR: continue
        case EAGAIN: waitUntilWritable(descriptor)
        case EPIPE, EBADF: throw OutputClosed()
        case let number: throw OutputFailure.refused(errno: number)
        }
    }
}

/// Returns when the descriptor takes bytes again, and also when it never will.
private func waitUntilWritable(_ descriptor: Int32) {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    unsafe _ = poll(&request, 1, -1)
}

private func isWithoutReader(_ descriptor: Int32) -> Bool {
    let mode = fcntl(descriptor, F_GETFL)
    if mode < 0 || mode & O_ACCMODE == O_RDONLY { return true }
    var request = pollfd(fd: descriptor, events: 0, revents: 0)
    return unsafe poll(&request, 1, 0) > 0 && request.revents & Int16(POLLERR) != 0
}

private func errorText(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }
