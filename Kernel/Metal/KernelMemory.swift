import Instructions
import Machine
import Memory
import Text
import X86

/// The kernel's own page tables: every address is mapped to itself, code read-only and executable, constants read-only,
/// all else writable and never executable; page 0 and the pages under the stacks are not mapped at all.
enum KernelMemory {
    typealias Table = PageTable<KernelPageTableFormat, IdentityMemory>
    typealias Failure = PageTableError<HostVirtualAddress>

    /// Builds the tables and makes them the processor's.
    static func protect(
        upTo top: HostPhysicalAddress, host: HardwareHost, frames: inout FramePool<IdentityMemory>
    ) throws(Failure) {
        let extended = host.cpuid(0x8000_0001, 0)
        let hasExecuteDisable = extended.has(.nx)
        let format = KernelPageTableFormat(
            levelCount: 4,
            leafSizes: LeafSizes(twoMebibytes: true, oneGibibyte: extended.has(.page1GB)),
            physicalAddressWidth: host.physicalAddressWidth, hasExecuteDisable: hasExecuteDisable, attributes: .atReset)
        var table = try Table(format: format, memory: IdentityMemory(), frames: &frames)
        let first = PageSize.fourKibibytes.bytes
        let data: KernelPagePermissions = hasExecuteDisable ? .write : .write | .execute
        _ = try table.map(
            range(first, top.rawValue), to: HostPhysicalAddress(first), permissions: data, memoryType: .writeBack,
            largest: .oneGibibyte, frames: &frames)
        _ = try table.protect(
            range(address_of_image_start(), address_of_text_end()), permissions: .execute, frames: &frames)
        _ = try table.protect(
            range(address_of_text_end(), address_of_rodata_end()),
            permissions: hasExecuteDisable ? .readOnly : .execute, frames: &frames)
        var index: UInt64 = 0
        while stack_guard(index) != 0 {
            let guardPage = stack_guard(index)
            _ = try table.unmap(range(guardPage, guardPage + first), frames: &frames)
            index += 1
        }
        if hasExecuteDisable {
            let efer = ExtendedFeatureEnable(rawValue: host.read(.extendedFeatureEnable)) | .executeDisable
            host.write(.extendedFeatureEnable, efer.rawValue)
        }
        write_cr3(table.root.rawValue)
    }

    private static func range(_ start: UInt64, _ end: UInt64) -> AddressRange<HostVirtualAddress> {
        .init(from: HostVirtualAddress(start), upTo: HostVirtualAddress(end))
    }

    /// A checksum of what must not change once the kernel runs: its code, its constants, its interrupt table.
    static func checksum() -> UInt64 {
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ start: UInt64, _ end: UInt64) {
            for address in stride(from: start, to: end, by: 8) {
                sum = (sum ^ IdentityMemory().readUInt64(at: HostPhysicalAddress(address))) &* 0x100_0000_01B3
            }
        }
        add(address_of_image_start(), address_of_rodata_end())
        add(address_of_interrupt_table(), address_of_interrupt_table() + 4096)
        return sum
    }

    /// Reports that the checksum is unchanged, or panics.
    static func report(was before: UInt64) {
        let now = checksum()
        guard now == before else { Panic.stop("the kernel's memory changed: checksum \(hex: now), was \(hex: before)") }
        Console.print("martlet: kernel memory intact (checksum \(hex: now))")
    }
}
