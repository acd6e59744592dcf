import Text
import Support
import Testing
import X86

@testable import Virtualization

@Suite struct WordsAndRegistersTests {
    @Test func `events say what they are`() {
        #expect(words(Event.interrupt(0x40)) == "interrupt 0x40")
        #expect(words(Event(kind: .nonMaskableInterrupt, vector: 2)) == "NMI")
        #expect(words(Event.generalProtection) == "#GP(0)")
        #expect(words(Event.exception(.pageFault, errorCode: 0x10)) == "#PF(0x10)")
        #expect(words(Event.invalidOpcode) == "#UD")
        #expect(words(Event(kind: .softwareInterrupt, vector: 0x80, instructionLength: 2)) == "INT 0x80")
        #expect(words(Event(kind: .softwareException, vector: 3, instructionLength: 1)) == "#BP")
    }

    @Test func `software events are those of instructions made for them`() {
        let software: [Event.Kind] = [.softwareInterrupt, .privilegedSoftwareException, .softwareException]
        let others: [Event.Kind] = [.externalInterrupt, .nonMaskableInterrupt, .exception]
        #expect(software.allSatisfy(\.isSoftware) && !others.contains(where: \.isSoftware))
    }

    @Test func `the register block is as the world switch pushes it`() {
        #expect(MemoryLayout<GeneralRegisters>.size == 120)
        var registers = GeneralRegisters()
        let numbers: [UInt8] = [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
        for number in numbers { registers.set(RegisterNumber(number), to: UInt64(number) + 100) }
        let words = withUnsafeBytes(of: registers) { Array($0.bindMemory(to: UInt64.self)) }
        #expect(words == numbers.map { UInt64($0) + 100 })
        #expect(registers.rcx == 101 && registers.rbx == 103 && registers.rbp == 105 && registers.r15 == 115)
    }

    @Test func `registers are reached by number in both ways, and RSP is not among them`() {
        var registers = GeneralRegisters()
        for number in UInt8(0)...15 {
            let register = RegisterNumber(number)
            registers.set(register, to: 7)
            #expect(registers.value(of: register) == (number == 4 ? 0 : 7))
            registers.set(register, to: 0)
            #expect(registers == GeneralRegisters())
        }
        #expect(RegisterNumber(0x1F).value == 15)
    }

    @Test func `registers have their names`() {
        let names = (UInt8(0)...15).map { "\(RegisterNumber($0).name)" }
        #expect(
            names == [
                "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
            ])
    }
}
