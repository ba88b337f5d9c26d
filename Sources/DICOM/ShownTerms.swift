/// Which values of attributes out of files messages may say: logs, the ledger and pages of the service repeat messages, and scanners let
/// people type anything where a code belongs, in capitals too.
enum ShownTerms {
    /// *Source*: PS3.3 2024e, C.7.3.1.1.1, with the retired terms that files still hold.
    static let modalities = words(
        """
        AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS
        M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD
        RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC AS CD CF CP CS DD DF DM DS EC FA FS MA
        MS OPR ST VF
        """)

    /// *Source*: PS3.16 2024e, Annex L (Body Part Examined), and other words of anatomy that scanners write there.
    static let bodyParts = words(
        """
        ABDOMEN ABDOMENPELVIS ADRENAL ANKLE ANUS AORTA APPENDIX ARM ARTERY AXILLA BACK BILEDUCT BLADDER BONE BRAIN BREAST BRONCHUS BUTTOCK
        CALCANEUS CALF CAROTID CEREBELLUM CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CIRCLEOFWILLIS CLAVICLE COCCYX COLON CORNEA
        CORONARYARTERY CSPINE CTSPINE DUODENUM EAR ELBOW ESOPHAGUS EXTREMITY EYE EYELID FACE FEMUR FIBULA FINGER FOOT FOREARM GALLBLADDER
        HAND HEAD HEADNECK HEART HIP HUMERUS IAC ILEUM ILIUM JAW JEJUNUM KIDNEY KNEE LARYNX LEG LIVER LOWEREXTREMITY LSPINE LSSPINE LUNG
        MANDIBLE MAXILLA MEDIASTINUM MOUTH NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV NOSE ORBIT OVARY PANCREAS PAROTID PATELLA
        PELVIS PENIS PHARYNX PROSTATE RADIUS RADIUSULNA RECTUM RIB SCALP SCAPULA SCLERA SCROTUM SHOULDER SKIN SKULL SPINE SPLEEN SSPINE
        STERNUM STOMACH SUBMANDIBULAR TESTIS THIGH THORAX THUMB THYMUS THYROID TIBIA TIBIAFIBULA TLSPINE TMJ TOE TONGUE TOOTH TRACHEA
        TSPINE ULNA UPPEREXTREMITY URETER URETHRA UTERUS VAGINA VEIN VULVA WHOLEBODY WRIST ZYGOMA
        """)

    private static func words(_ text: String) -> Set<String> {
        Set(text.split(whereSeparator: \.isWhitespace).map(String.init))
    }
}

extension DataSet {
    /// The Modality as a message may say it: words in its place where it is no term that is known. Nil when it is absent or empty.
    package var shownModality: String? { shown(.modality, ShownTerms.modalities) }

    /// The Body Part Examined as a message may say it, in the same way.
    package var shownBodyPart: String? { shown(.bodyPartExamined, ShownTerms.bodyParts) }

    private func shown(_ attribute: Attribute, _ terms: Set<String>) -> String? {
        string(attribute).map {
            terms.contains($0.uppercased()) ? $0.uppercased() : "a value that is no term of the standard"
        }
    }
}
