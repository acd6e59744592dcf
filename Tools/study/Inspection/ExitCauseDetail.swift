import Debug
import Memory
import Text
import VMX
import Virtualization
import X86

/// The very bit that made an exit: of a control, of a bitmap, of a mask.
struct ExitCauseDetail {
    private let exit: Exit
    private let state: StateSnapshot

    /// - Parameter state: the state at the exit, before it was handled.
    init(_ exit: Exit, _ state: StateSnapshot) {
        self.exit = exit
        self.state = state
    }

    /// Writes a line or more, or none where there is no such bit.
    func write(to output: inout Answer) {
        if state[.exitReason].isEntryFailure { return }
        switch exit {
        case .exception(let exception): writeException(exception, to: &output)
        case .nonMaskableInterrupt: writeControl(PinControls.nmiExiting, to: &output)
        case .io(let access): writePort(access, to: &output)
        case .readMSR: writeRegister(isWrite: false, to: &output)
        case .writeMSR: writeRegister(isWrite: true, to: &output)
        case .controlRegister(let access): writeControlRegister(access, to: &output)
        case .pause:
            if !writeControl(PrimaryControls.pauseExiting, to: &output) {
                writeControl(SecondaryControls.pauseLoopExiting, to: &output)
            }
        case .virtualAPIC(.priorityBelowThreshold):
            writeControl(PrimaryControls.useTPRShadow, to: &output)
            output.line("  the TPR threshold is \(state[.tprThreshold])")
        case .virtualAPIC(.endOfInterrupt(let vector)): writeEndOfInterrupt(vector, to: &output)
        case .virtualAPIC(.write):
            writeControl(SecondaryControls.apicRegisterVirtualization, to: &output)
            writeControl(SecondaryControls.virtualInterruptDelivery, to: &output)
        default: writeControlOfReason(to: &output)
        }
    }

    // MARK: Controls

    private func writeControlOfReason(to output: inout Answer) {
        switch state[.exitReason].control {
        case .pin(let control): writeControl(control, to: &output)
        case .primary(let control): writeControl(control, to: &output)
        case .secondary(let control): writeControl(control, to: &output)
        case nil: break
        }
    }

    @discardableResult
    private func writeControl(_ control: PinControls, to output: inout Answer) -> Bool {
        write(control, of: state[.pinControls], to: &output)
    }

    @discardableResult
    private func writeControl(_ control: PrimaryControls, to output: inout Answer) -> Bool {
        write(control, of: state[.primaryControls], to: &output)
    }

    @discardableResult
    private func writeControl(_ control: SecondaryControls, to output: inout Answer) -> Bool {
        write(control, of: state[.secondaryControls], to: &output)
    }

    /// - Returns: whether the control is on; only then a line is written.
    private func write<Controls: ExplainedFlags>(
        _ control: Controls, of controls: Controls, to output: inout Answer
    ) -> Bool {
        guard controls.contains(control) else { return false }
        output.line("  bit \(control.rawValue.trailingZeroBitCount), \"\(control)\", of the \(Controls.title) is 1")
        return true
    }

    // MARK: Bitmaps

    private func writeException(_ exception: ExceptionExit, to output: inout Answer) {
        let bitmap = state[.exceptionBitmap]
        let vector = exception.vector.number & 31
        output.line(
            "  bit \(vector) of the exception bitmap (\(hex: bitmap)), for \(exception.vector), is \(bitmap >> UInt32(vector) & 1)"
        )
        if exception.vector == .pageFault, let code = exception.errorCode {
            let masked = code & state[.pageFaultErrorCodeMask]
            let matches = masked == state[.pageFaultErrorCodeMatch]
            var line: Line = "  the error code \(hex: code) under the mask \(hex: state[.pageFaultErrorCodeMask])"
            line.write(matches ? " is" : " is not")
            line.write(
                Line(" the match \(hex: state[.pageFaultErrorCodeMatch]): a #PF exits if bit 14 is \(matches ? "1" : "0")"))
            output.line(line)
        }
    }

