import Debug
import Devices
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import Virtualization
import X86

/// The virtual CPU of the running machine: in the one place that the world switch and the exit handler know.
typealias HardwareCPU = VirtualCPU<VMXProcessor<HardwareVMCS>, HardwareHost>

extension VirtualMachine where Processor == VMXProcessor<HardwareVMCS>, Host == HardwareHost {
    /// Where the one machine that runs at a time is.
    static var place: Pointer {
        UnsafeMutableRawPointer(bitPattern: UInt(address_of_virtual_cpu_area()) + UInt(GuestMachine.machineOffset))!
            .bindMemory(to: Self.self, capacity: 1)
    }
}

/// A virtual machine's share of the hardware: its nested page tables, if the processor has any, and its virtual CPU with a VMCS.
struct GuestMachine: ~Copyable {
    typealias NestedTable = PageTable<EPTFormat, IdentityMemory>

    let cpu: UnsafeMutablePointer<HardwareCPU>
    let vmcs: HostPhysicalAddress
    private let constants: UnsafePointer<VMXConstants>
    private let policy: CPUIDPolicy
    private let features: GuestFeatures
    let machine: HardwareCPU.Machine.Pointer
    private var structures: ControlStructures
    private var nestedTable: NestedTable?

    /// - Parameter virtual: has no virtual CPU yet.
    init(_ virtual: HardwareCPU.Machine.Pointer, on machine: inout HostMachine) {
        self.machine = virtual
        let memory = IdentityMemory()
        let capabilities = machine.capabilities
        let apicAccessPage = machine.frame()
        var accessEntry = (address: HostPhysicalAddress(0), value: UInt64(0))
        var pointer: EPTPointer?
        var loadedMSRs: HostPhysicalAddress?
        if machine.controls.hasNestedTables {
            var table = GuestMachine.mapRAM(&machine)
            accessEntry = GuestMachine.mapAPICAccessPage(apicAccessPage, &table, &machine)
            pointer = EPTPointer(
                root: table.root, levelCount: 4, memoryType: .writeBack,
                usesAccessedAndDirty: capabilities.eptAndVPID.accessedAndDirty)
            nestedTable = consume table
        } else {
            nestedTable = nil
            loadedMSRs = machine.frame()
            machine.logGuestRAM("")
        }
        let (tag, startsAnew) = machine.tags.allocate()
        if startsAnew { VMXOperation.invalidateAll(capabilities) }
        vmcs = machine.frame()
        structures = ControlStructures(
            ioBitmapA: machine.frame(), ioBitmapB: machine.frame(), msrBitmaps: machine.frame(),
            virtualAPICPage: machine.frame(), apicAccessPage: apicAccessPage,
            extendedPageTables: pointer, loadedMSRs: loadedMSRs, tag: tag)
        IOBitmaps.fill(structures.ioBitmapA, structures.ioBitmapB, in: memory)
        let secondary = machine.controls.secondary
        policy = CPUIDPolicy(
            CPUIDPolicy.Offers(
                rdtscp: secondary.contains(.enableRDTSCP), invpcid: secondary.contains(.enableINVPCID),
                xsaves: secondary.contains(.enableXSAVES), pat: machine.controls.switchesPAT || loadedMSRs != nil,
                cr4: GuestMachine.offeredCR4(machine),
                fastStrings: MSRPolicy.hasFastStrings(machine.host)),
            timeStampFrequency: Processor.current.pointee.timeStamp.frequency, hidden: GuestMachine.hidden(machine.options))
        features = GuestFeatures(
            policy, machine.host, hasOtherTables: machine.options.translation != .nested,
            keepsExtendedFeatures: loadedMSRs != nil,
            keepsPageAttributes: loadedMSRs != nil && !machine.controls.switchesPAT)
        let bitmaps = MSRBitmaps(page: structures.msrBitmaps, memory: memory)
        MSRPolicy.forEachPassing(features) { bitmaps.pass($0, reads: $1, writes: $2) }

        let area = UnsafeMutableRawPointer(bitPattern: UInt(address_of_virtual_cpu_area()))!
        cpu = area.bindMemory(to: HardwareCPU.self, capacity: 1)
        // CPUID's answers, the constants and the virtual machine share the area of the virtual CPU, after it.
        let constants = (area + GuestMachine.constantsOffset).bindMemory(to: VMXConstants.self, capacity: 1)
        constants.initialize(
            to: VMXConstants(
                capabilities, tag: secondary.contains(.enableVPID) ? tag : 0,
                invalidator: TranslationInvalidator(capabilities.eptAndVPID) { kind, tag in
                    if execute_invvpid(kind, tag, 0) { Panic.stop("INVVPID failed") }
                },
                localAPIC: LocalAPICVirtualization(
                    machine.controls, msrBitmaps: structures.msrBitmaps, accessEntry: accessEntry.address,
                    accessEntryValue: accessEntry.value), usesPreemptionTimer: machine.controls.usesPreemptionTimer,
                hasNestedTables: machine.controls.hasNestedTables,
                loadedMSRs: loadedMSRs.map { LoadedMSRs($0, machine.controls) },
                shadow: machine.options.translation == .nested ? nil : GuestMachine.shadowRegisters(area)))
        self.constants = UnsafePointer(constants)
        if let range = machine.tableRange {
            if machine.options.translation == .shadow {
                virtual.pointee.shadow = makeShadowTables(range, on: machine)
            } else {
                virtual.pointee.direct = makeDirectTables(range, on: machine)
            }
        }
        makeCPU(number: virtual.pointee.cpuCount, on: machine)
        virtual.pointee.add(cpu)
    }

