/// An attribute tag (PS3.5 7.1). Ordered as data sets are.
package struct Tag: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let group: UInt16
    package let element: UInt16

    package init(_ group: UInt16, _ element: UInt16) {
        self.group = group
        self.element = element
    }

    package static func < (a: Tag, b: Tag) -> Bool { (a.group, a.element) < (b.group, b.element) }

    /// `(0010,0020)`
    package var description: String { "(\(Self.hex(group)),\(Self.hex(element)))" }

    package var isPrivate: Bool { group & 1 == 1 }

    private static func hex(_ value: UInt16) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
