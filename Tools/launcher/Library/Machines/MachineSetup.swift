import Foundation

/// What a machine is built from.
struct MachineSetup {
    let request: RunRequest
    let checkout: Checkout
    let processes: Processes
    let speech: Speech
    let files: GuestFiles
    /// The run's folder.
    let folder: String
    /// Whether input goes to the guest.
    let takesInput: Bool
    /// The width of the rows that the kernel prints.
    let columns: Int
    /// The rows of the terminal on which the guest's screen is drawn; nil if it is not drawn.
    let rows: Int?
    /// The port of this host where the monitor listens; nil if there is none.
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
