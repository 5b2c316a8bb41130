const tryLater = 'The message could not be sent just now. Wait a minute, then ask for another code.'
const tellStaff = 'Messages cannot be sent from here at the moment. Please tell the staff.'

/**
 * A message was not sent, or nobody knows whether it was. The error's own message is for staff and the log.
 * `isOurs`: the account or its settings are wrong, and no waiting mends that: the owner must be told.
 * `forUser`: what to tell whoever waits for the message.
 */
export class SmsTrouble extends Error {
  readonly isOurs: boolean
  readonly forUser: string
  constructor(words: string, { isOurs = false, forUser, cause }: { isOurs?: boolean; forUser?: string; cause?: unknown } = {}) {
    super(words, { cause })
    this.isOurs = isOurs
    this.forUser = forUser ?? (isOurs ? tellStaff : tryLater)
  }
}
