import Storage

/// Which files that look like sidecars are those of a picture.
struct SidecarNames {
    private let pictures: Set<FilePath>
    /// Every file of the run.
    private let all: Set<FilePath>
    private let folders: Set<FilePath>
    /// Pictures in small letters without their endings.
    private let stems: Set<String>

    init(_ pictures: Set<FilePath>, _ all: Set<FilePath>) {
        (self.pictures, self.all) = (pictures, all)
        folders = Set(pictures.map(\.folder))
        stems = Set(
            pictures.compactMap { picture in
                let text = picture.text
                return text.lastIndex(of: ".").map { text[..<$0].lowercased() }
            })
    }

    /// Why a file that may be a sidecar says nothing of any picture; nil for one that does, and for YAML that is none.
    func problem(_ file: FilePath) -> InputFailure? {
        let name = file.name
        if name == FilePath(Sidecar.folderName) {
            guard folders.contains(file.folder) else { return .strayed("no TIFF, PNG or JPEG lies in its folder") }
            return nil
        }
        for ending in [".yaml", ".json"] where name.bytes.ends(with: ending.utf8) {
            let picture = FilePath(bytes: Array(file.bytes.dropLast(ending.utf8.count)))
            guard pictures.contains(picture) else { continue }
            // The first of both that is found is read.
            guard ending == ".json", all.contains(picture.extended(".yaml")) else { return nil }
            return .strayed("a .yaml file beside the same picture is read instead")
        }
        if Sidecar.isName(name) {
            let isOfFolder = name.text.lowercased().hasPrefix("hspsam-study.")
            return .strayed(
                isOfFolder
                    ? "such a file is found by its very name alone" : "no picture of that very name lies beside it")
        }
        let text = file.text
        guard let point = text.lastIndex(of: "."), stems.contains(text[..<point].lowercased()) else { return nil }
        return .strayed("its name lacks the ending of the picture beside it")
    }
}

extension [UInt8] {
    fileprivate func ends(with other: some Collection<UInt8>) -> Bool { suffix(other.count).elementsEqual(other) }
}
