import Machine
import X86

/// The host's processor for tests: its CPUID is a table, its time stands still until the test moves it, and what a guest
/// does to it is recorded.
public final class SimulatedHost: HostServices {
    /// By leaf and subleaf; a leaf without subleaves has only subleaf 0, which then answers for all.
    public var leaves: [UInt32: [UInt32: CPUIDResult]]
    /// Leaves with subleaves: those that are not listed read as zero.
    public var leavesWithSubleaves: Set<UInt32> = [4, 7, 0xB, 0xD]
    public var time: UInt64 = 1_000_000
    /// How far `sleep` moves the time at most: an interrupt of the host's comes in between.
    public var longestSleep: UInt64 = .max
    public var isCalledAway = false
    public var isToldToStop = false
    /// The moments until which it was asked to sleep.
    public private(set) var sleeps: [UInt64] = []
    /// What came in on COM1 and was not yet received.
    public var input: [UInt8] = []
    public private(set) var transmitted: [UInt8] = []
    public private(set) var extendedControl: UInt64 = 1
    public private(set) var pageFaultAddress: UInt64 = 0
    /// PKRU.
    public var protectionKeyState: UInt32 = 0
    /// What CPUID leaf 1 puts into IA32_BIOS_SIGN_ID.
    public var microcodeVersion: UInt64 = 0xAB << 32
    public var debugStatus: UInt64 = 0xFFFF_0FF0
    public private(set) var finishedInterrupts: [UInt8] = []
    public private(set) var finishedNonMaskableInterrupts = 0
    public var registers: [UInt32: UInt64] = [:]
    /// Registers that were read and do not exist: #GP in the kernel.
    public private(set) var absentRegisters: [UInt32] = []

    public init(leaves: [UInt32: [UInt32: CPUIDResult]] = SimulatedHost.skylakeX) { self.leaves = leaves }

    public var transmittedText: String { String(decoding: transmitted, as: UTF8.self) }

    public func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDResult {
        if leaf == 1 { registers[0x8B] = microcodeVersion }
        let place = leavesWithSubleaves.contains(leaf) ? subleaf : 0
        return leaves[leaf]?[place] ?? .zero
    }

    /// By how much the time moves whenever somebody looks at it.
    public var ticksPerLook: UInt64 = 0
    public func timeStamp() -> UInt64 {
        time += ticksPerLook
        return time
    }

    public func sleep(until moment: UInt64) {
        sleeps.append(moment)
        if moment > time { time += min(longestSleep, moment - time) }
    }

    /// The ticks that its timer was set to, each time.
    public private(set) var timerSettings: [UInt64] = []
    public func setTimer(ticks: UInt64) { timerSettings.append(ticks) }

    public func receive() -> UInt8? { input.isEmpty ? nil : input.removeFirst() }

    public func transmit(_ byte: UInt8) { transmitted.append(byte) }
    public func loadExtendedControl(_ value: UInt64) { extendedControl = value }
    public func readExtendedControl() -> UInt64 { extendedControl }
    /// The vector registers, all 32 bytes of each.
    public var vectors = [VectorValue](repeating: VectorValue(), count: 16)
    public func readVector(_ register: UInt8, isWide: Bool) -> VectorValue {
        let value = vectors[Int(register)]
        return isWide ? value : VectorValue(value.word0, value.word1)
    }
    public func writeVector(_ register: UInt8, _ value: VectorValue, _ write: VectorWrite) {
        let old = vectors[Int(register)]
        switch write {
        case .lowest16: vectors[Int(register)] = VectorValue(value.word0, value.word1, old.word2, old.word3)
        case .all16: vectors[Int(register)] = VectorValue(value.word0, value.word1)
        case .all32: vectors[Int(register)] = value
        }
    }
    public func protectionKeyRights() -> UInt32 { protectionKeyState }
    /// The extended state of 4 KiB, whatever the processor makes of it.
    public var extendedState = [UInt8](repeating: 0, count: 4096)
    public func saveExtendedState(_ components: UInt64, to area: UnsafeMutableRawPointer) {
        area.copyMemory(from: extendedState, byteCount: 4096)
    }
    public func loadExtendedState(_ components: UInt64, from area: UnsafeRawPointer) {
        extendedState = Array(UnsafeRawBufferPointer(start: area, count: 4096))
    }
    public func resetExtendedState(_ components: UInt64) { extendedState = [UInt8](repeating: 0, count: 4096) }
    public func readPageFaultAddress() -> UInt64 { pageFaultAddress }
    public func loadPageFaultAddress(_ address: UInt64) { pageFaultAddress = address }
    public func readDebugStatus() -> UInt64 { debugStatus }
    public func loadDebugStatus(_ value: UInt64) { debugStatus = value }
    /// DR0 to DR3.
    public var debugAddresses: [UInt64] = [0, 0, 0, 0]
    public func readDebugAddress(_ number: Int) -> UInt64 { debugAddresses[number] }
    public func loadDebugAddress(_ number: Int, _ value: UInt64) { debugAddresses[number] = value }
    public func finishNonMaskableInterrupt() { finishedNonMaskableInterrupts += 1 }
    public func finishInterrupt(_ vector: UInt8) { finishedInterrupts.append(vector) }

