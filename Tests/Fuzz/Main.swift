/// `fuzz TARGET [libFuzzer's arguments]`: one program, so that everything is instrumented and linked once.
@main
enum Main {
    nonisolated(unsafe) private static var target = FuzzTarget.fileWalk

    static func main() {
        let names = FuzzTarget.allCases.map(\.rawValue)
        guard CommandLine.arguments.count > 1, let chosen = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
            print(names.joined(separator: "\n"))
            return
        }
        target = chosen
        // libFuzzer reads the rest as if the target's name had not been there.
        var arguments = CommandLine.unsafeArgv + 1
        var count = CommandLine.argc - 1
        _ = runDriver(&count, &arguments) { bytes, count in
            Main.target.run([UInt8](UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
    }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32
