import Synchronization

/// What is made when it is first asked for, and once: a network works on an image before all of its layers are there.
///
/// Who asks while it is being made waits. What makes it may use the pool, so those who ask are one thread, or threads of the pool in one
/// job of it.
final class Later<Value: Sendable>: Sendable {
    private enum State {
        case waiting(@Sendable () -> Value)
        case made(Value)
    }

    private let state: Mutex<State>

    init(_ make: @escaping @Sendable () -> Value) { state = Mutex(.waiting(make)) }

    var value: Value {
        state.withLock { state in
            switch state {
            case .made(let value): return value
            case .waiting(let make):
                let value = make()
                state = .made(value)
                return value
            }
        }
    }
}
