internal import Synchronization

/// Raised once, seen by others.
final class Flag: Sendable {
    private let raised = Atomic<Bool>(false)

    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
}

/// A number that one task finds and another reads.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    func set(_ value: Int) { number.store(value, ordering: .relaxed) }
    var value: Int { number.load(ordering: .relaxed) }
}
