import Foundation
import Tensors
import Testing

@Suite("Thread pool", .timeLimit(.minutes(1)))
struct ThreadPoolTests {
    @Test(
        "a job is over when each of its parts is, whether threads still look for work or sleep",
        arguments: [0, 0.00005, 0.001])
    func jobs(_ pause: TimeInterval) {
        for job in 0..<200 {
            #expect(ThreadPool.map(job % 37) { job * $0 } == (0..<job % 37).map { job * $0 })
            if pause > 0 { Thread.sleep(forTimeInterval: pause) }
        }
    }

    @Test("jobs of several threads wait for each other")
    func callers() async {
        await withTaskGroup(of: Int.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    let expected = Array(caller..<caller + 7)
                    return (0..<500).count { _ in ThreadPool.map(7) { caller + $0 } != expected }
                }
            }
            for await wrong in group { #expect(wrong == 0) }
        }
    }

    @Test("a job within a job runs in its place")
    func nested() {
        let products = ThreadPool.map(5) { outer in ThreadPool.map(4) { outer * $0 } }
        #expect(products == (0..<5).map { outer in (0..<4).map { outer * $0 } })
    }
}
