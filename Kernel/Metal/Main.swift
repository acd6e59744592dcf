import Devices
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import X86

/// The beginning of build/martlet.elf, called by Boot/entry.asm in 64-bit mode on the main stack.
/// - Parameters:
///   - magic: what the boot loader left in EAX.
///   - information: the address of its information structure.
@c(martlet_main)
func main(_ magic: UInt32, _ information: UInt32) -> Never {
    openConsole()
    let loader = readLoaderInformation(magic, information)
    let options = readOptions(loader)
    if let port = options.report { Report.open(port, quietConsole: options.trace == .off) }
    SelfTests.runEarly(options)
    Processor.current.pointee.open()
    Console.withLock { $0.input.open() }
    var machine = HostMachine(options, loader)
    SelfTests.run(options, &machine)
    let memory = machine.options.checksMemory ? KernelMemory.checksum() : 0
    let status = runGuests(loader, on: &machine)
    VMXOperation.leave(&machine)
    if machine.options.checksMemory { KernelMemory.report(was: memory) }
    Power.end(status)
}

/// What comes first: a way to say something, and to say it of exceptions.
func openConsole() {
    SerialLine.com1.open()
    Processor.beginFirst()
    Layouts.check()
    InterruptControllers.mask()
}

func readLoaderInformation(_ magic: UInt32, _ information: UInt32) -> LoaderInformation<IdentityMemory> {
    do {
        return try LoaderInformation(
            magic: magic, address: information, memory: IdentityMemory(),
            physicalAddressWidth: min(HardwareHost().physicalAddressWidth, 47))
    } catch {
        switch error {
        case .notMultiboot(let magic):
            HostMachine.refuse("the boot loader does not speak multiboot 1 or 2 (magic \(hex: magic)); use GRUB or QEMU's -kernel", .badUsage)
        case .noMemoryMap: HostMachine.refuse("the boot loader gave no memory map; use GRUB or QEMU's -kernel", .badUsage)
        case .tooManyModules: HostMachine.refuse("too many modules: Martlet takes a guest and 32 modules", .badUsage)
        case .wordsTooLong: HostMachine.refuse("the command lines of kernel and modules take more than 8192 bytes", .badUsage)
        case .memoryMap: HostMachine.refuse("the machine's memory map has more pieces than Martlet can keep", .badUsage)
        case .invalidModule(let index): HostMachine.refuse("the boot loader's module \(index) ends before it starts", .badUsage)
        }
    }
}

func readOptions(_ loader: borrowing LoaderInformation<IdentityMemory>) -> KernelOptions {
    do {
        return try loader.withCommandLine { (bytes) throws(KernelOptionError) in try KernelOptions(commandLine: bytes) }
    } catch {
        // The launcher reads the report even though the command line could not say so.
        Report.open(quietConsole: false)
        HostMachine.refuse("\(error)", .badUsage)
    }
}

/// Runs the guest that the loader brought, or those that are part of the kernel image.
private func runGuests(
    _ loader: borrowing LoaderInformation<IdentityMemory>, on machine: inout HostMachine
) -> Status {
    var statistics = ExitStatistics()
    var status = Status.ended
    if loader.moduleCount > 0 {
        status = loader.runFirstModule(on: &machine, &statistics)
        if let choice = machine.options.guestAfterwards, machine.host.agent?.isDismissed != true {
            let second = runEmbeddedGuests(choice, on: &machine, &statistics)
            if !second.isSuccess { status = second }
        }
    } else {
        status = runEmbeddedGuests(machine.options.guest, on: &machine, &statistics)
    }
    if machine.options.trace >= .summary, statistics.count > 0 {
        statistics.print(nameOf: { VMXProcessor<HardwareVMCS>.name(ofReason: $0) }) { Console.print($0) }
    }
    return status
}

