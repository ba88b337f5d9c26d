internal import Failures
internal import Foundation
package import Logging
internal import Processes
internal import Storage
internal import Synchronization

// What people ask of the service.

extension WatchService {
    /// Carries out what stands in `control/new`, each once.
    func answerRequests() async throws {
        let names: [String]
        do { names = try Folder.list(paths.newRequests).map(\.name) } catch { return }
        for name in names where name.hasSuffix(".json") && !name.hasPrefix(".") {
            let file = Folder.join(paths.newRequests, name)
            let answer: ControlAnswer
            if let bytes = try? DurableFile.read(file, limit: 1 << 16),
                let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(bytes))
            {
                answer = try await perform(request)
            } else {
                answer = ControlAnswer(
                    isDone: false, code: "REQUEST", text: "it is no request that this version knows.")
            }
            do {
                try DurableFile.write(
                    Array(JSONEncoder().encode(answer)), to: Folder.join(paths.answers, name), mode: 0o640)
                try Folder.remove(file)
            } catch let failure as StorageFailure {
                log.error("a request cannot be answered", metadata: ["code": "\(failure.code)"])
            }
        }
    }

    /// *Throws* `DaemonFailure` of the ledger; everything else is an answer.
    package func perform(_ request: ControlRequest) async throws -> ControlAnswer {
        do {
            let answer = try await carryOut(request)
            log.notice("asked", metadata: ["job": "\(request.job ?? "")", "code": "\(answer.code)"])
            try await writeIndex()
            return answer
        } catch let failure as StorageFailure {
            return ControlAnswer(
                isDone: false, code: failure.code, text: "\(failure.message.explanation) \(failure.message.cure)")
        } catch let failure as DaemonFailure where failure.code == "LEDGER-BACKUP" {
            return ControlAnswer(
                isDone: false, code: failure.code, text: "\(failure.message.explanation) \(failure.message.cure)")
        }
    }

    private func carryOut(_ request: ControlRequest) async throws -> ControlAnswer {
        switch request.command {
        case .pause:
            try await ledger.remember("held", "\(Moment.now)")
            return ControlAnswer(isDone: true, code: "HELD", text: "the queue rests; what is in work is finished.")
        case .resume:
            try await ledger.remember("held", "")
            return ControlAnswer(isDone: true, code: "RESUMED", text: "the queue goes on.")
        case .backup:
            try await ledger.backUp(to: paths.backups, keeping: settings.backups)
            return ControlAnswer(isDone: true, code: "BACKUP", text: "a copy of the ledger stands in backups/.")
        case .redeliver:
            let count = try await redeliver()
            let rest = count == 0 ? "" : " \(count) files are let go: nobody asks for them any more."
            return ControlAnswer(isDone: true, code: "REDELIVER", text: "what was not taken is sent again.\(rest)")
        case .retryAllTransient:
            var done: [String] = []
            var refused = 0
            for job in try await ledger.jobs(.quarantined) where job.reason?.kind == .failed {
                if try await retry(job).isDone { done.append(job.id) } else { refused += 1 }
            }
            let rest =
                refused == 0 ? "" : " \(refused) cannot be tried again, their input is gone: quarantine drop them."
            return ControlAnswer(
                isDone: refused == 0, code: "RETRY", text: "\(done.count) wait in the queue again.\(rest)", jobs: done)
        case .settleAll:
            var done: [String] = []
            for id in try await ledger.partial() where try await ledger.settle(id) { done.append(id) }
            try await deliver()
            return ControlAnswer(
                isDone: true, code: "SETTLED", text: "\(done.count) do not ask for anybody any more.", jobs: done)
        case .settleDestination:
            guard let destination = settings.destinations.first(where: { $0.name == request.job }) else {
                return Self.settled(false)
            }
            return Self.settled(try await ledger.settleAltered(destination))
        case .settlePipeline: return Self.settled(try await settlePipeline(request.job ?? ""))
        case .settleOutbox:
            let count = try await settleOutbox()
            return count == 0
                ? ControlAnswer(isDone: false, code: "SETTLED", text: "the outbox lacks nothing that was asked for.")
                : ControlAnswer(
                    isDone: true, code: "SETTLED",
                    text: "\(count) results are gone: their studies are made anew when they come again.")
        case .retry, .cancel, .release, .drop, .settle:
            guard let id = request.job, let job = try await ledger.job(id) else {
                return ControlAnswer(isDone: false, code: "JOB-UNKNOWN", text: "the ledger knows no such job.")
            }
            switch request.command {
            case .retry:
                let answer = try await retry(job)
                // Whoever names it has looked at it: what is there is what is meant.
                if answer.isDone, job.state == .quarantined {
                    try await ledger.recount(job.id, files: Fingerprint(of: paths.input(job.id)).files)
                }
                return answer
            case .cancel: return try await cancel(job)
            case .release: return try await release(job)
            case .settle: return try await settlePartial(job)
            default: return try await settle(job)
            }
        }
    }

    private static func settled(_ wasAsked: Bool) -> ControlAnswer {
        wasAsked
            ? ControlAnswer(isDone: true, code: "SETTLED", text: "nobody is asked about it any more.")
            : ControlAnswer(isDone: false, code: "SETTLED", text: "nobody was asked about one of this name.")
    }

    private func refuse(_ job: Job, _ what: String) -> ControlAnswer {
        ControlAnswer(
            isDone: false, code: "JOB-STATE", text: "the job is \(job.state.rawValue): \(what).", jobs: [job.id])
    }

    /// A fresh start: its attempts are counted anew.
    func retry(_ job: Job) async throws -> ControlAnswer {
        switch job.state {
        case .queued, .retry, .publishing:
            try await ledger.hurry(job.id)
        case .quarantined:
            let folder = Folder.join(paths.quarantine, job.id)
            let input = Folder.join(folder, "input")
            if FileStatus.exists(input) {
                try Folder.make(paths.folder(job.id), mode: 0o750)
                try Folder.rename(input, to: paths.input(job.id))
                try Folder.sync(paths.folder(job.id))
                try Folder.sync(folderOf: paths.folder(job.id))
            }
            guard FileStatus.exists(paths.input(job.id)) else { return refuse(job, "its input is gone") }
            try await ledger.move(job.id, from: .quarantined, to: .queued, reason: nil)
            try await ledger.hurry(job.id)
            try Folder.remove(folder)
        case .running, .published, .done, .cancelled: return refuse(job, "there is nothing to try again")
        }
        return ControlAnswer(isDone: true, code: "RETRY", text: "it is tried next.", jobs: [job.id])
    }

    private func cancel(_ job: Job) async throws -> ControlAnswer {
        switch job.state {
        case .queued, .retry, .publishing:
            guard !shared.withLock({ $0.current.contains(job.id) }) else {
                return refuse(job, "it ends in this moment")
            }
            try await ledger.move(job.id, from: job.state, to: .cancelled, reason: Self.cancelled)
            if let job = try await ledger.job(job.id) { try await tidy(job) }
        case .running where settings.cluster != nil:
            guard try await endOnCluster(job) else { return refuse(job, "it ends in this moment") }
        case .running:
            shared.withLock { _ = $0.cancelled.insert(job.id) }
            await worker.cancel()
        case .quarantined: return refuse(job, "use quarantine drop")
        case .published, .done, .cancelled: return refuse(job, "it has ended")
        }
        return ControlAnswer(
            isDone: true, code: "CANCELLED", text: "it ends; its input goes to kept/.", jobs: [job.id])
    }

    private func release(_ job: Job) async throws -> ControlAnswer {
        guard job.state == .quarantined else { return refuse(job, "only what is in quarantine can be released") }
        let folder = Folder.join(paths.quarantine, job.id)
        let name = DropName.released(job.id)
        let target = Folder.join(paths.inbox, name)
        let input = Folder.join(folder, "input")
        if FileStatus.exists(input) {
            do throws(StorageFailure) { try Folder.rename(input, to: target) } catch {
                guard error.systemError == .otherFileSystem else { throw error }
                // Whole under its name, also where the inbox is another disk.
                let hidden = Folder.join(paths.inbox, ".releasing-\(job.id)")
                try Folder.remove(hidden)
                try TreeCopy.copy(FilePath(input), to: hidden) { [heartbeat] in heartbeat.beat(.inbox) }
                try Folder.rename(hidden, to: target)
                try Folder.remove(input)
            }
            try Folder.sync(folderOf: target)
        }
        guard FileStatus.exists(target) else { return refuse(job, "its input is gone") }
        try await ledger.move(
            job.id, from: .quarantined, to: .cancelled,
            reason: JobReason(.cancelled, code: "RELEASED", text: "a person gave its input back to the inbox."))
        try Folder.remove(folder)
        return ControlAnswer(
            isDone: true, code: "RELEASED", text: "its input is a new drop, inbox/\(name).", jobs: [job.id])
    }

    private func settlePartial(_ job: Job) async throws -> ControlAnswer {
        guard try await ledger.settle(job.id) else {
            return refuse(
                job,
                job.state == .quarantined ? "use quarantine drop" : "nothing of it was left undone that asks for you")
        }
        // What waited for it may go to archives.
        try await deliver()
        return ControlAnswer(
            isDone: true, code: "SETTLED", text: "it does not ask for anybody any more.", jobs: [job.id])
    }

    /// A person has dealt with it. Nothing is removed before its time: the input goes where all originals are.
    private func settle(_ job: Job) async throws -> ControlAnswer {
        guard job.state == .quarantined else { return refuse(job, "only what is in quarantine can be dropped") }
        let folder = Folder.join(paths.quarantine, job.id)
        let input = Folder.join(folder, "input")
        if FileStatus.exists(input) { try await publication.keep(job, from: input) }
        try await ledger.move(
            job.id, from: .quarantined, to: .cancelled,
            reason: JobReason(.cancelled, code: "DROPPED", text: "a person has dealt with it; its input is kept."))
        try Folder.remove(folder)
        return ControlAnswer(
            isDone: true, code: "DROPPED", text: "it is settled; its input goes with the kept originals.",
            jobs: [job.id])
    }
}

