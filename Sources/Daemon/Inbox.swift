internal import Failures
package import Storage

/// A drop that was moved out of the inbox and is ours now.
package struct TakenDrop: Sendable, Equatable {
    package enum Kind: String, Sendable { case directory, file }

    /// A ULID; its job has the same.
    package let id: String
    package let kind: Kind
    package let firstSeen: Int64
    package let files: Int
    package let bytes: Int
    package let fingerprint: String
    package let odd: FileStatus.Kind?

    package init(
        id: String, kind: Kind, firstSeen: Int64, files: Int, bytes: Int, fingerprint: String, odd: FileStatus.Kind?
    ) {
        self.id = id
        self.kind = kind
        self.firstSeen = firstSeen
        self.files = files
        self.bytes = bytes
        self.fingerprint = fingerprint
        self.odd = odd
    }
}

/// The folder where people and programs drop studies.
///
/// It is looked at every few seconds; notifications of the kernel see nothing on network shares. A drop is *settled* when its
/// fingerprint stayed the same for the quiet time over at least two looks. It is *claimed* by renaming it to `.hspsam-<ULID>`
/// inside the inbox, which only one process can do and needs no right on the drop itself, and then *taken* to `work/<ULID>/input`.
/// A crash between any two steps is picked up by the next look: a claimed drop settles again under its hidden name.
package actor Inbox {
    /// What a look has found.
    package struct Sight: Sendable, Equatable {
        /// Names of drops, hidden ones that were claimed included, that may be claimed now.
        package var settled: [String] = []
        package var settling = 0
        /// Drops that cannot be listed, by count: their names stay unsaid.
        package var unreadable = 0
    }

    private struct Watched {
        var fingerprint: Fingerprint
        var since: ContinuousClock.Instant
        let firstSeen: Int64
        var looks: Int
    }

    private let places: Places
    private let quiet: Duration
    private var watched: [String: Watched] = [:]

    package init(places: Places, quiet: Duration) {
        self.places = places
        self.quiet = quiet
    }

    private static let claimPrefix = ".hspsam-"
    private static let unfinished = [".tmp", ".part", ".partial", ".filepart", ".crdownload", "~"]

    /// Whether a top-level name is a drop: not hidden, not of an unfinished transfer.
    package static func isDrop(_ name: String) -> Bool {
        if name.hasPrefix(claimPrefix) { return claimedIdentifier(name) != nil }
        return !name.hasPrefix(".") && name != "lost+found" && !unfinished.contains { name.lowercased().hasSuffix($0) }
    }

    /// The ULID in the name of a drop that is claimed already.
    package static func claimedIdentifier(_ name: String) -> String? {
        guard name.hasPrefix(claimPrefix) else { return nil }
        let id = String(name.dropFirst(claimPrefix.count))
        return Identifier.isOne(id) ? id : nil
    }

    /// Removes a claimed drop of which a copy was taken; where that is not allowed it stays hidden.
    package func discard(_ name: String) { try? Folder.remove(Folder.join(places.inbox, name)) }

    /// One look: names that have settled, the oldest first, and counts of the others.
    ///
    /// *Throws* when the inbox itself cannot be listed.
    package func scan(now: ContinuousClock.Instant = .now) throws(StorageFailure) -> Sight {
        var sight = Sight()
        var present: [String: Watched] = [:]
        for entry in try Folder.list(places.inbox) where Self.isDrop(entry.name) {
            let found: Fingerprint
            do throws(StorageFailure) {
                found = try Fingerprint(of: Folder.join(places.inbox, entry.name))
            } catch {
                // Gone while we looked is not unreadable: it is gone.
                if error.systemError != .notFound { sight.unreadable += 1 }
                continue
            }
            // Somebody made a folder and has not copied anything into it yet: no drop, and nothing to wait for.
            guard found.files > 0 else { continue }
            var state = watched[entry.name] ?? Watched(fingerprint: found, since: now, firstSeen: Moment.now, looks: 0)
            if state.fingerprint != found { (state.fingerprint, state.since, state.looks) = (found, now, 0) }
            state.looks += 1
            present[entry.name] = state
            if state.looks >= 2, now - state.since >= quiet {
                sight.settled.append(entry.name)
            } else {
                sight.settling += 1
            }
        }
        watched = present
        sight.settled.sort { (present[$0]?.firstSeen ?? 0, $0) < (present[$1]?.firstSeen ?? 0, $1) }
        return sight
    }

    /// Claims a settled drop and takes it into its room.
    ///
    /// Gives nil when it changed or vanished between the look and the claim: it then settles again under its hidden name.
    /// *Throws* when it cannot be moved.
    package func take(_ name: String) throws(StorageFailure) -> TakenDrop? {
        guard let state = watched.removeValue(forKey: name) else { return nil }
        let claimed: String
        if name.hasPrefix(Self.claimPrefix) {
            claimed = name
        } else {
            claimed = Self.claimPrefix + Identifier.make()
            do throws(StorageFailure) {
                try Folder.rename(Folder.join(places.inbox, name), to: Folder.join(places.inbox, claimed))
            } catch {
                if error.systemError == .notFound { return nil }
                throw error
            }
        }
        let hidden = Folder.join(places.inbox, claimed)
        guard try Fingerprint(of: hidden) == state.fingerprint else { return nil }
        let id = String(claimed.dropFirst(Self.claimPrefix.count))
        let kind: TakenDrop.Kind = try FileStatus(of: hidden).kind == .directory ? .directory : .file
        // The name a file had says what it is to a person who opens the kept originals; a crash may have lost it.
        try move(hidden, kind: kind, id: id, fileName: name == claimed ? "file" : name)
        let print = state.fingerprint
        return TakenDrop(
            id: id, kind: kind, firstSeen: state.firstSeen, files: print.files, bytes: print.bytes,
            fingerprint: print.digest,
            odd: print.odd)
    }

    /// The claimed drop as `work/<id>/input`: by one rename, or by copy where the inbox is another disk or another user's.
    private func move(_ hidden: String, kind: TakenDrop.Kind, id: String, fileName: String) throws(StorageFailure) {
        let input = places.input(id)
        // After a copy the original was to be removed, and the service died in between.
        if FileStatus.exists(input) {
            let isWhole = kind == .directory ? true : try !Folder.list(input).isEmpty
            if isWhole { return discard(Folder.split(hidden).name) }
        }
        let room = places.room(id)
        try Folder.make(kind == .file ? input : room, mode: 0o750)
        let target = kind == .file ? Folder.join(input, fileName) : input
        do throws(StorageFailure) {
            try Folder.rename(hidden, to: target)
        } catch {
            guard error.systemError == .otherFileSystem || error.systemError == .denied else { throw error }
            if kind == .file { try Folder.remove(input) }
            try copy(hidden, kind: kind, into: room, input: input, fileName: fileName)
            discard(Folder.split(hidden).name)
        }
        if kind == .file { try Folder.sync(input) }
        try Folder.sync(room)
        try Folder.sync(places.work)
        try Folder.sync(places.inbox)
    }

    /// A whole, synced copy, or none: it gets its name last. Digests are compared by reading the copy back.
    private func copy(
        _ hidden: String, kind: TakenDrop.Kind, into room: String, input: String, fileName: String
    ) throws(StorageFailure) {
        let partial = Folder.join(room, ".partial-input")
        try Folder.remove(partial)
        try Folder.make(partial, mode: 0o750)
        let entries =
            kind == .file ? [Folder.Entry(name: "", status: try FileStatus(of: hidden))] : try Folder.walk(hidden)
        for entry in entries {
            let target = Folder.join(partial, kind == .file ? fileName : entry.name)
            switch entry.status.kind {
            case .directory: try Folder.make(target, mode: 0o750)
            case .regular:
                let written = try DurableFile.copy(
                    entry.name.isEmpty ? hidden : Folder.join(hidden, entry.name), to: target)
                guard try FileDigest(ofFile: target) == written else {
                    throw .system(operation: "copy it: the copy reads back differently", path: target, errno: 5)
                }
            case .symlink, .other, .unnameable: continue
            }
        }
        try Folder.syncTree(partial)
        try Folder.rename(partial, to: input)
    }
}
