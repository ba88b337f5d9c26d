/// A whole page in one file: no script, nothing from elsewhere, readable offline.
package struct Page: Sendable {
    package var title: String
    package var style: String
    package var body: HTML
    /// Seconds after which a browser reads the page anew; nil for a page that does not change.
    package var refreshSeconds: Int?

    package init(title: String, style: String, body: HTML, refreshSeconds: Int? = nil) {
        self.title = title
        self.style = style
        self.body = body
        self.refreshSeconds = refreshSeconds
    }

    /// The file's text. The style is ours and is not escaped: it never holds a value.
    package var html: String {
        let refresh: HTML? = refreshSeconds.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" }
        let head: HTML = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
            <meta name="referrer" content="no-referrer">
            \(refresh)<title>\(title)</title>
            <style>

            """
        let body: HTML = "\n</style>\n</head>\n<body>\n\(body)\n</body>\n</html>\n"
        return head.markup + style + body.markup
    }
}
