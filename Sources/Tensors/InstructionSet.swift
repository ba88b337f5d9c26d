internal import CKernels

/// The kernels that all operations use: those of the instruction set that the environment names, or of the fastest.
// A constant in C: made once, never changed, as long as the process lives.
nonisolated(unsafe) let kernels: OpaquePointer = ck_kernels_default()

/// The instruction set of the kernels.
package enum InstructionSet {
    /// All names, whatever this CPU has.
    package static let names = ["portable", "avx2", "avx2vnni", "avx512", "avx512vnni", "avx512bf16", "amx"]

    /// The name in use.
    package static var current: String { String(cString: ck_kernels_name(kernels)) }

    /// Those that this CPU has, slowest first.
    package static var available: [String] {
        var names: [String] = []
        while let table = ck_kernels_available(names.count) { names.append(String(cString: ck_kernels_name(table))) }
        return names
    }

    /// Whether products of `precision` take less time than those of float32 under the one in use.
    package static func prefers(_ precision: Precision) -> Bool { ck_kernels_prefer(kernels, precision.type) }
}
