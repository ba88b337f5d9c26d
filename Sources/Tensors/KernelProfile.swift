internal import CKernels

/// Where the time of kernels goes, counted since the last reset.
package enum KernelProfile {
    /// One kind of kernel.
    package struct Entry: Sendable {
        /// The kind of kernel: `linear int8`, `encoder attention`, …
        package let name: String
        package let seconds: Double
        /// Multiplications and additions of products.
        package let operations: Double
        package let calls: Int
    }

    /// Begins to count from nothing.
    package static func reset() { ck_profile_reset() }

    /// Kinds that were called, the longest first.
    package static var entries: [Entry] {
        var found: [Entry] = []
        var entry = ck_profile()
        var index = 0
        while ck_profile_at(index, &entry) {
            if entry.calls > 0 {
                found.append(
                    Entry(
                        name: String(cString: entry.name), seconds: entry.seconds, operations: entry.operations,
                        calls: entry.calls))
            }
            index += 1
        }
        return found.sorted { $0.seconds > $1.seconds }
    }

    /// Multiplications and additions a second that all threads reach in registers alone, in products of `precision`.
    ///
    /// *Cost*: about `seconds`.
    package static func peak(_ precision: Precision, seconds: Double = 0.3) -> Double {
        ck_peak(kernels, precision.type, seconds)
    }
}
