/** A distance as people say it, never less than it is: "320 m", "2.4 km", "38 km". The box says it in the same words. */
export function distance(metres: number): string {
  if (metres <= 999) return `${Math.ceil(metres)} m`
  return metres <= 9900 ? `${Math.ceil(metres / 100) / 10} km` : `${Math.ceil(metres / 1000).toLocaleString('en-US')} km`
}

/** A radius that the owner set, exactly: "500 m", "1.5 km", "1,230 m". */
export function radius(metres: number): string {
  return metres >= 1000 && metres % 100 === 0 ? `${(metres / 1000).toLocaleString('en-US')} km` : `${metres.toLocaleString('en-US')} m`
}
