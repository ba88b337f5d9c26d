internal import CSystem
internal import Synchronization

/// Keeps the descriptors of input files open as long as there is room, and closes the one used longest ago when there is not.
///
/// A run may read 50,000 files, some again and again; a process may have 1024 descriptors open. Who asks for a file that was
/// closed gets it opened again and verified (`InputFile`).
package final class DescriptorPool: Sendable {
    /// Descriptors at most that this pool keeps open, except while more are being read at once.
    package let capacity: Int
    private let state = Mutex(State())

    /// As many as three quarters of what this process may open, at most 16,384; the limit is raised as far as it goes first.
    package static let shared: DescriptorPool = {
        let limit = cs_raise_descriptor_limit()
        return DescriptorPool(capacity: limit < 0 ? 64 : min(Int(limit) / 4 * 3, 16_384))
    }()

    package init(capacity: Int) { self.capacity = max(1, capacity) }

    /// How many descriptors it holds now.
    package var openCount: Int { state.withLock { $0.places.count } }

    /// A number for a file that is about to use the pool.
    func register() -> UInt64 {
        state.withLock {
            $0.lastNumber += 1
            return $0.lastNumber
        }
    }

    /// Takes over an open descriptor as that of file `number`.
    func adopt(_ descriptor: Int32, of number: UInt64) {
        close(state.withLock { $0.insert(descriptor, number, capacity) })
    }

    /// Closes what file `number` has open; it is not used any more.
    func forget(_ number: UInt64) { if let descriptor = state.withLock({ $0.remove(number) }) { cs_close(descriptor) } }

    /// Calls `body` with the descriptor of file `number`, which `open` gives when it is not open now. It stays open meanwhile.
    func withDescriptor<Result>(
        of number: UInt64, open: () throws(StorageFailure) -> Int32,
        _ body: (Int32) throws(StorageFailure) -> Result
    ) throws(StorageFailure) -> Result {
        var descriptor = state.withLock { $0.use(number) }
        if descriptor == nil {
            let opened = try makingRoom(open)
            let (kept, surplus) = state.withLock { state in
                // Another thread may have opened it meanwhile.
                if let other = state.use(number) { return (other, [opened]) }
                let surplus = state.insert(opened, number, capacity)
                return (state.use(number) ?? opened, surplus)
            }
            close(surplus)
            descriptor = kept
        }
        guard let descriptor else { preconditionFailure("DescriptorPool: a file just opened is open") }
        defer { state.withLock { $0.release(number) } }
        return try body(descriptor)
    }

    /// Opens; when the process has no descriptor left for it, half of the pool is closed and it is tried once more.
    func makingRoom(_ open: () throws(StorageFailure) -> Int32) throws(StorageFailure) -> Int32 {
        do throws(StorageFailure) {
            return try open()
        } catch {
            guard error.systemError == .tooManyFiles else { throw error }
            close(state.withLock { $0.shrink(to: $0.places.count / 2) })
            return try open()
        }
    }

    private func close(_ descriptors: [Int32]) { for descriptor in descriptors { cs_close(descriptor) } }

    deinit { close(state.withLock { $0.places.values.map { $0.descriptor } }) }
}

/// Open files in the order of their use: a list linked by numbers, so that every step takes the same short time.
private struct State {
    struct Place {
        let descriptor: Int32
        /// Calls that read through it now.
        var readers = 0
        var older: UInt64?
        var newer: UInt64?
    }

    var lastNumber: UInt64 = 0
    var places: [UInt64: Place] = [:]
    private var oldest: UInt64?
    private var newest: UInt64?

    /// Adds the newest; gives the descriptors to be closed for it.
    mutating func insert(_ descriptor: Int32, _ number: UInt64, _ capacity: Int) -> [Int32] {
        let surplus = shrink(to: capacity - 1)
        places[number] = Place(descriptor: descriptor)
        link(number)
        return surplus
    }

    /// Marks it as used now and as being read; nil when it is not open.
    mutating func use(_ number: UInt64) -> Int32? {
        guard let descriptor = places[number]?.descriptor else { return nil }
        unlink(number)
        link(number)
        places[number]?.readers += 1
        return descriptor
    }

    mutating func release(_ number: UInt64) { places[number]?.readers -= 1 }

    mutating func remove(_ number: UInt64) -> Int32? {
        guard places[number] != nil else { return nil }
        unlink(number)
        return places.removeValue(forKey: number)?.descriptor
    }

    /// Takes out the oldest that nobody reads until `count` are left.
    mutating func shrink(to count: Int) -> [Int32] {
        var surplus: [Int32] = []
        var next = oldest
        while places.count > count, let number = next, let place = places[number] {
            next = place.newer
            if place.readers == 0, let descriptor = remove(number) { surplus.append(descriptor) }
        }
        return surplus
    }

    private mutating func link(_ number: UInt64) {
        places[number]?.older = newest
        places[number]?.newer = nil
        if let newest { places[newest]?.newer = number } else { oldest = number }
        newest = number
    }

    private mutating func unlink(_ number: UInt64) {
        guard let place = places[number] else { return }
        if let older = place.older { places[older]?.newer = place.newer } else { oldest = place.newer }
        if let newer = place.newer { places[newer]?.older = place.older } else { newest = place.older }
    }
}
