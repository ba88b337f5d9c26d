import Foundation
import Mutations
import Numbers
import Testing

@Suite("wrong inputs, through the built program")
struct MutatedInputTests {
    /// What a run over a folder may end with, and what its record must never hold.
    private func check(_ workplace: Workplace, _ folder: String, _ what: String) throws -> Int32 {
        let ending = try workplace.run([folder], ["--pipeline", "tiny"])
        #expect([0, 3, 4].contains(ending.status), "\(what): \(ending.status) \(ending.errors)")
        let record = try String(contentsOfFile: workplace.out + "/run.json", encoding: .utf8)
        for code in ["INTERNAL", "OUT-ILLEGAL", "OUT-MISMATCH", "OUT-VERIFY", "PIX-CRASH"] {
            #expect(!record.contains("\"\(code)\""), "\(what): \(code)")
        }
        try FileManager.default.removeItem(atPath: workplace.out)
        return ending.status
    }

    @Test("hundreds of mutated series end with a documented status and without a defect of ours")
    func series() throws {
        let workplace = try Workplace()
        var random = SplitMix64(seed: 12)
        var endings: [Int32: Int] = [:]
        for folder in 0..<80 {
            var names: [String] = []
            for study in 0..<3 {
                let series = SampleSeries.allCases[random.index(below: SampleSeries.allCases.count)]
                var objects = series.objects(variant: folder * 3 + study + 1)
                let index = random.index(below: objects.count)
                let paths = objects[index].paths
                let path = paths[random.index(below: paths.count)]
                let mutation = Mutation.allCases[random.index(below: Mutation.allCases.count)]
                guard let element = objects[index][path] else { continue }
                objects[index].replace(path, with: mutation.applied(to: element))
                names.append("\(series) \(index) (\(element.group),\(element.element)) \(mutation)")
                for (number, object) in objects.enumerated() {
                    try workplace.write("in\(folder)/\(study)-\(number).dcm", Data(object.fileBytes))
                }
            }
            endings[try check(workplace, workplace.path + "/in\(folder)", "\(names)"), default: 0] += 1
        }
        #expect(endings[0, default: 0] > 5 && endings[3, default: 0] > 5, "\(endings)")
    }

    @Test("sidecars, each line gone, repeated or with each wrong value, end with a documented status")
    func sidecars() throws {
        let good = """
            patient:
              id: P-1
              name: Phantom^One
              birth_date: "19700101"
              sex: O
            study:
              uid: 1.2.826.0.1.3680043.10.1500.1
              id: "1"
              date: "20240102"
              time: "030405"
            series:
              number: 3
              modality: XC
              laterality: L
            spacing_mm: [0.5, 0.5]
            slice_mm: 2.5
            """
        let values = [
            "", "~", "-1", "0", "1e20", "1e-300", ".nan", ".inf", "99999999999999999999", "[1, 2, 3]", "{a: b}",
            "\"\\0\\x1b\"",
            "*alias", "&anchor 1", "!!binary aGk=", "\"" + String(repeating: "9", count: 5000) + "\"",
            "\"2024\\\\0102\"",
        ]
        let picture = Data(
            [UInt8]([0x49, 0x49, 42, 0, 8, 0, 0, 0, 8, 0])
                + ([(256, 16), (257, 16), (258, 8), (259, 1), (262, 1), (273, 110), (277, 1), (279, 256)]
                as [(UInt16, UInt32)])
                .flatMap { little($0.0) + little(UInt16(4)) + little(UInt32(1)) + little($0.1) }
                + [0, 0, 0, 0] + (0..<256).map { UInt8($0) })
        let workplace = try Workplace()
        var count = 0
        func write(_ text: String) throws {
            try workplace.write("in/\(count).tif", picture)
            try workplace.write("in/\(count).tif.yaml", text)
            count += 1
        }
        try write(good)
        let lines = good.split(separator: "\n").map(String.init)
        for index in lines.indices {
            var wrong = lines
            wrong.remove(at: index)
            try write(wrong.joined(separator: "\n"))
            wrong = lines
            wrong.insert(lines[index], at: index)
            try write(wrong.joined(separator: "\n"))
            guard let colon = lines[index].firstIndex(of: ":") else { continue }
            for value in values {
                wrong = lines
                wrong[index] = lines[index][...colon] + " " + value
                try write(wrong.joined(separator: "\n"))
            }
        }
        #expect(count > 300)
        #expect(try check(workplace, workplace.path + "/in", "sidecars") == 3)
    }
}
