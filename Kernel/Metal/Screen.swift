import Devices
import Instructions
import Machine
import Text
import Virtualization
import VMX

/// The text screen of the guest that runs, on the console.
enum Screen {
    private struct Shared {
        var screen: TextScreen?
        /// Shown whatever else the guest writes to.
        var isForced = false
        var isDrawn = false
        /// When it may be drawn again, in the processor's time stamp.
        var nextDrawing: UInt64 = 0
    }

    nonisolated(unsafe) private static var shared = Shared()
    private typealias Machine = VirtualMachine<VMXProcessor<HardwareVMCS>, HardwareHost>

    static func open(_ options: KernelOptions) {
        guard options.screen != .off else { return }
        let shown = UnsafeMutablePointer<UInt16>(bitPattern: UInt(address_of_screen_buffer()))!
        shared.screen = TextScreen(shown, terminalRows: Int(options.terminalRows))
        shared.isForced = options.screen == .on
        shared.isDrawn = options.terminalRows > 1
    }

    /// Draws what has changed, some twenty times a second at most.
    /// - Returns: the latest time to look again.
    @inline(__always)
    static func look() -> UInt64 { shared.isDrawn ? draw() : .max }

    @inline(never)
    private static func draw() -> UInt64 {
        let now = read_tsc()
        guard now >= shared.nextDrawing else { return shared.nextDrawing }
        shared.nextDrawing = now &+ Processor.current.pointee.timeStamp.frequency / 20
        show()
        return .max
    }

    private static func show() {
        let machine = Machine.place
        guard isWanted(machine) else { return }
        Console.withLock { console in
            let rows = shared.screen?.draw(
                machine.pointee.memory, start: machine.pointee.board.screenStart, cursor: machine.pointee.board.screenCursor,
                isInPlace: console.rowsOfScreenBelow > 0
            ) { Console.put(raw: $0) }
            console.rowsOfScreenBelow = rows ?? 0
        }
    }

    private static func isWanted(_ machine: Machine.Pointer) -> Bool { shared.isForced || !machine.pointee.board.hasTransmitted }

    /// The guest has ended: the last screen stays on the terminal, or is printed now.
    static func close() {
        guard shared.screen != nil else { return }
        if shared.isDrawn {
            show()
            Console.withLock { Console.leaveScreen(&$0) }
        } else if isWanted(Machine.place) {
            let machine = Machine.place
            Console.withLock { console in
                if console.isInGuestLine { Console.put(raw: "\n") }
                console.isInGuestLine = false
                shared.screen?.print(machine.pointee.memory, start: machine.pointee.board.screenStart) { Console.put(raw: $0) }
            }
        }
        (shared.screen, shared.isDrawn) = (nil, false)
    }
}
