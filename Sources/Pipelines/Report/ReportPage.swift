import DICOM
import Failures
import Numbers
import Pages
import Records

/// `report.html` of one study: self-contained, for the person who checks the result.
enum ReportPage {
    static func html(_ report: StudyReport) -> String {
        let name = report.record.identity.patientName.isEmpty ? report.record.study : report.record.identity.patientName
        var body: HTML =
            "<main>\n<header>\n<p class=\"soft small\">hspsam · quality report</p>\n<h1>\(personName(name))</h1>\n"
        body += facts([
            ("Patient ID", report.record.identity.patientID), ("Study date", date(report.record.identity.studyDate)),
            ("Study", report.record.identity.studyDescription), ("Made", report.record.created),
        ])
        body +=
            "<p class=\"notice\">Made by a program. Not for diagnosis without review by a physician; no medical device. This page carries the patient's identity.</p>\n</header>\n"
        for result in report.results { body += section(result) }
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
            </main>
            """
        return ReportStyle.page(title: "hspsam report \(report.record.study)", body: body)
    }

    // MARK: A result

    private static func section(_ result: StudyReport.Result) -> HTML {
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
        text += segments(result)
        text += findings(result.record.findings)
        if !result.pictures.pairs.isEmpty {
            text +=
                "<h3>\(result.record.file == nil ? "The picture" : "Where it lies")</h3>\n<div class=\"pictures\">\n"
            for pair in result.pictures.pairs {
                let caption = pair.caption
                text += figure(pair, caption)
            }
            text += "</div>\n"
        }
        if !result.pictures.heatMaps.isEmpty {
            text +=
                "<details open><summary>What the network attended to\(result.record.source.frames > 1 ? " in frame \(result.pictures.heatMapFrame)" : "") (\(NumberText.plural(result.pictures.heatMaps.count, "map")))</summary>\n"
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
                ("Window", result.record.window), ("Pipeline digest", result.record.pipelineDigest),
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

    private static func segments(_ result: StudyReport.Result) -> HTML {
        var text: HTML =
            "<div class=\"scroll\"><table class=\"stack\"><tr><th>Segment</th><th class=\"n\">Area</th><th class=\"n\">Volume</th><th class=\"n\">Confidence</th><th class=\"n\">Frames</th></tr>\n"
        for segment in result.measurements {
            let color = segment.color.map(String.init).joined(separator: ",")
            let area =
                segment.pixels == 0
                ? "not found"
                : segment.areaMM2.map { NumberText.area(mm2: $0) }
                    ?? "\(NumberText.grouped(segment.pixels)) pixels"
            let note: HTML =
                segment.frames > 1 && segment.areaMM2 != nil
                ? "<br><span class=\"soft small\">largest frame</span>" : ""
            text +=
                "<tr><td><span class=\"swatch\" style=\"background:rgb(\(color))\"></span>\(segment.label)</td>"
            text +=
                "<td class=\"n\" data-label=\"Area\"><span>\(area)\(note)</span></td><td class=\"n\" data-label=\"Volume\">\(segment.volumeML.map { NumberText.volume(ml: $0) } ?? "–")</td>"
            text +=
                "<td class=\"n\" data-label=\"Confidence\">\(segment.confidence.map(QualityChecks.percent) ?? "–")</td><td class=\"n\" data-label=\"Frames\">\(segment.frames) of \(result.record.source.frames)</td></tr>\n"
        }
        return text + "</table></div>\n"
    }

    static func findings(_ findings: [FindingRecord]) -> HTML {
        guard !findings.isEmpty else { return .empty }
        let ordered = findings.filter { $0.severity == .warning } + findings.filter { $0.severity == .note }
        let rows: [HTML] = ordered.map {
            "<li class=\"\($0.severity.rawValue)\"><span class=\"code\">\($0.code)</span>\($0.text)</li>"
        }
        return "<ul class=\"findings\">\n\(rows.joined(by: "\n"))\n</ul>\n"
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

    /// `Doe^Jane` as `Doe, Jane`: the first group of components (PS3.5 6.2.1).
    static func personName(_ name: String) -> String {
        let group = name.split(separator: "=", omittingEmptySubsequences: false).first.map(String.init) ?? name
        return group.split(separator: "^").joined(separator: ", ")
    }

    /// `20261124` as `2026-11-24`.
    static func date(_ date: String) -> String {
        guard date.utf8.count == 8, date.allSatisfy(\.isNumber) else { return date }
        return "\(date.prefix(4))-\(date.dropFirst(4).prefix(2))-\(date.suffix(2))"
    }
}
