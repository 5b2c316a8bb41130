import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'

export const phoneScreen = { width: 390, height: 844 }
export const laptopScreen = { width: 1280, height: 800 }

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-dev-shm-usage',
]
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Debian's Chromium; with a namespace it is the browser of that phone. */
export function openBrowser(namespace?: string): Promise<Browser> {
  if (!namespace) return chromium.launch({ executablePath: '/usr/bin/chromium', args })
  const executablePath = fileURLToPath(new URL('chromium-in-namespace.sh', import.meta.url))
  return chromium.launch({ executablePath, args, env: { ...process.env, KSWIFI_NAMESPACE: namespace } as Record<string, string> })
}

/** What axe-core finds against WCAG 2.2 A and AA, one line each; in light and in dark. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const faults: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    // The new colours are there with the second frame, and once what fades has faded.
    await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
    await page.evaluate(
      'Promise.race([Promise.allSettled(document.getAnimations().map((one) => one.finished)), new Promise((late) => setTimeout(late, 1000))])',
    )
    await page.evaluate(axe)
    // A colour may be read in the middle of a repaint on a busy machine: only what is found again is a fault.
    let found = await axeFaults(page)
    for (let again = 0; again < 2 && found.length > 0; again++) {
      const once = new Set(await axeFaults(page))
      found = found.filter((fault) => once.has(fault))
    }
    faults.push(...found.map((fault) => `${colorScheme}: ${fault}`))
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null })
  return faults
}

async function axeFaults(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    type Violation = { id: string; help: string; nodes: { html: string }[] }
    const runner = (globalThis as unknown as { axe: { run: (options: object) => Promise<{ violations: Violation[] }> } }).axe
    const { violations } = await runner.run({ runOnly: tags })
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html.slice(0, 160)}`)
  })
}
