import type { ComponentChildren } from 'preact'
import { Icon } from './icons.tsx'

/** A screen: its name, what can be done on it, and its content. */
export function Page({
  title,
  note,
  actions,
  children,
}: {
  title: string
  note?: ComponentChildren
  actions?: ComponentChildren
  children: ComponentChildren
}) {
  return (
    <>
      <header class="page-head">
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {note && <p class="page-note">{note}</p>}
        </div>
        {actions && <div class="page-actions">{actions}</div>}
      </header>
      {children}
    </>
  )
}

export function Card({
  title,
  aside,
  flush = false,
  children,
}: {
  title?: string
  aside?: ComponentChildren
  flush?: boolean
  children: ComponentChildren
}) {
  return (
    <section class={`card ${flush ? 'flush' : ''}`}>
      {(title || aside) && (
        <header class="card-head">
          {title && <h2>{title}</h2>}
          {aside}
        </header>
      )}
      {children}
    </section>
  )
}

export function Badge({ kind = 'quiet', children }: { kind?: 'good' | 'warn' | 'bad' | 'quiet' | 'accent'; children: ComponentChildren }) {
  return <span class={`badge ${kind}`}>{children}</span>
}

/** A bar from 0 to 100 %. `tone` warns when little is left. */
export function Bar({ percent, label, tone = 'accent' }: { percent: number; label: string; tone?: 'accent' | 'warn' | 'bad' | 'quiet' }) {
  const share = Math.min(100, Math.max(0, percent))
  return (
    <span
      class={`bar ${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share)}
    >
      {share > 0 && <i style={{ width: `${share}%` }} />}
    </span>
  )
}

type PagerProps = { page: number; pageSize: number; total: number; onPage: (page: number) => void }

export function Pager({ page, pageSize, total, onPage }: PagerProps) {
  const last = Math.max(1, Math.ceil(total / pageSize))
  if (last === 1) return null
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" class="button" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        <span class="turned">
          <Icon name="chevron" />
        </span>
        <span>Newer</span>
      </button>
      <span class="figures">
        Page {page} of {last}
      </span>
      <button type="button" class="button" disabled={page >= last} onClick={() => onPage(page + 1)}>
        <span>Older</span>
        <Icon name="chevron" />
      </button>
    </nav>
  )
}

/** Label and value, one pair a line. */
export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
