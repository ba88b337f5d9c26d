internal import GRDB
internal import Storage

// What needs a person and is about the service itself, not about one job: each with what to do.

extension Overview {
    /// A controller may be started anew without anybody's help.
    private static let clusterPatience: Int64 = 60_000
    /// An archive may be started anew, and a network mended, without anybody's help.
    private static let deliveryPatience: Int64 = 3_600_000

    /// That drops lie where nobody looks, if any do; whether there is a ledger or not.
    static func strayNote(_ spool: SpoolView) -> Note? {
        guard spool.stray > 0 else { return nil }
        return Note(
            code: "PLACE-STRANGE", text: "\(spool.stray) in the spool's inbox/, and inbox.path is another folder.",
            cure:
                "Move them to inbox.path, where whoever dropped them is to drop (hspsam-receive.service: by --config).")
    }

    /// That the spool's disk, or a folder of the service's, is not there: what stands in it is not seen.
    ///
    /// - Parameter own: by what the ledger knows its spool.
    static func placeNotes(_ spool: SpoolView, _ own: String?) -> [Note] {
        if let own, let found = spool.identity, found != own {
            return [
                Note(
                    code: "SPOOL-OTHER", text: "an empty folder, or another disk, stands where the spool was.",
                    cure: "Mount it.")
            ]
        }
        guard own != nil, !spool.missing.isEmpty else { return [] }
        return [
            Note(
                code: "PLACE-MISSING", text: "\(spool.missing.joined(separator: ", ")) is not there.",
                cure:
                    "Mount its disk, or make a new inbox yourself; what the spool lacks is made at the service's start."
            )
        ]
    }

    /// That the program was replaced while the service runs.
    static let replaced = "program replaced"

    static func replacedNotes(_ isReplaced: String?) -> [Note] {
        guard isReplaced?.isEmpty == false else { return [] }
        return [
            Note(
                code: "PROGRAM-REPLACED",
                text: "the program was replaced while the service runs: its workers are of another version than it is.",
                cure: "systemctl restart hspsam; nothing is lost by it.")
        ]
    }

    /// How many results stand in the outbox that the ledger knows nothing of; empty or nil: none.
    static let unknown = "unknown results"

    static func unknownNotes(_ count: String?) -> [Note] {
        guard let count, !count.isEmpty else { return [] }
        return [
            Note(
                code: "RESULTS-UNKNOWN",
                text:
                    "\(count) results in the outbox are not in the ledger: an older copy of it was put back, or it was lost. They are not sent, and nobody is asked for what they lack.",
                cure:
                    "Stop the service, then: hspsam ledger rebuild. What that does not take in is damaged, or not ours: move it out of the outbox."
            )
        ]
    }

    /// That the outbox was marked with its newest result; how many of those that the ledger knows it lacks as an older copy. Empty or nil: not,
    /// none.
    static let outboxMarked = "outbox marked"
    static let outboxOlder = "outbox older"

    static func outboxNotes(_ count: String?) -> [Note] {
        guard let count, !count.isEmpty else { return [] }
        return [
            Note(
                code: "OUTBOX-OLDER",
                text:
                    "an older copy of the outbox was put back, or it was emptied: \(count) results that were published since are not in it.",
                cure:
                    "Put the newest copy back, or drop their studies again (their originals stand in kept/). Where they are to be gone: hspsam settle --outbox."
            )
        ]
    }

    /// The code of why each drop that has settled cannot be taken.
    static let untakenDrops = "untaken"

    /// A line for each cause: what to do depends on it.
    static func untakenNotes(_ codes: [String]) -> [Note] {
        Set(codes).sorted().map { code in
            let cure =
                switch code {
                case "DISK-FULL": "Free room on the spool's disk: what is another disk's or user's is copied there."
                case "FILE-DENIED", "FILE-READONLY":
                    "Let the service's user write to the inbox and to what is in it: setfacl -R -m u:hspsam:rwX on it; mount its share writable."
                case "FILE-KIND": "Take links and devices out of them, or drop regular files: a copy would lose those."
                default: "journalctl -u hspsam says when it began; look at the disk (dmesg)."
                }
            return Note(
                code: "DROP-UNTAKEN",
                text: "\(codes.count { $0 == code }) in the inbox cannot be taken, though complete (\(code)).",
                cure: "\(cure) They are taken by themselves then.")
        }
    }

    /// That originals of copied drops stay in the inbox.
    static func leftNotes(_ count: Int) -> [Note] {
        guard count > 0 else { return [] }
        return [
            Note(
                code: "DROP-LEFT",
                text: "\(count) in the inbox were copied and taken, and cannot be removed: they take room.",
                cure:
                    "setfacl -R -m u:hspsam:rwX on inbox/.hspsam-*; once for all: setfacl -m d:u:hspsam:rwx on the inbox. They go by themselves then."
            )
        ]
    }

