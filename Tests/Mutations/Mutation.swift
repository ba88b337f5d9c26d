/// One way in which an attribute can be wrong.
package enum Mutation: String, CaseIterable, Sendable {
    case absent, empty, huge, large, tiny, negative, zero, one, notANumber, infinite, words, longText, manyValues
    case controlCharacters, allBitsSet, oneByte, wrongVR, unknownVR, sequence, text, `repeated`, twice
    case longerLength, shorterLength, hugeLength

    /// What stands in the element's place.
    package func applied(to original: RawElement) -> [RawElement] {
        var element = original
        switch self {
        case .absent: return []
        case .empty: element.value = .bytes([])
        case .huge: element = number("1e20", .max, 1e20)
        case .large: element = number("999999", 999_999, 999_999)
        case .tiny: element = number("1e-300", 1, 1e-300)
        case .negative: element = number("-1", -1, -1)
        case .zero: element = number("0", 0, 0)
        case .one: element = number("1", 1, 1)
        case .notANumber: element = number("NaN", .min, .nan)
        case .infinite: element = number("-inf", .min, -.infinity)
        case .words: element.value = .bytes(Array("any words".utf8) + [0x20])
        case .longText: element.value = .bytes([UInt8](repeating: 0x39, count: 4000))
        case .manyValues:
            element.value = .bytes(Array([String](repeating: "1", count: 1000).joined(separator: "\\").utf8))
        case .controlCharacters: element.value = .bytes([0x1B, 0x24, 0x42, 0xFF, 0x00, 0x5C, 0x0A, 0x5C])
        case .allBitsSet: element.value = .bytes([UInt8](repeating: 0xFF, count: max(2, original.byteCount & ~1)))
        case .oneByte: element.value = .bytes([0x31])
        case .wrongVR: element.vr = original.vr == "US" ? "DS" : "US"
        case .unknownVR: element.vr = "ZZ"
        case .sequence:
            element.vr = "SQ"
            element.value = .items([[], [RawElement(8, 0x100, "SH", "1")]])
        case .text:
            element.vr = "LT"
            element.value = .bytes(Array("1\\2".utf8) + [0x20])
        case .repeated: return [element, element]
        case .twice:
            // A sequence with each of its items again; a value with itself behind it.
            switch element.value {
            case .items(let items): element.value = .items(items + items)
            case .bytes(let bytes): element.value = .bytes(bytes + [0x5C, 0x20] + bytes)
            case .fragments(let fragments): element.value = .fragments(fragments + fragments)
            }
        case .longerLength: element.statedLength = UInt32(original.byteCount + 2)
        case .shorterLength: element.statedLength = UInt32(max(0, original.byteCount - 2))
        case .hugeLength: element.statedLength = 0x7FFF_FFFE
        }
        return [element]

        func number(_ text: String, _ integer: Int64, _ real: Double) -> RawElement {
            var changed = original
            let all: [UInt8]
            switch original.vr {
            case "US", "SS": all = little(UInt16(truncatingIfNeeded: integer))
            case "UL", "SL": all = little(UInt32(truncatingIfNeeded: integer))
            case "FL", "OF": all = little(Float(real).bitPattern)
            case "FD", "OD": all = little(real.bitPattern)
            case "SQ", "OB", "OW": return changed
            default:
                // Each value of several, since the count is another mutation's matter.
                let count = max(1, original.valueCount)
                let joined = [String](repeating: text, count: count).joined(separator: "\\")
                changed = RawElement(original.group, original.element, original.vr, joined)
                return changed
            }
            let count = max(1, original.byteCount / all.count)
            changed.value = .bytes((0..<count).flatMap { _ in all })
            return changed
        }
    }
}

extension RawElement {
    fileprivate var byteCount: Int {
        switch value {
        case .bytes(let bytes): bytes.count
        case .items(let items): 8 * items.count
        case .fragments(let fragments): fragments.reduce(0) { $0 + $1.count }
        }
    }

    /// Values of text between backslashes.
    fileprivate var valueCount: Int {
        if case .bytes(let bytes) = value { bytes.split(separator: 0x5C).count } else { 1 }
    }
}
