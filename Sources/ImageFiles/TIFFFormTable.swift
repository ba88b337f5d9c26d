import CImageFiles

/// Which TIFFs are read, as the decoder's own rules say it: the table of `docs/tiff-support.md`.
package enum TIFFFormTable {
    /// A kind of pages, by its tags.
    private struct Form {
        let name: String
        let photometric: UInt16
        let samples: UInt16
        let bits: UInt16
        var format: UInt16 = 1
    }

    private static let forms = [
        Form(name: "1 bit", photometric: 1, samples: 1, bits: 1),
        Form(name: "2 to 8 bit grey", photometric: 1, samples: 1, bits: 8),
        Form(name: "9 to 16 bit grey", photometric: 1, samples: 1, bits: 16),
        Form(name: "24, 32 bit grey", photometric: 1, samples: 1, bits: 32),
        Form(name: "signed 8, 16, 32", photometric: 1, samples: 1, bits: 16, format: 2),
        Form(name: "float 32, 64", photometric: 1, samples: 1, bits: 32, format: 3),
        Form(name: "RGB 8", photometric: 2, samples: 3, bits: 8),
        Form(name: "RGB 16", photometric: 2, samples: 3, bits: 16),
        Form(name: "palette", photometric: 3, samples: 1, bits: 8),
        Form(name: "YCbCr", photometric: 6, samples: 3, bits: 8),
        Form(name: "CMYK, L\\*a\\*b\\*, LogLuv", photometric: 5, samples: 4, bits: 8),
    ]
    private static let compressions = [
        1, 2, 3, 4, 5, 6, 7, 8, 32_773, 32_946, 34_661, 34_676, 34_712, 34_887, 34_925, 50_000, 50_001, 32_809, 33_003,
        33_005,
    ]

    /// In Markdown: a row a compression, a column a kind of samples; `yes`, or the code of the refusal.
    package static var table: String {
        var lines = ["| compression | " + forms.map(\.name).joined(separator: " | ") + " |"]
        lines.append("|---|" + String(repeating: "---|", count: forms.count))
        for compression in compressions {
            let cells = forms.map { cell($0, compression) }
            lines.append(
                "| \(TIFFNames.compression(compression)) (\(compression)) | " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    private static func cell(_ form: Form, _ compression: Int) -> String {
        var page = ci_tiff_page()
        (page.photometric, page.samples, page.bits, page.format) = (
            form.photometric, form.samples, form.bits, form.format
        )
        (page.compression, page.rows, page.columns, page.depth, page.has_photometric) = (
            UInt16(compression), 8, 8, 1, 1
        )
        (page.subsampling_x, page.subsampling_y) = (2, 2)
        var error = ci_error()
        if let refusal = TIFFFile.refusal(of: page) { return ImageFilesFailure(path: "", reason: refusal).code }
        return ci_tiff_is_read(&page, &error) == CI_OK ? "yes" : ImageFilesFailure(path: "", error).code
    }
}
