import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import X86

/// What the kernel found on the machine and set up, for all guests.
struct HostMachine: ~Copyable {
    let host: HardwareHost
    let options: KernelOptions
    let capabilities: VMXCapabilities
    let controls: VMXControls
    let memoryTypes: HostMTRRs?
    /// Where the guests' RAM lies in the machine's memory.
    let guestRAM: HostPhysicalRange
    /// Where shadow tables lie, or direct paging's bookkeeping of a guest's tables.
    let tableRange: HostPhysicalRange?
    /// Memory that nothing else uses, for copies of shadow roots at the guest's own addresses.
    let twinRange: HostPhysicalRange
    /// Where the frames are: page tables, and what the VMCS points to.
    let frameRange: HostPhysicalRange
    var frames: FramePool<IdentityMemory>
    var tags = VPIDAllocator()

    /// A line about what was found or comes next; not with trace=off, when the console is the guest's alone.
    func log(_ line: Line) {
        if options.trace != .off { Console.print(line) }
    }

    func logGuestRAM(_ tables: Line) {
        log("martlet: guest RAM \(guestRAM.count.mebibytes) MiB at host-physical \(hex: guestRAM.start.rawValue)\(tables)")
    }

    /// Whether a frame may be shown to a person who studies a guest: the guest's RAM, and the tables its processor uses.
    func showsMemory(in frame: HostPhysicalAddress) -> Bool {
        guestRAM.contains(frame) || frameRange.contains(frame) || tableRange?.contains(frame) == true
    }

    /// Whether the processor's own tables may map 1 GiB at once.
    var hasGibibytePages: Bool { host.has(.page1GB) }

    /// Reports an error and ends the machine.
    static func refuse(_ line: Line, _ status: Status) -> Never {
        Report.error(line)
        Power.end(status)
    }

    /// A frame for something the kernel cannot do without.
    mutating func frame() -> HostPhysicalAddress {
        guard let frame = frames.allocateFrame() else {
            HostMachine.refuse("the kernel's memory pool is empty; give the machine more memory", .badUsage)
        }
        return frame
    }
}

extension HostMachine {
    /// From the loader's information to VMX operation; each risky step is announced.
    init(_ options: KernelOptions, _ information: borrowing LoaderInformation<IdentityMemory>) {
        let host = HardwareHost(
            agent: options.isStudied ? AgentSession(options.trace) : nil, stopLine: options.canBeStopped ? .com4 : nil)
        self.host = host
        func log(_ line: Line) {
            if options.trace != .off { Console.print(line) }
        }
        log("martlet: \(ProcessorName(host)), \(information.map.usableCount.mebibytes) MiB of memory")
        do {
            try VMXSupport.enable(host, host)
        } catch {
            HostMachine.refuse("\(error)", .missingFeature)
        }
        log("martlet: reading the VMX capabilities")
        capabilities = VMXCapabilities(
            reading: host, physicalAddressWidth: host.physicalAddressWidth, linearAddressWidth: host.linearAddressWidth)
        let hasNestedTables = VMXControls.offersNestedTables(capabilities)
        let options = hasNestedTables ? options : HostMachine.withoutNestedTables(options)
        self.options = options
        do {
            controls = try VMXControls(
                capabilities, wantsVPID: options.usesVPID, assistance: options.assistance,
                timer: !Processor.current.pointee.interruptController.hasTimer
                    ? .processor : options.usesHostTimer ? .host : .processorOrHost, needsNestedTables: hasNestedTables)
        } catch {
            Report.error("this processor's VMX lacks something that Martlet needs:")
            error.report { Report.error($0) }
            HostMachine.refuse("use a processor with EPT and unrestricted guest (Intel since 2010), or Bochs", .missingFeature)
        }
        if options.translation == .shadow, hasNestedTables, !capabilities.primary.allowed.contains(.monitorTrapFlag) {
            HostMachine.refuse(
                "mmu=shadow needs the monitor trap flag, which this processor does not have; use mmu=nested", .missingFeature)
        }
        let tables =
            hasNestedTables
            ? Line(
                "EPT pages up to \(capabilities.eptAndVPID.largestPage), \(capabilities.eptAndVPID.accessedAndDirty ? "accessed and dirty flags" : "no accessed and dirty flags")"
            )
            : Line("\(capabilities.secondary.allowed.contains(.enableEPT) ? "EPT without unrestricted guest" : "no EPT")")
        log(
            "martlet: VMX revision \(hex: capabilities.basic.revisionIdentifier), \(tables), \(controls.secondary.contains(.enableVPID) ? "VPID" : "no VPID")"
        )
        if !hasNestedTables {
            log("martlet: nested page tables need EPT and unrestricted guest: shadow page tables translate instead")
        }
        if options.trace == .full {
            log("controls                                            wanted      answer")
            controls.report(capabilities) { Console.print($0) }
        }

        var map = information.map
        HostMachine.reserveKernel(in: &map, information)
        guestRAM = HostMachine.findGuestRAM(options, &map)
        HostMachine.openRecords(options, &map)
        tableRange = HostMachine.findTables(options, guestRAM, &map)
        frameRange = HostMachine.findFrames(options, &map)
        frames = HostMachine.makeFramePool(frameRange)
        let none = HostPhysicalRange(start: .init(0), count: .zero)
        twinRange = options.translation == .shadow ? map.largestBlock ?? none : none
        memoryTypes = HostMachine.readMemoryTypes(host)

        log("martlet: switching to the kernel's own page tables")
        let top = max(HostMachine.top(of: information.map), 4 << 30)
        do {
            try KernelMemory.protect(upTo: HostPhysicalAddress(top), host: host, frames: &frames)
        } catch {
            HostMachine.refuse("the kernel's page tables do not fit its memory pool; give the machine more memory", .badUsage)
        }
        log("martlet: VMXON")
        VMXOperation.enter(capabilities, host: host, region: frame())
    }

