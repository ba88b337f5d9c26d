import Tensors

/// How many pictures are worked on side by side: one a thread, as far as memory goes.
enum SideBySide {
    /// Bytes of all of them.
    private static let budget = 256 << 20

    /// - Parameter bytes: that one picture takes, once worked on and once waiting.
    static func count(bytes: Int) -> Int { max(1, min(ThreadPool.threads, budget / max(1, bytes))) }
}
