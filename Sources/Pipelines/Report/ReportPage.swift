import DICOM
import DICOMObjects
import Failures
import Imaging
import Numbers
import Pages
import Records

/// `report.html` of one study: self-contained, for the person who checks the result.
enum ReportPage {
    /// *Throws* when the slices cannot be encoded.
    static func html(_ report: StudyReport) throws -> HTML {
        let name = report.record.identity.readableName ?? report.record.study
        var body: HTML =
            "<main>\n<header>\n<p class=\"soft small\">hspsam · quality report</p>\n<h1>\(name)</h1>\n"
        body += facts([
            ("Patient ID", report.record.identity.patientID), ("Study date", date(report.record.identity.studyDate)),
            ("Study", report.record.identity.studyDescription),
            ("Accession number", report.record.identity.accessionNumber), ("Made", report.record.created),
        ])
        body +=
            "<p class=\"notice\">Made by a program. Not for diagnosis without review by a physician; no medical device. This page carries the patient's identity.</p>\n</header>\n"
        for (index, result) in report.results.enumerated() { body += try section(result, index) }
        if report.results.isEmpty {
            body +=
                "<section><h2>No result</h2><p>Nothing of this study was segmented; the reasons stand below.</p></section>\n"
        }
        body += unused(report.record.unused)
        body += """
            <section><h2>Program</h2>
            \(facts([
                ("Version", "\(report.record.program.name) \(report.record.program.version)"), ("Arithmetic", "\(report.record.program.precision), \(report.record.program.instructionSet), \(NumberText.plural(report.record.program.threads, "thread"))"),
                ("Study name", report.record.study), ("Study key", report.record.key ?? ""),
            ], monospaced: ["Study key"]))</section>
            <p class="small links">\(tables(report))<a href="\(StudyRecord.fileName)">The same as JSON</a> · <a data-back="" href="../index.html">All studies</a></p>
            </main>
            """
        return ReportStyle.page(
            title: "hspsam report \(report.record.study)", body: body, script: ViewerScript.text,
            data: [("study", report.record.study), ("key", report.record.key ?? "")])
    }

    /// Links to the tables that were written.
    private static func tables(_ report: StudyReport) -> HTML {
        guard !report.results.isEmpty else { return .empty }
        var text: HTML = "<a href=\"\(MeasurementTables.fileName)\">Measurements (CSV)</a> · "
        if report.tables.objects != nil {
            text += "<a href=\"\(MeasurementTables.objectsFileName)\">Objects (CSV)</a> · "
        }
        return text
    }

    // MARK: A result

    private static func section(_ result: StudyReport.Result, _ index: Int) throws -> HTML {
        let source = result.record.source
        let title = source.description.isEmpty ? "Series \(source.series)" : source.description
        var text: HTML = "<section>\n<h2>\(title)</h2>\n"
        var origin =
            "\(source.modality) · \(source.rows) × \(source.columns) pixels · \(NumberText.plural(source.frames, "frame"))"
        if let spacing = source.spacingMM {
            origin += " · \(NumberText.size(mm: spacing[0], spacing[1]))"
        }
        if let slice = source.sliceMM { origin += " · slices \(NumberText.length(mm: slice)) apart" }
        text +=
            "<p class=\"soft small\">\(origin)<br>pipeline <b>\(result.record.pipeline)</b> \(result.record.pipelineVersion)</p>\n"
        text += links(result.record)
        text += findings(result.record.findings)
        text += segments(result)
        if let viewer = result.viewer { text += try ViewerSection.html(viewer, id: index, name: title) }
        text += ViewerSection.review(result: result.record.file ?? "", pipeline: result.record.pipeline)
        if !result.pictures.pairs.isEmpty {
            text +=
                "<details class=\"stills\"\(result.viewer == nil ? " open" : "" as HTML)><summary>Still pictures, for paper</summary>\n<div class=\"pictures\">\n"
            for pair in result.pictures.pairs {
                let caption = pair.caption
                text += figure(pair, caption)
            }
            text += "</div></details>\n"
        }
        if !result.pictures.heatMaps.isEmpty {
            text +=
                "<details class=\"heat\"><summary>What the network attended to\(result.record.source.frames > 1 ? " in frame \(result.pictures.heatMapFrame)" : "") (\(NumberText.plural(result.pictures.heatMaps.count, "map")))</summary>\n"
            text +=
                "<p class=\"soft small\">Q: how well each place fits a learned question. A: what each answer gathers. Levels from shallow to deep; each map from its smallest (violet) to its largest value (yellow).</p>\n<div class=\"maps\">\n"
            for map in result.pictures.heatMaps {
                text +=
                    "<figure><img alt=\"\(map.title)\" src=\"\(map.uri)\"><figcaption>\(map.title)</figcaption></figure>\n"
            }
            text += "</div></details>\n"
        }
        text += "<details><summary>Identity, files and times</summary>\n"
        text += facts(
            [
                ("Result", result.record.file ?? "none: nothing was found"),
                ("Files", result.record.source.files.joined(separator: ", ")),
                ("Images", result.record.images.joined(separator: ", ")),
                ("Window", result.record.window),
                ("Test-time augmentation", result.record.tta == nil ? "" : "the mean with the mirror image"),
                ("Pipeline digest", result.record.pipelineDigest),
                ("Model digest", result.record.modelDigest),
                ("Weights digest", result.record.weightsDigest),
            ], monospaced: ["Pipeline digest", "Model digest", "Weights digest"])
        text += "<table><tr><th>Step</th><th class=\"n\">Time</th></tr>\n"
        for step in result.steps {
            text += "<tr><td>\(step.name)</td><td class=\"n\">\(ReportStyle.seconds(step.seconds))</td></tr>\n"
        }
        text += "</table></details>\n</section>\n"
        return text
    }

