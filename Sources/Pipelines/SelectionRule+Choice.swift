import DICOM
import Settings

extension SelectionRule {
    /// Which frames of a loop, a stack of pages or other frames that do not lie in space are segmented.
    package enum Frames: Sendable, Equatable {
        case all
        case first
        /// The first, and every so many behind it.
        case every(Int)
        /// Numbers from 1.
        case list([Int])

        /// From 0; empty when a volume has none of them.
        func indices(of count: Int) -> [Int] {
            switch self {
            case .all: Array(0..<count)
            case .first: [0]
            case .every(let step): Array(stride(from: 0, to: count, by: step))
            case .list(let numbers): Set(numbers).sorted().filter { $0 <= count }.map { $0 - 1 }
            }
        }
    }

    /// Which of the volumes of a study that match are segmented.
    package enum Pick: String, Sendable, CaseIterable {
        case all
        /// The one whose slices lie closest.
        case thinnest
        /// The one with the most pixels.
        case largest
    }

    /// The frames that the rule takes of a volume: the volume itself, or some of its frames. That it has not all of those that are asked
    /// for by their numbers is a warning.
    func chosen(of volume: Volume) -> Volume {
        let chosen =
            frames == .all || volume.kind == .spatial || volume.slide != nil
            ? volume : volume.choosing(frames.indices(of: volume.frames.count))
        guard case .list(let numbers) = frames else { return chosen }
        return chosen.lacking(Set(numbers).filter { $0 > volume.pictures.count }.sorted(), of: volume.pictures.count)
    }

    static func frames(_ section: Section) throws -> Frames {
        if let text = try? section.optionalString("frames") {
            switch text {
            case "all": return .all
            case "first": return .first
            default: break
            }
        }
        if let numbers = try? section.optionalInts("frames", count: 1...20_000), numbers.allSatisfy({ $0 >= 1 }) {
            return .list(numbers)
        }
        if let every = try? section.optionalSection("frames") {
            return .every(try every.int("every", in: 1...20_000))
        }
        guard section.has("frames") else { return .all }
        throw section.failure(
            "PIPE-FRAMES", at: "frames", "this is no choice of frames.",
            cure: "Write all, first, {every: 5} or a list of numbers from 1.")
    }
}
