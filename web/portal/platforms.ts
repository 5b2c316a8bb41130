/** A kind of device, with how a profile comes into the WireGuard app there. */
export type Platform = {
  id: 'android' | 'iphone' | 'desktop' | 'linux'
  label: string
  steps: (file: string) => string[]
  otherwise: string
}

export const platforms: Platform[] = [
  {
    id: 'android',
    label: 'Android',
    steps: (file) => [
      'Install the free WireGuard app from the Play Store.',
      'Save the profile with the button below.',
      `In WireGuard press +, then “Import from file or archive”, and choose ${file} in Downloads.`,
      'Switch it on. The phone asks once whether you allow it: press OK.',
    ],
    otherwise: 'Nothing was saved? Take a screenshot of the QR code on this page, and choose that picture in step 3.',
  },
  {
    id: 'iphone',
    label: 'iPhone',
    steps: (file) => [
      'Install the free WireGuard app from the App Store.',
      'Save the profile with the button below.',
      `In WireGuard press +, then “Create from file or archive”, and choose ${file} in Downloads.`,
      'Press Allow when the phone asks, then switch it on.',
    ],
    otherwise: `Nothing was saved? The sign-in window cannot save: open ${location.host} in Safari and make a new one there.`,
  },
  {
    id: 'desktop',
    label: 'Windows, Mac',
    steps: (file) => [
      'Install the free WireGuard app: on Windows from wireguard.com/install, on a Mac from the App Store.',
      'Save the profile with the button below.',
      `In WireGuard choose “Import tunnel(s) from file”, then ${file}.`,
      'Press “Activate”.',
    ],
    otherwise: 'Or copy the profile, choose “Add empty tunnel…” in WireGuard, and paste it over what is there.',
  },
  {
    id: 'linux',
    label: 'Linux',
    steps: (file) => [
      'Install wireguard-tools from the packages of your system.',
      'Save the profile with the button below.',
      `In the folder where it is, run: sudo wg-quick up ./${file}`,
      `To switch it off, run: sudo wg-quick down ./${file}`,
    ],
    otherwise: 'Or copy the profile, and paste it into a file in /etc/wireguard.',
  },
]

/** The kind of device that shows this page, as far as the browser tells. */
export function guessPlatform(): Platform {
  const { userAgent, maxTouchPoints } = navigator
  const id = /iPhone|iPad|iPod/.test(userAgent)
    ? 'iphone'
    : /Android/.test(userAgent)
      ? 'android'
      : /Macintosh/.test(userAgent)
        ? // An iPad says that it is a Mac.
          maxTouchPoints > 1
          ? 'iphone'
          : 'desktop'
        : /Windows/.test(userAgent)
          ? 'desktop'
          : /Linux|CrOS/.test(userAgent)
            ? 'linux'
            : 'android'
  return platforms.find((one) => one.id === id)!
}
