import Failures
import Foundation
import Storage
import Tensors
import Testing

@Suite("SafeTensors")
struct SafeTensorsTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "safetensors-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func file(_ header: String, data: Int = 0, announced: Int? = nil) throws -> String {
        var bytes = withUnsafeBytes(of: UInt64(announced ?? header.utf8.count).littleEndian) { Data($0) }
        bytes += Data(header.utf8) + Data(count: data)
        let path = folder.appendingPathComponent(UUID().uuidString).path
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test("what was written is read back, and written again it is the same bytes")
    func roundTrip() throws {
        let tensors = [
            "b": Tensor([2, 3], [1, -2, 3.5, 0, .infinity, 1e-30]), "a \"quoted\"": Tensor([], [7]),
            "empty": Tensor([0, 4], []),
        ]
        let first = folder.appendingPathComponent("first").path
        let second = folder.appendingPathComponent("second").path
        try SafeTensors.write(tensors, to: first, metadata: ["note": "line\nbreak"])
        let read = try SafeTensors(path: first)
        #expect(read.names == ["a \"quoted\"", "b", "empty"])
        #expect(read.metadata == ["note": "line\nbreak"])
        #expect(try read.tensor("b").values == tensors["b"]?.values)
        #expect(read.shape("empty") == [0, 4])
        try SafeTensors.write(try read.tensors(), to: second, metadata: read.metadata)
        #expect(try Data(contentsOf: URL(fileURLWithPath: first)) == Data(contentsOf: URL(fileURLWithPath: second)))
    }

    @Test("16-bit storage rounds to nearest even and reads back exactly", arguments: [ElementType.f16, .bf16])
    func halves(type: ElementType) throws {
        let exact: [Float] = [0, -0.0, 1, -1.5, 0.000_061_035_156, 1024, .infinity, -.infinity]
        let path = folder.appendingPathComponent("half-\(type.rawValue)").path
        try SafeTensors.write(["x": Tensor([8], exact)], to: path) { _, _ in type }
        let read = try SafeTensors(path: path)
        #expect(read.type("x") == type)
        #expect(try read.tensor("x").values == exact)
    }

    @Test("a tensor whose memory was let go is read again from the file")
    func taken() throws {
        let values = (0..<10_000).map { Float($0) }
        let path = folder.appendingPathComponent("taken").path
        try SafeTensors.write(["a": Tensor([3], [1, 2, 3]), "b": Tensor([10_000], values)], to: path)
        let read = try SafeTensors(path: path)
        #expect(try read.takeTensor("b").tensor.values == values)
        #expect(try read.takeTensor("b").tensor.values == values && read.tensor("a").values == [1, 2, 3])
        #expect(throws: TensorFailure.self) { try read.takeTensor("c") }
    }

    @Test("a tensor that is taken says whether it is finite", arguments: [ElementType.f32, .f16, .bf16])
    func finite(type: ElementType) throws {
        let path = folder.appendingPathComponent("finite-\(type.rawValue)").path
        // Longer than what one thread converts at once.
        var values = [Float](repeating: 1.5, count: 70_001)
        try SafeTensors.write(["x": Tensor([70_001], values)], to: path) { _, _ in type }
        #expect(try SafeTensors(path: path).takeTensor("x").isFinite)
        for (index, wrong) in [(0, Float.nan), (40_000, .infinity), (70_000, -.infinity)] {
            values[index] = wrong
            try SafeTensors.write(["x": Tensor([70_001], values)], to: path) { _, _ in type }
            let (tensor, isFinite) = try SafeTensors(path: path).takeTensor("x")
            #expect(!isFinite && tensor.values.map(\.isFinite) == values.map(\.isFinite))
            values[index] = 1.5
        }
    }

    @Test("the digest is that of the file")
    func digest() throws {
        let path = folder.appendingPathComponent("digest").path
        // More than is read at once.
        try SafeTensors.write(["x": Tensor([300_000], (0..<300_000).map(Float.init))], to: path)
        #expect(try SafeTensors(path: path).digest() == FileDigest(ofFile: path))
    }

    @Test("every half converts to float32 and back to itself")
    func allHalves() throws {
        // Through a file of all finite halves, because the conversion itself is not visible outside the module.
        let finite = (0..<UInt16.max).filter { $0 & 0x7C00 != 0x7C00 }
        var bytes = Data()
        for value in finite { withUnsafeBytes(of: value.littleEndian) { bytes += Data($0) } }
        let header = "{\"x\":{\"dtype\":\"F16\",\"shape\":[\(finite.count)],\"data_offsets\":[0,\(bytes.count)]}}"
        let path = folder.appendingPathComponent("halves").path
        var whole = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        whole += Data(header.utf8) + bytes
        try whole.write(to: URL(fileURLWithPath: path))
        let values = try SafeTensors(path: path).tensor("x").values
        #expect(values == finite.map { Float(Float16(bitPattern: $0)) })
        let again = folder.appendingPathComponent("again").path
        try SafeTensors.write(["x": Tensor([finite.count], values)], to: again) { _, _ in .f16 }
        #expect(try Data(contentsOf: URL(fileURLWithPath: again)).suffix(bytes.count) == bytes)
        let between: [Float] = [1.000_488_3, 1.001_464_8, 65519, 65520, 3e-8, 2.9e-8]
        try SafeTensors.write(["x": Tensor([6], between)], to: again) { _, _ in .f16 }
        #expect(try SafeTensors(path: again).tensor("x").values == between.map { Float(Float16($0)) })
    }

    @Test(
        "a header that is not exact is refused with its reason",
        arguments: [
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "ends after 4 of 8"),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "4 bytes follow"),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "offsets 0 to 8 for 12"),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "gap"),
            (
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                8, "overlaps"
            ),
            ("{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown type F33"),
            (
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}", 4,
                "larger than memory"
            ),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "not valid at byte"),
            ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}", 8, "offsets 8 to 4"),
            ("{\"a\":{},\"a\":{}}", 0, "twice"),
            ("[[[[[[[[[[]]]]]]]]]]", 0, "too deep"),
            ("{\"a\":{\"dtype\":\"F32\"}}", 0, "not described"),
            ("{} x", 0, "not valid at byte 3"),
        ])
    func broken(header: String, data: Int, reason: String) throws {
        let path = try file(header, data: data)
        let failure = #expect(throws: TensorFailure.self) { try SafeTensors(path: path) }
        #expect(failure?.code == "TENSOR-FILE")
        #expect(failure?.text.contains(reason) == true, "\(failure?.text ?? "")")
    }

    @Test("a header longer than the file is refused, however long it says it is", arguments: [3, 1000, Int.max])
    func announced(length: Int) throws {
        let path = try file("{", announced: length)
        #expect(throws: TensorFailure.self) { try SafeTensors(path: path) }
    }

    @Test("a file with changed bytes is read or refused, never a trap")
    func mutated() throws {
        let path = folder.appendingPathComponent("mutated").path
        try SafeTensors.write(["a": Tensor([2, 3], repeating: 1), "b": Tensor([4], repeating: 2)], to: path) {
            name, _ in name == "b" ? .f16 : .f32
        }
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
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
                _ = try SafeTensors(path: path).tensors()
            } catch let failure {
                #expect(failure is TensorFailure)
            }
        }
    }

    @Test("a tensor that is not there, and one that is no bytes, are named")
    func wrongAsk() throws {
        let path = try file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", data: 4)
        let read = try SafeTensors(path: path)
        #expect(throws: TensorFailure.self) { try read.tensor("b") }
        #expect(throws: TensorFailure.self) { try read.bytes("a") }
    }
}
