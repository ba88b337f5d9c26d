/// How many pictures a TIFF holds, without decoding any.
package enum TIFFPages {
    /// *Throws* `ImageFilesFailure`. *Cost*: the file's directories are read.
    package static func count(_ path: String, limits: ImageLimits = .standard) throws(ImageFilesFailure) -> Int {
        try TIFFFile(path, limits: limits).allPlanes().count
    }
}
