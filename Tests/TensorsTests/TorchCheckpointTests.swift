import Failures
import Foundation
import Tensors
import Testing

@Suite("TorchCheckpoint")
struct TorchCheckpointTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("torch-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    /// A legacy checkpoint around the pickle of one object; storage "0" holds 0, 1, 2, … as floats.
    private func legacy(_ object: String, count: Int = 6, cut: Int = 0) throws -> String {
        var data =
            Data([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]) + Data(".".utf8)
        data += [0x80, 2] + Data("M".utf8) + [0xE9, 3] + Data(".".utf8)
        data += [0x80, 2] + Data("}X".utf8) + [13, 0, 0, 0] + Data("little_endian".utf8) + [0x88] + Data("s.".utf8)
        data += [0x80, 2] + Data(object.unicodeScalars.map { UInt8($0.value) })
        data += [0x80, 2] + Data("]X".utf8) + [1, 0, 0, 0] + Data("0a.".utf8)
        withUnsafeBytes(of: Int64(count).littleEndian) { data += Data($0) }
        for i in 0..<count { withUnsafeBytes(of: Float(i).bitPattern.littleEndian) { data += Data($0) } }
        let path = folder.appendingPathComponent(UUID().uuidString).path
        try data.dropLast(cut).write(to: URL(fileURLWithPath: path))
        return path
    }

    private func text(_ value: String) -> String {
        "X" + String(Character(UnicodeScalar(UInt8(value.utf8.count)))) + "\0\0\0" + value
    }

    private func tuple(_ values: [Int]) -> String {
        "(" + values.map { "K" + String(Character(UnicodeScalar(UInt8($0)))) }.joined() + "t"
    }

    /// `_rebuild_tensor_v2(storage "0", offset, shape, strides, False, OrderedDict())`
    private func tensor(offset: Int = 0, shape: [Int], strides: [Int], count: Int = 6) -> String {
        "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu")
            + "K\(Character(UnicodeScalar(UInt8(count))))tQ" + "K\(Character(UnicodeScalar(UInt8(offset))))"
            + tuple(shape) + tuple(strides)
            + "\u{89}ccollections\nOrderedDict\n)RtR"
    }

    private func dictionary(_ name: String, _ value: String) -> String { "}" + text(name) + value + "s" }

    @Test("strided views become contiguous tensors")
    func strided() throws {
        let transposed = try TorchCheckpoint(
            path: try legacy(dictionary("x", tensor(shape: [3, 2], strides: [1, 3])) + "."))
        #expect(transposed.names == ["x"] && transposed.shape("x") == [3, 2])
        #expect(try transposed.tensor("x").values == [0, 3, 1, 4, 2, 5])
        let column = try TorchCheckpoint(
            path: try legacy(dictionary("x", tensor(offset: 1, shape: [2], strides: [3])) + "."))
        #expect(try column.tensor("x").values == [1, 4])
        let part = try TorchCheckpoint(
            path: try legacy(dictionary("x", tensor(offset: 2, shape: [2, 1, 2], strides: [2, 9, 1])) + "."))
        #expect(try part.tensor("x").values == [2, 3, 4, 5])
        let scalar = try TorchCheckpoint(
            path: try legacy(dictionary("x", tensor(offset: 5, shape: [], strides: [])) + "."))
        #expect(try scalar.tensor("x").values == [5])
    }

    @Test(
        "a view outside its storage, or one that repeats elements, is refused",
        arguments: [
            ([7], [1], 0), ([2, 3], [3, 1], 1), ([200, 200], [0, 0], 0), ([2], [5], 1),
        ])
    func outside(shape: [Int], strides: [Int], offset: Int) throws {
        let path = try legacy(dictionary("x", tensor(offset: offset, shape: shape, strides: strides)) + ".")
        #expect(#expect(throws: TensorFailure.self) { try TorchCheckpoint(path: path) }?.code == "CHECKPOINT-FORMAT")
    }

    @Test(
        "a pickle that would run a program is refused by the name it asks for, and runs nothing",
        arguments: [
            ("cposix\nsystem\n", "posix.system"), ("cos\nsystem\n", "os.system"),
            ("c__builtin__\neval\n", "__builtin__.eval"),
            ("csubprocess\nPopen\n", "subprocess.Popen"), ("ctorch\nload\n", "torch.load"),
            ("\u{8C}\u{2}os\u{8C}\u{6}system\u{93}", "os.system"), ("cbuiltins\nexec\n", "builtins.exec"),
        ])
    func forbidden(global: String, name: String) throws {
        let witness = folder.appendingPathComponent("witness").path
        let path = try legacy(global + "(" + text("touch \(witness)") + "tR.")
        let failure = #expect(throws: TensorFailure.self) { try TorchCheckpoint(path: path) }
        #expect(
            failure?.code == "CHECKPOINT-FORBIDDEN" && failure?.text.contains(name) == true, "\(failure?.text ?? "")")
        #expect(!FileManager.default.fileExists(atPath: witness))
    }

    @Test(
        "other instructions that make objects are refused",
        arguments: [
            "(itorch\nobject\n.", "ccollections\nOrderedDict\n)\u{81}.", "(cos\nsystem\no.",
            "ctorch\nFloatStorage\n)R.", "K\u{1}}b.", "\u{82}\u{1}.",
            "Ptyped persistent id\n.", "K\u{1})R.",
        ])
    func instructions(pickle: String) throws {
        let path = try legacy(pickle)
        #expect(#expect(throws: TensorFailure.self) { try TorchCheckpoint(path: path) }?.code == "CHECKPOINT-FORBIDDEN")
    }

    @Test(
        "broken pickles are errors, never traps",
        arguments: [
            ".", "t.", "a.", "h\u{5}.", "0.", "(.", "}s.", "}(K\u{1}u.", "\u{80}\u{9}.", "X\u{FF}\u{FF}\u{FF}\u{FF}.",
            "\u{8D}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}\u{FF}.", "]K\u{1}a.", "}X\u{1}\0\0\0xK\u{1}s.",
            "ccollections\nOrderedDict\n(K\u{1}tR.",
            "X\u{2}\0\0\0\u{FF}\u{FE}.", "\u{8B}\u{FF}\u{FF}\u{FF}\u{7F}.",
        ])
    func broken(pickle: String) throws {
        let path = try legacy(pickle)
        #expect(throws: TensorFailure.self) { try TorchCheckpoint(path: path) }
    }

    @Test("a list that holds itself and a hundred thousand lists in each other are read without harm")
    func deep() throws {
        let nested = String(repeating: "]", count: 100_000) + String(repeating: "a", count: 99_999) + "0"
        let selfish = "]q\u{0}h\u{0}a0"
        let path = try legacy(nested + selfish + dictionary("x", tensor(shape: [6], strides: [1])) + ".")
        #expect(try TorchCheckpoint(path: path).tensor("x").values == [0, 1, 2, 3, 4, 5])
    }

    @Test("dictionaries that refer to one dictionary again and again are looked at once each")
    func repeated() throws {
        // 250 · 250 · 250 ways lead to the innermost.
        var object = "}q\u{0}0"
        for level in 1...3 {
            let entries = (0..<250).map {
                "K\(Character(UnicodeScalar(UInt8($0))))h\(Character(UnicodeScalar(level - 1)!))"
            }
            object += "}(\(entries.joined())uq\(Character(UnicodeScalar(level)!))0"
        }
        object += "}(" + text("x") + tensor(shape: [6], strides: [1]) + text("y") + "h\u{3}u."
        let checkpoint = try TorchCheckpoint(path: try legacy(object))
        #expect(checkpoint.names == ["x"] && checkpoint.type("x") == .f32)
    }

    @Test("a dictionary made of a list of pairs is read; many of one list are refused")
    func ordered() throws {
        let call = "ccollections\nOrderedDict\n"
        let one = call + "]" + text("x") + tensor(shape: [6], strides: [1]) + "\u{86}a\u{85}R."
        #expect(try TorchCheckpoint(path: try legacy(one)).tensor("x").values == [0, 1, 2, 3, 4, 5])
        let pairs = String(repeating: "K\u{1}K\u{1}\u{86}", count: 200)
        let many = String(repeating: "h\u{1}h\u{0}\u{85}R0", count: 200)
        let object = "](" + pairs + "eq\u{0}0" + call + "q\u{1}0" + many
        let path = try legacy(object + dictionary("x", tensor(shape: [6], strides: [1])) + ".")
        #expect(#expect(throws: TensorFailure.self) { try TorchCheckpoint(path: path) }?.code == "CHECKPOINT-FORMAT")
    }

    @Test("of several dictionaries the one with the landmark counts, else the largest; two with it are refused")
    func several() throws {
        let whole = tensor(shape: [6], strides: [1])
        func entry(_ key: String, _ names: [String]) -> String {
            text(key) + "}(" + names.map { text($0) + whole }.joined() + "u"
        }
        let one = try legacy("}(" + entry("model", ["a.mark"]) + entry("optimiser", ["b", "c"]) + "u.")
        #expect(try TorchCheckpoint(path: one, with: "mark").names == ["a.mark"])
        #expect(try TorchCheckpoint(path: one).names == ["b", "c"])
        #expect(try TorchCheckpoint(path: one, with: "ark").names == ["b", "c"])
        let two = try legacy("}(" + entry("model", ["mark"]) + entry("average", ["n.mark", "count"]) + "u.")
        let failure = #expect(throws: TensorFailure.self) { try TorchCheckpoint(path: two, with: "mark") }
        #expect(failure?.code == "CHECKPOINT-SEVERAL" && failure?.text.contains("\"model\", \"average\"") == true)
    }

    @Test("numbers that are cut off are told as such", arguments: [1, 20, 30])
    func truncated(cut: Int) throws {
        let path = try legacy(dictionary("x", tensor(shape: [6], strides: [1])) + ".", cut: cut)
        #expect(#expect(throws: TensorFailure.self) { try TorchCheckpoint(path: path) }?.code == "CHECKPOINT-TRUNCATED")
    }

    @Test("a file with changed bytes is read or refused, never a trap")
    func mutated() throws {
        let whole = try Data(
            contentsOf: URL(
                fileURLWithPath: try legacy(dictionary("x", tensor(shape: [3, 2], strides: [1, 3])) + ".")))
        let path = folder.appendingPathComponent("mutated").path
        var state: UInt64 = 1
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        for _ in 0..<2000 {
            var data = whole
            for _ in 0...random(3) { data[random(data.count)] = UInt8(random(256)) }
            try data.write(to: URL(fileURLWithPath: path))
            do {
                let checkpoint = try TorchCheckpoint(path: path)
                for name in checkpoint.names {
                    #expect(try checkpoint.tensor(name).count == checkpoint.shape(name)?.count)
                }
            } catch let failure {
                #expect(failure is any Failure)
            }
        }
    }

    @Test("a text file and an empty one are no checkpoints")
    func noCheckpoint() throws {
        for text in ["", "hello, this is no model"] {
            let path = folder.appendingPathComponent(UUID().uuidString).path
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            #expect(
                #expect(throws: TensorFailure.self) { try TorchCheckpoint(path: path) }?.code == "CHECKPOINT-FORMAT")
        }
    }
}
