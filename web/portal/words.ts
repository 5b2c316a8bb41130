import type { Package } from '../../server/packages/schema.ts'
import type { SessionView } from '../../server/sessions/schema.ts'
import { bytes, countdownWords } from '../shared/format.ts'

/** "2.9 GB and 3 hours 12 minutes left". */
export function allowanceLeft(session: SessionView): string {
  const data = session.dataRemaining === null ? 'Unlimited data' : bytes(session.dataRemaining)
  if (session.secondsRemaining === null) return `${data}. The clock starts when you go online.`
  return `${data} and ${countdownWords(session.secondsRemaining)} left`
}

/** Which voucher adds to a live session at once, and which one waits: data adds to data, time to unlimited time. */
export function topUpWords(session: SessionView): string {
  const [added, kept] =
    session.dataLimit === null ? ['An unlimited voucher', 'One with a data limit'] : ['A voucher with data', 'An unlimited one']
  return `${added} is added at once. ${kept} waits until this session ends, or until you start it.`
}

/** What a package does to a live session. */
export function addWords(session: SessionView, item: Package): string {
  return (session.dataLimit === null) === (item.dataLimit === null)
    ? 'It is added to it at once.'
    : 'It is kept and begins when that ends, or when you start it. Nothing of it is lost.'
}

/** A number as people read it, of the digits of E.164: "+256 771 234 567", "+234 801 234 5678"; never broken into two lines. */
export function plainPhone(phone: string): string {
  const digits = phone.replace(/\D/g, '')
  return `+${digits.match(/.{3}(?:.$)?|.{1,2}$/g)?.join('\u00a0') ?? digits}`
}

/** Why a session is over, and what that means, for people. @param more how to go on */
export function endWords(session: SessionView, more: string): { title: string; text: string } {
  switch (session.endReason) {
    case 'data':
      return { title: 'Your data is used up', text: more }
    case 'time':
      return session.startTime
        ? { title: 'Your time is over', text: more }
        : {
            title: 'This session was not used in time',
            text: 'It had to be started before the date on the voucher. Ask the staff if you think this is wrong.',
          }
    case 'ended-by-staff':
      return { title: 'The staff ended this session', text: 'Ask at the counter if you did not expect this.' }
    case 'refunded':
      return { title: 'This session was refunded', text: 'Ask at the counter if you have not got your money back.' }
    default:
      return { title: 'Your session is over', text: more }
  }
}
