import Dispatch
import Foundation
import Synchronization

/// Values from one thread to another in their order; who is `capacity` values ahead waits.
final class BoundedQueue<Value: Sendable>: Sendable {
    private struct State {
        var values: [Value] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let free = DispatchSemaphore(value: 0)
    private let filled = DispatchSemaphore(value: 0)

    init(capacity: Int) {
        // Dispatch ends the program when a semaphore goes with less than it began with, as here after an interruption.
        for _ in 0..<capacity { free.signal() }
    }

    /// Filled by `produce` on a thread of its own, which ends when `put` gives false.
    convenience init(capacity: Int, produce: @escaping @Sendable (_ put: (Value) -> Bool) -> Void) {
        self.init(capacity: capacity)
        let thread = Thread { produce(self.put) }
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Waits for room. *Returns* false when the other side wants no more.
    func put(_ value: Value) -> Bool {
        free.wait()
        let isTaken = state.withLock { state in
            if state.isClosed { return false }
            state.values.append(value)
            return true
        }
        if isTaken { filled.signal() } else { free.signal() }
        return isTaken
    }

    /// Waits for a value.
    func take() -> Value {
        filled.wait()
        defer { free.signal() }
        return state.withLock { $0.values.removeFirst() }
    }

    /// Wants no more: a side that waits for room goes on, and `put` gives false.
    func close() {
        state.withLock {
            $0.isClosed = true
            $0.values = []
        }
        free.signal()
    }
}
