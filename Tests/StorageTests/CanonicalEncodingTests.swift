import Storage
import Testing

@Suite("canonical encoding")
struct CanonicalEncodingTests {
    @Test("bytes are those that were recorded: changing them would change every identity")
    func recorded() {
        var fields = CanonicalEncoding("test 1")
        fields.add("text", "ä\n")
        fields.add("number", -3)
        fields.add("flag", true)
        fields.add("real", 0.1)
        fields.add("list", ["a", "b"])
        fields.add("absent", optional: Int?.none) { $0.add("value", $1) }
        #expect(
            String(decoding: fields.bytes, as: UTF8.self)
                == "domain=6:test 1\ntext=3:ä\n\nnumber=2:-3\nflag=3:yes\nreal=16:3fb999999999999a\nlist=1:2\n{\nitem=1:a\n}\n{\nitem=1:b\n}\nabsent=1:0\n"
        )
        #expect(fields.digest.hex == FileDigest(of: fields.bytes).hex)
    }

    @Test("no value can be mistaken for another field, and -0 is 0")
    func unambiguous() {
        func digest(_ body: (inout CanonicalEncoding) -> Void) -> FileDigest {
            var fields = CanonicalEncoding("test 1")
            body(&fields)
            return fields.digest
        }
        #expect(
            digest { $0.add("a", "1\nb=1:2") }
                != digest {
                    $0.add("a", "1"); $0.add("b", "2")
                })
        #expect(digest { $0.add("a", ["x", "y"]) } != digest { $0.add("a", ["xy"]) })
        #expect(digest { $0.add("a", 0.0) } == digest { $0.add("a", -0.0) })
    }
}
