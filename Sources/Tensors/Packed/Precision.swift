/// What the products of a network are multiplied in; sums, norms, softmax and everything between them stay float32.
///
/// The raw values are the words of `--precision`, `run.json` and of the digests that depend on it.
package enum Precision: String, Sendable, CaseIterable {
    case fp32
    /// bfloat16 with float32 sums.
    case bf16
    /// 8-bit integers in the encoder's large layers, bfloat16 elsewhere.
    case int8
}
