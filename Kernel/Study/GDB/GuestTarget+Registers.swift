import Machine
import VMX
import Virtualization
import X86

extension GuestTarget {
    public mutating func read(_ register: DebugRegister, of thread: UInt32) -> UInt64? {
        let processor = cpu.pointee.processor
        if let number = register.number {
            return number == .rsp ? processor.stackPointer : cpu.pointee.registers.value(of: number)
        }
        if let segment = register.selector { return UInt64(processor.segment(segment).selector.rawValue) }
        if let segment = register.base { return processor.segment(segment).base }
        return switch register {
        case .rip: processor.instructionPointer
        case .rflags: processor.flags.rawValue
        case .kernelGSBase: services.kernelGSBase
        case .cr0: processor.cr0.rawValue
        case .cr2: services.pageFaultAddress
        case .cr3: processor.cr3
        case .cr4: processor.cr4.rawValue
        case .efer: processor.extendedFeatures.rawValue
        default: nil
        }
    }

    /// Segments and control registers take more than a value to change, and stay as they are.
    public mutating func write(_ value: UInt64, to register: DebugRegister, of thread: UInt32) -> Bool {
        let processor = cpu.pointee.processor
        if let number = register.number {
            if number == .rsp { processor.stackPointer = value } else { cpu.pointee.registers.set(number, to: value) }
            return true
        }
        switch register {
        case .rip:
            // The VM entry refuses others (SDM volume 3, 27.3.1.4 "Checks on Guest RIP, RFLAGS, and SSP").
            guard processor.mode.is64Bit ? UInt64(bitPattern: Int64(bitPattern: value << 16) >> 16) == value : value >> 32 == 0
            else { return false }
            processor.instructionPointer = value
        case .rflags:
            let changeable: UInt64 = 0x27_7FD5
            guard value & ~changeable & ~2 == 0, (value ^ processor.flags.rawValue) & 1 << 17 == 0 else { return false }
            processor.flags = RFlags(rawValue: value | 2)
        case .kernelGSBase:
            guard UInt64(bitPattern: Int64(bitPattern: value << 16) >> 16) == value else { return false }
            services.kernelGSBase = value
        case .cr2: cpu.pointee.host.loadPageFaultAddress(value)
        default: return false
        }
        return true
    }
}

extension DebugRegister {
    /// Of a general register.
    fileprivate var number: RegisterNumber? {
        switch self {
        case .rax: RegisterNumber(0)
        case .rcx: RegisterNumber(1)
        case .rdx: RegisterNumber(2)
        case .rbx: RegisterNumber(3)
        case .rsp: .rsp
        case .rbp: RegisterNumber(5)
        case .rsi: RegisterNumber(6)
        case .rdi: RegisterNumber(7)
        case .r8: RegisterNumber(8)
        case .r9: RegisterNumber(9)
        case .r10: RegisterNumber(10)
        case .r11: RegisterNumber(11)
        case .r12: RegisterNumber(12)
        case .r13: RegisterNumber(13)
        case .r14: RegisterNumber(14)
        case .r15: RegisterNumber(15)
        default: nil
        }
    }

    fileprivate var selector: SegmentRegister? {
        switch self {
        case .cs: .cs
        case .ss: .ss
        case .ds: .ds
        case .es: .es
        case .fs: .fs
        case .gs: .gs
        default: nil
        }
    }

    fileprivate var base: SegmentRegister? {
        switch self {
        case .csBase: .cs
        case .ssBase: .ss
        case .dsBase: .ds
        case .esBase: .es
        case .fsBase: .fs
        case .gsBase: .gs
        default: nil
        }
    }
}
