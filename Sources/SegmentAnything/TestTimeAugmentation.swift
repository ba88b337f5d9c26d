/// What a picture is segmented as, besides as it is.
package enum TestTimeAugmentation: String, Sendable, CaseIterable {
    case none
    /// As its mirror image too, and the mean of both decides (`FlipMean`); twice the time.
    case flip

    /// Whether a segment's name says left or right: in a mirror image each is where the other one was.
    package static func namesSide(_ name: String) -> Bool {
        var words = [""]
        var wasLower = false
        for character in name {
            if !character.isLetter && !character.isNumber || wasLower && character.isUppercase { words.append("") }
            if character.isLetter || character.isNumber { words[words.count - 1] += character.lowercased() }
            wasLower = character.isLowercase
        }
        return words.contains { ["left", "right", "l", "r"].contains($0) }
    }
}
