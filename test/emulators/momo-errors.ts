import type { Answer } from './http.ts'

/** How MTN's own machines say what went wrong. */
export function momoError(status: number, code: string, message: string): Answer {
  return { status, body: { code, message } }
}

/** How the API management in front of them says it. */
export function gatewayError(statusCode: number, message: string): Answer {
  return { status: statusCode, body: { statusCode, message } }
}

export const notAllowed = momoError(500, 'NOT_ALLOWED', 'Authorization failed. Insufficient permissions.')
export const wrongTarget = momoError(500, 'NOT_ALLOWED_TARGET_ENVIRONMENT', 'Access to target environment is forbidden.')
export const wrongCallbackHost = momoError(
  500,
  'INVALID_CALLBACK_URL_HOST',
  'Callback URL with different host name then configured for API User.',
)
export const wrongCurrency = momoError(500, 'INVALID_CURRENCY', 'Currency not supported.')
export const unavailable = momoError(503, 'SERVICE_UNAVAILABLE', 'Service temporarily unavailable, try again later.')

export const duplicate = momoError(409, 'RESOURCE_ALREADY_EXIST', 'Duplicated reference id. Creation of resource failed.')
export const notFound = momoError(404, 'RESOURCE_NOT_FOUND', 'Requested resource was not found.')
export const tooMany: Answer = {
  ...gatewayError(429, 'Rate limit is exceeded. Try again in 1 seconds.'),
  headers: { 'retry-after': '1' },
}
