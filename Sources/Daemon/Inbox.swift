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

    package init(id: String, kind: Kind, firstSeen: Int64, files: Int, bytes: Int, fingerprint: String) {
        self.id = id
        self.kind = kind
        self.firstSeen = firstSeen
        self.files = files
        self.bytes = bytes
        self.fingerprint = fingerprint
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

    private let paths: ServicePaths
    private let quiet: Duration
    private var watched: [String: Watched] = [:]
    /// Names of drops that could not be taken when it was last tried.
    private var untaken: Set<String> = []

    /// How many of the drops that are there could not be taken when it was last tried.
    package var untakenCount: Int { untaken.count }

    package init(paths: ServicePaths, quiet: Duration) {
        self.paths = paths
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

    /// One look: names that have settled, the oldest first, and counts of the others.
    ///
    /// *Throws* when the inbox itself cannot be listed.
    package func scan(now: ContinuousClock.Instant = .now) throws(StorageFailure) -> Sight {
        var sight = Sight()
        var present: [String: Watched] = [:]
        var names: Set<String> = []
        for entry in try Folder.list(paths.inbox) where Self.isDrop(entry.name) {
            names.insert(entry.name)
            let found: Fingerprint
            do throws(StorageFailure) {
                found = try Fingerprint(of: Folder.join(paths.inbox, entry.name))
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
        untaken.formIntersection(names)
        sight.settled.sort { (present[$0]?.firstSeen ?? 0, $0) < (present[$1]?.firstSeen ?? 0, $1) }
        return sight
    }

    /// What became of a drop that was to be taken.
    package enum Taking: Sendable, Equatable {
        case taken(TakenDrop)
        /// It changed or vanished between the look and the claim: it settles again under its hidden name.
        case changed
        /// The original of a drop that was taken by copy; removed now, or still hidden where that is not allowed.
        case leftover
    }

    /// Claims a settled drop and takes it into its work folder.
    ///
    /// `knownFingerprint` is that of the drop whose job has the name's ULID already, if any. *Throws* when it cannot be moved; it
    /// stays in the inbox then.
    package func take(_ name: String, knownFingerprint: String? = nil) throws(StorageFailure) -> Taking {
        untaken.remove(name)
        guard let state = watched.removeValue(forKey: name) else { return .changed }
        var claimed = Self.claimedIdentifier(name)
        if claimed == nil { claimed = try claim(name) }
        guard var id = claimed else { return .changed }
        guard try Fingerprint(of: hidden(id)) == state.fingerprint else { return .changed }
        var isKnown = knownFingerprint != nil
        if !isKnown { isKnown = try isTaken(id) }
        if isKnown {
            // Inodes and times are in a fingerprint: an equal one is the very drop that was copied and compared.
            var isLeftover = knownFingerprint == state.fingerprint.digest
            if !isLeftover { isLeftover = try isCopy(hidden(id), of: paths.input(id)) }
            if isLeftover {
                try? Folder.remove(hidden(id))
                return .leftover
            }
            // Another drop under the name of a job that we have.
            let other = Identifier.make()
            try Folder.rename(hidden(id), to: hidden(other))
            id = other
        }
        let kind: TakenDrop.Kind = try FileStatus(of: hidden(id)).kind == .directory ? .directory : .file
        // The name a file had says what it is to a person who opens the kept originals; a crash may have lost it.
        let fileName = name.hasPrefix(Self.claimPrefix) ? "file" : name
        untaken.insert(Self.claimPrefix + id)
        if try move(hidden(id), kind: kind, id: id, fileName: fileName) { try? Folder.remove(hidden(id)) }
        untaken.remove(Self.claimPrefix + id)
        let print = state.fingerprint
        return .taken(
            TakenDrop(
                id: id, kind: kind, firstSeen: state.firstSeen, files: print.files, bytes: print.bytes,
                fingerprint: print.digest))
    }

    private func hidden(_ id: String) -> String { Folder.join(paths.inbox, Self.claimPrefix + id) }

    /// Gives the ULID that it has now; nil when it vanished.
    private func claim(_ name: String) throws(StorageFailure) -> String? {
        let id = Identifier.make()
        do throws(StorageFailure) {
            try Folder.rename(Folder.join(paths.inbox, name), to: hidden(id))
        } catch {
            if error.systemError == .notFound { return nil }
            throw error
        }
        return id
    }

    /// Whether a job of this name has its input already.
    private func isTaken(_ id: String) throws(StorageFailure) -> Bool {
        let input = paths.input(id)
        guard FileStatus.exists(input) else { return false }
        // A folder that was made for a file, before the service died.
        guard try FileStatus(of: input).kind == .directory else { return true }
        return try !Folder.list(input).isEmpty
    }

    /// Whether every file of a drop stands in `input` too, byte for byte.
    private func isCopy(_ drop: String, of input: String) throws(StorageFailure) -> Bool {
        guard FileStatus.exists(input) else { return false }
        if try FileStatus(of: drop).kind != .directory {
            guard let only = try Folder.list(input).first else { return false }
            return try DropCopy.haveSameBytes(drop, Folder.join(input, only.name))
        }
        for entry in try Folder.walk(drop) {
            switch entry.status.kind {
            case .directory: continue
            case .regular:
                let other = Folder.join(input, entry.name)
                guard FileStatus.exists(other), try DropCopy.haveSameBytes(Folder.join(drop, entry.name), other) else {
                    return false
                }
            case .symlink, .other, .unnameable: return false
            }
        }
        return true
    }

    /// The claimed drop as `work/<id>/input`: by one rename, or by copy where the inbox is another disk or another user's.
    ///
    /// Gives whether it was copied: the original is then still there.
    private func move(_ drop: String, kind: TakenDrop.Kind, id: String, fileName: String) throws(StorageFailure) -> Bool
    {
        let input = paths.input(id)
        try Folder.make(kind == .file ? input : paths.folder(id), mode: 0o750)
        let target = kind == .file ? Folder.join(input, fileName) : input
        var copied = false
        do throws(StorageFailure) {
            try Folder.rename(drop, to: target)
        } catch {
            guard error.systemError == .otherFileSystem || error.systemError == .denied else { throw error }
            if kind == .file { try Folder.remove(input) }
            do throws(StorageFailure) {
                try DropCopy.copy(drop, into: paths.folder(id), as: "input", fileName: fileName)
            } catch {
                // Nothing of a copy that failed stays: it would take the room that the next one needs.
                try? Folder.remove(paths.folder(id))
                throw error
            }
            copied = true
        }
        if kind == .file { try Folder.sync(input) }
        try Folder.sync(paths.folder(id))
        try Folder.sync(paths.work)
        try Folder.sync(paths.inbox)
        return copied
    }
}
