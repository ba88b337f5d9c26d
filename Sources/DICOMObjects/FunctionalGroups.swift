import DICOM

/// Shared and per-frame functional groups with their dimensions (C.7.6.16, C.7.6.17).
struct FunctionalGroups {
    let volume: Volume
    let grid: FrameGrid
    let selection: FrameSelection
    /// Nil for sources without a place in the patient.
    let geometry: FrameGeometry?
    /// Nil for other images than slides.
    let slide: SlideGeometry?
    /// Dimension Organization UID.
    let dimensions: String
    /// Frames belong to all segments, so none is named by a frame.
    let isLabelmap: Bool

    func put(into dataSet: inout DataSet) {
        dataSet.put(
            .dimensionOrganizationSequence, item: DataSet(composing: { $0.put(.dimensionOrganizationUID, dimensions) }))
        dataSet.put(.dimensionIndexSequence, items: indices)
        // One frame a place, in a block of voxels.
        let isOneEach = isLabelmap || selection.segments.count == 1
        if isOneEach, geometry?.isBlock(selection.frames.map(\.source)) == true {
            dataSet.put(.dimensionOrganizationType, "3D")
        }
        dataSet.put(.sharedFunctionalGroupsSequence, item: shared)
        let place = places
        dataSet.put(
            .perFrameFunctionalGroupsSequence, items: selection.frames.map { perFrame($0, place: place($0.source)) })
    }

    /// A volume has positions, a stack of frames a place in it, a single picture neither, unless nothing else counts its frames.
    private var isStack: Bool { geometry == nil && slide == nil && (volume.frames.count > 1 || isLabelmap) }

    /// The Dimension Index Values of a source frame, behind its segment's.
    private var places: (_ source: Int) -> [Int] {
        if let slide {
            let ranks = slide.ranks(selection.frames.map(\.source))
            return { source in
                let origin = slide.origin(source)
                return [ranks.row[origin.row] ?? 1, ranks.column[origin.column] ?? 1]
            }
        }
        let ranks = selection.ranks
        let (hasPlace, isStack) = (geometry != nil, isStack)
        return { source in
            let rank = ranks[source] ?? 1
            return hasPlace ? [rank] : isStack ? [1, rank] : []
        }
    }

    private var indices: [DataSet] {
        var items =
            isLabelmap ? [] : [index(.referencedSegmentNumber, in: .segmentIdentificationSequence, "Segment")]
        if slide != nil {
            items.append(index(.rowPositionInTotalImagePixelMatrix, in: .planePositionSlideSequence, "Row"))
            items.append(index(.columnPositionInTotalImagePixelMatrix, in: .planePositionSlideSequence, "Column"))
        } else if geometry != nil {
            items.append(index(.imagePositionPatient, in: .planePositionSequence, "Position"))
        } else if isStack {
            items.append(index(.stackID, in: .frameContentSequence, "Stack"))
            items.append(index(.inStackPositionNumber, in: .frameContentSequence, "Position in stack"))
        }
        return items
    }

    private func index(_ pointer: Attribute, in group: Attribute, _ label: String) -> DataSet {
        DataSet(composing: {
            $0.put(.dimensionOrganizationUID, dimensions)
            $0.put(.dimensionIndexPointer, pointers: [pointer])
            $0.put(.functionalGroupPointer, pointers: [group])
            $0.put(.dimensionDescriptionLabel, label)
        })
    }

    private var shared: DataSet {
        DataSet(composing: { shared in
            if let measures = slide?.measures { shared.put(.pixelMeasuresSequence, item: measures) }
            guard let geometry else { return }
            if !geometry.orientationPerFrame { shared.put(.planeOrientationSequence, item: orientation(geometry, 0)) }
            shared.put(
                .pixelMeasuresSequence,
                item: DataSet(composing: {
                    $0.put(.pixelSpacing, geometry.pixelSpacing)
                    $0.put(.sliceThickness, geometry.sliceSpacing)
                    $0.put(.spacingBetweenSlices, geometry.sliceSpacing)
                }))
        })
    }

    private func orientation(_ geometry: FrameGeometry, _ frame: Int) -> DataSet {
        DataSet(composing: { $0.put(.imageOrientationPatient, geometry.orientations[frame]) })
    }

    private func perFrame(_ frame: FrameSelection.Frame, place: [Int]) -> DataSet {
        DataSet(composing: { group in
            group.put(
                .frameContentSequence,
                item: DataSet(composing: {
                    if isStack {
                        $0.put(.stackID, "1")
                        $0.put(.inStackPositionNumber, place[1])
                    }
                    $0.put(.dimensionIndexValues, (isLabelmap ? [] : [frame.segment]) + place)
                }))
            if let slide { group.put(.planePositionSlideSequence, item: slide.place(frame.source)) }
            if let geometry {
                group.put(
                    .planePositionSequence,
                    item: DataSet(composing: {
                        $0.put(.imagePositionPatient, geometry.positions[frame.source])
                    }))
                if geometry.orientationPerFrame {
                    group.put(.planeOrientationSequence, item: orientation(geometry, frame.source))
                }
            }
            group.put(.derivationImageSequence, item: derivation(volume.frames[grid.sources[frame.source]]))
            if isLabelmap { return }
            group.put(
                .segmentIdentificationSequence,
                item: DataSet(composing: {
                    $0.put(.referencedSegmentNumber, frame.segment)
                }))
        })
    }

    /// Exactly one item with exactly one source: readers take only the first of both.
    private func derivation(_ source: SourceFrame) -> DataSet {
        var image = DataSet.reference(source)
        // What was moved onto another grid lies elsewhere than in its source.
        image.put(.spatialLocationsPreserved, grid.regular == nil ? "YES" : "NO")
        image.put(.purposeOfReferenceCodeSequence, item: Code.sourceImage.item)
        return DataSet(composing: {
            $0.put(.derivationCodeSequence, item: Code.segmentation.item)
            $0.put(.sourceImageSequence, item: image)
        })
    }
}
