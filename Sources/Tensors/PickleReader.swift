/// Reads a pickle as data. It knows the opcodes with which plain values, containers and tensors are written, and the calls that
/// rebuild tensors; it imports nothing, calls nothing and stops at anything else.
///
/// *Source*: CPython, Lib/pickletools.py (opcodes up to protocol 5); torch/_utils.py and torch/serialization.py.
struct PickleReader {
    private typealias Value = Pickle.Value
    private typealias Problem = Pickle.Problem

    private var input: PickleBytes
    private var stack: [Value] = []
    /// The stack's height at each open mark.
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]
    private var nodes: [Pickle.Node] = []
    /// Pairs of lists that became dictionaries.
    private var copiedPairs = 0

    private init(_ bytes: UnsafeRawBufferPointer, from position: Int) {
        input = PickleBytes(bytes, from: position)
    }

    /// Reads the pickle that begins at `position`.
    static func read(_ bytes: UnsafeRawBufferPointer, from position: Int = 0) throws(Pickle.Problem) -> Pickle {
        var reader = PickleReader(bytes, from: position)
        let root = try reader.run()
        return Pickle(root: root, nodes: reader.nodes, end: reader.input.position)
    }

    private mutating func run() throws(Pickle.Problem) -> Pickle.Value {
        while true {
            let opcode = try input.byte()
            if opcode == UInt8(ascii: ".") { return try pop() }
            try step(opcode)
        }
    }

    private mutating func step(_ opcode: UInt8) throws(Pickle.Problem) {
        switch Character(UnicodeScalar(opcode)) {
        // Framing says nothing about values.
        case "\u{80}":
            let version = try input.byte()
            guard version <= 5 else { throw .malformed("it uses pickle protocol \(version)") }
        case "\u{95}": _ = try input.number(8)
        // Plain values.
        case "N": stack.append(.none)
        case "\u{88}": stack.append(.bool(true))
        case "\u{89}": stack.append(.bool(false))
        case "J": stack.append(.int(Int(Int32(truncatingIfNeeded: try input.number(4)))))
        case "K": stack.append(.int(try input.number(1)))
        case "M": stack.append(.int(try input.number(2)))
        case "\u{8A}": stack.append(PickleBytes.long(try input.take(try input.number(1))))
        case "\u{8B}": stack.append(PickleBytes.long(try input.take(try input.number(4))))
        case "G":
            stack.append(
                .float(Double(bitPattern: UInt64(bigEndian: try input.take(8).loadUnaligned(as: UInt64.self)))))
        case "X": stack.append(.text(try input.text(try input.number(4))))
        case "\u{8C}": stack.append(.text(try input.text(try input.number(1))))
        case "\u{8D}": stack.append(.text(try input.text(try input.number(8))))
        case "U": stack.append(.text(try input.text(try input.number(1))))
        case "T": stack.append(.text(try input.text(try input.number(4))))
        case "C": stack.append(.bytes([UInt8](try input.take(try input.number(1)))))
        case "B": stack.append(.bytes([UInt8](try input.take(try input.number(4)))))
        // Containers.
        case "(": marks.append(stack.count)
        case ")": push(.tuple([]))
        case "]": push(.list([]))
        case "}": push(.dictionary([]))
        case "t": push(.tuple(try popToMark()))
        case "l": push(.list(try popToMark()))
        case "\u{85}": try pushTuple(1)
        case "\u{86}": try pushTuple(2)
        case "\u{87}": try pushTuple(3)
        case "a": try append([try pop()])
        case "e": try append(try popToMark())
        case "s":
            let value = try pop()
            try set([try pop(), value])
        case "u": try set(try popToMark())
        // The memo.
        case "q": memo[try input.number(1)] = try top()
        case "r": memo[try input.number(4)] = try top()
        case "\u{94}": memo[memo.count] = try top()
        case "h": stack.append(try remembered(try input.number(1)))
        case "j": stack.append(try remembered(try input.number(4)))
        case "0": _ = try pop()
        // Names and calls.
        case "c":
            let module = try input.line()
            stack.append(.global(try global(module, try input.line())))
        case "\u{93}":
            guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
                throw .malformed("a name is no text")
            }
            stack.append(.global(try global(module, name)))
        case "Q": push(.persistent(try pop()))
        case "R":
            let arguments = try pop()
            try call(try pop(), arguments)
        case "b":
            let state = try pop()
            try build(state: state)
        default:
            throw .forbidden(
                "it uses the pickle instruction 0x\(String(opcode, radix: 16)) at byte \(input.position - 1)")
        }
    }
}

// What instructions mean.
extension PickleReader {
    private func global(_ module: String, _ name: String) throws(Pickle.Problem) -> Pickle.Global {
        if let global = Pickle.Global(module: module, name: name) { return global }
        let shown = "\(module).\(name)".unicodeScalars.prefix(80).map {
            (0x21...0x7E).contains($0.value) ? String($0) : "?"
        }
        throw .forbidden("it asks for \(shown.joined())")
    }

