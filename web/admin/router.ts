import { useEffect, useState } from 'preact/hooks'

/** Where the admin is: `#/sessions/412` is the screen `sessions` with the rest `['412']`. */
export type Place = { screen: string; rest: string[] }

/** The place in the address bar; follows the back button. */
export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const follow = () => setHash(location.hash)
    addEventListener('hashchange', follow)
    return () => removeEventListener('hashchange', follow)
  }, [])
  return placeOf(hash)
}

/** Goes to a place such as `sessions/412`. */
export function go(path: string): void {
  location.hash = `#/${path}`
}

export function placeOf(hash: string): Place {
  const [screen = '', ...rest] = hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodeURIComponent)
  return { screen, rest }
}
