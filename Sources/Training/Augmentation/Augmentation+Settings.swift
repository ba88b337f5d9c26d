import Settings

extension Augmentation {
    /// What suits a kind of picture.
    enum Preset: String, CaseIterable {
        /// Nothing is changed.
        case none
        /// Skin through a dermatoscope: any side up, hairs and rulers.
        case dermoscopy
        /// Bright cells on dark ground.
        case fluorescence
        case endoscopy
        /// Left and right stay: the heart says which is which.
        case radiograph
        /// Photographs of the eye's ground.
        case fundus
        /// Depth stays depth, left and right may be exchanged by the probe.
        case ultrasound
        /// Slices of CT and MR: left and right stay, values are calibrated.
        case slices

        var augmentation: Augmentation {
            var a = Augmentation()
            switch self {
            case .none:
                (a.flip, a.turn, a.scale, a.aspect, a.brightness, a.contrast, a.crop) = (
                    false, 0, [1, 1], [1, 1], 0, 0, false
                )
            case .dermoscopy:
                (a.aspect, a.brightness, a.hue, a.saturation) = ([0.8, 1.25], 0.15, 0.03, 0.2)
                (a.blur, a.jpeg, a.strokes, a.gamma) = (1, 0.2, 8, [0.8, 1.25])
            case .fluorescence:
                (a.aspect, a.brightness, a.contrast, a.gain) = ([0.8, 1.25], 0.03, 0.1, [0.7, 1.4])
                (a.noise, a.blur) = (0.02, 1)
            case .endoscopy:
                (a.aspect, a.brightness, a.hue, a.blur, a.jpeg) = ([0.8, 1.25], 0.1, 0.03, 1.5, 0.3)
            case .radiograph:
                (a.flip, a.turn, a.scale, a.aspect) = (false, 10, [0.85, 1.2], [0.9, 1.1])
                (a.brightness, a.gamma, a.noise) = (0.1, [0.7, 1.4], 0.02)
            case .fundus:
                (a.turn, a.aspect, a.brightness, a.hue) = (180, [0.9, 1.1], 0.1, 0.02)
                (a.gamma, a.blur, a.elastic) = ([0.8, 1.25], 1, 0.02)
            case .ultrasound:
                (a.flip, a.turn, a.scale, a.aspect) = (false, 10, [0.8, 1.25], [0.8, 1.25])
                (a.gamma, a.noise, a.elastic) = ([0.7, 1.4], 0.03, 0.02)
            case .slices:
                (a.flip, a.turn, a.scale, a.aspect) = (false, 15, [0.85, 1.2], [0.95, 1.05])
                (a.brightness, a.contrast, a.noise, a.elastic) = (0.05, 0.1, 0.02, 0.02)
            }
            return a
        }
    }

    /// - Parameter other: what holds for keys that the section does not have, unless it names a preset.
    init(_ section: Section, otherwise other: Augmentation = Augmentation()) throws {
        let base = try section.optionalChoice("preset", Preset.self)?.augmentation ?? other
        flip = try section.bool("flip", default: base.flip)
        turn = try section.double("turn", in: 0...180, default: base.turn)
        scale = try Self.range(section, "scale", base.scale)
        aspect = try Self.range(section, "aspect", base.aspect)
        brightness = try section.double("brightness", in: 0...1, default: base.brightness)
        contrast = try section.double("contrast", in: 0...1, default: base.contrast)
        gain = try Self.range(section, "gain", base.gain)
        crop = try section.bool("crop", default: base.crop)
        elastic = try section.double("elastic", in: 0...0.2, default: base.elastic)
        gamma = try Self.range(section, "gamma", base.gamma)
        hue = try section.double("hue", in: 0...0.5, default: base.hue)
        saturation = try section.double("saturation", in: 0...1, default: base.saturation)
        noise = try section.double("noise", in: 0...0.5, default: base.noise)
        blur = try section.double("blur", in: 0...20, default: base.blur)
        jpeg = try section.double("jpeg", in: 0...1, default: base.jpeg)
        strokes = try section.int("strokes", in: 0...100, default: base.strokes)
    }

    private static func range(_ section: Section, _ key: String, _ value: [Double]) throws -> [Double] {
        let range = try section.optionalDoubles(key, count: 2...2) ?? value
        guard range[0] >= 0.1, range[0] <= range[1], range[1] <= 10 else {
            throw section.failure(
                "SET-RANGE", at: key, found: "\(range[0]) to \(range[1])", "the range does not lie within 0.1 to 10.",
                cure: "Write [low, high] inside.")
        }
        return range
    }
}
