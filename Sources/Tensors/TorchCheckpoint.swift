import Storage

/// The tensors of a file that `torch.save` wrote, in the zip or the legacy form, read as data: nothing in it is executed.
///
/// The dictionary of tensors may stand alone, or inside others (`{"model": {…}}`): the one with the tensor that is looked for counts,
/// else the one with most tensors.
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

    /// - Parameter landmark: a tensor of the network that is looked for, by the end of its name.
    /// *Throws* `TensorFailure.notCheckpoint`, `.truncated`, `.forbiddenPickle`; `.several` when several dictionaries have a tensor of
    /// that name; Storage's failure when the file cannot be read.
    package init(path: String, with landmark: String? = nil) throws {
        let opened = try TorchStorages.open(path)
        self.path = path
        storages = opened.storages
        views = try Self.views(opened.pickle, with: landmark, path)
        names = views.keys.sorted()
    }

    /// The tensor's shape, nil when there is none of that name.
    package func shape(_ name: String) -> Shape? { views[name].map { Shape($0.record.shape) } }

    /// How the tensor is stored, nil when there is none of that name.
    package func type(_ name: String) -> ElementType? { views[name]?.storage.type }

    /// What stands before `name` in the names that end with it: nothing, or a module's path with its dot (`module.`).
    package func prefixes(of name: String) -> [String] { names.compactMap { Self.prefix($0, of: name) } }

    private static func prefix(_ whole: String, of name: String) -> String? {
        guard whole.hasSuffix(name) else { return nil }
        let prefix = whole.dropLast(name.count)
        return prefix.isEmpty || prefix.hasSuffix(".") ? String(prefix) : nil
    }

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

    /// Of the dictionaries that are at most four levels deep the one with `landmark`, else the one with most tensors.
    private static func views(_ pickle: Pickle, with landmark: String?, _ path: String) throws -> [String: View] {
        let found = dictionaries(pickle)
        let marked = found.filter { dictionary in
            guard let landmark else { return false }
            return dictionary.tensors.contains { prefix($0.name, of: landmark) != nil }
        }
        guard marked.count < 2 else { throw TensorFailure.several(path: path, names: marked.map(\.key)) }
        // Of equally many the first.
        let largest = found.reduce(into: [NamedRecord]()) { if $1.tensors.count > $0.count { $0 = $1.tensors } }
        let best = marked.first?.tensors ?? largest
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

    private typealias NamedRecord = (name: String, record: Pickle.TensorRecord)

    /// The dictionaries that hold tensors, by the keys under which they were met first, the outer before the inner.
    private static func dictionaries(_ pickle: Pickle) -> [(key: String, tensors: [NamedRecord])] {
        var found: [(key: String, tensors: [NamedRecord])] = []
        // A small file can refer to one dictionary so often that its ways are beyond counting; each is looked at once.
        var seen = Set<Int>()
        var level: [(key: String, value: Pickle.Value)] = [("", pickle.root)]
        for _ in 0..<4 {
            var next: [(key: String, value: Pickle.Value)] = []
            for (key, value) in level {
                guard case .node(let number) = value, case .dictionary(let pairs) = pickle.nodes[number],
                    seen.insert(number).inserted
                else { continue }
                var tensors: [NamedRecord] = []
                for pair in pairs {
                    guard case .node(let inner) = pair.value else { continue }
                    let name: String? = if case .text(let text) = pair.key { text } else { nil }
                    switch pickle.nodes[inner] {
                    case .tensor(let record): if let name { tensors.append((name, record)) }
                    case .dictionary: if !seen.contains(inner) { next.append((name ?? "", pair.value)) }
                    default: break
                    }
                }
                if !tensors.isEmpty { found.append((key, tensors)) }
            }
            level = next
        }
        return found
    }
}

extension Pickle.TensorRecord {
    /// Whether the view lies within a storage of `count` elements, none of them used twice (as an expanded tensor would).
    func fits(_ count: Int) -> Bool {
        guard offset >= 0, shape.count <= Self.mostDimensions, shape.allSatisfy({ $0 >= 0 }),
            strides.allSatisfy({ $0 >= 0 })
        else {
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