    /// Begins what the ledger remembers of each thing that is done from time to time and could not be, with the code of why.
    static let undone = "undone "

    /// When the clock had gone on by more than it should have, or back.
    static let clockInDoubt = "clock in doubt"
    /// When it was last set by so much, beyond doubt: what was written before says nothing of its age.
    static let clockSet = "clock set"

    static func clockNotes(_ since: String?) -> [Note] {
        // Set back since, it is in doubt no more.
        guard let since = since.flatMap({ Int64($0) }), since <= Moment.now else { return [] }
        return [
            Note(
                code: "CLOCK-DOUBT",
                text:
                    "the clock has gone on by more than three days since the service last looked, or back by as much: where that is wrong, everything seems old, or new. Nothing is removed or given up before \(Moment.text(since + WatchService.longestGap)).",
                cure: "timedatectl: set the clock right if it is wrong; else there is nothing to do.")
        ]
    }

    /// How many results are not sent before a person has dealt with what is wrong with them.
    static let heldBack = "held back"

    static func heldNotes(_ count: Int) -> [Note] {
        guard count > 0 else { return [] }
        return [
            Note(
                code: "DELIVERY-HELD",
                text: "\(count) results that ask for you are not sent to archives before you say so.",
                cure: "Look at their reports; then hspsam settle JOB sends them.")
        ]
    }

    /// That a destination took objects with a warning: what it holds may not be what was sent.
    static func alteredNotes(_ db: Database) throws -> [Note] {
        try Ledger.altered(db).filter { $0.knownAt == nil }.map { found in
            let what = DCMSendReport.Status.alteration(found.code) ?? ""
            return Note(
                code: "DELIVERY-ALTERED",
                text: "\(found.destination) took \(found.objects) objects (\(found.kind)) and \(what) (\(found.code)).",
                cure:
                    "Compare one that it holds with the outbox. Where that is as it should be: hspsam settle --destination \(found.destination) (it is not told again of such objects)."
            )
        }
    }

    /// What destinations are to get and no pipeline writes, and pipelines that gave results and are there no more; empty or nil: none.
    static let unwritten = "unwritten"
    static let gone = "gone"

    static func pipelineNotes(unwritten: String?, gone: String?) -> [Note] {
        var notes: [Note] = []
        if let unwritten, !unwritten.isEmpty {
            notes.append(
                Note(
                    code: "DESTINATION-PARTS", text: "no pipeline writes what is to be sent: \(unwritten).",
                    cure:
                        "Write it (outputs in pipeline.yaml), or take it out of the destination's send; then systemctl reload hspsam."
                ))
        }
        for name in (gone ?? "").split(separator: " ") {
            notes.append(
                Note(
                    code: "PIPELINE-GONE",
                    text: "\(name) has given results and is not in places.pipelines: nothing is made of its studies.",
                    cure: "Put it back. Where it was taken out for good: hspsam settle --pipeline \(name)."))
        }
        return notes
    }

    static func undoneNotes(_ db: Database) throws -> [Note] {
        try Row.fetchAll(
            db,
            sql: "SELECT substr(key, ?) AS place, value FROM meta WHERE key LIKE ? AND value <> '' ORDER BY key",
            arguments: [undone.count + 1, undone + "%"]
        ).map { row in
            Note(
                code: "MAINTENANCE",
                text:
                    "\(row["place"] as String): what is done there from time to time failed (\(row["value"] as String)).",
                cure:
                    "Give the service's user the right to write there (a unit's drop-in: ReadWritePaths=), and its disk room; it is done anew by itself."
            )
        }
    }

