internal import Foundation

/// What a service tells its supervisor: systemd's datagrams to `$NOTIFY_SOCKET`, without a library.
///
/// *Source*: sd_notify(3).
package enum ServiceNotification {
    /// Sends `state`, such as `READY=1`. Without a supervisor, or when it cannot be told, nothing happens.
    package static func send(_ state: String, to path: String? = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"]) {
        guard let path, let first = path.utf8.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else {
            return
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A name that begins with @ is an abstract one, which has a zero there.
        let name = [first == UInt8(ascii: "@") ? 0 : first] + path.utf8.dropFirst()
        let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        guard name.count < MemoryLayout<sockaddr_un>.size - offset else { return }
        unsafe withUnsafeMutableBytes(of: &address) { unsafe $0[offset..<offset + name.count].copyBytes(from: name) }
        let socket = Foundation.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        let length = socklen_t(offset + name.count)
        let bytes = Array(state.utf8)
        unsafe _ = withUnsafeBytes(of: &address) { address in
            // MSG_NOSIGNAL: a supervisor that has gone must not end us.
            unsafe bytes.withUnsafeBytes { state in
                unsafe sendto(
                    socket, state.baseAddress, state.count, Int32(MSG_NOSIGNAL),
                    address.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
            }
        }
    }
}

/// The time since the machine was started, sleep included: nobody can set it.
package enum BootClock {
    package static var milliseconds: Int64 {
        var time = timespec()
        unsafe _ = clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
