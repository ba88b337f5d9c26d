internal import Processes

/// What a process that is busy with one large file tells its watchdog.
enum SignOfLife {
    /// To be called often; tells it every five seconds.
    static func give() -> () -> Void {
        var heard = ContinuousClock.now
        return {
            guard ContinuousClock.now - heard >= .seconds(5) else { return }
            heard = .now
            ServiceNotification.send("WATCHDOG=1")
        }
    }
}
