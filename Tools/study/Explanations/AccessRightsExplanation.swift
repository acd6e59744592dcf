import Text
import VMX
import X86

/// A segment's access rights in words.
public struct AccessRightsExplanation {
    let rights: SegmentAccessRights

    public init(_ rights: SegmentAccessRights) { self.rights = rights }

    public func report(to print: (Line) -> Void) {
        print("access rights \(hex: rights.rawValue) (SDM volume 3, \"Guest Register State\")")
        var table = BitTable(UInt64(rights.rawValue))
        table.row(3, 0, Line(typeWords), to: print)
        table.flag(4, "S: a code or data segment", else: "S: a system segment", to: print)
        table.row(6, 5, "DPL: privilege level \(UInt64(rights.privilegeLevel))", to: print)
        table.flag(7, "P: present", else: "P: not present", to: print)
        table.flag(12, "AVL: software's own", to: print)
        table.flag(13, "L: 64-bit code", else: "L: not 64-bit code", to: print)
        table.flag(14, "D/B: 32-bit", else: "D/B: 16-bit, or 64-bit with L", to: print)
        table.flag(15, "G: the limit counts pages", else: "G: the limit counts bytes", to: print)
        table.flag(16, "unusable: the register holds no segment", else: "usable", to: print)
        table.finish(to: print)
    }

    /// Only the type.
    var typeWords: StaticString { rights.isCodeOrData ? codeOrData : system }

    private var codeOrData: StaticString {
        switch rights.type {
        case 0: "data, read-only"
        case 1: "data, read-only, accessed"
        case 2: "data, writable"
        case 3: "data, writable, accessed"
        case 4: "data that expands down, read-only"
        case 5: "data that expands down, read-only, accessed"
        case 6: "data that expands down, writable"
        case 7: "data that expands down, writable, accessed"
        case 8: "code, execute-only"
        case 9: "code, execute-only, accessed"
        case 10: "code, readable"
        case 11: "code, readable, accessed"
        case 12: "conforming code, execute-only"
        case 13: "conforming code, execute-only, accessed"
        case 14: "conforming code, readable"
        default: "conforming code, readable, accessed"
        }
    }

    private var system: StaticString {
        switch rights.type {
        case 1: "16-bit task state, available"
        case 2: "local descriptor table"
        case 3: "16-bit task state, busy"
        case 4: "16-bit call gate"
        case 5: "task gate"
        case 6: "16-bit interrupt gate"
        case 7: "16-bit trap gate"
        case 9: "32-bit or 64-bit task state, available"
        case 11: "32-bit or 64-bit task state, busy"
        case 12: "32-bit or 64-bit call gate"
        case 14: "32-bit or 64-bit interrupt gate"
        case 15: "32-bit or 64-bit trap gate"
        default: "reserved type"
        }
    }
}