/// One after the other, until one fails.
private func runEmbeddedGuests(
    _ choice: KernelOptions.EmbeddedGuest, on machine: inout HostMachine, _ statistics: inout ExitStatistics
) -> Status {
    var status = Status.ended
    var index: UInt64 = 0
    while let guest = EmbeddedGuest(index) {
        index += 1
        guard guest.isWanted(choice) else { continue }
        status = run(guest.module, named: guest.name, moduleCount: 0, { _ in guest.module }, on: &machine, &statistics)
        if !status.isSuccess || machine.host.agent?.isDismissed == true { break }
    }
    return status
}

extension LoaderInformation where Memory == IdentityMemory {
    /// The first module is the guest; the others are its modules.
    borrowing func runFirstModule(on machine: inout HostMachine, _ statistics: inout ExitStatistics) -> Status {
        withWords(of: 0) { words in
            run(guestModule(0, words), named: Line(words), moduleCount: moduleCount - 1, { index in
                withWords(of: index + 1) { guestModule(index + 1, $0) }
            }, on: &machine, &statistics)
        }
    }

    /// The loader's text stays where it is as long as this value lives.
    private func guestModule(_ index: Int, _ words: UnsafeRawBufferPointer) -> GuestModule {
        let range = module(index).range
        let start = UnsafeRawPointer(bitPattern: UInt(range.start.rawValue))
        let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(range.count.bytes))
        return GuestModule(image: ImageBytes(bytes), commandLine: words)
    }
}

/// One of the guests in the kernel image.
struct EmbeddedGuest {
    let module: GuestModule
    let name: Line
    private let index: UInt64

    init?(_ index: UInt64) {
        let entry = embedded_guest_at(index)
        guard let start = entry.start, let end = entry.end, let text = entry.name else { return nil }
        var length = 0
        while text[length] != 0 { length += 1 }
        let words = UnsafeRawBufferPointer(start: text, count: length)
        module = GuestModule(
            image: ImageBytes(UnsafeRawBufferPointer(start: start, count: end - start)), commandLine: words)
        name = Line(words)
        self.index = index
    }

    func isWanted(_ choice: KernelOptions.EmbeddedGuest) -> Bool {
        switch choice {
        case .tour: true
        case .real: index == 0
        case .protected: index == 1
        case .long: index == 2
        }
    }
}

private func run(
    _ guest: GuestModule, named name: Line, moduleCount: Int, _ module: (Int) -> GuestModule,
    on machine: inout HostMachine, _ statistics: inout ExitStatistics
) -> Status {
    let ram = machine.guestRAM
    let memory = GuestMemory(base: UnsafeMutableRawPointer(bitPattern: UInt(ram.start.rawValue))!, size: ram.count)
    let virtual = HardwareCPU.Machine.place
    virtual.initialize(to: HardwareCPU.Machine(name: name, memory: memory, machine.boardParameters(guest)))
    defer {
        statistics.add(virtual.pointee.statistics)
        virtual.deinitialize(count: 1)
    }
    var restarts = machine.options.restarts
    while true {
        let status = runOnce(guest, moduleCount: moduleCount, module, virtual, restarts: restarts, on: &machine)
        if let status {
            guard restarts > 0, status.isOfGuest, status != .guestValue(0) || virtual.pointee.note != 0 else { return status }
            restarts -= 1
        }
        machine.log("martlet: \(name): starting it anew")
        virtual.pointee.restart(machine.boardParameters(guest))
    }
}

extension HostMachine {
    /// What a guest's devices are made with.
    fileprivate func boardParameters(_ guest: GuestModule) -> Board.Parameters {
        Board.Parameters(
            memory: guestRAM.count.bytes, timeStampFrequency: Processor.current.pointee.timeStamp.frequency,
            unixSeconds: HostCalendar.unixSeconds(), commandLine: .init(guest.commandLine), limit: options.limit)
    }
}

