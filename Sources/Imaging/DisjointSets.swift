/// Numbered elements in sets that are joined (union-find with path halving).
struct DisjointSets {
    /// Each element's own, or one nearer to the set's root.
    private var parents: [Int32]

    /// - Parameter count: elements that each make a set of their own.
    init(count: Int) { parents = (0..<Int32(count)).map { $0 } }

    /// A further element in a set of its own; its number.
    mutating func add() -> Int32 {
        let element = Int32(parents.count)
        parents.append(element)
        return element
    }

    /// The element that stands for a set.
    mutating func root(_ element: Int32) -> Int32 {
        var element = element
        while parents[Int(element)] != element {
            parents[Int(element)] = parents[Int(parents[Int(element)])]
            element = parents[Int(element)]
        }
        return element
    }

    /// Joins the set of a root to that of another, which goes on standing for both.
    mutating func join(_ root: Int32, to other: Int32) { parents[Int(root)] = other }
}
