import Text

extension PageSize: TextConvertible {
    public func write(to output: inout Line) {
        switch self {
        case .fourKibibytes: output.write("4 KiB")
        case .twoMebibytes: output.write("2 MiB")
        case .fourMebibytes: output.write("4 MiB")
        case .oneGibibyte: output.write("1 GiB")
        }
    }
}