    /// The few calls that rebuild containers and tensors.
    private mutating func call(_ function: Pickle.Value, _ arguments: Pickle.Value) throws(Pickle.Problem) {
        guard case .global(let global) = function, case .node(let number) = arguments,
            case .tuple(let values) = nodes[number]
        else {
            throw .forbidden("it calls something that is no function")
        }
        switch global {
        case .orderedDictionary:
            push(.dictionary([]))
            if let pairs = values.first {
                guard case .node(let number) = pairs, case .list(let items) = nodes[number] else {
                    throw .malformed("an OrderedDict is made of no list")
                }
                // A pair of a list that is used once has more bytes than one.
                copiedPairs += items.count
                guard copiedPairs <= input.count else {
                    throw .malformed("it makes many dictionaries of one list")
                }
                for item in items {
                    guard case .node(let number) = item, case .tuple(let pair) = nodes[number] else {
                        throw .malformed("an OrderedDict is made of no pairs")
                    }
                    try set(pair)
                }
            }
        case .rebuildTensor, .rebuildTensorV2: try rebuildTensor(values)
        case .rebuildParameter:
            guard let tensor = values.first else { throw .malformed("a parameter has no tensor") }
            stack.append(tensor)
        case .size:
            guard values.count == 1, case .node(let number) = values[0], case .tuple = nodes[number] else {
                throw .malformed("a size is no tuple")
            }
            stack.append(values[0])
        case .storage: throw .forbidden("it makes a storage by a call")
        }
    }

    private mutating func rebuildTensor(_ values: [Pickle.Value]) throws(Pickle.Problem) {
        guard values.count >= 4, case .node(let storage) = values[0], case .persistent = nodes[storage],
            case .int(let offset) = values[1],
            let shape = integers(values[2]), let strides = integers(values[3]), shape.count == strides.count
        else { throw .malformed("a tensor is not described by storage, offset, shape and strides") }
        push(.tensor(Pickle.TensorRecord(storage: storage, offset: offset, shape: shape, strides: strides)))
    }

    private func integers(_ value: Pickle.Value) -> [Int]? {
        guard case .node(let number) = value, case .tuple(let values) = nodes[number],
            values.count <= Pickle.TensorRecord.mostDimensions
        else { return nil }
        let result = values.compactMap { if case .int(let value) = $0 { value } else { nil } }
        return result.count == values.count ? result : nil
    }

    /// A dictionary may carry attributes (`_metadata`); nothing of ours depends on them.
    private func build(state: Pickle.Value) throws(Pickle.Problem) {
        guard case .node(let number) = try top(), case .dictionary = nodes[number], case .node(let other) = state,
            case .dictionary = nodes[other]
        else { throw .forbidden("it sets the state of an object") }
    }

    private mutating func append(_ values: [Pickle.Value]) throws(Pickle.Problem) {
        guard case .node(let number) = try top(), case .list(var list) = nodes[number] else {
            throw .malformed("it appends to what is no list")
        }
        nodes[number] = .list([])  // lets go of the list, so that it grows in place
        list += values
        nodes[number] = .list(list)
    }

    /// `values` are keys and values in turn.
    private mutating func set(_ values: [Pickle.Value]) throws(Pickle.Problem) {
        guard values.count % 2 == 0, case .node(let number) = try top(), case .dictionary(var pairs) = nodes[number]
        else {
            throw .malformed("it sets items of what is no dictionary")
        }
        nodes[number] = .dictionary([])
        for i in stride(from: 0, to: values.count, by: 2) { pairs.append((values[i], values[i + 1])) }
        nodes[number] = .dictionary(pairs)
    }
}

// The stack.
extension PickleReader {
    private mutating func push(_ node: Pickle.Node) {
        nodes.append(node)
        stack.append(.node(nodes.count - 1))
    }

    private mutating func pushTuple(_ count: Int) throws(Pickle.Problem) {
        var values: [Pickle.Value] = []
        for _ in 0..<count { values.append(try pop()) }
        push(.tuple(values.reversed()))
    }

    private mutating func pop() throws(Pickle.Problem) -> Pickle.Value {
        guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
            throw .malformed("its stack is empty")
        }
        return value
    }

    private func top() throws(Pickle.Problem) -> Pickle.Value {
        guard stack.count > (marks.last ?? 0), let value = stack.last else { throw .malformed("its stack is empty") }
        return value
    }

    private mutating func popToMark() throws(Pickle.Problem) -> [Pickle.Value] {
        guard let mark = marks.popLast() else { throw .malformed("a mark is missing") }
        let values = Array(stack[mark...])
        stack.removeSubrange(mark...)
        return values
    }

    private func remembered(_ index: Int) throws(Pickle.Problem) -> Pickle.Value {
        guard let value = memo[index] else { throw .malformed("it recalls what it never stored") }
        return value
    }
}