    /// On a processor without EPT and unrestricted guest, shadow tables are used unless something else is asked for by name.
    private static func withoutNestedTables(_ options: KernelOptions) -> KernelOptions {
        let lacks: StaticString = "EPT and unrestricted guest, which this processor does not have"
        if options.isStudied || options.roundTrip != nil {
            refuse(
                "agent= and roundtrip= need \(lacks); leave them out, or use an Intel processor from 2010 or later, or Bochs",
                .missingFeature)
        }
        switch options.mmu {
        case .nested:
            refuse("mmu=nested needs \(lacks); leave mmu= out, or say mmu=shadow", .missingFeature)
        case .direct: refuse("mmu=direct needs \(lacks); leave mmu= out, or say mmu=shadow", .missingFeature)
        case nil, .shadow: break
        }
        var options = options
        options.mmu = .shadow
        return options
    }

    static func reserveKernel(
        in map: inout PhysicalMemoryMap, _ information: borrowing LoaderInformation<IdentityMemory>
    ) {
        do {
            // The first MiB is the firmware's and not worth the trouble.
            try map.addUnusable(HostPhysicalAddress(0), count: .mebibytes(1))
            let start = HostPhysicalAddress(address_of_image_start())
            try map.addUnusable(start, count: start.distance(to: HostPhysicalAddress(address_of_image_end())))
            for index in 0..<information.moduleCount {
                let range = information.module(index).range
                try map.addUnusable(range.start, count: range.count)
            }
        } catch {
            refuse("the machine's memory map has more pieces than Martlet can keep", .badUsage)
        }
    }

    /// Takes the guest's RAM out of the map, aligned so that the largest pages can map it. Under direct paging these are the guest's
    /// own, and it has to load CR3 with an address below 4 GiB.
    static func findGuestRAM(_ options: KernelOptions, _ map: inout PhysicalMemoryMap) -> HostPhysicalRange {
        let size = options.memory
        let end = HostPhysicalAddress(options.translation == .direct ? 4 << 30 : UInt64.max & ~0xFFF)
        var found: HostPhysicalRange?
        if options.largestPage == .oneGibibyte, size >= .gibibytes(1) {
            found = map.findBlock(size: size, alignment: .gibibytes(1), below: end, preferHigh: true)
        }
        if found == nil, options.largestPage != .fourKibibytes || options.translation == .direct {
            found = map.findBlock(size: size, alignment: .mebibytes(2), below: end, preferHigh: true)
        }
        found = found ?? map.findBlock(size: size, alignment: .kibibytes(4), below: end, preferHigh: true)
        guard let found else {
            let most = map.largestBlock?.count.mebibytes ?? 0
            refuse(
                "memory=\(size.mebibytes)M does not fit the machine: its largest free piece has \(most) MiB; give the machine more, or the guest less",
                .badUsage)
        }
        do { try map.reserve(found) } catch { refuse("the machine's memory map has too many pieces", .badUsage) }
        return found
    }

