import { type Route, route } from '../http/api.ts'
import { settingsPatch, settingsShape } from './schema.ts'
import type { Settings } from './settings.ts'

const tag = 'settings'
const path = '/api/admin/settings'

export function settingsRoutes({ settings }: { settings: Settings }): Route[] {
  return [
    route({
      method: 'get',
      path,
      tag,
      summary: "The owner's choices",
      guard: 'cashier',
      response: settingsShape,
      handle: () => settings.get(),
    }),
    route({
      method: 'patch',
      path,
      tag,
      summary: 'Change some of them',
      guard: 'owner',
      body: settingsPatch,
      response: settingsShape,
      audit: 'settings.update',
      handle: ({ body }) => settings.update(body),
    }),
  ]
}
