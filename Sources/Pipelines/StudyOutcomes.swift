/// What becomes of each file of one study while it is worked on; of several outcomes of a file the worst holds.
struct StudyOutcomes {
    /// By member; nil while nothing is known.
    private var outcomes: [InputOutcome?]

    init(_ study: StudyInputs) {
        outcomes = study.members.map { if case .settled(let outcome) = $0.content { outcome } else { nil } }
    }

    mutating func note(_ outcome: InputOutcome, _ members: some Sequence<Int>) {
        for member in members { outcomes[member] = outcomes[member]?.worst(outcome) ?? outcome }
    }

    mutating func stop(_ error: any Error, _ members: some Sequence<Int>) { note(InputOutcome(error), members) }

    /// One for each member. A file that is in no volume and that nothing stopped holds what another one holds too.
    var settled: [InputOutcome] { outcomes.map { $0 ?? InputOutcome(InputFailure.copy) } }
}
