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
    func filled(_ path: String, _ used: inout Set<String>) throws(TrainingFailure) -> String {
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
}