    /// Makes the virtual CPU, with a cleared VMCS; everything in it is as after a reset.
    private func makeCPU(number: Int, on host: borrowing HostMachine) {
        VMXOperation.makeCurrent(host.capabilities, vmcs: vmcs)
        let processor = VMXProcessor(HardwareVMCS(), constants)
        processor.vmcs.prepare(
            host.controls, structures, GuestMachine.hostState(host.options),
            GuestOwnedBits(
                host.capabilities, offered: features.cr4, hasShadowTables: host.options.translation == .shadow,
                seesWriteProtect: host.options.translation == .direct))
        GuestMachine.shadowRegisters(UnsafeMutableRawPointer(cpu)).initialize(to: ShadowRegisters())
        machine.pointee.shadow?.pointee.reset()
        if host.options.seesExceptions { processor.vmcs[.exceptionBitmap] = ~ExceptionVector.nonMaskableInterrupt.bit }
        let entries = (UnsafeMutableRawPointer(cpu) + GuestMachine.answersOffset)
            .bindMemory(to: CPUIDAnswers.Entry.self, capacity: CPUIDAnswers.entryCount)
        cpu.initialize(
            to: HardwareCPU(
                processor: processor, host: host.host, machine: machine, number: number,
                apicPage: UnsafeMutablePointer(bitPattern: UInt(structures.virtualAPICPage.rawValue))!,
                features: features, answers: CPUIDAnswers(policy, host.host, entries: entries),
                slice: host.options.slice))
        HeldRegisters.reset(host.host, features)
    }

    /// Makes the virtual CPU and the devices again, as the machine was made: nothing the guest did to them is left. Its RAM and
    /// the processor's APIC assistance stay.
    func makeAnew(on host: borrowing HostMachine) {
        VMXOperation.clear(vmcs: vmcs)
        IdentityMemory().zeroFrame(at: vmcs)
        let (records, number) = (cpu.pointee.records, cpu.pointee.number)
        cpu.deinitialize(count: 1)
        machine.pointee.makeAnew()
        makeCPU(number: number, on: host)
        cpu.pointee.records = records
    }

    /// Shadow tables for the guest, without entries.
    private func makeShadowTables(
        _ range: HostPhysicalRange, on host: borrowing HostMachine
    ) -> UnsafeMutablePointer<ShadowTables<GuestMemory>> {
        let place = (UnsafeMutableRawPointer(cpu) + GuestMachine.shadowTablesOffset)
            .bindMemory(to: ShadowTables<GuestMemory>.self, capacity: 1)
        let largest = host.options.largestPage
        place.initialize(
            to: ShadowTables(
                ShadowLayout(size: host.options.shadowSize, ram: host.guestRAM.count),
                storage: UnsafeMutableRawPointer(bitPattern: UInt(range.start.rawValue))!, at: range.start,
                memory: machine.pointee.memory, ram: host.guestRAM,
                leafSizes: LeafSizes(
                    twoMebibytes: largest >= .twoMebibytes, oneGibibyte: largest >= .oneGibibyte && host.hasGibibytePages),
                paging: GuestPaging(
                    mode: .none, cr3: 0, writeProtects: false, hasPageSizeExtensions: false, hasExecuteDisable: false,
                    preventsSupervisorExecution: false, preventsSupervisorAccess: false, hasGibibytePages: false, hasPSE36: false,
                    physicalAddressWidth: 36),
                twins: RootTwins(
                    window: host.twinRange,
                    storage: UnsafeMutableRawPointer(bitPattern: UInt(max(host.twinRange.start.rawValue, 0x1000)))!,
                    limit: Int(host.capabilities.miscellaneous.cr3TargetCount))))
        return place
    }

