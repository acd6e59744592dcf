import Machine
import Text
import VMX
import Virtualization

// Commands that show the guest.

extension Monitor {
    func inspect<Access: VMCSAccess, Host: HostServices>(
        _ command: MonitorCommand, _ text: CommandText,
        _ cpu: UnsafeMutablePointer<VirtualCPU<VMXProcessor<Access>, Host>>, on line: inout some MonitorHost
    ) throws(Complaint) {
        let capabilities = line.capabilities
        let state = StateSnapshot(
            reading: cpu.pointee.processor.vmcs, capabilities, cpu.pointee.registers, pageFaultAddress: line.pageFaultAddress)
        switch command {
        case .vmcs:
            text.rest(from: 1).withBytes { words in FieldInspection.write(words, state, capabilities, to: &line) }
        case .check:
            try end(text, 1)
            EntryInspection.write(state, capabilities, line.circumstances, to: &line)
        default:
            try end(text, 1)
            RegisterInspection.write(state, to: &line)
        }
    }
}
