extension VMXProcessor {
    public var entryEvent: UInt32 {
        let information = vmcs[.entryInterruptionInformation]
        return information.isValid ? information.rawValue : 0
    }
}
