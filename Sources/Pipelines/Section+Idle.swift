import Settings

extension Section {
    /// Refuses a key that can change nothing beside the others: whoever wrote it expects something of it.
    ///
    /// - Parameter isIdle: whether that is so, where the key stands here.
    func refuse(idle key: String, if isIdle: Bool = true, _ problem: String, cure: String) throws {
        guard isIdle, has(key) else { return }
        throw failure("PIPE-IDLE", at: key, "\(key) changes nothing: \(problem)", cure: cure)
    }
}
