import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Button } from './parts.tsx'

/** Shows a screen whose code is loaded only now. @param load must give the same promise's value each time it succeeds */
export function Late<T>({ load, show }: { load: () => Promise<T>; show: (code: T) => ComponentChildren }) {
  const [code, setCode] = useState<{ of: T } | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    load().then(
      (of) => setCode({ of }),
      () => setFailed(true),
    )
  }, [])
  if (code) return <>{show(code.of)}</>
  if (!failed) return <Loading />
  return (
    <main class="single">
      <h1>This page did not load</h1>
      <p class="lead" role="alert">
        Stay near the Wi-Fi and check that you are still connected to it.
      </p>
      <Button onClick={() => location.reload()}>Load it again</Button>
    </main>
  )
}

export function Loading() {
  return (
    <main class="single" aria-busy="true">
      <p class="spinner large" aria-hidden="true" />
      <h1 class="visually-hidden">Loading</h1>
    </main>
  )
}
