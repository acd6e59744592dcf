import Foundation

/// What a run costs in one way of translation.
public struct TranslationFigures: Equatable, Sendable, CustomStringConvertible {
    /// The way: `tables` or `nested-4k`, `nested-2m`, `nested-1g`, and `-off` without tags.
    public let way: String
    public let run: String
    public let loadsPerAccess: Double
    public let missesPerHundred: Double

    public var description: String {
        String(format: "%@ %@ %.2f %.1f", way, run, loadsPerAccess, missesPerHundred)
    }

    private static let ways: [(name: String, way: TranslationWay)] = [
        ("tables", .tables), ("nested-4k", .nested(leafLevel: 1)), ("nested-2m", .nested(leafLevel: 2)),
        ("nested-1g", .nested(leafLevel: 3)),
    ]

    /// The figures of a run in all ways, with tags and without.
    public static func all(of run: RecordedRun) -> [TranslationFigures] {
        ways.flatMap { name, way in
            [true, false].map { hasTags in
                var model = TranslationModel(way, hasTags: hasTags, mappings: run.mappings)
                model.follow(run.events)
                let accesses = Double(max(model.accesses, 1))
                return TranslationFigures(
                    way: hasTags ? name : name + "-off", run: run.name, loadsPerAccess: Double(model.loads) / accesses,
                    missesPerHundred: 100 * Double(model.misses) / accesses)
            }
        }
    }
}
