import DICOM
import Imaging
import Numbers
import SegmentAnything

extension Windowing {
    /// How the frames of `volume` are shown: as this rule says, or by the percentiles where it asks for the files' first window and the
    /// files do not have one; and that these stand in, nil where they do not. For a model that learned pictures as they are a picture
    /// without a window is shown as it is.
    ///
    /// - Parameter trained: how the model's training showed pictures; nil where it is not known.
    /// *Throws* `DICOMFailure.values` when a window that is asked for by name or number, or a look-up table, is not in every frame.
    func settled(
        for volume: Volume, trained: TrainedInput.Windowing?
    ) throws(DICOMFailure) -> (windowing: Windowing, finding: Finding?) {
        guard case .dicom = mode else { return (self, nil) }
        let vois = Self.vois(volume)
        guard let lack = lack(in: vois) else { return (self, nil) }
        guard !isParticular else {
            throw .values(
                "the pipeline shows \(asked), and \(Self.words(lack, vois)).",
                cure:
                    "Write in pipeline.yaml what its frames have (window_name as it stands in the file, window_index from 0), or use a pipeline with another window."
            )
        }
        let isMissing = lack == .missing(frame: 0, count: vois.count)
        if isMissing, trained == .asIs, let range = volume.frames[0].wholeRange,
            volume.slide != nil || volume.frames.allSatisfy({ $0.wholeRange == range })
        {
            return (
                Windowing(mode: Self.whole(range), scope: scope),
                Finding(
                    "QC-WINDOW", .note,
                    "The source has no window: it is shown as it is, like the pictures that the model was trained with."
                )
            )
        }
        let percentiles =
            "it is shown by the percentiles \(NumberText.fixed(Self.fallback.low, 1)) and \(NumberText.fixed(Self.fallback.high, 1)) of its values."
        return (
            Windowing(mode: Self.standIn, scope: scope),
            isMissing
                ? Finding("QC-WINDOW", .note, "The source has no window: \(percentiles)")
                : Finding(
                    "QC-WINDOW", .warning,
                    "The source does not have one window for all frames (\(Self.words(lack, vois))): \(percentiles)")
        )
    }

    /// What the files say of each frame's display; nothing of colour, which no window touches. The tiles of a slide share what their
    /// values mean.
    private static func vois(_ volume: Volume) -> [VOI] {
        if volume.samples == 3 { return [] }
        return volume.slide == nil ? volume.frames.map(\.voi) : [volume.frames[0].voi]
    }

    private var asked: String {
        switch mode {
        case .dicom(_, _, usesTable: true): "a VOI look-up table (use_voi_lut)"
        case .dicom(_, let name?, _): "the window \"\(name)\" (window_name)"
        case .dicom(let index, nil, _): "window number \(index) (window_index, from 0)"
        case .fixed, .percentile, .minmax: ""
        }
    }

    private static func words(_ lack: Lack, _ vois: [VOI]) -> String {
        switch lack {
        case .missing(let frame, let count):
            "\(count) of \(NumberText.plural(vois.count, "frame")) do not have it; frame \(frame + 1) has \(words(vois[frame]))"
        case .twice(let frame): "frame \(frame + 1) has several of this name: \(words(vois[frame]))"
        case .unlike(let frame):
            "frame \(frame + 1) has another one than frame 1: \(words(vois[frame])), and frame 1 \(words(vois[0]))"
        }
    }

    /// What a frame has, a few of many.
    private static func words(_ voi: VOI) -> String {
        var parts = voi.windows.enumerated().prefix(8).map { index, window in
            let range =
                window.isUsable
                ? "center \(NumberText.short(window.center)), width \(NumberText.short(window.width))"
                : "no usable numbers"
            return "window \(index) (\(range)\(named(window.explanation)))"
        }
        if voi.function != .linear { parts.append("the function \(voi.function.rawValue)") }
        if voi.table != nil { parts.append("a look-up table") }
        return parts.isEmpty ? "no window" : parts.joined(separator: ", ")
    }

    /// Window Center & Width Explanation as a message may say it: people can type anything there, so only words that scanners use.
    private static func named(_ explanation: String) -> String {
        let words = explanation.split { $0 == " " || $0 == "_" || $0 == "-" }
        guard !words.isEmpty else { return "" }
        let isKnown = words.allSatisfy { word in
            var word = word.uppercased()
            while word.last?.isNumber == true { word.removeLast() }
            return word.isEmpty || known.contains(word)
        }
        return isKnown ? ", \"\(explanation)\"" : ", a name that is no common one"
    }

    private static let known: Set<String> = [
        "ABDOMEN", "ALGO", "ANGIO", "AUTO", "BASE", "BONE", "BRAIN", "CHEST", "CUSTOM", "DEFAULT", "DEFINED", "HARD",
        "HARDER",
        "HEAD", "INNER", "EAR", "LIVER", "LUNG", "MANUAL", "MEDIASTINUM", "NECK", "NORMAL", "ORIGINAL", "PELVIS",
        "PRESET",
        "SHOULDER", "SINUS", "SOFT", "SOFTER", "SPINE", "STANDARD", "STROKE", "SUBDURAL", "TISSUE", "USER", "VASCULAR",
        "WINDOW",
    ]
}
