import Testing
import X86

/// The instructions that a hypervisor intercepts: what they are and how long, in every mode and with every kind of prefix, by the
/// manual's encodings.
@Suite struct InterceptedInstructionTests {
    typealias Kind = InterceptedInstruction.Kind

    static let all: [ProcessorMode] = [
        .real, .virtual8086, .protected16, .protected32, .compatibility16, .compatibility32, .long64,
    ]

    static func decode(_ bytes: [UInt8], in mode: ProcessorMode = .long64) -> InterceptedInstruction? {
        var instruction = InstructionBytes()
        for byte in bytes + [UInt8](repeating: 0xCC, count: 15) { instruction.append(byte) }
        return InstructionDecoder.decodeIntercepted(instruction, in: mode)
    }

    /// Those that look the same in every mode.
    static let plain: [(Kind, [UInt8])] = [
        (.cpuid, [0x0F, 0xA2]), (.halt, [0xF4]), (.pause, [0xF3, 0x90]), (.resumeFromSystemManagement, [0x0F, 0xAA]),
        (.invalidateCaches, [0x0F, 0x08]), (.writeBackCaches, [0x0F, 0x09]), (.writeBackCaches, [0xF3, 0x0F, 0x09]),
        (.readMSR, [0x0F, 0x32]), (.writeMSR, [0x0F, 0x30]), (.readTimeStamp, [0x0F, 0x31]),
        (.readTimeStampWithAuxiliary, [0x0F, 0x01, 0xF9]), (.readPerformanceCounter, [0x0F, 0x33]),
        (.readProcessorRegister, [0x0F, 0x01, 0xFD]), (.setExtendedControlRegister, [0x0F, 0x01, 0xD1]),
        (.invalidatePageOfASID, [0x0F, 0x01, 0xDF]), (.broadcastInvalidation, [0x0F, 0x01, 0xFE]),
        (.synchronizeInvalidation, [0x0F, 0x01, 0xFF]), (.run, [0x0F, 0x01, 0xD8]), (.call, [0x0F, 0x01, 0xD9]),
        (.callOfIntel, [0x0F, 0x01, 0xC1]), (.load, [0x0F, 0x01, 0xDA]), (.save, [0x0F, 0x01, 0xDB]),
        (.setGlobalInterrupts, [0x0F, 0x01, 0xDC]), (.clearGlobalInterrupts, [0x0F, 0x01, 0xDD]),
        (.secureInit, [0x0F, 0x01, 0xDE]),
        (.monitor, [0x0F, 0x01, 0xC8]), (.monitor, [0x0F, 0x01, 0xFA]), (.wait, [0x0F, 0x01, 0xC9]), (.wait, [0x0F, 0x01, 0xFB]),
        (.commit, [0xF3, 0x0F, 0x01, 0xFA]), (.debugBreak, [0xF1]), (.breakpoint, [0xCC]), (.softwareInterrupt, [0xCD, 0x80]),
        (.pushFlags, [0x9C]), (.popFlags, [0x9D]), (.interruptReturn, [0xCF]), (.port, [0xE4, 0x60]), (.port, [0xE7, 0x60]),
        (.port, [0xEC]), (.port, [0xEF]), (.string, [0x6C]), (.string, [0x6F]), (.clearTaskSwitched, [0x0F, 0x06]),
        (.readControlRegister, [0x0F, 0x20, 0xD8]), (.writeControlRegister, [0x0F, 0x22, 0x18]),
        (.readDebugRegister, [0x0F, 0x21, 0xF8]), (.writeDebugRegister, [0x0F, 0x23, 0xC7]),
        (.storeMachineStatus, [0x0F, 0x01, 0xE3]), (.loadMachineStatus, [0x0F, 0x01, 0xF7]),
        (.storeLocalTable, [0x0F, 0x00, 0xC1]),
        (.storeTaskRegister, [0x0F, 0x00, 0xC9]), (.loadLocalTable, [0x0F, 0x00, 0xD0]), (.loadTaskRegister, [0x0F, 0x00, 0xDF]),
    ]

    @Test(arguments: all) func `each is told with its length, whatever prefixes it has`(mode: ProcessorMode) {
        for (kind, bytes) in Self.plain {
            var prefixes: [[UInt8]] = [[], [0x66], [0x67], [0x2E, 0x36], [0x64, 0x65, 0x3E, 0x26], [0x66, 0x67, 0xF2]]
            if mode.is64Bit, bytes.first == 0x0F { prefixes += [[0x48], [0x66, 0x4F]] }
            for prefix in prefixes {
                // REPNE would stand in the place of a REP that is part of the instruction.
                let whole = bytes.first == 0xF3 ? prefix.filter { $0 != 0xF2 } + bytes : prefix + bytes
                let instruction = Self.decode(whole, in: mode)
                #expect(instruction?.kind == kind && instruction?.length == whole.count, "\(kind) \(whole)")
                for count in 0..<whole.count {
                    var part = InstructionBytes()
                    for byte in whole.prefix(count) { part.append(byte) }
                    #expect(InstructionDecoder.decodeIntercepted(part, in: mode)?.length != whole.count, "not all there")
                }
            }
        }
    }

