import Devices
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import X86

/// Runs the guest that the loader brought, or those in the kernel image.
func runGuests(
    _ loader: borrowing LoaderInformation<IdentityMemory>, on machine: inout HostMachine
) -> Status {
    var statistics = ExitStatistics()
    var status = Status.ended
    if loader.moduleCount > 0 {
        status = run(loader.guest, named: loader.guestName, loader, on: &machine, &statistics)
        if let choice = machine.options.guestAfterwards, status != .stopped, machine.host.agent?.isDismissed != true {
            let second = runEmbeddedGuests(choice, loader, on: &machine, &statistics)
            if !second.isSuccess { status = second }
        }
    } else {
        status = runEmbeddedGuests(machine.options.guest, loader, on: &machine, &statistics)
    }
    if machine.options.trace >= .summary, statistics.count > 0 {
        statistics.print(nameOf: { VMXProcessor<HardwareVMCS>.name(ofReason: $0) }) { Console.print($0) }
    }
    return status
}

/// One after the other, until one fails.
private func runEmbeddedGuests(
    _ choice: KernelOptions.EmbeddedGuest, _ loader: borrowing LoaderInformation<IdentityMemory>, on machine: inout HostMachine,
    _ statistics: inout ExitStatistics
) -> Status {
    var status = Status.ended
    var index: UInt64 = 0
    while let guest = EmbeddedGuest(index) {
        index += 1
        guard guest.isWanted(choice) else { continue }
        status = run(guest.module, named: guest.name, loader, isEmbedded: true, on: &machine, &statistics)
        if !status.isSuccess || machine.host.agent?.isDismissed == true { break }
    }
    return status
}

extension LoaderInformation where Memory == IdentityMemory {
    /// The first module is the guest; the others are its modules.
    fileprivate var guest: GuestModule { guestModule(0) }
    fileprivate var guestName: Line { Line(guest.commandLine) }

    /// The loader's text stays where it is as long as this value lives.
    fileprivate func guestModule(_ index: Int) -> GuestModule {
        let range = module(index).range
        let start = UnsafeRawPointer(bitPattern: UInt(range.start.rawValue))
        let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(range.count.bytes))
        return withWords(of: index) { GuestModule(image: ImageBytes(bytes), commandLine: $0) }
    }
}

/// Runs a guest, and again each time it is restarted.
/// - Parameter isEmbedded: it is from the kernel image, and the loader's modules are not for it.
private func run(
    _ guest: GuestModule, named name: Line, _ loader: borrowing LoaderInformation<IdentityMemory>, isEmbedded: Bool = false,
    on machine: inout HostMachine, _ statistics: inout ExitStatistics
) -> Status {
    let virtual = makeMachine(guest, name, on: machine)
    defer {
        statistics.add(virtual.pointee.statistics)
        virtual.deinitialize(count: 1)
    }
    var restarts = machine.options.restarts
    while true {
        let status = runOnce(guest, loader, isEmbedded: isEmbedded, virtual, restarts: restarts, on: &machine)
        if let status {
            guard restarts > 0, status.isOfGuest, status != .guestValue(0) || virtual.pointee.note != 0 else { return status }
            restarts -= 1
        }
        machine.log("martlet: \(name): restarting it")
        virtual.pointee.restart(machine.boardParameters(guest))
    }
}

@inline(never)  // its stack space must not count while the guest runs
private func makeMachine(_ guest: GuestModule, _ name: Line, on machine: borrowing HostMachine) -> HardwareCPU.Machine.Pointer {
    let ram = machine.guestRAM
    let memory = GuestMemory(base: UnsafeMutableRawPointer(bitPattern: UInt(ram.start.rawValue))!, size: ram.count)
    let virtual = HardwareCPU.Machine.place
    virtual.initialize(to: HardwareCPU.Machine(name: name, memory: memory, machine.boardParameters(guest)))
    return virtual
}

extension HostMachine {
    /// What a guest's devices are made with.
    fileprivate func boardParameters(_ guest: GuestModule) -> Board.Parameters {
        var testMemory: DeviceMemory?
        if options.hasTestDevice, let memory = memory_of_test_device() {
            testMemory = DeviceMemory(memory, at: HostPhysicalAddress(UInt64(UInt(bitPattern: memory))))
            testMemory?.clear()
        }
        return Board.Parameters(
            memory: guestRAM.count.bytes, timeStampFrequency: Processor.current.pointee.timeStamp.frequency,
            unixSeconds: HostCalendar.unixSeconds(), commandLine: .init(guest.commandLine), limit: options.limit,
            testMemory: testMemory)
    }
}

/// Runs a guest from its start; nil when it reset its machine.
/// - Parameters:
///   - virtual: its machine, whose virtual CPU is to be made.
///   - restarts: how often it may still be restarted after a failure.
private func runOnce(
    _ guest: GuestModule, _ information: borrowing LoaderInformation<IdentityMemory>, isEmbedded: Bool,
    _ virtual: HardwareCPU.Machine.Pointer, restarts: UInt64, on machine: inout HostMachine
) -> Status? {
    let (name, memory) = (virtual.pointee.name, virtual.pointee.memory)
    machine.log("martlet: loading \(name)")
    _ = memory.zero(.init(0), count: memory.size.bytes)
    let start: GuestStart
    do {
        let identity = machine.host.cpuid(1, 0)
        var loader = GuestLoader(
            memory, bios: UnsafeRawBufferPointer(start: bios_code(), count: Int(bios_size())),
            processors: .init(count: 1, signature: identity.eax, features: identity.edx), unixSeconds: HostCalendar.unixSeconds())
        loader.takesFlat = isEmbedded || machine.options.takesFlat
        let count = isEmbedded ? 0 : information.moduleCount - 1
        start = try loader.load(guest, moduleCount: count) { information.guestModule($0 + 1) }
    } catch {
        Report.error("\(error)")
        return .badImage
    }
    var guestMachine = GuestMachine(virtual, on: &machine)
    guestMachine.cpu.pointee.start(start)
    SelfTests.spoil(guestMachine.cpu.pointee.processor.vmcs, machine.options)
    machine.log("martlet: VM entry")
    Screen.open(machine.options)
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
    Screen.close()
    Processor.current.pointee.recorder?.end()
    let status = conclude(ending, name, guestMachine.cpu, machine, restarts: restarts)
    roundTrip?.end(on: &machine)
    guestMachine.destroy(on: &machine)
    return status
}
