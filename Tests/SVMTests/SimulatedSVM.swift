import Machine
import Memory
import SVM
import X86

/// A VMCB and the memory around it, for tests: what a virtual CPU on SVM needs.
final class SimulatedSVM: SVMAccess {
    let ram: GuestMemory
    let vmcb: VMCB
    private let page = UnsafeMutableRawPointer.allocate(byteCount: VMCB.size, alignment: 4096)
    /// What is in the structures that the VMCB points to, by address: nothing, until something is written.
    var physical: [UInt64: UInt64] = [:]

    init(_ ram: GuestMemory) {
        self.ram = ram
        page.initializeMemory(as: UInt8.self, repeating: 0, count: VMCB.size)
        vmcb = VMCB(at: page)
    }

    deinit { page.deallocate() }

    func readPhysical(at address: HostPhysicalAddress) -> UInt64 { physical[address.rawValue] ?? 0 }
    func writePhysical(_ value: UInt64, at address: HostPhysicalAddress) { physical[address.rawValue] = value }

    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: page, count: VMCB.size)) }
}

extension SVMCapabilities {
    /// Of a processor with these features, in long mode and with 48 bits of physical addresses.
    static func simulated(
        _ features: UInt32 = 0xEB, cr4: ControlRegister4 = .init(rawValue: 0x77_7FFF), asidCount: UInt32 = 16
    ) -> SVMCapabilities {
        SVMCapabilities(
            SVMIdentification(.init(eax: 1, ebx: asidCount, ecx: 0, edx: features)), physicalAddressWidth: 48,
            efer: .init(rawValue: 0x1D01), cr4: cr4)
    }
}
