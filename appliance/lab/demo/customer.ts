/** A customer with a phone: speaks HTTP from the phone's namespace, as a browser there would. */
import { inside, run } from '../run.ts'

/** status 0: no answer, and `failure` says why. */
export type Answer = { status: number; body: string; location: string; tookMs: number; failure: string }

type BrowseOptions = { body?: unknown; timeoutMs?: number; address?: string }

export type Customer = ReturnType<typeof createCustomer>

/** @param portalHost where the portal is, as the phone knows it */
export function createCustomer({ namespace, portalHost }: { namespace: string; portalHost: string }) {
  /** One request on a connection of its own; nothing is followed. `address`: instead of asking DNS. */
  const browse = async (url: string, { body, timeoutMs = 5000, address }: BrowseOptions = {}): Promise<Answer> => {
    const resolved = address === undefined ? [] : ['--resolve', `${new URL(url).hostname}:80:${address}`]
    const post = body === undefined ? [] : ['--header', 'content-type: application/json', '--data-binary', JSON.stringify(body)]
    const format = '\n%{http_code} %{time_total} %{redirect_url}'
    const curl = [
      'curl',
      '--silent',
      '--show-error',
      '--max-time',
      String(timeoutMs / 1000),
      '--write-out',
      format,
      ...resolved,
      ...post,
      url,
    ]
    const { stdout, stderr } = await run(inside(namespace, curl), { allowFailure: true })
    const cut = stdout.lastIndexOf('\n')
    const [status = '0', seconds = '0', location = ''] = stdout.slice(cut + 1).split(' ')
    return { status: Number(status), body: stdout.slice(0, cut), location, tookMs: Number(seconds) * 1000, failure: stderr.trim() }
  }

  /** Asks the portal's API. @throws Error with the portal's own words when it refuses. */
  const ask = async <T>(path: string, body?: unknown): Promise<T> => {
    const answer = await browse(`http://${portalHost}${path}`, body === undefined ? {} : { body })
    if (answer.status < 200 || answer.status > 299) throw new Error(`${path} → ${answer.status} ${answer.body || answer.failure}`)
    return JSON.parse(answer.body) as T
  }

  /** Fetches `url` and throws the bytes away, until all came or none comes for two seconds. Returns how many came. */
  const download = async (url: string): Promise<number> => {
    const giveUp = ['--speed-limit', '1', '--speed-time', '2', '--connect-timeout', '5']
    const curl = ['curl', '--silent', '--output', '/dev/null', '--write-out', '%{size_download}', ...giveUp, url]
    const { stdout } = await run(inside(namespace, curl), { allowFailure: true })
    return Number(stdout)
  }

  return { namespace, browse, ask, download }
}
