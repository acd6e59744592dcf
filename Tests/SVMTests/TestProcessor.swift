import Memory
import Support
import Virtualization
import X86

@testable import SVM

/// A virtual CPU on a simulated processor with SVM, in 64-bit mode, with RAM that page tables map to itself.
final class TestProcessor {
    let ram = GuestRAM(size: 1 << 20)
    let svm: SimulatedSVM
    let registers: UnsafeMutablePointer<GeneralRegisters>
    let context: UnsafeMutablePointer<SVMContext>
    let processor: SVMProcessor<SimulatedSVM>
    var vmcb: VMCB { svm.vmcb }

    static let code: UInt64 = 0x10000
    /// All that Martlet prefers, and nothing of it.
    static let rich: UInt32 = 0xEB, plain: UInt32 = 1

    init(_ features: UInt32 = rich, hasOtherTables: Bool = false) {
        svm = SimulatedSVM(ram.memory)
        registers = .allocate(capacity: 1)
        registers.initialize(to: GeneralRegisters())
        context = .allocate(capacity: 1)
        let controls = try! SVMControls(.simulated(features))
        context.initialize(
            to: SVMContext(controls, registers: registers, has1GiBPages: true, hasOtherTables: hasOtherTables))
        processor = SVMProcessor(svm.vmcb, svm, context)
        svm.vmcb.prepare(
            SVMStructures(
                ioPermissions: HostPhysicalAddress(0x1000), msrPermissions: HostPhysicalAddress(0x4000),
                nestedTables: HostPhysicalAddress(0x8000), asid: 1), watchesPaging: hasOtherTables)
        ram.put64(0x2003, at: 0x1000)
        ram.put64(0x3003, at: 0x2000)
        ram.put64(0x83, at: 0x3000)  // 2 MiB
        processor.flags = .alwaysSet
        processor.cr3 = 0x1000
        processor.cr4 = .physicalAddressExtension
        processor.cr0 = .protectionEnable | .paging | .writeProtect
        processor.extendedFeatures = .longModeEnable | .longModeActive
        processor.setSegment(.cs, .init(selector: 8, base: 0, limit: .max, attributes: .code64))
        processor.setSegment(.ss, .init(selector: 16, base: 0, limit: .max, attributes: .data32))
        processor.instructionPointer = Self.code
        svm.vmcb[.cleanBits] = .init(rawValue: .max)
    }

    deinit {
        registers.deallocate()
        context.deallocate()
    }

    /// Has the guest exit as the processor does.
    func exit(
        _ code: SVMExitCode, _ information1: UInt64 = 0, _ information2: UInt64 = 0, next: UInt64? = nil,
        delivering: SVMEvent = .none
    ) {
        exit(number: code.number, information1, information2, next: next, delivering: delivering)
    }

    func exit(
        number: UInt64, _ information1: UInt64 = 0, _ information2: UInt64 = 0, next: UInt64? = nil, delivering: SVMEvent = .none
    ) {
        vmcb.setBits(of: .exitCode, to: number)
        vmcb.setBits(of: .exitInfo1, to: information1)
        vmcb.setBits(of: .exitInfo2, to: information2)
        vmcb.setBits(of: .exitIntInfo, to: delivering.rawValue)
        vmcb[.nextRIP] = next ?? 0xBAD
        processor.beginExit()
    }

    /// The instruction at RIP.
    func put(_ bytes: [UInt8]) { ram.put(bytes, at: Int(processor.instructionPointer)) }
}
