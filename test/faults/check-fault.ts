import type { Test } from 'tap'
import { faultTable } from './fault-report.ts'
import { wrongsOf, type Fault } from './fault.ts'

/** Runs a fault short, as a test of its own, and shows what became of the messages. */
export async function checkFault(t: Test, fault: Fault): Promise<void> {
  await t.test(`nothing is lost, doubled or out of order: ${fault.name}`, async (t) => {
    const report = await fault.run(t, fault.short)
    t.comment(`\n${faultTable([report])}`)
    t.same(wrongsOf(fault, fault.short, report), [])
  })
}
