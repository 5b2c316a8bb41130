import { request } from 'node:http'

const TIME_LIMIT_MS = 4000

/**
 * Whether the venue's line reaches the internet: the question that phones ask, and the answer they expect.
 * @returns an empty string when it does, otherwise what is wrong, in words for the owner
 */
export function checkLine(host = 'connectivitycheck.gstatic.com'): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ host, path: '/generate_204', timeout: TIME_LIMIT_MS }, (answer) => {
      answer.resume()
      resolve(
        answer.statusCode === 204 ? '' : `The internet line answers ${answer.statusCode} instead of 204: it may want a sign-in of its own.`,
      )
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer in 4 s')))
    asked.on('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN'
          ? 'Names of the internet are not found: the line seems down.'
          : `The internet line does not answer: ${error.message}.`,
      ),
    )
    asked.end()
  })
}
