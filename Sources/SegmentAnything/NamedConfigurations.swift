extension Configuration {
    /// The rows of the paper's ablation table (§4.4), `scratch` (ours) and `sam` (official SAM without a prompt).
    package enum Named: String, Sendable, CaseIterable {
        case ftSAM = "ft_sam"
        case ablation1 = "ablation_1"
        case ablation2 = "ablation_2"
        case ablation3 = "ablation_3"
        case ablation4 = "ablation_4"
        case ablation5 = "ablation_5"
        case scratch
        case sam

        /// By name; `hsp_sam` is another name of `ablation_3`.
        package init?(name: String) {
            self.init(rawValue: name == "hsp_sam" ? "ablation_3" : name)
        }

        /// All names that `init(name:)` knows, for messages.
        package static var names: [String] { ["hsp_sam"] + allCases.map(\.rawValue) }

        /// Of what somebody asks for by name, that which the configuration has none of, so that it would be 0 all the same; nil: nothing.
        ///
        /// - Parameters: what was asked for; nil: nothing was.
        package func contradiction(prompts: Int?, loraRank: Int?) -> (key: String, asked: Int)? {
            var configuration = Configuration()
            (configuration.prompts, configuration.loraRank) = (prompts ?? 0, loraRank ?? 0)
            configuration.apply(self)
            if let prompts, prompts != configuration.prompts { return ("prompts", prompts) }
            if let loraRank, loraRank != configuration.loraRank { return ("lora_rank", loraRank) }
            return nil
        }
    }

    /// Sets what the configuration says. Prompts and LoRA rank are only ever switched off by it: how many there are, where
    /// there are any, stays as it was.
    package mutating func apply(_ named: Named) {
        hierarchy = true
        skip = true
        freezeEncoder = true
        switch named {
        case .ftSAM: finetuneOneLevel()
        case .ablation1: (hierarchy, skip) = (false, false)
        case .ablation2: skip = false
        case .ablation3: break
        case .ablation4: (prompts, skip) = (0, false)
        case .ablation5: prompts = 0
        case .scratch: (loraRank, freezeEncoder) = (0, false)
        case .sam:
            finetuneOneLevel()
            (activation, maskOutputs, iouHead) = (.sigmoid, 4, true)
        }
    }

    private mutating func finetuneOneLevel() {
        (prompts, loraRank, hierarchy, skip, freezeEncoder) = (0, 0, false, false, false)
    }
}
