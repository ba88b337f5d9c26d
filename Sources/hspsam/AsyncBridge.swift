import Dispatch
import Synchronization

/// The one bridge from a command, which is synchronous, to the service, which is not: waits on the calling thread.
func waiting<Value: Sendable>(for body: @escaping @Sendable () async throws -> Value) throws -> Value {
    let answer = Answer<Value>()
    let done = DispatchSemaphore(value: 0)
    Task.detached {
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        answer.value.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    guard let result = answer.value.withLock({ $0 }) else { throw CancellationError() }
    return try result.get()
}

private final class Answer<Value: Sendable>: Sendable {
    let value = Mutex<Result<Value, any Error>?>(nil)
}
