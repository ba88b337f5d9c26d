package import Imaging

/// Every symbol of the method, under the names of SAM and of the reference implementation's configuration.
///
/// *Source*: arXiv 2506.02854; defaults are the paper's with SAM ViT-B.
package struct Configuration: Sendable, Equatable {
    /// What the mask logits become: one segment a pixel (softmax), or each segment by itself (sigmoid).
    package enum Activation: String, Sendable, CaseIterable { case softmax, sigmoid }
    /// What makes tokens of the image: SAM's patch embedding, or convolutions (ours).
    package enum Stem: String, Sendable, CaseIterable { case patch, conv }
    /// Where the loss is taken: at the logits' own size, or at the input's.
    package enum LossResolution: String, Sendable, CaseIterable { case quarter, full }
    /// What the network learns of objects that touch.
    package enum Instances: String, Sendable, CaseIterable {
        case none
        /// Each segment has a second output, for the edges of its objects; the first is their insides.
        case boundary
    }
    /// What becomes of tokens that lie wholly in the padding: SAM keeps them.
    package enum Padding: String, Sendable, CaseIterable { case keep, drop }

    /// S, a multiple of 16.
    package var inputSize = 1024
    package var patch = 16
    /// D
    package var embedDim = 768
    /// L
    package var depth = 12
    package var heads = 12
    /// w
    package var window = 14
    /// G, ascending, from 0.
    package var globalBlocks = [2, 5, 8, 11]
    /// E
    package var decoderDim = 256
    package var decoderHeads = 8
    /// K
    package var segments = 1
    package var activation = Activation.softmax
    /// M; 0 means K + 1 (softmax) or K (sigmoid).
    package var maskOutputs = 0
    /// c; 0 means no Q&A prompts.
    package var prompts = 1
    /// r; 0 means no LoRA.
    package var loraRank = 32
    /// N levels, else level N alone.
    package var hierarchy = true
    package var skip = true
    package var freezeEncoder = true
    package var deepSupervision = false
    package var iouHead = false
    /// α of eq. 7.
    package var alpha: Float = 0.8
    package var lossAt = LossResolution.quarter
    package var stem = Stem.patch
    /// Outputs 1 … K are the segments' insides and K + 1 … 2 K their boundaries where it is `boundary`; softmax only.
    package var instances = Instances.none
    package var padding = Padding.keep

    package init() {}

    /// g: tokens a side.
    package var grid: Int { inputSize / patch }
    /// M
    package var outputs: Int {
        maskOutputs > 0 ? maskOutputs : segments * outputsPerSegment + (activation == .softmax ? 1 : 0)
    }
    /// How objects that touch are told apart with it.
    package var separation: ObjectSeparation { instances == .boundary ? .boundary : .none }
    package var outputsPerSegment: Int { instances == .boundary ? 2 : 1 }
    /// Global blocks that feed a level, shallowest (level 1) first.
    package var levels: [Int] { hierarchy ? globalBlocks : Array(globalBlocks.suffix(1)) }
}
