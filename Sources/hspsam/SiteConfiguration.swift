import Daemon
import Failures
import Foundation
import Settings
import Storage

/// The site file of the unattended service (`--config`): folders and times. A key that is not available yet is unknown.
///
///     inbox:   {path: /var/spool/hspsam/inbox, scan: 5s}
///     settle:  {quiet: 60s}
///     reserve: 20GiB
///     places:  {spool: /var/spool/hspsam, state: /var/lib/hspsam, pipelines: /usr/share/hspsam/pipelines}
struct SiteConfiguration {
    let service: ServiceSettings

    /// *Throws* a configuration failure with file and line.
    init(path: String, version: String) throws {
        let bytes: [UInt8]
        do { bytes = try DurableFile.read(path, limit: 1 << 20) } catch {
            throw FailureRecord(kind: .configuration, code: error.code, message: error.message)
        }
        service = try Section.read(bytes, file: path) { root in
            let inbox = try root.section("inbox")
            let settle = try root.section("settle")
            let folders = try root.section("places")
            let spool = try folders.string("spool", default: "/var/spool/hspsam")
            return ServiceSettings(
                inbox: try inbox.string("path", default: Folder.join(spool, "inbox")), spool: spool,
                state: try folders.string("state", default: "/var/lib/hspsam"),
                pipelines: try folders.string("pipelines", default: Self.installedPipelines),
                scan: try inbox.duration("scan", in: .seconds(1) ... .seconds(3600), default: .seconds(5)),
                quiet: try settle.duration("quiet", in: .zero ... .seconds(86_400), default: .seconds(60)),
                reserve: try root.size("reserve", default: 20 << 30), program: Self.program, version: version)
        }
    }

    /// This program: its workers are its own `run`.
    private static var program: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    /// `../share/hspsam/pipelines` beside the program, where `make install` puts them.
    private static var installedPipelines: String {
        let beside = Folder.join(Folder.split(Folder.split(program).folder).folder, "share/hspsam/pipelines")
        return FileStatus.exists(beside) ? beside : "/usr/share/hspsam/pipelines"
    }
}
