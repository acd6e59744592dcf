import Instructions
import Memory
import X86

/// One of the machine's processors, and everything of its own: descriptor tables, exception stacks, the region that VMX
/// operation uses, its local APIC, the rate of its time stamp, and the records of its exits.
///
/// Its code reaches it through the GS base, which VM exits load.
struct Processor {
    /// Itself: the first word, the only one readable through GS.
    private let this: UnsafeMutablePointer<Processor>
    /// Its place in the list of processors.
    let number: Int
    let tables: DescriptorTables
    var interruptController = LocalInterruptController()
    var timeStamp = TimeStamp()
    /// Keeps the records of its exits, if they are recorded.
    var recorder: Recorder?
    /// A frame for its own use while VMX is on.
    var vmxRegion: HostPhysicalAddress?

    /// The processor that executes this.
    static var current: UnsafeMutablePointer<Processor> {
        UnsafeMutablePointer(bitPattern: UInt(read_gs_word()))!
    }

    /// What the GS base is while the kernel runs.
    static var base: UInt64 { UInt64(UInt(bitPattern: current)) }

    /// The first processor, which the firmware started, takes its place in the list before anything else.
    static func beginFirst() {
        let place = processor_memory()!.bindMemory(to: Processor.self, capacity: 1)
        place.initialize(to: Processor(this: place, number: 0, tables: .ofFirstProcessor))
        write_msr(ModelSpecificRegister.gsBase.number, UInt64(UInt(bitPattern: place)))
        place.pointee.tables.load()
    }

    /// Turns on its own parts, and measures how fast its time stamp runs.
    mutating func open() {
        interruptController.open()
        timeStamp.measure(with: &interruptController)
    }

    private init(this: UnsafeMutablePointer<Processor>, number: Int, tables: DescriptorTables) {
        self.this = this
        self.number = number
        self.tables = tables
    }
}