    private static func figure(_ pair: ResultPictures.Pair, _ caption: String) -> HTML {
        let source: HTML = "<img alt=\"\(caption), source\" src=\"\(pair.source)\">"
        guard let overlay = pair.overlay else {
            return "<figure>\(source)<figcaption>\(caption)</figcaption></figure>\n"
        }
        let drawn: HTML = "<img alt=\"\(caption), with the segments drawn on\" src=\"\(overlay)\">"
        return
            "<figure class=\"pair\"><div>\(source)\(drawn)</div><figcaption>\(caption): source, and with the segments drawn on</figcaption></figure>\n"
    }

    /// The DICOM objects, by what they are.
    private static func links(_ record: StudyRecord.Result) -> HTML {
        let names = [
            "binary": "Segmentation (SEG)", "labelmap": "Segmentation (LABELMAP)", "fractional": "Probabilities (SEG)",
            "report": "Measurement report (SR)", "captures": "Pictures (SC)",
            "structures": "Contours (RTSTRUCT)", "annotations": "Annotations (ANN)",
            "regular": "Segmentation on a regular grid (SEG)", "instances": "Each object (SEG)",
        ]
        var seen: Set<String> = []
        // Of a series of pictures the first stands for all.
        let links: [HTML] = (record.objects ?? []).filter { seen.insert($0.kind).inserted }.map { object in
            "<a href=\"\(object.file)\">\(names[object.kind] ?? object.kind)</a>"
        }
        return links.isEmpty ? .empty : "<p class=\"small links\">\(links.joined(by: " · "))</p>\n"
    }

    private static func segments(_ result: StudyReport.Result) -> HTML {
        let segments = result.measurements
        let hasValues = segments.contains { $0.mean != nil }
        let hasObjects = segments.contains { $0.objects != nil }
        var heads = ["Area", "Volume", "Longest × across"]
        if hasValues { heads.append("Mean ± SD") }
        let hasDensity = segments.contains { $0.objectSizes?.perMM2 != nil }
        if hasObjects { heads += ["Objects", "Object size"] }
        if hasDensity { heads.append("Per mm²") }
        heads += ["Confidence", "Frames"]
        let cells: [HTML] = heads.map { "<th class=\"n\">\($0)</th>" }
        var text: HTML = "<div class=\"scroll\"><table class=\"stack\"><tr><th>Segment</th>\(cells)</tr>\n"
        for segment in segments {
            let color = segment.color.map(String.init).joined(separator: ",")
            let area =
                segment.pixels == 0
                ? "not found"
                : segment.areaMM2.map { NumberText.area(mm2: $0) }
                    ?? "\(NumberText.grouped(segment.pixels)) pixels"
            let note: HTML =
                segment.frames > 1 && segment.areaMM2 != nil
                ? "<br><span class=\"soft small\">largest frame</span>" : ""
            func cell(_ label: String, _ value: String?) -> HTML {
                "<td class=\"n\" data-label=\"\(label)\">\(value ?? "–")</td>"
            }
            text += "<tr><td><span class=\"swatch\" style=\"background:rgb(\(color))\"></span>\(segment.label)</td>"
            text += "<td class=\"n\" data-label=\"Area\"><span>\(area)\(note)</span></td>"
            text += cell("Volume", segment.volumeML.map { NumberText.volume(ml: $0) })
            text += cell(
                "Longest × across",
                segment.diameters.map { NumberText.size(mm: $0.longest, $0.perpendicular) })
            if hasValues {
                let unit = segment.valueUnit.map { " \($0)" } ?? ""
                text += cell(
                    "Mean ± SD",
                    segment.mean.map {
                        "\(NumberText.short($0)) ± \(NumberText.short(segment.standardDeviation ?? 0))\(unit)"
                    })
            }
            if hasObjects {
                text += cell("Objects", segment.objects.map(NumberText.grouped))
                text += cell("Object size", segment.objectSizes?.words)
            }
            if hasDensity { text += cell("Per mm²", segment.objectSizes?.perMM2.map(NumberText.short)) }
            text += cell("Confidence", segment.confidence.map(QualityChecks.percent))
            text += cell("Frames", "\(segment.frames) of \(result.record.source.frames)") + "</tr>\n"
        }
        text += "</table></div>\n"
        return text
            + "<p class=\"soft small\">Confidence is the network's own mean probability over the segment's pixels: high does not mean right, low means look.</p>\n"
    }

