/** Line icons, 24 by 24, drawn in the colour of the text around them. */
const paths = {
  overview: 'M4 20V11M10 20V4M16 20v-6M21 20H3',
  sell: 'M4 9.5h16V20H4zM7 9.5V4h7v5.5M16.5 9.5V6M8 13h.01M12 13h.01M16 13h.01M8 16.5h8',
  payments: 'M3 6h18v12H3zM3 10h18M6.5 14.5h4',
  customers: 'M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5a7.5 7.5 0 0 1 15 0',
  providers: 'M9 3v5M15 3v5M6 8h12v3.5a6 6 0 0 1-12 0V8ZM12 17.5V21',
  inbox: 'M4 13 6.5 5h11L20 13v6H4zM4 13h4.5l1.5 2.5h4l1.5-2.5H20',
  refund: 'M9 14 4.5 9.5 9 5M4.5 9.5H15a5 5 0 0 1 0 10h-4',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12ZM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6Z',
  sessions: 'M2.5 9.5a14 14 0 0 1 19 0M6 13.5a9 9 0 0 1 12 0M9.3 17.2a4 4 0 0 1 5.4 0M12 20.5h.01',
  reports: 'M4 4v16h16M8 16v-4M12 16V8M16 16v-6M20 16V5',
  vouchers:
    'M3 8.5V6a1 1 0 0 1 1-1h16a1 1 0 0 1 1 1v2.5a3.5 3.5 0 0 0 0 7V18a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-2.5a3.5 3.5 0 0 0 0-7ZM14 8v1.5M14 11.3v1.5M14 14.6V16',
  packages: 'M12 3 3.5 7.5v9L12 21l8.5-4.5v-9L12 3ZM3.5 7.5 12 12l8.5-4.5M12 12v9',
  connect: 'M12 3 4.5 6v5.5c0 4.6 3.1 8 7.5 9.5 4.4-1.5 7.5-4.9 7.5-9.5V6L12 3ZM8.8 12l2.3 2.3 4.3-4.4',
  hotspots: 'M12 21s7-6.1 7-11.2A6.9 6.9 0 0 0 12 3a6.9 6.9 0 0 0-7 6.8C5 14.9 12 21 12 21ZM12 7.4a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5Z',
  settings: 'M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM8 14.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5Z',
  staff: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8',
  audit: 'M6 3h9l4 4v14H6zM14.5 3v4.5H19M9.5 12h6M9.5 16h6',
  more: 'M4 7h16M4 12h16M4 17h16',
  close: 'M6 6l12 12M18 6 6 18',
  plus: 'M12 5v14M5 12h14',
  check: 'M5 12.5 10 17.5 19.5 7',
  alert: 'M12 4 2.8 20h18.4L12 4ZM12 10v4.5M12 17.4h.01',
  info: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 11v5M12 8h.01',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 20.5 20.5',
  down: 'M12 4v15M6 13.5l6 6 6-6',
  up: 'M12 20V5M6 10.5l6-6 6 6',
  chevron: 'M9 5l7 7-7 7',
  print: 'M7 9V4h10v5M7 18H4v-8h16v8h-3M7 14h10v6H7z',
  file: 'M6 3h9l4 4v14H6zM12 10v7M9 14.2l3 3 3-3',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  signout: 'M10 4H5v16h5M10 12h10M16 8l4 4-4 4',
  key: 'M15.5 3.5a5 5 0 1 0 0 10 5 5 0 0 0 0-10ZM12 12l-8.5 8.5M6 18l2.5 2.5M8.5 15.5 10.5 17.5',
  phone: 'M7 2.5h10v19H7zM11 18.5h2',
  clock: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM12 7.5V12l3 2.5',
  edit: 'M4 20h4L19.5 8.5l-4-4L4 16v4ZM13 7l4 4',
  stop: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM9 9l6 6M15 9l-6 6',
  link: 'M10 14a4.2 4.2 0 0 0 6 0l3.5-3.5a4.2 4.2 0 0 0-6-6L12 6M14 10a4.2 4.2 0 0 0-6 0l-3.5 3.5a4.2 4.2 0 0 0 6 6L12 18',
  picture: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  )
}

/** The mark of the product. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" fill="var(--accent)" />
      <g fill="none" stroke="var(--on-accent)" stroke-width="2.6" stroke-linecap="round">
        <path d="M7 14.5a13 13 0 0 1 18 0M11 18.8a7.2 7.2 0 0 1 10 0" />
      </g>
      <circle cx="16" cy="23.2" r="2.1" fill="var(--on-accent)" />
    </svg>
  )
}
