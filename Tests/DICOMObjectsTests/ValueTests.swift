import DICOM
import DICOMObjects
import Failures
import Testing

@Suite("Values of objects")
struct ValueTests {
    @Test(
        "a decimal string has at most 16 characters and reads back as the number, or as near as they allow",
        arguments: [
            (0.0, "0"), (1.5, "1.5"), (-0.25, "-0.25"), (100, "100"), (0.1 + 0.2, "0.3"), (1e-9, "0.000000001"),
            (-0.123456789012345678, "-0.1234567890123"), (123456789.123456789, "123456789.123457"),
            (-1.0 / 3e10, "-3.333333333E-11"),
            (9.9999999999999999e22, "1E23"), (0.99999999999999989, "1"),
        ])
    func decimals(value: Double, text: String) {
        #expect(DecimalString.text(value) == text)
        #expect(text.utf8.count <= 16)
    }

    @Test("infinity is no decimal string")
    func infinity() {
        #expect(DecimalString.text(.infinity) == nil)
        #expect(DecimalString.text(.nan) == nil)
    }

    @Test("red has the CIELab value that other toolkits invert, and black is not pure")
    func colours() {
        #expect(CIELab.value(red: 255, green: 0, blue: 0) == [34886, 53484, 50172])
        #expect(CIELab.value(red: 0, green: 0, blue: 0)[0] > 1000)
    }

    @Test("the same parts give the same UID, other parts another; each is legal")
    func uids() {
        let one = DerivedUID.uid(.segmentationInstance, ["a", "b"])
        #expect(one == DerivedUID.uid(.segmentationInstance, ["a", "b"]))
        #expect(one != DerivedUID.uid(.segmentationInstance, ["ab"]))
        #expect(one != DerivedUID.uid(.segmentationSeries, ["a", "b"]))
        #expect(one != DerivedUID.uid(.segmentationInstance, salt: "x", ["a", "b"]))
        #expect(one.hasPrefix("2.25.") && one.utf8.count <= 44)
    }

    @Test("the job time is the latest date of the sources, and an impossible one does not count")
    func jobTime() {
        var source = DataSet()
        source.put(.studyDate, "20240229")
        source.put(.studyTime, "1015")
        source.put(.contentDate, "20240231")
        source.put(.contentTime, "120000")
        #expect(JobTime.latest(of: [source]) == JobTime(date: "20240229", time: "101500"))
        #expect(JobTime.latest(of: [DataSet()]) == nil)
        var enhanced = source
        enhanced.put(.acquisitionDateTime, "20240301081500.25+0100")
        #expect(JobTime.latest(of: [source, enhanced]) == JobTime(date: "20240301", time: "081500.25"))
    }

    @Test(
        "a value that its representation does not allow is not written",
        arguments: [
            (Attribute.modality, "seg"), (.contentDate, "20230229"), (.sopInstanceUID, "1.2,3"),
            (.seriesInstanceUID, "1.2.x"), (.studyInstanceUID, String(repeating: "1", count: 65)),
            (.instanceNumber, "one"),
            (.seriesDescription, String(repeating: "x", count: 65)), (.contentTime, "2460"),
            (.patientName, "a^b^c^d^e^f"),
            (.sliceThickness, "1.23456789012345678"), (.imageType, "ORIGINAL"), (.manufacturer, "a\\b"),
            (.studyID, "tab\there"),
        ])
    func illegal(attribute: Attribute, text: String) {
        var dataSet = DataSet()
        dataSet.put(attribute, text)
        #expect(throws: ObjectFailure.self) { try DataSetEncoder.data(dataSet) }
    }

    @Test("an object without its Type 1 attributes is not written, and the message names the first")
    func incomplete() {
        var dataSet = DataSet()
        dataSet.put(.sopClassUID, SOPClass.segmentationStorage.uid)
        do {
            _ = try DataSetEncoder.file(dataSet)
            Issue.record("written")
        } catch {
            #expect(error.description.contains("SOPInstanceUID (0008,0018)"))
        }
    }
}
