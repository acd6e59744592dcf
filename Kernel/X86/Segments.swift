/// A segment selector (SDM volume 3, "Segment Selectors").
public struct SegmentSelector: Equatable, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Bits 1:0, RPL.
    public var requestedPrivilegeLevel: UInt8 { UInt8(truncatingIfNeeded: rawValue) & 3 }
    /// Bit 2, TI: the local descriptor table.
    public var usesLocalTable: Bool { rawValue & 4 != 0 }
    /// Entry 0 of the global table, which means no segment.
    public var isNull: Bool { rawValue & ~3 == 0 }
    /// Where in its table the descriptor begins.
    public var offset: UInt64 { UInt64(rawValue & ~7) }
}

/// Type, privilege and size bits of a segment: bits 55:40 of its descriptor, without the limit bits among them
/// (SDM volume 3, "Segment Descriptors").
public struct SegmentAttributes: Equatable, Sendable {
    public var rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public var isPresent: Bool { rawValue & 0x80 != 0 }
    /// S: a code or data segment, not a system segment.
    public var isCodeOrData: Bool { rawValue & 0x10 != 0 }
    /// DPL.
    public var privilegeLevel: UInt8 {
        get { UInt8(truncatingIfNeeded: rawValue >> 5) & 3 }
        set { rawValue = rawValue & ~0x60 | UInt16(newValue & 3) << 5 }
    }
    /// A code segment rather than one of data; not asked of system segments.
    public var isCode: Bool { rawValue & 8 != 0 }
    /// Code that executes at the privilege level it is called from.
    public var isConforming: Bool { rawValue & 0xC == 0xC }
    /// The type of a busy 16-bit task-state segment.
    public var isBusy16BitTaskState: Bool { rawValue & 0xF == 3 }
    /// L: 64-bit code.
    public var isLong: Bool { rawValue & 0x2000 != 0 }
    /// The same with the accessed bit, which a load sets.
    public var accessed: Self { .init(rawValue: rawValue | 1) }
    /// Makes data, always readable, also writable, and code, always executable, also readable.
    public var isWritableOrReadable: Bool { rawValue & 2 != 0 }
    /// Data whose offsets lie above the limit.
    public var expandsDown: Bool { rawValue & 0xC == 4 }
    /// D/B: 32-bit.
    public var is32Bit: Bool { rawValue & 0x4000 != 0 }

    /// Real-mode data, accessed.
    public static var realModeData: Self { .init(rawValue: 0x93) }
    /// Real-mode code, accessed.
    public static var realModeCode: Self { .init(rawValue: 0x9B) }
    /// Flat 32-bit code, accessed.
    public static var code32: Self { .init(rawValue: 0xC09B) }
    /// Flat 32-bit data, accessed.
    public static var data32: Self { .init(rawValue: 0xC093) }
    /// 64-bit code, accessed.
    public static var code64: Self { .init(rawValue: 0xA09B) }
    /// A busy 32-bit or 64-bit task-state segment.
    public static var busyTaskState: Self { .init(rawValue: 0x8B) }
    /// A local descriptor table.
    public static var localDescriptorTable: Self { .init(rawValue: 0x82) }
}

/// The six segment registers and the two system ones, in the order of their encodings.
public enum SegmentRegister: UInt8, Equatable, Sendable {
    case es = 0, cs = 1, ss = 2, ds = 3, fs = 4, gs = 5, ldtr = 6, tr = 7
}

/// What a segment register holds, with its hidden part.
public struct Segment: Equatable, Sendable {
    public var selector: SegmentSelector
    public var base: UInt64
    /// The highest offset, in bytes.
    public var limit: UInt32
    /// Zero means that the register holds no segment.
    public var attributes: SegmentAttributes

    public init(selector: UInt16, base: UInt64, limit: UInt32, attributes: SegmentAttributes) {
        self.selector = .init(rawValue: selector)
        self.base = base
        self.limit = limit
        self.attributes = attributes
    }

    /// A register that holds no segment.
    public static var unusable: Self { .init(selector: 0, base: 0, limit: 0, attributes: .init(rawValue: 0)) }
}
