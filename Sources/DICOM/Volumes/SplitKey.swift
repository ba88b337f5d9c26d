/// An attribute that tells volumes of one series apart, as a text; equal texts belong together.
struct SplitKey: Sendable {
    let name: String
    let value: @Sendable (SourceFrame) -> String
    /// Moments differ from slice to slice even within a volume, but their order at one position tells which volume comes first.
    var isMoment = false
    /// What may change on the way through one volume, such as a dose: it tells frames at one position apart, and those whose positions
    /// differ only where it changes to and fro.
    var isSetting = false
    /// All images of one volume have one value: two of them are two volumes, also where each lacks what the other has.
    var isOfVolume = false
    /// What does not change to and fro within one volume.
    var isOfRun = false
    /// How far numbers may differ that are meant to be one, relative to the largest.
    var tolerance = Tolerance.setting
    /// Its values are stacks by what they mean, wherever each begins and ends.
    var isStack = false
    /// Each run of the scanner has its own.
    var isScan = false

    /// In the order in which they are tried: what was set on the scanner before what merely happened.
    static let all: [SplitKey] = [
        SplitKey(
            name: "Stack ID", value: { $0.group(.frameContentSequence).text(.stackID) ?? "" }, isStack: true),
        SplitKey(
            name: "Temporal Position",
            value: {
                $0.group(.frameContentSequence).text(.temporalPositionIndex) ?? $0.classic(.temporalPositionIdentifier)
            }, isOfVolume: true),
        SplitKey(name: "Time Slot") { frame in
            let dataSet = frame.instance.dataSet
            return dataSet.has(.timeSlotVector) ? SourceFrame.nuclearMoment(dataSet, frame: frame.number) : ""
        },
        SplitKey(
            name: "Trigger Time",
            value: {
                $0.group(.cardiacSynchronizationSequence).text(.nominalCardiacTriggerDelayTime)
                    ?? $0.classic(.triggerTime)
            }, isMoment: true),
        SplitKey(name: "Echo Number", value: { $0.classic(.echoNumbers) }, isOfVolume: true),
        SplitKey(
            name: "Echo Time",
            value: { $0.group(.mrEchoSequence).text(.effectiveEchoTime) ?? $0.classic(.echoTime) }, isOfVolume: true),
        SplitKey(
            name: "Inversion Time",
            value: { $0.group(.mrModifierSequence).text(.inversionTimes) ?? $0.classic(.inversionTime) },
            isOfRun: true),
        SplitKey(
            name: "Flip Angle",
            value: { $0.group(.mrTimingAndRelatedParametersSequence).text(.flipAngle) ?? $0.classic(.flipAngle) },
            isOfRun: true),
        SplitKey(name: "b-value", value: { $0.diffusionBValue }, isOfVolume: true),
        SplitKey(name: "gradient direction") {
            let diffusion = $0.group(.mrDiffusionSequence)
            let direction = diffusion.item(.diffusionGradientDirectionSequence) ?? diffusion
            return direction.doubles(.diffusionGradientOrientation).map { "\($0)" }.joined(separator: "\\")
        },
        SplitKey(name: "Complex Image Component") {
            $0.group(.mrImageFrameTypeSequence).text(.complexImageComponent) ?? ""
        },
        SplitKey(
            name: "Convolution Kernel", value: { $0.group(.ctReconstructionSequence).text(.convolutionKernel) ?? "" },
            isSetting: true),
        SplitKey(name: "KVP", value: { $0.group(.ctXRayDetailsSequence).text(.kvp) ?? "" }, isSetting: true),
        // An image that names none was made without.
        SplitKey(
            name: "Contrast/Bolus Agent", value: { $0.instance.dataSet.text(.contrastBolusAgent) ?? "none" },
            isSetting: true),
        SplitKey(name: "Image Type", value: { $0.imageType.joined(separator: "\\") }, isOfRun: true),
        SplitKey(
            name: "Repetition Time",
            value: {
                $0.group(.mrTimingAndRelatedParametersSequence).text(.repetitionTime) ?? $0.classic(.repetitionTime)
            }, isOfRun: true, tolerance: Tolerance.heartbeat),
        SplitKey(name: "Scanning Sequence", value: { $0.classic(.scanningSequence) }, isOfVolume: true),
        SplitKey(name: "Sequence Name", value: { $0.classic(.sequenceName) }, isOfVolume: true),
        SplitKey(name: "Sequence Variant", value: { $0.classic(.sequenceVariant) }, isOfRun: true),
        // Fat is saturated by an option; an image that names none was made without.
        SplitKey(
            name: "Scan Options", value: { $0.instance.dataSet.text(.scanOptions) ?? "none" }, isOfRun: true),
        SplitKey(name: "Imaged Nucleus", value: { $0.classic(.imagedNucleus) }, isOfRun: true),
        SplitKey(name: "Receive Coil Name", value: { $0.classic(.receiveCoilName) }, isOfRun: true),
        SplitKey(name: "Reconstruction Method", value: { $0.classic(.reconstructionMethod) }, isOfRun: true),
        SplitKey(
            name: "Slice Thickness", value: { $0.group(.pixelMeasuresSequence).text(.sliceThickness) ?? "" },
            isOfRun: true, tolerance: Tolerance.thickness),
        SplitKey(
            name: "Acquisition Number",
            value: {
                $0.group(.frameContentSequence).text(.frameAcquisitionNumber) ?? $0.classic(.acquisitionNumber)
            }, isScan: true),
        SplitKey(
            name: "Acquisition Time",
            value: {
                let moment = $0.acquisition
                return moment.date + moment.time
            }, isMoment: true),
        SplitKey(
            name: "Content Time", value: { $0.classic(.contentDate) + $0.classic(.contentTime) }, isMoment: true),
    ]
}

extension SourceFrame {
    /// An attribute of the main data set as text; empty when absent.
    fileprivate func classic(_ attribute: Attribute) -> String { instance.dataSet.text(attribute) ?? "" }

    /// The standard's attribute, else where Siemens, GE and Philips keep it.
    fileprivate var diffusionBValue: String {
        if let value = group(.mrDiffusionSequence).text(.diffusionBValue) { return value }
        let dataSet = instance.dataSet
        if let siemens = dataSet.text(DiffusionTags.siemens) { return siemens }
        // GE adds 1e9 to mark processed values.
        if let ge = dataSet.int(DiffusionTags.ge) { return String(ge % 1_000_000_000) }
        return dataSet.double(DiffusionTags.philips).map { "\($0)" } ?? ""
    }
}

/// Where vendors keep the b-value of a diffusion weighting.
enum DiffusionTags {
    static let siemens = Tag(0x0019, 0x100C)
    static let ge = Tag(0x0043, 0x1039)
    static let philips = Tag(0x2001, 0x1003)
    static let all = [siemens, ge, philips]
}
