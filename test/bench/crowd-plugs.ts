import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from '#lab/lab.ts'
import { run, until } from '#lab/run.ts'
import type { Member } from './crowd.ts'

/**
 * Plugs devices into the box, each with a port, a MAC, an address and a lease of its own, and with all their other ends in
 * the namespace of one phone. What is sent from one of their addresses leaves by that device.
 */
export async function plugCrowd(lab: Lab, count: number): Promise<Member[]> {
  const { namespace } = lab.phones[0]!
  const members = Array.from({ length: count }, (_, n) => ({ ip: `10.64.7.${n + 1}`, phone: `2567720${String(n).padStart(5, '0')}`, n }))
  // Each address is answered for by its own device alone.
  const settings = 'net.ipv4.conf.all.arp_ignore = 1\nnet.ipv4.conf.all.rp_filter = 0\nnet.ipv4.conf.default.rp_filter = 0\n'
  await lab.exec(namespace, ['sysctl', '--quiet', '--load=-'], { input: settings })
  const onPhone = members.flatMap(({ ip, n }) => [
    `link add c${n} address ${macOf(n)} type veth peer name q${n} netns ${lab.box.namespace}`,
    `link set c${n} up`,
    `addr add ${ip}/32 dev c${n}`,
    `rule add from ${ip} lookup ${1000 + n}`,
    `route add 10.64.0.0/16 dev c${n} src ${ip} table ${1000 + n}`,
    `route add default via ${lab.box.lan} dev c${n} src ${ip} table ${1000 + n} onlink`,
  ])
  const onBox = members.flatMap(({ n }) => [
    `link set q${n} master lan0`,
    `link set q${n} type bridge_slave isolated on`,
    `link set q${n} up`,
  ])
  await run(['ip', '-n', namespace, '-batch', '-'], { input: onPhone.join('\n') })
  await run(['ip', '-n', lab.box.namespace, '-batch', '-'], { input: onBox.join('\n') })
  await lab.box.units.stop('dnsmasq')
  const expiry = Math.floor(Date.now() / 1000) + 43_200
  const leases = members.map(({ ip, n }) => `${expiry} ${macOf(n)} ${ip} * *\n`)
  appendFileSync(join(lab.dataDir, 'dnsmasq.leases'), leases.join(''))
  lab.box.units.start('dnsmasq')
  await until('the last of the crowd reaches the box', () => reaches(lab, namespace, members.at(-1)!.ip), 10_000)
  return members.map(({ ip, phone }) => ({ ip, phone }))
}

async function reaches(lab: Lab, namespace: string, from: string): Promise<boolean> {
  const { code } = await lab.exec(namespace, ['ping', '-c', '1', '-W', '1', '-I', from, lab.box.lan], { allowFailure: true })
  return code === 0
}

function macOf(n: number): string {
  return `02:be:64:00:00:${n.toString(16).padStart(2, '0')}`
}
