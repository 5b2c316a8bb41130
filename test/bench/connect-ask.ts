import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Lab } from '#lab/lab.ts'

const agent = new Agent({ keepAlive: true, maxSockets: 1 })

/** A request with the owner's key over the box's own way in, one connection for all. @throws Error with the answer when it is no success */
export function ask<T>(lab: Lab, method: string, path: string, body?: object): Promise<T> {
  const socketPath = join(lab.runDir, 'server.sock')
  const headers = { authorization: `Bearer ${lab.admin.apiKey}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, agent, headers }, (answer) => {
      void text(answer).then((said) =>
        answer.statusCode! < 300 ? resolve(JSON.parse(said) as T) : reject(new Error(`${method} ${path}: ${answer.statusCode} ${said}`)),
      )
    })
    asked.on('error', reject)
    asked.end(body && JSON.stringify(body))
  })
}
