import Memory
import Testing
import Virtualization
import X86

@testable import Machine

// The guest of a test machine, whatever backend it stands on.

extension Trait where Self == ConditionTrait {
    /// For tests of what only VMX has, or does so.
    static var onVMX: Self { .enabled(if: TestMachine.isVMX) }
}

extension TestMachine {
    /// Brings an outcome about.
    /// - Returns: whether the guest is resumed at once.
    func complete(_ outcome: Outcome) -> Bool { withUnsafeMutablePointer(to: &cpu) { CPU.complete(outcome, $0) } == .resume }

    /// Writes one of the I/O APIC's two registers, of which the second is the one that the first selects.
    func writeIOAPIC(_ address: UInt64, _ value: UInt32) {
        let isPresent = board.pointee.writeMemory(address, size: 4, value)
        #expect(isPresent)
    }

    // MARK: Modes

    enum Mode: CaseIterable, Sendable {
        case real, protected16, protected32, paged32, pae, compatibility16, compatibility32, long64
    }

    /// Puts the guest into a mode, at `code`, in ring 0, with page tables that map the first GiB to itself where it pages.
    func enter(_ mode: Mode) {
        let processor = processor
        buildTables()
        var cr0: ControlRegister0 = .extensionType
        var cr4: ControlRegister4 = .none
        var efer: ExtendedFeatureEnable = .none
        if mode != .real { cr0 = cr0 | .protectionEnable }
        switch mode {
        case .real, .protected16, .protected32: processor.cr3 = 0
        case .paged32:
            cr0 = cr0 | .paging
            cr4 = .pageSizeExtensions
            processor.cr3 = UInt64(Table.directory32)
        case .pae:
            cr0 = cr0 | .paging
            cr4 = .physicalAddressExtension
            processor.cr3 = UInt64(Table.pointersPAE)
            processor.setPageDirectoryPointers([UInt64(Table.directory) | 1, 0, 0, 0])
        case .compatibility16, .compatibility32, .long64:
            cr0 = cr0 | .paging
            cr4 = .physicalAddressExtension
            efer = .longModeEnable | .longModeActive | .systemCall
            processor.cr3 = UInt64(Table.level4)
        }
        processor.extendedFeatures = efer
        processor.cr0 = cr0
        processor.cr4 = cr4
        let code: SegmentAttributes =
            switch mode {
            case .real, .protected16, .compatibility16: .realModeCode
            case .protected32, .paged32, .pae, .compatibility32: .code32
            case .long64: .code64
            }
        let isSmall = code == .realModeCode
        let limit: UInt32 = isSmall ? 0xFFFF : 0xFFFF_FFFF
        let data: SegmentAttributes = isSmall ? .realModeData : .data32
        // 16-bit code is reached through a base.
        processor.setSegment(
            .cs, .init(selector: 8, base: isSmall ? UInt64(TestMachine.code) : 0, limit: limit, attributes: code))
        for register in [SegmentRegister.ds, .es, .ss, .fs, .gs] {
            processor.setSegment(register, .init(selector: 16, base: 0, limit: limit, attributes: data))
        }
        processor.instructionPointer = isSmall ? 0 : UInt64(TestMachine.code)
    }

    /// Where the page tables are.
    enum Table {
        static let level4 = 0x1000, pointers = 0x2000, directory = 0x3000, low = 0x4000, high = 0x5000
        static let pointersPAE = 0x6000, directory32 = 0x7000, table32 = 0x8000
    }

    private func buildTables() {
        ram.put64(UInt64(Table.pointers) | 7, at: Table.level4)
        ram.put64(UInt64(Table.directory) | 7, at: Table.pointers)
        ram.put64(UInt64(Table.low) | 7, at: Table.directory)
        ram.put64(UInt64(Table.high) | 7, at: Table.directory + 8)
        for index in 2..<512 { ram.put64(UInt64(index) << 21 | 0x87, at: Table.directory + 8 * index) }
        ram.put64(UInt64(Table.directory) | 1, at: Table.pointersPAE)
        ram.put32(UInt32(Table.table32) | 7, at: Table.directory32)
        for index in 1..<256 { ram.put32(UInt32(index) << 22 | 0x87, at: Table.directory32 + 4 * index) }
        ram.put(Self.identityTables.long, at: Table.low)
        ram.put(Self.identityTables.short, at: Table.table32)
    }

    /// The leaf tables of the first 4 MiB, of 8-byte and of 4-byte entries.
    private static let identityTables: (long: [UInt8], short: [UInt8]) = {
        let entries = (0..<1024).map { UInt32($0) << 12 | 7 }
        func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        return (entries.flatMap { bytes($0) + [0, 0, 0, 0] }, entries.flatMap(bytes))
    }()

    /// Sets the leaf entry of a page in the first 4 MiB of linear addresses, in every kind of tables; 0 unmaps it.
    func map(_ linear: Int, entry: UInt64) {
        ram.put64(entry, at: Table.low + 8 * (linear >> 12))
        ram.put32(UInt32(truncatingIfNeeded: entry), at: Table.table32 + 4 * (linear >> 12))
    }

    /// Makes the guest run in ring 3.
    func enterUserMode() {
        var stack = processor.segment(.ss)
        stack.attributes.rawValue |= 0x60
        processor.setSegment(.ss, stack)
        var code = processor.segment(.cs)
        code.attributes.rawValue |= 0x60
        processor.setSegment(.cs, code)
    }
}

/// An event that the next VM entry delivers, by the kind's number in the VM-entry interruption-information field.
struct Injection: Equatable {
    var kind: UInt32
    var vector: UInt8
    var errorCode: UInt32?
    var instructionLength: UInt32?

    static func interrupt(_ vector: UInt8) -> Self { .init(kind: 0, vector: vector) }
    static func exception(_ vector: UInt8, errorCode: UInt32? = nil) -> Self {
        .init(kind: 3, vector: vector, errorCode: errorCode)
    }
    /// #GP(0).
    static var generalProtection: Self { .exception(13, errorCode: 0) }
    /// #UD.
    static var invalidOpcode: Self { .exception(6) }
}

extension Outcome {
    static var generalProtection: Self { .inject(.generalProtection) }
    static var invalidOpcode: Self { .inject(.invalidOpcode) }
}
