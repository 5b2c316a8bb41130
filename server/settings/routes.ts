import { type Route, route } from '../http/api.ts'
import { settingsPatch, settingsShape, type SettingsPatch } from './schema.ts'
import type { Settings } from './settings.ts'

const tag = 'settings'
const path = '/api/admin/settings'

type Needs = {
  settings: Settings
  /** Says no, by a Refusal, to choices that other rooms cannot follow. */
  check: (patch: SettingsPatch) => Promise<void>
  /** Brings about in the gateway what was chosen. */
  apply: (patch: SettingsPatch) => Promise<void>
}

export function settingsRoutes({ settings, check, apply }: Needs): Route[] {
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
      handle: async ({ body }) => {
        await check(body)
        const choices = await settings.update(body)
        await apply(body)
        return choices
      },
    }),
  ]
}
