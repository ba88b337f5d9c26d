/// The numbers of a window, which plans and pipelines write alike.
extension Section {
    /// `window: [center, width]`, in the modality's units.
    ///
    /// *Throws* under `code` for a width that is not above 0.
    package func window(code: String) throws(SettingsFailure) -> (center: Double, width: Double) {
        let window = try doubles("window", count: 2...2)
        guard window[1] > 0 else {
            throw failure(
                code, at: "window", found: "\(window[1])", "the width is not above 0.",
                cure: "Write window: [center, width].")
        }
        return (window[0], window[1])
    }

    /// `percentiles: [low, high]`, in percent of a picture's values.
    ///
    /// *Throws* under `code` for what does not rise from at least 0 to at most 100.
    package func percentiles(
        code: String, default standard: (low: Double, high: Double)
    ) throws(SettingsFailure) -> (low: Double, high: Double) {
        guard let percentiles = try optionalDoubles("percentiles", count: 2...2) else { return standard }
        guard 0 <= percentiles[0], percentiles[0] < percentiles[1], percentiles[1] <= 100 else {
            throw failure(
                code, at: "percentiles", found: "\(percentiles[0]) to \(percentiles[1])",
                "these are no two percentiles.",
                cure: "Write percentiles: [low, high] between 0 and 100, the lower one first.")
        }
        return (percentiles[0], percentiles[1])
    }
}
