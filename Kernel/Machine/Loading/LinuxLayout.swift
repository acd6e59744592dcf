/// Where in conventional memory the loader puts what a Linux kernel is given.
///
/// | from | what, for a 32-bit or 64-bit entry | what, for a real-mode entry |
/// | --- | --- | --- |
/// | 10000H | | a kernel that is loaded low |
/// | 90000H | boot parameters, 4 KiB | boot sector and setup code, at most 32 KiB |
/// | 91000H | descriptor table | (heap and stack of the setup code, up to 9E000H) |
/// | 92000H | page tables: 4 GiB to themselves | |
/// | 98000H | command line | |
/// | 9E000H | | command line |
enum LinuxLayout {
    static var lowKernel: UInt64 { 0x10000 }
    static var bootParameters: UInt64 { 0x90000 }
    static var descriptorTable: UInt64 { 0x91000 }
    static var descriptorTableSize: UInt64 { 32 }
    static var pageTables: UInt64 { 0x92000 }
    static var commandLine: UInt64 { 0x98000 }
    static var setup: UInt64 { 0x90000 }
    static var mostSetup: UInt64 { 0x8000 }
    /// Within the segment of the setup code: the end of heap and stack.
    static var setupStack: UInt16 { 0xE000 }
    static var setupCommandLine: UInt64 { setup + UInt64(setupStack) }
}
