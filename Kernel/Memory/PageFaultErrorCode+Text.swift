import Text

extension PageFaultErrorCode: TextConvertible {
    /// What the bits say, such as "not present, write, user".
    public func write(to output: inout Line) {
        if isReservedBit {
            output.write("reserved bit")
        } else if isProtectionKey {
            output.write("protection key")
        } else {
            output.write(isProtectionViolation ? "rights" : "not present")
        }
        output.write(isWrite ? ", write" : isFetch ? ", fetch" : ", read")
        output.write(isUser ? ", user" : ", supervisor")
    }
}
