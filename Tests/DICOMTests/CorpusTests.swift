import DICOM
import Failures
import Imaging
import Storage
import Testing

@Suite("the shared corpus", .enabled(if: Corpus.isPresent, "no corpus at \(Corpus.root)"))
struct CorpusTests {
    /// Files whose pixels other toolkits decode and ours refuse, with our code.
    private static let refusedPixels = [
        // JPEG-LS of 7 bits: the CharLS inside DCMTK 3.6.7 gives up (so does dcmdjpls).
        "dicom/pydicom_pydicom-data/JLSL_08_07_0_1F.dcm": "PIX-CODEC",
        // A row of zeros too many: padding, or a picture of 64 × 65 pixels.
        "dicom/pydicom_pydicom/MR_small_padded.dcm": "PIX-SIZE",
        // 138 bytes too many: its length reaches over what stands behind the pixels.
        "dicom/derived/broken/ct_pixeldata_length_too_long.dcm": "PIX-SIZE",
        // OB of 16 and 32 bits in big endian, where the standard demands OW.
        "dicom/pydicom_pydicom-data/SC_rgb_expb_16bit.dcm": "PIX-BITS",
        "dicom/pydicom_pydicom-data/SC_rgb_expb_32bit.dcm": "PIX-BITS",
        // Negative values in a signed stream, and tags that say unsigned.
        "dicom/pydicom_pylibjpeg-data/JPEG2000Lossless/TOSHIBA_J2K_SIZ1_PixRep0.dcm": "PIX-BITS",
    ]

    @Test("pixels are those that another toolkit decodes, byte for byte")
    func pixels() async {
        let known = Corpus.dicom.filter { !$0.pixelDigest.isEmpty }
        let problems = await concurrentMap(known) { file -> String? in
            do {
                return try Self.pixelDigest(file.absolutePath) == file.pixelDigest ? nil : "\(file): other pixels"
            } catch let failure as DICOMFailure {
                return failure.code == Self.refusedPixels[file.path] ? nil : "\(file): \(failure)"
            } catch {
                return "\(file): \(error)"
            }
        }
        for problem in problems.compactMap({ $0 }) { Issue.record("\(problem)") }
        #expect(known.count > 200)
    }

    @Test("every file ends with an outcome; what is odd about it has the right code")
    func outcomes() async {
        let found = await concurrentMap(Corpus.dicom) { file -> String in
            code {
                let source = try SourceInstance(try DICOMFile(path: file.absolutePath))
                let reader = try PixelReader(source.file, source.pixels)
                for number in 1...source.pixels.frames { _ = try reader.frame(number) }
            }
        }
        let outcomes = Dictionary(uniqueKeysWithValues: zip(Corpus.dicom.map(\.path), found))
        let expected = [
            "derived/broken/ct_bits_stored_above_allocated": "PIX-BITS",
            "derived/broken/ct_element_length_overrun": "IN-CORRUPT",
            "derived/broken/ct_frames_too_many": "PIX-TRUNCATED", "derived/broken/ct_hostile_patient_name": "none",
            "derived/broken/ct_orientation_degenerate": "none", "derived/broken/ct_pixel_spacing_zero": "none",
            "derived/broken/ct_pixeldata_header_only": "PIX-TRUNCATED",
            "derived/broken/ct_pixeldata_length_too_long": "PIX-SIZE",
            "derived/broken/ct_rescale_slope_zero": "none", "derived/broken/ct_rows_doubled": "PIX-TRUNCATED",
            "derived/broken/ct_rows_zero": "PIX-SIZE", "derived/broken/ct_says_implicit_is_explicit": "none",
            "derived/broken/ct_trailing_zeros_64k": "none", "derived/broken/ct_truncated_in_dataset": "IN-CORRUPT",
            "derived/broken/ct_truncated_in_meta": "IN-CORRUPT",
            "derived/broken/ct_truncated_pixeldata": "PIX-TRUNCATED",
            "derived/broken/ct_uid_path_traversal": "IN-CORRUPT", "derived/broken/deep_nesting_4000": "IN-LIMIT",
            "derived/broken/j2k_no_sequence_delimiter": "none",
            "derived/broken/j2k_truncated_fragment": "PIX-TRUNCATED",
            "derived/broken/plain_text": "IN-NOTDICOM", "derived/broken/png_named": "IN-NOTDICOM",
            "derived/broken/preamble_only": "IN-CORRUPT", "derived/broken/rle_bad_segment_count": "PIX-CODEC",
            "derived/broken/says_jpeg_baseline_is_j2k": "PIX-CODEC", "derived/broken/zero_length": "IN-NOTDICOM",
            "derived/ct_phantom_localizer_jpegls/I01": "IN-LOCALIZER",
            "derived/variants/ct_encapsulated_uncompressed": "none",
            "derived/variants/j2k_five_fragments": "none", "derived/variants/j2k_three_fragments_no_bot": "none",
            "derived/variants/key_object_selection": "IN-NOTIMAGE",
            "derived/variants/legacy_converted_enhanced_pet": "none",
            "fo-dicom_fo-dicom/GH340": "PIX-BITS", "fo-dicom_fo-dicom/GH364": "IN-CORRUPT",
            "fo-dicom_fo-dicom/GH626": "IN-CORRUPT",
            "orthanc-mirrors_orthanc-tests/2026-05-26-oob-monochrome-65535": "IN-LIMIT",
            "pydicom_pydicom/MR_truncated": "PIX-TRUNCATED", "pydicom_pydicom/rtplan_truncated": "IN-NOTIMAGE",
            "pydicom_pydicom/dicomdirtests/DICOMDIR-nooffset": "IN-CORRUPT", "pydicom_pydicom/SC_rgb_jpeg": "none",
        ]
        for (name, code) in expected {
            let outcome = outcomes["dicom/\(name).dcm"] ?? outcomes["dicom/\(name)"]
            #expect(outcome == code, "\(name)")
        }
        // Real files of other projects: most of them are images that must come through.
        #expect(found.filter { $0 == "none" }.count > 270)
    }

