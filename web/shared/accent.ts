/** Surfaces of theme.css on which the accent is drawn as text or line. */
const lightSurface = '#f6f1e7'
const darkSurface = '#24201a'

/**
 * Colours that follow from the owner's accent, each readable (WCAG AA, 4.5:1) where it is used:
 * `onAccent` as text on the accent; `ink…` as text or line in the accent's hue on the light and the dark page.
 * @param accent "#rrggbb"
 */
export function accentColours(accent: string) {
  return {
    accent,
    // One of pure black and white always reaches 4.58:1; a softer black would not.
    onAccent: contrast('#ffffff', accent) >= 4.5 ? '#ffffff' : '#000000',
    inkLight: towards(accent, '#000000', lightSurface),
    inkDark: towards(accent, '#ffffff', darkSurface),
  }
}

/** Sets the accent on the page; theme.css does the rest. */
export function applyAccent(accent: string, root: { style: { setProperty: (name: string, value: string) => void } }): void {
  const colours = accentColours(accent)
  root.style.setProperty('--accent', colours.accent)
  root.style.setProperty('--on-accent', colours.onAccent)
  root.style.setProperty('--accent-ink-light', colours.inkLight)
  root.style.setProperty('--accent-ink-dark', colours.inkDark)
}

/** WCAG contrast of two "#rrggbb" colours, 1 to 21. */
export function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

function towards(colour: string, end: string, surface: string): string {
  for (let share = 0; share < 1; share += 0.04) {
    const mixed = mix(colour, end, share)
    if (contrast(mixed, surface) >= 4.6) return mixed
  }
  return end
}

function mix(one: string, other: string, share: number): string {
  const [a, b] = [channels(one), channels(other)]
  return `#${a
    .map((value, at) =>
      Math.round(value + ((b[at] ?? 0) - value) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
}
