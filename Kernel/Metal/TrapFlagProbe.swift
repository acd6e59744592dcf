import Instructions
import Machine
import Memory
import VMX
import Virtualization
import X86

/// Whether the monitor trap flag really causes VM exits, which the capability bit alone does not tell (SDM volume 3,
/// "Monitor Trap Flag").
///
/// Before its first instruction the guest executes the probe's own NOP, followed by HLT; everything that this changes is put
/// back.
struct TrapFlagProbe {
    let cpu: UnsafeMutablePointer<HardwareCPU>
    private static var code: UInt64 { 0xF4_90_90 }

    /// - Parameter enter: enters the guest until its next exit; false if that failed.
    func run(_ enter: () -> Bool) -> Bool {
        let processor = cpu.pointee.processor
        let memory = cpu.pointee.guestMemory
        guard let place = cpu.pointee.locateInstruction(), place.rawValue & 0xFFF <= 0xFFC,
            let bytes = memory.read(count: 3, at: place)
        else { return false }
        let pointer = processor.instructionPointer
        let flags = processor.flags
        let controls = processor.vmcs[.primaryControls]
        processor.flags = .alwaysSet
        processor.vmcs[.primaryControls] = controls.setting(.monitorTrapFlag, to: true)
        memory.write(TrapFlagProbe.code, count: 3, at: place)
        let isTrapped = enter() && processor.decodeExit() == .monitorTrap && processor.instructionPointer == pointer &+ 1
        memory.write(bytes, count: 3, at: place)
        processor.vmcs[.primaryControls] = controls
        processor.flags = flags
        processor.instructionPointer = pointer
        return isTrapped
    }
}
