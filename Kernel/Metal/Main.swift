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
    if options.canBeStopped { InterruptControllers.openStopLine() }
    var machine = HostMachine(options, loader)
    SelfTests.run(options, &machine)
    let memory = machine.options.checksMemory ? KernelMemory.checksum() : 0
    let status = runGuests(loader, on: &machine)
    VMXOperation.leave(&machine)
    if machine.options.checksMemory { KernelMemory.report(was: memory) }
    Power.end(status)
}

/// What comes first: a way to print, also for exceptions.
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
            HostMachine.refuse(
                "the boot loader does not speak multiboot 1 or 2 (magic \(hex: magic)); use GRUB or QEMU's -kernel", .badUsage)
        case .noMemoryMap: HostMachine.refuse("the boot loader gave no memory map; use GRUB or QEMU's -kernel", .badUsage)
        case .tooManyModules: HostMachine.refuse("too many modules: Martlet takes a guest and 32 modules", .badUsage)
        case .wordsTooLong: HostMachine.refuse("the command lines of kernel and modules take more than 8192 bytes", .badUsage)
        case .memoryMap: HostMachine.refuse("the machine's memory map has more pieces than Martlet can keep", .badUsage)
        case .invalidModule(let index): HostMachine.refuse("the boot loader's module \(index) ends before it starts", .badUsage)
        }
    }
}

func readOptions(_ loader: borrowing LoaderInformation<IdentityMemory>) -> KernelOptions {
    loader.withCommandLine { bytes in
        do throws(KernelOptionError) {
            let options = try KernelOptions(commandLine: bytes)
            Console.withLock { $0.columns = Int(options.columns) }
            return options
        } catch {
            // The launcher reads the report even though the command line could not say so.
            Report.open(quietConsole: false)
            HostMachine.refuse("\(error)", .badUsage)
        }
    }
}
