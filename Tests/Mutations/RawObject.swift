/// An element as bytes: nothing about it has to be right.
package struct RawElement: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case bytes([UInt8])
        case items([[RawElement]])
        /// Encapsulated pixel data with an empty offset table.
        case fragments([[UInt8]])
    }

    package var group: UInt16
    package var element: UInt16
    package var vr: String
    package var value: Value
    /// Written in place of the true length.
    package var statedLength: UInt32?

    package init(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: Value) {
        self.group = group
        self.element = element
        self.vr = vr
        self.value = value
    }

    /// Text, padded to an even length.
    package init(_ group: UInt16, _ element: UInt16, _ vr: String, _ text: String) {
        var bytes = Array(text.utf8)
        if bytes.count % 2 == 1 { bytes.append(vr == "UI" ? 0 : 0x20) }
        self.init(group, element, vr, .bytes(bytes))
    }

    /// Unsigned 16-bit numbers.
    package init(_ group: UInt16, _ element: UInt16, us values: UInt16...) {
        self.init(group, element, "US", .bytes(values.flatMap(little)))
    }
}

/// A DICOM object that may be wrong in any way, and the file that it makes (Explicit VR Little Endian, or fragments under `syntax`).
///
/// Written without any of the code under test.
package struct RawObject: Sendable, Equatable {
    package var syntax = "1.2.840.10008.1.2.1"
    /// In the order in which they are written.
    package var elements: [RawElement]

    package init(_ elements: [RawElement]) { self.elements = elements }

    /// Preamble, file meta group, data set.
    package var fileBytes: [UInt8] {
        [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
            + Self.bytes(of: [RawElement(2, 0x10, "UI", syntax)]) + Self.bytes(of: elements)
    }

    private static func bytes(of elements: [RawElement]) -> [UInt8] {
        var out: [UInt8] = []
        for element in elements {
            var isOpen = false
            let value: [UInt8]
            switch element.value {
            case .bytes(let bytes): value = bytes
            case .items(let items):
                value = items.flatMap {
                    let body = bytes(of: $0)
                    return [0xFE, 0xFF, 0x00, 0xE0] + little(UInt32(body.count)) + body
                }
            case .fragments(let fragments):
                isOpen = true
                let pieces = ([[]] + fragments).map { [0xFE, 0xFF, 0x00, 0xE0] + little(UInt32($0.count)) + $0 }
                value = pieces.flatMap { $0 } + [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
            }
            let length = element.statedLength ?? (isOpen ? .max : UInt32(value.count))
            out += little(element.group) + little(element.element) + Array(element.vr.utf8)
            if longVRs.contains(element.vr) {
                out += [0, 0] + little(length)
            } else {
                out += little(UInt16(truncatingIfNeeded: length))
            }
            out += value
        }
        return out
    }

    private static let longVRs: Set<String> = [
        "OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UN", "UT", "UC", "UR", "SV", "UV",
    ]

    // MARK: Elements at any depth

    /// Indices on the way to an element: of an element, then of an item in it and of an element in that, and so on.
    package typealias Path = [Int]

    /// Every element, also inside sequences.
    package var paths: [Path] { Self.paths(elements) }

    private static func paths(_ elements: [RawElement]) -> [Path] {
        elements.indices.flatMap { index -> [Path] in
            guard case .items(let items) = elements[index].value else { return [[index]] }
            return [[index]]
                + items.indices.flatMap { item in paths(items[item]).map { [index, item] + $0 } }
        }
    }

    package subscript(path: Path) -> RawElement? { Self.element(elements, path[...]) }

    private static func element(_ elements: [RawElement], _ path: Path.SubSequence) -> RawElement? {
        guard let index = path.first, elements.indices.contains(index) else { return nil }
        guard path.count > 2 else { return elements[index] }
        guard case .items(let items) = elements[index].value else { return nil }
        let item = path[path.startIndex + 1]
        return items.indices.contains(item) ? element(items[item], path.dropFirst(2)) : nil
    }

    /// Puts any number of elements in the place of the one at `path`.
    package mutating func replace(_ path: Path, with new: [RawElement]) { Self.replace(&elements, path[...], new) }

    private static func replace(_ elements: inout [RawElement], _ path: Path.SubSequence, _ new: [RawElement]) {
        guard let index = path.first, elements.indices.contains(index) else { return }
        if path.count < 3 {
            elements.replaceSubrange(index...index, with: new)
        } else if case .items(var items) = elements[index].value, items.indices.contains(path[path.startIndex + 1]) {
            replace(&items[path[path.startIndex + 1]], path.dropFirst(2), new)
            elements[index].value = .items(items)
        }
    }
}

extension RawObject {
    /// One compressed frame and the pixel attributes that it goes by.
    package static func frame(
        _ stream: [UInt8], syntax: String, rows: Int, columns: Int, samples: UInt16 = 1,
        photometric: String = "MONOCHROME2",
        bits: UInt16 = 8, stored: UInt16? = nil, isSigned: Bool = false
    ) -> RawObject {
        let stored = min(stored ?? bits, bits)
        var object = RawObject([
            RawElement(0x0028, 0x0002, us: samples), RawElement(0x0028, 0x0004, "CS", photometric),
            RawElement(0x0028, 0x0010, us: UInt16(clamping: rows)),
            RawElement(0x0028, 0x0011, us: UInt16(clamping: columns)),
            RawElement(0x0028, 0x0100, us: bits), RawElement(0x0028, 0x0101, us: stored),
            RawElement(0x0028, 0x0102, us: stored - 1), RawElement(0x0028, 0x0103, us: isSigned ? 1 : 0),
            RawElement(0x7FE0, 0x0010, "OB", .fragments([stream])),
        ])
        object.syntax = syntax
        return object
    }
}

/// Little endian.
package func little(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}