/// Runs a guest from its start; nil when it reset its machine.
/// - Parameters:
///   - virtual: its machine, whose virtual CPU is to be made.
///   - restarts: how often it may yet be started anew when it comes to grief.
private func runOnce(
    _ guest: GuestModule, moduleCount: Int, _ module: (Int) -> GuestModule, _ virtual: HardwareCPU.Machine.Pointer,
    restarts: UInt64, on machine: inout HostMachine
) -> Status? {
    let (name, memory) = (virtual.pointee.name, virtual.pointee.memory)
    machine.log("martlet: loading \(name)")
    _ = memory.zero(.init(0), count: memory.size.bytes)
    let start: GuestStart
    do {
        var loader = GuestLoader(memory, bios: UnsafeRawBufferPointer(start: bios_code(), count: Int(bios_size())))
        start = try loader.load(guest, moduleCount: moduleCount, module: module)
    } catch {
        Report.error("\(error)")
        return .badImage
    }
    var guestMachine = GuestMachine(virtual, on: &machine)
    guestMachine.cpu.pointee.start(start)
    SelfTests.spoil(guestMachine.cpu.pointee.processor.vmcs, machine.options)
    machine.log("martlet: VM entry")
    Processor.current.pointee.recorder?.begin(guestMachine.cpu, guest: name)
    let roundTrip = RoundTrip(&machine)
    let ending = withUnsafeMutablePointer(to: &guestMachine) { guest in
        withUnsafeMutablePointer(to: &machine) { machine in
            var run = GuestRun(
                machine.pointee.options, EntryExplanation(machine.pointee, vmcs: guest.pointee.vmcs),
                offersTrapFlag: machine.pointee.capabilities.primary.allowed.contains(.monitorTrapFlag),
                PageProtector(guest: guest, machine: machine), roundTrip)
            return run.run(guest.pointee.cpu)
        }
    }
    Processor.current.pointee.recorder?.end()
    let status = conclude(ending, name, guestMachine.cpu, machine, restarts: restarts)
    roundTrip?.end(on: &machine)
    guestMachine.destroy(on: &machine)
    return status
}

/// Says why the guest ended, and what that means for the status; nil for a reset.
private func conclude(
    _ ending: Ending?, _ name: Line, _ cpu: UnsafeMutablePointer<HardwareCPU>, _ machine: borrowing HostMachine,
    restarts: UInt64
) -> Status? {
    guard let ending else { return .failedEntry }
    let absent = cpu.pointee.absentMemoryAccesses
    if absent > 0 { machine.log("martlet: \(absent) accesses to memory that is not there") }
    let ports = cpu.pointee.absentPortAccesses
    if ports > 0 { machine.log("martlet: \(ports) accesses to ports without a device") }
    let refused = cpu.pointee.refusedMSRs
    if refused > 0 { machine.log("martlet: \(refused) accesses to MSRs that are not there or values they do not take") }
    switch ending {
    case .debugExit(let value):
        machine.log("martlet: \(name): \(ending)")
        return .guestValue(value)
    case .reset:
        machine.log("martlet: \(name): \(ending)")
        return nil
    case .halted, .powerOff, .dismissed:
        machine.log("martlet: \(name): \(ending)")
        return .ended
    case .tripleFault:
        tell("\(name): triple fault at \(cpu.pointee.codeAddress)", machine, restarts: restarts)
        return .tripleFault
    case .overdue:
        tell("\(name): \(ending), at \(cpu.pointee.codeAddress)", machine, restarts: restarts)
        return .overdue
    case .unsupported(let reason):
        tell("\(name): \(ending), at \(cpu.pointee.codeAddress)", machine, restarts: restarts)
        if reason == .instruction {
            tell("  \(cpu.pointee.fetchInstruction(in: cpu.pointee.processor.mode))", machine, restarts: restarts, isDetail: true)
        }
        return .unsupported
    case .entryFailure:
        Report.error("\(name): \(ending)")
        return .failedEntry
    }
}

/// An end that is an error; not so of a guest that is started anew, which may come to it any number of times.
private func tell(_ line: Line, _ machine: borrowing HostMachine, restarts: UInt64, isDetail: Bool = false) {
    if restarts > 0 {
        machine.log(isDetail ? line : "martlet: \(line)")
    } else if isDetail {
        Report.detail(line)
    } else {
        Report.error(line)
    }
}