    /// Direct paging's bookkeeping; no page is a table yet.
    private func makeDirectTables(
        _ range: HostPhysicalRange, on host: borrowing HostMachine
    ) -> UnsafeMutablePointer<DirectTables<GuestMemory>> {
        let place = (UnsafeMutableRawPointer(cpu) + GuestMachine.shadowTablesOffset)
            .bindMemory(to: DirectTables<GuestMemory>.self, capacity: 1)
        place.initialize(
            to: DirectTables(
                DirectLayout(host.guestRAM), storage: UnsafeMutableRawPointer(bitPattern: UInt(range.start.rawValue))!,
                memory: machine.pointee.memory, leafSizes: LeafSizes(twoMebibytes: true, oneGibibyte: host.hasGibibytePages)))
        return place
    }

    /// Shadow tables that always translate do so even without the guest's paging and write protection, and these bits would
    /// then forbid what the guest may do. No processor without nested tables has them.
    private static func offeredCR4(_ machine: borrowing HostMachine) -> ControlRegister4 {
        let offered = machine.capabilities.cr4.fixed1
        return machine.controls.hasNestedTables
            ? offered : offered.subtracting(.supervisorExecutionPrevention | .supervisorAccessPrevention)
    }

    /// Shadow tables do not support protection keys.
    private static func hidden(_ options: KernelOptions) -> HiddenFeatures {
        var hidden = options.hidden
        if options.translation == .shadow { hidden.hideProtectionKeys() }
        return hidden
    }

    private static func shadowRegisters(_ area: UnsafeMutableRawPointer) -> UnsafeMutablePointer<ShadowRegisters> {
        (area + shadowRegistersOffset).bindMemory(to: ShadowRegisters.self, capacity: 1)
    }

    static var answersOffset: Int { 8 * 1024 }
    static var shadowTablesOffset: Int { 13 * 1024 }
    static var shadowRegistersOffset: Int { 14 * 1024 }
    static var constantsOffset: Int { 15 * 1024 }
    static var machineOffset: Int { 16 * 1024 }

    /// Gives everything the machine had back; none of its translations stay.
    consuming func destroy(on machine: inout HostMachine) {
        VMXOperation.clear(vmcs: vmcs)
        cpu.deinitialize(count: 1)
        if let table = nestedTable.take() {
            if execute_invept(2, 0) { Panic.stop("INVEPT failed") }
            table.destroy(frames: &machine.frames)
        }
        if let lists = structures.loadedMSRs { machine.frames.freeFrame(lists) }
        machine.frames.freeFrame(structures.ioBitmapA)
        machine.frames.freeFrame(structures.ioBitmapB)
        machine.frames.freeFrame(structures.msrBitmaps)
        machine.frames.freeFrame(structures.virtualAPICPage)
        machine.frames.freeFrame(structures.apicAccessPage)
        machine.frames.freeFrame(vmcs)
    }

    /// Changes the permissions of pages of the guest's RAM.
    /// - Parameter merges: merges pages again where nothing keeps them apart.
    /// - Returns: false, with nothing changed, if the EPT cannot express that.
    mutating func protect(_ range: GuestPhysicalRange, _ passed: PassedAccesses, merges: Bool, on machine: inout HostMachine)
        -> Bool
    {
        let allowed: ExtendedPagePermissions? =
            switch (passed.reads, passed.writes, passed.fetches) {
            case (true, true, true): .all
            case (true, true, false): .read | .write
            case (true, false, true): .read | .execute | .userExecute
            case (true, false, false): .read
            case (false, _, true): .execute | .userExecute
            case (false, _, false): nil  // an entry without permissions is not present
            }
        guard let permissions = allowed else { return false }
        do {
            let ram = GuestPhysicalRange(start: GuestPhysicalAddress(0), count: machine.guestRAM.count)
            _ = try nestedTable?.protect(range, permissions: permissions, frames: &machine.frames)
            if merges { _ = try nestedTable?.merge(ram, largest: machine.options.largestPage, frames: &machine.frames) }
        } catch {
            return false
        }
        if execute_invept(2, 0) { Panic.stop("INVEPT failed") }
        return true
    }

    /// Takes a page of RAM out of the EPT, if there is one, or puts it back as it was.
    /// - Returns: false, with nothing changed, if there are no frames to split larger pages with.
    mutating func setHidden(_ page: GuestPhysicalAddress, _ isHidden: Bool, on machine: inout HostMachine) -> Bool {
        guard machine.controls.hasNestedTables else { return true }
        let range = GuestPhysicalRange(start: page, count: ByteCount(0x1000))
        do {
            if isHidden {
                _ = try nestedTable?.unmap(range, frames: &machine.frames)
            } else {
                let place = machine.guestRAM.start.advanced(by: ByteCount(page.rawValue))
                _ = try nestedTable?.map(
                    range, to: place, permissions: .all, memoryType: machine.memoryTypes?.type(of: place) ?? .writeBack,
                    largest: .fourKibibytes, frames: &machine.frames)
                let ram = GuestPhysicalRange(start: GuestPhysicalAddress(0), count: machine.guestRAM.count)
                _ = try nestedTable?.merge(ram, largest: machine.options.largestPage, frames: &machine.frames)
            }
        } catch {
            return false
        }
        if execute_invept(2, 0) { Panic.stop("INVEPT failed") }
        return true
    }

