import Devices
import Instructions
import Machine
import Memory
import Text
import Trace
import VMX
import Virtualization

/// Compares layouts that assembly knows, and the pieces of the virtual CPU's area, with what the compiler made of them: the
/// first thing the kernel does.
enum Layouts {
    static func check() {
        let switched = HardwareCPU.switchedLayout(in: UnsafeMutableRawPointer(bitPattern: UInt(address_of_virtual_cpu_area()))!)
        expect(switched.registers, 0, "the general registers of a virtual CPU")
        expect(MemoryLayout<GeneralRegisters>.size, world_switch_offset(0), "the size of the general registers")
        expect(switched.runLoopStackPointer, world_switch_offset(1), "a virtual CPU's run-loop stack pointer")
        expect(switched.nextRecord, world_switch_offset(2), "a virtual CPU's next exit record")
        expect(switched.recordEnd, world_switch_offset(3), "the end of a virtual CPU's exit records")
        expect(MemoryLayout<ExitRecord>.stride, world_switch_offset(4), "the size of an exit record")
        expect(MemoryLayout<InterruptFrame>.size, size_of_interrupt_frame(), "the size of an interrupt frame")
        fits(MemoryLayout<Processor>.size, Int(size_of_processor_memory()), "a processor")
        fits(AgentSession.size, Int(agent_memory_size()), "the agent")
        fits(MemoryLayout<HardwareCPU>.size, GuestMachine.answersOffset, "a virtual CPU")
        fits(
            CPUIDAnswers.entryCount * MemoryLayout<CPUIDAnswers.Entry>.stride,
            GuestMachine.shadowTablesOffset - GuestMachine.answersOffset, "CPUID's answers")
        fits(
            MemoryLayout<ShadowTables<GuestMemory>>.size, GuestMachine.shadowRegistersOffset - GuestMachine.shadowTablesOffset,
            "the shadow tables")
        fits(
            MemoryLayout<DirectTables<GuestMemory>>.size, GuestMachine.shadowRegistersOffset - GuestMachine.shadowTablesOffset,
            "the tables of direct paging")
        fits(
            MemoryLayout<ShadowRegisters>.size, GuestMachine.constantsOffset - GuestMachine.shadowRegistersOffset,
            "the registers of shadow paging")
        fits(MemoryLayout<VMXConstants>.size, GuestMachine.machineOffset - GuestMachine.constantsOffset, "a VMCS's constants")
        fits(
            MemoryLayout<HardwareCPU.Machine>.size, Int(size_of_virtual_cpu_area()) - GuestMachine.machineOffset,
            "a virtual machine")
    }

    private static func expect(_ seen: Int, _ expected: UInt32, _ what: StaticString) {
        if seen != Int(expected) { Panic.stop("\(what): \(UInt64(seen)) in Swift, \(UInt64(expected)) in assembly") }
    }

    private static func fits(_ size: Int, _ room: Int, _ what: StaticString) {
        if size > room { Panic.stop("\(what) does not fit: \(UInt64(size)) bytes in room for \(UInt64(room))") }
    }
}
