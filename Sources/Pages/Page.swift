/// A whole page in one file: nothing from elsewhere, readable offline, and no script but the one that it is given.
package struct Page: Sendable {
    /// The page's one script, which the content security policy knows by its digest: nothing else can run.
    package struct Script: Sendable {
        package var text: String
        /// SHA-256 of the text, in base64.
        package var digest: String

        package init(text: String, digest: String) {
            self.text = text
            self.digest = digest
        }
    }

    package var title: String
    package var style: String
    package var body: HTML
    /// Seconds after which a browser reads the page anew; nil for a page that does not change.
    package var refreshSeconds: Int?
    /// Our own text, never a value; nil for a page without.
    package var script: Script?
    /// What scripts read of the page as a whole, by `data-` names.
    package var data: [(name: String, value: String)] = []

    package init(title: String, style: String, body: HTML, refreshSeconds: Int? = nil, script: Script? = nil) {
        self.script = script
        self.title = title
        self.style = style
        self.body = body
        self.refreshSeconds = refreshSeconds
    }

    /// How every page begins: what tells one from other files.
    package static let beginning = "<!doctype html>"

    /// The file's text.
    package var html: String { content.markup }

    /// The whole file. Style and script are ours and not escaped: they never hold a value.
    package var content: HTML {
        let refresh: HTML? = refreshSeconds.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" }
        let scripts: HTML = script.map { " script-src 'sha256-\(HTML(base64: $0.digest))';" } ?? .empty
        let head: HTML = """
            \(HTML(stringLiteral: Self.beginning))
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline';\(scripts) base-uri 'none'; form-action 'none'">
            <meta name="referrer" content="no-referrer">
            \(refresh)<title>\(title)</title>
            <style>

            """
        let values: [HTML] = data.map { " data-\(HTML(base64: $0.name))=\"\($0.value)\"" }
        let opening: HTML = "\n</style>\n</head>\n<body\(values)>\n"
        var page = head + HTML(stringLiteral: style) + opening + body
        if let script { page += "\n<script>" + HTML(stringLiteral: script.text) + "</script>" }
        return page + "\n</body>\n</html>\n"
    }
}
