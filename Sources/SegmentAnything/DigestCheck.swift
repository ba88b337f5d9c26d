import Foundation
import Storage
import Synchronization
import Tensors

/// Makes the digest of a model's weights on a thread of its own, while they are read and packed on others.
final class DigestCheck: Sendable {
    private let weights: SafeTensors
    /// Held while the digest is made: by the thread, or by whoever asks before it has begun.
    private let found = Mutex<Result<FileDigest, StorageFailure>?>(nil)

    init(_ weights: SafeTensors) {
        self.weights = weights
        Thread.detachNewThread { [self] in _ = result }
    }

    /// The digest; waits until it is made. *Throws* what kept the file from being read.
    var digest: FileDigest {
        get throws(StorageFailure) { try result.get() }
    }

    private var result: Result<FileDigest, StorageFailure> {
        found.withLock { found in
            if let found { return found }
            let made = Result { () throws(StorageFailure) in try weights.digest() }
            found = made
            return made
        }
    }
}
