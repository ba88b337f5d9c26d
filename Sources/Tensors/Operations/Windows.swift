internal import CKernels

/// Cuts the token grid into square windows; zeros beyond the edge, as SAM pads after norm1.
///
/// *Shape*: x `[B, g, g, D]` → `[B · n², w², D]`, n = ⌈g / w⌉.
package func partitionWindows(_ x: Tensor, window: Int, tape: Tape?) -> Tensor {
    let (batch, grid, dim) = (x.shape[0], x.shape[1], x.shape[3])
    precondition(x.shape.rank == 4 && x.shape[2] == grid, "partitionWindows: \(x.shape) is no square grid")
    let n = (grid + window - 1) / window
    let y = Tensor(uninitialised: [batch * n * n, window * window, dim])
    ck_window_partition(y.pointer, x.pointer, batch, grid, window, dim)
    if let tape, let toX = tape.mark(x) {
        tape.record(y) { dy in
            let dx = Tensor(uninitialised: toX.shape)
            ck_window_unpartition(dx.pointer, dy.pointer, batch, grid, window, dim)
            tape.accumulate(toX, dx)
        }
    }
    return y
}

/// The way back: windows `[B · n², w², D]` → `[B, g, g, D]`; what lies beyond the edge is dropped.
package func joinWindows(_ x: Tensor, batch: Int, grid: Int, window: Int, tape: Tape?) -> Tensor {
    let dim = x.shape.last
    let n = (grid + window - 1) / window
    precondition(
        x.count == batch * n * n * window * window * dim,
        "joinWindows: \(x.shape) is not \(batch) grids of \(grid) in windows of \(window)")
    let y = Tensor(uninitialised: [batch, grid, grid, dim])
    ck_window_unpartition(y.pointer, x.pointer, batch, grid, window, dim)
    if let tape, let toX = tape.mark(x) {
        tape.record(y) { dy in
            let dx = Tensor(uninitialised: toX.shape)
            ck_window_partition(dx.pointer, dy.pointer, batch, grid, window, dim)
            tape.accumulate(toX, dx)
        }
    }
    return y
}
