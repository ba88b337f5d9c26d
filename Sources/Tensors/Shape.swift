/// The sizes of a tensor's dimensions, outermost first; row-major.
package struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    package let dimensions: [Int]

    package init(_ dimensions: [Int]) { self.dimensions = dimensions }
    package init(arrayLiteral elements: Int...) { dimensions = elements }

    /// The number of elements: the product of all dimensions, 1 for a scalar.
    package var count: Int { dimensions.reduce(1, *) }
    package var rank: Int { dimensions.count }

    /// Dimension `index`; negative counts from the last.
    package subscript(index: Int) -> Int { dimensions[index < 0 ? index + dimensions.count : index] }

    /// The last dimension, 1 for a scalar.
    package var last: Int { dimensions.last ?? 1 }
    /// The product of all dimensions but the last.
    package var rows: Int { dimensions.dropLast().reduce(1, *) }

    package var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }
}
