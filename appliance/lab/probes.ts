/** What the makers of phones and computers ask to find out whether they are online, and what the real hosts answer. */

export type Probe = {
  os: string
  host: string
  path: string
  status: number
  body: string
  /** The shape of the body where it matters. Default: text/plain. */
  type?: string
}

const apple = '<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>\n'
const firefox = '<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'
const kindle = '<html><head><title>Kindle Reachability Probe Page</title></head><body>81ce4465-7167-4dcb-835b-dcc9e44c112a</body></html>\n'

const page = (os: string, host: string, path: string, body: string, type = 'text/html'): Probe => ({
  os,
  host,
  path,
  status: 200,
  body,
  type,
})
const text = (os: string, host: string, path: string, body: string): Probe => page(os, host, path, body, 'text/plain')
const nothing = (os: string, host: string, path = '/generate_204'): Probe => ({ os, host, path, status: 204, body: '' })

/** The table of the fact sheet on captive portals, row by row. */
export const probes: readonly Probe[] = [
  page('Apple', 'captive.apple.com', '/hotspot-detect.html', apple),
  page('Apple', 'www.apple.com', '/library/test/success.html', apple),
  page('Apple, older', 'www.appleiphonecell.com', '/', apple),
  page('Apple, older', 'www.airport.us', '/', apple),
  page('Apple, older', 'www.ibook.info', '/', apple),
  page('Apple, older', 'www.itools.info', '/', apple),
  page('Apple, older', 'www.thinkdifferent.us', '/', apple),
  nothing('Android', 'connectivitycheck.gstatic.com'),
  nothing('Android', 'www.google.com'),
  nothing('Android', 'www.google.com', '/gen_204'),
  nothing('Android', 'play.googleapis.com'),
  nothing('Samsung', 'connectivitycheck.android.com'),
  nothing('Samsung', 'd2uzsrnmmf6tds.cloudfront.net', '/'),
  nothing('Huawei', 'connectivitycheck.platform.hicloud.com'),
  text('Windows', 'www.msftconnecttest.com', '/connecttest.txt', 'Microsoft Connect Test'),
  text('Windows, IPv6', 'ipv6.msftconnecttest.com', '/connecttest.txt', 'Microsoft Connect Test'),
  text('Windows, older', 'www.msftncsi.com', '/ncsi.txt', 'Microsoft NCSI'),
  page('Firefox', 'detectportal.firefox.com', '/canonical.html', firefox),
  text('Firefox', 'detectportal.firefox.com', '/success.txt', 'success\n'),
  nothing('Chrome', 'clients3.google.com'),
  nothing('Chrome', 'www.gstatic.com'),
  text('GNOME', 'nmcheck.gnome.org', '/check_network_status.txt', 'NetworkManager is online\n'),
  text('Debian', 'network-test.debian.org', '/nm', 'NetworkManager is online\n'),
  page('Kindle', 'spectrum.s3.amazonaws.com', '/kindle-wifi/wifistub.html', kindle),
]

/** What the real host would answer, or undefined when nobody probes there. Makers add hosts, but the paths of a 204 stay the same. */
export function findProbe(host: string, path: string): Probe | undefined {
  const anyHost = path === '/generate_204' || path === '/gen_204'
  return probes.find((probe) => probe.path === path && (anyHost || probe.host === host))
}
