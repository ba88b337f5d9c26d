import Daemon
import Foundation
import Settings
import Storage

/// The folders and files that a site file names: absolute, links resolved, and none in another one. Where two were one, the service
/// would take its own results for drops, and send or remove what it keeps.
struct SitePlaces {
    private struct Place {
        let name: String
        /// Links resolved.
        let path: String
        let section: Section
        let key: String
    }

    private var places: [Place] = []

    /// Adds a folder that the site file names; gives its path as the service uses it.
    ///
    /// *Throws* `SettingsFailure` where it is not absolute, or something else than a folder stands there.
    mutating func add(_ path: String, _ name: String, _ section: Section, _ key: String) throws -> String {
        let resolved = try Self.resolved(path, section, key)
        if let status = try? FileStatus(of: resolved, followingLinks: true), status.kind != .directory {
            throw section.failure(
                "SET-CHOICE", at: key, found: path, "a \(status.kind.rawValue) stands there: this is to be a folder.",
                cure: "Name a folder.")
        }
        places.append(Place(name: name, path: resolved, section: section, key: key))
        return try Self.absolute(path, section, key)
    }

    /// *Throws* `SettingsFailure` where a place equals, contains or lies in another one.
    ///
    /// The state's folder may hold others (`/var/lib/hspsam/pipelines`), but for the service's own files there; the spool's may hold
    /// what is none of its own folders, as the inbox.
    func check(_ settings: ServiceSettings, _ folders: Section) throws {
        let own = Self.own(settings, folders)
        let all = own + places
        // The service's own among them: a link may make two of them one.
        for (index, later) in all.enumerated() {
            for earlier in all[..<index] {
                let isFine =
                    earlier.path != later.path
                    && (!Self.contains(earlier.path, later.path) || earlier.name == Self.state)
                    && (!Self.contains(later.path, earlier.path) || later.name == Self.state)
                if isFine { continue }
                throw later.section.failure(
                    "SET-CHOICE", at: later.key, found: later.path,
                    "it shares a folder with \(earlier.name): the service would take its own files for somebody else's.",
                    cure: "Name a folder of its own.")
            }
        }
    }

    /// The file that metrics are written to, which must be none of the service's own.
    func textfile(_ path: String, _ settings: ServiceSettings, _ section: Section, _ key: String) throws -> String {
        let resolved = try Self.resolved(path, section, key)
        guard path.hasSuffix(".prom") else {
            throw section.failure(
                "SET-CHOICE", at: key, found: path,
                "the name does not end in .prom: node_exporter would not read it, and another file might be written over.",
                cure: "Write textfile: /var/lib/prometheus/node-exporter/hspsam.prom.")
        }
        let (folder, name) = Folder.split(resolved)
        let paths = ServicePaths(settings)
        let own = Self.own(settings, section).map(\.path)
        let isOwn =
            own.contains { $0 == resolved || Self.contains($0, resolved) }
            || places.contains { $0.path == resolved || ($0.name != Self.state && Self.contains($0.path, resolved)) }
            || (folder == Self.followed(settings.state) && paths.isOwn(inState: name))
            || (folder == Self.followed(settings.spool) && paths.isOwn(inSpool: name))
        let isFolder = (try? FileStatus(of: resolved, followingLinks: true))?.kind == .directory
        guard !isOwn, !isFolder else {
            throw section.failure(
                "SET-CHOICE", at: key, found: path,
                "this is a folder, or a file among the service's own: metrics would be written over it.",
                cure: "Write textfile: /var/lib/prometheus/node-exporter/hspsam.prom.")
        }
        return resolved
    }

    static let state = "places.state"

    /// Folders of the service that the site file does not name itself.
    private static func own(_ settings: ServiceSettings, _ folders: Section) -> [Place] {
        let paths = ServicePaths(settings)
        return paths.own.map { path in
            let isOfState = path == paths.backups
            return Place(
                name: isOfState ? "the ledger's backups" : Folder.split(path).name, path: followed(path),
                section: folders, key: isOfState ? "state" : "spool")
        }
    }

    /// Both without a slash at their ends.
    private static func contains(_ folder: String, _ path: String) -> Bool {
        path.hasPrefix(folder == "/" ? "/" : folder + "/")
    }

    /// The absolute `path` with links resolved. *Throws* `SettingsFailure` where it is not absolute.
    private static func resolved(_ path: String, _ section: Section, _ key: String) throws -> String {
        guard path.hasPrefix("/") else {
            throw section.failure(
                "SET-CHOICE", at: key, found: path,
                "no absolute path: where it is would depend on the folder that the service was started in.",
                cure: "Write the whole path, from / on.")
        }
        return followed(path)
    }

    /// The absolute `path` as the service uses it: where its last name is a link, what that points to, since the service syncs no
    /// links. Links above stay, they may point elsewhere on the nodes of a cluster.
    static func absolute(_ path: String, _ section: Section, _ key: String) throws -> String {
        let followed = try resolved(path, section, key)
        let isLink = (try? FileStatus(of: trimmed(path)))?.kind == .symlink
        return isLink ? followed : trimmed(path)
    }

    /// Without slashes at its end: behind one the system follows a link.
    private static func trimmed(_ path: String) -> String {
        let slashes = path.reversed().prefix { $0 == "/" }.count
        return slashes == path.count ? "/" : String(path.dropLast(slashes))
    }

    /// The absolute `path` without links, `.`, `..` and double slashes; what is not there yet stays as it is named.
    static func followed(_ path: String) -> String {
        var rest = path.split(separator: "/").map(String.init)[...]
        var found: [String] = []
        // As many links as the kernel follows; then the path stays as it is, and whoever opens it hears why.
        var links = 40
        while let name = rest.popFirst() {
            if name == "." { continue }
            if name == ".." {
                _ = found.popLast()
                continue
            }
            let here = "/" + (found + [name]).joined(separator: "/")
            guard (try? FileStatus(of: here))?.kind == .symlink,
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: here)
            else {
                found.append(name)
                continue
            }
            links -= 1
            if links < 0 { return path }
            if target.hasPrefix("/") { found = [] }
            rest = (target.split(separator: "/").map(String.init) + rest)[...]
        }
        return "/" + found.joined(separator: "/")
    }
}
