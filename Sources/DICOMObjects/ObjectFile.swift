package import DICOM
import Storage

/// An object as a file: whole, verified and under its name, or not there.
package enum ObjectFile {
    /// Encodes, writes `.NAME.tmp`, syncs it, lets `verify` read it back, then gives it its name.
    ///
    /// A file that is not what it should be stays beside as `.NAME.rejected`. Something that stands under the name is replaced.
    /// *Throws* `ObjectFailure`, `StorageFailure`.
    package static func write(_ dataSet: DataSet, to path: String, verify: (DICOMFile) throws -> Void) throws {
        let bytes = try DataSetEncoder.file(dataSet)
        let (folder, name) = Folder.split(path)
        let temporary = Folder.join(folder, ".\(name).tmp")
        try DurableFile.write(bytes, to: temporary)
        do {
            try Verification.readable(temporary)
            let file = try DICOMFile(path: temporary)
            try Verification.same(file, dataSet)
            try verify(file)
        } catch {
            let rejected = Folder.join(folder, ".\(name).rejected")
            try Folder.remove(rejected)
            try Folder.rename(temporary, to: rejected)
            throw error
        }
        try Folder.remove(path)
        try Folder.rename(temporary, to: path)
        try Folder.sync(folder)
    }

    /// Writes an image (no masks to compare): what was composed is what is read.
    package static func write(_ dataSet: DataSet, to path: String) throws { try write(dataSet, to: path) { _ in } }
}
