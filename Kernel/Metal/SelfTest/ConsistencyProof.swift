import ConsistencyProof
import Instructions
import Machine
import Memory
import SVM
import Text
import Trace
import X86

/// The beginning of build/vmrun-proof.elf, which tries the checks of VMRUN on the processor and runs no guest.
@c(martlet_prove_vmrun)
func proveVMRUN(_ magic: UInt32, _ information: UInt32) -> Never {
    openConsole()
    let loader = readLoaderInformation(magic, information)
    var options = readOptions(loader)
    // The page tables of the start map what is below 4 GiB, and a guest outside long mode reaches no more by CR3.
    options.mmu = .direct
    if let port = options.report { Report.open(port, quietConsole: options.trace == .off) }
    Processor.current.pointee.open()
    let host = HardwareHost()
    let capabilities: SVMCapabilities
    do { capabilities = try SVMSupport.enable(host, host) } catch { HostMachine.refuse("\(error)", .missingFeature) }
    let svm = capabilities.identification
    Console.print(
        "martlet: \(ProcessorName(host)), SVM revision \(UInt64(svm.revision)), \(UInt64(svm.asidCount)) ASIDs, \(svm.features)")
    var map = loader.map
    HostMachine.reserveKernel(in: &map, loader)
    let memory = HostMachine.findGuestRAM(options, &map)
    guard memory.count >= ConsistencyProofMachine.leastMemory else {
        HostMachine.refuse("the proof takes 13 pages: say memory=1M or more", .badUsage)
    }
    let machine = ConsistencyProofMachine(in: memory, host)
    var prover = ConsistencyProver(on: machine, capabilities, pages: machine.pages)
    let passed = prover.run()
    Power.end(passed ? .ended : .selfTestFailed)
}

/// This processor, as the proof of VMRUN's checks uses it.
struct ConsistencyProofMachine: ConsistencyMachine {
    let vmcb: VMCB
    let base: VMCB
    let emulator: Emulator?
    /// The page tables of the start map all of it.
    let memoryEnd: UInt64 = 4 << 30
    let pages: ConsistencyPages
    static var leastMemory: ByteCount { .frames(13) }
    private let guestVMCB: HostPhysicalAddress
    private let hostVMCB: HostPhysicalAddress

    /// - Parameter memory: what nothing else uses. Its addresses have several high bits set, so that an address with one bit
    ///   flipped never lies in the kernel.
    init(in memory: HostPhysicalRange, _ host: HardwareHost) {
        func page(_ index: UInt64) -> HostPhysicalAddress { memory.start.advanced(by: .frames(index)) }
        func area(_ address: HostPhysicalAddress) -> VMCB {
            VMCB(at: UnsafeMutableRawPointer(bitPattern: UInt(address.rawValue))!)
        }
        pages = ConsistencyPages(blank: page(0), permissionMap: page(3))
        guestVMCB = page(9)
        hostVMCB = page(10)
        vmcb = area(guestVMCB)
        base = area(page(11))
        emulator = Console.isOnBochs ? .bochs : ConsistencyProofMachine.isOnTCG(host) ? .qemu : nil
        for index in UInt64(0)..<13 { IdentityMemory().zeroFrame(at: page(index)) }
        // Three pages for the ports, of which two are the registers', too.
        for offset in 0..<UInt64(3 * 512) {
            IdentityMemory().writeUInt64(.max, at: pages.permissionMap.advanced(by: ByteCount(8 * offset)))
        }
        host.write(.hostSaveAddress, page(12).rawValue)
    }

    /// QEMU without KVM calls itself "TCGTCGTCGTCG".
    private static func isOnTCG(_ host: HardwareHost) -> Bool {
        host.has(.hypervisor) && host.cpuid(0x4000_0000, 0).ebx == 0x5447_4354
    }

    func enter() { martlet_probe_vmrun(guestVMCB.rawValue, hostVMCB.rawValue) }

    func print(_ line: Line) { Console.print(line) }
}