    static func notes(
        _ spool: SpoolView, _ work: Work, oversized: Int, unmarked: Int, unfinished: Int,
        _ deliveries: [DeliveryCounts], _ cluster: ClusterState?
    ) -> [Note] {
        var notes: [Note] = []
        if !spool.unlistable.isEmpty {
            notes.append(
                Note(
                    code: "PLACE-UNREADABLE", text: "\(spool.unlistable.joined(separator: ", ")) cannot be listed.",
                    cure: "Give the service's user the right to; look at the disk (dmesg)."))
        }
        if !spool.unwritable.isEmpty {
            notes.append(
                Note(
                    code: "PLACE-UNWRITABLE", text: "\(spool.unwritable.joined(separator: ", ")) cannot be written.",
                    cure: "Give the service's user the right to; remount a disk that became read-only."))
        }
        if work.unbooked > 0 {
            notes.append(
                Note(
                    code: "WORK-UNBOOKED", text: "\(work.unbooked) taken and not in the ledger.",
                    cure: "The running service books them by itself; start it."))
        }
        if work.unkept > 0 {
            notes.append(
                Note(
                    code: "WORK-UNMOVED", text: "\(work.unkept) finished, and their originals not moved out of work/.",
                    cure: "Make kept/ and quarantine/ writable; the service moves them by itself."))
        }
        let strange = spool.strangeWork + spool.strangeQuarantine
        if strange > 0 {
            notes.append(
                Note(
                    code: "PLACE-STRANGE", text: "\(strange) in work/ and quarantine/ that are no job's.",
                    cure: "Move them away."))
        }
        if let stray = strayNote(spool) { notes.append(stray) }
        if oversized > 0 {
            notes.append(
                Note(
                    code: "DROP-LARGE",
                    text:
                        "\(oversized) in the inbox of more files or bytes than limits.drop_files and drop_bytes allow.",
                    cure: "Raise the limits, or drop it in parts."))
        }
        if unmarked > 0 {
            notes.append(
                Note(
                    code: "NEVER-SETTLED", text: "\(unmarked) in the inbox got no marker within settle.give_up.",
                    cure: "Put NAME.ready beside what is complete; remove what is not."))
        }
        if unfinished > 0 {
            notes.append(
                Note(
                    code: "UPLOAD-LEFT",
                    text:
                        "\(unfinished) in the inbox are no drops, and nothing came for settle.give_up: of unfinished transfers (.part, .tmp, ~ ...), hidden images, folders without files, or NAME.ready without NAME.",
                    cure: "Send them again under their own names, or rename what is complete; remove the rest."))
        }
        if spool.unmoved > 0 {
            notes.append(
                Note(
                    code: "RECEIVE-LEFT", text: "\(spool.unmoved) received files did not get to the inbox.",
                    cure:
                        "The running service moves them there within the hour; make the inbox writable for the receiver."
                ))
        }
        if spool.hasReceiverEnded {
            notes.append(
                Note(
                    code: "RECEIVER-DOWN",
                    text: "the receiver ended by itself a moment ago: what is sent does not arrive.",
                    cure:
                        "journalctl -u hspsam-receive says why; another program has its port: ss -ltnp. It is started again every ten seconds."
                ))
        }
        if let cluster, let trouble = cluster.trouble, let since = cluster.troubleSince,
            Moment.now - since > clusterPatience
        {
            notes.append(
                Note(
                    code: "CLUSTER-WAITS", text: "\(trouble) Since \(Moment.text(since)).",
                    cure: "sinfo -R; squeue --me; scontrol show job. Jobs go on by themselves once the cause is gone."))
        }
        let unsent = deliveries.reduce(0) { $0 + $1.waiting }
        if unsent + spool.questions > 0, !spool.isSending {
            let studies = "\(spool.questions) received drops wait for what the archive says of them"
            notes.append(
                Note(
                    code: "SENDER-DOWN",
                    text: "nobody sends: \(unsent) files wait\(spool.questions > 0 ? ", and \(studies)" : "").",
                    cure:
                        "systemctl start hspsam-deliver, or run: hspsam deliver --once; hspsam deliver --retry lets go of what the site file asks for no longer."
                ))
        } else {
            notes += deliveries.compactMap(silence)
        }
        let damaged = deliveries.reduce(0) { $0 + $1.damaged }
        if damaged > 0 {
            notes.append(
                Note(
                    code: OutboxResult.damaged,
                    text: "\(damaged) files are not sent: the outbox does not hold them as they were published.",
                    cure:
                        "hspsam deliver --status names them. Put them back and run hspsam deliver --retry, or remove the rest of their results and drop the studies again."
                ))
        }
        for counts in deliveries where counts.untaken > counts.damaged {
            notes.append(
                Note(
                    code: "DELIVERY",
                    text: "\(counts.destination) did not take \(counts.untaken - counts.damaged) files.",
                    cure: "hspsam deliver --status says why; once the cause is gone: hspsam deliver --retry."))
        }
        return notes
    }

    /// That a destination takes nothing: it may come back by itself, but not for ever.
    private static func silence(_ counts: DeliveryCounts) -> Note? {
        // A time that has not come yet was written before the clock was set back.
        guard let since = counts.silentSince, abs(Moment.now - since) > deliveryPatience else { return nil }
        let trouble = counts.trouble.map { " (\($0))" } ?? ""
        return Note(
            code: "DESTINATION-DOWN",
            text:
                "\(counts.destination) has taken nothing since \(Moment.text(since)), and \(counts.waiting) files wait\(trouble).",
            cure:
                "Look at its machine or share, network, certificate and token: they are sent by themselves once it takes them. Where the site file names it no longer, hspsam deliver --retry lets go of them."
        )
    }
}
