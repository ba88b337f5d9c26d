import Dispatch
import Foundation
import Storage
import Synchronization
import Tensors

/// Makes the digest of a model's weights on a thread of its own, while they are read and packed on others.
final class DigestCheck: Sendable {
    private let found = Mutex<FileDigest?>(nil)
    private let isMade = DispatchSemaphore(value: 0)

    init(_ weights: SafeTensors) {
        Thread.detachNewThread { [self] in
            let digest = weights.digest()
            found.withLock { $0 = digest }
            isMade.signal()
        }
    }

    /// The digest; waits until it is made.
    var digest: FileDigest? {
        isMade.wait()
        isMade.signal()
        return found.withLock { $0 }
    }
}
