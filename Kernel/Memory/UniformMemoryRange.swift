extension HostMTRRs {
    /// How many range boundaries a search passes at most.
    static var boundaryLimit: Int { 4096 }

    /// The longest range from `address` on, up to `limit`, whose memory has one type throughout.
    ///
    /// A page mapped inside it never spans types, which a large page must not do: Intel SDM vol. 3, "Large Page Size
    /// Considerations". Where variable ranges have masks with gaps, which firmware does not use, the answer may
    /// end early, but never too late.
    ///
    /// - Precondition: `address` is below `limit`.
    public func uniformRange(at address: HostPhysicalAddress, limit: HostPhysicalAddress) -> HostPhysicalRange {
        let type = type(of: address)
        var end = address.rawValue
        var passed = 0
        repeat {
            end = min(nextBoundary(after: end), limit.rawValue)
            passed += 1
        } while end < limit.rawValue && passed < Self.boundaryLimit && self.type(of: HostPhysicalAddress(end)) == type
        return HostPhysicalRange(from: address, upTo: HostPhysicalAddress(end))
    }
}
