import DICOM
import Failures
import Mutations
import Testing

@Suite("wrong attributes in whole series")
struct SeriesMutationTests {
    @Test("each sample series, as it is, ends in a segmentation", arguments: SampleSeries.allCases)
    func samples(_ series: SampleSeries) {
        let ending = WholeWay.run(series.objects.map(\.fileBytes))
        #expect(ending.failures.isEmpty && ending.segmentations > 0, "\(ending.failures)")
    }
}
