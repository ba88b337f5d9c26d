internal import Failures
internal import Foundation
internal import Processes
package import Storage

/// The list of complete results in the outbox that each worker reads, so that a known study is not segmented again.
///
/// Written whole at the start; a line is appended for each new result, so that a job costs the same after years.
package actor KnownResults {
    private let path: String

    package init(path: String) { self.path = path }

    package func write(_ keys: [String]) throws(StorageFailure) {
        try DurableFile.write(keys.map { $0 + "\n" }.joined(), to: path, mode: 0o640)
    }

    /// A line that is lost costs one run, no result: failures are passed over.
    package func append(_ keys: [String]) {
        guard !keys.isEmpty, let file = FileHandle(forUpdatingAtPath: path) else { return }
        defer { try? file.close() }
        guard (try? file.seekToEnd()) != nil else { return }
        try? writeAll(Array(keys.map { $0 + "\n" }.joined().utf8), to: file.fileDescriptor)
    }
}
