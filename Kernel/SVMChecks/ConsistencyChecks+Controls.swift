import Memory
import SVM
import X86

extension ConsistencyChecks {
    func checkIntercepts() {
        require(vmcb.isIntercepted(.vmrun), .vmrunIntercept, .interceptVector4)
        require(fits(vmcb[.ioPermissionMap], IOPermissionMap.size), .permissionMap, .ioPermissionMap)
        require(fits(vmcb[.msrPermissionMap], MSRPermissionMap.size), .permissionMap, .msrPermissionMap)
        require(vmcb[.guestASID] != 0, .guestASID, .guestASID)
    }

    /// Whether a map's last byte has a physical address. The processor takes the lower 12 bits of its beginning for 0.
    private func fits(_ map: HostPhysicalAddress, _ size: UInt64) -> Bool {
        let (last, overflow) = (map.rawValue & ~0xFFF).addingReportingOverflow(size - 1)
        return !overflow && isPhysical(last)
    }

    func checkVirtualInterrupts() {
        let control = vmcb[.virtualInterrupts]
        let features = capabilities.identification.features
        if features.contains(.virtualNMI), control.contains(.nmiEnable) {
            require(vmcb.isIntercepted(.nonMaskableInterrupt), .virtualNMIsNeedIntercept, .virtualInterrupts)
        }
        guard features.contains(.avic) else { return }
        require(
            !features.contains(.x2AVIC) || !control.contains(.x2AVICEnable) || control.contains(.avicEnable), .x2AVICNeedsAVIC,
            .virtualInterrupts)
        if control.contains(.avicEnable) { checkAVIC(isX2: features.contains(.x2AVIC) && control.contains(.x2AVICEnable)) }
    }

    private func checkAVIC(isX2: Bool) {
        require(isPhysical(vmcb[.avicBase].rawValue), .avicPointer, .avicBase)
        require(isPhysical(vmcb[.avicBackingPage].rawValue), .avicPointer, .avicBackingPage)
        require(isPhysical(vmcb[.avicLogicalTable].rawValue), .avicPointer, .avicLogicalTable)
        let table = vmcb[.avicPhysicalTable]
        require(isPhysical(table.address.rawValue), .avicPointer, .avicPhysicalTable)
        let highest: UInt16 = !isX2 ? 255 : capabilities.identification.offersExtendedX2AVIC ? 4095 : 511
        require(table.maximumIndex <= highest, .avicMaximumIndex, .avicPhysicalTable)
    }

    func checkEventInjection() {
        let event = vmcb[.eventInjection]
        guard event.isValid else { return }
        switch event.kind {
        case .interrupt, .nonMaskableInterrupt, .softwareInterrupt: break
        case .exception:
            require(isException(event.vector), .eventVector, .eventInjection)
            let isLong = entersLongMode && vmcb[.csAttributes].isLong
            let isOld = event.vector == ExceptionVector.overflow.number || event.vector == ExceptionVector.boundRange.number
            require(!isLong || !isOld, .eventInMode, .eventInjection)
        case .reserved1, .reserved5, .reserved6, .reserved7: require(false, .eventType, .eventInjection)
        }
    }

    /// The vectors that stand for exceptions (APM volume 2, "Vectors").
    private func isException(_ vector: UInt8) -> Bool {
        switch vector {
        case 0, 1, 3...8, 10...14, 16...19, 28...30: true
        case 21: capabilities.offersShadowStacks
        default: false
        }
    }

    func checkNestedPaging() {
        guard vmcb[.nestedControl].contains(.nestedPaging) else { return }
        require(isPhysical(vmcb[.nestedCR3].rawValue), .nestedCR3, .nestedCR3)
        require(vmcb[.guestPAT].isValid, .guestPAT, .guestPAT)
    }
}