    public func read(_ register: ModelSpecificRegister) -> UInt64 {
        if registers[register.number] == nil { absentRegisters.append(register.number) }
        return registers[register.number] ?? 0
    }

    public func write(_ register: ModelSpecificRegister, _ value: UInt64) { registers[register.number] = value }
}

extension SimulatedHost {
    private static func result(_ eax: UInt32, _ ebx: UInt32, _ ecx: UInt32, _ edx: UInt32) -> CPUIDResult {
        .init(eax: eax, ebx: ebx, ecx: ecx, edx: edx)
    }

    /// A processor like Bochs' skylake_x: everything that Martlet offers, and much that it does not.
    public static let skylakeX: [UInt32: [UInt32: CPUIDResult]] = [
        0: [0: result(0x16, 0x756E_6547, 0x6C65_746E, 0x4965_6E69)],
        1: [0: result(0x0005_0654, 0x0310_0800, 0xFFFF_FFFF, 0xFFFF_FFFF)],
        2: [0: result(0x7603_6301, 0x00F0_B5FF, 0, 0x00C3_0000)],
        4: [
            0: result(0x1C00_4121, 0x01C0_003F, 0x3F, 0), 1: result(0x1C00_4122, 0x01C0_003F, 0x3F, 0),
            2: result(0x1C00_4143, 0x03C0_003F, 0x3FF, 0), 3: result(0x1C03_C163, 0x0280_003F, 0x7FF, 4),
        ],
        5: [0: result(64, 64, 3, 0x2020)],
        7: [0: result(1, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF), 1: result(0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFF)],
        0xA: [0: result(0x0730_0404, 0, 0, 0x603)],
        0xB: [0: result(1, 2, 0x100, 3), 1: result(5, 16, 0x201, 3)],
        0xD: [
            0: result(0x2FF, 2696, 2696, 0), 1: result(0x1F, 2696, 0x100, 0), 2: result(256, 576, 0, 0),
            3: result(64, 960, 0, 0), 4: result(64, 1024, 0, 0), 5: result(64, 1088, 0, 0), 6: result(512, 1152, 0, 0),
            7: result(1024, 1664, 0, 0), 8: result(128, 0, 1, 0), 9: result(8, 2688, 7, 0),
        ],
        0x15: [0: result(2, 292, 0, 0)],
        0x16: [0: result(3500, 4500, 100, 0)],
        0x8000_0000: [0: result(0x8000_0008, 1, 2, 3)],
        0x8000_0001: [0: result(7, 8, 0xFFFF_FFFF, 0xFFFF_FFFF)],
        0x8000_0002: [0: result(0x6574_6E49, 0x2952_286C, 0x6F43_2820, 0x4D54_2965)],
        0x8000_0003: [0: result(0x3769_2820, 0x0038_2D39, 0, 0)],
        0x8000_0004: [0: result(1, 2, 3, 4)],
        0x8000_0006: [0: result(0, 0, 0x0100_6040, 0)],
        0x8000_0007: [0: result(1, 2, 3, 0x1FF)],
        0x8000_0008: [0: result(0x0012_3027, 5, 6, 7)],
    ]

    /// A processor without XSAVE, 1-GiB pages, PCID and leaf 7, like Bochs' penryn; its highest leaf is 0xD.
    public static let penryn: [UInt32: [UInt32: CPUIDResult]] = [
        0: [0: result(0xD, 0x756E_6547, 0x6C65_746E, 0x4965_6E69)],
        1: [0: result(0x0001_067A, 0x0002_0800, 0x0008_E3FD, 0xBFEB_FBFF)],
        0x8000_0000: [0: result(0x8000_0008, 0, 0, 0)],
        0x8000_0001: [0: result(0, 0, 1, 0x2010_0800)],
        0x8000_0008: [0: result(0x3024, 0, 0, 0)],
    ]
}
