/// Looks for what Foundation's decoder passes over: a key that stands twice in one object, of which it takes one value.
package struct RepeatedKey {
    private enum Level {
        case object(Set<String>)
        case array
    }

    /// The first key that an object of valid JSON holds twice, as it is written; nil where there is none.
    ///
    /// *Cost*: one pass over the bytes.
    package static func first(in json: [UInt8]) -> String? {
        var levels: [Level] = []
        // The text before a colon, where one is open.
        var (text, isText, isEscaped, last) = ([UInt8](), false, false, "")
        for byte in json {
            if isText {
                if isEscaped || byte != UInt8(ascii: "\"") {
                    text.append(byte)
                    isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                } else {
                    (last, isText) = (String(decoding: text, as: UTF8.self), false)
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): (text, isText) = ([], true)
            case UInt8(ascii: "{"): levels.append(.object([]))
            case UInt8(ascii: "["): levels.append(.array)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
            case UInt8(ascii: ":"):
                guard case .object(var keys)? = levels.popLast() else { return nil }
                guard keys.insert(last).inserted else { return last }
                levels.append(.object(keys))
            default: break
            }
        }
        return nil
    }
}