    /// Maps the guest's RAM from guest-physical 0 on, with the memory types that the firmware gave it.
    private static func mapRAM(_ machine: inout HostMachine) -> NestedTable {
        let format = EPTFormat(machine.capabilities)
        let ram = machine.guestRAM
        do {
            var table = try NestedTable(format: format, memory: IdentityMemory(), frames: &machine.frames)
            var done = ByteCount.zero
            while done < ram.count {
                let start = ram.start.advanced(by: done)
                let type = machine.memoryTypes?.type(of: start) ?? .writeBack
                let uniform = machine.memoryTypes?.uniformRange(at: start, limit: ram.end)
                let count = uniform?.count ?? ram.count
                _ = try table.map(
                    GuestPhysicalRange(start: GuestPhysicalAddress(done.bytes), count: count), to: start,
                    permissions: .all, memoryType: type, largest: machine.options.largestPage, frames: &machine.frames)
                if type != .writeBack {
                    Report.error(
                        "warning: the firmware's MTRRs make \(count.mebibytes) MiB of the guest's RAM not write-back (type \(type.rawValue)): it will be slow"
                    )
                }
                done += count
            }
            machine.logGuestRAM(", \(table.tableCount) EPT pages, largest leaf \(table.largestLeaf)")
            return table
        } catch {
            HostMachine.refuse("the guest's EPT does not fit the kernel's memory pool", .badUsage)
        }
    }

    /// Maps the APIC-access page at the local APIC's usual place, where accesses are virtualized instead of made; it takes
    /// effect only while the virtual CPU's APIC is there.
    private static func mapAPICAccessPage(
        _ page: HostPhysicalAddress, _ table: inout NestedTable, _ machine: inout HostMachine
    ) -> (address: HostPhysicalAddress, value: UInt64) {
        let place = GuestPhysicalAddress(0xFEE0_0000)
        do {
            _ = try table.map(
                GuestPhysicalRange(start: place, count: ByteCount(PageSize.fourKibibytes.bytes)), to: page,
                permissions: .read | .write, memoryType: .writeBack, largest: .fourKibibytes, frames: &machine.frames)
        } catch {
            HostMachine.refuse("the guest's EPT does not fit the kernel's memory pool", .badUsage)
        }
        guard let entry = table.leafEntry(of: place) else { Panic.stop("a page that was mapped is not") }
        IdentityMemory().writeUInt64(0, at: entry.address)
        return entry
    }

    private static func hostState(_ options: KernelOptions) -> HostState {
        let area = address_of_virtual_cpu_area()
        return HostState(
            cr0: ControlRegister0(rawValue: read_cr0()), cr3: read_cr3(), cr4: ControlRegister4(rawValue: read_cr4()),
            extendedFeatures: ExtendedFeatureEnable(rawValue: read_msr(ModelSpecificRegister.extendedFeatureEnable.number)),
            pat: read_msr(ModelSpecificRegister.pat.number), codeSelector: DescriptorTables.codeSelector,
            dataSelector: DescriptorTables.dataSelector, taskSelector: DescriptorTables.taskSelector,
            gsBase: Processor.base, taskStateBase: Processor.current.pointee.tables.taskStateBase,
            gdtBase: Processor.current.pointee.tables.descriptorBase,
            idtBase: address_of_interrupt_table(), stackPointer: area + UInt64(MemoryLayout<GeneralRegisters>.size),
            instructionPointer: exitAddress(options))
    }

    /// Where the world switch takes a VM exit: the path costs nothing that is not asked for.
    static func exitAddress(_ options: KernelOptions) -> UInt64 {
        switch (options.observesExits, options.recording == .off) {
        case (false, true): address_of_martlet_vm_exit()
        case (true, true): address_of_martlet_vm_exit_observed()
        case (false, false): address_of_martlet_vm_exit_recorded()
        case (true, false): address_of_martlet_vm_exit_recorded_observed()
        }
    }
}

extension PageTable where Format == EPTFormat {
    /// The size of the leaf that maps guest-physical address 2 MiB, past the first MiB's special types.
    var largestLeaf: PageSize {
        if case .mapped(let leaf) = walk(GuestPhysicalAddress(PageSize.twoMebibytes.bytes)) { return leaf.size }
        return .fourKibibytes
    }
}
