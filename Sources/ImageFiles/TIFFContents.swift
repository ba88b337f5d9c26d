/// Where one picture of a file lies, and its place on the axes.
package struct TIFFPlane: Sendable, Hashable {
    /// From 0, in the chain of directories.
    package let page: Int
    /// From 0: a slice of a page that holds several, or how many pictures behind that of the page it stands.
    package let inPage: Int
    /// The one sample of a pixel that is this picture, where samples are channels; nil: all of them.
    package let sample: Int?
    /// From 0.
    package let channel: Int
    /// From 0, along Z; pages of which nobody says what they are lie along it too.
    package let slice: Int
    /// From 0.
    package let time: Int

    /// A page by itself.
    package static func page(_ index: Int) -> TIFFPlane {
        TIFFPlane(page: index, inPage: 0, sample: nil, channel: 0, slice: 0, time: 0)
    }

    /// The planes of one picture: itself, or its samples where they are channels of their own.
    static func planes(
        page: Int, inPage: Int = 0, channel: Int = 0, slice: Int, time: Int = 0, samples: Int
    ) -> [TIFFPlane] {
        (0..<samples).map { sample in
            TIFFPlane(
                page: page, inPage: inPage, sample: samples > 1 ? sample : nil, channel: channel * samples + sample,
                slice: slice, time: time)
        }
    }
}

/// Pictures of one size and kind on axes, and how large their pixels are.
package struct TIFFPicture: Sendable {
    package let rows: Int
    package let columns: Int
    /// In the order of the file.
    package internal(set) var planes: [TIFFPlane]
    package let channels: Int
    /// As the file names them; empty where it does not.
    package let channelNames: [String]
    package let slices: Int
    package let times: Int
    /// As stored: the sides of the page, not turned by Orientation.
    package let calibration: PixelCalibration
    /// Pages that say of themselves that they are smaller copies of it.
    package let smaller: [Int]
    /// `value = stored · slope + intercept`, where the program shows calibrated values.
    let values: ValueMapping?
    /// Bits that its samples use, as its description says it.
    var significantBits: Int?
    /// Further planes of it lie in other files.
    var isPart = false

    /// Its program shows calibrated values.
    package var hasMeaning: Bool { values != nil }

    /// Its slices are one volume for each time: how far they lie apart is known.
    package var isVolume: Bool { slices > 1 && calibration.sliceMM != nil && calibration.spacing != nil }

    /// What a channel is called, for people: from 0, as pipelines count, with its name.
    package func channelText(_ index: Int) -> String {
        let name = index < channelNames.count ? channelNames[index] : ""
        return name.isEmpty ? "\(index)" : "\(index) (\(name))"
    }
}

/// What a TIFF's pages are and what they belong to, before anything is decoded: the one answer for inference, training and
/// `hspsam inspect`.
package struct TIFFContents: Sendable {
    /// The program whose words were understood.
    package enum Program: String, Sendable {
        case ome = "OME"
        case imageJ = "ImageJ"
        case tifffile
        case aperio = "Aperio"
        case ventana = "Ventana"
        case metaMorph = "MetaMorph"
        case zeissLSM = "Zeiss LSM"
        case sgiVolume = "SGI volume"
        case none = ""
    }

    /// What a page is for.
    package enum Role: String, Sendable {
        case picture
        /// A smaller copy of a picture.
        case smaller
        case thumbnail
        case label
        case macro
        /// A transparency mask, or a map that a scanner made for itself.
        case mask
    }

    package let program: Program
    /// One a page.
    package let roles: [Role]
    /// At least one.
    package let pictures: [TIFFPicture]
    package internal(set) var findings: [RasterFinding]
    /// Files that belong together, by what names each; empty for a file that stands alone.
    package let set: [String]

    /// Written by a slide scanner: its picture is a level of a whole slide, however small it is.
    package var isOfSlideScanner: Bool {
        program == .aperio || program == .ventana || roles.contains { $0 == .label || $0 == .macro }
    }
}

extension TIFFPicture {
    /// The planes that a pipeline takes, in the file's order.
    ///
    /// *Throws* `ImageFilesFailure.axes` when the file has no such channel, slice or time.
    package func planes(_ selection: TIFFSelection, path: String) throws(ImageFilesFailure) -> [TIFFPlane] {
        func failure(_ text: String) -> ImageFilesFailure { ImageFilesFailure(path: path, reason: .axes(text)) }
        let channel = try channel(selection.channel, path: path)
        var chosen = planes.filter { $0.channel == channel }
        for (axis, part, count) in [("slices", selection.slice, slices), ("times", selection.time, times)] {
            let wanted: Int
            switch part {
            case .all: continue
            case .middle: wanted = count / 2
            case .number(let number): wanted = number
            }
            guard wanted < count else {
                throw failure("has \(count) \(axis), counted from 0, and the pipeline takes \(wanted)")
            }
            chosen = chosen.filter { (axis == "slices" ? $0.slice : $0.time) == wanted }
        }
        guard !chosen.isEmpty else {
            if isPart { throw ImageFilesFailure(path: path, reason: .otherPart) }
            throw failure("holds none of the planes that the pipeline takes")
        }
        return chosen
    }

    private func channel(_ wanted: TIFFSelection.Channel?, path: String) throws(ImageFilesFailure) -> Int {
        let problem: String
        switch wanted {
        case nil: return 0
        case .number(let number):
            if number < channels { return number }
            problem = "has \(channels) channels, counted from 0, and the pipeline takes \(number)"
        case .name(let name):
            if let index = channelNames.firstIndex(where: { $0.lowercased() == name.lowercased() }) { return index }
            problem = "has no channel of the name that the pipeline takes"
        }
        throw ImageFilesFailure(path: path, reason: .axes(problem))
    }

    /// What a person should know of the choice.
    package func findings(_ selection: TIFFSelection) -> [RasterFinding] {
        guard channels > 1, let taken = try? channel(selection.channel, path: "") else { return [] }
        let others = (0..<channels).filter { $0 != taken }
        let text =
            "of \(channels) channels \(channelText(taken)) was taken, not \(Self.list(others.map(channelText)))"
        guard selection.channel == nil else { return [RasterFinding(.channel, "\(text): the pipeline says so.")] }
        return [
            RasterFinding(
                .channel, isWarning: true, "\(text): the pipeline names none (tiff.channel), so the first is taken.")
        ]
    }

    private static func list(_ texts: [String]) -> String {
        texts.count > 12 ? texts.prefix(12).joined(separator: ", ") + "…" : texts.joined(separator: ", ")
    }
}

/// Which planes of a file with axes a pipeline takes.
package struct TIFFSelection: Sendable, Hashable {
    package enum Channel: Sendable, Hashable {
        /// From 0.
        case number(Int)
        case name(String)
    }

    package enum Part: Sendable, Hashable {
        case all
        case middle
        /// From 0.
        case number(Int)
    }

    /// Nil: the first, with a finding that names the others.
    package var channel: Channel?
    package var slice = Part.all
    package var time = Part.all

    package init() {}
}
