/// What a person can do about a finding, by its code: one sentence behind the finding's own.
enum FindingAdvice {
    /// Nil for a code without advice of its own, whose text says all.
    static func text(_ code: String) -> String? { sentences[code] }

    private static let sentences: [String: String] = [
        "QC-NOTHING": "Look through the slices: if something is there, the result is wrong, not empty.",
        "QC-ABSENT": "Look whether it is really absent.",
        "QC-UNSURE": "Look at its outline on every slice before you use a measurement.",
        "QC-ALL": "Do not use it without looking: check the window and whether this pipeline is meant for such images.",
        "QC-SEPARATE": "Do not use the number of objects: look at the outlines, or segment a part of the slide.",
        "QC-INSTANCES": "Use the annotations or objects.csv, or segment a part of the slide.",
        "QC-BORDER": "Do not take its size for the whole: the images end before it does.",
        "QC-NOSCALE": "For areas in mm² state the spacing at the source, or spacing_mm in the sidecar of a picture.",
        "QC-MINSIZE": "Look for specks that a minimum size would have removed.",
        "QC-PACKING": "If your archive or viewer shows nothing, or shifted outlines, this is why.",
        "QC-CALIBRATION":
            "Look at its outline, above all where it leaves the tissue; measure it with the ultrasound device's own calipers.",
        "QC-SYNTHETIC": "Do not measure positions in it: pixel lies on pixel, nothing more.",
        "QC-SCALE":
            "Look at the outlines closely: objects are larger or smaller here than those the model learned from.",
        "QC-WINDOW": "Look at the outlines closely, or use a pipeline with a fixed window.",
        "RAS-CHANNEL":
            "Check that it is the channel that the pipeline was made for; tiff: {channel: …} chooses another.",
        "RAS-SCALE": "State the spacing in the sidecar when you know it.",
        "RAS-DEPTH": "Compare the picture here with what your own program shows.",
        "RAS-PICTURE": "Compare the picture here with what your own program shows.",
        "RAS-LEVEL": "Outlines are as coarse as the pixels of that level.",
        "RAS-PAGES": "Check that no page is missing here.",
        "SEL-FRAMES": "Look at the others with your own viewer: nothing was looked for there.",
        "VOL-GAP": "Send the missing slices; the study is then segmented anew.",
        "VOL-UNEVEN":
            "Trust this page and the SEG's own positions; a viewer that builds a block of voxels needs the object on a regular grid (outputs.seg.resample: regular).",
        "VOL-TILT":
            "Trust this page and the SEG's own positions; a viewer that builds a block of voxels needs the object on a regular grid (outputs.seg.resample: regular).",
        "VOL-PLACE":
            "Look whether the images lie where they should: lengths and areas hold in each image, volumes need the right positions from the source.",
        "VOL-SCALE": "Compare one distance with one that you know before you use a measurement.",
        "VOL-PARTS": "Check that each part is what you expect, and whether slices are still to come.",
        "VOL-SPACING-TAG":
            "Where this is a warning, look whether slices are missing. Other programs that believe the tag will tell other volumes.",
        "VOL-WINDOW": "Nothing has to be done for the result; the source's own display may look wrong.",
        "VOL-REFERENCE": "Do not register other series to this result by their coordinates.",
        "VOL-VALUES": "Do not use mean values as Hounsfield units; ask the source for Rescale Slope and Intercept.",
        "VOL-DETECTOR":
            "Do not compare these lengths with those of CT or MR: they are those of the detector or the film, not of the patient.",
        "VOL-CALIBRATION": "Compare one distance with the ultrasound device's own scale.",
        "GRP-SPELLING": "Nothing has to be done; correct the spelling at the source when you can.",
        "GRP-STUDY": "Check that all series belong to this study.",
        "DUP-COPY": "Nothing has to be done.",
        "PIX-FRAME": "Look at these frames with your own viewer, or send them again.",
        "PIX-SIZE": "Compare a slice here with the same slice in your viewer.",
        "PIX-NOTE": "Compare a slice here with the same slice in your viewer.",
        "OUT-NOTE": "Nothing has to be done for the result; the source lacks or misstates this.",
    ]
}
