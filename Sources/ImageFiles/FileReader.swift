import CImageFiles
import Storage

/// Gives a C library the bytes of a user's file, and remembers why they could not be read: the library itself only learns that
/// they are not there, and would call the file too short.
final class FileReader {
    private let file: InputFile
    private var problem: StorageFailure?

    init(_ file: InputFile) { self.file = file }

    /// Valid while this object lives.
    var source: ci_source {
        ci_source(context: Unmanaged.passUnretained(self).toOpaque(), size: UInt64(file.size)) {
            context, offset, bytes, count in
            guard let context, let bytes else { return 0 }
            return Unmanaged<FileReader>.fromOpaque(context).takeUnretainedValue().read(offset, bytes, count) ? 1 : 0
        }
    }

    private func read(_ offset: UInt64, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        guard let start = Int(exactly: offset), start <= file.size, count <= file.size - start else { return false }
        do throws(StorageFailure) {
            try file.read(at: start, into: UnsafeMutableRawBufferPointer(start: bytes, count: count))
            return true
        } catch {
            problem = problem ?? error
            return false
        }
    }

    /// The library's word, unless the file itself was the reason.
    func failure(_ error: ci_error) -> ImageFilesFailure {
        if let problem { return ImageFilesFailure(path: file.path.text, problem) }
        return ImageFilesFailure(path: file.path.text, error)
    }
}
