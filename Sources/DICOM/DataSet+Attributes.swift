/// Values by the attributes of the table; private attributes are asked for by their tag.
extension DataSet {
    /// The element, or nil. Setting replaces or inserts; nil removes.
    package subscript(attribute: Attribute) -> Element? {
        get { self[attribute.tag] }
        set { self[attribute.tag] = newValue }
    }

    /// True when the attribute is there, with or without a value.
    package func has(_ attribute: Attribute) -> Bool { self[attribute.tag] != nil }

    /// The raw value field (little endian), nil when absent, a sequence or left in the file.
    package func bytes(_ attribute: Attribute) -> [UInt8]? { bytes(attribute.tag) }

    /// The items of a sequence; empty when absent or no sequence.
    package func items(_ attribute: Attribute) -> [DataSet] { items(attribute.tag) }

    /// The first item of a sequence.
    package func item(_ attribute: Attribute) -> DataSet? { items(attribute.tag).first }

    /// The values of a text attribute, decoded by the character set in force; LT, ST, UT and UR have one value.
    package func strings(_ attribute: Attribute) -> [String] { strings(attribute.tag) }

    /// The first value of a text attribute; nil when absent or empty.
    package func string(_ attribute: Attribute) -> String? { string(attribute.tag) }

    /// All values of an attribute as one text with its backslashes, those of binary numbers in decimal; nil when absent or empty.
    package func text(_ attribute: Attribute) -> String? {
        let values: [String]
        switch attribute.vr {
        case .FL, .FD: values = doubles(attribute.tag).map { "\($0)" }
        case .US, .SS, .UL, .SL, .UV, .SV: values = ints(attribute.tag).map { "\($0)" }
        default: return text(attribute.tag)
        }
        return values.isEmpty ? nil : values.joined(separator: "\\")
    }

    /// False when a text holds bytes that its character set does not explain; `strings` shows them as U+FFFD.
    package func isDecodable(_ attribute: Attribute) -> Bool { isDecodable(attribute.tag) }

    /// A UID as it stands, without padding; nil for what `UID` does not accept.
    package func uid(_ attribute: Attribute) -> String? { uid(attribute.tag) }

    /// Numbers of whatever representation; one that is no number is NaN, so that positions stay.
    package func doubles(_ attribute: Attribute) -> [Double] { doubles(attribute.tag) }

    /// The first number; nil when absent or not finite.
    package func double(_ attribute: Attribute) -> Double? { double(attribute.tag) }

    /// Whole numbers of whatever representation; anything else is left out.
    package func ints(_ attribute: Attribute) -> [Int] { ints(attribute.tag) }

    /// The first whole number; nil when absent or none.
    package func int(_ attribute: Attribute) -> Int? { ints(attribute.tag).first }
}
