import { Queue, QueueEvents, type ConnectionOptions } from 'bullmq'
import { createGather } from '../gather.ts'
import type { Log } from '../log.ts'

export const QUEUE = 'kswifi'

/** How long an asker waits for the gateway; the change is saved already and comes about at the latest with the next poll. */
const PATIENCE_MS = 3000

export type JobName = 'enforce' | 'look' | 'poll' | 'tick' | 'pay' | 'rollup' | 'line' | 'backup' | 'tidy'

/** Numbers only: what they stand for is in the database. */
export type JobData = { sessions?: number[]; profiles?: number[]; payments?: number[] }

/** Finished jobs are of no use to anybody; failed ones are in the log. */
export const jobOptions = { removeOnComplete: true, removeOnFail: 100 }

/** The server's end of the queue. */
export function createQueueClient(connection: ConnectionOptions, log: Log) {
  const queue = new Queue(QUEUE, { connection, defaultJobOptions: jobOptions })
  const events = new QueueEvents(QUEUE, { connection })
  // The connection itself says when Redis is gone, once.
  queue.on('error', () => {})
  events.on('error', () => {})

  async function ask(name: JobName, data: JobData): Promise<void> {
    try {
      const job = await withTimeLimit(queue.add(name, data), PATIENCE_MS)
      await job.waitUntilFinished(events, PATIENCE_MS)
    } catch (error) {
      log.warn({ err: error, ...data }, 'not brought about at once; the next poll tries again')
    }
  }

  const hurry = createGather<number>(async (payments) => void (await queue.add('pay', { payments })))

  return {
    /** Has the worker enforce these sessions and Connect profiles, and answers when it did. Never fails: the next poll does it otherwise. */
    enforce: (sessions: number[], profiles: number[] = []): Promise<void> => ask('enforce', { sessions, profiles }),
    /** Has the worker look at everything now. Never fails either. */
    poll: (): Promise<void> => ask('poll', {}),
    /** Has the worker read what one session used. Never fails either: an old count is as old as the last poll. */
    look: (session: number): Promise<void> => ask('look', { sessions: [session] }),
    /** Has the worker bring these payments on now; nobody waits for it, and the next tick does it otherwise. */
    pay(payments: number[]): void {
      for (const payment of payments)
        hurry(payment).catch((error: unknown) => log.warn({ err: error, payment }, 'not hurried; the next tick looks'))
    },
    async close(): Promise<void> {
      await Promise.allSettled([queue.close(), events.close()])
    },
  }
}

function withTimeLimit<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs)
  })
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer))
}
