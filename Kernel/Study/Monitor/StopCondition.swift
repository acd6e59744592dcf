import Machine
import Memory
import Text
import VMX
import Virtualization
import X86

/// A comparison that has to hold for a breakpoint to stop the guest: `rax == 0x10`.
///
/// All have the values that they had at the VM exit.
public struct StopCondition: Equatable, Sendable {
    public enum Operand: Equatable, Sendable {
        case general(RegisterNumber)
        case field(Field)
    }

    public enum Field: UInt8, Sendable {
        case rip, rsp, rflags, cr0, cr3, cr4, cpl, reason, qualification, physical, linear

        var name: StaticString {
            switch self {
            case .rip: "rip"
            case .rsp: "rsp"
            case .rflags: "rflags"
            case .cr0: "cr0"
            case .cr3: "cr3"
            case .cr4: "cr4"
            case .cpl: "cpl"
            case .reason: "reason"
            case .qualification: "qualification"
            case .physical: "physical"
            case .linear: "linear"
            }
        }

        static var all: ClosedRange<UInt8> { Field.rip.rawValue...Field.linear.rawValue }
    }

    public enum Relation: UInt8, Sendable {
        case equal, unequal, less, greater, atMost, atLeast, hasBits

        var symbol: StaticString {
            switch self {
            case .equal: "=="
            case .unequal: "!="
            case .less: "<"
            case .greater: ">"
            case .atMost: "<="
            case .atLeast: ">="
            case .hasBits: "&"
            }
        }

        func holds(_ left: UInt64, _ right: UInt64) -> Bool {
            switch self {
            case .equal: left == right
            case .unequal: left != right
            case .less: left < right
            case .greater: left > right
            case .atMost: left <= right
            case .atLeast: left >= right
            case .hasBits: left & right == right
            }
        }
    }

    public let operand: Operand
    public let relation: Relation
    public let value: UInt64

    /// Takes three words: what is compared, how, and with what number.
    public init(_ text: CommandText, from index: Int) throws(Complaint) {
        guard let name = text.word(index), let sign = text.word(index + 1), let number = text.word(index + 2) else {
            throw Complaint("a condition is three words, such as rax == 0x10")
        }
        operand = try Operand(name)
        guard let relation = Relation(sign) else {
            throw Complaint("\"\(sign)\" is no comparison: there are ==, !=, <, >, <=, >= and & (all of these bits are set)")
        }
        self.relation = relation
        value = try number.requiredNumber()
        if let more = text.word(index + 3) { throw Complaint("\"\(more)\" is too much: a condition is three words") }
    }

    /// - Parameter before: the general registers at the exit.
    public func holds<Access: VMCSAccess>(_ processor: VMXProcessor<Access>, _ before: GeneralRegisters) -> Bool {
        relation.holds(operand.value(processor, before), value)
    }
}

extension StopCondition.Relation {
    fileprivate init?(_ sign: Line) {
        for number in Self.equal.rawValue...Self.hasBits.rawValue {
            if let relation = Self(rawValue: number), sign == Line(relation.symbol) {
                self = relation
                return
            }
        }
        return nil
    }
}

extension StopCondition.Operand {
    fileprivate init(_ word: Line) throws(Complaint) {
        var search = NameSearch(word)
        for number in UInt8(0)..<16 { search.offer(RegisterNumber(number).name, Int(number)) }
        for number in StopCondition.Field.all {
            if let field = StopCondition.Field(rawValue: number), field != .rsp { search.offer(field.name, 16 + Int(number)) }
        }
        let number = try search.result(
            "register or field", "there are rax to r15, rip, rflags, cr0, cr3, cr4, cpl, reason, qualification, physical, linear")
        if number < 16 {
            self = number == RegisterNumber.rsp.value ? .field(.rsp) : .general(RegisterNumber(UInt8(number)))
        } else {
            self = .field(StopCondition.Field(rawValue: UInt8(number - 16)) ?? .rip)
        }
    }

    func value<Access: VMCSAccess>(_ processor: VMXProcessor<Access>, _ before: GeneralRegisters) -> UInt64 {
        switch self {
        case .general(let number): before[number]
        case .field(.rip): processor.instructionPointer
        case .field(.rsp): processor.stackPointer
        case .field(.rflags): processor.flags.rawValue
        case .field(.cr0): processor.cr0.rawValue
        case .field(.cr3): processor.cr3
        case .field(.cr4): processor.cr4.rawValue
        case .field(.cpl): UInt64(processor.privilegeLevel)
        case .field(.reason): UInt64(processor.vmcs[.exitReason].basic)
        case .field(.qualification): processor.vmcs[.exitQualification]
        case .field(.physical): processor.vmcs[.guestPhysicalAddress].rawValue
        case .field(.linear): processor.vmcs[.guestLinearAddress].rawValue
        }
    }
}

extension StopCondition: TextConvertible {
    public func write(to output: inout Line) {
        switch operand {
        case .general(let number): output.write(number.name)
        case .field(let field): output.write(field.name)
        }
        output.write(" ")
        output.write(relation.symbol)
        output.write(" ")
        output.write(hex: value)
    }
}
