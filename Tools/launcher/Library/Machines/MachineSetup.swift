import Foundation

/// What a machine is made of.
struct MachineSetup {
    let request: RunRequest
    let checkout: Checkout
    let processes: Processes
    let speech: Speech
    let files: GuestFiles
    /// The run's.
    let folder: String
    /// What comes in is the guest's.
    let takesInput: Bool
    /// Of a row that the kernel prints.
    let columns: Int
    /// Of the terminal where the guest's screen is drawn; nil if it is not.
    let rows: Int?
    /// Where the monitor waits on this host; nil if there is none.
    let monitorPort: Int?

    func prepare() throws(Failure) -> PreparedMachine {
        switch request.machine {
        case .auto: request.words[.boot] == "multiboot" && QEMU.hasNestedKVM ? try qemu(.kvm) : try bochs(.usual)
        case .kvm: try qemu(.kvm)
        case .tcg: try qemu(.tcg)
        case .bochs: try bochs(.usual)
        case .olderBochs: try bochs(.older)
        case .nested: try nested()
        }
    }
}
