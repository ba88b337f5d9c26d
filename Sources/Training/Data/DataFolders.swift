import Settings
import Storage

/// Where the data sets of a plan lie on this machine: a shipped plan says `${isic2017}`, and the command line or the environment the folder.
package struct DataFolders: Sendable, Equatable {
    /// By name.
    package var folders: [String: String]
    /// A folder that holds data sets by their names; nil when there is none.
    package var root: String?

    package init(folders: [String: String] = [:], root: String? = nil) {
        self.folders = folders
        self.root = root
    }

    /// `path` with each `${name}` filled in.
    ///
    /// - Parameter used: gets the names.
    /// *Throws* `TrainingFailure.role` for a name that nothing is known of.
    private func filled(_ path: String, _ used: inout Set<String>) throws(TrainingFailure) -> String {
        var (filled, rest) = ("", path[...])
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let name = String(rest[start.upperBound..<end])
            guard let folder = folders[name] ?? root.map({ Folder.join($0, name) }) else {
                throw .role(name: name, path: path)
            }
            used.insert(name)
            filled += rest[..<start.lowerBound] + folder
            rest = rest[rest.index(after: end)...]
        }
        return filled + rest
    }

    /// Reads a settings file that names data sets: `${name}` is filled in, and what is no absolute path lies beside the file.
    ///
    /// - Parameter body: takes the root section, and what makes a path of the file one of this machine.
    /// *Throws* `SettingsFailure` with file and line; `TrainingFailure.role`, `.unusedRole`; Storage's failures; what `body` throws.
    func reading<Value>(
        _ path: String, _ body: (Section, _ resolve: (String) throws -> String) throws -> Value
    ) throws -> (value: Value, text: [UInt8]) {
        let folder = Folder.split(path).folder
        let text = try DurableFile.read(path, limit: 1 << 20)
        var used: Set<String> = []
        let value = try Section.read(text, file: path) { section in
            try body(section) { text in
                let path = try filled(text, &used)
                return path.hasPrefix("/") || folder.isEmpty || path != text ? path : Folder.join(folder, path)
            }
        }
        if let name = folders.keys.sorted().first(where: { !used.contains($0) }) {
            throw TrainingFailure.unusedRole(name: name, plan: path)
        }
        return (value, text)
    }
}
