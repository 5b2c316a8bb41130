import type { Buyer } from './control.ts'
import type { Answer } from './http.ts'
import { notAllowed, unavailable, wrongCallbackHost, wrongCurrency, wrongTarget } from './momo-errors.ts'

/**
 * What the sandbox does for a payer's number; any other pays at once. The lists in public use do not say which of them answer
 * the POST with an error and which let the payment fail: those whose code is about the asker's own set-up answer the POST here.
 */
export function sandboxNumber(phone: string, successAfterMs: number): Buyer | { refuses: Answer } | null {
  switch (phone) {
    case '46733123450':
      return { does: 'decline', reason: 'INTERNAL_PROCESSING_ERROR' }
    case '46733123453':
      return { does: 'wait' }
    case '46733123454':
      return { does: 'approve', afterMs: successAfterMs }
    case '46733123457':
      return { refuses: notAllowed }
    case '46733123458':
      return { refuses: wrongTarget }
    case '46733123459':
      return { refuses: wrongCallbackHost }
    case '46733123460':
      return { refuses: wrongCurrency }
    case '46733123462':
      return { refuses: unavailable }
    default:
      return failing[phone] === undefined ? null : { does: 'decline', reason: failing[phone] }
  }
}

const failing: Record<string, string> = {
  '46733123451': 'APPROVAL_REJECTED',
  '46733123452': 'EXPIRED',
  '46733123455': 'PAYER_NOT_FOUND',
  '46733123456': 'PAYEE_NOT_ALLOWED_TO_RECEIVE',
  '46733123461': 'INTERNAL_PROCESSING_ERROR',
  '46733123463': 'COULD_NOT_PERFORM_TRANSACTION',
  '46733123464': 'TRANSFER_TYPE_UNKNOWN',
}
