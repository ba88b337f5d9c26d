internal import Foundation

/// What this process and its children may leave or take.
package enum ProcessLimits {
    /// No core dump: it would hold a patient's images, where nobody looks for them. Children inherit it.
    package static func forbidCoreDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        // Lowering a limit never fails.
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }

    /// A child that the kernel ends before it ends us when memory runs out.
    package static func offer(_ pid: Int32) {
        try? Data("500".utf8).write(to: URL(fileURLWithPath: "/proc/\(pid)/oom_score_adj"))
    }

    /// The program and arguments that start a program with at most so many bytes of address space, by util-linux' `prlimit`.
    package static func limited(_ program: String, _ arguments: [String], memory: Int?) -> (String, [String]) {
        guard let memory else { return (program, arguments) }
        return ("/usr/bin/prlimit", ["--as=\(memory)", "--", program] + arguments)
    }
}
