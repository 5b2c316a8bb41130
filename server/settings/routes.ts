import { type Route, route } from '../http/api.ts'
import { settingsPatch, settingsShape, type SettingsPatch } from './schema.ts'
import type { Settings } from './settings.ts'

const tag = 'settings'
const path = '/api/admin/settings'

/** @param check says no, by a Refusal, to choices that other rooms cannot follow */
export function settingsRoutes({ settings, check }: { settings: Settings; check: (patch: SettingsPatch) => Promise<void> }): Route[] {
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
        return settings.update(body)
      },
    }),
  ]
}
