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

/** Why a session is over, and what that means, for people. */
export function endWords(session: SessionView): { title: string; text: string } {
  switch (session.endReason) {
    case 'data':
      return { title: 'Your data is used up', text: 'Enter another voucher to go on.' }
    case 'time':
      return session.startTime
        ? { title: 'Your time is over', text: 'Enter another voucher to go on.' }
        : {
            title: 'This session was not used in time',
            text: 'It had to be started before the date on the voucher. Ask the staff if you think this is wrong.',
          }
    case 'ended-by-staff':
      return { title: 'The staff ended this session', text: 'Ask at the counter if you did not expect this.' }
    case 'refunded':
      return { title: 'This session was refunded', text: 'Ask at the counter if you have not got your money back.' }
    default:
      return { title: 'Your session is over', text: 'Enter another voucher to go on.' }
  }
}
