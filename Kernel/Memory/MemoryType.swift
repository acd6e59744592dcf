/// How accesses to memory are cached. The raw values are those of the MTRRs, the PAT, the EPT entries and the EPT pointer.
///
/// Intel SDM vol. 3, "Memory Type Range Registers (MTRRs)", table of encodings; 2, 3 and 7 are reserved there.
/// No function of this module has a default memory type: RAM mapped uncacheable by oversight works, and is slow.
public enum MemoryType: UInt8, Sendable {
    case uncacheable = 0
    case writeCombining = 1
    case writeThrough = 4
    case writeProtected = 5
    case writeBack = 6
}
