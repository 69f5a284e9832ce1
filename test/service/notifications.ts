import type { Test } from 'tap'
import type { Service } from '../support/service-rig.ts'
import { notificationChanges } from './notification-changes.ts'
import { notificationPreferences } from './notification-preferences.ts'
import { notificationSends } from './notification-sends.ts'
import { notificationViews } from './notification-views.ts'

/** CONTRACT, sections 5 and 7: what users are told, and what they do with it. */
export async function notifications(t: Test, service: Service): Promise<void> {
  // In a test of its own, which does not end while nothing happens between two parts.
  await t.test('notifications', async (t) => {
    await notificationSends(t, service)
    await notificationChanges(t, service)
    await notificationPreferences(t, service)
    await notificationViews(t, service)
  })
}
