internal import CKernels

/// Mask logits: every pixel's features against the weights that a mask token made.
///
/// *Shape*: image `[B, s, s, C]`, weights `[B, M, C]` → `[B, M, s, s]`.
package func maskProduct(_ image: Tensor, _ weights: Tensor, tape: Tape?) -> Tensor {
    let (batch, side, channels, masks) = (image.shape[0], image.shape[1], image.shape[3], weights.shape[1])
    precondition(
        weights.shape == [batch, masks, channels],
        "maskProduct: weights \(weights.shape) do not fit image \(image.shape)")
    let pixels = side * image.shape[2]
    let y = Tensor(uninitialised: [batch, masks, side, image.shape[2]])
    for b in 0..<batch {
        gemm(
            ck_type_f32, false, true, masks, pixels, channels, 1, weights.pointer + b * masks * channels, channels,
            image.pointer + b * pixels * channels, channels, 0, y.pointer + b * masks * pixels, pixels)
    }
    if let tape, tape.needs(image) || tape.needs(weights) {
        let (toImage, toWeights) = (tape.mark(image), tape.mark(weights))
        tape.record(y) { dy in
            let (dimage, dweights) = (Tensor(uninitialised: image.shape), Tensor(uninitialised: weights.shape))
            for b in 0..<batch {
                let part = dy.pointer + b * masks * pixels
                gemm(
                    ck_type_f32, true, false, pixels, channels, masks, 1, part, pixels,
                    weights.pointer + b * masks * channels, channels, 0, dimage.pointer + b * pixels * channels,
                    channels)
                gemm(
                    ck_type_f32, false, false, masks, channels, pixels, 1, part, pixels,
                    image.pointer + b * pixels * channels, channels, 0, dweights.pointer + b * masks * channels,
                    channels)
            }
            tape.accumulate(toImage, dimage)
            tape.accumulate(toWeights, dweights)
        }
    }
    return y
}
