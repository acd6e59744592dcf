import Foundation

/// A colour of the screen, as eyes see it.
struct SightColor {
    /// Eyes with all three kinds of cones, or without one of them.
    enum Eyes: CaseIterable {
        case full, withoutLong, withoutMiddle, withoutShort

        /// Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009),
        /// the matrices for severity 1; on linear light.
        var matrix: [[Double]] {
            switch self {
            case .full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
            case .withoutLong:
                [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
            case .withoutMiddle:
                [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
            case .withoutShort:
                [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
            }
        }
    }

    /// Linear red, green and blue.
    let light: [Double]

    /// - Parameter name: as "#3060cc".
    init(_ name: String) {
        let value = Int(name.dropFirst(), radix: 16)!
        light = [16, 8, 0].map { shift in
            let part = Double(value >> shift & 255) / 255
            return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
        }
    }

    private var luminance: Double { 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] }

    /// The contrast ratio of WCAG 2.
    func contrast(to other: SightColor) -> Double {
        (max(luminance, other.luminance) + 0.05) / (min(luminance, other.luminance) + 0.05)
    }

    private func lab(_ eyes: Eyes) -> (l: Double, a: Double, b: Double) {
        func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
            matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        let seen = product(eyes.matrix, light).map { min(max($0, 0), 1) }
        let tristimulus = product(
            [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]], seen)
        let f = zip(tristimulus, [0.95047, 1, 1.08883]).map { value, white in
            let part = value / white
            return part > 216 / 24389 ? cbrt(part) : (24389 / 27 * part + 16) / 116
        }
        return (116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2]))
    }

    /// The difference by CIEDE2000: about 2.3 can just be noticed.
    func difference(to other: SightColor, _ eyes: Eyes) -> Double {
        let (one, two) = (lab(eyes), other.lab(eyes))
        func radians(_ degrees: Double) -> Double { degrees * .pi / 180 }
        func degrees(_ y: Double, _ x: Double) -> Double {
            let angle = atan2(y, x) * 180 / .pi
            return angle < 0 ? angle + 360 : angle
        }
        func weight(_ chroma: Double) -> Double { sqrt(pow(chroma, 7) / (pow(chroma, 7) + pow(25, 7))) }
        let stretch = 1.5 - 0.5 * weight((hypot(one.a, one.b) + hypot(two.a, two.b)) / 2)
        let (c1, c2) = (hypot(one.a * stretch, one.b), hypot(two.a * stretch, two.b))
        let (h1, h2) = (degrees(one.b, one.a * stretch), degrees(two.b, two.a * stretch))
        var turn = h2 - h1
        if turn > 180 { turn -= 360 } else if turn < -180 { turn += 360 }
        let hue = abs(h1 - h2) > 180 ? (h1 + h2 + 360) / 2 : (h1 + h2) / 2
        let (lightness, chroma) = ((one.l + two.l) / 2, (c1 + c2) / 2)
        let t =
            1 - 0.17 * cos(radians(hue - 30)) + 0.24 * cos(radians(2 * hue)) + 0.32 * cos(radians(3 * hue + 6))
            - 0.2 * cos(radians(4 * hue - 63))
        let byLightness = (two.l - one.l) / (1 + 0.015 * pow(lightness - 50, 2) / sqrt(20 + pow(lightness - 50, 2)))
        let byChroma = (c2 - c1) / (1 + 0.045 * chroma)
        let byHue = 2 * sqrt(c1 * c2) * sin(radians(turn / 2)) / (1 + 0.015 * chroma * t)
        let rotation = -2 * weight(chroma) * sin(radians(60 * exp(-pow((hue - 275) / 25, 2))))
        return sqrt(byLightness * byLightness + byChroma * byChroma + byHue * byHue + rotation * byChroma * byHue)
    }
}
