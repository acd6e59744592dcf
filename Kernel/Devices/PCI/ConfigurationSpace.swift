/// The functions on the PCI bus, and configuration mechanism 1: an address at port CF8h, a window of four bytes at CFCh (PCI
/// local bus specification 3.0, 3.2.2.3.2 "Software Generation of Configuration Transactions"). A function that is not there
/// reads as ones.
public struct ConfigurationSpace: Equatable, Sendable {
    /// Takes only doublewords; other accesses bypass it and go to other devices.
    public static var addressPort: UInt16 { 0xCF8 }
    static var addressPortCount: UInt16 { 4 }
    public static var firstDataPort: UInt16 { 0xCFC }
    public static var dataPortCount: UInt16 { 4 }

    private static var enable: UInt32 { 0x8000_0000 }
    /// Enable, bus, device, function and register.
    private static var addressBits: UInt32 { 0x80FF_FFFC }

    /// What software wrote, and the levels of the interrupt pins.
    public struct State: Equatable, Sendable {
        fileprivate var address: UInt32 = 0
        fileprivate var registers: [4 of PCIFunctionRegisters] = .init(repeating: PCIFunctionRegisters())

        public static func == (left: Self, right: Self) -> Bool {
            let (leftRegisters, rightRegisters) = (left.registers.span, right.registers.span)
            for number in leftRegisters.indices where leftRegisters[number] != rightRegisters[number] { return false }
            return left.address == right.address
        }
    }

    public private(set) var state = State()
    /// The number of the function that the address selects; an invalid one if it selects none.
    private var selected = maximumCount

    private static var maximumCount: Int { 4 }
    /// How many functions there are.
    private(set) var count = 0
    private var functions: [4 of PCIFunction] = .init(repeating: PCIFunction(Span()))
    private var places: [4 of PCIAddress] = .init(repeating: PCIAddress(rawValue: 0))

    /// A change of what functions claim or request.
    private var hasChanged = false

    /// With all functions of the board. Add a new device's here.
    public init() {
        place(.hostBridge, at: PCIAddress(device: 0))
        place(.isaBridge, at: PCIAddress(device: 1))
    }

    private static var isaBridge: Int { 1 }

    /// Puts a function on the bus.
    /// - Returns: its number.
    @discardableResult
    mutating func place(_ function: PCIFunction, at place: PCIAddress) -> Int {
        precondition(count < Self.maximumCount, "too many PCI functions")
        functions[count] = function
        state.registers[count] = function.initialValues
        places[count] = place
        count += 1
        return count - 1
    }

    // MARK: The mechanism

    public func readAddress() -> UInt32 { state.address }

    public mutating func writeAddress(_ value: UInt32) {
        state.address = value & Self.addressBits
        select()
    }

    private mutating func select() {
        selected = Self.maximumCount
        guard state.address & Self.enable != 0 else { return }
        let place = PCIAddress(rawValue: UInt16(truncatingIfNeeded: state.address >> 8))
        for number in 0..<count where places[number] == place { selected = number }
    }

    /// Reads 1, 2 or 4 bytes at an offset (0 to 3) from the first data port; beyond the window are ones.
    ///
    /// Evaluated in place, like everything here that would otherwise copy the functions just to read them.
    public mutating func readData(_ offset: UInt16, size: Int) -> UInt32 {
        let value = UInt64(UInt32.max) << 32 | UInt64(selectedRegister)
        return UInt32(truncatingIfNeeded: value >> UInt64(offset & 3 &* 8)) & Self.bits(size)
    }

    private var selectedRegister: UInt32 {
        mutating get {
            guard selected < Self.maximumCount else { return .max }
            return functions[selected].read(register, of: &state.registers[selected])
        }
    }

    /// Writes 1, 2 or 4 bytes at an offset (0 to 3) from the first data port; beyond the window there is nothing.
    public mutating func writeData(_ offset: UInt16, size: Int, _ value: UInt32) {
        guard selected < Self.maximumCount else { return }
        let shift = UInt32(offset & 3 &* 8)
        let mask = Self.bits(size) << shift
        if functions[selected].write(register, of: &state.registers[selected], value << shift, mask: mask) { hasChanged = true }
    }

    private var register: UInt8 { UInt8(truncatingIfNeeded: state.address >> 2) & 63 }

    private static func bits(_ size: Int) -> UInt32 {
        switch size {
        case 1: 0xFF
        case 2: 0xFFFF
        default: .max
        }
    }

    // MARK: What the functions claim and request

    /// Whether software has changed a register since the last call.
    @inline(__always)
    mutating func takeChange() -> Bool {
        guard hasChanged else { return false }
        hasChanged = false
        return true
    }

    /// What a function's base address now claims.
    mutating func claim(_ number: Int, _ base: Int) -> BusClaim? {
        functions[number].claim(base, of: &state.registers[number])
    }

    /// A function's device asserts or deasserts its interrupt pin.
    mutating func setInterrupt(_ number: Int, _ isAsserted: Bool) {
        functions[number].setInterrupt(isAsserted, in: &state.registers[number])
    }

    /// The IRQs that functions drive, one bit each. Functions share wires: a wire is high if any of them drives it.
    mutating func interruptLines() -> UInt16 {
        var requests: UInt8 = 0
        for number in 0..<count where functions[number].isInterrupting(&state.registers[number]) {
            requests |= 1 &<< PCIInterruptRouting.request(functions[number].pin, ofDevice: places[number].device)
        }
        let bridge = Self.isaBridge
        return PCIInterruptRouting.lines(
            of: requests, by: functions[bridge].read(PCIInterruptRouting.register, of: &state.registers[bridge]))
    }

    /// Restores a saved state of the same functions.
    public mutating func restore(_ state: State) {
        self.state = state
        select()
    }

    /// Two are equal if software sees the same in both.
    public static func == (left: Self, right: Self) -> Bool {
        for number in 0..<maximumCount where left.places[number] != right.places[number] { return false }
        return left.state == right.state && left.count == right.count
    }
}
