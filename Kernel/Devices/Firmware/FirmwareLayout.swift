/// Where the firmware keeps its own data in the guest's first MiB. A PC's firmware lies there too, and the address map says
/// that no guest may use it.
///
/// | from | up to | what |
/// | --- | --- | --- |
/// | 0 | 500H | interrupt vectors and BIOS data area |
/// | 9FC00H | A0000H | extended BIOS data area |
/// | B8000H | B8FA0H | text buffer, 80 columns by 25 lines; RAM |
/// | F0000H | F7000H | ACPI tables, the root pointer first, and the MP table |
/// | F7000H | F8000H | the address map, for the BIOS |
/// | F8000H | 100000H | the BIOS |
public enum FirmwareLayout {
    /// Real mode's interrupt vectors and the BIOS data area, from address 0.
    public static var lowMemorySize: UInt64 { 0x500 }
    /// In that area, 4 bytes: how often the timer has ticked since midnight.
    public static var ticksOfDay: UInt64 { 0x46C }
    /// The end of conventional memory.
    public static var conventionalEnd: UInt64 { 0x9FC00 }
    /// The first byte of the last kibibyte below 640 KiB.
    public static var extendedDataArea: UInt64 { conventionalEnd }
    /// Where a PC's video memory begins, and the guest's own low RAM ends.
    public static var videoMemory: UInt64 { 0xA0000 }
    /// The 80 by 25 characters of the text screen.
    public static var textBuffer: UInt64 { 0xB8000 }
    public static var textBufferSize: UInt64 { 2 * 80 * 25 }
    /// Where firmware begins; the ACPI root pointer is its first structure.
    public static var start: UInt64 { 0xF0000 }
    /// A count (2 bytes), then the entries of INT 15H, function E820H, 20 bytes each.
    public static var biosAddressMap: UInt64 { 0xF7000 }
    /// The BIOS ends at 1 MiB, with the place where a processor starts in its last 16 bytes.
    public static var bios: UInt64 { 0xF8000 }
    /// The end of firmware, and where extended memory begins.
    public static var end: UInt64 { 0x10_0000 }
}
