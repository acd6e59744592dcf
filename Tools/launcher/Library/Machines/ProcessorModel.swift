/// The processor model with this name, or the only one whose name contains it, in upper or lower case.
func processorModel(_ part: String, of models: [String]) throws(Failure) -> String {
    let wanted = part.lowercased()
    var found = models.filter { $0.lowercased() == wanted }
    if found.isEmpty { found = models.filter { $0.lowercased().contains(wanted) } }
    guard let model = found.first else {
        throw .badUsage("PROCESSOR=\(part): there is no such model; the models are \(models.joined(separator: " "))")
    }
    guard found.count == 1 else { throw .badUsage("PROCESSOR=\(part) is ambiguous: \(found.joined(separator: " "))") }
    return model
}
