import DICOM
import Failures
import Foundation
import Mutations
import Testing

@Suite("wrong attributes in whole series")
struct SeriesMutationTests {
    @Test("each sample series, as it is, ends in a segmentation", arguments: SampleSeries.allCases)
    func samples(_ series: SampleSeries) {
        let ending = WholeWay.run(series.objects.map(\.fileBytes))
        #expect(ending.failures.isEmpty && ending.segmentations > 0, "\(ending.failures)")
    }

    struct Place: Sendable, CustomTestStringConvertible {
        let series: SampleSeries
        let object: Int

        var testDescription: String { "\(series), object \(object + 1)" }

        static let all = SampleSeries.allCases.flatMap { series in
            series.objects.indices.map { Place(series: series, object: $0) }
        }
    }

    @Test(
        "each attribute of each object, wrong in each way, ends in a result or in a refusal with a code and a cure",
        arguments: Place.all)
    func everyAttribute(_ place: Place) {
        let objects = place.series.objects
        let files = objects.map(\.fileBytes)
        let object = objects[place.object]
        var results = 0, refusals = 0
        for (number, path) in object.paths.enumerated() {
            guard let element = object[path] else { continue }
            for (way, mutation) in Mutation.allCases.enumerated() where isTaken(place, number, way) {
                var wrong = object
                wrong.replace(path, with: mutation.applied(to: element))
                var mutated = files
                mutated[place.object] = wrong.fileBytes
                let ending = WholeWay.run(mutated)
                if ending.segmentations > 0 { results += 1 }
                if !ending.failures.isEmpty { refusals += 1 }
                if !ending.broken.isEmpty {
                    Issue.record(
                        "(\(hex(element.group)),\(hex(element.element))) \(mutation): \(ending.broken.joined(separator: "; "))"
                    )
                }
            }
        }
        // The mutations bite, and most of them can be lived with.
        #expect(results > 50 && refusals > 20, "\(results) results, \(refusals) refusals")
    }

    /// Every way for each attribute of a series' first object; for those of the others every fourth, another for each, because a minute is
    /// enough. `HSPSAM_ALL_MUTATIONS=1` takes all; the fuzzer takes them together.
    private func isTaken(_ place: Place, _ path: Int, _ way: Int) -> Bool {
        place.object == 0 || (place.object + path + way) % 4 == 0 || Self.takesAll
    }

    private static let takesAll = ProcessInfo.processInfo.environment["HSPSAM_ALL_MUTATIONS"] != nil

    private func hex(_ number: UInt16) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}
