import Storage

/// The tensors of a file that `torch.save` wrote, in the zip or the legacy form, read as data: nothing in it is executed.
///
/// The dictionary of tensors may stand alone, or inside others (`{"model": {…}}`); of several the one with most tensors counts.
///
/// *Source*: torch/serialization.py.
package struct TorchCheckpoint: Sendable {
    package let path: String
    /// All tensors' names as they stand in the file, sorted.
    package let names: [String]
    private let views: [String: View]
    private let storages: TorchStorages

    /// A tensor as a part of a storage.
    private struct View: Sendable {
        let storage: TorchStorages.Reference
        let record: Pickle.TensorRecord
    }

    /// *Throws* `TensorFailure.notCheckpoint`, `.truncated`, `.forbiddenPickle`; Storage's failure when the file cannot be read.
    package init(path: String) throws {
        let opened = try TorchStorages.open(path)
        self.path = path
        storages = opened.storages
        views = try Self.views(opened.pickle, path)
        names = views.keys.sorted()
    }

    package func shape(_ name: String) -> Shape? { views[name].map { Shape($0.record.shape) } }

    /// The tensor as float32, contiguous whatever its strides in the file.
    /// *Throws* `TensorFailure.noSuchTensor`, `.truncated`, `.notCheckpoint`.
    package func tensor(_ name: String) throws -> Tensor {
        guard let view = views[name] else { throw TensorFailure.noSuchTensor(path: path, name: name) }
        let record = view.record
        let shape = Shape(record.shape)
        return try storages.withBytes(view.storage) { bytes in
            let size = view.storage.type.size
            if record.isContiguous {
                let part = bytes[record.offset * size..<(record.offset + shape.count) * size]
                return Tensor.decoded(UnsafeRawBufferPointer(rebasing: part), as: view.storage.type, shape: shape)
                    .tensor
            }
            let whole = Tensor.decoded(bytes, as: view.storage.type, shape: [view.storage.count]).tensor
            return Tensor(shape, record.elements.map { whole.pointer[$0] })
        }
    }

    /// The dictionary with most tensors, at most four levels deep.
    private static func views(_ pickle: Pickle, _ path: String) throws -> [String: View] {
        var best: [(name: String, record: Pickle.TensorRecord)] = []
        var level = [pickle.root]
        for _ in 0..<4 {
            var next: [Pickle.Value] = []
            for value in level {
                guard let pairs = pickle.dictionary(value) else { continue }
                let tensors = pairs.compactMap { pair -> (name: String, record: Pickle.TensorRecord)? in
                    guard case .text(let name) = pair.key, case .node(let number) = pair.value,
                        case .tensor(let record) = pickle.nodes[number]
                    else { return nil }
                    return (name, record)
                }
                if tensors.count > best.count { best = tensors }
                next += pairs.map(\.value)
            }
            level = next
        }
        guard !best.isEmpty else {
            throw TensorFailure.notCheckpoint(path: path, reason: "it holds no dictionary of tensors")
        }
        var views: [String: View] = [:]
        for (name, record) in best {
            let storage = try TorchStorages.Reference(pickle, node: record.storage, path: path)
            guard record.fits(storage.count) else {
                throw TensorFailure.notCheckpoint(path: path, reason: "tensor \"\(name)\" lies outside its storage")
            }
            guard views.updateValue(View(storage: storage, record: record), forKey: name) == nil else {
                throw TensorFailure.notCheckpoint(path: path, reason: "it holds tensor \"\(name)\" twice")
            }
        }
        return views
    }
}

extension Pickle.TensorRecord {
    /// Whether the view lies within a storage of `count` elements, none of them used twice (as an expanded tensor would).
    func fits(_ count: Int) -> Bool {
        guard offset >= 0, shape.count <= 16, shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else {
            return false
        }
        if shape.contains(0) { return offset <= count }
        var elements = 1
        var last = offset
        for (size, stride) in zip(shape, strides) {
            let (product, overflow) = elements.multipliedReportingOverflow(by: size)
            let (reach, reachOverflow) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflow) = last.addingReportingOverflow(reach)
            guard !overflow, !reachOverflow, !sumOverflow, product <= count else { return false }
            elements = product
            last = sum
        }
        return last < count
    }

    /// Row-major without gaps; the stride of a dimension of size 1 says nothing.
    var isContiguous: Bool {
        var expected = 1
        for (size, stride) in zip(shape, strides).reversed() {
            if size != 1 && stride != expected { return shape.contains(0) }
            expected *= size
        }
        return true
    }

    /// The positions in the storage of all elements in row-major order.
    var elements: [Int] {
        zip(shape, strides).reduce([offset]) { starts, dimension in
            starts.flatMap { start in (0..<dimension.0).map { start + $0 * dimension.1 } }
        }
    }
}
