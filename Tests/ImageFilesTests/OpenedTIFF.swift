import Foundation
import ImageFiles
import Mutations

/// What `body` sees of a file, which is gone afterwards.
func opened<Result>(_ file: RawTIFF, _ body: (TIFFFile) throws -> Result) throws -> Result {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("opened-\(UUID().uuidString).tif").path
    try Data(file.bytes).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(try TIFFFile(path))
}
