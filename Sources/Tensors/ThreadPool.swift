internal import CKernels

/// The one pool of threads on which all kernels run.
package enum ThreadPool {
    /// How many threads may be asked for: each has scratch memory of its own.
    package static let counts = 0...1024

    /// Sets the number of threads, one of `counts`; 0: as many as the process may use. Has an effect before the first kernel only.
    package static func start(threads: Int) {
        precondition(counts.contains(threads), "ThreadPool: \(threads) threads")
        ck_pool_start(threads)
    }
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

    /// `body` of 0 ..< count, computed on the pool, in order. *Throws* what the first one of them, by its number, has thrown.
    package static func map<Value, Failure: Error>(
        _ count: Int, _ body: (Int) throws(Failure) -> Value
    ) throws(Failure) -> [Value] {
        let results = UnsafeMutablePointer<Result<Value, Failure>>.allocate(capacity: max(count, 1))
        defer {
            results.deinitialize(count: count)
            results.deallocate()
        }
        forEach(count) { index in
            (results + index).initialize(to: Result { () throws(Failure) in try body(index) })
        }
        var values: [Value] = []
        values.reserveCapacity(count)
        for index in 0..<count { values.append(try results[index].get()) }
        return values
    }
}
