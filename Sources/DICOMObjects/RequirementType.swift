/// Whether an object must have an attribute (PS3.5 2024e, section 7.4, "Data Element Type").
enum RequirementType {
    /// There, with a value.
    case type1
    /// There; without a value when it is unknown.
    case type2
    /// As Type 2 where the condition holds, else as Type 3.
    case type2C(Bool)
    /// May be absent.
    case type3
}