    @Test("the phantom's slices are one volume, 28 slices of 5 mm, and its localizer is left out")
    func phantom() throws {
        let files = Corpus.dicom.filter { $0.path.contains("/ct_phantom_") }
        let sources = files.compactMap { try? SourceInstance(DICOMFile(path: $0.absolutePath)) }
        let volume = try #require(VolumeBuilder.volumes(of: sources).volumes.first)
        #expect(files.count == 29)
        #expect(volume.frames.count == 28)
        #expect(volume.sliceSpacing == 5)
        #expect(volume.findings.isEmpty)
        let decoding = FrameDecoding()
        let window = try Windowing(mode: .dicom()).window(for: volume.frames.map(\.voi)) {
            try decoding.frame(volume.frames[$0])
        }
        #expect(window == .linear(center: 40, width: 80))
    }

    @Test("loss is told by the file, the syntax or the stream")
    func loss() throws {
        for (name, isLossy) in [
            ("robyoung_dicom-test-files/WG04/J2KI/XA1_J2KI", true),
            ("robyoung_dicom-test-files/WG04/J2KR/CT1_J2KR", false),
            ("dcmjs-org_dcmjs/sample-op.dcm", true), ("robyoung_dicom-test-files/WG04/JPLL/CT1_JPLL", false),
            ("robyoung_dicom-test-files/WG04/JLSN/CT1_JLSN", true),
            ("robyoung_dicom-test-files/WG04/RLE/NM1_RLE", false),
        ] {
            let file = try DICOMFile(path: Corpus.root + "/dicom/" + name)
            #expect(try SourceInstance(file).isLossy == isLossy, "\(name)")
        }
    }

    @Test("lossy values a little above Bits Stored are the highest value, never wrapped")
    func overshoot() throws {
        let name = "nroduit_weasis-dicom-tools/jpeg2000-multiframe-multifragments.dcm"
        let file = try DICOMFile(path: Corpus.root + "/dicom/" + name)
        let pixels = try PixelDescription(file.dataSet)
        let reader = try PixelReader(file, pixels)
        var highest: Int32 = 0
        for number in 1...pixels.frames {
            guard case .integers(let values) = try reader.frame(number).values else { continue }
            highest = max(highest, values.max() ?? 0)
        }
        #expect(highest == 4095)
    }

    /// SHA-256 over all frames' canonical bytes.
    private static func pixelDigest(_ path: String) throws -> String {
        let file = try DICOMFile(path: path)
        let pixels = try PixelDescription(file.dataSet)
        let reader = try PixelReader(file, pixels)
        var digest = FileDigest.Accumulator()
        for number in 1...pixels.frames { digest.add(try reader.frame(number).canonicalBytes) }
        return digest.finish().hex
    }
}
