/** As much of DNS as the lab's internet needs: one question in, its own address out. */

const typeA = 1
const headerBytes = 12

/** Windows asks for this name, and takes any other answer for a portal. */
const fixedAnswers: Record<string, string> = { 'dns.msftncsi.com': '131.107.255.255' }

/**
 * Answers an A question with `address` and any other with "no such record".
 * @returns null for what is not a question.
 */
export function answerDns(question: Buffer, address: string): Buffer | null {
  if (question.length < headerBytes + 5) return null
  const isQuestion = (question.readUInt8(2) & 0x80) === 0 && question.readUInt16BE(4) === 1
  const asked = isQuestion ? readName(question) : null
  if (!asked || asked.endByte + 4 > question.length) return null

  const type = question.readUInt16BE(asked.endByte)
  const isAddress = type === typeA
  const header = Buffer.alloc(headerBytes)
  header.writeUInt16BE(question.readUInt16BE(0), 0)
  // A response to a recursive question, recursion available, no error.
  header.writeUInt16BE(0x8180, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(isAddress ? 1 : 0, 6)
  const echoed = question.subarray(headerBytes, asked.endByte + 4)
  return Buffer.concat([header, echoed, ...(isAddress ? [record(fixedAnswers[asked.name] ?? address)] : [])])
}

function readName(question: Buffer): { name: string; endByte: number } | null {
  const labels: string[] = []
  let at = headerBytes
  for (;;) {
    const length = question[at]
    if (length === undefined || length > 63) return null
    if (length === 0) return { name: labels.join('.').toLowerCase(), endByte: at + 1 }
    labels.push(question.subarray(at + 1, at + 1 + length).toString('latin1'))
    at += 1 + length
  }
}

function record(address: string): Buffer {
  const ttlSeconds = 60
  // The name is a pointer to the question; type A, class IN.
  const head = Buffer.from([0xc0, headerBytes, 0, typeA, 0, 1, 0, 0, 0, ttlSeconds, 0, 4])
  return Buffer.concat([head, Buffer.from(address.split('.').map(Number))])
}
