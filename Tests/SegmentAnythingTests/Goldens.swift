import Foundation
import Tensors
import Testing

/// The recorded references, where they are: `HSPSAM_SHARED`, else `../shared` beside the repository.
enum Goldens {
    static let root: String = {
        let shared = ProcessInfo.processInfo.environment["HSPSAM_SHARED"] ?? "../shared"
        return shared + "/golden"
    }()

    static var isPresent: Bool { FileManager.default.fileExists(atPath: root) }

    static func path(_ name: String) -> String { "\(root)/\(name)" }

    /// The largest absolute difference.
    static func difference(_ a: Tensor, _ b: Tensor) -> Float {
        guard a.shape.count == b.shape.count else { return .infinity }
        return zip(a.values, b.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }
}
