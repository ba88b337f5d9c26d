import Mutations

/// An input read as instructions: which series, then which attribute of which object is made wrong and how.
struct SeriesProgram {
    private let files: [[UInt8]]

    private static let templates = SampleSeries.allCases.map(\.objects)

    init(_ bytes: [UInt8]) {
        var objects = Self.templates[Int(bytes.first ?? 0) % Self.templates.count]
        var at = 1
        // Four bytes an instruction: object, attribute (two bytes), how.
        while at + 4 <= bytes.count, at < 1 + 4 * 16 {
            let paths = objects[Int(bytes[at]) % objects.count].paths
            guard !paths.isEmpty else { break }
            let path = paths[(Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])) % paths.count]
            let how = Int(bytes[at + 3])
            at += 4
            let index = Int(bytes[at - 4]) % objects.count
            guard var element = objects[index][path] else { continue }
            if how >= 200 {
                // The value itself out of the input.
                let count = min(how - 200, bytes.count - at)
                element.value = .bytes(Array(bytes[at..<at + count]))
                at += count
                objects[index].replace(path, with: [element])
            } else {
                objects[index].replace(
                    path, with: Mutation.allCases[how % Mutation.allCases.count].applied(to: element))
            }
        }
        files = objects.map(\.fileBytes)
    }

    func run() -> WholeWay.Ending { WholeWay.run(files) }
}
