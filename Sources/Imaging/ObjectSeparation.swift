/// How objects of a mask that touch are told apart.
package enum ObjectSeparation: Sendable, Equatable {
    /// They are not: what is connected is one object.
    case none
    /// At necks of the mask: where it is narrower than on both sides by at least this share of the thinner side.
    case distance(depth: Double)
    /// By their insides, as a network tells them from boundaries.
    case boundary

    /// The neck of two round objects that lie side by side is far narrower; nuclei that are bent or lobed are seldom cut.
    package static let depth = 0.25
}
