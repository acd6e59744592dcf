/// Where firmware keeps what is its own in the guest's first MiB. A PC's firmware lies there too, and the address map says
/// that no guest is to use it.
///
/// | from | up to | what |
/// | --- | --- | --- |
/// | 9FC00H | A0000H | extended BIOS data area |
/// | B8000H | B8FA0H | text buffer, 80 columns by 25 lines; RAM |
/// | F0000H | F7000H | ACPI tables, the root pointer first |
/// | F7000H | F8000H | the address map, for the BIOS |
/// | F8000H | 100000H | the BIOS, if the guest is given one |
public enum FirmwareLayout {
    /// The end of conventional memory.
    public static var conventionalEnd: UInt64 { 0x9FC00 }
    /// The first byte of the last kibibyte below 640 KiB.
    public static var extendedDataArea: UInt64 { conventionalEnd }
    /// Where the video memory of a PC begins, and RAM of a guest's own ends.
    public static var videoMemory: UInt64 { 0xA0000 }
    /// The 80 by 25 characters of the text screen.
    public static var textBuffer: UInt64 { 0xB8000 }
    /// Where firmware begins; the ACPI root pointer is its first structure.
    public static var start: UInt64 { 0xF0000 }
    /// A count (2 bytes), then the entries of INT 15H, function E820H, 20 bytes each.
    public static var biosAddressMap: UInt64 { 0xF7000 }
    /// The BIOS ends at 1 MiB, with the place where a processor starts in its last 16 bytes.
    public static var bios: UInt64 { 0xF8000 }
    /// The end of firmware, and where extended memory begins.
    public static var end: UInt64 { 0x10_0000 }
}
