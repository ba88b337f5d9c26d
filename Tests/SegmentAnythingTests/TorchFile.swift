import Foundation
import SegmentAnything
import Tensors

/// A checkpoint as `torch.save` wrote them before it made zip archives: dictionaries of tensors.
///
/// *Source*: torch/serialization.py, `_legacy_save`.
struct TorchFile {
    /// A tensor in the file: all its bytes are `fill`, but for `first`.
    struct Entry {
        var shape: Shape
        var type = ElementType.f32
        /// The bytes of the first element, little-endian; none: as the others.
        var first: [UInt8] = []
        var fill: UInt8 = 0
    }

    /// Its dictionaries: the one of the key "" alone, or each inside one that holds them all.
    var dictionaries: [(key: String, tensors: [String: Entry])]

    init(_ tensors: [String: Entry]) { dictionaries = [("", tensors)] }

    init(_ dictionaries: [(key: String, tensors: [String: Entry])]) { self.dictionaries = dictionaries }

    /// Every tensor that Segment Anything of this shape has, with those of its prompt encoder that no model of ours needs.
    static func sam(_ configuration: Configuration) -> [String: Entry] {
        var official = configuration
        official.apply(.sam)
        var tensors: [String: Entry] = [:]
        for parameter in ParameterShapes.of(official) {
            guard let upstream = parameter.upstream else { continue }
            let shape: Shape =
                switch upstream.part {
                case .whole, .wholeIfSame: parameter.shape
                case .row: Shape([1] + parameter.shape.dimensions)
                case .rowsModulo4: [4, parameter.shape[1]]
                }
            // A small number, in whatever type.
            tensors[upstream.name] = Entry(shape: shape, fill: 0x3C)
        }
        for name in ["not_a_point_embed.weight", "point_embeddings.0.weight", "mask_downscaling.0.bias"] {
            tensors["prompt_encoder.\(name)"] = Entry(shape: [1, configuration.decoderDim])
        }
        return tensors
    }

    func write(to path: String) throws {
        var object = Data("}(".utf8)
        var storages: [Entry] = []
        for (key, tensors) in dictionaries {
            if !key.isEmpty { object += Self.text(key) + Data("}(".utf8) }
            for (name, entry) in tensors.sorted(by: { $0.key < $1.key }) {
                object += Self.text(name) + Self.tensor(entry, storage: storages.count)
                storages.append(entry)
            }
            if !key.isEmpty { object += Data("u".utf8) }
        }
        object += Data("u.".utf8)
        let magic = Data([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])
        var file = magic + Data(".".utf8) + Data([0x80, 2]) + Data("M".utf8) + Data([0xE9, 3]) + Data(".".utf8)
        file += Data([0x80, 2]) + Data("}.".utf8) + Data([0x80, 2]) + object
        file += Data([0x80, 2]) + Data("](".utf8)
        for i in storages.indices { file += Self.text("\(i)") }
        file += Data("e.".utf8)
        for entry in storages {
            file += withUnsafeBytes(of: Int64(entry.shape.count).littleEndian) { Data($0) }
            file += Data(entry.first)
            file += Data(
                repeating: entry.fill, count: entry.shape.count * entry.type.size - entry.first.count)
        }
        try file.write(to: URL(fileURLWithPath: path))
    }

    private static func text(_ value: String) -> Data {
        Data("X".utf8) + withUnsafeBytes(of: UInt32(value.utf8.count).littleEndian) { Data($0) } + Data(value.utf8)
    }

    private static func number(_ value: Int) -> Data {
        Data("J".utf8) + withUnsafeBytes(of: Int32(value).littleEndian) { Data($0) }
    }

    private static func tuple(_ values: [Int]) -> Data {
        values.reduce(Data("(".utf8)) { $0 + number($1) } + Data("t".utf8)
    }

    /// `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`
    private static func tensor(_ entry: Entry, storage: Int) -> Data {
        let sizes = entry.shape.dimensions
        let strides = sizes.indices.map { sizes[($0 + 1)...].reduce(1, *) }
        let head = Data("ctorch._utils\n_rebuild_tensor_v2\n((".utf8) + text("storage")
        let name = Data("ctorch\n\(storageName(entry.type))\n".utf8) + text("\(storage)") + text("cpu")
        let view = number(0) + tuple(sizes) + tuple(strides)
        return head + name + number(entry.shape.count) + Data("tQ".utf8) + view + Data([0x89])
            + Data("ccollections\nOrderedDict\n)RtR".utf8)
    }

    private static func storageName(_ type: ElementType) -> String {
        switch type {
        case .f64: "DoubleStorage"
        case .f32: "FloatStorage"
        case .f16: "HalfStorage"
        case .bf16: "BFloat16Storage"
        case .i64: "LongStorage"
        case .i32: "IntStorage"
        case .i16: "ShortStorage"
        case .i8: "CharStorage"
        case .u8: "ByteStorage"
        case .bool: "BoolStorage"
        }
    }
}
