import Text
import Virtualization
import X86

/// What of SVM Martlet uses on a processor, computed from what it needs and what the processor offers.
///
/// Every intercept that Martlet needs is there on every processor with SVM, so that only features can be missing. What is
/// preferred has a way without it: lengths and operands of instructions are decoded, all translations are dropped instead of one
/// guest's, the VMCB is read whole, and DBGCTL is kept without an effect.
public struct SVMControls: Equatable, Sendable {
    public let features: SVMFeatures
    public let physicalAddressWidth: Int
    /// Address-space identifiers up to this, from 1 on, tag guests' translations.
    public let lastASID: UInt32

    static var required: SVMFeatures { .nestedPaging }
    static var preferred: SVMFeatures {
        .nextRIP | .decodeAssists | .flushByASID | .cleanBits | .lastBranchVirtualization
    }

    public init(_ capabilities: SVMCapabilities) throws(MissingSVMFeatures) {
        let offered = capabilities.identification.features
        let missing = Self.required.subtracting(offered)
        let count = capabilities.identification.asidCount
        guard missing.isEmpty, count > 1 else { throw MissingSVMFeatures(features: missing, lacksASIDs: count < 2) }
        features = offered & (Self.required | Self.preferred)
        physicalAddressWidth = capabilities.physicalAddressWidth
        lastASID = count - 1
    }

    /// Says of every feature that is wanted whether it was granted, a line each.
    public func report(to print: (Line) -> Void) {
        for bit in 0..<32 {
            let feature = SVMFeatures(bit: bit)
            let isRequired = Self.required.contains(feature)
            guard isRequired || Self.preferred.contains(feature) else { continue }
            var line = Line("  SVM")
            line.pad(to: 14)
            line.write(feature)
            line.pad(to: 52)
            line.write(isRequired ? "required" : "preferred")
            line.pad(to: 64)
            line.write(features.contains(feature) ? "granted" : "not offered")
            print(line)
        }
    }

    /// What every guest exits at. What it does without an exit leaves its own state alone.
    static var intercepts: Intercepts {
        var wanted = Intercepts()
        // Physical interrupts and NMIs are the host's, INIT is nobody's, SHUTDOWN is the guest's end, and the processor is not to
        // wait for an interrupt of its x87 unit's.
        wanted.add(.interrupt, .nonMaskableInterrupt, .initSignal, .shutdown, .ferrFreeze, .taskSwitch)
        wanted.add(.ioio, .msr, .cpuid, .hlt, .invd, .wbinvd)
        // CR4 has what Martlet does not offer, and machine checks, which are the host's. CR8 is the local APIC's.
        wanted.add(.cr4Read, .cr4Write, .cr8Read, .cr8Write, .xsetbv, .rdpmc)
        wanted.add(.rdpru, .rsm, .monitor, .mwait, .mwaitConditional, .icebp)
        // With EFER.SVME set, these would be the processor's.
        wanted.add(.vmrun, .vmmcall, .vmload, .vmsave, .stgi, .clgi)
        wanted.add(.skinit, .invlpga, .exceptionDB, .exceptionUD, .exceptionAC, .exceptionMC)
        return wanted
    }
}

/// The intercept vectors.
struct Intercepts: Equatable {
    private(set) var vectors: [6 of UInt32] = .init(repeating: 0)

    static func == (left: Self, right: Self) -> Bool {
        for number in 0..<6 where left.vectors[number] != right.vectors[number] { return false }
        return true
    }

    mutating func add(
        _ first: SVMExitCode, _ second: SVMExitCode, _ third: SVMExitCode, _ fourth: SVMExitCode, _ fifth: SVMExitCode,
        _ sixth: SVMExitCode
    ) {
        add(first)
        add(second)
        add(third)
        add(fourth)
        add(fifth)
        add(sixth)
    }

    private mutating func add(_ exit: SVMExitCode) {
        guard let bit = exit.interceptBit else { preconditionFailure("an exit that no intercept asks for") }
        vectors[bit / 32] |= 1 << UInt32(bit & 31)
    }
}

/// What Martlet cannot do without and the processor does not offer.
public struct MissingSVMFeatures: Error, Equatable, Sendable {
    public let features: SVMFeatures
    /// There is no address-space identifier but the host's.
    public let lacksASIDs: Bool

    /// Says what is missing, a line each.
    public func report(to print: (Line) -> Void) {
        if features.contains(.nestedPaging) { print("SVM: nested paging is not offered (CPUID 8000_000AH, EDX bit 0)") }
        if lacksASIDs { print("SVM: no address-space identifiers are offered (CPUID 8000_000AH, EBX)") }
    }
}
