import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preact } from '@preact/preset-vite'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const pages = { portal: here('portal/index.html'), admin: here('admin/index.html') }
const box = { target: 'http://127.0.0.1:8080' }

export default defineConfig({
  root: here('.'),
  base: '/',
  publicDir: false,
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false }), pageAddresses()],
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    // Cheap phones keep their first WebView for years.
    target: ['es2020', 'chrome80', 'safari13.1', 'firefox78'],
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: Object.fromEntries(Object.entries(pages).filter(([, file]) => existsSync(file))) },
  },
  server: { proxy: { '/api': box, '/captive-portal': box } },
})

/** The portal is the box's front door: its page is `/` (also `/connected` and `/v`), the admin's is `/admin/`. */
function pageAddresses(): Plugin {
  let outDir = ''
  return {
    name: 'page-addresses',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const path = request.url?.split('?')[0] ?? ''
        if (path === '/' || path === '/connected' || path === '/v' || path.startsWith('/v/')) request.url = '/portal/index.html'
        if (path === '/admin' || (path.startsWith('/admin/') && !path.includes('.'))) request.url = '/admin/index.html'
        next()
      })
    },
    configResolved(config) {
      outDir = config.build.outDir
    },
    async closeBundle() {
      if (!existsSync(join(outDir, 'portal/index.html'))) return
      await rename(join(outDir, 'portal/index.html'), join(outDir, 'index.html'))
      await rm(join(outDir, 'portal'), { recursive: true })
    },
  }
}
