import Devices
import Memory

/// The multiboot information structure of a guest and all that it points to, in conventional memory (Multiboot
/// Specification 0.6.96, 3.3 "Boot information format").
struct BootInformation {
    private let memory: GuestMemory
    private var next: UInt64
    private var moduleCount: UInt32 = 0

    /// The structure itself, then the module list, then the texts and the memory map.
    private static var moduleList: UInt64 { GuestLoader.bootArea + 128 }
    private static var moduleCapacity: UInt32 { 32 }
    private static var hasMemory: UInt32 { 1 << 0 }
    private static var hasCommandLine: UInt32 { 1 << 2 }
    private static var hasModules: UInt32 { 1 << 3 }
    private static var hasMemoryMap: UInt32 { 1 << 6 }
    private static var hasLoaderName: UInt32 { 1 << 9 }

    init(_ memory: GuestMemory) {
        self.memory = memory
        next = BootInformation.moduleList + 16 * UInt64(BootInformation.moduleCapacity)
        _ = memory.zero(
            GuestPhysicalAddress(GuestLoader.bootArea), count: GuestLoader.conventionalEnd - GuestLoader.bootArea)
    }

    private func put(_ value: UInt32, at offset: UInt64) {
        memory.write(UInt64(value), count: 4, at: GuestPhysicalAddress(GuestLoader.bootArea + offset))
    }

    private mutating func take(_ count: UInt64) throws(ImageError) -> UInt64 {
        guard count <= GuestLoader.conventionalEnd - next else { throw .bootInformationTooLong }
        defer { next = (next + count + 7) & ~7 }
        return next
    }

    /// Stores a zero-terminated text.
    private mutating func store(_ text: UnsafeRawBufferPointer) throws(ImageError) -> UInt32 {
        let address = try take(UInt64(text.count) + 1)
        _ = memory.copy(text, to: GuestPhysicalAddress(address))
        return UInt32(address)
    }

    mutating func add(commandLine: UnsafeRawBufferPointer) throws(ImageError) {
        put(try store(commandLine), at: 16)
    }

    mutating func addModule(start: UInt64, size: UInt64, words: UnsafeRawBufferPointer) throws(ImageError) {
        guard moduleCount < BootInformation.moduleCapacity else { throw .bootInformationTooLong }
        let entry = BootInformation.moduleList + 16 * UInt64(moduleCount) - GuestLoader.bootArea
        put(UInt32(truncatingIfNeeded: start), at: entry)
        put(UInt32(truncatingIfNeeded: start + size), at: entry + 4)
        put(try store(words), at: entry + 8)
        moduleCount += 1
    }

    mutating func finish() throws(ImageError) {
        let ram = memory.size.bytes
        put(UInt32(GuestLoader.conventionalEnd >> 10), at: 4)
        put(UInt32(truncatingIfNeeded: min((ram - 1 << 20) >> 10, UInt64(UInt32.max))), at: 8)
        put(moduleCount, at: 20)
        put(UInt32(BootInformation.moduleList), at: 24)
        try writeMemoryMap()
        let name: StaticString = "Martlet"
        let bytes = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        put(try store(bytes), at: 64)
        put(
            BootInformation.hasMemory | BootInformation.hasCommandLine | BootInformation.hasModules
                | BootInformation.hasMemoryMap | BootInformation.hasLoaderName, at: 0)
    }

    private mutating func writeMemoryMap() throws(ImageError) {
        let map = AddressMap(ram: memory.size)
        let size = 24 * UInt64(map.count)
        let table = try take(size)
        for index in 0..<map.count { write(map[index], at: table + 24 * UInt64(index)) }
        put(UInt32(truncatingIfNeeded: size), at: 44)
        put(UInt32(table), at: 48)
    }

    /// An entry, which begins with the size of the rest of it.
    private func write(_ entry: AddressMap.Entry, at address: UInt64) {
        memory.write(20, count: 4, at: GuestPhysicalAddress(address))
        memory.write(entry.start, count: 8, at: GuestPhysicalAddress(address + 4))
        memory.write(entry.count, count: 8, at: GuestPhysicalAddress(address + 12))
        memory.write(UInt64(entry.kind.rawValue), count: 4, at: GuestPhysicalAddress(address + 20))
    }
}
