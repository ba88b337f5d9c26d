import ImageFiles

/// What the pipelines of a run ask of pictures.
struct RasterRequest {
    /// All choices of planes that are asked for.
    let selections: Set<TIFFSelection>
    /// That the files are read under.
    let limits: ReadingLimits
    private let directories: [PipelineDirectory]

    /// - Parameter more: choices that are wanted whether a pipeline asks for them or not.
    init(_ directories: [PipelineDirectory], more: Set<TIFFSelection> = []) {
        self.directories = directories
        limits = ReadingLimits(of: directories)
        selections = Set(directories.map(\.pipeline.tiff)).union(more)
    }

    /// The pipelines that take one of these choices.
    func pipelines(of selections: Set<TIFFSelection>) -> [PipelineDirectory] {
        directories.filter { selections.contains($0.pipeline.tiff) }
    }
}
