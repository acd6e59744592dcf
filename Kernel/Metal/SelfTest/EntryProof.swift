import EntryProof
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import VMXChecks
import X86

/// The beginning of build/entry-proof.elf, which tries the entry checks on the processor and runs no guest.
@c(martlet_prove_entries)
func proveEntries(_ magic: UInt32, _ information: UInt32) -> Never {
    openConsole()
    let loader = readLoaderInformation(magic, information)
    let options = readOptions(loader)
    if let port = options.report { Report.open(port, quietConsole: options.trace == .off) }
    Processor.current.pointee.open()
    var machine = HostMachine(options, loader)
    // No emulator sends an NMI here, but at least the IRET that ends one must return.
    machine.host.finishNonMaskableInterrupt()
    let prover = EntryProofMachine(vmcs: machine.frame())
    let passed = prover.prove(on: machine)
    VMXOperation.clear(vmcs: prover.vmcs)
    VMXOperation.leave(&machine)
    Power.end(passed ? .ended : .selfTestFailed)
}

/// This processor, as the proof of the entry checks uses it.
struct EntryProofMachine: EntryMachine {
    let vmcs: HostPhysicalAddress
    let access = HardwareVMCS()
    let isBochs = Console.isOnBochs
    /// The kernel's page tables map all memory below.
    let memoryEnd: UInt64 = 4 << 30

    func prove(on machine: borrowing HostMachine) -> Bool {
        let capabilities = machine.capabilities
        let pages = MutationPages(in: machine.guestRAM)
        pages.fill(capabilities)
        VMXOperation.makeCurrent(capabilities, vmcs: vmcs)
        var circumstances = EntryCircumstances(machine.host)
        circumstances.currentVMCS = vmcs
        circumstances.virtualTaskPriority = 0
        let host = HostState(
            cr0: ControlRegister0(rawValue: read_cr0()), cr3: read_cr3(), cr4: ControlRegister4(rawValue: read_cr4()),
            extendedFeatures: ExtendedFeatureEnable(rawValue: read_msr(ModelSpecificRegister.extendedFeatureEnable.number)),
            pat: read_msr(ModelSpecificRegister.pat.number), codeSelector: DescriptorTables.codeSelector,
            dataSelector: DescriptorTables.dataSelector, taskSelector: DescriptorTables.taskSelector,
            gsBase: Processor.base, taskStateBase: Processor.current.pointee.tables.taskStateBase,
            gdtBase: Processor.current.pointee.tables.descriptorBase,
            idtBase: address_of_interrupt_table(), stackPointer: address_of_main_stack_top(),
            instructionPointer: address_of_martlet_probe_exit())
        var prover = EntryProver(on: self, capabilities, circumstances, host: host, pages: pages)
        return prover.run()
    }

    func firstWord(at address: HostPhysicalAddress) -> UInt32 { IdentityMemory().readUInt32(at: address) }

    func print(_ line: Line) { Console.print(line) }

    func enter() -> EntryVerdict {
        VMXOperation.clear(vmcs: vmcs)
        if execute_vmptrld(vmcs.rawValue) != vmx_succeed { Panic.stop("VMPTRLD failed") }
        let result = martlet_probe_entry()
        let fields = VMCS(access)
        switch result {
        case 0:
            let reason: ExitReason = fields[.exitReason]
            guard reason.isEntryFailure else { return .pass }
            return .entryFailure(reason: reason.basicNumber, qualification: fields[.exitQualification])
        case 1: return .fail(error: 0)
        default: return .fail(error: fields[.instructionError])
        }
    }
}

extension MutationPages {
    /// Pages in the guest's RAM, which no guest uses. Their addresses have several high bits set, so an address with one bit
    /// flipped never lies in the kernel, and what the processor writes there does no harm.
    fileprivate init(in guestRAM: HostPhysicalRange) {
        func page(_ index: UInt64) -> HostPhysicalAddress { guestRAM.start.advanced(by: .frames(index)) }
        // No two indices differ in just one bit: flipping a bit of one address must not give another.
        self.init(blank: page(0), scratch: page(3), apicAccess: page(5), registerArea: page(6), shadowVMCS: page(9))
    }

    fileprivate func fill(_ capabilities: VMXCapabilities) {
        let memory = IdentityMemory()
        memory.zeroFrame(at: blank)
        memory.zeroFrame(at: scratch)
        memory.zeroFrame(at: apicAccess)
        memory.zeroFrame(at: registerArea)
        memory.zeroFrame(at: shadowVMCS)
        for index in 0..<UInt64(MutationPages.registerAreaCount) {
            let entry = registerArea.advanced(by: ByteCount(index * 16))
            memory.writeUInt64(UInt64(ModelSpecificRegister.kernelGSBase.number), at: entry)
            memory.writeUInt64(0, at: entry.advanced(by: ByteCount(8)))
        }
        // VMCLEAR makes a region whatever the processor keeps in it; bit 31 marks a shadow VMCS.
        VMXOperation.makeCurrent(capabilities, vmcs: shadowVMCS)
        VMXOperation.clear(vmcs: shadowVMCS)
        memory.writeUInt32(capabilities.basic.revisionIdentifier | 1 << 31, at: shadowVMCS)
    }
}
