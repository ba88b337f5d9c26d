import Tensors

/// One level of the hierarchy: Q&A prompts, neck and decoder (§3.4).
struct Level {
    let prompts: QAPrompts?
    let neck: Neck
    let decoder: MaskDecoder

    init(_ configuration: Configuration, _ scope: ParameterScope, hasHead: Bool) {
        prompts = QAPrompts(configuration, scope)
        neck = Neck(configuration, scope.scope("neck").upstream("image_encoder.neck"))
        decoder = MaskDecoder(configuration, scope, hasHead: hasHead)
    }
}
