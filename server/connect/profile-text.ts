/** What one profile says. Times UTC ms, sizes MB (1,048,576 bytes). */
export type ProfileFacts = {
  privateKey: string
  presharedKey: string
  /** Of the customer inside the tunnel. */
  address: string
  dns: string[]
  boxPublicKey: string
  host: string
  port: number
  /** "KSWiFi Connect", or the owner's name for it. */
  product: string
  sessionId: number
  dataLimitMb: number | null
  expiresAt: number | null
}

/** Small enough for every mobile network and for tunnels around it. */
const MTU = 1280

/** Keeps the way back open through the customer's router, whose memory may be as short as 30 s. */
const KEEPALIVE_S = 25

/**
 * The profile as a QR code carries it: only what Android's strict reader takes (keys that it knows, no comments, nothing empty).
 * All traffic goes into the tunnel, that of IPv6 too, which ends there: so nothing goes past it.
 */
export function codeText(facts: ProfileFacts): string {
  return `[Interface]
PrivateKey = ${facts.privateKey}
Address = ${facts.address}/32
DNS = ${facts.dns.join(', ')}
MTU = ${MTU}

[Peer]
PublicKey = ${facts.boxPublicKey}
PresharedKey = ${facts.presharedKey}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = ${facts.host}:${facts.port}
PersistentKeepalive = ${KEEPALIVE_S}
`
}

/** The same as a file, which may say what it is for. */
export function fileText(facts: ProfileFacts): string {
  const limit = facts.dataLimitMb === null ? 'unlimited' : `${facts.dataLimitMb}MB`
  const expires = facts.expiresAt === null ? 'when its time is over' : new Date(facts.expiresAt).toISOString()
  return `${codeText(facts)}
# ${ascii(facts.product)} Session
# Session ID: ${facts.sessionId}
# Data Limit: ${limit}
# Expires: ${expires}
`
}

/** The file's name without its ending becomes the name of the tunnel, for which WireGuard takes 15 of these signs. */
export function fileName(product: string): string {
  const name = ascii(product)
    .replace(/[^A-Za-z0-9_=+.-]+/g, '-')
    .slice(0, 15)
    .replace(/^[-.]+|[-.]+$/g, '')
  return `${name || 'Connect'}.conf`
}

function ascii(text: string): string {
  return text.normalize('NFKD').replace(/[^\x20-\x7e]/g, '')
}
