import Foundation
import Numbers
import Pages

/// The slices of a result with what a person does with them, and where yes or no is said.
enum ViewerSection {
    static func html(_ viewer: ViewerData, id: Int, name: String) throws -> HTML {
        let head = viewer.head
        let count = head.slices.count
        var text: HTML = """
            <div class="viewer" data-id="\(id)" tabindex="0" role="group" aria-label="\(head.frames > 1 ? "Slices" : "Picture"): \(name)" hidden>
            <canvas class="stage" role="img" aria-label="\(name)"></canvas>

            """
        // Of a picture by itself there is nothing to turn over.
        if head.frames > 1 {
            text += """
                <div class="bar"><label class="grow">Slice <input type="range" data-do="slice" min="0" max="\(count - 1)" value="\(head.start)"\(count == 1 ? " disabled" : "" as HTML)></label> <output data-do="count"></output></div>

                """
        }
        text += "<div class=\"bar\">\n"
        if !head.isColor {
            let choices = head.windows.map(\.name) + [head.frames > 1 ? "This slice's values" : "This picture's values"]
            let options: [HTML] = choices.map { "<option>\($0)</option>" }
            text += """
                <label>Window <select data-do="preset">\(options)</select></label>
                <label>Center <input type="number" step="any" data-do="center"></label><label>Width <input type="number" step="any" data-do="width"></label>
                <button type="button" data-do="tool-window" aria-pressed="true">Window</button><button type="button" data-do="tool-pan" aria-pressed="false">Pan</button>

                """
        }
        text += """
            <button type="button" data-do="reset">Reset</button><button type="button" data-do="both" aria-pressed="false">Side by side</button>
            </div>
            <div class="bar"><button type="button" data-do="drawn" aria-pressed="true">Segments</button><button type="button" data-do="outline" aria-pressed="true">Outline</button>
            <label>Fill <input type="range" data-do="opacity" min="0" max="100" value="30"></label>

            """
        for (index, segment) in head.segments.enumerated() {
            let color = segment.color.map(String.init).joined(separator: ",")
            text +=
                "<label><input type=\"checkbox\" data-segment=\"\(index)\" checked><span class=\"swatch\" style=\"background:rgb(\(color))\"></span>\(segment.label)</label>\n"
        }
        text += "</div>\n<p class=\"soft small\"><output data-do=\"readout\"></output></p>\n"
        text += "<p class=\"soft small\">\(notes(viewer))</p>\n"
        text += """
            <details class="keys"><summary>Keys and mouse</summary><p class="soft small">Arrows, Page Up and Down, Home, End or the wheel: slices. Dragging: window (left and right its width, up and down its center), with Shift or the middle button the place; on a touch screen one finger turns slices, two enlarge. + − 0: enlarge, shrink, reset. W: next window. Space: segments on and off, 1 to 9 each of them. O: outline. S: side by side. Y, N: yes or no.</p></details>
            </div>

            """
        text += try data(viewer, id)
        return text
    }

    private static func notes(_ viewer: ViewerData) -> String {
        let head = viewer.head
        var notes: [String] = []
        if head.reduction > 1 {
            notes.append(
                "Shown at every \(head.reduction)th pixel of every \(head.reduction)th row, to keep this page small.")
        }
        if head.shift > 0 {
            notes.append(
                "Values are shown in steps of \(1 << head.shift), to keep this page small; measurements use all bits.")
        }
        if viewer.stride > 1 {
            notes.append(
                "Every \(viewer.stride)th slice is shown, to keep this page small; the DICOM objects hold all.")
        }
        return notes.joined(separator: " ")
    }

    private static func data(_ viewer: ViewerData, _ id: Int) throws -> HTML {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let head = String(decoding: try encoder.encode(viewer.head), as: UTF8.self)
        var text: HTML = "<script type=\"application/json\" id=\"m\(id)\">\(HTML(json: head))</script>\n"
        func block(_ name: HTML, _ bytes: [UInt8]) {
            text += "<script type=\"text/plain\" id=\"\(name)\">\(HTML(base64: bytes))</script>\n"
        }
        for (at, pixels) in viewer.pixels.enumerated() {
            block("p\(id)-\(at)", pixels)
            for (segment, mask) in viewer.masks[at].enumerated() {
                if let mask { block("k\(id)-\(at)-\(segment)", mask) }
                if let cuts = viewer.cuts[at][segment] {
                    block("r\(id)-\(at)-\(segment)", cuts.right)
                    block("b\(id)-\(at)-\(segment)", cuts.below)
                }
            }
        }
        return text
    }

    /// Yes or no to a result, kept by saving it as a file.
    static func review(result: String, pipeline: String) -> HTML {
        """
        <div class="review" data-result="\(result)" data-pipeline="\(pipeline)">
        <h3>Is this result usable?</h3>
        <div class="bar"><button type="button" data-verdict-of="yes" aria-pressed="false">Yes</button><button type="button" data-verdict-of="no" aria-pressed="false">No</button><span class="said soft small" role="status"></span></div>
        <label class="small soft">Remark <textarea rows="2" placeholder="What is wrong, and where. No names of patients."></textarea></label>
        <div class="bar"><button type="button" class="save">Save as a file</button></div>
        </div>

        """
    }
}
