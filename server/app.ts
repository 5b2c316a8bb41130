import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa from 'koa'
import compress from 'koa-compress'
import helmet from 'koa-helmet'
import Keygrip from 'keygrip'
import { describeApi, mount, type Guards, type Route } from './http/api.ts'
import { answers } from './http/answer.ts'
import { captive } from './http/captive.ts'
import { ownPagesOnly } from './http/origin.ts'
import { staticFiles } from './http/static.ts'
import type { Log } from './log.ts'

type Needs = {
  log: Log
  secret: string
  guards: Guards
  routes: Route[]
  /** Hosts whose distance the portal measures. */
  endpointHosts: () => string[]
  /** Origins of the owner's map tiles. */
  tileHosts: () => string[]
  config: { portalHost: string; lanAddress: string; version: string; webRoot: string; swaggerRoot: string }
}

type HelmetOptions = Parameters<typeof helmet>[0]

/** No host but the box itself, its other endpoints and the tile server that the owner chose: captive mini-browsers reach no other, and nothing of the owner's leaks. */
const helmetOptions = ({ endpointHosts, tileHosts }: Pick<Needs, 'endpointHosts' | 'tileHosts'>): HelmetOptions => ({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:', 'blob:', () => tileHosts().join(' ')],
      'connect-src': [
        "'self'",
        () =>
          endpointHosts()
            .map((host) => `http://${host}`)
            .join(' '),
      ],
      'form-action': ["'self'"],
      'base-uri': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
  },
  // The portal is plain HTTP on a private address; a browser told to insist on HTTPS would never come back.
  strictTransportSecurity: false,
  crossOriginEmbedderPolicy: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
})

/** The Koa app: what happens to a request, in order. */
export function createApp({ log, secret, guards, routes, endpointHosts, tileHosts, config }: Needs): Koa {
  const app = new Koa()
  app.keys = new Keygrip([secret], 'sha256')
  app.silent = true
  app.on('error', (error: { code?: string }) => {
    // The reader went away in the middle of an answer: a phone left the Wi-Fi.
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE')
      log.warn({ err: error }, 'an answer was cut off')
  })

  app.use(answers(log))
  app.use(captive(config))
  app.use(ownPagesOnly)
  app.use(helmet(helmetOptions({ endpointHosts, tileHosts })))
  app.use(compress({ threshold: 2048, br: false, filter: (type) => /html|javascript|css|json|svg/.test(type) }))
  app.use(bodyParser({ enableTypes: ['json'], jsonLimit: '256kb', parsedMethods: ['POST', 'PUT', 'PATCH', 'DELETE'] }))
  app.use(staticFiles(config.webRoot, config.swaggerRoot))

  const router = new Router()
  mount(router, routes, guards)
  const description = describeApi(routes, config.version)
  router.get('/api/openapi.json', (ctx) => {
    ctx.body = description
  })
  app.use(router.routes())
  return app
}
