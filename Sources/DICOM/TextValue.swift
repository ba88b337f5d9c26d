/// A text as the file holds it and as people read it.
package struct TextValue: Sendable, Equatable {
    /// The value field byte for byte, padding included.
    package let bytes: [UInt8]
    /// Specific Character Set in force, as its defined terms stand in the file; empty for none.
    package let characterSet: String
    /// Decoded, without padding, all values with their backslashes; U+FFFD for each byte that the character set does not explain.
    package let text: String
    /// False when the character set does not explain the bytes: they mean something only together with whatever the sender meant.
    package let isDecodable: Bool
}

extension DataSet {
    /// The text of an attribute in all its forms; nil when absent, empty or no text.
    package func textValue(_ attribute: Attribute) -> TextValue? {
        guard let bytes = bytes(attribute), !bytes.withoutPadding.isEmpty, self[attribute]?.vr.isText == true else {
            return nil
        }
        return TextValue(
            bytes: bytes, characterSet: characterSet, text: text(attribute) ?? "", isDecodable: isDecodable(attribute))
    }
}
