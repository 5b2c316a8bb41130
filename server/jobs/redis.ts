import { Redis } from 'ioredis'
import type { Bus, EventName } from '../events.ts'
import { createBus } from '../events.ts'
import type { Log } from '../log.ts'

const CHANNEL = 'kswifi:events'

/**
 * A connection to the box's own Redis. It hurries things up and holds nothing that would be missed: all is in SQLite.
 * @param patient workers wait for ever for Redis to come back; askers get their "no" at once
 */
export function connectRedis(socket: string, log: Log, patient: boolean): Redis {
  const redis = new Redis({
    path: socket,
    maxRetriesPerRequest: null,
    enableOfflineQueue: patient,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  })
  let quiet = false
  redis.on('error', (error) => {
    if (!quiet) log.warn({ err: error }, 'Redis is not reachable; customers online stay online')
    quiet = true
  })
  redis.on('ready', () => {
    if (quiet) log.info('Redis is back')
    quiet = false
  })
  return redis
}

/** The bus over Redis: hearers in this process at once, those of other processes through publish/subscribe. */
export function createRedisBus(publisher: Redis, subscriber: Redis, log: Log): Bus {
  const local = createBus()
  const sender = `${process.pid}.${Math.random()}`
  void subscriber.subscribe(CHANNEL).catch((error) => log.warn({ err: error }, 'events of the other process are not heard'))
  subscriber.on('message', (_channel: string, text: string) => {
    const message = JSON.parse(text) as { sender: string; name: EventName; event: never }
    if (message.sender !== sender) local.publish(message.name, message.event)
  })
  return {
    publish(name, event) {
      local.publish(name, event)
      if (publisher.status === 'ready') publisher.publish(CHANNEL, JSON.stringify({ sender, name, event })).catch(() => {})
    },
    subscribe: local.subscribe,
  }
}
