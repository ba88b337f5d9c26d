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
    /// Why it is taken only to be put aside for a person, if it is.
    package let refusal: JobReason?
    /// What a person should know with its result, if anything.
    package var remark: JobReason?

    package init(
        id: String, kind: Kind, firstSeen: Int64, files: Int, bytes: Int, fingerprint: String, refusal: JobReason? = nil
    ) {
        self.id = id
        self.kind = kind
        self.firstSeen = firstSeen
        self.files = files
        self.bytes = bytes
        self.fingerprint = fingerprint
        self.refusal = refusal
    }
}

/// The folder where people and programs drop studies.
///
/// It is looked at every few seconds; notifications of the kernel see nothing on network shares. A drop is *settled* when its
/// fingerprint stayed the same for the quiet time over at least two looks, or when it is marked as ready. It is *claimed* by
/// renaming it to `.hspsam-<ULID>` inside the inbox, which only one process can do and needs no right on the drop itself, and
/// then *taken* to `work/<ULID>/input`. A crash between any two steps is picked up by the next look: a claimed drop settles again
/// under its hidden name. Names are bytes, whatever they mean as text.
package actor Inbox {
    /// What a look has found.
    package struct Sight: Sendable, Equatable {
        /// Names of drops, hidden ones that were claimed included, that may be claimed now; the oldest first.
        package var settled: [FilePath] = []
        package var settling = 0
        /// Drops that cannot be listed, by count: their names stay unsaid.
        package var unreadable = 0
        /// Drops of more files or bytes than are accepted.
        package var oversized = 0
        /// Originals of drops that were taken by copy, and that may not be removed.
        package var unremovable = 0
        /// Drops that got no marker within `settle.give_up` where only marked ones are taken; they count as settling too.
        package var unmarked = 0
        /// What is no drop and looks as if it should be one, when nothing of it changed for `settle.give_up`: of unfinished transfers, hidden
        /// images, folders without any file, markers without their drop.
        package var unfinished = 0
    }

    private struct Watched {
        var fingerprint: Fingerprint
        var since: ContinuousClock.Instant
        let begun: ContinuousClock.Instant
        let firstSeen: Int64
        var looks: Int
        /// What its marker said, and which marker that was.
        var marked: (status: FileStatus, readiness: SettlingRules.Readiness)?
    }

    private let paths: ServicePaths
    private var rules: SettlingRules
    private var watched: [FilePath: Watched] = [:]
    /// Names of drops that could not be taken when it was last tried, with the code of why.
    private var untaken: [FilePath: String] = [:]
    /// Why those of them are only put aside that are: once claimed nothing else tells it.
    private var refused: [FilePath: JobReason] = [:]
    /// Originals that were proven to be copied and could not be removed.
    private var leftovers: [FilePath: Fingerprint] = [:]

    /// The codes of why drops that are there could not be taken when it was last tried, one for each, sorted.
    package var untakenCodes: [String] { untaken.values.sorted() }

    package init(paths: ServicePaths, rules: SettlingRules) {
        self.paths = paths
        self.rules = rules
    }

    package init(paths: ServicePaths, quiet: Duration) { self.init(paths: paths, rules: SettlingRules(quiet: quiet)) }

    package func use(_ rules: SettlingRules) { self.rules = rules }

    /// What a drop was like at the last look.
    func fingerprint(of name: FilePath) -> String? { watched[name]?.fingerprint.digest }

    /// One look: names that have settled, the oldest first, and counts of the others.
    ///
    /// `each` is called for each drop. *Throws* when the inbox itself cannot be listed.
    package func scan(now: ContinuousClock.Instant = .now, each: () -> Void = {}) throws(StorageFailure) -> Sight {
        var sight = Sight()
        var present: [FilePath: Watched] = [:]
        let entries = try Folder.list(paths.inbox)
        let names = Set(entries.map(\.path))
        let files = Set(entries.filter { $0.status.kind == .regular }.map(\.path))
        let latest = (Moment.now - rules.giveUp.milliseconds) * 1_000_000
        for entry in entries where entry.status.isUntouched(since: latest) {
            if isLeft(entry, since: latest, among: names) { sight.unfinished += 1 }
        }
        for entry in entries where DropName.isDrop(entry) {
            let name = entry.path
            each()
            let found: Fingerprint
            do throws(StorageFailure) {
                found = try Fingerprint(of: FilePath(paths.inbox).appending(name))
            } catch {
                // Gone while we looked is not unreadable: it is gone.
                if error.systemError == .notFound { continue }
                if case .tooLarge = error { sight.oversized += 1 } else { sight.unreadable += 1 }
                continue
            }
            if leftovers[name] == found {
                do throws(StorageFailure) {
                    try Folder.remove(FilePath(paths.inbox).appending(name).text)
                    leftovers[name] = nil
                } catch { sight.unremovable += 1 }
                continue
            }
            // Somebody made a folder and has not copied anything into it yet: no drop, and nothing to wait for.
            guard found.files > 0 else {
                if let marker = entries.first(where: { $0.path == name.extended(DropName.readyEnding) }) {
                    // Whoever says that it is complete believes that there is something in it.
                    if marker.status.isUntouched(since: latest) { sight.unfinished += 1 } else { sight.settling += 1 }
                } else if let content = content(name), !content.isEmpty,
                    content.allSatisfy({ $0.status.isUntouched(since: latest) })
                {
                    sight.unfinished += 1
                }
                continue
            }
            if found.files > rules.mostFiles || found.bytes > rules.mostBytes {
                sight.oversized += 1
                continue
            }
            var state =
                watched[name]
                ?? Watched(fingerprint: found, since: now, begun: now, firstSeen: Moment.now, looks: 0)
            if state.fingerprint != found {
                (state.fingerprint, state.since, state.looks, state.marked) = (found, now, 0, nil)
            }
            state.looks += 1
            if isSettled(name, &state, files, now, each) {
                sight.settled.append(name)
            } else {
                sight.settling += 1
                if mode(of: name) == .readyOnly, now - state.begun >= rules.giveUp { sight.unmarked += 1 }
            }
            present[name] = state
        }
        watched = present
        untaken = untaken.filter { names.contains($0.key) }
        refused = refused.filter { names.contains($0.key) }
        leftovers = leftovers.filter { names.contains($0.key) }
        sight.settled.sort { (present[$0]?.firstSeen ?? 0, $0) < (present[$1]?.firstSeen ?? 0, $1) }
        return sight
    }

    /// Whether it is no drop and was meant to become one, and nothing of it was changed since then.
    private func isLeft(_ entry: Folder.Entry, since latest: Int64, among names: Set<FilePath>) -> Bool {
        if let drop = DropName.marked(by: entry) { return !names.contains(drop) }
        let isHidden = DropName.isHidden(entry.path)
        guard isHidden || DropName.isUnfinished(entry.path) else { return false }
        if entry.status.kind != .directory { return !isHidden || isImage(entry.path) }
        // What cannot be listed, or not to its end, is there all the same; empty folders are nobody's.
        guard let content = content(entry.path) else { return !isHidden }
        let files = content.filter { $0.status.kind != .directory }
        guard !files.isEmpty, content.allSatisfy({ $0.status.isUntouched(since: latest) }) else { return false }
        // Systems keep hidden folders of their own.
        return !isHidden || files.prefix(Self.mostHidden).contains { isImage(entry.path.appending($0.path)) }
    }

    /// Files of a hidden folder that are looked into.
    private static let mostHidden = 20

    private func content(_ name: FilePath) -> [Folder.Entry]? {
        try? Folder.walk(FilePath(paths.inbox).appending(name), limit: Fingerprint.mostEntries)
    }

    /// Whether it begins as DICOM, a picture or an archive does. *Source*: PS3.10 2024e, 7.1; PNG, JPEG, TIFF 6 and BigTIFF, ZIP.
    private func isImage(_ name: FilePath) -> Bool {
        guard let file = try? InputFile(FilePath(paths.inbox).appending(name)),
            let head = try? file.read(0..<min(file.size, 132))
        else { return false }
        return head.dropFirst(128).elementsEqual("DICM".utf8) || Self.imageMarks.contains(where: head.starts)
    }
    private static let imageMarks: [[UInt8]] = [
        [0x89, 0x50, 0x4E, 0x47], [0xFF, 0xD8, 0xFF], [0x49, 0x49, 0x2A, 0], [0x4D, 0x4D, 0, 0x2A],
        [0x49, 0x49, 0x2B, 0], [0x4D, 0x4D, 0, 0x2B], [0x50, 0x4B, 3, 4],
    ]

    /// Nobody marks what our receiver, or a release from the quarantine, has put there.
    private func mode(of name: FilePath) -> SettlingRules.Mode {
        ReceivedDrop.isOne(name) || DropName.isReleased(name) ? .quiet : rules.mode
    }

    private func isSettled(
        _ name: FilePath, _ state: inout Watched, _ files: Set<FilePath>, _ now: ContinuousClock.Instant,
        _ each: () -> Void
    ) -> Bool {
        let mode = mode(of: name)
        let isOver = mode == .quiet && now - state.begun >= rules.giveUp
        guard state.looks >= 2 else { return isOver }
        // A drop that was claimed had settled before.
        if DropName.claimedIdentifier(name) != nil { return now - state.since >= min(rules.quiet, .seconds(5)) }
        let inbox = FilePath(paths.inbox)
        guard let marker = rules.marker(name, in: inbox, files), let status = try? FileStatus(of: marker.path) else {
            return mode == .quiet && now - state.since >= rules.quiet
        }
        // Digests are compared once, not at every look.
        if state.marked?.status != status {
            state.marked = (status, rules.readiness(inbox.appending(name), marker, state.fingerprint, each: each))
        }
        return state.marked?.readiness == .ready || now - state.begun >= rules.giveUp
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
    /// - Parameter isBooked: whether the ledger knows a job of the name's ULID.
    /// - Parameter each: called after each piece of a copy.
    /// *Throws* when it cannot be moved; it stays in the inbox then.
    package func take(
        _ name: FilePath, isBooked: Bool = false, each: () -> Void = {}
    ) throws(StorageFailure) -> Taking {
        untaken[name] = nil
        guard let state = watched.removeValue(forKey: name) else { return .changed }
        var present = name
        let refusal = refusal(state) ?? refused.removeValue(forKey: name)
        do throws(StorageFailure) {
            return try take(name, state, refusal, isBooked: isBooked, present: &present, each)
        } catch {
            refused[present] = refusal
            // What somebody still writes to settles again.
            if error.code != StorageFailure.changed(path: "").code { untaken[present] = error.code }
            throw error
        }
    }

    /// - Parameter present: its name from now on.
    private func take(
        _ name: FilePath, _ state: Watched, _ refusal: JobReason?, isBooked: Bool, present: inout FilePath,
        _ each: () -> Void
    ) throws(StorageFailure) -> Taking {
        let print = state.fingerprint
        let isElsewhere =
            try FileStatus(of: FilePath(paths.inbox).appending(name)).device
            != FileStatus(of: paths.work, followingLinks: true).device
        if isElsewhere, let odd = print.odd {
            // Only by copy could it be taken, and a copy without that would lose it: it keeps its name, for whoever dropped it.
            throw .notAFile(path: name.text, kind: odd)
        }
        var claimed = DropName.claimedIdentifier(name)
        if claimed == nil {
            claimed = try claim(name)
            // At once: the next drop of this name, which is not complete yet, would be taken by it.
            let marker = FilePath(paths.inbox).appending(name).extended(DropName.readyEnding)
            if (try? FileStatus(of: marker))?.kind == .regular { try? Folder.remove(marker) }
        }
        guard var id = claimed else { return .changed }
        present = DropName.claimed(id)
        if refusal == nil, try Fingerprint(of: hidden(id)) != print { return .changed }
        var isKnown = isBooked
        if !isKnown { isKnown = try isTaken(id) }
        if isKnown {
            for copy in try inputs(of: id) {
                if try isContained(hidden(id), in: copy, each) { return removeOriginal(id, print) }
            }
            // Another drop under the name of a job that we have.
            let other = Identifier.make()
            try Folder.rename(hidden(id), to: hidden(other))
            id = other
            present = DropName.claimed(id)
        }
        let kind: TakenDrop.Kind = try FileStatus(of: hidden(id)).kind == .directory ? .directory : .file
        // The name a file had says what it is to a person who opens the kept originals; a crash may have lost it.
        let fileName = DropName.claimedIdentifier(name) == nil ? name : FilePath("file")
        let isCopied = try move(id, print, kind: kind, fileName: fileName, isElsewhere: isElsewhere, each)
        if isCopied { _ = removeOriginal(id, print) }
        return .taken(
            TakenDrop(
                id: id, kind: kind, firstSeen: state.firstSeen, files: print.files, bytes: print.bytes,
                fingerprint: print.digest, refusal: refusal))
    }

    /// Why a drop is only put aside, if it is.
    private func refusal(_ state: Watched) -> JobReason? {
        if state.looks < 2 {
            return JobReason(
                .failed, code: "NEVER-SETTLED",
                text: "it was still changing after settle.give_up. Drop it again once it is complete.")
        }
        if state.marked?.readiness == .contradicted {
            return JobReason(
                .failed, code: "READY-DIFFERS",
                text:
                    "its marker names other files or digests than are there, or there is nothing but the marker. Copy it again, the marker last."
            )
        }
        return nil
    }

    private func hidden(_ id: String) -> FilePath { FilePath(paths.inbox).appending(DropName.claimed(id)) }

    private func removeOriginal(_ id: String, _ print: Fingerprint) -> Taking {
        do throws(StorageFailure) { try Folder.remove(hidden(id).text) } catch {
            leftovers[DropName.claimed(id)] = print
        }
        return .leftover
    }

    /// Gives the ULID that it has now; nil when it vanished.
    private func claim(_ name: FilePath) throws(StorageFailure) -> String? {
        let id = Identifier.make()
        do throws(StorageFailure) {
            try Folder.rename(FilePath(paths.inbox).appending(name), to: hidden(id))
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

    /// Where the input of a job may stand.
    private func inputs(of id: String) throws(StorageFailure) -> [FilePath] {
        let others = [paths.input(id), Folder.join(paths.quarantine, "\(id)/input")].filter { FileStatus.exists($0) }
        return try (others + paths.keptInputs(of: id)).map { FilePath($0) }
    }

    /// Whether every file of a drop stands in `input` too, byte for byte; a single file may have another name there.
    private func isContained(
        _ drop: FilePath, in input: FilePath, _ each: () -> Void
    ) throws(StorageFailure) -> Bool {
        if try FileStatus(of: drop).kind == .directory { return try TreeCopy.isContained(drop, in: input, each: each) }
        guard let only = try Folder.list(input).first else { return false }
        return try TreeCopy.isContained(drop, in: input.appending(only.path), each: each)
    }

    /// The claimed drop as `work/<id>/input`: by one rename, or by copy where the inbox is another disk, or where another user owns
    /// any of it and could go on changing it.
    ///
    /// Gives whether it was copied: the original is then still there. *Cost*: of a rename, one sync a file.
    private func move(
        _ id: String, _ print: Fingerprint, kind: TakenDrop.Kind, fileName: FilePath, isElsewhere: Bool,
        _ each: () -> Void
    ) throws(StorageFailure) -> Bool {
        let drop = hidden(id)
        let input = FilePath(paths.input(id))
        // What is refused anyway is never read: it may be moved as it is.
        var isCopied = isElsewhere || rules.copies || (print.isForeign && print.odd == nil)
        do throws(StorageFailure) {
            if !isCopied {
                try Folder.make(kind == .file ? paths.input(id) : paths.folder(id), mode: 0o750)
                do throws(StorageFailure) {
                    try Folder.rename(drop, to: kind == .file ? input.appending(fileName) : input)
                } catch {
                    guard error.systemError == .otherFileSystem || error.systemError == .denied else { throw error }
                    if kind == .file { try Folder.remove(paths.input(id)) }
                    isCopied = true
                }
            }
            if isCopied {
                try Folder.make(paths.folder(id), mode: 0o750)
                try DropCopy.copy(drop, print, into: paths.folder(id), as: "input", fileName: fileName, each: each)
            }
        } catch {
            // Nothing of it is the only one: the drop is in the inbox.
            if FileStatus.exists(drop.text) { try? Folder.remove(paths.folder(id)) }
            throw error
        }
        try Folder.syncTree(paths.input(id), each: each)
        try Folder.sync(paths.folder(id))
        // Either may be a link: what was renamed has gone to where it leads.
        try Folder.sync(folderOf: paths.folder(id))
        try Folder.sync(folderOf: drop.text)
        return isCopied
    }
}
