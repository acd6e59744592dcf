import Text

extension Monitor {
    func help(_ text: CommandText, on line: inout some MonitorHost) throws(Complaint) {
        if let word = text.word(1) {
            try end(text, 2)
            return explain(try MonitorCommand(word), on: &line)
        }
        for number in 0..<MonitorCommand.count {
            guard let command = MonitorCommand(rawValue: number) else { continue }
            var row = Line(command.name)
            row.pad(to: 13)
            row.write(command.summary)
            say(row, on: &line)
        }
        say("The beginning of a name is enough. \"help COMMAND\" shows an example. Numbers are 16 or 0x10.", on: &line)
    }

    private func explain(_ command: MonitorCommand, on line: inout some MonitorHost) {
        say(command.parameters.utf8CodeUnitCount == 0 ? Line(command.name) : "\(command.name) \(command.parameters)", on: &line)
        say("  \(command.summary)", on: &line)
        say("  example: \(command.example)", on: &line)
    }
}
