internal import CKernels

/// Convolution of channel-last images with square kernels, as one matrix product over gathered patches.
///
/// *Shape*: x `[B, H, W, C]`, weight `[O, C, k, k]` (PyTorch's), bias `[O]` → `[B, H′, W′, O]`, H′ = (H + 2·padding − k) / stride + 1.
package func convolution(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: Int, padding: Int, tape: Tape?)
    -> Tensor
{
    let (output, channels, kernel) = (weight.shape[0], weight.shape[1], weight.shape[2])
    let patches = ck_patches(of: x.shape, kernel: kernel, stride: stride, padding: padding)
    precondition(
        x.shape.last == channels && weight.shape[3] == kernel,
        "convolution: input \(x.shape) does not fit weight \(weight.shape)")
    let (n, patch) = (patches.count, kernel * kernel * channels)
    let columns = { (x: Tensor) -> Tensor in
        if patches.arePixels { return x }
        let columns = Tensor(uninitialised: [n, patch])
        withUnsafePointer(to: patches) { ck_im2col(columns.pointer, x.pointer, $0) }
        return columns
    }
    let matrix = kernel == 1 ? weight : weight.channelsLast()  // [O, k, k, C], the order of gathered patches
    let type = tape?.products ?? ck_type_f32
    let y = Tensor(uninitialised: [patches.batch, patches.out_height, patches.out_width, output])
    withExtendedLifetime((columns(x), matrix)) { columns, matrix in
        gemm(
            type, false, true, n, output, patch, 1, columns.pointer, patch, matrix.pointer, patch, 0,
            y.pointer, output)
    }
    if let bias { ck_add_rows(kernels, y.pointer, y.pointer, bias.pointer, n, 1, output) }
    guard let tape, tape.needs(x) || tape.needs(weight) || tape.needs(bias) else { return y }
    let (toX, toWeight, toBias) = (tape.mark(x), tape.mark(weight), tape.mark(bias))
    let kept = toWeight == nil ? nil : x
    tape.record(y) { dy in
        if let toWeight, let x = kept {
            // Gathered again rather than kept: the patches are nine times the image.
            let dw = Tensor(uninitialised: matrix.shape)
            withExtendedLifetime(columns(x)) {
                gemm(
                    type, true, false, output, patch, n, 1, dy.pointer, output, $0.pointer, patch, 0,
                    dw.pointer, patch)
            }
            tape.accumulate(toWeight, kernel == 1 ? dw : dw.channelsFirst())
        }
        if let toBias {
            let db = Tensor(zeros: toBias.shape)
            ck_sum_rows(kernels, db.pointer, dy.pointer, n, 1, output)
            tape.accumulate(toBias, db)
        }
        if let toX {
            let dcolumns = Tensor(uninitialised: [n, patch])
            gemm(
                type, false, false, n, patch, output, 1, dy.pointer, output, matrix.pointer, patch, 0,
                dcolumns.pointer, patch)
            if patches.arePixels { return tape.accumulate(toX, dcolumns) }
            let dx = Tensor(uninitialised: toX.shape)
            withExtendedLifetime(dcolumns) {
                withUnsafePointer(to: patches) { ck_col2im(kernels, dx.pointer, dcolumns.pointer, $0) }
            }
            tape.accumulate(toX, dx)
        }
    }
    return y
}

extension ck_patches {
    init(of image: Shape, kernel: Int, stride: Int, padding: Int) {
        precondition(
            image.rank == 4 && min(image[1], image[2]) + 2 * padding >= kernel,
            "convolution: input \(image) is smaller than the kernel of \(kernel)")
        self.init(
            batch: image[0], height: image[1], width: image[2], channels: image[3], kernel: kernel, stride: stride,
            padding: padding, out_height: (image[1] + 2 * padding - kernel) / stride + 1,
            out_width: (image[2] + 2 * padding - kernel) / stride + 1)
    }

    var count: Int { batch * out_height * out_width }
    /// Whether the images' own pixels are the patches.
    var arePixels: Bool { kernel == 1 && stride == 1 && padding == 0 }
}

/// Transposed convolution 2×2 with stride 2: every pixel becomes four.
///
/// *Shape*: x `[B, H, W, C]`, weight `[C, O, 2, 2]` (PyTorch's), bias `[O]` → `[B, 2·H, 2·W, O]`.
package func transposedConvolution(_ x: Tensor, _ weight: Tensor, _ bias: Tensor, tape: Tape?) -> Tensor {
    let (rows, width, channels, output) = (x.shape[0] * x.shape[1], x.shape[2], x.shape[3], weight.shape[1])
    precondition(
        weight.shape == [channels, output, 2, 2] && bias.count == output,
        "transposedConvolution: input \(x.shape) does not fit weight \(weight.shape)")
    let (n, four) = (rows * width, 4 * output)
    let matrix = weight.channelsLast()  // [C, 2, 2, O]
    let type = tape?.products ?? ck_type_f32
    let y = Tensor(uninitialised: [x.shape[0], 2 * x.shape[1], 2 * width, output])
    let pixels = Tensor(uninitialised: [n, four])
    withExtendedLifetime(pixels) {
        gemm(
            type, false, false, n, four, channels, 1, x.pointer, channels, matrix.pointer, four, 0,
            pixels.pointer, four)
        ck_pixel_shuffle(y.pointer, pixels.pointer, rows, width, output)
    }
    ck_add_rows(kernels, y.pointer, y.pointer, bias.pointer, 4 * n, 1, output)
    guard let tape, tape.needs(x) || tape.needs(weight) || tape.needs(bias) else { return y }
    let (toX, toWeight, toBias) = (tape.mark(x), tape.mark(weight), tape.mark(bias))
    let kept = toWeight == nil ? nil : x
    tape.record(y) { dy in
        let pixels = Tensor(uninitialised: [n, four])
        ck_pixel_unshuffle(pixels.pointer, dy.pointer, rows, width, output)
        if let toWeight, let x = kept {
            let dw = Tensor(uninitialised: matrix.shape)
            gemm(
                type, true, false, channels, four, n, 1, x.pointer, channels, pixels.pointer, four, 0,
                dw.pointer, four)
            tape.accumulate(toWeight, dw.channelsFirst())
        }
        if let toBias {
            let db = Tensor(zeros: toBias.shape)
            ck_sum_rows(kernels, db.pointer, dy.pointer, 4 * n, 1, output)
            tape.accumulate(toBias, db)
        }
        if let toX {
            let dx = Tensor(uninitialised: toX.shape)
            gemm(
                type, false, true, n, channels, four, 1, pixels.pointer, four, matrix.pointer, four, 0,
                dx.pointer, channels)
            tape.accumulate(toX, dx)
        }
        withExtendedLifetime(pixels) {}
    }
    return y
}
