extension ControlRegister4 {
    /// The bits that a processor with these features has; the others are reserved (SDM volume 3 and APM volume 2,
    /// "Control Registers").
    ///
    /// Those that no processor with SVM has are not among them: VMXE, SMXE, KL, UINTR, LAM_SUP and FRED.
    public init(offeredBy processor: some ProcessorIdentification) {
        let highest = processor.cpuid(0, 0).eax
        let first = processor.cpuid(1, 0)
        let seventh = highest >= 7 ? processor.cpuid(7, 0) : .zero
        func bits(_ answer: CPUIDResult, _ feature: CPUIDFeature, _ bits: Self) -> Self { answer.has(feature) ? bits : .none }
        self =
            .performanceCounterEnable
            | bits(first, .vme, .virtual8086Extensions | .protectedVirtualInterrupts) | bits(first, .tsc, .timeStampDisable)
            | bits(first, .de, .debuggingExtensions) | bits(first, .pse, .pageSizeExtensions)
            | bits(first, .pae, .physicalAddressExtension) | bits(first, .mce, .machineCheckEnable)
            | bits(first, .pge, .pageGlobalEnable) | bits(first, .fxsr, .fxsave) | bits(first, .sse, .unmaskedSIMDExceptions)
            | bits(first, .pcid, .processContextIdentifiers) | bits(first, .xsave, .xsave)
            | bits(seventh, .umip, .userModeInstructionPrevention) | bits(seventh, .la57, .fiveLevelPaging)
            | bits(seventh, .fsgsbase, .fsgsbase) | bits(seventh, .smep, .supervisorExecutionPrevention)
            | bits(seventh, .smap, .supervisorAccessPrevention) | bits(seventh, .pku, .protectionKeys)
            | bits(seventh, .shstk, .controlFlowEnforcement) | bits(seventh, .pks, .supervisorProtectionKeys)
    }
}
