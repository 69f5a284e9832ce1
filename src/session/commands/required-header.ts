import { violation } from '../../../protocol/errors.ts'
import { header, type ClientFrame } from '../../../protocol/frame.ts'

/** The value of a header the command cannot do without. @throws ProtocolViolation `missing-header` */
export function requiredHeader(frame: ClientFrame, name: string): string {
  const value = header(frame.headers, name)
  if (value === undefined || value === '') throw violation('missing-header', `${frame.command} needs ${name}`)
  return value
}
