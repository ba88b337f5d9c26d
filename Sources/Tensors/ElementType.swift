internal import CKernels

/// How the elements of a stored tensor are encoded, under the names of the safetensors format.
package enum ElementType: String, Sendable, CaseIterable {
    case f64 = "F64"
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u8 = "U8"
    case bool = "BOOL"

    /// Whether the elements are numbers of floating point, as weights are.
    package var isFloatingPoint: Bool {
        switch self {
        case .f64, .f32, .f16, .bf16: true
        case .i64, .i32, .i16, .i8, .u8, .bool: false
        }
    }

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .f64, .i64: 8
        case .f32, .i32: 4
        case .f16, .bf16, .i16: 2
        case .i8, .u8, .bool: 1
        }
    }
}

/// Float32 to the 16-bit formats, by bits: the same result on every machine.
enum HalfPrecision {
    /// Float32 to the nearest binary16, ties to even; too large becomes infinity.
    static func half(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
        if magnitude >= 0x477F_F000 { return sign | 0x7C00 }  // 65520 and more
        if magnitude < 0x3880_0000 {  // below 2^-14: a multiple of 2^-24
            let steps = (Float(bitPattern: magnitude) * 16_777_216).rounded(.toNearestOrEven)
            return sign | UInt16(steps)
        }
        let rounded = magnitude + 0xFFF + (magnitude >> 13 & 1)
        return sign | UInt16(truncatingIfNeeded: (rounded - 0x3800_0000) >> 13)
    }

    /// Float32 to the nearest bfloat16, ties to even.
    static func bfloat(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if bits & 0x7FFF_FFFF > 0x7F80_0000 { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    }
}

extension Tensor {
    /// A tensor from little-endian `bytes` of another element type, as float32, and whether all its elements are finite.
    ///
    /// `bytes` holds exactly `shape.count · type.size` bytes at any alignment. 64-bit values lose what float32 cannot hold.
    static func decoded(_ bytes: UnsafeRawBufferPointer, as type: ElementType, shape: Shape) -> (
        tensor: Tensor, isFinite: Bool
    ) {
        precondition(
            bytes.count == shape.count * type.size, "Tensor: \(bytes.count) bytes for \(shape) of \(type.rawValue)")
        let tensor = Tensor(uninitialised: shape)
        let (out, count) = (tensor.pointer, shape.count)
        func each<Stored>(_: Stored.Type, _ convert: (Stored) -> Float) -> Bool {
            for i in 0..<count {
                out[i] = convert(bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<Stored>.size, as: Stored.self))
            }
            return tensor.isFinite
        }
        func kernel(_ stored: ck_stored) -> Bool {
            bytes.baseAddress.map { ck_decode(kernels, out, $0, stored, count) } ?? true
        }
        let isFinite =
            switch type {
            case .f32: kernel(ck_stored_f32)
            case .f16: kernel(ck_stored_f16)
            case .bf16: kernel(ck_stored_bf16)
            case .f64: each(Double.self) { Float($0) }
            case .i64: each(Int64.self) { Float($0) }
            case .i32: each(Int32.self) { Float($0) }
            case .i16: each(Int16.self) { Float($0) }
            case .i8: each(Int8.self) { Float($0) }
            case .u8: each(UInt8.self) { Float($0) }
            case .bool: each(UInt8.self) { $0 == 0 ? 0 : 1 }
            }
        return (tensor, isFinite)
    }

    /// The elements as little-endian bytes of `type`: F32 (exact), F16 or BF16 (nearest, ties to even).
    func encoded(as type: ElementType) -> [UInt8] {
        withElements { elements in
            switch type {
            case .f16: bytes(elements.map(HalfPrecision.half))
            case .bf16: bytes(elements.map(HalfPrecision.bfloat))
            default: [UInt8](UnsafeRawBufferPointer(elements))
            }
        }
    }

    /// Whether every element is finite, and stays so when it is stored as `type`.
    package func isFinite(storedAs type: ElementType) -> Bool {
        switch type {
        // From here on the nearest binary16 and the nearest bfloat16 are infinite.
        case .f16: withElements { $0.allSatisfy { abs($0) < 65520 } }
        case .bf16: withElements { $0.allSatisfy { abs($0) < Float(bitPattern: 0x7F7F_8000) } }
        default: isFinite
        }
    }

    private func bytes(_ words: [UInt16]) -> [UInt8] {
        words.withUnsafeBytes { [UInt8]($0) }
    }
}
