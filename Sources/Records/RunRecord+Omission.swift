package import Failures

extension RunRecord {
    /// What the results lack though it was to be in them: a person has to look whether it is missing.
    package struct Omission: Sendable, Equatable {
        /// A code of `docs/messages.md`.
        package let code: String
        /// What was found and what to do, without a path.
        package let text: String
    }

    /// Something of the inputs was passed over that should have been an image, or that may hide images; a gap in a volume is the
    /// absence of one. A viewer's programs, a letter or a picture beside the images are neither. Or of what a pipeline asks for something
    /// could not be made or done, or the pixels themselves are in doubt.
    package var omission: Omission? {
        let pictures = Self.folders(ofPictures: inputs)
        let paths = Set(inputs.map(\.path))
        let passed = inputs.filter { Self.isSuspect($0, pictures, paths) }
        if let first = passed.first {
            let what = first.reason ?? "it cannot be read."
            return Omission(
                code: first.code ?? "SKIPPED",
                text:
                    "\(passed.count) of \(inputs.count) files were passed over: \(what) Look whether images are missing."
            )
        }
        for finding in results.flatMap(\.findings) {
            // A note of the same code says how volumes were told apart.
            guard finding.severity == .warning, let cure = Self.cures[finding.code] else { continue }
            let text = finding.text.hasSuffix(".") ? finding.text : finding.text + "."
            return Omission(code: finding.code, text: "\(text) \(cure)")
        }
        return nil
    }

    /// Slices of a volume are missing that may come late, whatever else there is to say of it.
    package var lacksSlices: Bool {
        results.flatMap(\.findings).contains { $0.severity == .warning && Self.missingSlices.contains($0.code) }
    }

    /// Warnings that slices are missing.
    private static let missingSlices: Set<String> = ["VOL-GAP", "VOL-SPACING-TAG", "VOL-PARTS"]

    /// What to do about each warning that says that a result lacks something, or may not be what it seems.
    private static let cures: [String: String] = [
        "VOL-GAP": "Send the missing slices; the result is made anew then.",
        "VOL-SPACING-TAG": "Send the missing slices, or look whether all of them are there.",
        "VOL-PARTS": "Send the missing slices, or look whether each part is what you expect.",
        "VOL-PLACE": "Look whether the images lie where they should; correct the series at its source.",
        "VOL-SCALE": "Compare a distance with one that you know; correct the series at its source.",
        "SEL-FRAMES": "Look at these frames with your own viewer, or change frames of the rule that takes them.",
        "PIX-NOTE": "Compare a slice of the report with the same slice in your viewer.",
        "RAS-PICTURE": "Compare the picture in the report with what your own program shows.",
        "RAS-CHANNEL": "Look whether it is the right one, and name it in the pipeline (tiff.channel).",
        "RAS-LEVEL": "Look whether the outlines are fine enough; send the picture with its scale, or a part of it.",
        "RAS-PAGES": "Look whether a picture of the file is missing; save each in a file of its own.",
        "PIX-FRAME": "Send these frames again, or look at them with your own viewer.",
        "QC-CALIBRATION": "Look at the outline; measure it with the ultrasound device's own calipers.",
        "QC-MINSIZE": "Look at the outlines: what is too small was not taken away.",
        "QC-SEPARATE": "Do not use the number of objects: look at the outlines, or segment a part of the slide.",
        "QC-WINDOW": "Look at the outlines: the slices are shown otherwise than their source asks for.",
        "QC-INSTANCES": "Use the annotations or objects.csv, or segment a part of the slide.",
    ]

    /// - Parameters:
    ///   - pictures: folders in which a PNG, JPEG or TIFF was processed.
    ///   - paths: of all inputs.
    private static func isSuspect(_ input: Input, _ pictures: Set<Substring>, _ paths: Set<String>) -> Bool {
        guard input.status == .skipped, input.study == nil else { return false }
        let name = input.path.split(separator: "/").last ?? ""
        if ["IN-EMPTY", "IN-NOTIMAGE"].contains(input.code), let meant = transferred(name) {
            // What came whole in the end is there under its own name.
            if paths.contains("\(folder(input.path))/\(meant)") { return false }
            return ending(meant).map { $0.allSatisfy(\.isNumber) || suspects.contains($0) }
                ?? meant.contains(where: \.isNumber)
        }
        switch input.code {
        // A folder's own files of systems and of ours, such as the marker `.ready`.
        case "IN-EMPTY": return !name.hasPrefix(".")
        case "IN-LINK", "IN-NOTFILE": return true
        case "IN-NOTIMAGE":
            // The directory of a medium, whose files are inputs themselves.
            if name.uppercased() == "DICOMDIR" || name.hasPrefix(".") { return false }
            guard let ending = ending(name) else { return true }
            return ending.allSatisfy(\.isNumber) || suspects.contains(ending)
                || unread.contains(ending) && pictures.contains(folder(input.path))
        default: return false
        }
    }

