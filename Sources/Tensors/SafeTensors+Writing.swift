import Storage

extension SafeTensors {
    /// Writes tensors to a file that appears only when it is whole. The same tensors give the same bytes.
    ///
    /// - Parameters:
    ///   - type: how each tensor is stored: `.f32` (the default), `.f16` or `.bf16`.
    ///   - metadata: free text for the header's `__metadata__`.
    package static func write(
        _ tensors: [String: Tensor], to path: String, metadata: [String: String] = [:],
        type: (_ name: String, _ shape: Shape) -> ElementType = { _, _ in .f32 }
    ) throws {
        var file = try DurableFile(path)
        try encode(tensors, metadata: metadata, type: type) { try file.append($0) }
        try file.commit()
    }

    /// The file's bytes in pieces: the header, then tensor by tensor, so that no second copy of a large model is made.
    ///
    /// Larger elements come first, then names in order: so every tensor is aligned to its element's size, as the format's own
    /// writer does it.
    package static func encode(
        _ tensors: [String: Tensor], metadata: [String: String] = [:],
        type: (_ name: String, _ shape: Shape) -> ElementType = { _, _ in .f32 }, emit: ([UInt8]) throws -> Void
    ) rethrows {
        let stored = tensors.map { name, tensor in (name: name, tensor: tensor, type: type(name, tensor.shape)) }
            .sorted { ($1.type.size, $0.name) < ($0.type.size, $1.name) }
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var position = 0
        for (name, tensor, type) in stored {
            let end = position + tensor.count * type.size
            let sizes = tensor.shape.dimensions.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(name)):{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(sizes)],\"data_offsets\":[\(position),\(end)]}"
            )
            position = end
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        try emit(withUnsafeBytes(of: UInt64(header.count).littleEndian) { [UInt8]($0) } + header)
        for (_, tensor, type) in stored {
            precondition(
                [.f32, .f16, .bf16].contains(type), "SafeTensors: tensors are not written as \(type.rawValue)")
            try emit(tensor.encoded(as: type))
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
