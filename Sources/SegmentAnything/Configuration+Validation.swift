import Failures

extension Configuration {
    /// Everything that keeps a model from being built of these values; empty when it can be.
    package var problems: [String] {
        var found: [String] = []
        func range(_ key: CodingKeys, _ value: Int, _ allowed: ClosedRange<Int>) {
            if !allowed.contains(value) {
                found.append("\(key.rawValue) is \(value), not within \(allowed.lowerBound) to \(allowed.upperBound)")
            }
        }
        func multiple(_ key: CodingKeys, _ value: Int, of divisor: Int, _ why: String) {
            if divisor > 0, value % divisor != 0 {
                found.append("\(key.rawValue) is \(value), no multiple of \(divisor) (\(why))")
            }
        }
        range(.patch, patch, 16...16)
        range(.inputSize, inputSize, 16...8192)
        multiple(.inputSize, inputSize, of: 16, "the side of a patch")
        range(.embedDim, embedDim, 8...8192)
        range(.heads, heads, 1...128)
        multiple(.embedDim, embedDim, of: heads, "heads")
        range(.depth, depth, 1...256)
        range(.window, window, 1...512)
        range(.decoderDim, decoderDim, 8...4096)
        multiple(.decoderDim, decoderDim, of: 8, "the mask head divides the width by 8")
        range(.decoderHeads, decoderHeads, 1...128)
        // Twice a number from a file is a number only within its range.
        if (1...128).contains(decoderHeads) {
            multiple(.decoderDim, decoderDim, of: 2 * decoderHeads, "decoder_heads at half the width")
        }
        if stem == .conv { multiple(.embedDim, embedDim, of: 8, "the conv stem begins with an eighth of the width") }
        range(.segments, segments, 1...255)
        range(.maskOutputs, maskOutputs, 0...256)
        if activation == .softmax, maskOutputs == 1 {
            found.append("mask_outputs is 1, and softmax needs a background beside it")
        }
        if instances == .boundary, activation != .softmax || maskOutputs != 0 || segments > 127 {
            found.append("instances is boundary, which needs softmax, mask_outputs 0 and at most 127 segments")
        }
        range(.prompts, prompts, 0...256)
        range(.loraRank, loraRank, 0...1024)
        if !(0...1).contains(alpha) { found.append("alpha is \(alpha), not within 0 to 1") }
        let ascending = zip(globalBlocks, globalBlocks.dropFirst()).allSatisfy { $0 < $1 }
        if globalBlocks.isEmpty || !ascending || !globalBlocks.allSatisfy({ (0..<max(depth, 0)).contains($0) }) {
            found.append("global_blocks is \(globalBlocks), no ascending list of blocks below the depth of \(depth)")
        }
        return found
    }

    /// *Throws* `ModelFailure.configuration` with all problems.
    package func validate(path: String) throws(ModelFailure) {
        let found = problems
        guard found.isEmpty else { throw .configuration(path: path, reason: found.joined(separator: "; ")) }
    }
}
