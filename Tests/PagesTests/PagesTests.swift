import Pages
import Testing

@Suite("pages")
struct PagesTests {
    @Test("a value in a page is text, whatever it holds; a piece of a page stays markup")
    func escaping() {
        let name = "<img src=x onerror=alert(1)> & \"Doe\" 'J'"
        let piece: HTML = "<b>\(name)</b>"
        #expect(piece.markup == "<b>&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Doe&quot; &#39;J&#39;</b>")
        let row: HTML = "<td>\(piece)</td>"
        #expect(row.markup == "<td>\(piece.markup)</td>")
        #expect(("<i>\([piece, piece])</i>" as HTML).markup == "<i>\(piece.markup)\(piece.markup)</i>")
    }

    @Test(
        "bytes stand in a page as base64 (RFC 4648, section 10)",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"), ("\u{3FF}\u{3FE}", "z7/Pvg=="),
        ])
    func base64(_ text: String, _ expected: String) {
        let piece: HTML = "<i>\(HTML(base64: Array(text.utf8)))</i>"
        #expect(piece.markup == "<i>\(expected)</i>")
        #expect((piece + piece).markup == "<i>\(expected)</i><i>\(expected)</i>")
    }

    @Test(
        "characters that hide or turn the text around them are shown",
        arguments: ["\u{202E}", "\u{0}", "\u{200B}", "\u{85}"])
    func hidden(_ character: String) {
        #expect(("\(character)" as HTML).markup == "␦")
    }

    @Test("a page allows no script and nothing from elsewhere, and its title is text")
    func page() {
        let html = Page(
            title: "</title><script>", style: "p { margin: 0 }", body: "<p>\("a < b")</p>", refreshSeconds: 60
        ).html
        #expect(html.contains("default-src 'none'"))
        #expect(html.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"))
        #expect(html.contains("<p>a &lt; b</p>"))
        #expect(html.contains("http-equiv=\"refresh\" content=\"60\""))
        #expect(!html.contains("<script"))
    }
}
