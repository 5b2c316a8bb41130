import { createHash } from 'node:crypto'
import { PAY_WINDOW_MARK } from './grant.ts'

/** Names of the table's parts are a contract with the running kernel: a changed ruleset is noticed and put in whole. */
export const TABLE = 'inet kswifi'

/** Networks that nobody reaches from the box's own: other customers, and whatever stands behind the line. */
const PRIVATE = '{ 10.0.0.0/8, 100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16 }'

/** Names cost no allowance, so they must not carry one: a page full of them passes, a tunnel in names crawls. */
const DNS_AT_MOST = 'limit rate over 20/second burst 200 packets'

/** What the fixed part is made of. */
export type RulesetFacts = {
  lan: string
  wan: string
  lanAddress: string
  portalPort: number
  /** Where payment companies may call back from the line; null: nobody may. */
  callbackPort: number | null
  tunnel: {
    device: string
    /** Of the box inside the tunnel. */
    address: string
    /** UDP port on which WireGuard listens. */
    port: number
    /** UDP ports that lead there as well. */
    otherPorts: number[]
  }
}

/** The fixed part: everything but the sessions; a chain called `version` marks a table that has it. */
export function ruleset({ lan, wan, lanAddress, portalPort, callbackPort, tunnel }: RulesetFacts): { text: string; version: string } {
  const own = `{ ${lanAddress}, ${tunnel.address} }`
  const inside = `{ "${lan}", "${tunnel.device}" }`
  const tunnelPorts = `{ ${[tunnel.port, ...tunnel.otherPorts].join(', ')} }`
  // Whoever floods it slows down callbacks alone: the payments are asked about all the same.
  const callbacks = callbackPort === null ? '' : `    tcp dport ${callbackPort} limit rate 100/second burst 300 packets accept\n`
  const text = `
  map phones { type ether_addr . ipv4_addr : mark; flags timeout; }
  map peers { type ipv4_addr : mark; flags timeout; }
  map quotas { type mark : quota; }
  map down_class { typeof ct mark : meta priority; flags timeout; }
  map up_class { typeof ct mark : meta priority; counter; }
  set tunnelled { typeof ct mark; counter; }
  set public_addresses { type ipv4_addr; }
  set dns_askers { type ether_addr; size 65535; flags dynamic,timeout; timeout 1m; }
  set dns_peers { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 1m; }

  chain classify {
    type filter hook prerouting priority mangle; policy accept;
    iifname "${lan}" goto from_lan
    iifname "${tunnel.device}" goto from_tunnel
  }
  chain from_lan {
    meta nfproto ipv6 drop
    ct state invalid,related drop
    meta mark set ether saddr . ip saddr map @phones
    ct mark set meta mark
  }
  chain from_tunnel {
    meta nfproto ipv6 drop
    ct state invalid,related drop
    meta mark set ip saddr map @peers
    ct mark set meta mark
  }
  chain to_portal {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "${wan}" goto from_line
    iifname != ${inside} accept
    iifname "${lan}" jump to_tunnel
    ip daddr ${own} tcp dport 80 redirect to :${portalPort}
    meta mark 0 jump without_session
    meta mark >= ${PAY_WINDOW_MARK} goto pay_window
    ip daddr ${own} accept
    ip daddr ${PRIVATE} drop
  }
  chain without_session {
    tcp dport 80 redirect to :${portalPort}
    meta l4proto { tcp, udp } th dport 53 redirect to :53
  }
  chain pay_window {
    jump without_session
    ip daddr ${own} accept
    ip daddr ${PRIVATE} drop
    meta l4proto { tcp, udp } th dport 443 accept
    drop
  }
  chain from_line {
    udp dport ${tunnelPorts} redirect to :${tunnel.port}
  }
  chain to_tunnel {
    fib daddr type local udp dport ${tunnelPorts} redirect to :${tunnel.port}
    ip daddr @public_addresses udp dport ${tunnelPorts} redirect to :${tunnel.port}
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    quota name ct mark map @quotas drop
    meta mark != 0 goto upload
    oifname "${tunnel.device}" ct mark @tunnelled
    meta priority set ct mark map @down_class accept
    iifname ${inside} goto refuse
  }
  chain upload {
    oifname != "${wan}" goto refuse
    iifname "${tunnel.device}" meta mark @tunnelled
    meta priority set meta mark map @up_class accept
    goto refuse
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmp type admin-prohibited
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${lan}" goto ask_box
    iifname "${tunnel.device}" goto ask_through_tunnel
    iifname "${wan}" goto from_internet
  }
  chain ask_box {
    ct mark set 0
    udp dport { 67, ${tunnel.port} } accept
    meta l4proto { tcp, udp } th dport 53 update @dns_askers { ether saddr ${DNS_AT_MOST} } drop
    goto services
  }
  chain ask_through_tunnel {
    ct mark set 0
    meta l4proto { tcp, udp } th dport 53 update @dns_peers { ip saddr ${DNS_AT_MOST} } drop
    goto services
  }
  chain services {
    meta l4proto { tcp, udp } th dport 53 ip daddr ${own} accept
    ip daddr ${own} tcp dport ${portalPort} accept
    ip daddr ${own} icmp type echo-request limit rate 50/second accept
    meta l4proto tcp reject with tcp reset
    ip daddr ${own} reject with icmp type admin-prohibited
    drop
  }
  chain from_internet {
    ct state established,related accept
    icmp type echo-request limit rate 10/second accept
    udp dport { 68, ${tunnel.port} } accept
${callbacks}    drop
  }
  chain to_internet {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${wan}" masquerade
  }
`
  // An empty chain carries the text's own mark: a box that was updated finds the old one, and puts the new text in.
  const version = `version_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  return { version, text: `table ${TABLE} {\n  chain ${version} {\n  }${text}}\n` }
}

/** How many rules a ruleset has, to notice that somebody took some away. */
export function countRules(text: string): number {
  return text.split('\n').filter((line) => /^ {4}\S/.test(line) && !line.includes(' hook ')).length
}