    private func writePort(_ access: IOAccess, to output: inout Answer) {
        guard state[.primaryControls].contains(.useIOBitmaps) else {
            writeControl(PrimaryControls.unconditionalIOExiting, to: &output)
            return
        }
        writeControl(PrimaryControls.useIOBitmaps, to: &output)
        guard UInt32(access.port) + UInt32(access.size) <= 0x1_0000 else {
            return output.line("  the access wraps around after port 0xffff, which always exits")
        }
        let isHigh = access.port >= 0x8000
        let page = isHigh ? state[.ioBitmapB] : state[.ioBitmapA]
        let name: StaticString = isHigh ? "I/O bitmap B" : "I/O bitmap A"
        writeBit(name, page, UInt64(access.port & 0x7FFF), to: &output)
        if access.size > 1 { output.line("  or that of a following port: the access touches \(access.size)") }
    }

    private func writeRegister(isWrite: Bool, to output: inout Answer) {
        let number = UInt32(truncatingIfNeeded: state.registers.rcx)
        guard state[.primaryControls].contains(.useMSRBitmaps) else {
            return output.line("  \"use MSR bitmaps\" is off: every RDMSR and WRMSR exits")
        }
        writeControl(PrimaryControls.useMSRBitmaps, to: &output)
        guard let bit = MSRBitmapLayout.bit(of: ModelSpecificRegister(number), isWrite: isWrite) else {
            return output.line("  the bitmaps cover 0 to 0x1fff and 0xc0000000 to 0xc0001fff only: \(hex: number) always exits")
        }
        writeBit("MSR bitmaps", state[.msrBitmaps], bit, to: &output)
    }

    private func writeBit(
        _ name: StaticString, _ page: HostPhysicalAddress, _ bit: UInt64, to output: inout Answer
    ) {
        let place = page.rawValue &+ bit >> 3
        output.line("  bit \(bit & 7) of byte \(hex: bit >> 3) of the \(name), at host-physical \(hex: place), is 1")
    }

    private func writeEndOfInterrupt(_ vector: UInt8, to output: inout Answer) {
        writeControl(SecondaryControls.virtualInterruptDelivery, to: &output)
        output.line("  bit \(vector & 63) of EOI-exit bitmap \(vector >> 6), for vector \(hex: vector), is 1")
    }

    // MARK: Control registers

    private func writeControlRegister(_ access: ControlRegisterAccess, to output: inout Answer) {
        switch access {
        case .write(0, let source):
            let value = ControlRegister0(rawValue: state.value(of: source))
            writeMasked(value, mask: state[.cr0GuestHostMask], shadow: state[.cr0ReadShadow], to: &output)
        case .write(4, let source):
            let value = ControlRegister4(rawValue: state.value(of: source))
            writeMasked(value, mask: state[.cr4GuestHostMask], shadow: state[.cr4ReadShadow], to: &output)
        case .write(3, _):
            writeControl(PrimaryControls.cr3LoadExiting, to: &output)
            output.line(
                "  and the value is \(state[.cr3TargetCount] == 1 ? "not the CR3-target value" : "none of the \(state[.cr3TargetCount]) CR3-target values")"
            )
        case .read(3, _): writeControl(PrimaryControls.cr3StoreExiting, to: &output)
        case .write: writeControl(PrimaryControls.cr8LoadExiting, to: &output)
        case .read: writeControl(PrimaryControls.cr8StoreExiting, to: &output)
        case .clearTaskSwitched: output.line("  TS is 1 in the CR0 guest/host mask and in the CR0 read shadow")
        case .loadMachineStatus(let status):
            // LMSW writes bits 3:0, and cannot clear PE.
            let shadow = state[.cr0ReadShadow]
            let low = ControlRegister0(rawValue: UInt64(status) & 15 | shadow.rawValue & 1)
            writeMasked(
                low | shadow.subtracting(.init(rawValue: 15)), mask: state[.cr0GuestHostMask], shadow: shadow, to: &output)
        }
    }

    /// The bits that the guest would change and the mask keeps for the hypervisor.
    private func writeMasked<Register: ExplainedFlags>(
        _ value: Register, mask: Register, shadow: Register, to output: inout Answer
    ) {
        let kept = (value ^ shadow) & mask
        output.line(
            "  the value differs from the \(Register.title) read shadow in \(kept), of which the bits of the guest/host mask are 1"
        )
    }
}
