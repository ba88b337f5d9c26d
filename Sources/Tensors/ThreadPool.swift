internal import CKernels

/// The one pool of threads on which all kernels run.
package enum ThreadPool {
    /// Sets the number of threads, 0: as many as the process may use. Has an effect before the first kernel only.
    package static func start(threads: Int) { ck_pool_start(max(0, threads)) }
    package static var threads: Int { ck_pool_threads() }

    /// Runs `body` for 0 ..< count on the pool and waits; the order is free, so bodies must not depend on one another.
    package static func forEach(_ count: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var holder = body
            withUnsafeMutablePointer(to: &holder) { pointer in
                ck_parallel(count, pointer) { context, tile in
                    context?.assumingMemoryBound(to: ((Int) -> Void).self).pointee(tile)
                }
            }
        }
    }

    /// `body` of 0 ..< count, computed on the pool, in order.
    package static func map<Result>(_ count: Int, _ body: (Int) -> Result) -> [Result] {
        let results = UnsafeMutablePointer<Result>.allocate(capacity: max(count, 1))
        defer {
            results.deinitialize(count: count)
            results.deallocate()
        }
        forEach(count) { (results + $0).initialize(to: body($0)) }
        return Array(UnsafeBufferPointer(start: results, count: count))
    }
}

/// The instruction set of the kernels.
package enum InstructionSet {
    /// The name in use: `portable`, `avx2`, `avx512`.
    package static var current: String { String(cString: ck_isa_name()) }

    /// Those that this CPU has, slowest first.
    package static var available: [String] {
        var names: [String] = []
        while let name = ck_isa_available(names.count) { names.append(String(cString: name)) }
        return names
    }

    /// Whether products of `precision` take less time than those of float32 under the one in use.
    package static func prefers(_ precision: Precision) -> Bool { precision != .fp32 && ck_isa_prefers(precision.type) }

    /// False when this CPU cannot run `name`.
    package static func select(_ name: String) -> Bool { ck_isa_select(name) }
}