    static func findings(_ findings: [FindingRecord]) -> HTML {
        guard !findings.isEmpty else { return .empty }
        let ordered = findings.filter { $0.severity == .warning } + findings.filter { $0.severity == .note }
        let rows: [HTML] = ordered.map {
            let advice: HTML = FindingAdvice.text($0.code).map { " <span class=\"advice\">\($0)</span>" } ?? .empty
            return
                "<li class=\"\($0.severity.rawValue)\"><span class=\"code\">\($0.code)</span>\(sentence($0.text))\(advice)</li>"
        }
        return "<ul class=\"findings\">\n\(rows.joined(by: "\n"))\n</ul>\n"
    }

    /// With a capital in front and a point behind.
    private static func sentence(_ text: String) -> String {
        let start = text.prefix(1).uppercased() + text.dropFirst()
        return start.hasSuffix(".") ? start : start + "."
    }

    // MARK: What gave none

    static func unused(_ unused: [StudyRecord.Unused]) -> HTML {
        guard !unused.isEmpty else { return .empty }
        var text: HTML =
            "<section><h2>Not segmented</h2>\n<div class=\"scroll\"><table class=\"stack\"><tr><th>What</th><th>Outcome</th><th>Why</th></tr>\n"
        for row in unused {
            text +=
                "<tr><td>\(NumberText.plural(row.files, "file"))<br><span class=\"soft small\">series \(row.series.joined(separator: ", "))</span></td>"
            text += "<td><span class=\"status \(row.status.rawValue)\">\(row.status.rawValue)</span></td>"
            text += "<td><span class=\"code\">\(row.code)</span>\(row.reason)</td></tr>\n"
        }
        return text + "</table></div></section>\n"
    }

    // MARK: Small things

    private static func facts(_ pairs: [(String, String)], monospaced: Set<String> = []) -> HTML {
        let rows: [HTML] = pairs.filter { !$0.1.isEmpty }.map { name, value in
            let kind: HTML = monospaced.contains(name) ? " class=\"digest\"" : .empty
            return "<dt>\(name)</dt><dd\(kind)>\(value)</dd>"
        }
        return "<dl class=\"facts\">\n\(rows.joined(by: "\n"))\n</dl>\n"
    }

    /// `20261124` as `2026-11-24`.
    static func date(_ date: String) -> String {
        guard date.utf8.count == 8, date.allSatisfy(\.isNumber) else { return date }
        // Stands where a picture of unknown date must have one.
        if date == JobTime.unknown.date { return "unknown" }
        return "\(date.prefix(4))-\(date.dropFirst(4).prefix(2))-\(date.suffix(2))"
    }
}

extension ObjectSizes {
    /// The mean with its deviation, and the median, in the unit that suits the mean.
    package var words: String {
        let (scale, name): (Double, String) =
            switch unit {
            case .pixels: (1, "pixels")
            case .squareMicrometres: mean < 1e4 ? (1, "µm²") : (1e-6, "mm²")
            case .cubicMillimetres: mean < 1e3 ? (1, "mm³") : (1e-3, "ml")
            }
        let numbers = [mean, standardDeviation, median].map { NumberText.short($0 * scale) }
        return "\(numbers[0]) ± \(numbers[1]) \(name), median \(numbers[2])"
    }
}
