import { Refusal } from '../errors.ts'
import type { Session } from './lifecycle.ts'

/** What to say of a session that is over, to whoever wants to do something with it. */
export function sessionEnded(session: Session): Refusal {
  const why = {
    time: 'its time is over',
    data: 'its data is used up',
    'ended-by-staff': 'it was ended by the staff',
    refunded: 'it was refunded',
  }[session.endReason ?? 'time']
  return new Refusal('session-ended', `This session has ended: ${why}. Start a new one with a voucher, or buy a package.`, {
    endReason: session.endReason,
  })
}