/// A command that changes something: asked of the running service, or carried out here where none runs.
package enum Control {
    /// - Parameter patience: how long a running service may take to answer.
    /// *Throws* `DaemonFailure.unanswered`, and what keeps the ledger from being opened.
    package static func ask(
        _ request: ControlRequest, _ settings: ServiceSettings, log: Logger, patience: Duration = .seconds(10)
    ) async throws -> ControlAnswer {
        let paths = ServicePaths(settings)
        func alone() async throws -> ControlAnswer {
            let service = try await WatchService(settings, log: log, stop: StopRequest())
            return try await service.perform(request)
        }
        guard try FileLock.owner(paths.lock) != nil else { return try await alone() }
        let name = try request.write(paths) + ".json"
        let answer = Folder.join(paths.answers, name)
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            // Looked at before the answer: what a service has answered before it ended is there then.
            let isRunning = try FileLock.owner(paths.lock) != nil
            if FileStatus.exists(answer) {
                let bytes = try DurableFile.read(answer, limit: 1 << 20)
                try? Folder.remove(answer)
                return try JSONDecoder().decode(ControlAnswer.self, from: Data(bytes))
            }
            if !isRunning {
                // It was about to end, and has not read the request.
                try Folder.remove(Folder.join(paths.newRequests, name))
                return try await alone()
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DaemonFailure.unanswered
    }
}
