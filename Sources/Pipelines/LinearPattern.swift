/// A regular expression that is matched in time linear in the text, whatever is written in it: site files and series
/// descriptions both come from outside, and a backtracking engine can be held up for ever.
///
/// Known: literals, `.`, classes `[a-z]` `[^…]`, `\d \w \s`, outside of brackets `\D \W \S`, escapes, groups, `|`, `* + ?`, `^ $`, and a leading `(?i)`.
///
/// *Source*: R. Cox, "Regular Expression Matching: the Virtual Machine Approach" (Pike's algorithm).
package struct LinearPattern: Sendable, Equatable {
    package let text: String
    private let program: [Instruction]
    private let ignoresCase: Bool

    private enum Instruction: Sendable, Equatable {
        case character(Set)
        case split(Int, Int)
        case jump(Int)
        case atStart, atEnd
        case match
    }

    /// Characters by ranges.
    private struct Set: Sendable, Equatable {
        var ranges: [ClosedRange<UInt32>]
        var isInverted = false

        /// - Parameter spellings: one character, in both cases where case does not count.
        func contains(_ spellings: [UInt32]) -> Bool {
            spellings.contains { scalar in ranges.contains { $0.contains(scalar) } } != isInverted
        }

        static let any = Set(ranges: [], isInverted: true)
        static func one(_ scalar: UInt32) -> Set { Set(ranges: [scalar...scalar]) }
        static let digits = Set(ranges: [0x30...0x39])
        static let words = Set(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
        static let spaces = Set(ranges: [0x09...0x0D, 0x20...0x20])
        /// By the letter behind the backslash; not inside brackets.
        static let inverted: [Unicode.Scalar: Set] = ["D": digits, "W": words, "S": spaces].mapValues {
            Set(ranges: $0.ranges, isInverted: true)
        }
    }

    /// What is wrong with a pattern, for a message that says where it stands.
    package struct Problem: Error, Equatable {
        package let reason: String
    }

    package init(_ text: String) throws(Problem) {
        guard text.unicodeScalars.count <= 256 else { throw Problem(reason: "it is longer than 256 characters") }
        self.text = text
        ignoresCase = text.hasPrefix("(?i)")
        // The pattern keeps its case, as `\D` is not `\d`: where case does not count, the text is looked at in both.
        let scalars = Array(text.unicodeScalars.dropFirst(ignoresCase ? 4 : 0))
        var parser = Parser(scalars: scalars)
        program = try parser.whole()
    }

    /// Whether the pattern occurs anywhere in `subject`; at most its first 1024 characters are looked at.
    package func matches(_ subject: String) -> Bool {
        let scalars = subject.unicodeScalars.prefix(1024).map(spellings)
        var current: [Int] = []
        for position in 0...scalars.count {
            // Starting anew at every position: the match may begin anywhere.
            follow(0, position, scalars.count, &current)
            if current.contains(where: { program[$0] == .match }) { return true }
            guard position < scalars.count else { break }
            var next: [Int] = []
            for state in current {
                if case .character(let set) = program[state], set.contains(scalars[position]) {
                    follow(state + 1, position + 1, scalars.count, &next)
                }
            }
            current = next
        }
        return false
    }

    private func spellings(_ scalar: Unicode.Scalar) -> [UInt32] {
        guard ignoresCase else { return [scalar.value] }
        let cases = [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping]
        // A mapping to several characters is no other spelling of this one.
        return [scalar.value] + cases.filter { $0.unicodeScalars.count == 1 }.flatMap { $0.unicodeScalars.map(\.value) }
    }

    /// Adds the states that are reached without reading a character; each once.
    private func follow(_ state: Int, _ position: Int, _ count: Int, _ states: inout [Int]) {
        var waiting = [state]
        while let state = waiting.popLast() {
            if states.contains(state) { continue }
            states.append(state)
            switch program[state] {
            case .jump(let to): waiting.append(to)
            case .split(let one, let other): waiting += [other, one]
            case .atStart: if position == 0 { waiting.append(state + 1) }
            case .atEnd: if position == count { waiting.append(state + 1) }
            case .character, .match: break
            }
        }
    }

    /// Recursive descent; the length cap bounds its depth.
    private struct Parser {
        let scalars: [Unicode.Scalar]
        var at = 0

        var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

        mutating func whole() throws(Problem) -> [Instruction] {
            let body = try alternatives()
            guard next == nil else { throw Problem(reason: "a \")\" has no \"(\"") }
            return body + [.match]
        }

        private mutating func alternatives() throws(Problem) -> [Instruction] {
            var left = try sequence()
            while next == "|" {
                at += 1
                let right = try sequence()
                left = Self.either(left, right)
            }
            return left
        }

        private static func either(_ left: [Instruction], _ right: [Instruction]) -> [Instruction] {
            [.split(1, left.count + 2)] + shifted(left, by: 1) + [.jump(left.count + right.count + 2)]
                + shifted(right, by: left.count + 2)
        }

        private mutating func sequence() throws(Problem) -> [Instruction] {
            var all: [Instruction] = []
            while let scalar = next, scalar != "|", scalar != ")" {
                var piece = try atom()
                while let repeated = next, "*+?".unicodeScalars.contains(repeated) {
                    at += 1
                    let n = piece.count
                    switch repeated {
                    case "*": piece = [.split(1, n + 2)] + Self.shifted(piece, by: 1) + [.jump(0)]
                    case "+": piece += [.split(0, n + 1)]
                    default: piece = [.split(1, n + 1)] + Self.shifted(piece, by: 1)
                    }
                }
                all += Self.shifted(piece, by: all.count)
                guard all.count <= 4096 else { throw Problem(reason: "it is too large") }
            }
            return all
        }

        private static func shifted(_ program: [Instruction], by offset: Int) -> [Instruction] {
            program.map {
                switch $0 {
                case .split(let one, let other): .split(one + offset, other + offset)
                case .jump(let to): .jump(to + offset)
                default: $0
                }
            }
        }

        private mutating func atom() throws(Problem) -> [Instruction] {
            guard let scalar = next else { return [] }
            at += 1
            switch scalar {
            case ".": return [.character(.any)]
            case "^": return [.atStart]
            case "$": return [.atEnd]
            case "[": return [.character(try set())]
            case "\\":
                if let scalar = next, let set = Set.inverted[scalar] {
                    at += 1
                    return [.character(set)]
                }
                return [.character(try escaped())]
            case "*", "+", "?": throw Problem(reason: "a \"\(scalar)\" has nothing to repeat")
            case "{": throw Problem(reason: "counts in braces are not known; write the piece several times")
            case "(":
                if next == "?" {
                    guard at + 1 < scalars.count, scalars[at + 1] == ":" else {
                        throw Problem(reason: "only \"(?:\" and a leading \"(?i)\" are known")
                    }
                    at += 2
                }
                let body = try alternatives()
                guard next == ")" else { throw Problem(reason: "a \"(\" is not closed") }
                at += 1
                return body
            default: return [.character(.one(scalar.value))]
            }
        }

        private mutating func escaped() throws(Problem) -> Set {
            guard let scalar = next else { throw Problem(reason: "it ends in a backslash") }
            at += 1
            switch scalar {
            case "d": return .digits
            case "w": return .words
            case "s": return .spaces
            default:
                guard !scalar.properties.isAlphabetic, !Set.digits.contains([scalar.value]) else {
                    throw Problem(reason: "\"\\\(scalar)\" is not known")
                }
                return .one(scalar.value)
            }
        }

        private mutating func set() throws(Problem) -> Set {
            var set = Set(ranges: [])
            if next == "^" {
                set.isInverted = true
                at += 1
            }
            var isFirst = true
            while let scalar = next, isFirst || scalar != "]" {
                isFirst = false
                at += 1
                if scalar == "\\" {
                    set.ranges += try escaped().ranges
                    continue
                }
                if next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" {
                    let end = scalars[at + 1].value
                    guard scalar.value <= end else { throw Problem(reason: "a range in brackets runs backwards") }
                    set.ranges.append(scalar.value...end)
                    at += 2
                } else {
                    set.ranges.append(scalar.value...scalar.value)
                }
            }
            guard next == "]" else { throw Problem(reason: "a \"[\" is not closed") }
            at += 1
            return set
        }
    }
}
