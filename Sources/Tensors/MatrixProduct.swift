internal import CKernels

/// C = alpha · op(A) · op(B) + beta · C, op(A) `[m, k]`, op(B) `[k, n]`, with the scratch memory that it wants (`ck_gemm`).
func gemm(
    _ type: ck_type, _ transposesA: Bool, _ transposesB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Float,
    _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int, _ beta: Float,
    _ c: UnsafeMutablePointer<Float>, _ ldc: Int
) {
    let count = ck_gemm_scratch(kernels, type, transposesA, transposesB, m, n, k, alpha)
    let scratch = count > 0 ? Tensor(uninitialised: [count]) : nil
    withExtendedLifetime(scratch) {
        ck_gemm(
            kernels, type, transposesA, transposesB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, scratch?.pointer)
    }
}
