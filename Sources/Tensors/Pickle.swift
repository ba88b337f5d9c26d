/// What a pickle describes, without ever being able to do anything: a graph of plain values in which the few names that a
/// dictionary of tensors needs are data, not code.
///
/// Containers stand in one list and are referred to by number, so that no nesting, however deep, costs stack.
struct Pickle {
    /// One value; containers by their number in `nodes`.
    enum Value: Hashable {
        case none
        case bool(Bool)
        case int(Int)
        /// A whole number of more than 63 bits: its little-endian bytes.
        case long([UInt8])
        case float(Double)
        case text(String)
        case bytes([UInt8])
        case global(Global)
        case node(Int)
    }

    enum Node {
        case tuple([Value])
        case list([Value])
        /// Pairs in the order in which they were set.
        case dictionary([(key: Value, value: Value)])
        /// What a persistent id refers to: a storage.
        case persistent(Value)
        case tensor(TensorRecord)
    }

    /// A view of a storage, as PyTorch's rebuild functions describe it.
    struct TensorRecord {
        static let mostDimensions = 16

        /// The number of the node that is the storage.
        let storage: Int
        /// In elements.
        let offset: Int
        let shape: [Int]
        /// In elements.
        let strides: [Int]
    }

    /// The names that may stand in a checkpoint. Any other ends the reading.
    enum Global: Hashable {
        case orderedDictionary
        case rebuildTensor
        case rebuildTensorV2
        case rebuildParameter
        case size
        case storage(ElementType)

        init?(module: String, name: String) {
            switch (module, name) {
            case ("collections", "OrderedDict"): self = .orderedDictionary
            case ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor
            case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensorV2
            case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
            case ("torch", "Size"): self = .size
            case ("torch", let name):
                let types: [String: ElementType] = [
                    "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16,
                    "LongStorage": .i64,
                    "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8, "ByteStorage": .u8,
                    "BoolStorage": .bool,
                ]
                guard let type = types[name] else { return nil }
                self = .storage(type)
            default: return nil
            }
        }
    }

    /// Why reading stopped.
    enum Problem: Error {
        case truncated
        /// An opcode, a name or a call that is not plain data.
        case forbidden(String)
        case malformed(String)
    }

    let root: Value
    let nodes: [Node]
    /// The first byte after the pickle.
    let end: Int

    func tuple(_ value: Value) -> [Value]? {
        if case .node(let number) = value, case .tuple(let values) = nodes[number] { values } else { nil }
    }

    func list(_ value: Value) -> [Value]? {
        if case .node(let number) = value, case .list(let values) = nodes[number] { values } else { nil }
    }

    func dictionary(_ value: Value) -> [(key: Value, value: Value)]? {
        if case .node(let number) = value, case .dictionary(let pairs) = nodes[number] { pairs } else { nil }
    }
}
