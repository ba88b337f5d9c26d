/// Instance Creator UID (0008,0014) of objects that this program writes. One constant each, so that a later version
/// still knows the objects of an earlier one.
package enum InstanceCreator {
    /// Results: segmentations, reports, captures. Read again they are skipped with `IN-OWN`.
    package static let results = "2.25.270455904170705758680692871914500691328"
    /// Images made from TIFF files: sources like any other.
    package static let imports = "2.25.235162327807335133403655504392431292995"
}
