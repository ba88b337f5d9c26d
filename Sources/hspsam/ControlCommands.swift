import ArgumentParser
import Daemon
import Failures
import Processes

struct RetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Tries a job again at once, one that waits or one in quarantine.",
        discussion: "Example: hspsam retry 01JCK3\n         hspsam retry --all-transient")

    @OptionGroup var service: ServiceOptions
    @Argument(help: "The job.") var job: String?
    @Flag(help: "All in quarantine that should have worked.") var allTransient = false

    func validate() throws {
        if (job == nil) != allTransient { throw ValidationError("Name one job, or give --all-transient.") }
    }

    func run() throws {
        guard let job else { return try service.ask(.retryAllTransient) }
        try service.ask(.retry, job: job)
    }
}

struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ends a job that is not finished; its input is kept.")

    @OptionGroup var service: ServiceOptions
    @Argument(help: "The job.") var job: String

    func run() throws { try service.ask(.cancel, job: job) }
}

struct SettleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle",
        abstract: "Says that what was left undone of a published job is dealt with: it asks for nobody any more.",
        discussion: """
            What waited for that is sent to its destinations (doubtful: hold).
            Example: hspsam settle 01JCK3
                     hspsam settle --all
                     hspsam settle --destination pacs   (what it does with objects is known: DELIVERY-ALTERED)
                     hspsam settle --pipeline skin      (it was taken out for good: PIPELINE-GONE)
                     hspsam settle --outbox             (what an older copy of it lacks is gone: OUTBOX-OLDER)
            """)

    @OptionGroup var service: ServiceOptions
    @Argument(help: "The job.") var job: String?
    @Flag(help: "All that were published and ask for somebody.") var all = false

    @Flag(help: "Results that an older copy of the outbox lacks.") var outbox = false
    @Option(help: "A destination that took objects with a warning.") var destination: String?
    @Option(help: "A pipeline that is there no more.") var pipeline: String?

    func validate() throws {
        guard [job != nil, all, outbox, destination != nil, pipeline != nil].count(where: \.self) == 1 else {
            throw ValidationError("Name one job, or give --all, --outbox, --destination or --pipeline.")
        }
    }

    func run() throws {
        if let job { return try service.ask(.settle, job: job) }
        if let destination { return try service.ask(.settleDestination, name: destination) }
        if let pipeline { return try service.ask(.settlePipeline, name: pipeline) }
        try service.ask(outbox ? .settleOutbox : .settleAll)
    }
}

struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Lets the queue rest until hspsam resume; drops are taken all the same.")

    @OptionGroup var service: ServiceOptions

    func run() throws { try service.ask(.pause) }
}

struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Lets the queue go on.")

    @OptionGroup var service: ServiceOptions

    func run() throws { try service.ask(.resume) }
}

struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "What cannot be worked on: shown, given back, settled.",
        subcommands: [List.self, Show.self, Release.self, Drop.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists it. Exit status 4 when it is empty.")
        @OptionGroup var service: ServiceOptions

        func run() throws {
            let settings = try service.settings()
            let jobs = try LedgerView.jobs(path: ServicePaths(settings).ledger, states: [.quarantined]) ?? []
            if service.json { try service.print(jobs) }
            for job in jobs where !service.json {
                try StandardOutput.line("\(job.job)  \(job.changed)  \(job.code ?? "")")
            }
            if jobs.isEmpty { throw ExitStatus.nothingProcessed }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Says why a job lies there, and what to do.")
        @OptionGroup var service: ServiceOptions
        @Argument(help: "The job.") var job: String

        func run() throws {
            let found = try service.job(job, service.settings())
            if service.json { return try service.print(found) }
            let line = found.line
            try StandardOutput.line(
                "\(line.code ?? "") · \(line.changed) · \(line.files) files · \(found.attempts.count) attempts")
            try StandardOutput.line("  \(line.text ?? "")")
            try StandardOutput.line("  once the cause is gone: hspsam retry \(line.job)")
            try StandardOutput.line("  when it can never work: hspsam quarantine drop \(line.job)")
        }
    }

    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Gives an input back to the inbox, as a new drop.")
        @OptionGroup var service: ServiceOptions
        @Argument(help: "The job.") var job: String

        func run() throws { try service.ask(.release, job: job) }
    }

    struct Drop: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Settles a job; its input goes to the kept originals.")
        @OptionGroup var service: ServiceOptions
        @Argument(help: "The job.") var job: String

        func run() throws { try service.ask(.drop, job: job) }
    }
}
