extension DecodingError {
    /// What a JSON file of a data set lacks, and where in it: `annotations[3] has no segmentation`.
    var words: String {
        switch self {
        case .keyNotFound(let key, let context):
            "\(Self.place(context.codingPath) ?? "it") has no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(Self.place(context.codingPath) ?? "it") is of another type than it should be"
        case .dataCorrupted(let context):
            Self.place(context.codingPath).map { "\($0) has a value that cannot be" } ?? "it is not valid JSON"
        @unknown default: "it cannot be read"
        }
    }

    /// Nil: the whole file.
    private static func place(_ keys: [any CodingKey]) -> String? {
        let text = keys.reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }
        return text.isEmpty ? nil : text
    }
}
