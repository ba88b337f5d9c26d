/// Coded terms and colours of what is segmented often, by a name that a pipeline can use: `preset: liver`.
///
/// The raw value is a row: category (`anatomy`, `abnormal` or `tissue`), SNOMED CT code, colour (sRGB), meaning.
/// *Source*: SNOMED CT as PS3.16 2024e names it (CID 7150, 7151, 7159, 7166); colours of 3D Slicer's generic anatomy table.
package enum SegmentPreset: String, CaseIterable, Sendable {
    case adrenalGland = "anatomy 23451007 244,186,150 Adrenal gland"
    case aorta = "anatomy 15825003 224,97,76 Aorta"
    case bone = "anatomy 272673000 241,214,145 Bone"
    case brain = "anatomy 12738006 250,250,225 Brain"
    case breast = "anatomy 76752008 255,179,150 Breast"
    case cerebellum = "anatomy 113305005 194,195,164 Cerebellum"
    case colon = "anatomy 71854001 204,168,143 Colon"
    case cyst = "abnormal 367643001 205,205,100 Cyst"
    case duodenum = "anatomy 38848004 255,253,229 Duodenum"
    case edema = "abnormal 79654002 140,224,228 Edema"
    case esophagus = "anatomy 32849002 211,171,143 Esophagus"
    case femur = "anatomy 71341001 255,238,170 Femur"
    case gallbladder = "anatomy 28231008 139,150,98 Gallbladder"
    case heart = "anatomy 80891009 206,110,84 Heart"
    case hemorrhage = "abnormal 50960005 188,65,28 Hemorrhage"
    case hip = "anatomy 29836001 230,219,70 Hip"
    case hippocampus = "anatomy 5366008 110,184,209 Hippocampus"
    case inferiorVenaCava = "anatomy 64131007 0,151,206 Inferior vena cava"
    case kidney = "anatomy 64033007 185,102,83 Kidney"
    case leftVentricle = "anatomy 87878005 152,55,13 Left ventricle"
    case lesion = "abnormal 52988006 255,64,96 Lesion"
    case liver = "anatomy 10200004 221,130,101 Liver"
    case lung = "anatomy 39607008 197,165,145 Lung"
    case lymphNode = "anatomy 59441001 68,172,100 Lymph Node"
    case mass = "abnormal 4147007 144,238,144 Mass"
    case muscle = "tissue 71616004 192,104,88 Muscle"
    case necrosis = "abnormal 6574001 216,191,216 Necrosis"
    case neoplasm = "abnormal 108369006 144,238,144 Neoplasm"
    case nodule = "abnormal 27925004 255,128,0 Nodule"
    case nucleus = "anatomy 84640000 0,200,255 Nucleus"
    case ovary = "anatomy 15497006 213,141,113 Ovary"
    case pancreas = "anatomy 15776009 249,180,111 Pancreas"
    case portalVein = "anatomy 32764006 0,151,206 Portal vein"
    case prostate = "anatomy 41216001 230,158,140 Prostate"
    case rectum = "anatomy 34402009 186,124,161 Rectum"
    case retina = "anatomy 5665001 255,140,105 Retina"
    case rib = "anatomy 113197003 253,232,158 Rib"
    case skin = "tissue 39937001 177,122,101 Skin"
    case smallIntestine = "anatomy 30315005 205,167,142 Small intestine"
    case spinalCord = "anatomy 2748008 244,214,49 Spinal cord"
    case spleen = "anatomy 78961009 157,108,162 Spleen"
    case stomach = "anatomy 69695003 216,132,105 Stomach"
    case testis = "anatomy 40689003 233,138,150 Testis"
    case tooth = "anatomy 38199008 255,250,220 Tooth"
    case trachea = "anatomy 44567001 182,228,255 Trachea"
    case uterus = "anatomy 35039007 255,181,158 Uterus"
    case vertebra = "anatomy 51282000 226,202,134 Vertebra"
    case vessel = "anatomy 59820001 216,101,79 Blood Vessel"

    /// `left_ventricle`, as pipelines write it.
    package var name: String {
        "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
    }

    /// Nil for a name that is none.
    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package var category: Code {
        switch field(0) {
        case "abnormal": Code("49755003", "SCT", "Morphologically Abnormal Structure")
        case "tissue": Code("85756007", "SCT", "Tissue")
        default: Code("123037004", "SCT", "Anatomical Structure")
        }
    }

    package var type: Code { Code(field(1), "SCT", field(3)) }

    /// sRGB
    package var color: [UInt8] { field(2).split(separator: ",").map { UInt8($0) ?? 0 } }

    private func field(_ index: Int) -> String { String(rawValue.split(separator: " ", maxSplits: 3)[index]) }
}
