import Foundation
import SegmentAnything
import Storage

/// A JSON file that describes a data set: annotations, labels, folds.
enum DescriptionFile {
    /// - Parameter form: what it should have been, for messages: `unlike what nnU-Net 2 writes`.
    /// *Throws* `TrainingFailure.layout` for what is no such file, and where a key stands twice in one object: Foundation takes one of its
    /// values, other readers the other. Storage's failures.
    static func read<Value: Decodable>(
        _ path: String, limit: Int, as type: Value.Type = Value.self, form: String
    ) throws -> Value {
        let bytes = try DurableFile.read(path, limit: limit)
        do {
            let value = try JSONDecoder().decode(type, from: Data(bytes))
            guard let key = RepeatedKey.first(in: bytes) else { return value }
            throw TrainingFailure.layout(
                path: path, reason: "the key \"\(key)\" stands twice in one object, and which one counts is not said")
        } catch let error as DecodingError {
            throw TrainingFailure.layout(path: path, reason: "\(error.words), \(form)")
        }
    }
}
