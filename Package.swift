// swift-tools-version: 6.2
import PackageDescription

// The host build: the kernel's pure modules, the host tools, and their tests. The Makefile builds the kernel itself.

/// A module of the kernel, from Kernel/, with the modules that it may import.
func module(_ name: String, _ dependencies: String...) -> Target {
    .target(name: name, dependencies: dependencies.map { .byName(name: $0) }, path: "Kernel/\(name)")
}

/// The tests of a module, from Tests/.
func tests(_ name: String, _ dependencies: String..., exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: ([name] + dependencies).map { .byName(name: $0) }, path: "Tests/\(name)Tests",
        exclude: exclude)
}

let package = Package(
    name: "martlet",
    targets: [
        module("Text"),
        module("X86", "Text"),
        module("Memory", "Text"),
        module("Virtualization", "Text", "X86", "Memory"),
        module("VMX", "Text", "X86", "Memory", "Virtualization"),
        module("VMXChecks", "Text", "X86", "Memory", "VMX"),
        module("EntryProof", "Text", "X86", "Memory", "VMX", "VMXChecks"),
        module("SVM", "Text", "X86", "Memory", "Virtualization"),
        module("SVMChecks", "Text", "X86", "Memory", "SVM"),
        module("ConsistencyProof", "Text", "X86", "Memory", "SVM", "SVMChecks"),
        module("Devices", "Memory"),
        module("Trace", "Text", "X86", "Memory", "Virtualization"),
        module("Machine", "Text", "X86", "Memory", "Virtualization", "Devices", "Trace"),
        module("Debug", "Text", "X86", "Memory", "Virtualization", "VMX", "VMXChecks", "Trace", "Machine"),
        // The host tools.
        .target(
            name: "TraceTools",
            dependencies: ["Text", "X86", "Memory", "Virtualization", "VMX", "Trace", "Machine", "StudyTools"],
            path: "Tools/trace", resources: [.embedInCode("page.html")]),
        .target(
            name: "StudyTools",
            dependencies: ["Text", "X86", "Memory", "Virtualization", "VMX", "VMXChecks", "Trace", "Machine", "Debug"],
            path: "Tools/study"),
        .target(
            name: "ExplainTools",
            dependencies: ["Text", "X86", "Memory", "Virtualization", "VMX", "VMXChecks", "SVM", "SVMChecks", "StudyTools"],
            path: "Tools/explain"),
        .target(
            name: "LauncherTools", dependencies: ["Trace", "StudyTools", "TraceTools", "ExplainTools"],
            path: "Tools/launcher/Library"),
        .executableTarget(name: "martlet", dependencies: ["LauncherTools"], path: "Tools/launcher/Program"),
        .target(name: "MMUTools", path: "Tools/mmu/Library"),
        .executableTarget(name: "martlet-mmu", dependencies: ["MMUTools"], path: "Tools/mmu/Program"),
        .target(
            name: "Support", dependencies: ["Text", "X86", "Memory", "Virtualization", "VMX", "Machine"],
            path: "Tests/Support"),
        tests("Text", "Support"),
        .target(name: "Processor", path: "Tests/Processor"),
        tests("X86", "Text", "Support", "Processor", exclude: ["vectors.asm", "make-vectors"]),
        tests("Memory", "VMX", "Text", "Support"),
        tests("Virtualization", "X86", "Support"),
        tests("VMX", "Text", "X86", "Memory", "Virtualization", "Support"),
        tests("VMXChecks", "Text", "X86", "Memory", "VMX", "EntryProof", "Support"),
        tests("SVM", "Text", "X86", "Memory", "Virtualization", "Machine", "Support"),
        // The tests of the machine once more, on a processor with SVM.
        .testTarget(
            name: "SVMMachineTests",
            dependencies: [
                "Text", "X86", "Memory", "Virtualization", "VMX", "SVM", "SVMChecks", "Devices", "Trace", "Machine", "Support",
            ], path: "Tests/SVMMachineTests"),
        tests("SVMChecks", "Text", "X86", "Memory", "SVM", "ConsistencyProof", "Support"),
        tests("Devices", "Memory", "Support"),
        tests("Trace", "Text", "X86", "Memory", "Virtualization", "Support"),
        .testTarget(
            name: "StudyTests",
            dependencies: [
                "StudyTools", "ExplainTools", "Text", "X86", "Memory", "Virtualization", "VMX", "VMXChecks", "SVM", "SVMChecks",
                "Devices", "Trace",
                "Machine", "Debug",
                "Support",
            ], path: "Tests/StudyTests", exclude: ["Dumps"]),
        tests("Debug", "Text", "X86", "Memory", "Virtualization", "VMX", "VMXChecks", "Devices", "Trace", "Machine", "Support"),
        tests("TraceTools", "Text", "Virtualization", "Trace", "Machine", "VMX", "Support"),
        tests("MMUTools"),
        tests("LauncherTools", "Text", "Machine", "Support"),
        tests("Machine", "Text", "X86", "Memory", "Virtualization", "VMX", "VMXChecks", "Devices", "Trace", "Support"),
    ]
)
