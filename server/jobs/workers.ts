import { Queue, Worker, type ConnectionOptions } from 'bullmq'
import type { Log } from '../log.ts'
import { DAY, MINUTE, SECOND } from '../units.ts'
import { QUEUE, jobOptions, type JobData, type JobName } from './queues.ts'

/** What each job does: a room's verb. */
export type Work = Record<JobName, (data: JobData) => Promise<void>>

/** How often each recurring job comes; the poll is the owner's choice. */
const everyMs = { tick: SECOND, rollup: MINUTE, line: 30 * SECOND, backup: DAY, tidy: DAY } as const

/** Several enforcements may wait for one another inside the gateway, where they share a run. */
const CONCURRENCY = 64

export type Workers = ReturnType<typeof createWorkers>

/** The worker's end of the queue: runs the jobs, and keeps the schedules that Redis may have forgotten. */
export function createWorkers(connection: ConnectionOptions, work: Work, log: Log) {
  const queue = new Queue(QUEUE, { connection, defaultJobOptions: jobOptions })
  const worker = new Worker(QUEUE, async (job) => work[job.name as JobName](job.data), {
    connection,
    concurrency: CONCURRENCY,
    autorun: false,
  })
  // The connection itself says when Redis is gone, once.
  queue.on('error', () => {})
  worker.on('error', () => {})
  worker.on('failed', (job, error) => log.error({ err: error, job: job?.name }, 'a job failed'))

  return {
    /** Puts the recurring jobs in; called at the start, when Redis came back, and when the owner changed the interval. */
    async schedule(pollSeconds: number): Promise<void> {
      const intervals = { poll: pollSeconds * SECOND, ...everyMs }
      for (const [name, every] of Object.entries(intervals))
        await queue.upsertJobScheduler(name, { every }, { name, data: {}, opts: jobOptions })
    },
    start(): void {
      worker.run().catch((error) => log.error({ err: error }, 'the worker stopped'))
    },
    async close(): Promise<void> {
      await Promise.allSettled([worker.close(), queue.close()])
    },
  }
}
