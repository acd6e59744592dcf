import Instructions
import Machine
import Memory
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
        let hasExecuteDisable = extended.edx & CPUIDFeature.executeDisable != 0
        let format = KernelPageTableFormat(
            levelCount: 4,
            leafSizes: LeafSizes(twoMebibytes: true, oneGibibyte: extended.edx & CPUIDFeature.page1GB != 0),
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
}
