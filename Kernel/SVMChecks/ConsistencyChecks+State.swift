import Memory
import SVM
import X86

extension ConsistencyChecks {
    func checkExtendedFeatures() {
        let features = vmcb[.efer]
        let longMode: ExtendedFeatureEnable = .longModeEnable | .longModeActive
        require(features.contains(.secureVirtualMachine), .svmEnable, .efer)
        require((capabilities.efer | longMode).contains(features), .eferReservedBits, .efer)
        require(capabilities.offersLongMode || !features.intersects(longMode), .longModeOffered, .efer)
        guard entersLongMode else { return }
        let hasPAE = vmcb[.cr4].contains(.physicalAddressExtension)
        let code = vmcb[.csAttributes]
        require(hasPAE, .longModeNeedsPAE, .cr4)
        require(vmcb[.cr0].contains(.protectionEnable), .longModeNeedsProtection, .cr0)
        require(!hasPAE || !code.isLong || !code.is32Bit, .longCodeDefaultSize, .csAttributes)
    }

    func checkControlRegisters() {
        let cr0 = vmcb[.cr0]
        require(!cr0.contains(.notWriteThrough) || cr0.contains(.cacheDisable), .cr0CacheBits, .cr0)
        require(cr0.rawValue >> 32 == 0, .cr0HighBits, .cr0)
        require(!entersLongMode || isPhysical(vmcb[.cr3]), .cr3ReservedBits, .cr3)
        require(capabilities.cr4.contains(vmcb[.cr4]), .cr4ReservedBits, .cr4)
    }

    func checkDebugRegisters() {
        require(vmcb[.dr6] >> 32 == 0, .debugRegisterHighBits, .dr6)
        require(vmcb[.dr7] >> 32 == 0, .debugRegisterHighBits, .dr7)
    }

    func checkShadowStacks() {
        guard capabilities.offersShadowStacks else { return }
        require(vmcb[.supervisorCET] >> 2 == 0, .supervisorCET, .supervisorCET)
        guard vmcb[.cr4].contains(.controlFlowEnforcement) else { return }
        require(vmcb[.cr0].contains(.writeProtect), .cetNeedsWriteProtect, .cr4)
        require(
            !circumstances.hasUserShadowStacks || !vmcb[.rflags].contains(.virtual8086), .userShadowStackInVirtual8086, .rflags)
    }

    func checkPageDirectoryPointers() {
        guard let pointers = circumstances.pageDirectoryPointers, !vmcb[.nestedControl].contains(.nestedPaging),
            vmcb[.cr0].contains(.paging), vmcb[.cr4].contains(.physicalAddressExtension), !entersLongMode
        else { return }
        for index in 0..<4 {
            let pointer = pointers[index]
            guard pointer & 1 != 0 else { continue }
            require(pointer & 0x1E6 == 0 && isPhysical(pointer), .pageDirectoryPointer, .cr3)
        }
    }
}
