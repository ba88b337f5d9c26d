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
        let passed = inputs.filter { Self.isSuspect($0) }
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
    private static let missingSlices: Set<String> = ["VOL-GAP", "VOL-PARTS"]

    /// What to do about each warning that says that a result lacks something, or may not be what it seems.
    private static let cures: [String: String] = [
        "VOL-GAP": "Send the missing slices; the result is made anew then.",
        "VOL-PARTS": "Send the missing slices, or look whether each part is what you expect.",
        "PIX-NOTE": "Compare a slice of the report with the same slice in your viewer.",
        "PIX-FRAME": "Send these frames again, or look at them with your own viewer.",
        "QC-MINSIZE": "Look at the outlines: what is too small was not taken away.",
        "QC-SEPARATE": "Do not use the number of objects: look at the outlines, or segment a part of the slide.",
        "QC-WINDOW": "Look at the outlines: the slices are shown otherwise than their source asks for.",
        "QC-INSTANCES": "Use the annotations or objects.csv, or segment a part of the slide.",
    ]

    private static func isSuspect(_ input: Input) -> Bool {
        guard input.status == .skipped, input.study == nil else { return false }
        let name = input.path.split(separator: "/").last ?? ""
        switch input.code {
        // A folder's own files of systems and of ours, such as the marker `.ready`.
        case "IN-EMPTY": return !name.hasPrefix(".")
        case "IN-LINK", "IN-NOTFILE": return true
        case "IN-NOTIMAGE":
            // The directory of a medium, whose files are inputs themselves.
            if name.uppercased() == "DICOMDIR" { return false }
            guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return !name.hasPrefix(".") }
            let ending = name[name.index(after: dot)...].lowercased()
            return ending.allSatisfy(\.isNumber) || Self.suspects.contains(ending)
        default: return false
        }
    }

    /// Endings that slices, volumes and slides have, and archives.
    private static let suspects: Set<String> = [
        "dcm", "dicom", "dic", "ima", "img", "hdr", "acr", "par", "rec", "nii", "nrrd", "nhdr", "mha", "mhd", "mgh",
        "mgz",
        "tif", "tiff", "btf", "jp2", "j2k", "jpx", "jpf", "j2c", "jpc", "jph", "jxl", "jls",
        "svs", "ndpi", "scn", "mrxs", "vms", "vmu", "bif", "svslide", "vsi", "ets", "czi", "zvi", "lif", "lsm", "nd2",
        "oib",
        "oif", "isyntax", "zip", "7z", "rar", "tar", "gz", "tgz", "bz2", "xz", "zst",
    ]

    /// The exit status of the run: 3 also where results lack something.
    package var exitStatus: ExitStatus {
        let status = ExitStatus.of(inputs.map(\.status))
        return status == .done && omission != nil ? .refusedOrFailed : status
    }
}
