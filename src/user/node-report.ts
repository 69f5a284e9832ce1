import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'

const NODE_REPORT = Type.Object({
  version: Type.String(),
  startedAt: Type.String(),
  broker: Type.Object({ isUp: Type.Boolean(), detail: Type.String() }),
  load: Type.Optional(
    Type.Object({
      cpu: Type.Number(),
      busy: Type.Number(),
      heapBytes: Type.Number(),
      framesIn: Type.Number(),
      framesOut: Type.Number(),
    }),
  ),
})

const validator = Compile(NODE_REPORT)

/** What a node says of itself with every heart-beat. */
export type NodeReport = Static<typeof NODE_REPORT>

/** Undefined where a node of another version says something else. */
export function readNodeReport(value: unknown): NodeReport | undefined {
  return validator.Check(value) ? value : undefined
}
