import Memory
import Virtualization
import X86

/// What a virtual CPU on SVM needs of memory: the machine's memory, or a test's.
public protocol SVMAccess {
    associatedtype RAM: GuestTableMemory
    /// The guest's RAM, where its instructions and page tables are.
    var ram: RAM { get }
    /// A word of the nested page tables, or of the permission maps.
    func readPhysical(at address: HostPhysicalAddress) -> UInt64
    func writePhysical(_ value: UInt64, at address: HostPhysicalAddress)
}

/// A virtual CPU on SVM. It is a VMCB, and what that has no place for.
///
/// RAX, which VMRUN and exits exchange with the VMCB, is among the general registers like the others: the world switch moves it
/// there from the VMCB, and back, as it does with the others from and to the processor's registers. RSP, RIP and RFLAGS are the
/// VMCB's. What VMSAVE saves (FS, GS, TR, LDTR, and the MSRs that go with them) is in the VMCB between an exit and the next
/// VMRUN: the world switch executes VMSAVE and VMLOAD.
public struct SVMProcessor<Access: SVMAccess>: ProcessorBackend {
    public let vmcb: VMCB
    let access: Access
    let context: UnsafeMutablePointer<SVMContext>

    public init(_ vmcb: VMCB, _ access: Access, _ context: UnsafeMutablePointer<SVMContext>) {
        self.vmcb = vmcb
        self.access = access
        self.context = context
    }

    public static func name(ofReason number: UInt32) -> StaticString {
        SVMExitCode(UInt64(bitPattern: Int64(Int32(bitPattern: number))))?.name ?? "unknown"
    }

    /// The low half of EXITCODE, which has those of failed entries with bit 31 set.
    @inline(__always)
    public var exitReasonNumber: UInt32 { UInt32(truncatingIfNeeded: vmcb[.exitCode]) }

    /// What has to be done first after each exit, once: what the last VMRUN was asked for is not asked for again, and the next
    /// may use what the processor has kept.
    @inline(__always)
    public func beginExit() {
        vmcb[.eventInjection] = .none
        vmcb[.tlbControl] = .flushNothing
        vmcb[.cleanBits] = context.pointee.clean
        if context.pointee.isUnsettled { settle() }
    }

    @inline(never)
    private func settle() {
        context.pointee.isUnsettled = false
        // The trap that waited has come.
        context.pointee.statusBeforeTrap = nil
        settleInjection()
        endReturn()
        // What the exit itself is lasts until the next.
        if context.pointee.injected.interruptedLength != 0 || context.pointee.nonMaskable.isReturned {
            context.pointee.isUnsettled = true
        }
    }

    @inline(__always)
    var exitCode: SVMExitCode? { SVMExitCode(UInt64(bitPattern: Int64(Int32(bitPattern: exitReasonNumber)))) }
}