    /// Room for shadow tables, below 4 GiB, where CR3 reaches without long mode, or for direct paging's bookkeeping.
    private static func findTables(
        _ options: KernelOptions, _ ram: HostPhysicalRange, _ map: inout PhysicalMemoryMap
    ) -> HostPhysicalRange? {
        let bytes: Int
        switch options.translation {
        case .nested: return nil
        case .shadow: bytes = ShadowLayout(size: options.shadowSize, ram: options.memory).bytes
        case .direct: bytes = DirectLayout(ram).bytes
        }
        let size = ByteCount.frames(ByteCount(UInt64(bytes) + 0xFFF).wholeFrames)
        // Free memory below is for the roots' twins, whose places the guest chooses.
        guard
            let range = map.findBlock(
                size: size, alignment: .kibibytes(4), below: HostPhysicalAddress(4 << 30), preferHigh: true)
        else {
            if options.translation == .direct {
                refuse("there is no room for mmu=direct's tables: give the machine more memory, or the guest less", .badUsage)
            }
            refuse(
                "shadow=\(options.shadowSize.mebibytes)M does not fit the machine: give the machine more memory, or the shadow tables less",
                .badUsage)
        }
        do { try map.reserve(range) } catch { refuse("the machine's memory map has too many pieces", .badUsage) }
        return range
    }

    /// Table pages for the worst case, 4 KiB pages throughout, and some for the kernel; below 4 GiB, where VMX structures
    /// may have to be.
    private static func findFrames(_ options: KernelOptions, _ map: inout PhysicalMemoryMap) -> HostPhysicalRange {
        let tables = options.memory.bytes >> 21 + options.memory.bytes >> 30
        let size = ByteCount.frames(tables + 160)
        guard
            let range = map.findBlock(
                size: size, alignment: .kibibytes(4), below: HostPhysicalAddress(4 << 30), preferHigh: false)
        else { refuse("there is no room for the kernel's tables: give the machine more memory, or the guest less", .badUsage) }
        do { try map.reserve(range) } catch { refuse("the machine's memory map has too many pieces", .badUsage) }
        return range
    }

    private static func makeFramePool(_ range: HostPhysicalRange) -> FramePool<IdentityMemory> {
        var pool = FramePool(memory: IdentityMemory())
        do { try pool.add(range) } catch { refuse("the machine's memory map cannot be right", .badUsage) }
        return pool
    }

    private static func openRecords(_ options: KernelOptions, _ map: inout PhysicalMemoryMap) {
        guard options.recording != .off else { return }
        let size = ByteCount(UInt64(RecordSlots.size(count: Int(options.recordCount))))
        guard
            let range = map.findBlock(
                size: size, alignment: .kibibytes(4), below: HostPhysicalAddress(4 << 30), preferHigh: false)
        else { refuse("there is no room for \(options.recordCount) exit records: give the machine more memory", .badUsage) }
        do { try map.reserve(range) } catch { refuse("the machine's memory map has too many pieces", .badUsage) }
        Processor.current.pointee.recorder = Recorder(
            memory: range, count: options.recordCount, sendsAtOnce: options.recording == .serial,
            options.recordWay)
    }

    private static func readMemoryTypes(_ host: HardwareHost) -> HostMTRRs? {
        guard host.has(.mtrr) else { return nil }
        do {
            return try HostMTRRs(reading: host, physicalAddressWidth: host.physicalAddressWidth)
        } catch {
            refuse("this processor has more memory type range registers than Martlet can keep", .missingFeature)
        }
    }

    private static func top(of map: PhysicalMemoryMap) -> UInt64 {
        var top: UInt64 = 0
        for index in 0..<map.rangeCount { top = max(top, map[index].end.rawValue) }
        return (top + PageSize.twoMebibytes.offsetMask) & ~PageSize.twoMebibytes.offsetMask
    }
}

/// The processor's name as CPUID gives it.
struct ProcessorName: TextConvertible {
    let host: HardwareHost

    init(_ host: HardwareHost) { self.host = host }

    func write(to output: inout Line) {
        guard host.cpuid(0x8000_0000, 0).eax >= 0x8000_0004 else { return output.write("processor without a name") }
        var started = false
        for leaf in UInt32(0x8000_0002)...0x8000_0004 {
            let part = host.cpuid(leaf, 0)
            write(part.eax, &started, &output)
            write(part.ebx, &started, &output)
            write(part.ecx, &started, &output)
            write(part.edx, &started, &output)
        }
    }

    /// Names are padded with blanks on the left and zeros on the right.
    private func write(_ word: UInt32, _ started: inout Bool, _ output: inout Line) {
        for shift in 0..<UInt32(4) {
            let byte = UInt8(truncatingIfNeeded: word >> (8 * shift))
            if byte != 0, started || byte != 0x20 {
                output.write(byte: byte)
                started = true
            }
        }
    }
}
