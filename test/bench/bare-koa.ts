/** A Koa app that answers every request with the JSON it got on standard input. Usage: bare-koa.ts PORT */
import { json } from 'node:stream/consumers'
import Router from '@koa/router'
import Koa from 'koa'

const body = await json(process.stdin)
const router = new Router()
router.get('/api/me/session', (ctx) => {
  ctx.body = body
})
new Koa().use(router.routes()).listen(Number(process.argv[2]), () => console.log('ready'))
