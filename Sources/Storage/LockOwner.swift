internal import CSystem

/// Who holds a lock, as its file says it.
package enum LockOwner {
    /// `process 4711 on pacs-gpu since 2026-11-24T01:44:02Z`.
    package static func thisProcess() -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe cs_describe_process($0.baseAddress, $0.count) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
