/// Divides waiting jobs among tasks of about the same time.
package struct Packing {
    /// What a job takes beside its files, in seconds: starting the program.
    private static let start = 1.0
    /// Before anything is known of this site.
    private static let unknownSecondsPerFile = 1.0

    private let secondsPerFile: Double
    /// Longest that a task should take, in seconds.
    private let longest: Double
    /// Tasks that can run at a time: as many are made even where fewer would do.
    private let tasks: Int

    /// - Parameter secondsPerFile: what a worker took for each file of late, if anything is known.
    package init(_ cluster: ClusterSettings, secondsPerFile: Double?) {
        self.secondsPerFile = secondsPerFile ?? Self.unknownSecondsPerFile
        longest = Double(cluster.pack.milliseconds) / 1000
        tasks = max(1, cluster.tasks)
    }

    /// At most `room` tasks, in the order of `jobs`; those that are left wait on.
    ///
    /// - Parameter files: how many a job has.
    package func divided<Work>(_ jobs: [Work], room: Int, files: (Work) -> Int) -> [[Work]] {
        let times = jobs.map { Self.start + Double(max(1, files($0))) * secondsPerFile }
        let target = min(longest, times.reduce(0, +) / Double(tasks))
        var packs: [[Work]] = []
        var filled = Double.infinity
        for (job, time) in zip(jobs, times) {
            // The tolerance keeps equal jobs together that rounding would part.
            if filled + time > target * 1.000001 {
                guard packs.count < room else { break }
                packs.append([])
                filled = 0
            }
            packs[packs.count - 1].append(job)
            filled += time
        }
        return packs
    }
}
