import X86

/// Where the fields of a task-state segment lie (SDM volume 3, "32-Bit Task-State Segment (TSS)" and "16-Bit Task-State
/// Segment (TSS)").
///
/// What a task switch saves and loads lies in one piece: the instruction pointer, the flags, the general registers in the
/// order of their encodings, ES, CS, SS, DS, and in the 32-bit form FS and GS. The selector of the local descriptor table,
/// which is only loaded, follows.
struct TaskStateLayout: Equatable {
    let isWide: Bool

    /// - Parameter attributes: of the segment; available or busy.
    /// - Returns: nil for any other segment.
    init?(_ attributes: SegmentAttributes) {
        switch attributes.rawValue & 0x1F {
        case 1, 3: isWide = false
        case 9, 0xB: isWide = true
        default: return nil
        }
    }

    /// The bytes of a field.
    var unit: Int { isWide ? 4 : 2 }
    /// Where what is saved begins, and its number of fields.
    var first: Int { isWide ? 0x20 : 0xE }
    var savedCount: Int { isWide ? 16 : 14 }
    /// The minimum size of a segment, in bytes.
    var size: Int { isWide ? 0x68 : 0x2C }

    /// CR3, only in the 32-bit form.
    static var cr3: Int { 0x1C }
    /// Its lowest bit raises a debug trap; only in the 32-bit form.
    static var trap: Int { 0x64 }

    // The fields by their numbers.
    static var flags: Int { 1 }
    static var registers: Int { 2 }
    static var segments: Int { 10 }
}
