/// The colours of exit reasons on the page, one for each, on light and on dark paper.
///
/// Any two differ by at least 15 (CIEDE2000), also to eyes without one of the three kinds of cones, and each has a contrast
/// of at least 3 with the paper. There are only these ten such colours: further reasons reuse them with
/// a texture.
enum ReasonColors {
    static let light = [
        "#3060cc", "#e47818", "#90909c", "#904800", "#249ce4", "#242430", "#a89078", "#60606c", "#0000b4", "#3c240c",
    ]
    static let dark = [
        "#54b4e4", "#9c6000", "#fce4cc", "#189060", "#9ca800", "#3c60fc", "#d8909c", "#ccf0ff", "#6c6c78", "#d8f060",
    ]
    /// As the page draws them; the first is none.
    static let textures = ["plain", "rising", "falling", "level", "upright", "grid", "lattice", "dots", "checks"]
}
