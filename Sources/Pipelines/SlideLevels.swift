import DICOM
import Imaging
import SegmentAnything

/// Which level of a slide a pipeline works on: the smallest whose pixels are fine enough for what the model was trained with.
///
/// *Source*: `docs/dicom-support.md`, "Whole slides".
enum SlideLevels {
    /// A level before it is read.
    struct Size {
        let rows: Int
        let columns: Int
        /// Distance of pixels along a row, where it is known.
        let pixelMM: Double?
    }

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
            let sizes = levels.map { level in
                let (_, rows, columns) = level.volume.pictures
                return Size(rows: rows, columns: columns, pixelMM: level.volume.pixelSpacing?.column)
            }
            if let best = best(sizes, levels[0].pipeline) { chosen.insert(key(levels[best])) }
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

    /// Which of the levels of one slide suits a pipeline: an index, whatever their order; nil for none.
    static func best(_ levels: [Size], _ directory: PipelineDirectory) -> Int? {
        // From the coarsest to the finest.
        let sorted = levels.indices.sorted { levels[$0].columns < levels[$1].columns }
        let trained = directory.model.description.trainedInput?.scale
        let input = directory.model.configuration.inputSize
        switch directory.pipeline.scale {
        case .whole:
            return sorted.first { max(levels[$0].rows, levels[$0].columns) >= input } ?? sorted.last
        case .tiles(let tiles):
            let wanted: Double? =
                switch tiles.side {
                case .micrometres(let side): trained?.pixelMM ?? side / 1000 / Double(input)
                case .pixels: trained?.pixelMM
                }
            guard let wanted else { return sorted.last }
            return sorted.first { levels[$0].pixelMM.map { $0 <= wanted * tolerance } ?? false } ?? sorted.last
        }
    }
}
