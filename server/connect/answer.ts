import { iso } from '../clock.ts'
import { MB } from '../units.ts'
import type { Plan } from './endpoints.ts'
import { codeText, fileName, fileText } from './profile-text.ts'
import { qrOf } from './qr.ts'
import type { ConnectAnswer } from './schema.ts'
import type { Profile } from './table.ts'

/** What a profile is told of its session. */
export type ForSession = { id: number; dataLimit: number | null; expiresAt: number | null }

/** A profile with keys that were made this moment; the private one is nowhere else. */
export type Made = { profile: Profile; privateKey: string; token: string; plan: Plan }

type Facts = Made & { session: ForSession; presharedKey: string; boxPublicKey: string; portalHost: string; linkExpiresAt: number }

/** Everything that a customer needs to set a profile up, in the words and names of the API's promise. */
export async function answerOf(facts: Facts): Promise<ConnectAnswer> {
  const { profile, plan, session } = facts
  const { product, code, access } = plan.choices.connectWords
  const dataLimitMb = session.dataLimit === null ? null : Math.round(session.dataLimit / MB)
  const text = {
    privateKey: facts.privateKey,
    presharedKey: facts.presharedKey,
    address: profile.address,
    dns: plan.choices.connectDns.length > 0 ? plan.choices.connectDns : [plan.boxAddress],
    boxPublicKey: facts.boxPublicKey,
    host: plan.host,
    port: plan.port,
    product,
    sessionId: session.id,
    dataLimitMb,
    expiresAt: session.expiresAt,
  }
  const { png, svg } = await qrOf(codeText(text))
  return {
    success: true,
    connect_id: profile.id,
    profile_qr: png,
    session_id: session.id,
    data_limit_mb: dataLimitMb,
    profile_type: 'kswifi_connect',
    setup_instructions: [
      '1. Install the free WireGuard app, tap + in it and choose "Scan from QR code"',
      `2. Scan this ${code}, name it "${fileName(product).replace('.conf', '')}" and tap "Add" when you are asked`,
      `3. Switch ${product} on in the app`,
      `4. Enjoy ${access} wherever you are`,
    ],
    access_method: 'secure_profile',
    name: profile.name,
    profile_svg: svg,
    profile_text: fileText(text),
    profile_file: fileName(product),
    venue_only: plan.venueOnly,
    link_url: `http://${facts.portalHost}/#connect=${facts.token}`,
    link_expires_at: iso(facts.linkExpiresAt),
    expires_at: iso(session.expiresAt),
  }
}
