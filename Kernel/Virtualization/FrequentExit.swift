/// The exits that have a way of their own to be finished in few instructions; all others are `other`.
public enum FrequentExit: Equatable, Sendable {
    case cpuid, hypercall, timerExpired, readMSR, writeMSR, io, nestedPageFault, interruptWindow, halt, other
}
