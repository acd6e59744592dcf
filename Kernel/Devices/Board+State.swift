extension Board {
    /// Everything the devices hold, as a plain value, without what the machine was made with and what follows from the rest.
    public struct State: Equatable, Sendable {
        fileprivate var serial: SerialPort.State
        fileprivate var controllers: InterruptControllerPair.State
        fileprivate var ioAPIC: IOAPIC.State
        fileprivate var timer: IntervalTimer.State
        fileprivate var speaker: SystemControlPort.State
        fileprivate var clock: RealTimeClock.State
        fileprivate var power: PowerManagementTimer.State
        fileprivate var keyboard: KeyboardController.State
        // They hold nothing else.
        fileprivate var resetControl: ResetControl
        fileprivate var crtController: CRTController
        fileprivate var pci: ConfigurationSpace.State
        fileprivate var configuration: FirmwareConfiguration.State
        fileprivate var progress: ProgressWatch.State
        fileprivate var test: TestDevice
        fileprivate var hasTransmitted: Bool
        fileprivate var diagnostic: UInt8
        fileprivate var deviceLines: UInt16
        fileprivate var absentAccesses: UInt64
    }

    public var state: State {
        State(
            serial: serial.state, controllers: controllers.state, ioAPIC: ioAPIC.state, timer: timer.state,
            speaker: speaker.state, clock: clock.state, power: power.state, keyboard: keyboard.state,
            resetControl: resetControl, crtController: crtController, pci: pci.state, configuration: configuration.state,
            progress: progress.state, test: test, hasTransmitted: hasTransmitted, diagnostic: diagnostic,
            deviceLines: deviceLines, absentAccesses: absentAccesses)
    }

    /// Continues from the state of a machine that was made the same way: time continues from when it was saved.
    public mutating func restore(_ state: State) {
        serial.restore(state.serial)
        controllers.restore(state.controllers)
        ioAPIC.restore(state.ioAPIC)
        timer.restore(state.timer)
        speaker.restore(state.speaker)
        clock.restore(state.clock)
        power.restore(state.power)
        keyboard.restore(state.keyboard)
        (resetControl, crtController) = (state.resetControl, state.crtController)
        pci.restore(state.pci)
        configuration.restore(state.configuration)
        progress.restore(state.progress)
        test = state.test
        (hasTransmitted, diagnostic, absentAccesses) = (state.hasTransmitted, state.diagnostic, state.absentAccesses)
        deviceLines = state.deviceLines
        // The controllers' states have the lines as they are: driving them again changes nothing.
        wireFunctions()
        findNextEvent()
        needsAttention = true
    }
}
