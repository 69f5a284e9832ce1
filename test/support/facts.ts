/** What the policy is told of rooms where a test is about something else: all are public. */
export const PUBLIC_ROOMS = {
  isPublicRoom: () => true,
  seesRoom: async () => true,
}
