internal import Processes

/// One attempt at a job, as this machine or another one makes it: the arguments of a worker and what it may take.
package struct WorkOrder: Sendable, Codable {
    package let job: String
    package let attempt: Int
    /// The job's own input first, then those of jobs that it is worked on together with.
    package let inputs: [String]
    /// Digest of the first input's `Fingerprint` with times of change: what is worked on is what was looked at.
    package let fingerprint: String
    package var output: String
    package let program: String
    package let pipelines: String
    /// The file of known results.
    package let known: String
    /// 0: all cores.
    package let threads: Int
    /// Bytes of address space; nil: as many as there are.
    package let memory: Int?
    /// It may take so long, and longer while it tells new progress at least every `hang`.
    package let wall: Duration
    package let hang: Duration
    /// Between the friendly and the final signal.
    package let killGrace: Duration

    package init(
        _ job: Job, attempt: Int, joined: [String], fingerprint: Fingerprint, paths: ServicePaths,
        _ settings: ServiceSettings
    ) {
        self.job = job.id
        self.attempt = attempt
        inputs = [paths.input(job.id)] + joined
        self.fingerprint = fingerprint.digest
        output = paths.output(job.id, attempt: attempt)
        program = settings.program
        pipelines = settings.pipelines
        known = paths.knownResults
        threads = settings.threads
        memory = settings.memory
        wall = settings.wallBase + settings.wallPerFile * max(job.files, 1)
        hang = settings.hang
        killGrace = settings.killGrace
    }

    /// The program and arguments of the worker.
    var command: (program: String, arguments: [String]) {
        ProcessLimits.limited(
            program,
            ["run"] + inputs + ["--out", output, "--pipelines", pipelines, "--known", known, "--json"]
                + (threads > 0 ? ["--threads", "\(threads)"] : []), memory: memory)
    }
}
