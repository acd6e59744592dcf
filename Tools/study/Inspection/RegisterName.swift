import Text
import VMX
import Virtualization
import X86

/// A general register's name at a size: RAX, EAX, AX, AL.
struct RegisterName: TextConvertible {
    let number: RegisterNumber
    let size: Int
    /// AH, CH, DH and BH, by the numbers of AX, CX, DX and BX.
    let isHighByte: Bool

    init(_ number: RegisterNumber, size: Int, isHighByte: Bool = false) {
        self.number = number
        self.size = size
        self.isHighByte = isHighByte
    }

    var text: String { words(self) }

    func write(to output: inout Line) {
        let name = number.name
        if size == 8 { return output.write(name) }
        if number.value >= 8 {
            output.write(name)
            return output.write(byte: size == 4 ? 0x44 : size == 2 ? 0x57 : 0x42)  // D, W, B
        }
        if size == 4 { output.write(byte: 0x45) }  // E
        output.write(byte: name.utf8Start[1])
        if size > 1 { return output.write(byte: name.utf8Start[2]) }
        if number.value < 4 { return output.write(byte: isHighByte ? 0x48 : 0x4C) }  // H, L
        output.write(byte: name.utf8Start[2])
        output.write(byte: 0x4C)
    }
}

extension SegmentRegister {
    var name: StaticString {
        switch self {
        case .es: "ES"
        case .cs: "CS"
        case .ss: "SS"
        case .ds: "DS"
        case .fs: "FS"
        case .gs: "GS"
        case .ldtr: "LDTR"
        case .tr: "TR"
        }
    }
}

/// The fields of the VMCS that hold a segment register of the guest's, by its place in their four rows.
struct SegmentFields {
    let selector: VMCSFieldEncoding
    let base: VMCSFieldEncoding
    let limit: VMCSFieldEncoding
    let rights: VMCSFieldEncoding

    init(_ register: SegmentRegister) {
        func field<Value, Access>(_ first: VMCSField<Value, Access>) -> VMCSFieldEncoding {
            VMCSFieldEncoding(rawValue: first.encoding.rawValue + 2 * UInt32(register.rawValue))
        }
        selector = field(.guestESSelector)
        base = field(.guestESBase)
        limit = field(.guestESLimit)
        rights = field(.guestESAccessRights)
    }
}

/// What DR6 reports about the last debug exception (SDM volume 3, "Debug Status Register (DR6)"). Its bits stay until the
/// guest clears them.
struct DebugStatusWords: TextConvertible {
    let value: UInt64

    init(_ value: UInt64) { self.value = value }

    func write(to output: inout Line) {
        var isEmpty = true
        for bit in 0..<UInt64(17) {
            // Those of a bus lock and of a transaction tell by being 0.
            guard let words = DebugStatusWords.words(bit), value >> bit & 1 == (bit == 11 || bit == 16 ? 0 : 1) else { continue }
            if !isEmpty { output.write(", ") }
            isEmpty = false
            output.write(words)
        }
        if isEmpty { output.write("no debug exception reported") }
    }

    private static func words(_ bit: UInt64) -> StaticString? {
        switch bit {
        case 0: "DR0 met"
        case 1: "DR1 met"
        case 2: "DR2 met"
        case 3: "DR3 met"
        case 11: "BLD: a bus lock"
        case 13: "BD: MOV DR"
        case 14: "BS: a single step"
        case 15: "BT: a task switch"
        case 16: "RTM: in a transaction"
        default: nil
        }
    }
}

/// The breakpoints that DR7 enables.
struct BreakpointWords: TextConvertible {
    let control: DebugRegister7

    init(_ value: UInt64) { control = DebugRegister7(rawValue: value) }

    func write(to output: inout Line) {
        var isEmpty = true
        for number in 0..<4 where control.isEnabled(number) {
            output.write(isEmpty ? "" : ", ")
            isEmpty = false
            output.write("DR")
            output.write(decimal: UInt64(number))
            let kind: StaticString =
                switch control.kind(number) {
                case .execution: " execution"
                case .write: " write"
                case .port: " port"
                case .access: " read or write"
                }
            output.write(kind)
        }
        if isEmpty { output.write("no breakpoint enabled") }
        if control.detectsAccess { output.write(", GD: MOV DR raises #DB") }
    }
}