    private static func folders(ofPictures inputs: [Input]) -> Set<Substring> {
        let processed = inputs.filter { input in
            input.status == .processed && ending(input.path[...]).map(pictures.contains) == true
        }
        return Set(processed.map { folder($0.path) })
    }

    private static func folder(_ path: String) -> Substring {
        path.lastIndex(of: "/").map { path[..<$0] } ?? ""
    }

    /// What stands behind a name's last dot, in lower case; of a name that says that the file is not whole or is wrapped (`17.dcm.part`,
    /// `17.dcm~`) what stands before that. Nil: no dot.
    private static func ending(_ name: Substring) -> String? {
        var rest = name.hasSuffix("~") ? name.dropLast() : name
        guard var dot = rest.lastIndex(of: ".") else { return nil }
        if wrappings.contains(rest[rest.index(after: dot)...].lowercased()),
            let before = rest[..<dot].lastIndex(of: ".")
        {
            (rest, dot) = (rest[..<dot], before)
        }
        return rest[rest.index(after: dot)...].lowercased()
    }

    /// Endings of files that are being transferred.
    package static let transferEndings: Set<String> = ["tmp", "part", "partial", "filepart", "crdownload"]
    private static let wrappings = transferEndings.union(["bak", "gpg", "pgp", "enc"])

    /// The name that a file was to get once its transfer, which broke off, was complete; of hidden ones alone: `.17.dcm.Xa1b2c` (rsync),
    /// `.in.17.dcm.` (ProFTPD), `.17.dcm.part`. Nil: a file that is hidden for itself.
    private static func transferred(_ name: Substring) -> Substring? {
        // `._17.dcm` is what a Mac adds to a file.
        guard name.hasPrefix("."), !name.hasPrefix("._") else { return nil }
        let rest = name.dropFirst()
        if rest.hasPrefix("in."), rest.hasSuffix("."), rest.count > 4 { return rest.dropFirst(3).dropLast() }
        guard let dot = rest.lastIndex(of: "."), dot > rest.startIndex else { return nil }
        let last = rest[rest.index(after: dot)...]
        let isRandom =
            last.utf8.count == 6 && last.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
            && last.contains { $0.isUppercase || $0.isNumber }
        return transferEndings.contains(last.lowercased()) || isRandom ? rest[..<dot] : nil
    }

    /// Endings of pictures that are read: a file of such a name that is none is damaged, or of another format.
    private static let pictures: Set<String> = ["png", "jpg", "jpeg", "jpe", "jfif", "tif", "tiff"]

    /// Formats of pictures that are not read. Viewers bring some along; beside pictures they are more of these.
    private static let unread: Set<String> = ["bmp", "webp"]

    /// Endings that slices, volumes, slides and photographs have, and archives.
    private static let suspects = pictures.union([
        "dcm", "dicom", "dic", "ima", "img", "hdr", "acr", "par", "rec", "nii", "nrrd", "nhdr", "mha", "mhd", "mgh",
        "mgz",
        "btf", "jp2", "j2k", "jpx", "jpf", "j2c", "jpc", "jph", "jxl", "jls",
        "svs", "ndpi", "scn", "mrxs", "vms", "vmu", "bif", "svslide", "vsi", "ets", "czi", "zvi", "lif", "lsm", "nd2",
        "oib",
        "oif", "isyntax", "heic", "heif", "hif", "avif",
        "zip", "zipx", "7z", "rar", "tar", "gz", "tgz", "bz2", "tbz", "tbz2", "xz", "txz", "zst", "tzst", "lz4", "lzma",
        "iso",
    ])

    /// The exit status of the run: 3 also where results lack something.
    package var exitStatus: ExitStatus {
        let status = ExitStatus.of(inputs.map(\.status))
        return status == .done && omission != nil ? .refusedOrFailed : status
    }
}