    @Test func `operands in memory have their length by the mode's addresses`() {
        let rows: [(ProcessorMode, [UInt8], Kind)] = [
            (.real, [0x0F, 0x01, 0x1E, 0x34, 0x12], .loadInterruptTable), (.real, [0x0F, 0x01, 0x57, 0x10], .loadGlobalTable),
            (.real, [0x67, 0x0F, 0x01, 0x15, 1, 2, 3, 4], .loadGlobalTable),
            (.protected32, [0x0F, 0x01, 0x3D, 1, 2, 3, 4], .invalidatePage),
            (.protected32, [0x67, 0x0F, 0x01, 0x3E, 1, 2], .invalidatePage),
            (.protected32, [0x0F, 0x01, 0xBC, 0x8B, 1, 2, 3, 4], .invalidatePage),
            (.long64, [0x41, 0x0F, 0x01, 0x7C, 0x24, 0x10], .invalidatePage),
            (.long64, [0x0F, 0x01, 0x05, 1, 2, 3, 4], .storeGlobalTable),
            (.long64, [0x0F, 0x01, 0x0C, 0x25, 1, 2, 3, 4], .storeInterruptTable),
            (.long64, [0x0F, 0x01, 0x31], .loadMachineStatus),
            (.long64, [0x0F, 0x01, 0x60, 0x08], .storeMachineStatus), (.long64, [0x0F, 0x00, 0x18], .loadTaskRegister),
            (.long64, [0x66, 0x0F, 0x38, 0x82, 0x44, 0x8B, 0x10], .invalidateByPCID),
        ]
        for (mode, bytes, kind) in rows {
            let instruction = Self.decode(bytes, in: mode)
            #expect(instruction?.kind == kind && instruction?.length == bytes.count && instruction?.operand != nil, "\(bytes)")
        }
    }

    @Test func `far calls and jumps, which may switch tasks, are as long as their pointers`() {
        let rows: [(ProcessorMode, [UInt8], Kind?)] = [
            (.protected16, [0x9A, 0, 0, 0x28, 0], .farCall), (.protected16, [0x66, 0xEA, 0, 0, 0, 0, 0x28, 0], .farJump),
            (.protected32, [0x9A, 0, 0, 0, 0, 0x28, 0], .farCall), (.protected32, [0x66, 0xEA, 0, 0, 0x28, 0], .farJump),
            (.protected32, [0xFF, 0x1D, 0, 0, 1, 0], .farCall), (.protected32, [0xFF, 0x2B], .farJump),
            (.protected32, [0xCE], .overflow), (.long64, [0x9A, 0, 0, 0, 0, 0x28, 0], nil), (.long64, [0xCE], nil),
            (.protected32, [0xFF, 0xD0], nil), (.protected32, [0xFF, 0x13], nil),
        ]
        for (mode, bytes, kind) in rows {
            let instruction = Self.decode(bytes, in: mode)
            #expect(instruction?.kind == kind && (kind == nil || instruction?.length == bytes.count), "\(bytes)")
        }
    }

    @Test func `registers have REX's bits`() {
        let move = Self.decode([0x45, 0x0F, 0x22, 0xC3])
        #expect(move?.register == 8 && move?.general == 11)
        #expect(Self.decode([0x0F, 0x22, 0xC3], in: .protected32)?.register == 0)
        #expect(Self.decode([0xCD, 0x41])?.vector == 0x41)
        #expect(Self.decode([0x64, 0x6E])?.segmentOverride == .fs && Self.decode([0x36, 0x6E])?.segmentOverride == nil)
        #expect(Self.decode([0x67, 0x6E])?.addressSize == 4 && Self.decode([0x67, 0x6E], in: .protected16)?.addressSize == 4)
        // A REX prefix counts only right before the opcode.
        #expect(Self.decode([0x44, 0x66, 0x0F, 0x22, 0xC3])?.register == 0)
    }

    @Test func `others are none of them`() {
        for bytes in [
            [0x90], [0xF3, 0x41, 0x90], [0x0F, 0x01, 0xC0], [0x0F, 0x01, 0xD0], [0x0F, 0x38, 0x82, 0x01], [0x0F, 0x00, 0x20],
            [0xC3], [0xF0, 0x0F, 0x01, 0xC1],
        ]
            as [[UInt8]]
        {
            #expect(Self.decode(bytes) == nil, "\(bytes)")
        }
    }
}
