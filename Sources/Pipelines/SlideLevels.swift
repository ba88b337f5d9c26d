import DICOM
import Imaging
import SegmentAnything

/// Which level of a slide a pipeline works on.
///
/// *Source*: the design page on DICOM, section 2.3: the smallest level whose pixels are fine enough for what the model was trained with.
enum SlideLevels {
    /// How much coarser than asked for a level may be.
    private static let tolerance = 1.05

    /// The candidates that are left: of the levels of one slide the one that suits the task's pipeline. Other volumes are as they were.
    ///
    /// - Parameter skip: called for each task that is left away.
    static func suiting(
        _ candidates: [(task: VolumeTask, rule: SelectionRule?)], skip: (VolumeTask) -> Void
    ) -> [(task: VolumeTask, rule: SelectionRule?)] {
        let slides = Dictionary(grouping: candidates.map(\.task).filter { $0.volume.slide != nil }) {
            $0.volume.seriesInstanceUID + " " + $0.pipeline.name
        }
        var chosen: Set<String> = []
        for levels in slides.values {
            if let best = best(levels) { chosen.insert(key(best)) }
        }
        return candidates.filter { candidate in
            if candidate.task.volume.slide == nil || chosen.contains(key(candidate.task)) { return true }
            skip(candidate.task)
            return false
        }
    }

    private static func key(_ task: VolumeTask) -> String {
        "\(task.pipeline.name) \(task.volume.part)" + task.volume.seriesInstanceUID
    }

    /// All of one slide and one pipeline.
    private static func best(_ levels: [VolumeTask]) -> VolumeTask? {
        // From the coarsest to the finest.
        let sorted = levels.sorted { width($0) < width($1) }
        guard let finest = sorted.last else { return nil }
        let pipeline = finest.pipeline
        let trained = pipeline.model.description.trainedInput?.scale
        let input = pipeline.model.configuration.inputSize
        switch pipeline.pipeline.scale {
        case .whole:
            return sorted.first { max($0.volume.pictures.rows, $0.volume.pictures.columns) >= input } ?? finest
        case .tiles(let tiles):
            let wanted: Double? =
                switch tiles.side {
                case .micrometres(let side): trained?.pixelMM ?? side / 1000 / Double(input)
                case .pixels: trained?.pixelMM
                }
            guard let wanted else { return finest }
            return sorted.first { ($0.volume.pixelSpacing?.column).map { $0 <= wanted * tolerance } ?? false } ?? finest
        }
    }

    private static func width(_ task: VolumeTask) -> Int { task.volume.pictures.columns }
}
