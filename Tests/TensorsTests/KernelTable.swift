import CKernels
import Testing

/// The kernels of one instruction set that this CPU has.
struct KernelTable: CustomTestStringConvertible, @unchecked Sendable {
    // Sendable: a constant in C, never changed.
    let kernels: OpaquePointer

    var name: String { String(cString: ck_kernels_name(kernels)) }
    var testDescription: String { name }

    /// The one that multiplies bfloat16 in tiles, whose sums have an order of their own.
    static let tiled = "amx"
    static var hasTiles: Bool { all.contains { $0.name == tiled } }

    static let all: [KernelTable] = {
        var tables: [KernelTable] = []
        while let kernels = ck_kernels_available(tables.count) { tables.append(KernelTable(kernels: kernels)) }
        return tables
    }()
}
