internal import Failures

/// Readers of single values and of lists, in threes: `optionalX` gives nil where the key is absent, `x` demands it, and `x(default:)` has
/// a value for its absence. Numbers and truth values must be written without quotation marks.
///
/// *Throws* `SettingsFailure.missing`, `.wrongType`, or `.outOfRange` (with the range), each with file, line and key.
extension Section {
    // MARK: text

    package func optionalString(_ key: String) throws(SettingsFailure) -> String? {
        try value(key, "a text") { text, _ in text }
    }

    package func string(_ key: String) throws(SettingsFailure) -> String { try required(key, optionalString(key)) }

    package func string(_ key: String, default value: String) throws(SettingsFailure) -> String {
        try optionalString(key) ?? value
    }

    /// One of the raw values of an enumeration.
    package func optionalChoice<Choice: CaseIterable & RawRepresentable>(
        _ key: String, _: Choice.Type = Choice.self
    ) throws(SettingsFailure) -> Choice? where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        return try value(key, "one of: \(names.joined(separator: ", "))") { text, _ in Choice(rawValue: text) }
    }

    package func choice<Choice: CaseIterable & RawRepresentable>(
        _ key: String, _ type: Choice.Type = Choice.self
    ) throws(SettingsFailure) -> Choice where Choice.RawValue == String {
        try required(key, optionalChoice(key, type))
    }

    package func choice<Choice: CaseIterable & RawRepresentable>(
        _ key: String, default value: Choice
    ) throws(SettingsFailure) -> Choice where Choice.RawValue == String {
        try optionalChoice(key, Choice.self) ?? value
    }

    // MARK: numbers

    package func optionalInt(_ key: String, in range: ClosedRange<Int> = .min ... .max) throws(SettingsFailure) -> Int?
    {
        let found = try value(key, "a whole number", plainOnly: true) { text, _ in Int(text) }
        return try checked(key, found, range) { "\($0)" }
    }

    package func int(_ key: String, in range: ClosedRange<Int> = .min ... .max) throws(SettingsFailure) -> Int {
        try required(key, optionalInt(key, in: range))
    }

    package func int(_ key: String, in range: ClosedRange<Int> = .min ... .max, default value: Int)
        throws(SettingsFailure) -> Int
    {
        try optionalInt(key, in: range) ?? value
    }

    package func optionalDouble(
        _ key: String, in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude
    ) throws(SettingsFailure) -> Double? {
        let found = try value(key, "a number, e.g. 0.5", plainOnly: true) { text, _ in decimal(text) }
        return try checked(key, found, range) { "\($0)" }
    }

    package func double(
        _ key: String, in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude
    ) throws(SettingsFailure) -> Double {
        try required(key, optionalDouble(key, in: range))
    }

    package func double(
        _ key: String, in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude,
        default value: Double
    ) throws(SettingsFailure) -> Double {
        try optionalDouble(key, in: range) ?? value
    }

    package func optionalBool(_ key: String) throws(SettingsFailure) -> Bool? {
        try value(key, "true or false", plainOnly: true) { text, _ in Bool(text) }
    }

    package func bool(_ key: String) throws(SettingsFailure) -> Bool { try required(key, optionalBool(key)) }

    package func bool(_ key: String, default value: Bool) throws(SettingsFailure) -> Bool {
        try optionalBool(key) ?? value
    }

    // MARK: quantities

    /// `30s`, `5m`, `2h`, `7d`.
    package func optionalDuration(
        _ key: String, in range: ClosedRange<Duration> = .zero ... .seconds(86_400 * 3650)
    ) throws(SettingsFailure) -> Duration? {
        let units = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let found = try value(key, "a time with its unit: 30s, 5m, 2h or 7d") { text, _ in
            quantity(text, units).map { Duration.seconds($0) }
        }
        return try checked(key, found, range) { "\($0.components.seconds)s" }
    }

    package func duration(
        _ key: String, in range: ClosedRange<Duration> = .zero ... .seconds(86_400 * 3650)
    ) throws(SettingsFailure) -> Duration {
        try required(key, optionalDuration(key, in: range))
    }

    package func duration(
        _ key: String, in range: ClosedRange<Duration> = .zero ... .seconds(86_400 * 3650), default value: Duration
    ) throws(SettingsFailure) -> Duration {
        try optionalDuration(key, in: range) ?? value
    }

    /// `20GiB`, `512MiB`, `64KiB`, `100B`: bytes.
    package func optionalSize(_ key: String, in range: ClosedRange<Int> = 0 ... .max) throws(SettingsFailure) -> Int? {
        let units = ["B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40]
        let found = try value(key, "a size with its unit: 20GiB, 512MiB, 64KiB or 100B") { text, _ in
            quantity(text, units)
        }
        return try checked(key, found, range) { "\($0)B" }
    }

    package func size(_ key: String, in range: ClosedRange<Int> = 0 ... .max) throws(SettingsFailure) -> Int {
        try required(key, optionalSize(key, in: range))
    }

    package func size(_ key: String, in range: ClosedRange<Int> = 0 ... .max, default value: Int)
        throws(SettingsFailure) -> Int
    {
        try optionalSize(key, in: range) ?? value
    }

    // MARK: lists

    /// Texts; an empty item (`~`) is refused, an empty text (`""`) is one. `count` demands that many.
    package func optionalStrings(_ key: String, count: ClosedRange<Int> = 0 ... .max) throws(SettingsFailure)
        -> [String]?
    {
        try list(key, "a text", count) { text, _ in text }
    }

    package func strings(_ key: String, count: ClosedRange<Int> = 0 ... .max) throws(SettingsFailure) -> [String] {
        try required(key, optionalStrings(key, count: count))
    }

    package func optionalInts(_ key: String, count: ClosedRange<Int> = 0 ... .max) throws(SettingsFailure) -> [Int]? {
        try list(key, "a whole number", count) { text, plain in plain ? Int(text) : nil }
    }

    package func ints(_ key: String, count: ClosedRange<Int> = 0 ... .max) throws(SettingsFailure) -> [Int] {
        try required(key, optionalInts(key, count: count))
    }

    package func optionalDoubles(_ key: String, count: ClosedRange<Int> = 0 ... .max) throws(SettingsFailure)
        -> [Double]?
    {
        try list(key, "a number", count) { text, plain in plain ? decimal(text) : nil }
    }

    package func doubles(_ key: String, count: ClosedRange<Int> = 0 ... .max) throws(SettingsFailure) -> [Double] {
        try required(key, optionalDoubles(key, count: count))
    }

    // MARK: how

    private func required<Value>(_ key: String, _ value: Value?) throws(SettingsFailure) -> Value {
        guard let value else { throw missing(key) }
        return value
    }

    private func value<Value>(
        _ key: String, _ wanted: String, plainOnly: Bool = false, _ parse: (String, Bool) -> Value?
    ) throws(SettingsFailure) -> Value? {
        guard let node = node(key) else { return nil }
        if case .scalar(let text, let plain) = node.content, plain || !plainOnly, let value = parse(text, plain) {
            return value
        }
        throw .wrongType(place: .init(file: file, line: node.line), key: name(key), found: node.shown, wanted: wanted)
    }

    private func checked<Value: Comparable>(
        _ key: String, _ value: Value?, _ range: ClosedRange<Value>, _ shown: (Value) -> String
    ) throws(SettingsFailure) -> Value? {
        guard let value, !range.contains(value) else { return value }
        throw .outOfRange(
            place: place(of: key), key: name(key), found: shown(value),
            range: "\(shown(range.lowerBound)) to \(shown(range.upperBound))")
    }

    private func list<Value>(
        _ key: String, _ wanted: String, _ count: ClosedRange<Int>, _ parse: (String, Bool) -> Value?
    ) throws(SettingsFailure) -> [Value]? {
        guard let items = try items(key) else { return nil }
        guard count.contains(items.count) else {
            let many =
                count.lowerBound == count.upperBound
                ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
            throw .wrongType(
                place: place(of: key), key: name(key), found: "a list of \(items.count)", wanted: "\(many) items")
        }
        var values: [Value] = []
        for (index, item) in items.enumerated() {
            guard case .scalar(let text, let plain) = item.content, let value = parse(text, plain) else {
                throw .wrongType(
                    place: .init(file: file, line: item.line), key: "\(name(key))[\(index)]", found: item.shown,
                    wanted: wanted)
            }
            values.append(value)
        }
        return values
    }
}

/// Finite decimal numbers only: what Swift also reads (`inf`, `nan`, `0x1p3`) is no setting.
private func decimal(_ text: String) -> Double? {
    guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(text), value.isFinite else {
        return nil
    }
    return value
}

/// A whole number and its unit, without a space.
private func quantity(_ text: String, _ units: [String: Int]) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), let unit = units[String(text.dropFirst(digits.count))] else { return nil }
    let (value, overflow) = number.multipliedReportingOverflow(by: unit)
    return overflow ? nil : value
}
