/// One rule of a pipeline's selection: all of its conditions must hold.
///
/// *Source*: `docs/formats.md`, "A pipeline".
package struct SelectionRule: Sendable, Equatable {
    package enum Origin: String, Sendable, CaseIterable { case dicom, tiff }

    /// Empty lists and nil ask for nothing.
    package var modality: [String] = []
    /// SOP Class UIDs.
    package var sopClass: [String] = []
    /// Upper case; "" is an absent Body Part Examined.
    package var bodyPart: [String] = []
    package var origin: [Origin] = []
    package var seriesDescription: LinearPattern?
    package var excludeDescription: LinearPattern?
    package var imageTypeAll: [String] = []
    package var imageTypeNone: [String] = []
    package var minFrames: Int?
    package var maxSliceMM: Double?
    /// No condition: which frames of a volume that matches are taken.
    package var frames = Frames.all
    /// No condition: which of several volumes that match.
    package var pick = Pick.all

    package init() {}

    /// What an image or a volume has to meet: the rule without its choices among what it takes.
    var conditions: SelectionRule {
        var rule = self
        (rule.frames, rule.pick) = (.all, .all)
        return rule
    }

    /// Whether a condition names what images are; the others only narrow that.
    var saysWhatItTakes: Bool {
        !modality.isEmpty || !sopClass.isEmpty || bodyPart.contains { !$0.isEmpty } || seriesDescription != nil
            || !imageTypeAll.isEmpty || origin == [.tiff]
    }
}
